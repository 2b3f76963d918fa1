import FoundationEssentials
import Glibc

extension Console {
  /// The console of this process.
  package static func ofProcess() -> Console {
    // Writing to a closed pipe is an error to handle, not a signal to die of.
    signal(SIGPIPE, SIG_IGN)
    let canAsk = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
    let canShow = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
    let readAnswer: @Sendable () -> String? = { readLine() }
    let openScreen: @Sendable () -> any Screen = { TerminalScreen() }
    return Console(
      environment: environment,
      output: FileDescriptorSink(STDOUT_FILENO), errors: FileDescriptorSink(STDERR_FILENO),
      outputSize: TerminalSize.of(STDOUT_FILENO), errorsAreShown: isatty(STDERR_FILENO) == 1,
      readAnswer: canAsk ? readAnswer : nil, pacer: .real,
      newID: { UUID().uuidString.lowercased() }, localTime: { civilTime($0) },
      openScreen: canShow ? openScreen : nil)
  }

  /// The environment, with the name of the user even where no login has put it there.
  private static var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment
    if environment["USER"] == nil, environment["LOGNAME"] == nil, let entry = getpwuid(getuid()) {
      environment["USER"] = String(cString: entry.pointee.pw_name)
    }
    return environment
  }

  /// Civil time in the zone of the process (`TZ`), such as `2026-11-22 03:14:05 CET`.
  @Sendable private static func civilTime(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    guard localtime_r(&time, &parts) != nil else { return "\(seconds)" }
    var text = [CChar](repeating: 0, count: 64)
    let count = strftime(&text, text.count, "%Y-%m-%d %H:%M:%S %Z", &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Pacer {
  /// The clocks of this machine.
  package static let real = Pacer(
    now: { .now },
    wallClock: {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    },
    pause: { try await Task.sleep(for: $0) })
}

extension TerminalSize {
  /// The size of the terminal behind `descriptor`; nil if it is none. A terminal that does not know
  /// its size has the usual one.
  static func of(_ descriptor: Int32) -> TerminalSize? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return TerminalSize(columns: 80, rows: 24)
    }
    return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }
}

/// Writes to an open file of the process.
struct FileDescriptorSink: TextSink {
  private let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  func write(_ text: String) throws(OutputClosed) { try write(bytes: Array(text.utf8)) }

  func write(bytes: [UInt8]) throws(OutputClosed) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if count >= 0 {
        written += count
      } else if errno == EAGAIN {
        waitUntilWritable()
      } else if errno != EINTR {
        throw OutputClosed()
      }
    }
  }

  /// Terminals that another program left in non-blocking mode take their time.
  private func waitUntilWritable() {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = poll(&entry, 1, 1000)
  }
}

import Glibc

/// A process that we started, with a pipe to it and one from it, in a process group of its own.
///
/// Foundation's `Process` takes a program for alive as long as anything that it started is, and
/// installers leave things behind.
final class ChildProcess: Sendable {
  enum Status: Hashable, Sendable {
    case exited(Int32)
    case killed(Int32)
  }

  private let pid: pid_t
  private let input: Int32
  private let output: Int32

  /// - Parameter arguments: The program's path first.
  /// - Throws: ``FileError`` when it cannot be started.
  init(_ arguments: [String], environment: [String: String]) throws(FileError) {
    Self.ignoreBrokenPipes
    let (theirInput, input) = try Self.makePipe()
    let (output, theirOutput) = try Self.makePipe()
    defer {
      close(theirInput)
      close(theirOutput)
    }
    do {
      pid = try Self.spawn(arguments, environment, input: theirInput, output: theirOutput)
    } catch {
      close(input)
      close(output)
      throw error
    }
    self.input = input
    self.output = output
  }

  deinit {
    close(input)
    close(output)
  }

  /// A program that has ended must not end the process that writes to it.
  private static let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

  /// Few bytes: a pipe takes 64 KiB before it blocks. One that nobody reads is no error here; the
  /// end of the process is.
  func write(_ bytes: [UInt8]) { _ = Glibc.write(input, bytes, bytes.count) }

  func terminate() { kill(-pid, SIGTERM) }

  /// Gives what the process says to `take`, until it has ended.
  func read(_ take: ([UInt8]) -> Void) -> Status {
    var status: Status?
    while true {
      // Asked before reading: what it said before its end is still in the pipe.
      status = status ?? exitStatus(WNOHANG)
      var wait = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&wait, 1, status == nil ? KitLimits.programPoll : 0) > 0 else {
        if let status { return status }
        continue
      }
      var bytes = [UInt8](repeating: 0, count: 65_536)
      let count = Glibc.read(output, &bytes, bytes.count)
      if count > 0 { take(Array(bytes.prefix(count))) }
      if count == 0 { return status ?? exitStatus(0) ?? .exited(-1) }
    }
  }

  private func exitStatus(_ options: Int32) -> Status? {
    var status: Int32 = 0
    var answer: pid_t
    repeat { answer = waitpid(pid, &status, options) } while answer < 0 && errno == EINTR
    guard answer == pid else { return nil }
    let signal = status & 0x7f
    return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal)
  }

  private static func makePipe() throws(FileError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw FileError("pipe", "program") }
    // Not at once with the making, but an agent starts one program at a time.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func spawn(
    _ arguments: [String], _ environment: [String: String], input: Int32, output: Int32
  ) throws(FileError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    // A group of its own, and the signals as a program expects them: threads of a dispatch queue
    // block nearly all, and a program that inherits that cannot be ended.
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    posix_spawnattr_setsigmask(&attributes, &unblocked)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGTERM, SIGINT] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
    posix_spawnattr_setflags(&attributes, Int16(flags))
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var pid: pid_t = 0
    let path = arguments.first ?? ""
    let code = withCStrings(arguments) { arguments in
      withCStrings(variables) { variables in
        posix_spawn(&pid, path, &actions, &attributes, arguments, variables)
      }
    }
    guard code == 0 else { throw FileError("start", path, code: code) }
    return pid
  }

  private static func withCStrings<Value>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
  ) -> Value {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}

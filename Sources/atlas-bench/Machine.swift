import Glibc

/// What the measurement ran on, and with.
enum Machine {
  /// Such as `2 × AMD EPYC`.
  static var description: String {
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let model = lines(of: "/proc/cpuinfo").first { $0.hasPrefix("model name") }
    let name = model?.split(separator: ":").last?.drop { $0 == " " } ?? "unknown processor"
    return "\(cores) × \(name)"
  }

  /// Processor time of this process so far: other processes do not count.
  static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// Memory of this process that is in use now, in bytes. What was freed is given back first.
  static var residentMemory: Int {
    trim()
    let pages = lines(of: "/proc/self/statm").first?.split(separator: " ") ?? []
    return (pages.count > 1 ? Int(pages[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Forgets the peak so far: ``peakMemory`` is that of what follows.
  static func forgetPeak() {
    let file = open("/proc/self/clear_refs", O_WRONLY)
    defer { close(file) }
    precondition(file >= 0 && write(file, "5", 1) == 1, "the peak of memory cannot be reset")
  }

  /// The most memory that this process has had in use since ``forgetPeak()``, in bytes.
  static var peakMemory: Int {
    let line = lines(of: "/proc/self/status").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) * 1_024
  }

  /// Glibc keeps freed memory for itself, and its Swift module does not know `malloc_trim`.
  private static func trim() {
    guard let symbol = dlsym(nil, "malloc_trim") else { return }
    _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> CInt).self)(0)
  }

  private static func lines(of path: String) -> [Substring] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
  }
}

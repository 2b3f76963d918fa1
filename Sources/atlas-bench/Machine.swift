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

  /// Memory of this process that is in use now, in bytes.
  static var residentMemory: Int {
    let pages = lines(of: "/proc/self/statm").first?.split(separator: " ") ?? []
    return (pages.count > 1 ? Int(pages[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// The most memory that this process has had in use, in bytes.
  static var peakMemory: Int {
    let line = lines(of: "/proc/self/status").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) * 1_024
  }

  private static func lines(of path: String) -> [Substring] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
  }
}

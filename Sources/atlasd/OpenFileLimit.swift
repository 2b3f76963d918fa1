import Glibc
import Logging

/// The limit on open files, which Debian leaves at 1024: less than one fleet's agents.
enum OpenFileLimit {
  /// Connections of 10,000 agents, those that replace them, and room for the store and hooks.
  private static let wanted: rlim_t = 24_000

  /// Raises the limit as far as it may be, and says so when that is too little.
  static func raise(_ logger: Logger) {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(kind, &limit) == 0, limit.rlim_cur < wanted else { return }
    limit.rlim_cur = min(limit.rlim_max, wanted)
    guard setrlimit(kind, &limit) == 0, limit.rlim_cur >= wanted else {
      return logger.warning(
        "few files may be open: agents beyond them are turned away",
        metadata: [
          "allowed": "\(limit.rlim_cur)", "wanted": "\(wanted)",
          "hint": "LimitNOFILE= in the unit, or ulimit -Hn",
        ])
    }
  }
}

import Glibc

/// The limit on open files, which Debian leaves at 1024.
package enum OpenFiles {
  /// Raises the soft limit so far that `needed` files can be open.
  /// - Throws: ``OpenFilesError`` when the hard limit does not allow it.
  package static func raise(to needed: Int) throws(OpenFilesError) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw OpenFilesError(needed: needed, allowed: 0)
    }
    guard limit.rlim_cur < rlim_t(needed) else { return }
    guard limit.rlim_max >= rlim_t(needed) else {
      throw OpenFilesError(needed: needed, allowed: Int(clamping: limit.rlim_max))
    }
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw OpenFilesError(needed: needed, allowed: Int(clamping: limit.rlim_max))
    }
  }
}

/// Too few files may be open.
package struct OpenFilesError: Error, Equatable, CustomStringConvertible {
  package let needed: Int
  package let allowed: Int

  package var description: String {
    "\(needed) files must be open at once, and the hard limit allows \(allowed): "
      + "raise it with `ulimit -Hn \(needed)` or LimitNOFILE= in the unit"
  }
}

/// What this process has used.
package struct ProcessUsage: Hashable, Sendable {
  package var cpu: Duration
  /// Highest so far.
  package var residentKilobytes: Int

  /// Since the process started.
  package static var now: ProcessUsage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return ProcessUsage(
      cpu: .seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + .microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
      residentKilobytes: usage.ru_maxrss)
  }
}

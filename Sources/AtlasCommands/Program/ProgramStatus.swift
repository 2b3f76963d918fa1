/// How the program ended, for scripts.
package enum ProgramStatus: Int32, Sendable, Hashable {
  case ok = 0
  /// Anything that has no code of its own.
  case error = 1
  /// A campaign that was waited for failed, was stopped, or waits for people.
  case campaignFailed = 2
  /// The state of things, or the caller's rights, do not allow it.
  case notAllowed = 4
  /// Refused by a guard: what the request was based on has changed since, or nobody vouches for it.
  case guarded = 5
  case timeout = 6
  case unreachable = 7
  /// The command line is wrong (EX_USAGE of sysexits.h).
  case usage = 64
}

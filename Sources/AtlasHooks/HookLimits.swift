/// What one hook run may use, with the reasons.
package struct HookLimits: Hashable, Sendable {
  /// VM instructions and library steps in total: a few seconds of them, whatever the machine.
  package var instructions: UInt64 = 500_000_000
  /// CPU time in total. Hooks wait for others; one that computes for longer is wrong.
  package var cpu = Duration.seconds(2)
  /// CPU time without giving way, where the script cannot be interrupted (callbacks of library
  /// functions); keeps the longest slice under 60 ms.
  package var slice = Duration.milliseconds(40)
  /// CPU time after which a run lets others have its thread.
  package var quantum = Duration.milliseconds(5)
  /// Bytes of its Lua state: an HTTP body of 1 MiB, decoded, with room to work.
  package var memory = 8 * 1_024 * 1_024
  /// Bytes of its largest single text, table or stack: one instruction may read all of it.
  package var block = 1_280 * 1_024
  /// Runs at once; more wait for their turn. Ten thousand parked runs take 300 MB.
  package var concurrentRuns = 10_000
  /// HTTP timeout, when the script names none.
  package var httpTimeout = Duration.seconds(30)

  package init() {}

  /// Longest HTTP timeout a script may ask for.
  package static let longestHTTPTimeout = Duration.seconds(300)
  /// Bytes of an HTTP request's or response's body.
  package static let httpBody = 1_024 * 1_024
  /// Headers of a request; more are a mistake.
  package static let httpHeaders = 64
  /// Retries of one HTTP call; a script that wants more waits in between.
  package static let httpRetries = 5
  /// Facts a run may record.
  package static let evidence = 32
  /// Lines a run may log.
  package static let logRecords = 1_000
  /// Bytes of a line, and of the value of a field.
  package static let logMessage = 4_096
  /// Fields of a line.
  package static let logFields = 32
  /// Bytes of a key of `kv`: short names, part of an index.
  package static let keyBytes = 512
  /// Bytes of a value of `kv`, as JSON text.
  package static let valueBytes = 64 * 1_024
  /// Bytes of the data that `ok` takes.
  package static let outcomeData = 64 * 1_024
  /// Longest `sleep`, `every`, `timeout` and `after`: a week, longer than any window.
  package static let longestPause = Duration.seconds(7 * 86_400)
  /// Bytes of one hook file; the source of what an operator can review.
  package static let source = 64 * 1_024
  /// Files of a revision: two for each of a thousand clients.
  package static let files = 2_000
  /// Bytes of all files of a revision: eight KiB for each of two thousand.
  package static let revisionBytes = 16 * 1_024 * 1_024
  /// Revisions kept on disk: a reload an hour for six weeks, between two starts of the daemon.
  package static let revisions = 1_000
}

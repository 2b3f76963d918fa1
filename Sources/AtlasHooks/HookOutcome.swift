import AtlasModel

/// How a hook function ended.
package enum HookOutcome: Hashable, Sendable {
  /// It is satisfied. `data` is JSON text that it gave along.
  case ok(message: String, data: [UInt8]?)
  /// `pre_update` only: leave this server out.
  case skip(message: String)
  /// `pre_update` and `verify_backup` only: not now. Without `after` the policy says when.
  case deferred(after: Duration?, reason: String)
  /// It says no; permanent unless `retryable`.
  case fail(message: String, retryable: Bool)
  /// It said nothing: the script, a limit or the runtime ended it. Never a success.
  case error(HookError)
  /// Neither the client's file nor `default.lua` has the function.
  case notDefined

  /// The word used in records and lists.
  package var word: String {
    switch self {
    case .ok: "ok"
    case .skip: "skip"
    case .deferred: "defer"
    case .fail: "fail"
    case .error(let error): error.kind == .cancelled ? "cancelled" : "error"
    case .notDefined: "not_defined"
    }
  }
}

/// Why a hook function ended without an outcome of its own.
package struct HookError: Error, Hashable, Sendable {
  /// Who or what ended it.
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    /// The script: an error it did not catch, or no outcome.
    case script
    /// Something it asked the host for failed, and it did not handle that.
    case host
    /// CPU time, in one slice or in total.
    case limitCPU = "limit.cpu"
    case limitMemory = "limit.memory"
    case limitInstructions = "limit.instructions"
    /// Its deadline passed.
    case deadline
    /// A person, or an emergency stop.
    case cancelled
    /// A fault of the daemon's own.
    case engine
  }

  package var kind: Kind
  package var message: String
  /// Relative to the hook directory; nil when no place is known.
  package var file: String?
  package var line: Int?
  /// A frame a line, the innermost first; empty when none is known.
  package var traceback: String

  package init(
    kind: Kind, message: String, file: String? = nil, line: Int? = nil, traceback: String = ""
  ) {
    self.kind = kind
    self.message = message
    self.file = file
    self.line = line
    self.traceback = traceback
  }
}

/// A fact that a hook recorded for this server and this run. Facts pass gates, not exit codes.
package enum HookEvidence: Hashable, Sendable {
  /// A backup: who took it, when, when it was verified and restored on trial, if it was, and when
  /// the newest backup job of the server ran, whatever became of it.
  case backup(
    source: String, takenAt: Instant, verifiedAt: Instant?, restoreTestedAt: Instant?,
    lastJobAt: Instant?)
  /// A snapshot, by the id under which it can be reverted and removed.
  case snapshot(id: String, takenAt: Instant)
}

import AtlasModel

/// Where a run is. ``ControlState/move(_:to:_:)`` is the only place that changes it.
///
/// Legal exits, which a test compares with the drawing in `docs/states.md`:
/// - `pending` → `inProgress`, `notAttempted`, `skipped`, `postponed`
/// - `inProgress` → `inProgress`, `pending`, `parked`, `held`, and every terminal state
/// - `parked` → `inProgress`, `held`, `skipped`, `notAttempted`
/// - `held` → `inProgress`, `pending`, `held` for another reason, `failed`, and `notAttempted` or
///   `postponed` when the campaign is past its end
/// - `completed`, `failed`, `notAttempted`, `skipped`, `postponed` → nothing
package enum RunState: Hashable, Sendable {
  /// Not started, deferred or given back; not before `notBefore`. Holds no slot.
  case pending(notBefore: Instant?)
  case inProgress(Work)
  /// A stop parked it before `next`.
  case parked(next: Phase)
  case held(Hold)
  case completed(Completion)
  case failed(Failure)
  case notAttempted(Refused)
  case skipped(Skip)
  /// Left for later when the campaign ended; until then, when that is known.
  case postponed(until: Instant?)

  /// The state without what it carries.
  package enum Kind: UInt8, CaseIterable, Hashable, Sendable {
    case pending
    case inProgress
    case parked
    case held
    case completed
    case failed
    case notAttempted
    case skipped
    case postponed

    /// Nothing follows a terminal state.
    package var isTerminal: Bool {
      switch self {
      case .pending, .inProgress, .parked, .held: false
      case .completed, .failed, .notAttempted, .skipped, .postponed: true
      }
    }

    /// S1 counts these: the right of the client's server to be in progress is taken.
    package var holdsSlot: Bool {
      switch self {
      case .inProgress, .parked, .held: true
      case .pending, .completed, .failed, .notAttempted, .skipped, .postponed: false
      }
    }

    /// The word used in records, lists and messages.
    package var word: String {
      switch self {
      case .pending: "PENDING"
      case .inProgress: "IN_PROGRESS"
      case .parked: "PARKED"
      case .held: "HELD"
      case .completed: "COMPLETED"
      case .failed: "FAILED"
      case .notAttempted: "NOT_ATTEMPTED"
      case .skipped: "SKIPPED"
      case .postponed: "POSTPONED"
      }
    }
  }

  package var kind: Kind {
    switch self {
    case .pending: .pending
    case .inProgress: .inProgress
    case .parked: .parked
    case .held: .held
    case .completed: .completed
    case .failed: .failed
    case .notAttempted: .notAttempted
    case .skipped: .skipped
    case .postponed: .postponed
    }
  }

  /// Which of the kinds of its state, in one word; empty where the state has no kinds.
  package var detail: String {
    switch self {
    case .pending, .parked, .postponed, .inProgress: ""
    case .held(let hold): hold.rawValue
    case .completed(let completion): completion.rawValue
    case .failed(let failure): failure.rawValue
    case .notAttempted(let refused): refused.rawValue
    case .skipped(let skip): skip.rawValue
    }
  }

  /// The phase that is worked on, or that a parked run goes on with.
  package var phase: Phase? {
    switch self {
    case .inProgress(let work): work.phase
    case .parked(let next): next
    case .pending, .held, .completed, .failed, .notAttempted, .skipped, .postponed: nil
    }
  }
}

/// What is being done for a run in progress.
package struct Work: Hashable, Sendable {
  package var phase: Phase
  package var step: Step
  /// Once the outcome is known and only cleaning up remains: where the run goes.
  package var ending: Ending?

  package init(_ phase: Phase, _ step: Step, ending: Ending? = nil) {
    self.phase = phase
    self.step = step
    self.ending = ending
  }

  /// Whether the server goes away, as a part of it: it boots, or a hook puts it back.
  var isAway: Bool { phase == .reboot || phase == .rollback && step == .hook(.rollback) }
}

/// What a phase is waiting for.
package enum Step: Hashable, Sendable {
  /// A hook function runs.
  case hook(HookPoint)
  /// The agent carries out the run's command.
  case agent
  /// The wait before another attempt.
  case backoff
  /// The watch over a healthy server.
  case soak
  /// The agents of a host's guests come back.
  case guests

  /// Whether nothing but time has to pass.
  var isWait: Bool { self == .backoff || self == .soak }
}

/// Where a run goes after FINALIZE.
package enum Ending: Hashable, Sendable {
  case completed(Completion)
  case failed(Failure)
  case notAttempted(Refused)
  case skipped(Skip)
  /// Back to PENDING: a stop took it back before anything was changed.
  case givenBack
}

/// How a run is complete: installed and verified, or undone and verified.
package enum Completion: String, CaseIterable, Hashable, Sendable {
  case updated = "UPDATED"
  /// Nothing of the update set applied.
  case noUpdates = "NO_UPDATES"
  /// Some updates failed; the server was verified healthy without them.
  case withExceptions = "WITH_EXCEPTIONS"
  /// Of a rollback campaign: its updates are undone, and the server was verified healthy.
  case rolledBack = "ROLLED_BACK"
}

/// How a changed server ended without its updates.
package enum Failure: String, CaseIterable, Hashable, Sendable {
  /// Verified healthy after a rollback.
  case rolledBack = "ROLLED_BACK"
  /// A person accepted it as it is.
  case accepted = "ACCEPTED"
}

/// Why nothing was changed on a server.
package enum Refused: String, CaseIterable, Hashable, Sendable {
  case backup
  case hook
  case offline
  case busy
  case source
  case window
  case disk
  case environment
  case noAgent = "no_agent"
}

/// Why a run was left out.
package enum Skip: String, CaseIterable, Hashable, Sendable {
  case person = "by a person"
  case cancelled
  case retired
}

/// Why a run waits for a person, or for its agent.
package enum Hold: String, CaseIterable, Hashable, Sendable {
  case unhealthy = "UNHEALTHY"
  case lost = "LOST"
  case overdue = "OVERDUE"
  case agentStateLost = "AGENT_STATE_LOST"
  case rollbackFailed = "ROLLBACK_FAILED"
}

/// A person's decision about a held run.
package enum Decision: String, CaseIterable, Hashable, Sendable {
  /// Roll back and verify first unless nothing was changed, then one more attempt.
  case retry
  case rollBack = "roll back"
  /// The server is as it should be.
  case accept
}

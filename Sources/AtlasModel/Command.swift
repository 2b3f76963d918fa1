/// A number that only grows, one for every command and every stop. An agent that has seen a higher
/// one refuses.
package struct Fence: Hashable, Sendable, Comparable {
  package let number: UInt64

  @inlinable
  package init(_ number: UInt64) { self.number = number }

  /// Below every fence that was ever drawn: the journal of a new agent.
  package static let none = Fence(0)

  @inlinable
  package static func == (left: Fence, right: Fence) -> Bool { left.number == right.number }

  @inlinable
  package static func < (left: Fence, right: Fence) -> Bool { left.number < right.number }
}

/// What an agent can be asked to do.
package enum CommandKind: UInt8, CaseIterable, Hashable, Sendable {
  /// Fetch the update set; holds no slot, changes nothing.
  case download
  /// Take a snapshot of the server.
  case snapshot
  /// Install the update set, as far as it goes before a boot is needed.
  case update
  /// Boot, and come back with servicing idle and services up.
  case reboot
  /// Say how the server is, and which updates of the set are there.
  case health
  /// Bring the server back to what it was.
  case rollback
  /// Remove the snapshot of the run.
  case removeSnapshot

  /// The word used in records, lists and messages.
  package var word: String {
    switch self {
    case .download: "DOWNLOAD"
    case .snapshot: "SNAPSHOT"
    case .update: "UPDATE"
    case .reboot: "REBOOT"
    case .health: "HEALTH"
    case .rollback: "ROLLBACK"
    case .removeSnapshot: "REMOVE_SNAPSHOT"
    }
  }
}

/// One order to one agent. Its fence is its identity: no fence is ever carried out twice.
package struct Command: Hashable, Sendable {
  package var fence: Fence
  package var kind: CommandKind
  package var server: ServerName
  package var campaign: CampaignName
  /// Stable for the run: names its snapshot, and is the `run.key` that hooks see.
  package var runKey: String
  package var attempt: Int
  package var pass: Int
  /// The agent does not begin it later than this; nil when there is no such bound.
  package var notAfter: Instant?
  /// For download, update and health, and for a rollback that uninstalls.
  package var updateSet: UpdateSet
  /// For rollback; `hold` never reaches an agent.
  package var rollbackMeans: RollbackMeans
  /// For rollback by snapshot and removal: the snapshot's id; empty for the other kinds.
  package var snapshotID: String
  /// For health: the update set is expected to be gone.
  package var afterRollback: Bool
  /// For update: when the newest backup was taken that hooks have shown; nil when they showed none.
  package var backupTakenAt: Instant?

  package init(
    fence: Fence, kind: CommandKind, server: ServerName, campaign: CampaignName, runKey: String,
    attempt: Int, pass: Int, notAfter: Instant? = nil, updateSet: UpdateSet = UpdateSet(),
    rollbackMeans: RollbackMeans = .snapshot, snapshotID: String = "", afterRollback: Bool = false,
    backupTakenAt: Instant? = nil
  ) {
    self.fence = fence
    self.kind = kind
    self.server = server
    self.campaign = campaign
    self.runKey = runKey
    self.attempt = attempt
    self.pass = pass
    self.notAfter = notAfter
    self.updateSet = updateSet
    self.rollbackMeans = rollbackMeans
    self.snapshotID = snapshotID
    self.afterRollback = afterRollback
    self.backupTakenAt = backupTakenAt
  }
}

/// How far a command has come, by the agent's journal.
package enum CommandProgress: UInt8, CaseIterable, Hashable, Sendable {
  /// In the journal, not begun.
  case accepted
  case begun
  /// Has ended; its result is in a report.
  case done
}

/// What the agent's journal says about a command.
package struct CommandStatus: Hashable, Sendable {
  package var fence: Fence
  package var kind: CommandKind
  package var progress: CommandProgress
  /// The first install has begun: from here on the server may be different from before.
  package var changed: Bool

  package init(fence: Fence, kind: CommandKind, progress: CommandProgress, changed: Bool) {
    self.fence = fence
    self.kind = kind
    self.progress = progress
    self.changed = changed
  }
}

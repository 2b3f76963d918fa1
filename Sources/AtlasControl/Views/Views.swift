import AtlasEngine
import AtlasModel

/// A campaign as people see it.
package struct CampaignView: Hashable, Sendable {
  package var name: CampaignName
  package var author: String
  package var state: CampaignState
  package var selection: Selection
  package var updateSet: UpdateSet
  package var policy: Policy
  package var overrides: [NamedPolicy]
  package var counts: Counts
  package var downNow: Int
  package var clients: Int
  package var createdAt: Instant
  package var startedAt: Instant?
  package var endedAt: Instant?
  package var endsAt: Instant?
  package var flags: [FlagView]
  /// Kinds of servers that fail alike at several clients, each with an update to exclude if one was
  /// named.
  package var heldKinds: [HeldKindView]
  package var settled: Bool
  package var decisions: [String]
  package var etag: String
  /// Grows when the campaign is edited, started or ended, and when an update is excluded from it.
  package var version: UInt32
  package var changeReference: String
  /// The campaign that it rolls back; nil for one that installs.
  package var rollbackOf: CampaignName?
  /// Completed servers of ``rollbackOf`` within the selection that it does not undo, by name; at most
  /// ``Limits/page``, and none in a list of campaigns.
  package var notUndoable: [NotUndoableView]
  package var hookRevision: String
  package var now: Instant
  package var demoFactor: Int
}

/// A completed server that a rollback campaign leaves as it is.
package struct NotUndoableView: Hashable, Sendable {
  package var server: ServerName
  package var client: ClientName
  /// The rest of a sentence that begins with the server.
  package var reason: String
}

/// A snapshot that is there, of a run as people see it.
package struct SnapshotView: Hashable, Sendable {
  package var id: String
  package var takenAt: Instant
  /// When it is removed; nil when it is not kept: the run is not over, or could not remove it.
  package var keptUntil: Instant?
  /// Removals after that time that failed.
  package var failedRemovals: Int
  /// Nobody tries to remove it any more.
  package var remains: Bool
}

package struct NamedPolicy: Hashable, Sendable {
  package var client: ClientName
  package var policy: Policy
}

/// What keeps a campaign, or a part of it, from going on.
package struct FlagView: Hashable, Sendable {
  /// `paused`, `stopped`, `postponed`, `lane_held`, `environment` or `signature_held`.
  package var kind: String
  /// `fleet`, `campaign`, `ring 2`, `client LAA` or `SQL on windows-2022`.
  package var scope: String
  package var latch: Latch
}

package struct RingView: Hashable, Sendable {
  package var ring: Ring
  package var name: String
  package var status: RingProgress.Status
  package var counts: Counts
  package var downNow: Int
  package var gate: RingProgress.Gate
  package var gateWaitsFor: String
  package var startedAt: Instant?
  package var completedAt: Instant?
  package var promoted: Bool
  package var paused: Bool

  /// COMPLETED ÷ (COMPLETED + FAILED + HELD); nil until one has ended.
  package var successRate: Double? { counts.successRate }
}

extension Counts {
  /// COMPLETED ÷ (COMPLETED + FAILED + HELD); nil until one has ended.
  package var successRate: Double? {
    attempted == 0 ? nil : Double(self[.completed]) / Double(attempted)
  }
}

package struct RunView: Hashable, Sendable {
  package var number: Int
  package var campaign: CampaignName
  package var server: ServerName
  package var client: ClientName
  package var site: SiteName
  package var ring: Ring
  package var order: Int
  package var run: Run
  /// Empty for a run that is not pending.
  package var waitsFor: String
  package var choices: [Decision]
  package var locked: Bool
  /// The rollback campaign that is to undo it, or has; nil when there is none.
  package var undoneBy: CampaignName?
  /// That has happened.
  package var isUndone: Bool
  /// The snapshot that it took and that is there still; nil when there is none.
  package var snapshot: SnapshotView? { SnapshotView(run) }

  /// The run's etag.
  package var etag: String { String(run.version) }
  /// What a held run asks of people; nil for one that is not held.
  package var holdClass: HoldClass? { run.holdClass }
  /// Who has claimed a held run; empty for nobody.
  package var owner: String { run.details.content.care?.owner ?? "" }
  /// When a held run should be over; nil when it has no deadline.
  package var holdDeadline: Instant? { run.details.content.care?.deadline }
  /// What `enter_maintenance` began and nothing has ended; nil when there is no such thing.
  package var maintenance: Maintenance? { run.details.content.maintenance }
  /// What it was expected to take when it took its slot, and whether history said so; nil for one
  /// that has not begun.
  package var expected: (time: Duration, isFromHistory: Bool)? {
    let clock = run.details.content.clock
    return clock.estimate > .zero ? (clock.estimate, clock.isFromHistory) : nil
  }
  /// It has taken longer than history lets expect.
  package var isLate: Bool { run.details.content.clock.isLate }
  /// Still held at its deadline.
  package var isHoldOverdue: Bool { run.details.content.care?.isOverdue ?? false }
}

extension SnapshotView {
  fileprivate init?(_ run: Run) {
    guard let snapshot = run.details.content.snapshot else { return nil }
    let kept = run.details.content.kept
    let isOver = run.state.kind.isTerminal
    self.init(
      id: snapshot.id, takenAt: snapshot.takenAt, keptUntil: kept?.until,
      failedRemovals: Int(kept?.tries ?? 0),
      remains: kept.map { $0.removal == .givenUp } ?? isOver)
  }
}

package struct ClientView: Hashable, Sendable {
  package var config: ClientConfig
  package var servers: Int
  package var slotsInUse: Int
  /// Slots that are taken by runs, guests of hosts in progress, and servers that are down or
  /// unexplained (S12); may be more than the client has.
  package var occupied: Int
  /// Down or unexplained, and not dismissed.
  package var unexplained: [ServerName]
  /// The newest declared outage, until it is over; it may still be to come.
  package var outage: Outage?
  package var agentsConnected: Int
  package var paused: Latch?
  package var stopped: Latch?
  package var postponed: Latch?
  /// Since when none of its servers has been in contact; nil when one is.
  package var darkSince: Instant?
  package var etag: String
}

package struct ServerView: Hashable, Sendable {
  package var config: ServerConfig
  package var retired: Bool
  package var locked: Latch?
  package var connected: Bool
  package var agentVersion: String
  package var campaign: CampaignName?
  package var runState: RunState.Kind?
  package var etag: String
  /// Why it counts as down or unexplained, in a sentence; empty when it does not.
  package var unexplained: String
  /// Who said that it need not be counted until its agent is back.
  package var dismissed: Latch?
  /// Servers that run on it.
  package var guests: [ServerName]
}

package struct StopView: Hashable, Sendable {
  /// Nil for the whole fleet.
  package var client: ClientName?
  package var stop: StopLatch
}

package struct StopsView: Hashable, Sendable {
  package var stops: [StopView]
  package var parked: Int
  package var inFlight: Int
  package var installedNotRebooted: Int
}

package struct MetricsView: Hashable, Sendable {
  /// Nil: all campaigns that are not finished.
  package var campaign: CampaignName?
  package var now: Instant
  package var demoFactor: Int
  package var counts: Counts
  package var downNow: Int
  package var activeClients: Int
  package var clients: Int
  package var elapsed: Duration
  package var estimatedTimeLeft: Duration?
  package var waitingForPeople: Int
  package var agentsConnected: Int
  package var stopped: Bool
  package var paused: Bool
  package var settled: Bool
  package var rings: [RingView]
  package var perClient: [ClientMetricsView]
}

package struct ClientMetricsView: Hashable, Sendable {
  package var client: ClientName
  package var ring: Ring
  package var counts: Counts
  package var downNow: Int
}

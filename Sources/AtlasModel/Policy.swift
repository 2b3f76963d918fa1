/// The settings of a campaign: how often to retry, how long to wait, when the next ring opens.
///
/// Every value has a default that a campaign may replace, and that the campaign may replace again
/// for one client. Keys and defaults are the ones the policy file uses, in snake case.
package struct Policy: Hashable, Sendable {
  // Attempts
  /// Retries the engine grants by itself, 0 to 10; a person may grant more.
  package var maxRetries = 2
  /// Wait before the first retry; doubles with each.
  package var retryBackoff = Duration.seconds(5 * 60)
  /// UPDATE and REBOOT rounds of one attempt, 1 to 20.
  package var maxPasses = 4
  package var autoRollback = true
  package var onFailure = OnFailure.continueIfHealthy

  // Contact
  /// How often an agent that polls asks for work.
  package var checkInterval = Duration.seconds(2 * 60)
  /// Silence after which a server in progress is LOST; at least twice the check interval.
  package var clientLockTimeout = Duration.seconds(5 * 60)
  /// How long a server may be offline at its turn before it is not attempted.
  package var offlineGrace = Duration.seconds(10 * 60)
  /// Servers with an older agent are not begun; nil for any. For a client that has its own policy
  /// the higher of the two counts.
  package var minAgentVersion: AgentVersion?

  /// Narrows every client's own windows, in the client's zone; nil leaves them as they are.
  package var windows: MaintenanceWindow?

  // Time limits, each also per role
  package var times = PhaseTimes()
  /// Time limits that replace ``times`` for servers with a role; the longest wins.
  package var roleTimes: [RoleTimes] = []
  /// Kept free at the end of a window, for a rollback.
  package var rollbackReserve = Duration.seconds(15 * 60)
  /// Watching a healthy server before it counts as done.
  package var serverSoak = Duration.zero
  /// Total of all deferrals of one run before it is not attempted.
  package var deferLimit = Duration.seconds(4 * 3600)
  /// How long a cancelled hook or download may take to end.
  package var cancelGrace = Duration.seconds(60)
  package var pendingReboot = PendingReboot.rebootFirst
  /// Servers with one of these roles, and all members of groups, start only while `peer_check`
  /// says that their peers are well. Sorted, unique.
  package var peerCheck: [Role] = [Role(trusted: "DC")]
  /// Whether updates are fetched before a server's turn.
  package var download = DownloadRule.off

  // Rollback
  /// What a failure is undone with, unless a role says otherwise.
  package var rollback = RollbackMeans.snapshot
  /// By role; a server's strictest rule wins (hold, then uninstall, then snapshot).
  package var roleRollback: [RoleRollback] = Policy.defaultRoleRollback
  /// How long the snapshot of a completed server is kept, so that a rollback campaign can undo it,
  /// 0 to 30 days. None: it is removed before the slot is returned.
  package var snapshotRetention = Duration.zero

  // Rings
  /// By ring number; a ring without an entry uses ``defaultGate(_:)``.
  package var gates: [RingGate] = []

  // Caps on the whole campaign; nil is no cap
  package var maxInProgress: Int?
  /// 1 is the old sequential way, one client after the other.
  package var maxActiveClients: Int?
  package var maxStartsPerMinute: Int?
  /// Tightens every client's own number of slots.
  package var maxParallelServers: Int?
  /// Of the servers of a client that share a role at least this share, in per cent, 0 to 100, is
  /// to be neither in progress nor held nor unexplained; one may always go when none is. Nil for
  /// none.
  package var minAvailable: Int?
  /// Tightens every client's own limit on the age of a backup.
  package var maxBackupAge: BackupAge?
  /// Demands a backup even of clients that do not.
  package var requireBackup = false
  /// Demands a snapshot even of clients that do not.
  package var createSnapshots = false
  /// A server that completes while this many HELD runs are down waits; nil is no limit.
  package var maxWaitingForPeople: Int?
  /// Servers in progress at one site of a client; nil is no cap.
  package var perSite: Int?
  /// What servers share, and how many may use it at once; sorted by name, each once.
  package var resources: [ResourceLimit] = []
  /// What stops by itself.
  package var breakers = Breakers()
  /// Open runs become POSTPONED instead of NOT_ATTEMPTED when the campaign ends.
  package var carryOver = false

  package init() {}

  /// Servers that a snapshot can hurt more than help, or that have none.
  package static let defaultRoleRollback: [RoleRollback] = [
    "DC", "SQL", "DB", "MX", "EXCH", "MAIL", "CLU", "HV",
  ].map { RoleRollback(role: Role(trusted: $0), means: .hold) }
}

/// What a failed server does to its lane once it is healthy again.
package enum OnFailure: String, Hashable, Sendable, CaseIterable {
  case continueIfHealthy = "continue_if_healthy"
  case hold
}

/// What to do with a reboot that was pending before Atlas came.
package enum PendingReboot: String, Hashable, Sendable, CaseIterable {
  case rebootFirst = "reboot_first"
  case refuse
}

/// When updates are fetched.
package enum DownloadRule: String, Hashable, Sendable, CaseIterable {
  /// By UPDATE itself, inside the window.
  case off
  /// Before a server's turn, at any hour, one server of a client at a time.
  case beforeWindow = "before_window"
}

/// How a changed server is brought back, from the freest to the strictest.
package enum RollbackMeans: String, Hashable, Sendable, CaseIterable, Comparable {
  case snapshot
  case uninstall
  /// Not by a machine: a person decides.
  case hold

  package var strictness: Int {
    switch self {
    case .snapshot: 0
    case .uninstall: 1
    case .hold: 2
    }
  }

  package static func < (left: RollbackMeans, right: RollbackMeans) -> Bool {
    left.strictness < right.strictness
  }
}

package struct RoleRollback: Hashable, Sendable {
  package var role: Role
  package var means: RollbackMeans

  package init(role: Role, means: RollbackMeans) {
    self.role = role
    self.means = means
  }
}

/// How long things are expected to take, and how long they may.
package struct PhaseTimes: Hashable, Sendable {
  /// Slot taken to slot returned, for fitting a run into a window before history knows better.
  package var estimate = Duration.seconds(45 * 60)
  package var download = Duration.seconds(4 * 3600)
  package var preCheck = Duration.seconds(15 * 60)
  package var snapshot = Duration.seconds(15 * 60)
  package var update = Duration.seconds(3600)
  package var reboot = Duration.seconds(30 * 60)
  package var postCheck = Duration.seconds(15 * 60)
  package var rollback = Duration.seconds(45 * 60)
  package var finalize = Duration.seconds(10 * 60)
  /// An installer that has reported nothing for this long is worth a look.
  package var noProgress = Duration.seconds(20 * 60)

  package init() {}

  /// The longest time `phase` may take; nil where the phase has a length instead of a limit.
  @inlinable
  package func limit(of phase: Phase) -> Duration? {
    switch phase {
    case .download: download
    case .preCheck: preCheck
    case .snapshot: snapshot
    case .update: update
    case .reboot: reboot
    case .postCheck, .verify: postCheck
    case .soak: nil
    case .finalize: finalize
    case .rollback: rollback
    }
  }
}

package struct RoleTimes: Hashable, Sendable {
  package var role: Role
  package var times: PhaseTimes

  package init(role: Role, times: PhaseTimes) {
    self.role = role
    self.times = times
  }
}

/// What opens the ring after `ring`.
package struct RingGate: Hashable, Sendable {
  package var ring: Ring
  package var openAfter: OpenAfter
  package var minCompleted: Int
  /// Least share of COMPLETED among COMPLETED, FAILED and HELD, in per cent, 0 to 100.
  package var successRate: Int
  /// Most FAILED and HELD while fewer than 20 were attempted, when a rate says little.
  package var maxFailed: Int
  /// How long the conditions must have held without a break.
  package var gateSoak: Duration
  package var approval: Approval
  /// No server with a role and a system starts in the next ring before one such has completed in a
  /// ring before it, or a person waives that.
  package var representative: Bool

  package init(
    ring: Ring, openAfter: OpenAfter = .sample, minCompleted: Int = 3, successRate: Int = 95,
    maxFailed: Int = 1, gateSoak: Duration = .seconds(30 * 60), approval: Approval = .auto,
    representative: Bool = true
  ) {
    self.ring = ring
    self.openAfter = openAfter
    self.minCompleted = minCompleted
    self.successRate = successRate
    self.maxFailed = maxFailed
    self.gateSoak = gateSoak
    self.approval = approval
    self.representative = representative
  }

  package enum OpenAfter: String, Hashable, Sendable, CaseIterable {
    /// Enough servers of the ring have completed.
    case sample
    /// Every run of the ring is terminal as well.
    case complete
  }

  package enum Approval: String, Hashable, Sendable, CaseIterable {
    case auto
    /// A person promotes the ring once the conditions hold.
    case manual
  }
}

extension Policy {
  /// The gate after `ring` when the policy says nothing: sample and automatic up to the standard
  /// ring, complete and by a person before the critical ones.
  package static func defaultGate(_ ring: Ring) -> RingGate {
    ring < .standard
      ? RingGate(ring: ring) : RingGate(ring: ring, openAfter: .complete, approval: .manual)
  }

  /// The gate after `ring`, from the policy or by default.
  package func gate(after ring: Ring) -> RingGate {
    gates.first { $0.ring == ring } ?? Self.defaultGate(ring)
  }

  /// The time limits for a server with `roles`: the longest that any of them asks for.
  package func times(for roles: [Role]) -> PhaseTimes {
    let asked = roleTimes.filter { roles.contains($0.role) }.map(\.times)
    guard let first = asked.first else { return times }
    return asked.dropFirst().reduce(first) { $0.longest($1) }
  }

  /// The strictest means of rollback that `roles` or bare metal ask for.
  package func rollbackMeans(for roles: [Role], physical: Bool) -> RollbackMeans {
    let asked = roleRollback.filter { roles.contains($0.role) }.map(\.means)
    return (asked + [physical ? .hold : rollback]).max() ?? rollback
  }
}

extension PhaseTimes {
  fileprivate func longest(_ other: PhaseTimes) -> PhaseTimes {
    var longest = self
    let keys: [WritableKeyPath<PhaseTimes, Duration>] = [
      \.estimate, \.download, \.preCheck, \.snapshot, \.update, \.reboot, \.postCheck, \.rollback,
      \.finalize, \.noProgress,
    ]
    for key in keys { longest[keyPath: key] = max(self[keyPath: key], other[keyPath: key]) }
    return longest
  }
}

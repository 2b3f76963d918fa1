/// What a simulation tells the checker, in plain values: the checker imports nothing of Atlas, so
/// that no mistake of Atlas can hide itself.
///
/// All instants and lengths are milliseconds of virtual time; names are texts.

/// A record of the log, as it was committed.
package struct RecordFact: Hashable, Sendable {
  package var seq: UInt64
  package var at: Int64
  package var kind: String
  package var campaign: String
  package var client: String
  package var server: String
  package var ring: Int?
  package var run: Int?
  package var from: String
  package var to: String
  package var phase: String
  package var attempt: Int?
  package var pass: Int?
  package var fence: UInt64?
  package var detail: String
  package var reason: String
  package var principal: String
  package var previousHash: [UInt8]
  package var hash: [UInt8]
  /// By a clock that no demonstration makes faster; nil when nobody says it.
  package var realTime: Int64?

  package init(
    seq: UInt64, at: Int64, kind: String, campaign: String, client: String, server: String,
    ring: Int?, run: Int?, from: String, to: String, phase: String, attempt: Int?, pass: Int?,
    fence: UInt64?, detail: String, reason: String, principal: String, previousHash: [UInt8],
    hash: [UInt8]
  ) {
    self.seq = seq
    self.at = at
    self.kind = kind
    self.campaign = campaign
    self.client = client
    self.server = server
    self.ring = ring
    self.run = run
    self.from = from
    self.to = to
    self.phase = phase
    self.attempt = attempt
    self.pass = pass
    self.fence = fence
    self.detail = detail
    self.reason = reason
    self.principal = principal
    self.previousHash = previousHash
    self.hash = hash
  }
}

/// The row of a run, as it was committed.
package struct RunRowFact: Hashable, Sendable {
  /// Number of the campaign in the order of their creation, from 0.
  package var campaign: Int
  /// Number of the run, from 1.
  package var run: Int
  /// The word of its state.
  package var state: String

  package init(campaign: Int, run: Int, state: String) {
    self.campaign = campaign
    self.run = run
    self.state = state
  }
}

/// A client, as a person has configured it.
package struct ClientFact: Hashable, Sendable {
  package var name: String
  package var slots: Int
  package var zone: ZoneFact
  package var windows: [WeeklyWindow]
  /// From and until, in milliseconds since the Unix epoch.
  package var freezes: [Range<Int64>]
  package var requiresBackup: Bool
  package var requiresSnapshot: Bool
  /// Nil when only the last job counts.
  package var maxBackupAge: Int64?
  /// Its ring: campaigns keep that of the moment in which they are made.
  package var ring = 2
  /// Nothing starts without a change reference of the campaign.
  package var requiresChangeReference = false

  package init(
    name: String, slots: Int, zone: ZoneFact, windows: [WeeklyWindow], freezes: [Range<Int64>],
    requiresBackup: Bool, requiresSnapshot: Bool, maxBackupAge: Int64?
  ) {
    self.name = name
    self.slots = slots
    self.zone = zone
    self.windows = windows
    self.freezes = freezes
    self.requiresBackup = requiresBackup
    self.requiresSnapshot = requiresSnapshot
    self.maxBackupAge = maxBackupAge
  }
}

/// A server, as a person has configured it.
package struct ServerFact: Hashable, Sendable {
  package var name: String
  package var client: String
  package var roles: [String]
  package var system: String
  /// Servers of the same client that go before it in a campaign.
  package var after: [String]
  /// Two servers of one group are never worked on together; empty for none.
  package var group: String
  /// The server that it runs on; empty for none.
  package var host: String
  /// Its guests are moved away before it boots.
  package var migratesGuests: Bool
  package var carriesAtlas: Bool
  package var site = ""
  /// What it shares with other servers.
  package var resources: [String] = []

  package init(
    name: String, client: String, roles: [String] = [], system: String = "",
    after: [String] = [], group: String = "",
    host: String = "", migratesGuests: Bool = false, carriesAtlas: Bool = false
  ) {
    self.name = name
    self.client = client
    self.roles = roles
    self.system = system
    self.after = after
    self.group = group
    self.host = host
    self.migratesGuests = migratesGuests
    self.carriesAtlas = carriesAtlas
  }

  /// Its kinds, as the log names them: a role and a system each.
  var kinds: [String] {
    let system = system.isEmpty ? "an unknown system" : system
    return (roles.isEmpty ? ["no role"] : roles).map { "\($0) on \(system)" }
  }
}

/// What opens the ring after another.
package struct GateFact: Hashable, Sendable {
  /// Every run of the ring must have ended.
  package var isComplete: Bool
  package var minCompleted: Int
  /// In per cent.
  package var successRate: Int
  package var maxFailed: Int
  /// In milliseconds.
  package var soak: Int64
  package var needsApproval: Bool
  /// A role and system must have completed in an earlier ring before it starts in the next.
  package var isRepresentative: Bool

  package init(
    isComplete: Bool, minCompleted: Int, successRate: Int, maxFailed: Int, soak: Int64,
    needsApproval: Bool, isRepresentative: Bool
  ) {
    self.isComplete = isComplete
    self.minCompleted = minCompleted
    self.successRate = successRate
    self.maxFailed = maxFailed
    self.soak = soak
    self.needsApproval = needsApproval
    self.isRepresentative = isRepresentative
  }
}

/// What stops a campaign, or one of its lanes, by itself.
package struct BreakerFact: Hashable, Sendable {
  /// So many failed or held servers of a client hold its lane; nil for never.
  package var maxFailedPerClient: Int?
  /// In per cent, of the last ``sample`` servers; nil for never.
  package var successRate: Int?
  package var sample: Int

  package init(maxFailedPerClient: Int? = nil, successRate: Int? = nil, sample: Int = 0) {
    self.maxFailedPerClient = maxFailedPerClient
    self.successRate = successRate
    self.sample = sample
  }
}

/// What a campaign's policy says, as far as the checker looks at it.
package struct CampaignFact: Hashable, Sendable {
  package var name: String
  package var maxRetries: Int
  package var maxParallel: Int?
  /// What a server is expected to take as long as its kinds were not seen often enough.
  package var estimate: Int64
  /// Watching a healthy server, on top of what its kinds took otherwise.
  package var soak: Int64
  package var reserve: Int64
  package var checkInterval: Int64
  package var requiresBackup: Bool
  package var requiresSnapshot: Bool
  package var maxBackupAge: Int64?
  /// Caps on what runs at once in the campaign; nil for none.
  package var maxInProgress: Int?
  package var maxActiveClients: Int?
  package var maxWaitingForPeople: Int?
  package var perSite: Int?
  package var maxStartsPerMinute: Int?
  /// Narrows the windows of every client, in its zone; nil for not at all.
  package var window: WeeklyWindow?
  /// What servers with a role are expected to take, in place of ``estimate``; the longest wins.
  package var roleEstimates: [String: Int64] = [:]
  /// In per cent, of the servers of a client that share a role.
  package var minAvailable: Int?
  /// How many servers may use what they share.
  package var resources: [String: Int] = [:]
  /// By ring, from 0; a ring beyond the last has none.
  package var gates: [GateFact] = []
  package var breakers = BreakerFact()
  /// What counts instead for servers of single clients, where a client may have its own.
  package var overrides: [String: CampaignFact] = [:]
  /// Servers of the campaign: each has a run in it from the beginning.
  package var servers: Set<String>
  /// Roles that start only while a hook says that their peers are well.
  package var peerCheck: [String]
  /// How long snapshots of completed servers are kept, in milliseconds; 0 for not at all.
  package var retention: Int64 = 0
  /// The campaign whose completed servers it undoes; empty for one that installs.
  package var rollbackOf = ""
  /// It goes back to snapshots, where it does not uninstall.
  package var needsSnapshots = false
  package var hasChangeReference = false
  /// The oldest agent that it works with, such as `1.4`; empty for any.
  package var leastAgent = ""

  package init(
    name: String, maxRetries: Int, maxParallel: Int?, estimate: Int64, soak: Int64 = 0,
    reserve: Int64, checkInterval: Int64, requiresBackup: Bool, requiresSnapshot: Bool,
    maxBackupAge: Int64?,
    maxInProgress: Int?, maxActiveClients: Int?, maxWaitingForPeople: Int?, perSite: Int? = nil,
    servers: Set<String> = [], peerCheck: [String] = []
  ) {
    self.servers = servers
    self.peerCheck = peerCheck
    self.perSite = perSite
    self.maxInProgress = maxInProgress
    self.maxActiveClients = maxActiveClients
    self.maxWaitingForPeople = maxWaitingForPeople
    self.name = name
    self.maxRetries = maxRetries
    self.maxParallel = maxParallel
    self.estimate = estimate
    self.soak = soak
    self.reserve = reserve
    self.checkInterval = checkInterval
    self.requiresBackup = requiresBackup
    self.requiresSnapshot = requiresSnapshot
    self.maxBackupAge = maxBackupAge
  }
}

/// An order to an agent, as it travels.
package struct CommandFact: Hashable, Sendable {
  package var fence: UInt64
  /// `DOWNLOAD`, `SNAPSHOT`, `UPDATE`, `REBOOT`, `HEALTH`, `ROLLBACK` or `REMOVE_SNAPSHOT`.
  package var kind: String
  package var server: String
  package var campaign: String
  package var runKey: String
  package var attempt: Int
  package var pass: Int
  package var notAfter: Int64?
  /// Texts that it carries: updates, snapshot and the like.
  package var texts: [String]
  /// Updates that are not to be installed.
  package var excluded: [String] = []

  package init(
    fence: UInt64, kind: String, server: String, campaign: String, runKey: String, attempt: Int,
    pass: Int, notAfter: Int64?, texts: [String]
  ) {
    self.fence = fence
    self.kind = kind
    self.server = server
    self.campaign = campaign
    self.runKey = runKey
    self.attempt = attempt
    self.pass = pass
    self.notAfter = notAfter
    self.texts = texts
  }

  /// Something that was not going on begins with it.
  var isStart: Bool { ["DOWNLOAD", "SNAPSHOT", "UPDATE", "REBOOT"].contains(kind) }
}

/// A backup that a hook has shown.
package struct BackupEvidence: Hashable, Sendable {
  package var takenAt: Int64
  package var verifiedAt: Int64?
  package var lastJobAt: Int64?

  package init(takenAt: Int64, verifiedAt: Int64?, lastJobAt: Int64?) {
    self.takenAt = takenAt
    self.verifiedAt = verifiedAt
    self.lastJobAt = lastJobAt
  }
}

/// An invariant that does not hold.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
  /// `S1` to `S12`, `L1`, or `defect` for a program that stopped itself.
  package var invariant: String
  package var at: Int64
  package var text: String

  package init(_ invariant: String, at: Int64, _ text: String) {
    self.invariant = invariant
    self.at = at
    self.text = text
  }

  package var description: String { "\(invariant): \(text)" }
}

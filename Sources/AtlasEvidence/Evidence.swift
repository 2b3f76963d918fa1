import AtlasModel
import AtlasStore

/// What a campaign did to every client's servers, from its start to ``until``.
package struct Evidence: Hashable, Sendable {
  package var campaign: String
  package var author: String
  package var changeReference: String
  /// In the words of the log, such as `COMPLETED`.
  package var state: String
  package var startedAt: Instant
  /// The campaign's end, or the moment of which it tells.
  package var until: Instant
  package var endedAt: Instant?
  /// By name.
  package var clients: [ClientEvidence]
  /// Records of what people decided, in order.
  package var decisions: [LogRecord]
  /// Records that it is about, and the last of them.
  package var records: UInt64
  package var lastSeq: UInt64
  package var lastHash: [UInt8]
  /// Empty for a campaign without hooks.
  package var hookRevision: String
  /// 1 outside rehearsals.
  package var demoFactor: Int

  package init(
    campaign: String, author: String, changeReference: String, state: String, startedAt: Instant,
    until: Instant, endedAt: Instant?, clients: [ClientEvidence], decisions: [LogRecord],
    records: UInt64, lastSeq: UInt64, lastHash: [UInt8], hookRevision: String, demoFactor: Int
  ) {
    self.campaign = campaign
    self.author = author
    self.changeReference = changeReference
    self.state = state
    self.startedAt = startedAt
    self.until = until
    self.endedAt = endedAt
    self.clients = clients
    self.decisions = decisions
    self.records = records
    self.lastSeq = lastSeq
    self.lastHash = lastHash
    self.hookRevision = hookRevision
    self.demoFactor = demoFactor
  }

  /// The client with the most servers down at once, the first by name of several; nil when no server
  /// of any was down.
  package var worst: ClientEvidence? {
    clients.reduce(nil) { worst, client in
      client.all.count > worst?.all.count ?? 0 ? client : worst
    }
  }

  /// The largest number of servers of any client that were down at once.
  package var mostDown: Int { worst?.all.count ?? 0 }

  /// The same of what Atlas did.
  package var mostDownByAtlas: Int { clients.lazy.map(\.byAtlas.count).max() ?? 0 }
}

/// A client in evidence.
package struct ClientEvidence: Hashable, Sendable {
  package var name: String
  /// The most that an UPDATE of it in the campaign began under; 0 when none did, or nobody knows.
  package var slots: Int
  /// In the order in which they were declared.
  package var outages: [OutageEvidence]
  /// By name: those in the campaign, and others that were down meanwhile.
  package var servers: [ServerEvidence]
  /// Most servers down at once, and most of those that Atlas is to blame for.
  package var all: Overlap
  package var byAtlas: Overlap

  package init(
    name: String, outages: [OutageEvidence], servers: [ServerEvidence], until: Instant
  ) {
    self.name = name
    slots = servers.flatMap(\.updates).compactMap(\.basis?.slots).max() ?? 0
    self.outages = outages
    self.servers = servers
    all = Overlap(of: servers.map { ($0.name, $0.intervals) }, until: until)
    byAtlas = Overlap(
      of: servers.map { ($0.name, $0.intervals.filter(\.cause.isOwn)) }, until: until)
  }
}

/// An outage that somebody declared for a client.
package struct OutageEvidence: Hashable, Sendable {
  package var from: Instant
  package var until: Instant
  /// Nil when the client's own number of slots held.
  package var parallel: Int?
  package var reason: String
  package var principal: String
  package var declaredAt: Instant
  /// Position of its record.
  package var seq: UInt64

  /// Reads the record of a declared outage; nil for another.
  package init?(_ record: LogRecord) {
    let numbers = record.detail.split(separator: "/").compactMap { Int64($0) }
    guard record.kind == "client.outage_declared", numbers.count == 3 else { return nil }
    from = Instant(milliseconds: numbers[0])
    until = Instant(milliseconds: numbers[1])
    parallel = numbers[2] == 0 ? nil : Int(numbers[2])
    reason = record.reason
    principal = record.principal
    declaredAt = record.campaignTime
    seq = record.seq
  }
}

/// A server in evidence.
package struct ServerEvidence: Hashable, Sendable {
  package var name: String
  package var client: String
  /// The host that it goes down with; nil when there is none.
  package var host: String?
  /// Nil for a server that is not in the campaign, or whose run has not moved.
  package var outcome: EvidenceTrail.Outcome?
  package var intervals: [DownInterval]
  /// Where the campaign began to change it, in order.
  package var updates: [UpdateEvidence]
  /// Nil for a server that is not in the campaign.
  package var snapshot: SnapshotEvidence?

  package init(
    name: String, client: String, host: String?, outcome: EvidenceTrail.Outcome?,
    intervals: [DownInterval], updates: [UpdateEvidence], snapshot: SnapshotEvidence?
  ) {
    self.name = name
    self.client = client
    self.host = host
    self.outcome = outcome
    self.intervals = intervals
    self.updates = updates
    self.snapshot = snapshot
  }
}

/// The begin of a change, and what it relied on.
package struct UpdateEvidence: Hashable, Sendable {
  package var change: EvidenceTrail.Change
  /// Nil when that is not known: it began before Atlas kept it, or ended before it was looked at.
  package var basis: UpdateBasis?

  package init(change: EvidenceTrail.Change, basis: UpdateBasis?) {
    self.change = change
    self.basis = basis
  }

  /// How old the backup was when the change began; nil when none was shown.
  package var backupAge: Duration? { basis?.backup.map { change.beganAt - $0.takenAt } }

  /// Puts changes and what their runs kept together: each relies on what was looked at last before
  /// the next one of its run began. What an agent was ordered once more was looked at once more.
  /// - Parameters:
  ///   - changes: In order.
  ///   - bases: What a run kept, in order.
  package static func all(
    _ changes: [EvidenceTrail.Change], bases: (_ run: Int) -> [UpdateBasis]
  ) -> [UpdateEvidence] {
    changes.enumerated().map { index, change in
      let next = changes[(index + 1)...].first { $0.run == change.run }?.beganAt
      let basis = bases(change.run).last { $0.checkedAt < next ?? .distantFuture }
      return UpdateEvidence(change: change, basis: basis)
    }
  }
}

/// What became of a server's snapshot.
package struct SnapshotEvidence: Hashable, Sendable {
  /// The newest that was taken; nil for none.
  package var taken: SnapshotFact?
  package var isRemoved: Bool
  /// Nil when it is not kept.
  package var keptUntil: Instant?

  package init(taken: SnapshotFact?, isRemoved: Bool, keptUntil: Instant?) {
    self.taken = taken
    self.isRemoved = isRemoved
    self.keptUntil = keptUntil
  }
}

extension LogRecord {
  /// Whether a person decided it, and not only something that follows from what one decided: every
  /// server of a cancelled campaign, or the pause that a released stop leaves. The import of a fleet
  /// is no decision about a campaign.
  package var isDecision: Bool {
    guard !principal.isEmpty, principal != Self.engine else { return false }
    switch kind {
    case "client.imported", "server.imported": return false
    case "run.skipped": return detail == "by a person"
    case "campaign.paused": return !reason.hasPrefix("stop released: ")
    case _: return true
    }
  }

  /// Who decided what nobody asked for.
  package static let engine = "engine"
}

import AtlasEvidence
import AtlasModel
import AtlasStore
import AtlasWire

extension AtlasV1.EvidenceHeader {
  /// Without what the daemon knows of itself.
  init(_ evidence: Evidence) {
    self.init(
      mostDown: Int32(evidence.mostDown), mostDownByAtlas: Int32(evidence.mostDownByAtlas),
      mostDownClient: evidence.worst?.name ?? "",
      mostDownAt: evidence.worst?.all.at.map { .init($0) }, format: EvidenceFormat.name,
      campaign: evidence.campaign, author: evidence.author,
      changeReference: evidence.changeReference,
      state: .init(wireName: "CAMPAIGN_STATE_\(evidence.state)") ?? .unspecified,
      startedAt: .init(evidence.startedAt), until: .init(evidence.until),
      endedAt: evidence.endedAt.map { .init($0) }, clients: Int32(evidence.clients.count),
      servers: Int32(evidence.clients.reduce(0) { $0 + $1.servers.count }),
      records: evidence.records, lastSeq: evidence.lastSeq, lastHash: evidence.lastHash,
      hookRevision: evidence.hookRevision, clockFactor: Int32(evidence.demoFactor))
  }
}

extension AtlasV1.EvidenceClient {
  init(_ client: ClientEvidence) {
    self.init(
      client: client.name, all: .init(client.all), byAtlas: .init(client.byAtlas),
      slots: Int32(client.slots), outages: client.outages.map { .init($0) },
      servers: Int32(client.servers.count))
  }
}

extension AtlasV1.EvidenceOverlap {
  init(_ overlap: Overlap) {
    self.init(
      count: Int32(overlap.count), at: overlap.at.map { .init($0) }, servers: overlap.servers)
  }
}

extension AtlasV1.EvidenceOutage {
  init(_ outage: OutageEvidence) {
    self.init(
      from: .init(outage.from), until: .init(outage.until),
      parallel: Int32(outage.parallel ?? 0), reason: outage.reason,
      declaredBy: outage.principal, declaredAt: .init(outage.declaredAt), seq: outage.seq)
  }
}

extension AtlasV1.EvidenceServer {
  init(_ server: ServerEvidence, until: Instant) {
    self.init(
      server: server.name, client: server.client, state: .init(word: server.outcome?.state),
      detail: server.outcome?.detail ?? "", attempts: Int32(server.outcome?.attempt ?? 0),
      downtime: .init(server.intervals.downtime(until: until)),
      intervals: server.intervals.map { .init($0) },
      snapshot: server.snapshot.map { .init($0) }, host: server.host ?? "",
      updates: server.updates.map { .init($0) })
  }
}

extension AtlasV1.EvidenceInterval {
  init(_ interval: DownInterval) {
    self.init(start: .init(interval.start), end: interval.end.map { .init($0) })
    switch interval.cause {
    case .workedOn(let run):
      kind = .workedOn
      (campaign, self.run) = (run.campaign, Int32(run.number))
    case .guest(let host, let run):
      kind = .guest
      self.host = host
      (campaign, self.run) = (run.campaign, Int32(run.number))
    case .away: kind = .away
    }
    phases = interval.steps.map { .init($0) }
  }
}

extension AtlasV1.EvidencePhase {
  init(_ step: DownInterval.Step) {
    self.init(
      state: .init(word: step.state),
      phase: .init(wireName: "PHASE_\(step.phase)") ?? .unspecified,
      attempt: Int32(step.attempt), pass: Int32(step.pass), start: .init(step.start),
      end: step.end.map { .init($0) })
  }
}

extension AtlasV1.EvidenceUpdate {
  init(_ update: UpdateEvidence) {
    self.init(update.change)
    guard let basis = update.basis else { return }
    self.basis = .init(
      checkedAt: .init(basis.checkedAt), backup: .init(basis, age: update.backupAge),
      snapshotRequired: basis.snapshotRequired, snapshot: basis.snapshot?.id ?? "",
      snapshotTakenAt: basis.snapshot.map { .init($0.takenAt) }, slots: Int32(basis.slots))
  }

  /// Without what no record tells.
  init(_ change: EvidenceTrail.Change) {
    self.init(
      run: Int32(change.run), phase: .init(wireName: "PHASE_\(change.phase)") ?? .unspecified,
      attempt: Int32(change.attempt), pass: Int32(change.pass), beganAt: .init(change.beganAt))
  }
}

extension AtlasV1.EvidenceBackup {
  fileprivate init(_ basis: UpdateBasis, age: Duration?) {
    self.init(
      required: basis.maxBackupAge != nil, maxAge: basis.maxBackupAge?.text ?? "",
      source: basis.backup?.source ?? "", takenAt: basis.backup.map { .init($0.takenAt) },
      verifiedAt: basis.backup?.verifiedAt.map { .init($0) }, age: age.map { .init($0) })
  }
}

extension AtlasV1.EvidenceSnapshot {
  init(_ snapshot: SnapshotEvidence) {
    self.init(
      id: snapshot.taken?.id ?? "",
      takenAt: snapshot.taken.map { .init($0.takenAt) }, removed: snapshot.isRemoved,
      keptUntil: snapshot.keptUntil.map { .init($0) })
  }
}

extension AtlasV1.EvidenceDecision {
  package init(_ record: LogRecord) {
    self.init(
      seq: record.seq, at: .init(record.campaignTime), who: record.principal, kind: record.kind,
      why: record.reason, campaign: record.campaign, client: record.client,
      server: record.server, detail: record.detail)
  }
}

extension AtlasV1.EvidenceRecord {
  package init(_ record: LogRecord) {
    self.init(
      seq: record.seq, campaignTime: .init(record.campaignTime),
      realTime: .init(millisecondsSinceEpoch: record.realTimeMilliseconds), kind: record.kind,
      campaign: record.campaign, client: record.client, server: record.server,
      ring: record.ring.map { Int32(clamping: $0) }, run: record.run.map { Int32(clamping: $0) },
      fromState: record.fromState, toState: record.toState, phase: record.phase,
      attempt: record.attempt.map { Int32(clamping: $0) },
      pass: record.pass.map { Int32(clamping: $0) }, fence: record.fence, detail: record.detail,
      reason: record.reason, principal: record.principal, previousHash: record.previousHash,
      hash: record.hash)
  }
}

extension LogRecord {
  /// The record as its hash was taken over it.
  init(_ wire: AtlasV1.EvidenceRecord) {
    self.init(
      seq: wire.seq,
      campaignTime: Instant(milliseconds: wire.campaignTime?.millisecondsSinceEpoch ?? 0),
      realTimeMilliseconds: wire.realTime?.millisecondsSinceEpoch ?? 0, kind: wire.kind,
      campaign: wire.campaign, client: wire.client, server: wire.server,
      ring: wire.ring.map(Int.init), run: wire.run.map(Int.init), fromState: wire.fromState,
      toState: wire.toState, phase: wire.phase, attempt: wire.attempt.map(Int.init),
      pass: wire.pass.map(Int.init), fence: wire.fence, detail: wire.detail, reason: wire.reason,
      principal: wire.principal, previousHash: wire.previousHash, hash: wire.hash)
  }
}

extension AtlasV1.RunState {
  fileprivate init(word: String?) {
    self = word.flatMap { Self(wireName: "RUN_STATE_\($0)") } ?? .unspecified
  }
}

import AtlasEvidence
import AtlasModel
import AtlasStore
import AtlasWire
import Crypto

/// What a file says, and what its records say: the two are compared.
struct EvidenceClaims: Sendable {
  private(set) var header: AtlasV1.EvidenceHeader?
  private(set) var decisions: [(line: Int, wire: AtlasV1.EvidenceDecision)] = []
  private(set) var hookRuns = 0
  private var hooks = PinnedHooks(revision: "")
  /// Clients that have a line.
  private var named: Set<String> = []
  /// Servers that have a line; all of them come before the runs of hooks.
  private var placed: Set<EvidenceTrail.Place> = []
  private var clients: [(line: Int, wire: AtlasV1.EvidenceClient)] = []
  private var servers: [(line: Int, wire: AtlasV1.EvidenceServer)] = []

  private var trail = EvidenceTrail(campaign: "", since: Instant(milliseconds: 0))
  private var records: UInt64 = 0
  private var last: (seq: UInt64, hash: [UInt8])?
  private var decided: [AtlasV1.EvidenceDecision] = []
  private var declared: [String: [AtlasV1.EvidenceOutage]] = [:]

  /// - Returns: What is wrong with the line by itself.
  mutating func take(_ line: AtlasV1.EvidenceLine.Line, at number: Int) -> [String] {
    switch line {
    case .header(let wire):
      guard header == nil else { return [] }
      header = wire
      trail = EvidenceTrail(
        campaign: wire.campaign, since: Instant(wire.startedAt), until: Instant(wire.until))
      hooks = PinnedHooks(revision: wire.hookRevision)
    case .hookFile(let wire):
      return [hooks.add(wire.path, sha256: wire.sha256)].compactMap { $0 }
    case .client(let wire):
      clients.append((number, wire))
      if !named.insert(wire.client).inserted { return ["\(wire.client) comes twice"] }
    case .server(let wire): return take(wire, at: number)
    case .hookRun(let wire): return take(wire, at: number)
    case .decision(let wire): decisions.append((number, wire))
    case .record(let wire): return take(wire)
    case .signature: break
    }
    return []
  }

  private mutating func take(_ wire: AtlasV1.EvidenceServer, at number: Int) -> [String] {
    servers.append((number, wire))
    if clients.last?.wire.client != wire.client {
      return ["\(wire.server) does not follow its client \(wire.client)"]
    }
    return placed.insert(wire.place).inserted ? [] : ["\(wire.server) comes twice"]
  }

  private mutating func take(_ wire: AtlasV1.EvidenceHookRun, at number: Int) -> [String] {
    hookRuns += 1
    let place = EvidenceTrail.Place(client: wire.client, server: wire.server)
    var wrong: [String] = []
    if !placed.contains(place) {
      wrong.append("\(wire.server) of \(wire.client), which a hook ran for, is not in the file")
    }
    if let objection = hooks.objection(
      toRunOf: wire.file, sha256: wire.sha256, revision: wire.revision)
    {
      wrong.append("the run of \(wire.point) for \(wire.server): \(objection)")
    }
    return wrong
  }

  private mutating func take(_ wire: AtlasV1.EvidenceRecord) -> [String] {
    let record = LogRecord(wire)
    var wrong: [String] = []
    if [UInt8](SHA256.hash(data: record.canonicalBytes)) != record.hash {
      wrong.append("record \(record.seq) was changed: its content does not fit its hash")
    }
    if let last, record.seq <= last.seq {
      wrong.append("record \(record.seq) is out of order: it follows record \(last.seq)")
    } else if let last, record.seq == last.seq + 1, record.previousHash != last.hash {
      wrong.append("record \(record.seq) does not follow record \(last.seq) as it is here")
    }
    last = (record.seq, record.hash)
    records += 1
    if let fault = trail.take(record) { wrong.append("record \(fault.seq): \(fault.problem)") }
    if record.isDecision { decided.append(AtlasV1.EvidenceDecision(record)) }
    if let outage = OutageEvidence(record) {
      declared[record.client, default: []].append(.init(outage))
    }
    return wrong
  }
}

extension EvidenceClaims {
  /// A server as the file has it, and when it was down after all.
  private struct Told {
    var line: Int
    var wire: AtlasV1.EvidenceServer
    var intervals: [DownInterval]
    /// What speaks against intervals of the file.
    var objections: [String] = []
  }

  /// Everything that is said otherwise than the records have it.
  func problems() -> [EvidenceProblem] {
    guard let header else { return [] }
    var told: [String: [Told]] = [:]
    for (line, wire) in servers {
      told[wire.client, default: []].append(self.told(wire, at: line))
    }
    let until = Instant(header.until)
    var (wrong, most, byAtlas): ([EvidenceProblem], (String, Overlap), Int) = (
      [], ("", Overlap()), 0
    )
    for (line, wire) in clients {
      let right = right(wire, told[wire.client] ?? [], until: until)
      if right.overlap.count > most.1.count { most = (wire.client, right.overlap) }
      byAtlas = max(byAtlas, Int(right.wire.byAtlas?.count ?? 0))
      wrong += compare(.client(wire), .client(right.wire), wire.client, at: line)
      for server in told[wire.client] ?? [] { wrong += problems(of: server, until: until) }
    }
    return head(header, most, byAtlas) + wrong + leftOut() + wrongDecisions()
  }

  private func head(
    _ header: AtlasV1.EvidenceHeader, _ most: (client: String, overlap: Overlap), _ byAtlas: Int
  ) -> [EvidenceProblem] {
    var right = header
    right.mostDown = Int32(most.overlap.count)
    right.mostDownByAtlas = Int32(byAtlas)
    right.mostDownClient = most.client
    right.mostDownAt = most.overlap.at.map { .init($0) }
    right.clients = Int32(clients.count)
    right.servers = Int32(servers.count)
    right.records = records
    right.lastSeq = last?.seq ?? 0
    right.lastHash = last?.hash ?? LogRecord.genesisHash
    // What the records say of the campaign itself; what they do not say is not to be believed.
    let course = trail.course
    right.author = course.author ?? ""
    right.state =
      course.state.flatMap { AtlasV1.CampaignState(wireName: "CAMPAIGN_STATE_\($0)") }
      ?? .unspecified
    right.startedAt = course.startedAt.map { .init($0) }
    right.endedAt = course.endedAt.map { .init($0) }
    let objection = course.objection(toUntil: Instant(header.until)).map {
      EvidenceProblem(1, "the header: until \($0)")
    }
    return compare(.header(header), .header(right), "the header", at: 1, most: 5)
      + [objection].compactMap { $0 }
  }

  private func right(
    _ wire: AtlasV1.EvidenceClient, _ told: [Told], until: Instant
  ) -> (wire: AtlasV1.EvidenceClient, overlap: Overlap) {
    let overlap = Overlap(of: told.map { ($0.wire.server, $0.intervals) }, until: until)
    let own = told.map { ($0.wire.server, $0.intervals.filter(\.cause.isOwn)) }
    var right = wire
    right.all = .init(overlap)
    right.byAtlas = .init(Overlap(of: own, until: until))
    right.outages = declared[wire.client] ?? []
    right.servers = Int32(told.count)
    right.slots = told.flatMap(\.wire.updates).compactMap { $0.basis?.slots }.max() ?? 0
    return (right, overlap)
  }

  private func problems(of told: Told, until: Instant) -> [EvidenceProblem] {
    let wire = told.wire
    let outcome = trail.outcome(of: wire.place)
    let server = ServerEvidence(
      name: wire.server, client: wire.client, host: wire.host.isEmpty ? nil : wire.host,
      outcome: outcome, intervals: told.intervals, updates: [], snapshot: nil)
    var right = AtlasV1.EvidenceServer(server, until: until)
    right.updates = updates(of: wire)
    right.snapshot = wire.snapshot
    let objections = told.objections + UpdateEvidence.objections(to: wire.known)
    return compare(.server(wire), .server(right), wire.server, at: told.line)
      + objections.map { EvidenceProblem(told.line, "\(wire.server): \($0)") }
  }

  /// Where it began to be changed, by the records, with what the file says each relied on: no
  /// record tells that, and only its age follows.
  private func updates(of wire: AtlasV1.EvidenceServer) -> [AtlasV1.EvidenceUpdate] {
    trail.changes(of: wire.place).enumerated().map { index, change in
      var right = AtlasV1.EvidenceUpdate(change)
      guard index < wire.updates.count else { return right }
      right.basis = wire.updates[index].basis
      let taken = right.basis?.backup?.takenAt
      right.basis?.backup?.age = taken.map { .init(change.beganAt - Instant($0)) }
      return right
    }
  }

  private func compare(
    _ stated: AtlasV1.EvidenceLine.Line, _ right: AtlasV1.EvidenceLine.Line, _ name: String,
    at line: Int, most: Int = 3
  ) -> [EvidenceProblem] {
    EvidenceDifference.all(stated, right).prefix(most).map {
      EvidenceProblem(line, "\(name): \($0)")
    }
  }

  /// When a server was down: by the records, and what of the file no record can tell and none
  /// speaks against.
  private func told(_ wire: AtlasV1.EvidenceServer, at line: Int) -> Told {
    var told = Told(line: line, wire: wire, intervals: [])
    told.intervals = trail.intervals(of: wire.place, host: wire.host.isEmpty ? nil : wire.host)
    let recorded = Set(told.intervals.map { AtlasV1.EvidenceInterval($0) })
    var causes: Set<DownInterval.Cause> = []
    for interval in wire.intervals where interval.end == nil && !recorded.contains(interval) {
      guard let claim = DownInterval(unrecorded: interval) else { continue }
      if let objection = trail.objection(to: claim, of: wire.place) ?? disagreement(claim, wire) {
        told.objections.append("its interval of \(claim.start.words) \(objection)")
      } else if causes.insert(claim.cause).inserted {
        told.intervals.append(claim)
      }
    }
    told.intervals = told.intervals.inOrder
    return told
  }

  /// A guest and its host, when both are in the file, tell the same of the host's slot.
  private func disagreement(_ claim: DownInterval, _ wire: AtlasV1.EvidenceServer) -> String? {
    guard case .guest(let host, let run) = claim.cause else { return nil }
    guard host == wire.host else { return "is of \(host), which is not its host" }
    let hosts = servers.filter { $0.wire.server == host }.map(\.wire)
    let isTold = hosts.contains { other in
      other.intervals.contains {
        $0.kind == .workedOn && $0.end == nil && $0.campaign == run.campaign
          && $0.run == Int32(clamping: run.number)
      }
    }
    return hosts.isEmpty || isTold ? nil : "is not told of \(host)"
  }

  /// Servers of the clients in the file that the records tell of, and that are not in it.
  private func leftOut() -> [EvidenceProblem] {
    let told = Set(servers.map(\.wire.place))
    let concerned = Set(clients.map(\.wire.client))
    return trail.places.filter { !told.contains($0) && concerned.contains($0.client) }.map {
      let what = trail.intervals(of: $0).isEmpty ? "had a run" : "was down"
      return EvidenceProblem(0, "\($0.server) is left out, and by the records it \(what)")
    }
  }

  private func wrongDecisions() -> [EvidenceProblem] {
    for (index, decision) in decisions.enumerated() {
      guard index < decided.count, decision.wire == decided[index] else {
        return [
          EvidenceProblem(
            decision.line, "the decision of record \(decision.wire.seq) is not what the records say"
          )
        ]
      }
    }
    guard decisions.count < decided.count else { return [] }
    return [
      EvidenceProblem(0, "the decision of record \(decided[decisions.count].seq) is left out")
    ]
  }
}

extension AtlasV1.EvidenceServer {
  fileprivate var place: EvidenceTrail.Place { .init(client: client, server: server) }

  /// Its updates of which is known what they relied on.
  fileprivate var known: [(run: Int, beganAt: Instant, checkedAt: Instant)] {
    updates.compactMap { update in
      update.basis.map { (Int(update.run), Instant(update.beganAt), Instant($0.checkedAt)) }
    }
  }
}

extension DownInterval {
  /// Nil for a kind that is not known.
  fileprivate init?(unrecorded wire: AtlasV1.EvidenceInterval) {
    let run = RunName(campaign: wire.campaign, number: Int(wire.run))
    let cause: Cause
    switch wire.kind {
    case .workedOn: cause = .workedOn(run: run)
    case .guest: cause = .guest(of: wire.host, run: run)
    case .away: cause = .away
    case .unspecified, .unrecognized: return nil
    }
    self.init(start: Instant(wire.start), end: nil, cause: cause)
  }
}

extension Instant {
  init(_ timestamp: GoogleProtobuf.Timestamp?) {
    self.init(milliseconds: timestamp?.millisecondsSinceEpoch ?? 0)
  }
}

import AtlasEngine
import AtlasEvidence
import AtlasModel
import AtlasStore

/// Puts evidence of a campaign together: from the state at one moment, and from the records of the
/// log from the campaign's making on, which it takes one by one, because there may be many.
package struct EvidenceBuilder: Sendable {
  private let snapshot: ControlSnapshot
  private let id: CampaignID
  private let startedAt: Instant
  private let until: Instant
  /// Clients of the campaign, and those with guests on its hosts; by name.
  private let clients: [ClientID]
  private let clientNames: Set<String>
  /// Hosts of servers of these clients.
  private let hostNames: Set<String>
  private var trail: EvidenceTrail
  /// Positions of records after the end that prove what was before it.
  private var proofs: Set<UInt64> = []
  /// Runs of other campaigns that began after the end: what they hold then was not held before.
  private var begunLater: Set<RunName> = []
  private var decisions: [LogRecord] = []
  private var outages: [String: [OutageEvidence]] = [:]
  private var records: UInt64 = 0
  private var lastSeq: UInt64 = 0
  private var lastHash = LogRecord.genesisHash

  /// - Throws: ``ControlError`` when there is no such campaign, or it has not started.
  package init(_ snapshot: ControlSnapshot, _ name: CampaignName) throws(ControlError) {
    let id = try snapshot.state.id(of: name)
    let campaign = snapshot.state[campaign: id]
    guard let startedAt = campaign.startedAt else {
      throw .refused(
        .notAllowed(
          code: .campaignState, message: "\(name) has not started: there is nothing to show",
          hint: "atlas campaign start \(name)"))
    }
    self.snapshot = snapshot
    self.id = id
    self.startedAt = startedAt
    until = campaign.endedAt ?? snapshot.now
    clients = snapshot.state.clients(concernedBy: id)
    clientNames = Set(clients.map { snapshot.state[client: $0].config.name.text })
    hostNames = Set(
      clients.flatMap { snapshot.state[client: $0].servers }
        .compactMap { snapshot.state.downWith($0)?.text })
    trail = EvidenceTrail(campaign: name.text, since: startedAt, until: until)
  }

  /// Whether the evidence is about a record: all of the campaign; what happened meanwhile to its
  /// clients and to hosts of their servers, also in other campaigns; what concerned everybody; and
  /// those after its end that ``take(_:)`` has found to prove something.
  package func contains(_ record: LogRecord) -> Bool {
    guard record.seq <= snapshot.lastSeq else { return false }
    let campaign = snapshot.state[campaign: id].name.text
    if record.campaign == campaign || proofs.contains(record.seq) { return true }
    if record.campaignTime > until {
      // Such as the return of a server that was away at the end.
      guard EvidenceTrail.endsAbsence(record.kind), let since = Int64(record.detail),
        since < until.milliseconds
      else { return false }
    }
    if clientNames.contains(record.client) {
      return record.campaign.isEmpty || record.run != nil
    }
    if hostNames.contains(record.server) { return record.run != nil }
    return record.campaign.isEmpty && record.client.isEmpty && record.server.isEmpty
  }

  /// A record after the end may be the first in which a run of another campaign shows up. If that
  /// had its slot until then it kept it for all of the time, and nothing else tells so; if not it
  /// began later, and what comes of it proves nothing.
  private mutating func noteProof(_ record: LogRecord) {
    guard let number = record.run, record.campaignTime > until, record.seq <= snapshot.lastSeq,
      clientNames.contains(record.client) || hostNames.contains(record.server)
    else { return }
    let run = RunName(campaign: record.campaign, number: number)
    guard !trail.knows(run), !begunLater.contains(run) else { return }
    if EvidenceTrail.holdsSlot(record.fromState) {
      proofs.insert(record.seq)
    } else {
      begunLater.insert(run)
    }
  }

  /// Takes the next record of the log; those that it is not about change nothing.
  package mutating func take(_ record: LogRecord) {
    noteProof(record)
    guard contains(record) else { return }
    // What is wrong with the log is for those to say who check it.
    _ = trail.take(record)
    if record.isDecision { decisions.append(record) }
    if let outage = OutageEvidence(record) { outages[record.client, default: []].append(outage) }
    records += 1
    lastSeq = record.seq
    lastHash = record.hash
  }

  /// What the records so far and the state say.
  package func evidence() -> Evidence {
    let campaign = snapshot.state[campaign: id]
    var trail = trail
    for client in clients { addAbsences(of: client, to: &trail) }
    for server in clients.flatMap({ snapshot.state[client: $0].servers }) + hosts {
      addHolder(server, to: &trail)
    }
    let down = Dictionary(grouping: trail.places, by: \.client)
    let runs = newestRuns()
    return Evidence(
      campaign: campaign.name.text, author: campaign.author,
      changeReference: campaign.changeReference, state: campaign.state.word,
      startedAt: startedAt, until: until, endedAt: campaign.endedAt,
      clients: clients.map { client in
        let name = snapshot.state[client: client].config.name.text
        return evidence(of: client, down[name] ?? [], runs[client] ?? [:], trail)
      }, decisions: decisions, records: records, lastSeq: lastSeq, lastHash: lastHash,
      hookRevision: campaign.hookRevision, demoFactor: snapshot.demoFactor)
  }

  private var hosts: [ServerID] {
    hostNames.sorted().compactMap { snapshot.state.server(named: ServerName(trusted: $0)) }
  }

  /// By client, as it was then, and server: the last run of the campaign that was made for it.
  private func newestRuns() -> [ClientID: [ServerID: RunRef]] {
    let campaign = snapshot.state[campaign: id]
    var found: [ClientID: [ServerID: RunRef]] = [:]
    for (index, run) in campaign.runs.enumerated() {
      found[campaign.lanes[Int(run.lane)].client, default: [:]][run.server] =
        RunRef(campaign: id, index: index)
    }
    return found
  }

  /// - Parameter down: Its servers of which records tell, also those that are another's by now.
  private func evidence(
    of id: ClientID, _ down: [EvidenceTrail.Place], _ runs: [ServerID: RunRef],
    _ trail: EvidenceTrail
  ) -> ClientEvidence {
    let state = snapshot.state
    let client = state[client: id]
    let known = down.compactMap { state.server(named: ServerName(trusted: $0.server)) }
    let all = Set(client.servers).union(runs.keys).union(known)
    let servers = all.compactMap { evidence(of: $0, at: client, runs[$0], trail) }
    return ClientEvidence(
      name: client.config.name.text, outages: outages[client.config.name.text] ?? [],
      servers: servers.sorted { $0.name < $1.name }, until: until)
  }

  /// Nil for a server that is not in the campaign, and was up all the time.
  private func evidence(
    of id: ServerID, at client: Client, _ run: RunRef?, _ trail: EvidenceTrail
  ) -> ServerEvidence? {
    let place = EvidenceTrail.Place(
      client: client.config.name.text, server: snapshot.state[server: id].config.name.text)
    let isIts = snapshot.state[server: id].config.client == client.config.name
    let host = isIts ? snapshot.state.downWith(id)?.text : nil
    let intervals = trail.intervals(of: place, host: host)
    guard run != nil || !intervals.isEmpty else { return nil }
    let outcome = trail.outcome(of: place)
    return ServerEvidence(
      name: place.server, client: place.client, host: host, outcome: outcome,
      intervals: intervals, updates: updates(trail.changes(of: place)),
      snapshot: run.map { snapshot.state.snapshotEvidence($0) })
  }

  /// What each change relied on, as its run kept it.
  private func updates(_ changes: [EvidenceTrail.Change]) -> [UpdateEvidence] {
    let runs = snapshot.state[campaign: id].runs
    return UpdateEvidence.all(changes) { number in
      runs.indices.contains(number - 1) ? runs[number - 1].details.content.bases : []
    }
  }

  /// What no record tells: who is away still.
  private func addAbsences(of client: ClientID, to trail: inout EvidenceTrail) {
    let state = snapshot.state
    for id in state[client: client].servers {
      guard let since = state.absence(of: id, now: snapshot.now), since < until else { continue }
      let place = state.place(of: id)
      let isTold = trail.intervals(of: place).contains { $0.cause == .away && $0.start == since }
      if !isTold { trail.add(DownInterval(start: since, end: nil, cause: .away), of: place) }
    }
  }

  /// The same: whose slot of another campaign was taken before this one began, and is kept still,
  /// without a record since.
  private func addHolder(_ id: ServerID, to trail: inout EvidenceTrail) {
    let state = snapshot.state
    guard let ref = state[server: id].openRun, ref.campaign != self.id,
      state[ref].state.kind.holdsSlot,
      let slot = state[ref].details.content.slotIntervals.last, slot.start < startedAt
    else { return }
    let run = RunName(
      campaign: state[campaign: ref.campaign].name.text, number: Int(ref.index) + 1)
    guard !trail.knows(run) else { return }
    let held = DownInterval(start: startedAt, end: nil, cause: .workedOn(run: run))
    let place = state.place(of: id)
    if !trail.intervals(of: place).contains(held) { trail.add(held, of: place) }
  }
}

extension ControlState {
  fileprivate func place(of id: ServerID) -> EvidenceTrail.Place {
    let config = self[server: id].config
    return EvidenceTrail.Place(client: config.client.text, server: config.name.text)
  }

  /// Clients of a campaign, and clients with guests on its servers; by name.
  fileprivate func clients(concernedBy id: CampaignID) -> [ClientID] {
    var found = Set(self[campaign: id].lanes.map(\.client))
    for run in self[campaign: id].runs {
      for guest in guests(of: run.server) where downWith(guest) != nil {
        found.insert(self[server: guest].client)
      }
    }
    return found.sorted { self[client: $0].config.name < self[client: $1].config.name }
  }

  /// The host that a server goes down with: its own, unless that moves its guests away.
  fileprivate func downWith(_ id: ServerID) -> ServerName? {
    guard let name = self[server: id].config.host, let host = server(named: name),
      !self[server: host].config.migratesGuests
    else { return nil }
    return name
  }

  fileprivate func snapshotEvidence(_ ref: RunRef) -> SnapshotEvidence {
    let content = self[ref].details.content
    return SnapshotEvidence(
      taken: content.snapshot ?? content.formerSnapshot,
      isRemoved: content.snapshot == nil && content.formerSnapshot != nil,
      keptUntil: content.kept?.until)
  }
}

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
  private var decisions: [LogRecord] = []
  private var outages: [String: [OutageEvidence]] = [:]
  private var records: UInt64 = 0
  private var lastSeq: UInt64 = 0
  private var lastHash = LogRecord.genesisHash

  /// - Throws: ``ControlError`` when there is no such campaign, or it has not started.
  package init(_ snapshot: ControlSnapshot, _ name: CampaignName) throws(ControlError) {
    guard let id = snapshot.state.campaign(named: name) else {
      throw .notFound(kind: "campaign", name: name.text)
    }
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
    trail = EvidenceTrail(campaign: name.text, since: startedAt)
  }

  /// Whether the evidence is about a record: all of the campaign; what happened meanwhile to its
  /// clients and to hosts of their servers, also in other campaigns; and what concerned everybody.
  package func contains(_ record: LogRecord) -> Bool {
    let campaign = snapshot.state[campaign: id].name.text
    if record.campaign == campaign { return true }
    if record.campaignTime > until {
      // Such as the return of a server that was away at the end.
      guard record.kind == RecordKind.serverBack.rawValue, let since = Int64(record.detail),
        since < until.milliseconds
      else { return false }
    }
    if clientNames.contains(record.client) {
      return record.campaign.isEmpty || record.run != nil
    }
    if hostNames.contains(record.server) { return record.run != nil }
    return record.campaign.isEmpty && record.client.isEmpty && record.server.isEmpty
  }

  /// Takes the next record of the log; those that it is not about change nothing.
  package mutating func take(_ record: LogRecord) {
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
    for client in clients { addUnrecorded(client, to: &trail) }
    let runs = newestRuns()
    return Evidence(
      campaign: campaign.name.text, author: campaign.author,
      changeReference: campaign.changeReference, state: campaign.state.word,
      startedAt: startedAt, until: until, endedAt: campaign.endedAt,
      clients: clients.map { evidence(of: $0, runs, trail) }, decisions: decisions,
      records: records, lastSeq: lastSeq, lastHash: lastHash, hookRevision: campaign.hookRevision,
      demoFactor: snapshot.demoFactor)
  }

  /// By server: the last run of the campaign that was made for it.
  private func newestRuns() -> [ServerID: RunRef] {
    var found: [ServerID: RunRef] = [:]
    for (index, run) in snapshot.state[campaign: id].runs.enumerated() {
      found[run.server] = RunRef(campaign: id, index: index)
    }
    return found
  }

  private func evidence(
    of id: ClientID, _ runs: [ServerID: RunRef], _ trail: EvidenceTrail
  ) -> ClientEvidence {
    let client = snapshot.state[client: id]
    let servers = client.servers.compactMap { evidence(of: $0, runs[$0], trail) }
    return ClientEvidence(
      name: client.config.name.text, slots: client.config.maxParallelServers,
      outages: outages[client.config.name.text] ?? [],
      servers: servers.sorted { $0.name < $1.name }, until: until)
  }

  /// Nil for a server that is not in the campaign, and was up all the time.
  private func evidence(
    of id: ServerID, _ run: RunRef?, _ trail: EvidenceTrail
  ) -> ServerEvidence? {
    let server = snapshot.state[server: id]
    let name = server.config.name.text
    let host = snapshot.state.downWith(id)?.text
    let intervals = trail.intervals(of: name, host: host)
    guard run != nil || !intervals.isEmpty else { return nil }
    let outcome = trail.outcome(of: name)
    return ServerEvidence(
      name: name, client: server.config.client.text, host: host, outcome: outcome,
      intervals: intervals,
      backup: run.map { snapshot.state.backupEvidence($0, updateBeganAt: outcome?.updateBeganAt) },
      snapshot: run.map { snapshot.state.snapshotEvidence($0) })
  }

  /// What no record tells: who is away still, and whose slot of another campaign was taken before
  /// this one began and is kept still.
  private func addUnrecorded(_ client: ClientID, to trail: inout EvidenceTrail) {
    let state = snapshot.state
    let name = state[client: client].config.name.text
    for id in state[client: client].servers {
      let server = state[server: id].config.name.text
      if let since = state.absence(of: id, now: snapshot.now), since < until {
        let isTold = trail.intervals(of: server).contains { $0.cause == .away && $0.start == since }
        if !isTold {
          trail.add(
            DownInterval(start: since, end: nil, cause: .away), of: server, client: name)
        }
      }
      if let held = heldThroughout(id),
        !trail.intervals(of: server).contains(where: { $0.cause == held.cause })
      {
        trail.add(held, of: server, client: name)
      }
    }
  }

  private func heldThroughout(_ id: ServerID) -> DownInterval? {
    let state = snapshot.state
    guard let ref = state[server: id].openRun, ref.campaign != self.id,
      let slot = state[ref].details.content.slotIntervals.last, slot.start < startedAt,
      slot.end > until
    else { return nil }
    let run = RunName(
      campaign: state[campaign: ref.campaign].name.text, number: Int(ref.index) + 1)
    return DownInterval(start: startedAt, end: nil, cause: .workedOn(run: run))
  }
}

extension ControlState {
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

  fileprivate func backupEvidence(_ ref: RunRef, updateBeganAt: Instant?) -> BackupEvidence {
    let required = backupRequired(ref)
    return BackupEvidence(
      required: required, maxAge: required ? maxBackupAge(ref).text : "",
      shown: self[ref].details.content.backup, updateBeganAt: updateBeganAt)
  }

  fileprivate func snapshotEvidence(_ ref: RunRef) -> SnapshotEvidence {
    let content = self[ref].details.content
    return SnapshotEvidence(
      required: snapshotRequired(ref), taken: content.snapshot ?? content.formerSnapshot,
      isRemoved: content.snapshot == nil && content.formerSnapshot != nil,
      keptUntil: content.kept?.until)
  }
}

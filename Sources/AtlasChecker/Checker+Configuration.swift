/// What people configured, and from which moment on it counts.
extension Checker {
  struct ClientModel {
    var current: ClientFact
    /// What it was, and until when its windows may be in use: the daemon works new ones out, and
    /// goes by the old ones until they are there.
    var earlier: [(fact: ClientFact, until: Int64)] = []
    /// Changes that are durable with the batch whose records come next, oldest first.
    var coming: [ClientFact] = []
  }

  /// A person has configured a client. A change counts from its record on.
  package mutating func configured(_ client: ClientFact) {
    guard let known = clients[client.name] else {
      clients[client.name] = ClientModel(current: client)
      return
    }
    if known.coming.last ?? known.current != client { clients[client.name]?.coming.append(client) }
  }

  /// The database is another one, and says this about a client.
  package mutating func configuredAnew(_ client: ClientFact) {
    clients[client.name] = ClientModel(current: client)
  }

  /// A server is new in the fleet, or another than before: then it counts from its record on.
  ///
  /// - Parameter isAnew: The database is another one, and says this about it.
  package mutating func added(_ server: ServerFact, isAnew: Bool = false) {
    if servers[server.name] == nil {
      servers[server.name] = ServerModel(
        fact: server, addedAt: log.records.count, silentSince: now)
      put(server)
    } else if isAnew {
      put(server)
    } else {
      comingServers[server.name] = server
    }
  }

  package func isRetired(_ server: String) -> Bool { log.retiredServers.contains(server) }

  mutating func put(_ server: ServerFact) {
    let before = log.kinds[server.name] ?? []
    servers[server.name]?.fact = server
    log.kinds[server.name] = server.kinds
    if server.carriesAtlas { carriers.insert(server.name) } else { carriers.remove(server.name) }
    for (name, campaign) in log.campaigns {
      guard let key = campaign.newest[server.name], let run = log.runs[key],
        run.state == "COMPLETED"
      else { continue }
      rings[name]?[run.ring].became.formUnion(server.kinds)
      rings[name]?[run.ring].ceased.formUnion(before.filter { !server.kinds.contains($0) })
    }
    guard !server.host.isEmpty else { return }
    log.guestClients[server.host, default: []].insert(server.client)
  }

  /// How long new windows may take to be worked out: they may wait behind two commits.
  private var windowSlack: Int64 { 100_000 }

  /// The next change of a client counts.
  mutating func applyChange(of client: String, at instant: Int64) {
    guard var model = clients[client], !model.coming.isEmpty else { return }
    let new = model.coming.removeFirst()
    if new.windows != model.current.windows || new.zone != model.current.zone
      || new.freezes != model.current.freezes
    {
      model.earlier.append((model.current, instant + windowSlack))
    }
    model.current = new
    clients[client] = model
  }

  /// All changes of the batch count, also those without a record.
  mutating func applyChanges(at instant: Int64) {
    for (name, model) in clients where !model.coming.isEmpty {
      for _ in model.coming { applyChange(of: name, at: instant) }
    }
  }

  /// The client as it is, and as it was as long as its windows of before may be in use.
  func windows(of client: String, at instant: Int64) -> [ClientFact] {
    guard let model = clients[client] else { return [] }
    return [model.current] + model.earlier.filter { instant <= $0.until }.map(\.fact)
  }

  /// Windows that a campaign may have had of its own since an instant.
  func ownWindows(of campaign: String, on server: String, since instant: Int64) -> [WeeklyWindow?] {
    let earlier = (earlierOwnWindows[campaign] ?? []).filter { instant <= $0.until }.map(\.window)
    return [
      self.campaign(campaign)?.window, self.campaign(campaign, workingOn: server)?.window,
    ] + earlier
  }

  /// Until when a server may be worked on in a campaign without a break; nil when it may not be now.
  /// The windows of a campaign are in the zone of each of its clients, and know no freezes.
  func openUntil(
    _ client: ClientFact, _ window: WeeklyWindow?, _ instant: Int64
  ) -> Int64? {
    guard let end = client.openUntil(instant), let window else {
      return client.openUntil(instant)
    }
    var own = client
    own.windows = [window]
    own.freezes = []
    return own.openUntil(instant).map { min($0, end) }
  }

  /// What the batch of a record has brought counts from the record on that tells of it.
  mutating func noteConfiguration(_ record: RecordFact) {
    switch record.kind {
    case "client.imported": applyChange(of: record.client, at: record.at)
    case "campaign.edited":
      let before = campaign(record.campaign)?.window
      earlierOwnWindows[record.campaign, default: []].append((before, record.at + windowSlack))
    case "server.imported":
      if let server = comingServers.removeValue(forKey: record.server) { put(server) }
    case "campaign.resumed":
      if resumingAtOnce.contains("\(record.campaign) \(LogModel.scope(record))") {
        log.resumedAtOnce.insert(record.seq)
      }
    case _: break
    }
  }

  /// People resume a part of a campaign (`campaign`, `ring 2`, `client LAA`), and what is parked
  /// before a boot does not wait for its window. It counts from the record on.
  package mutating func resumesAtOnce(_ campaign: String, scope: String) {
    resumingAtOnce.insert("\(campaign) \(scope)")
  }
}

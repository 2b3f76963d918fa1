import AtlasModel

extension ControlState {
  /// Adds and changes clients and servers; nothing is removed by an import.
  mutating func importFleet(
    clients newClients: [ClientConfig], servers newServers: [ServerConfig],
    ringNames newNames: [RingName]?, by: String, now: Instant
  ) throws(Refusal) {
    try checkImport(newClients, newServers)
    for config in newClients { put(config, by: by) }
    var haveOthers = false
    for config in newServers where put(config, by: by, now: now) { haveOthers = true }
    if haveOthers { recountKinds() }
    for config in newServers { relink(config.name) }
    if let newNames { ringNames = newNames }
    fleetVersion += 1
    limitResources()
    emit(.save(.control))
  }

  /// What the fleet calls a ring.
  package func name(of ring: Ring) -> String {
    ringNames.first { $0.ring == ring }?.name ?? ring.defaultName
  }

  private func checkImport(
    _ newClients: [ClientConfig], _ newServers: [ServerConfig]
  ) throws(Refusal) {
    let added = newClients.filter { clientByName[$0.name] == nil }.count
    guard clients.count + added <= Limits.clients else {
      throw .limit("a fleet has at most \(Limits.clients) clients")
    }
    let servers = newServers.filter { serverByName[$0.name] == nil }.count
    guard self.servers.count + servers <= Limits.servers else {
      throw .limit("a fleet has at most \(Limits.servers) servers")
    }
    let names = Set(newClients.map(\.name))
    for server in newServers {
      guard names.contains(server.client) || clientByName[server.client] != nil else {
        throw .invalid(
          field: "client", message: "\(server.name) belongs to the unknown client \(server.client)")
      }
      try checkMove(server)
    }
    try checkHosts(newServers)
  }

  /// A host is there, and stays what it is while it or one of its guests is worked on.
  private func checkHosts(_ newServers: [ServerConfig]) throws(Refusal) {
    let names = Set(newServers.map(\.name))
    for server in newServers {
      if let host = server.host, !names.contains(host), serverByName[host] == nil {
        throw .invalid(
          field: "host", message: "\(server.name) is a guest of the unknown server \(host)")
      }
      let known = serverByName[server.name]
      let old = known.map { servers[Int($0.index)].config }
      guard old?.host != server.host || old?.client != server.client else { continue }
      let hosts = [known.flatMap { host(of: $0) }, server.host.flatMap { serverByName[$0] }]
        .compactMap { $0 }
      guard let busy = hosts.first(where: { holdsSlot($0) }) else { continue }
      throw .notAllowed(
        code: .inFlight,
        message:
          "\(server.name) cannot \(known == nil ? "become a guest" : "change its host") while "
          + "\(servers[Int(busy.index)].config.name) is worked on",
        hint: "wait until that run has ended")
    }
  }

  /// Brings a server and its host together, once all servers of an import are there.
  private mutating func relink(_ name: ServerName) {
    guard let id = serverByName[name] else { return }
    if let host = host(of: id), !servers[host].guests.contains(id) { linkToHost(id) }
    for guest in servers[id].guests { noteHoster(of: guest, on: id) }
    if let run = servers[id].openRun { noteAtlas(run) }
    markDirty(servers[id].client)
  }

  /// A server with an open run stays with its client: its slot is counted there.
  private func checkMove(_ server: ServerConfig) throws(Refusal) {
    guard let id = serverByName[server.name], servers[Int(id.index)].openRun != nil,
      servers[Int(id.index)].config.client != server.client
    else { return }
    throw .notAllowed(
      code: .inFlight, message: "\(server.name) cannot change its client during a campaign",
      hint: "wait until its run has ended, or skip it")
  }

  private mutating func put(_ config: ClientConfig, by: String) {
    if let id = clientByName[config.name] {
      let old = clients[id].config
      guard old != config else { return }
      clients[id].config = config
      if !old.isOpenAsOften(as: config) { clients[id].windowsAreOld = true }
      clients[id].version += 1
      record(Record(.clientImported, client: id, detail: "changed", principal: by))
      finishPut(id)
    } else {
      let id = ClientID(clients.count)
      clients.append(Client(config: config))
      clientByName[config.name] = id
      record(Record(.clientImported, client: id, detail: "added", principal: by))
      finishPut(id)
    }
  }

  private mutating func finishPut(_ id: ClientID) {
    emit(.save(.client(id)))
    askForWindows(of: id)
    markDirty(id)
  }

  /// A server without an open run becomes another client's; its session goes with it.
  private mutating func moveServer(_ id: ServerID, to client: ClientID, now: Instant) {
    endAbsence(of: id, "it belongs to another client now", now: now)
    let old = servers[id].client
    clients[old].doubtful.removeAll { $0 == id }
    clients[old].servers.removeAll { $0 == id }
    clients[client].servers.append(id)
    if servers[id].connected {
      clients[old].connected -= 1
      clients[client].connected += 1
    }
    if servers[id].droppedAt != nil {
      clients[old].recentDrops -= 1
      clients[client].recentDrops += 1
    }
    if servers[id].isMissingAtClient {
      servers[id].isMissingAtClient = false
      clients[old].dark?.missing -= 1
    }
    servers[id].client = client
    countAbsence(of: id, from: now)
  }

  /// - Returns: whether a known server is of other kinds than before.
  private mutating func put(_ config: ServerConfig, by: String, now: Instant) -> Bool {
    guard let client = clientByName[config.client] else {
      preconditionFailure("the import was checked")
    }
    if let id = serverByName[config.name] {
      guard servers[id].config != config || servers[id].retired else { return false }
      let profile = servers[id].profile
      countRoles(of: id, -1)
      unlinkFromHost(id)
      if servers[id].client != client { moveServer(id, to: client, now: now) }
      if servers[id].retired { countAbsence(of: id, from: now) }
      servers[id].config = config
      servers[id].retired = false
      countRoles(of: id, 1)
      updateDoubt(id)
      setProfile(id)
      if let run = servers[id].openRun, self[run].marks.contains(.retiring) {
        self[run].marks.remove(.retiring)
        emit(.save(.run(run)))
      }
      servers[id].version += 1
      record(
        Record(.serverImported, client: client, server: id, detail: "changed", principal: by))
      emit(.save(.server(id)))
      return servers[id].profile != profile
    } else {
      let id = ServerID(servers.count)
      servers.append(Server(config: config, client: client))
      servers[id].profile = profile(of: config)
      serverByName[config.name] = id
      clients[client].servers.append(id)
      countRoles(of: id, 1)
      record(
        Record(.serverImported, client: client, server: id, detail: "added", principal: by))
      emit(.save(.server(id)))
      return false
    }
  }

  /// Keeps ``Client/roleCounts`` when a server comes or goes; a retired one is not counted.
  mutating func countRoles(of id: ServerID, _ change: Int) {
    guard !servers[id].retired else { return }
    let client = servers[id].client
    for role in servers[id].config.roles { clients[client].roleCounts[role, default: 0] += change }
  }
}

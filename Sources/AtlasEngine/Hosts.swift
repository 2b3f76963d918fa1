import AtlasModel

/// Hosts and their guests (§4): whoever boots a host boots its guests, too.
extension ControlState {
  /// Makes a server known to the host that its configuration names.
  mutating func linkToHost(_ id: ServerID) {
    guard let name = servers[id].config.host, let host = serverByName[name] else { return }
    servers[host].guests.append(id)
    noteHoster(of: id, on: host)
  }

  /// What a guest's client has to give is what its host's may wait for.
  mutating func noteHoster(of guest: ServerID, on host: ServerID) {
    let (mine, its) = (servers[guest].client, servers[host].client)
    if mine != its, !clients[mine].hosters.contains(its) { clients[mine].hosters.append(its) }
  }

  mutating func unlinkFromHost(_ id: ServerID) {
    guard let name = servers[id].config.host, let host = serverByName[name] else { return }
    servers[host].guests.removeAll { $0 == id }
  }

  /// Guests of a server: retired ones until nothing is done on them any more.
  package func guests(of id: ServerID) -> [ServerID] {
    servers[Int(id.index)].guests.filter { !servers[Int($0.index)].retired || holdsSlot($0) }
  }

  /// Guests that are down as long as a server is worked on: none of one that moves them away.
  func guestsGoingDown(with id: ServerID) -> [ServerID] {
    let server = Int(id.index)
    guard !servers[server].guests.isEmpty, !servers[server].config.migratesGuests else { return [] }
    return guests(of: id)
  }

  /// Guests of a client that are down with a host in progress.
  func guestsDown(of client: ClientID) -> [ServerID] {
    guard !clients[Int(client.index)].busyHosts.isEmpty else { return [] }
    return clients[Int(client.index)].busyHosts.flatMap { guestsGoingDown(with: self[$0].server) }
      .filter { servers[Int($0.index)].client == client }
  }

  /// Whether a server is a host whose guests are moved away before it is worked on.
  func movesGuests(_ id: ServerID) -> Bool {
    servers[Int(id.index)].config.migratesGuests && !guests(of: id).isEmpty
  }

  /// The host that a server is a guest of; nil when it is none's.
  func host(of id: ServerID) -> ServerID? {
    // No closure: it would take a copy of everything along.
    guard let name = servers[Int(id.index)].config.host else { return nil }
    return serverByName[name]
  }

  /// Clients whose guests are on a server, each once; retired guests stay theirs.
  func clientsOfGuests(of id: ServerID) -> [ClientID] {
    var found: [ClientID] = []
    for guest in servers[Int(id.index)].guests
    where !found.contains(servers[Int(guest.index)].client) {
      found.append(servers[Int(guest.index)].client)
    }
    return found
  }

  /// Slots that the guests of hosts in progress take of a client.
  func guestsInUse(of client: ClientID, now: Instant) -> Int {
    guard !clients[Int(client.index)].busyHosts.isEmpty, !isOutage(of: client, now: now) else {
      return 0
    }
    return clients[Int(client.index)].busyHosts.reduce(0) { sum, ref in
      let host = Int(self[ref].server.index)
      guard !servers[host].config.migratesGuests else { return sum }
      return sum
        + servers[host].guests.count {
          servers[Int($0.index)].client == client && !servers[Int($0.index)].retired
        }
    }
  }

  /// A run of a host has taken its slot: it takes one of every other client that has guests there.
  mutating func takeGuests(_ ref: RunRef, of client: ClientID) {
    guard !servers[self[ref].server].guests.isEmpty else { return }
    for other in clientsOfGuests(of: self[ref].server) {
      clients[other].busyHosts.append(ref)
      if other != client { clients[other].slotsInUse += 1 }
    }
  }

  mutating func returnGuests(_ ref: RunRef, of client: ClientID) {
    if !servers[self[ref].server].guests.isEmpty { wakeClients(ofGuestsOf: ref, of: client) }
    // A host waits until no guest of it has a slot.
    if let host = host(of: self[ref].server) { markDirty(servers[host].client) }
  }

  private mutating func wakeClients(ofGuestsOf ref: RunRef, of client: ClientID) {
    for other in clientsOfGuests(of: self[ref].server) {
      // Only what was taken is given back.
      if let place = clients[other].busyHosts.firstIndex(of: ref) {
        clients[other].busyHosts.remove(at: place)
        if other != client { clients[other].slotsInUse -= 1 }
      }
      markDirty(other)
    }
  }
}

/// When a host or a guest may start.
extension ControlState {
  func hostWaits(_ ref: RunRef, now: Instant) -> Waiting? {
    let server = self[ref].server
    if let host = host(of: server), holdsSlot(host) { return .host(host) }
    guard !servers[Int(server.index)].guests.isEmpty else { return nil }
    let guests = guests(of: server)
    if let busy = guests.first(where: { holdsSlot($0) }) { return .guest(busy) }
    let migrates = servers[Int(server.index)].config.migratesGuests
    let needed = timeNeeded(by: ref)
    for client in clientsOfGuests(of: server)
    where guests.contains(where: { servers[Int($0.index)].client == client }) {
      if !migrates, !isOutage(of: client, from: now, for: needed) { return .outage(client) }
      guard client != clientOf(ref) else { continue }
      if let waiting = sharedWaits(ref, client, needed, now: now) { return waiting }
    }
    return nil
  }

  fileprivate func isOutage(of client: ClientID, from now: Instant, for needed: Duration) -> Bool {
    if Plant.hostWithoutOutage.isOn { return true }
    guard let outage = clients[Int(client.index)].outage else { return false }
    return outage.contains(now) && now + needed <= outage.until
  }

  /// What another client that has guests on the host asks for: its own people and windows, and one
  /// of its slots.
  private func sharedWaits(
    _ ref: RunRef, _ client: ClientID, _ needed: Duration, now: Instant
  ) -> Waiting? {
    let index = Int(client.index)
    if let waiting = guestsForbid(client) { return waiting }
    let free =
      slots(of: client, in: ref.campaign, now: now) - clients[index].slotsInUse
      - clients[index].reserved - guestsInUse(of: client, now: now)
    if free <= 0 { return .slot }
    if let server = unexplained(of: client, filling: free, in: ref.campaign, now: now) {
      return .unexplained(server)
    }
    if clients[index].windowsAreOld { return .window(next: nil) }
    return clients[index].windows.wait(for: needed, now: now)
  }

  /// Stops, pauses and lost contact of another client that has guests on a host.
  fileprivate func guestsForbid(_ client: ClientID) -> Waiting? {
    let index = Int(client.index)
    if clients[index].isStopped { return .stopped(client: true) }
    if clients[index].isPaused { return .clientPaused }
    if let postponed = clients[index].postponed { return .postponed(postponed.until) }
    return clients[index].isDark ? .contact(client: true) : nil
  }
}

/// Those who have guests on a host that is worked on are asked again before it begins anything more.
extension ControlState {
  /// Clients that have guests on a server with a slot, its own among them; none for any other.
  func clientsOnHost(_ id: ServerID) -> [ClientID] {
    let server = Int(id.index)
    guard !servers[server].guests.isEmpty, let ref = servers[server].openRun else { return [] }
    var found: [ClientID] = []
    for client in clientsOfGuests(of: id)
    where clients[Int(client.index)].busyHosts.contains(ref) { found.append(client) }
    return found
  }

  /// Whether an agent is told of a stop of the client: it is the client's, or has guests of it and
  /// is worked on.
  package func isConcerned(_ id: ServerID, by client: ClientID) -> Bool {
    servers[Int(id.index)].client == client
      || !clients[Int(client.index)].busyHosts.isEmpty && clientsOnHost(id).contains(client)
  }

  /// What people of other clients, or lost contact to them, forbid a run because of their guests.
  func guestsForbid(_ ref: RunRef) -> Waiting? {
    for client in clientsOnHost(self[ref].server) where client != clientOf(ref) {
      if let waiting = guestsForbid(client) { return waiting }
    }
    return nil
  }

  /// A client whose guests would go down with a host, and that has declared no outage for so long.
  func outageMissing(for ref: RunRef, _ needed: Duration, now: Instant) -> ClientID? {
    guard !servers[Int(self[ref].server.index)].config.migratesGuests else { return nil }
    for client in clientsOnHost(self[ref].server)
    where !isOutage(of: client, from: now, for: needed) { return client }
    return nil
  }

  /// Why the clients whose guests are on an untouched host do not let its UPDATE begin any more.
  func guestsProblem(_ ref: RunRef, now: Instant) -> (Refused, String)? {
    let migrates = servers[Int(self[ref].server.index)].config.migratesGuests
    for client in clientsOnHost(self[ref].server) {
      let name = clients[Int(client.index)].config.name
      if client != clientOf(ref), clients[Int(client.index)].windows.open(at: now) == nil {
        return (
          .window,
          "the window of \(name), which has guests on it, closed before the update could begin"
        )
      }
      if !migrates, !isOutage(of: client, from: now, for: .zero) {
        return (.window, "the outage of \(name), whose guests go down with it, is over")
      }
    }
    return nil
  }

  /// Until when those who have guests on a host let it be changed or booted: the end of the first
  /// window of theirs, or outage, that ends. Nil when nobody has.
  func guestsWindowEnd(_ ref: RunRef, now: Instant) -> Instant? {
    let migrates = servers[Int(self[ref].server.index)].config.migratesGuests
    var end: Instant?
    for client in clientsOnHost(self[ref].server) {
      if client != clientOf(ref), let its = clients[Int(client.index)].windows.open(at: now)?.end {
        end = min(end ?? its, its)
      }
      if !migrates, let its = clients[Int(client.index)].outage?.until {
        end = min(end ?? its, its)
      }
    }
    return end
  }

  /// Why the windows do not let a run with a slot begin what needs so much time: its own, or those
  /// of other clients that have guests on it. Nil when they do.
  func windowWaits(_ ref: RunRef, needs needed: Duration, now: Instant) -> Waiting? {
    if let waiting = windows(of: ref).wait(for: needed, now: now) { return waiting }
    for client in clientsOnHost(self[ref].server) where client != clientOf(ref) {
      let windows = clients[Int(client.index)].windows
      if let waiting = windows.wait(for: needed, now: now) { return waiting }
    }
    return nil
  }

  /// Whether people have changed the windows that a run with a slot must fit into, and they are not
  /// worked out yet.
  func windowsAreOld(for ref: RunRef) -> Bool {
    if clients[Int(clientOf(ref).index)].windowsAreOld { return true }
    for client in clientsOnHost(self[ref].server)
    where clients[Int(client.index)].windowsAreOld { return true }
    return false
  }

  /// When the first window opens of those that a run must fit into.
  func nextWindow(for ref: RunRef, now: Instant) -> Instant? {
    var next = windows(of: ref).next(after: now)?.start
    guard !servers[Int(self[ref].server.index)].guests.isEmpty else { return next }
    for client in clientsOfGuests(of: self[ref].server) {
      guard let its = clients[Int(client.index)].windows.next(after: now)?.start else { continue }
      next = min(next ?? its, its)
    }
    return next
  }
}

extension ControlState {
  /// Why a host cannot start although it is nobody's turn yet: a client of its guests has declared
  /// no outage. Nil when all have, and for other servers.
  package func hostProblem(_ id: ServerID) -> String? {
    guard !servers[Int(id.index)].config.migratesGuests else { return nil }
    let missing = guests(of: id).first {
      clients[Int(servers[Int($0.index)].client.index)].outage == nil
    }
    return missing.map {
      "its guests go down with it, and \(servers[Int($0.index)].config.client) has declared no "
        + "outage"
    }
  }
}

/// A host is well when its guests are.
extension ControlState {
  /// Waits for guests that are not back, if there are any: neither is the host healthy before.
  mutating func awaitGuests(_ ref: RunRef, _ phase: Phase, now: Instant) -> Bool {
    guard !guestsAway(ref).isEmpty else { return false }
    advance(ref, to: .guests)
    arm(ref, at: now + max(limit(of: phase, ref) ?? .zero, floors.deadline))
    emit(.save(.run(ref)))
    return true
  }

  /// Guests whose agents have been there once and are not now, and that nobody has dismissed.
  private func guestsAway(_ ref: RunRef) -> [ServerID] {
    guard !servers[Int(self[ref].server.index)].guests.isEmpty, !isVirtual else { return [] }
    return guests(of: self[ref].server).filter {
      let guest = Int($0.index)
      return servers[guest].isDoubtful && !servers[guest].connected
    }
  }

  /// Something about a server has changed that its host may wait for.
  mutating func guestChanged(_ id: ServerID, now: Instant) {
    guard let host = host(of: id), let ref = servers[host].openRun,
      case .inProgress(let work) = self[ref].state, work.step == .guests
    else { return }
    goOnWithGuests(ref, work.phase, now: now)
  }

  /// Goes on if all guests are back.
  mutating func goOnWithGuests(_ ref: RunRef, _ phase: Phase, now: Instant) {
    guard guestsAway(ref).isEmpty else { return }
    self[ref].deadline = nil
    checksPassed(ref, phase, now: now)
  }

  mutating func guestsOverdue(_ ref: RunRef, now: Instant) {
    let names = guestsAway(ref).map { servers[$0].config.name.text }
    let shown = names.prefix(5).joined(separator: ", ")
    let more = names.count > 5 ? " and \(names.count - 5) more" : ""
    hold(ref, .unhealthy, "guests of it are not back: \(shown)\(more)", now: now)
  }
}

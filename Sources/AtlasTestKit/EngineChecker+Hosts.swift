import AtlasEngine
import AtlasModel

/// Hosts, guests and servers that carry Atlas.
extension EngineChecker {
  /// Configurations of all servers that have a slot.
  func hostsInProgress() -> [ServerConfig] {
    var found: [ServerConfig] = []
    for client in clients {
      for ref in client.slots {
        if let server = runs[ref]?.server { found.append(servers[Int(server.index)].config) }
      }
    }
    return found
  }

  /// Guests of a client that go down with a host in progress.
  func guestsGone(of client: ClientID) -> Int {
    let hosts = hostsInProgress().filter { !$0.migratesGuests }.map(\.name)
    return servers.count {
      $0.client == client && !$0.isRetired && $0.config.host.map(hosts.contains) ?? false
    }
  }

  private func guests(of host: ServerName) -> [ServerTruth] {
    servers.filter { $0.config.host == host && !$0.isRetired }
  }

  /// A host starts in an outage of all whose guests go down, fits their windows, has one of their
  /// slots each, and no guest of it is worked on.
  mutating func checkHost(
    _ ref: RunRef, _ truth: RunTruth, _ policy: Policy, _ needed: Duration, now: Instant
  ) {
    let own = servers[Int(truth.server.index)].config
    let busy = hostsInProgress().map(\.name)
    if let host = own.host, busy.contains(host) {
      report("\(name(ref)) starts while its host \(host) is worked on")
    }
    let guests = guests(of: own.name)
    for guest in guests where busy.contains(guest.config.name) {
      report("\(name(ref)) starts while its guest \(guest.config.name) is worked on")
    }
    for index in Set(guests.map { Int($0.client.index) }) {
      let outage = clients[index].outage
      let covers = outage.map { $0.contains(now) && now + needed <= $0.until } ?? false
      if !covers, !own.migratesGuests {
        report("\(name(ref)) starts, and its guests' client has declared no outage")
      }
      guard ClientID(index) != truth.client else { continue }
      checkShared(ref, index, policy, needed, now: now)
    }
  }

  private mutating func checkShared(
    _ ref: RunRef, _ index: Int, _ policy: Policy, _ needed: Duration, now: Instant
  ) {
    let fits = clients[index].windows.contains { $0.contains(now) && now + needed <= $0.end }
    if !fits { report("S2: \(name(ref)) starts where it does not fit for its guests' client") }
    if clients[index].isStopped { report("S4: \(name(ref)) starts under a stop of its guests") }
    let outage = clients[index].outage.flatMap { $0.contains(now) ? $0 : nil }
    let own = outage?.parallel ?? clients[index].config.maxParallelServers
    clients[index].slots.insert(ref)
    if clients[index].slots.count > min(own, policy.maxParallelServers ?? own) {
      report("S1: \(name(ref)) takes a slot that its guests' client does not have")
    }
  }

  /// A host is not done before its guests are back.
  mutating func noteGuests(_ ref: RunRef, _ truth: RunTruth, _ record: Record) {
    let own = servers[Int(truth.server.index)].config.name
    if truth.phase == .postCheck || truth.phase == .verify, record.phase != truth.phase {
      let areBack = guests(of: own).allSatisfy { $0.isConnected || !$0.isKnown || $0.isDismissed }
      runs[ref]?.areGuestsBack = areBack
    }
    if record.kind == .runApproved { runs[ref]?.isApproved = true }
    if record.kind == .runCompleted, runs[ref]?.areGuestsBack == false {
      report("\(name(ref)) is completed, and a guest of it was not back")
    }
  }

  /// What carries Atlas goes last, alone, and with a person.
  mutating func checkAtlas(_ ref: RunRef) {
    let atlas = servers.map(\.config.carriesAtlas)
    let carries = { (truth: RunTruth) in atlas[Int(truth.server.index)] }
    guard let truth = runs[ref] else { return }
    let others = runs.filter { $0.key != ref && $0.key.campaign == ref.campaign }
    if others.values.contains(where: { carries($0) && $0.kind?.holdsSlot == true }) {
      report("\(name(ref)) starts beside a server that carries Atlas")
    }
    guard carries(truth) else { return }
    if !truth.isApproved { report("\(name(ref)) carries Atlas, and starts without a person") }
    runs[ref]?.isApproved = false
    if others.values.contains(where: { !carries($0) && $0.kind?.isTerminal != true }) {
      report("\(name(ref)) carries Atlas, and does not go last")
    }
  }
}

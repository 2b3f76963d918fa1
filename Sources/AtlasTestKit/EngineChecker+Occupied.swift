import AtlasEngine
import AtlasModel

/// S1 and S12, from what servers and people said: who takes a slot of a client, and who may.
extension EngineChecker {
  /// What is known about a server apart from its runs.
  struct ServerTruth {
    var config: ServerConfig
    var client: ClientID
    /// An agent has said Hello once.
    var isKnown = false
    var isConnected = false
    /// Nil while the daemon has not heard of it since it started.
    var silentSince: Instant?
    /// What it works on for nobody's run.
    var foreign: Fence?
    var isDismissed = false
    var isRetired = false
  }

  package mutating func know(_ config: ServerConfig, of client: ClientID) {
    if let index = servers.firstIndex(where: { $0.config.name == config.name }) {
      servers[index].config = config
      servers[index].client = client
    } else {
      servers.append(ServerTruth(config: config, client: client))
    }
  }

  mutating func noteBack(_ server: ServerID, _ hello: Hello) {
    let index = Int(server.index)
    servers[index].isKnown = servers[index].isKnown || !hello.agentVersion.isEmpty
    servers[index].isConnected = true
    servers[index].foreign = nil
    guard let known = hello.command, known.progress == .begun, known.kind != .download else {
      return
    }
    let isOurs = runs.values.contains {
      $0.server == server && $0.kind?.isTerminal != true && $0.order == known.fence
    }
    if !isOurs { servers[index].foreign = known.fence }
  }

  package mutating func heard(_ report: CommandReport, from server: ServerID) {
    guard servers[Int(server.index)].foreign == report.fence, case .result = report.event else {
      return
    }
    servers[Int(server.index)].foreign = nil
  }

  package mutating func silent(_ server: ServerID, now: Instant) {
    servers[Int(server.index)].isConnected = false
    servers[Int(server.index)].silentSince = now
  }

  /// The daemon is a new one, and has heard of nobody.
  package mutating func restarted() {
    for index in servers.indices {
      servers[index].isConnected = false
      servers[index].silentSince = nil
    }
  }

  /// A person asks for an outage; whether it is declared, a record says.
  package mutating func expect(_ outage: Outage, of client: ClientID) {
    clients[Int(client.index)].asked = outage
  }

  mutating func noteDoubt(_ record: Record) {
    switch record.kind {
    case .serverDismissed: record.server.map { servers[Int($0.index)].isDismissed = true }
    case .serverRecalled: record.server.map { servers[Int($0.index)].isDismissed = false }
    case .serverRetired: record.server.map { servers[Int($0.index)].isRetired = true }
    case .serverImported:
      if let server = record.server, servers.indices.contains(Int(server.index)) {
        servers[Int(server.index)].isRetired = false
      }
    case .clientOutageDeclared:
      record.client.map { clients[Int($0.index)].outage = clients[Int($0.index)].asked }
    case .clientOutageEnded: record.client.map { clients[Int($0.index)].outage = nil }
    case _: break
    }
  }

  /// S1: no admission raises the slots in use above the limit. S12: none happens while those and
  /// the servers that are down or unexplained fill the slots.
  mutating func checkSlots(_ ref: RunRef, _ client: ClientID, now: Instant) {
    let index = Int(client.index)
    let policy = campaigns[Int(ref.campaign.index)].policy(for: client)
    let outage = clients[index].outage.flatMap { $0.contains(now) ? $0 : nil }
    let own = outage?.parallel ?? clients[index].config.maxParallelServers
    let limit = min(own, policy.maxParallelServers ?? own)
    let inUse = clients[index].slots.count
    let unexplained = unexplained(of: client, policy, now: now)
    let guests = outage == nil ? guestsGone(of: client) : 0
    checkAvailable(ref, client, policy, unexplained)
    checkOrder(ref, client, unexplained)
    checkPeers(ref, policy, now: now)
    checkAtlas(ref)
    clients[index].slots.insert(ref)
    if inUse + 1 > limit { report("S1: \(name(ref)) is slot \(inUse + 1) of \(limit)") }
    if outage == nil, inUse + guests + unexplained.count >= limit {
      report(
        "S12: \(name(ref)) starts beside \(inUse) runs and \(unexplained.count) servers that are "
          + "down or unexplained, of \(limit)")
    }
  }

  /// Servers that are down or unexplained, and have no slot of their own.
  private func unexplained(
    of client: ClientID, _ policy: Policy, now: Instant
  ) -> [ServerTruth] {
    let busy = Set(clients[Int(client.index)].slots.compactMap { runs[$0]?.server })
    let hosts = hostsInProgress().map(\.name)
    return servers.enumerated().filter { index, server in
      guard server.client == client, server.isKnown, !server.isDismissed, !server.isRetired,
        !busy.contains(ServerID(index)), !(server.config.host.map(hosts.contains) ?? false)
      else { return false }
      if server.isConnected { return server.foreign != nil }
      return server.silentSince.map { now - $0 > policy.checkInterval * 2 } ?? true
    }
    .map(\.element)
  }

  /// `min_available`: as many servers of each role stay as the policy says, or one goes alone.
  private mutating func checkAvailable(
    _ ref: RunRef, _ client: ClientID, _ policy: Policy, _ unexplained: [ServerTruth]
  ) {
    guard let share = policy.minAvailable, let truth = runs[ref] else { return }
    let busy = clients[Int(client.index)].slots.compactMap { runs[$0]?.server }
      .map { servers[Int($0.index)] }
    for role in truth.roles {
      let gone = (busy + unexplained).count { $0.config.roles.contains(role) }
      let all = servers.count {
        $0.client == client && !$0.isRetired && $0.config.roles.contains(role)
      }
      if gone > 0, (all - gone - 1) * 100 < all * share {
        report("\(name(ref)) leaves \(all - gone - 1) of \(all) servers of role \(role)")
      }
    }
  }
}

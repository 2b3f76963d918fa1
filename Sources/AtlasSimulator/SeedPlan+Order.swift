import AtlasChecker
import AtlasEngine
import AtlasModel

/// What servers have to do with each other: order, groups, hosts with guests, and what carries
/// Atlas. Drawn from a source of its own, once the clients are there.
extension SeedPlan {
  mutating func placeOthers() {
    if seed.isMultiple(of: 3) { makeAlike() }
    var random = Randomness(seed: seed, for: "order")
    for client in clients.indices where random.happens(300) { order(client, &random) }
    for client in clients.indices where random.happens(150) { addHost(client, &random) }
    if random.happens(200) {
      let client = random.number(0...clients.count - 1)
      clients[client].servers[0].config.carriesAtlas = true
    }
    for client in clients.indices {
      let name = clients[client].config.name
      guard clients[client].servers.contains(where: { $0.config.host != nil }) else { continue }
      planOutages(of: name, &random)
    }
    for client in clients.indices { giveHooks(client, &random) }
  }

  /// In every third seed most servers are of one kind, some of two, so that history gets to know
  /// how long they take while the weekend lasts.
  private mutating func makeAlike() {
    let web = Role(trusted: "WEB")
    for client in clients.indices {
      for index in clients[client].servers.indices {
        clients[client].servers[index].config.system = "windows-2022"
        switch clients[client].servers[index].config.roles.first?.text {
        case "APP": clients[client].servers[index].config.roles = [web]
        case "FILE": clients[client].servers[index].config.roles = [Role(trusted: "FILE"), web]
        case _: break
        }
      }
    }
  }

  /// Some servers come after earlier ones, and two or three are of a group.
  private mutating func order(_ client: Int, _ random: inout Randomness) {
    let names = clients[client].servers.map(\.config.name)
    for index in names.indices {
      let after = names[..<index].filter { _ in random.happens(150) }
      clients[client].servers[index].config.after = Array(after)
    }
    guard random.happens(700) else { return }
    let first = random.number(0...names.count - 3)
    for index in first...(first + random.number(1...2)) {
      clients[client].servers[index].config.antiAffinity = GroupName(trusted: "nodes")
    }
  }

  /// The last server becomes a host; some others are its guests, now and then of the next client.
  private mutating func addHost(_ client: Int, _ random: inout Randomness) {
    let last = clients[client].servers.count - 1
    guard clients[client].servers.allSatisfy({ $0.config.host == nil }) else { return }
    let host = clients[client].servers[last].config.name
    clients[client].servers[last].config.roles = [Role(trusted: "HV")]
    clients[client].servers[last].config.carriesAtlas = false
    clients[client].servers[last].config.migratesGuests = random.happens(250)
    for index in 0..<random.number(1...3) { clients[client].servers[index].config.host = host }
    guard random.happens(300), client + 1 < clients.count,
      clients[client + 1].servers.allSatisfy({ $0.config.host == nil })
    else { return }
    clients[client + 1].servers[0].config.host = host
  }

  /// What people agree with a client whose guests go down with their host; some never do.
  private mutating func planOutages(of client: ClientName, _ random: inout Randomness) {
    guard random.happens(800) else { return }
    for _ in 0..<random.number(1...3) {
      outages.append(
        PlannedOutage(
          client: client, at: Self.campaignsAt + random.minutes(0...48 * 60),
          lasts: random.minutes(4 * 60...24 * 60),
          parallel: random.pick([nil, nil, nil, 2])))
    }
  }

  private mutating func giveHooks(_ client: Int, _ random: inout Randomness) {
    if random.happens(400) { clients[client].hooks.append(.peerCheck) }
    if random.happens(400) { clients[client].hooks.append(.orderGroup) }
    guard random.happens(400) else { return }
    clients[client].hooks.append(.enterMaintenance)
    if !random.happens(50) { clients[client].hooks.append(.leaveMaintenance) }
  }

  /// Takes what is not there any more out of the servers' order.
  mutating func forgetMissing() {
    let servers = Set(clients.flatMap(\.servers).map(\.config.name))
    for client in clients.indices {
      for index in clients[client].servers.indices {
        clients[client].servers[index].config.after.removeAll { !servers.contains($0) }
        if let host = clients[client].servers[index].config.host, !servers.contains(host) {
          clients[client].servers[index].config.host = nil
        }
      }
    }
    let names = Set(clients.map(\.config.name))
    outages.removeAll { !names.contains($0.client) }
  }
}

/// An outage that a person declares.
package struct PlannedOutage: Hashable, Sendable {
  package var client: ClientName
  /// From the start of the weekend.
  package var at: Duration
  package var lasts: Duration
  package var parallel: Int?
}

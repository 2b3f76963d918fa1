import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Caps on servers of one site, and on what servers of all clients share.
@Suite struct `A cap` {
  private static let san = ResourceName(trusted: "SAN")

  private static func sharing(_ limit: Int) -> Policy {
    .with { $0.resources = [ResourceLimit(name: san, limit: limit)] }
  }

  /// Clients with servers that are all on one datastore.
  private static func world(_ clients: [(name: String, priority: Int, servers: Int)]) -> EngineWorld
  {
    var fleet = EngineFleet()
    for client in clients {
      let names = (1...client.servers).map { "\(client.name)-PARIS-APP0\($0)" }
      fleet.add(client.name, servers: names) { $0.priority = client.priority }
      for name in names { fleet.change(name) { $0.resources = [san] } }
    }
    return EngineWorld(fleet)
  }

  /// Servers in the order in which they started.
  private func started(_ world: EngineWorld) -> [String] {
    world.story.split(separator: "\n").filter { $0.contains("run.started") }.compactMap { line in
      line.split(separator: " ").first { $0.contains("-PARIS-") }.map(String.init)
    }
  }

  @Test func `on what servers share lets as many run, the most important client first`() {
    var world = Self.world([("AAA", 100, 1), ("BBB", 100, 2), ("CCC", 1, 1)])
    world.campaign("patch-11", policy: Self.sharing(1))
    #expect(world.state.campaigns[0].counts[.inProgress] == 1)
    let waiting = world.state.waits(world.run("BBB-PARIS-APP01"), now: world.now)
    #expect(waiting == .resource(Self.san))
    world.settle()
    // The first that was looked at, then by priority, most work left, and name.
    #expect(
      started(world) == [
        "AAA-PARIS-APP01", "CCC-PARIS-APP01", "BBB-PARIS-APP01", "BBB-PARIS-APP02",
      ])
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `on what servers share holds over campaigns, with the smallest number`() {
    var world = Self.world([("AAA", 100, 2), ("BBB", 100, 2), ("CCC", 100, 2)])
    let names = world.state.servers.map(\.config.name)
    world.campaign(
      "wide", policy: Self.sharing(3), selection: Selection(servers: Array(names.prefix(4))))
    #expect(world.state.campaigns[0].counts[.inProgress] == 2)
    world.campaign(
      "narrow", policy: Self.sharing(1), selection: Selection(servers: Array(names.suffix(2))))
    // What runs goes on; nothing new starts before it is below one.
    #expect(world.state.campaigns[1].counts[.inProgress] == 0)
    world.settle()
    #expect(world.state.campaigns.map(\.state) == [.completed, .completed])
    #expect(world.violations == [])
  }

  @Test func `on what servers share passes by servers that need nothing of it`() {
    var fleet = EngineFleet()
    fleet.add("AAA", servers: ["AAA-PARIS-APP01"])
    fleet.add("BBB", servers: ["BBB-PARIS-APP01", "BBB-PARIS-APP02"])
    for name in ["AAA-PARIS-APP01", "BBB-PARIS-APP01"] {
      fleet.change(name) { $0.resources = [Self.san] }
    }
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: Self.sharing(1))
    #expect(started(world) == ["AAA-PARIS-APP01", "BBB-PARIS-APP02"])
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `on two shared things needs both`() {
    let proxy = ResourceName(trusted: "PROXY")
    var world = Self.world([("AAA", 100, 1), ("BBB", 100, 1), ("CCC", 100, 2)])
    var both = world.state[server: world.server("CCC-PARIS-APP01")].config
    both.resources = [proxy, Self.san]
    var one = world.state[server: world.server("AAA-PARIS-APP01")].config
    one.resources = [proxy]
    world.step(.fleetImported(clients: [], servers: [both, one], by: "anna"))
    world.campaign(
      "patch-11",
      policy: .with {
        $0.resources = [
          ResourceLimit(name: proxy, limit: 1), ResourceLimit(name: Self.san, limit: 1),
        ]
      })
    #expect(started(world) == ["AAA-PARIS-APP01", "BBB-PARIS-APP01"])
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `on what servers share that a held server keeps waits for a person`() {
    var world = Self.world([("AAA", 100, 1), ("BBB", 100, 1)])
    world.script.answer(.update, of: "AAA-PARIS-APP01", with: .hangs())
    let id = world.campaign("patch-11", policy: Self.sharing(1))
    world.settle()
    #expect(world.state[world.run("AAA-PARIS-APP01")].state == .held(.overdue))
    #expect(world.state.isSettled(id, now: world.now))
    world.crash()
    for index in world.agents.indices { world.connect(ServerID(index)) }
    world.run(for: .seconds(60))
    #expect(world.state.waits(world.run("BBB-PARIS-APP01"), now: world.now) == .resource(Self.san))
    world.resolve("AAA-PARIS-APP01", .accept)
    world.settle()
    #expect(world.state[world.run("BBB-PARIS-APP01")].state == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `on what servers share goes with a cap on the campaign`() {
    var world = Self.world([("AAA", 100, 2), ("BBB", 100, 2), ("CCC", 100, 2)])
    world.campaign(
      "patch-11",
      policy: .with {
        $0.resources = [ResourceLimit(name: Self.san, limit: 1)]
        $0.maxInProgress = 2
        $0.maxStartsPerMinute = 1
      })
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `on a campaign leaves a free place of what servers share to another campaign`() {
    var world = Self.world([
      ("AAA", 1, 2), ("BBB", 2, 1), ("CCC", 3, 1), ("DDD", 4, 1), ("EEE", 5, 1),
    ])
    let names = world.state.servers.map(\.config.name)
    world.campaign(
      "capped",
      policy: .with {
        $0.resources = [ResourceLimit(name: Self.san, limit: 3)]
        $0.maxInProgress = 1
      },
      selection: Selection(servers: Array(names.prefix(4))))
    world.campaign("other", selection: Selection(servers: Array(names.suffix(2))))
    #expect(world.state.campaigns[0].counts[.inProgress] == 1)
    #expect(world.state.campaigns[1].counts[.inProgress] == 2)
    world.settle()
    #expect(
      started(world).filter { names.prefix(4).map(\.description).contains($0) } == [
        "AAA-PARIS-APP01", "AAA-PARIS-APP02", "BBB-PARIS-APP01", "CCC-PARIS-APP01",
      ])
    #expect(world.state.campaigns.map(\.state) == [.completed, .completed])
    #expect(world.violations == [])
  }

  @Test func `on clients passes by those that are not worked on, and lets the others go on`() {
    var fleet = EngineFleet()
    fleet.add("AAA", servers: ["AAA-PARIS-APP01", "AAA-PARIS-APP02"]) { $0.priority = 1 }
    fleet.add("BBB", slots: 2, servers: ["BBB-PARIS-APP01", "BBB-PARIS-APP02"])
    fleet.add("CCC", servers: ["CCC-PARIS-APP01"])
    for name in ["AAA-PARIS-APP02", "BBB-PARIS-APP02", "CCC-PARIS-APP01"] {
      fleet.change(name) { $0.resources = [Self.san] }
    }
    var world = EngineWorld(fleet)
    for name in ["BBB-PARIS-APP01", "CCC-PARIS-APP01"] {
      world.script.answer(.update, of: name, with: .hangs())
    }
    let names = world.state.servers.map(\.config.name)
    world.campaign(
      "other", policy: Self.sharing(1), selection: Selection(servers: Array(names.suffix(1))))
    let second = world.campaign(
      "patch-11",
      policy: .with {
        $0.resources = [ResourceLimit(name: Self.san, limit: 1)]
        $0.maxActiveClients = 1
      }, selection: Selection(servers: Array(names.prefix(4))))
    world.settle()
    let waiting = ["AAA-PARIS-APP02", "BBB-PARIS-APP02"].map { world.run($0, in: second) }
    for run in waiting {
      #expect(world.state.waits(run, now: world.now) == .resource(Self.san))
    }
    world.resolve("CCC-PARIS-APP01", .accept)
    world.run(for: .seconds(600))
    #expect(waiting.map { world.state[$0].state.kind } == [.pending, .inProgress])
    #expect(world.violations == [])
  }

  @Test(arguments: [1, 2, 3, 6])
  func `on what servers share and one on the campaign let all go, by priority`(cap: Int) {
    let clients = (1...9).map { (name: "C0\($0)", priority: 10 - $0, servers: 1) }
    var world = Self.world(clients)
    world.campaign(
      "patch-11",
      policy: .with {
        $0.resources = [ResourceLimit(name: Self.san, limit: 2)]
        $0.maxInProgress = cap
        $0.maxActiveClients = 4
      })
    #expect(world.state.campaigns[0].counts[.inProgress] == min(cap, 2))
    world.settle()
    let first = Set(started(world).prefix(min(cap, 2)))
    let later = clients.map { "\($0.name)-PARIS-APP01" }.reversed().filter { !first.contains($0) }
    #expect(Array(started(world).dropFirst(min(cap, 2))) == later)
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `that the fleet puts on a server in the middle of its run counts it`() {
    var world = Self.world([("AAA", 100, 1), ("BBB", 100, 1)])
    var config = world.state[server: world.server("AAA-PARIS-APP01")].config
    config.resources = []
    world.step(.fleetImported(clients: [], servers: [config], by: "anna"))
    world.campaign("patch-11", policy: Self.sharing(1))
    #expect(started(world) == ["AAA-PARIS-APP01", "BBB-PARIS-APP01"])
    config.resources = [Self.san]
    world.step(.fleetImported(clients: [], servers: [config], by: "anna"))
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `on a site lets as many servers of a client run there`() {
    var fleet = EngineFleet()
    fleet.add(
      "LAA", slots: 4,
      servers: ["LAA-LYON-APP01", "LAA-LYON-APP02", "LAA-PARIS-APP01", "LAA-PARIS-APP02"])
    fleet.add("MRB", servers: ["MRB-LYON-APP01"])
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: .with { $0.perSite = 1 })
    // Each site of each client has its own.
    #expect(world.state.campaigns[0].counts[.inProgress] == 3)
    #expect(world.state.waits(world.run("LAA-LYON-APP02"), now: world.now) == .site)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }
}

import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Contact that is lost to many at once.
@Suite struct `Lost contact` {
  private static func world(clients: Int = 4, servers: Int = 3) -> EngineWorld {
    var fleet = EngineFleet()
    for client in 0..<clients {
      let name = "C0\(client)"
      fleet.add(name, servers: (1...servers).map { "\(name)-PARIS-APP0\($0)" })
    }
    return EngineWorld(fleet)
  }

  private func disconnectAll(_ world: inout EngineWorld, of client: String? = nil) {
    for index in world.state.servers.indices {
      let name = world.state.servers[index].config.name.text
      if client.map(name.hasPrefix) ?? true { world.disconnect(name) }
    }
  }

  private func connectAll(_ world: inout EngineWorld, of client: String? = nil) {
    for index in world.state.servers.indices {
      let name = world.state.servers[index].config.name.text
      if client.map(name.hasPrefix) ?? true { world.connect(name) }
    }
  }

  private func lines(_ world: EngineWorld, _ word: String) -> Int {
    world.story.split(separator: "\n").count { $0.contains(word) }
  }

  @Test func `of the whole fleet for twenty minutes loses nobody, and goes on by itself`() throws {
    var world = Self.world(clients: 3, servers: 2)
    world.campaign("patch-11")
    world.run(until: "C00-PARIS-APP01", .update)
    world.run(for: .seconds(120))
    disconnectAll(&world)
    #expect(world.state.contact?.since == world.now)
    let waiting = world.state.waits(world.run("C00-PARIS-APP02"), now: world.now)
    #expect(waiting == .contact(client: false))
    world.run(for: .seconds(20 * 60))
    #expect(world.state.campaigns[0].counts[.held] == 0)
    #expect(!world.state.isSettled(CampaignID(0), now: world.now))
    connectAll(&world)
    #expect(world.state.contact == nil)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(lines(world, "environment.held") == 1)
    #expect(lines(world, "client.dark") == 0)
    try Golden.expect(world, tells: "line-down")
  }

  @Test func `of one client is an urgent notice, and keeps only that client waiting`() throws {
    var world = Self.world(clients: 3, servers: 2)
    world.campaign("patch-11")
    world.run(until: "C00-PARIS-APP01", .update)
    disconnectAll(&world, of: "C00")
    world.run(for: .seconds(60))
    #expect(world.state.clients[0].dark != nil)
    #expect(world.state.contact == nil)
    world.run(for: .seconds(3_000))
    #expect(world.state.campaigns[0].counts[.held] == 0)
    #expect(world.state[world.run("C01-PARIS-APP01")].state == .completed(.updated))
    connectAll(&world, of: "C00")
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    try Golden.expect(world, tells: "client-dark")
  }

  @Test func `that does not end is over after an hour, and who is away then is lost`() {
    var world = Self.world(clients: 1, servers: 2)
    world.campaign("patch-11")
    world.run(until: "C00-PARIS-APP01", .update)
    disconnectAll(&world)
    world.run(for: Limits.contactHold + .seconds(30))
    #expect(world.state.clients[0].dark == nil)
    #expect(world.state[world.run("C00-PARIS-APP01")].state.kind == .inProgress)
    world.run(for: .seconds(301))
    #expect(world.state[world.run("C00-PARIS-APP01")].state == .held(.lost))
    #expect(world.violations == [])
  }

  @Test func `is over when nine of ten are back`() {
    var world = Self.world(clients: 10, servers: 2)
    world.campaign("patch-11")
    disconnectAll(&world)
    #expect(world.state.contact != nil)
    for client in 0..<8 { connectAll(&world, of: "C0\(client)") }
    world.connect("C08-PARIS-APP01")
    #expect(world.state.contact != nil)
    world.connect("C08-PARIS-APP02")
    #expect(world.state.contact == nil)
    #expect(world.violations == [])
  }

  @Test func `is nothing but bad luck when few are hit, or when it comes slowly`() {
    var few = Self.world(clients: 4, servers: 10)
    few.campaign("patch-11")
    for number in 2...5 { few.disconnect("C00-PARIS-APP0\(number)") }
    #expect(few.state.contact == nil)
    // The fifth of forty is more than a tenth.
    few.disconnect("C00-PARIS-APP06")
    #expect(few.state.contact != nil)
    var slow = Self.world(clients: 4, servers: 3)
    slow.campaign("patch-11")
    for client in 0..<4 {
      for number in 2...3 {
        slow.disconnect("C0\(client)-PARIS-APP0\(number)")
        slow.run(for: .seconds(50))
      }
    }
    #expect(slow.state.contact == nil)
    #expect(slow.violations == [])
  }

  @Test func `of the only server of a client is a server that crashed`() {
    var world = Self.world(clients: 2, servers: 1)
    world.campaign("patch-11")
    world.run(until: "C00-PARIS-APP01", .update)
    world.disconnect("C00-PARIS-APP01")
    world.run(for: .seconds(301))
    #expect(world.state[world.run("C00-PARIS-APP01")].state == .held(.lost))
    #expect(world.state.clients[0].dark == nil)
  }

  @Test func `because Atlas boots servers is expected`() {
    var world = Self.world(clients: 6, servers: 1)
    world.campaign("patch-11")
    world.settle()
    #expect(lines(world, "environment.held") == 0)
    #expect(world.state.campaigns[0].state == .completed)
  }

  @Test func `survives a restart of the daemon, and ends as it would have`() {
    var world = Self.world(clients: 3, servers: 2)
    world.campaign("patch-11")
    world.run(until: "C00-PARIS-APP01", .update)
    disconnectAll(&world)
    let since = world.state.contact?.since
    world.run(for: .seconds(600))
    world.crash()
    #expect(world.state.contact?.since == since)
    world.run(for: .seconds(600))
    #expect(world.state.campaigns[0].counts[.held] == 0)
    connectAll(&world)
    #expect(world.state.contact == nil)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `that was noted as the daemon stopped ends without those who never come`() {
    var world = Self.world(clients: 5, servers: 4)
    for number in 1...4 { world.disconnect("C04-PARIS-APP0\(number)") }
    world.run(for: .seconds(600))
    connectAll(&world, of: "C04")
    for number in 1...4 {
      world.disconnect("C04-PARIS-APP0\(number)")
      world.run(for: .seconds(300))
    }
    world.campaign("patch-11")
    disconnectAll(&world)
    world.crash()
    #expect(world.state.contact?.sessions == 16)
    for client in 0..<4 { connectAll(&world, of: "C0\(client)") }
    #expect(world.state.contact == nil)
    #expect(world.violations == [])
  }

  @Test func `of a client whose server was retired meanwhile ends all the same`() {
    var world = Self.world(clients: 2, servers: 2)
    world.campaign("patch-11")
    disconnectAll(&world, of: "C01")
    world.run(for: .seconds(60))
    #expect(world.state.clients[1].dark != nil)
    world.step(.retireServer(world.server("C01-PARIS-APP02"), reason: "scrapped", by: "anna"))
    world.connect("C01-PARIS-APP01")
    world.run(for: Limits.contactHold)
    #expect(world.state.clients[1].dark == nil)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `lets a stopped clock of a step go on where it stood`() {
    var world = Self.world(clients: 1, servers: 2)
    world.script.answer(.update, of: "C00-PARIS-APP01", with: .hangs())
    world.campaign("patch-11")
    world.run(until: "C00-PARIS-APP01", .update)
    let deadline = world.state[world.run("C00-PARIS-APP01")].deadline
    world.run(for: .seconds(600))
    disconnectAll(&world)
    world.run(for: .seconds(30))
    let since = world.now
    world.run(for: .seconds(900))
    connectAll(&world)
    let after = world.state[world.run("C00-PARIS-APP01")].deadline
    #expect(after == deadline.map { $0 + (world.now - since) })
    #expect(world.violations == [])
  }
}

/// Update sources that do not answer.
@Suite struct `A silent update source` {
  private static let silent = CommandAnswer.ends(
    .environment, "0x8024402C", "the source does not answer")

  private static func world(clients: Int, servers: Int) -> EngineWorld {
    var fleet = EngineFleet()
    for client in 0..<clients {
      let name = "C0\(client)"
      fleet.add(name, servers: (1...servers).map { "\(name)-PARIS-APP0\($0)" })
    }
    return EngineWorld(fleet)
  }

  @Test func `of one server is that server's refusal`() {
    var world = Self.world(clients: 1, servers: 3)
    world.script.answer(.update, of: "C00-PARIS-APP02", with: Self.silent)
    world.campaign("patch-11")
    world.settle()
    #expect(world.state[world.run("C00-PARIS-APP02")].state == .notAttempted(.source))
    #expect(world.state.campaigns[0].counts[.completed] == 2)
    #expect(world.state.campaigns[0].safety.sourceFaults == [])
    #expect(world.violations == [])
  }

  @Test func `of a client lets its lane wait, and then everything is done`() throws {
    var world = Self.world(clients: 2, servers: 4)
    for number in 1...4 {
      world.script.answer(.update, of: "C00-PARIS-APP0\(number)", with: Self.silent)
    }
    world.campaign("patch-11")
    world.run { !$0.state.campaigns[0].safety.sourceHolds.isEmpty }
    let hold = try #require(world.state.sourceHold(over: ClientID(0), in: CampaignID(0)))
    #expect(hold.client == ClientID(0))
    #expect(world.state.sourceHold(over: ClientID(1), in: CampaignID(0)) == nil)
    world.run(for: .seconds(3_000))
    let waiting = world.state.waits(world.run("C00-PARIS-APP02"), now: world.now)
    #expect(waiting == .source(client: true))
    for number in 1...4 {
      world.script.answer(.update, of: "C00-PARIS-APP0\(number)", with: .usual(.update))
    }
    world.settle()
    // The first refusal was taken back by a new run: four servers, five runs.
    #expect(world.state.campaigns[0].runs.count == 9)
    #expect(world.state.campaigns[0].counts.total == 8)
    #expect(world.state.campaigns[0].counts[.completed] == 8)
    #expect(world.state.campaigns[0].state == .completed)
    try Golden.expect(world, tells: "source-of-a-client")
  }

  @Test func `of all clients lets the campaign wait, with one server that tries`() throws {
    var world = Self.world(clients: 5, servers: 2)
    world.script.answer(.update, with: Self.silent)
    world.campaign("patch-11")
    world.run { !$0.state.campaigns[0].safety.sourceHolds.isEmpty }
    #expect(world.state.campaigns[0].safety.sourceHolds.map(\.client) == [nil])
    world.run(for: .seconds(2 * 3_600))
    #expect(world.state.campaigns[0].counts[.notAttempted] == 0)
    let tries = world.story.split(separator: "\n").count { $0.contains("run.started") }
    #expect(tries < 5 + 9)
    world.script.answer(.update, with: .usual(.update))
    world.settle()
    #expect(world.state.campaigns[0].counts[.completed] == 10)
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  /// The source has fallen silent between two passes of the first server.
  private static func parked() -> (night: EngineWorld, campaign: CampaignID, run: RunRef) {
    var world = world(clients: 1, servers: 2)
    let first = "C00-PARIS-APP01"
    world.script.answer(.update, of: first, pass: 1, with: .installs(["KB5031361"]))
    world.script.answer(.reboot, of: first, pass: 1, with: .findsMoreAfterBoot)
    world.script.answer(.update, pass: 2, with: silent)
    let campaign = world.campaign("patch-11")
    let run = world.run(first)
    world.run { $0.state[run].state.kind == .parked }
    return (world, campaign, run)
  }

  @Test func `between two passes parks the server, which goes on when it answers`() throws {
    let (night, _, run) = Self.parked()
    var world = night
    #expect(world.state.waits(run, now: world.now) == .source(client: true))
    world.run(for: .seconds(3_600))
    #expect(world.state[run].attempt == 1)
    world.script.answer(.update, pass: 2, with: .installs(["KB5031362"]))
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    try Golden.expect(world, tells: "source-between-passes")
  }

  @Test func `that a person does not wait for is tried at once by the server that is parked`() {
    let (night, id, run) = Self.parked()
    var world = night
    world.step(.resumeCampaign(id, .client(ClientID(0)), now: false, by: "anna"))
    #expect(world.state[run].state == .inProgress(Work(.update, .agent)))
    #expect(world.violations == [])
  }

  @Test func `between two passes is rolled back when the campaign is cancelled meanwhile`() {
    let (night, id, run) = Self.parked()
    var world = night
    world.step(.cancelCampaign(id, reason: "the source is wrong", by: "anna"))
    world.settle()
    #expect(world.state[run].state == .failed(.rolledBack))
    #expect(world.violations == [])
  }

  @Test func `that never answers is why nothing was attempted`() {
    var world = Self.world(clients: 3, servers: 2)
    world.script.answer(.update, with: Self.silent)
    world.campaign("patch-11")
    world.run { $0.state.campaigns[0].state.isTerminal }
    let newest = world.state.servers.indices.map {
      world.state[world.run(world.state.servers[$0].config.name.text)].state
    }
    #expect(newest == Array(repeating: .notAttempted(.source), count: 6))
    #expect(world.violations == [])
  }

  @Test func `is not waited for any more when a person says so`() {
    var world = Self.world(clients: 1, servers: 3)
    world.script.answer(.update, with: Self.silent)
    let id = world.campaign("patch-11")
    world.run { !$0.state.campaigns[0].safety.sourceHolds.isEmpty }
    world.step(.resumeCampaign(id, .client(ClientID(0)), now: false, by: "anna"))
    #expect(world.state.campaigns[0].safety.sourceHolds == [])
    #expect(world.state.campaigns[0].safety.sourceFaults == [])
    #expect(world.violations == [])
  }

  @Test func `is told from one that answers others in between`() {
    var world = Self.world(clients: 4, servers: 1)
    // Each fails after the next has worked: never three in a row.
    for client in 0..<3 {
      var answer = Self.silent
      answer.after = .seconds(30 + 1_500 * client)
      world.script.answer(.update, of: "C0\(client)-PARIS-APP01", with: answer)
    }
    world.campaign("patch-11")
    world.settle()
    #expect(world.state.campaigns[0].counts[.notAttempted] == 3)
    #expect(world.violations == [])
  }

  @Test func `is tried again after a restart of the daemon`() {
    var world = Self.world(clients: 1, servers: 3)
    world.script.answer(.update, with: Self.silent)
    world.campaign("patch-11")
    world.run { !$0.state.campaigns[0].safety.sourceHolds.isEmpty }
    world.crash()
    for index in world.agents.indices { world.connect(ServerID(index)) }
    world.script.answer(.update, with: .usual(.update))
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }
}

import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Orders that an agent has written down and not begun, and what people or time took back meanwhile.
@Suite struct `An order that its agent holds` {
  private let server = "LAA-PARIS-WEB01"
  private let other = "MRB-PARIS-WEB01"

  private func state(_ world: EngineWorld) -> RunState { world.state[world.run(server)].state }

  /// A night in which an order reaches the agent's journal, and nobody hears of it.
  private func world(until phase: Phase) -> EngineWorld {
    var fleet = EngineFleet.laa([server])
    fleet.add("MRB", servers: [other])
    var world = EngineWorld(fleet)
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, with: .ok)
    // It keeps the campaign from its end.
    world.script.answer(.update, of: other, with: .hangs())
    world.campaign("patch-11")
    world.run(until: server, phase == .update ? .snapshot : .update)
    world.change(server) { $0.isDeaf = true }
    if phase == .reboot {
      world.change(server) { $0.isDeaf = false }
      world.run(for: .seconds(600))
      world.change(server) { $0.isDeaf = true }
    }
    world.run(until: server, phase)
    return world
  }

  /// What is on its way to the agent.
  private func lastOrder(_ world: EngineWorld) -> Command? {
    world.store.outbox.last { $0.server == world.server(server) }?.command
  }

  /// The agent is back with the order in its journal.
  private func back(with order: Command?, _ world: inout EngineWorld) {
    world.disconnect(server)
    world.change(server) { $0.journal(order) }
    world.connect(server)
    world.run(for: .seconds(1))
  }

  @Test func `is void when an update of it was excluded meanwhile`() throws {
    var world = world(until: .update)
    let order = try #require(lastOrder(world))
    let update = UpdateID(trusted: "KB5031364")
    world.step(.excludeUpdate(CampaignID(0), update, reason: "breaks printing", by: "anna"))
    back(with: order, &world)
    world.settle()
    #expect(!world.agents[0].begun.contains(order.fence))
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `is void when it has taken too long, and given again`() throws {
    var world = world(until: .update)
    let order = try #require(lastOrder(world))
    world.run { state($0) == .held(.overdue) }
    back(with: order, &world)
    world.settle()
    #expect(!world.agents[0].begun.contains(order.fence))
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `is void in the night after, and the server boots for a new one`() throws {
    var world = world(until: .reboot)
    let order = try #require(lastOrder(world))
    world.disconnect(server)
    world.run(for: EngineFleet.night(1).start - world.now + .seconds(300))
    #expect(state(world) == .held(.overdue))
    back(with: order, &world)
    world.settle()
    #expect(!world.agents[0].begun.contains(order.fence))
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `is void, and what was ordered before the agent heard so is given again`() throws {
    var world = world(until: .update)
    let order = try #require(lastOrder(world))
    world.disconnect(server)
    world.run { state($0) == .held(.lost) }
    world.resolve(server, .accept)
    world.step(.retryRun(world.run(server), reason: "it is there again", by: "anna"))
    // It says Hello, and its session ends before it is welcomed.
    world.change(server) { $0.journal(order) }
    world.connectInVain(server)
    world.run(until: server, .update)
    #expect(lastOrder(world)?.fence != order.fence)
    world.connect(server)
    world.settle()
    #expect(!world.agents[0].begun.contains(order.fence))
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }
}

/// Further rounds that a cancelled campaign leaves.
@Suite struct `A further round that waits for the next night` {
  private let server = "LAA-PARIS-WEB01"

  @Test func `is given up when the campaign is cancelled, and the server checked`() {
    var world = EngineWorld(.laa([server]))
    world.script.answer(
      .update, pass: 1,
      with: .installs(["KB1"], reboot: false, more: true, after: .seconds(9 * 3_600)))
    world.campaign("patch-11")
    world.run { $0.state[$0.run(server)].state == .parked(next: .update) }
    world.step(.cancelCampaign(CampaignID(0), reason: "bad", by: "anna"))
    world.settle(upTo: .seconds(7_200))
    #expect(world.state[world.run(server)].state == .completed(.withExceptions))
    #expect(world.state.campaigns[0].state == .cancelled)
    #expect(world.violations == [])
  }
}

/// Who waits while as many servers are down as people can look after.
@Suite struct `A server that waits for people` {
  private let lost = "LAA-PARIS-WEB01"
  private let first = "MRB-PARIS-APP01"
  private let next = "MRB-PARIS-APP02"

  @Test func `starts when what was down is only unverified any more`() {
    var fleet = EngineFleet.laa([lost])
    fleet.add("MRB", servers: [first, next])
    var world = EngineWorld(fleet)
    world.script.answer(.update, of: lost, with: .hangs())
    world.campaign("patch-11", policy: .with { $0.maxWaitingForPeople = 1 })
    world.run(until: lost, .update)
    world.run(for: .seconds(60))
    world.disconnect(lost)
    world.run { $0.state[$0.run(first)].state.kind == .completed }
    #expect(world.state[world.run(lost)].state == .held(.lost))
    #expect(world.state.waits(world.run(next), now: world.now) == .people)
    world.change(lost) { $0.loseJournal() }
    world.connect(lost)
    #expect(world.state[world.run(lost)].state == .held(.agentStateLost))
    #expect(world.state[world.run(next)].state.kind == .inProgress)
    #expect(world.violations == [])
  }
}

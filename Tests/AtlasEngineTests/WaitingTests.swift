import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// What a pending server is said to wait for: the first condition that is not met.
@Suite struct `A pending server` {
  private let servers = ["LAA-PARIS-APP01", "LAA-PARIS-APP02", "LAA-PARIS-APP03"]

  private func waits(_ world: EngineWorld) -> [Waiting?] {
    servers.map { world.state.waits(world.run($0), now: world.now) }
  }

  private func lock(_ server: String, _ world: inout EngineWorld) {
    let latch = Latch(reason: "vendor", principal: "anna", since: world.now)
    world.step(.lockServer(world.server(server), latch))
  }

  @Test func `waits for the slot, and a locked one for its lock first`() {
    var world = EngineWorld(.laa(servers))
    lock(servers[2], &world)
    world.campaign("patch-11")
    #expect(waits(world) == [nil, .slot, .locked])
  }

  @Test func `waits for the window when it is first, and for its turn when it is not`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: servers, windows: [EngineFleet.night(1)])
    var world = EngineWorld(fleet)
    world.disconnect(servers[0])
    world.campaign("patch-11")
    let next = EngineFleet.night(1).start
    // An agent that is away is looked for when the window is open.
    #expect(waits(world) == [.window(next: next), .window(next: next), .turn])
  }

  @Test func `waits for a stop, a pause, a gate, in this order`() {
    var fleet = EngineFleet()
    fleet.add("ATL", servers: ["ATL-LYON-WEB01"])
    fleet.add("LAA", ring: .pilot, servers: servers)
    var world = EngineWorld(fleet)
    let id = world.campaign("patch-11")
    #expect(waits(world) == [.gate(.canary), .gate(.canary), .gate(.canary)])
    world.step(.pauseCampaign(id, .ring(.pilot), reason: "wait", by: "anna"))
    #expect(waits(world)[0] == .paused(.ring(.pilot)))
    world.stop("LAA")
    #expect(waits(world)[0] == .stopped(client: true))
    world.stop()
    #expect(waits(world)[0] == .stopped(client: false))
  }

  @Test func `waits for its agent when nothing else is in its way`() {
    var world = EngineWorld(.laa([servers[0]]))
    world.disconnect(servers[0])
    world.campaign("patch-11")
    #expect(world.state.waits(world.run(servers[0]), now: world.now) == .agent)
  }

  @Test func `waits for people when too many servers are down`() {
    var fleet = EngineFleet()
    for name in ["LAA", "MRB", "OVH"] { fleet.add(name, servers: ["\(name)-PARIS-DC01"]) }
    var world = EngineWorld(fleet)
    world.script.answer(
      .update, with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    let id = world.campaign(
      "patch-11",
      policy: .with {
        $0.maxInProgress = 2
        $0.maxWaitingForPeople = 2
      })
    world.settle()
    #expect(world.state[campaign: id].down == [0, 1])
    #expect(world.state.waits(world.run("OVH-PARIS-DC01"), now: world.now) == .people)
    #expect(world.state.isSettled(id, now: world.now))
    world.script.answer(.update, with: .usual(.update))
    world.resolve("LAA-PARIS-DC01", .accept)
    world.settle()
    #expect(world.state[world.run("OVH-PARIS-DC01")].state == .completed(.updated))
    #expect(world.violations == [])
  }
}

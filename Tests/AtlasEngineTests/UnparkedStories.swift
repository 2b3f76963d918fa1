import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// What is PARKED before UPDATE or REBOOT begins only when any other start could (§5).
@Suite struct `A boot that was parked` {
  private let server = "LAA-PARIS-WEB01"
  private let twentyMinutes = Duration.seconds(1_200)

  /// A night in which the server has its update, and the stop that parked its boot is over.
  private func world(_ policy: Policy = Policy()) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [server, "LAA-PARIS-WEB02"])
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: policy)
    world.run(until: server, .update)
    world.stop()
    world.run { $0.state[$0.run(server)].state == .parked(next: .reboot) }
    world.release()
    return world
  }

  private func state(_ world: EngineWorld) -> RunState { world.state[world.run(server)].state }

  private func waits(_ world: EngineWorld) -> Waiting? {
    world.state.waits(world.run(server), now: world.now)
  }

  @Test func `waits for its agent, is lost without it, and is parked again when it is back`() throws
  {
    var world = world()
    world.disconnect(server)
    world.resume()
    #expect(state(world) == .parked(next: .reboot))
    #expect(waits(world) == .agent)
    world.run(for: twentyMinutes)
    #expect(state(world) == .held(.lost))
    #expect(world.state[client: world.client("LAA")].slotsInUse == 1)
    world.stop()
    world.connect(server)
    #expect(state(world) == .parked(next: .reboot))
    #expect(waits(world) == .stopped(client: false))
    world.release()
    world.resume()
    world.settle()
    #expect(state(world) == .completed(.updated))
    try Golden.expect(world, tells: "parked-agent-lost")
  }

  @Test func `is not lost while something else keeps it, too`() {
    var world = world()
    world.disconnect(server)
    world.run(for: twentyMinutes)
    #expect(state(world) == .parked(next: .reboot))
    world.resume()
    world.run(for: .seconds(60))
    world.step(.pauseClient(world.client("LAA"), reason: "payroll", by: "anna"))
    world.run(for: twentyMinutes)
    #expect(state(world) == .parked(next: .reboot))
    world.step(.resumeClient(world.client("LAA"), by: "anna"))
    world.run(for: twentyMinutes)
    #expect(state(world) == .held(.lost))
    #expect(world.violations == [])
  }

  @Test func `is given up by a person when its server does not come back`() throws {
    var world = world()
    world.disconnect(server)
    world.resume()
    world.run(for: twentyMinutes)
    let run = world.run(server)
    world.resolve(server, .accept)
    #expect(world.state[run].state == .failed(.accepted))
    world.settle()
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    #expect(world.violations == [])
  }

  @Test func `waits while its server is locked`() {
    var world = world()
    let lock = Latch(reason: "payroll", principal: "anna", since: world.now)
    world.step(.lockServer(world.server(server), lock))
    world.resume()
    #expect(waits(world) == .locked)
    world.settle()
    #expect(state(world) == .parked(next: .reboot))
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    world.step(.unlockServer(world.server(server), by: "anna"))
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }
}

extension EngineWorld {
  /// How many servers are in UPDATE.
  fileprivate var inUpdate: Int {
    state.campaigns[0].runs.count {
      guard case .inProgress(let work) = $0.state else { return false }
      return work.phase == .update
    }
  }
}

/// What is parked at many clients at once goes on as fast as its campaign lets servers start.
@Suite struct `Boots that were parked together` {
  private let names = ["LAA", "MRB", "OVH"]

  /// Three servers have their updates, and are parked before their boots.
  private func world(
    _ policy: Policy, _ script: (inout EngineScript) -> Void = { _ in }
  ) -> EngineWorld {
    var fleet = EngineFleet()
    for name in names { fleet.add(name, servers: ["\(name)-PARIS-WEB01"]) }
    var world = EngineWorld(fleet)
    script(&world.script)
    world.campaign("patch-11", policy: policy)
    world.run { $0.inUpdate == names.count }
    world.run(for: .seconds(60))
    world.stop()
    world.run { $0.state.campaigns[0].counts[.inProgress] == 0 }
    world.release()
    return world
  }

  @Test func `begin no faster than servers may start`() throws {
    var world = world(.with { $0.maxStartsPerMinute = 1 })
    world.run(for: .seconds(3_600))
    world.resume()
    #expect(world.state.campaigns[0].counts[.parked] == 2)
    #expect(world.state.waits(world.run("OVH-PARIS-WEB01"), now: world.now) == .cap)
    world.run(for: .seconds(59))
    #expect(world.state.campaigns[0].counts[.parked] == 2)
    world.run(for: .seconds(1))
    #expect(world.state.campaigns[0].counts[.parked] == 1)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    try Golden.expect(world, tells: "parked-one-a-minute")
  }

  @Test func `wait while as many servers are down as people can look after`() throws {
    var world = world(
      .with {
        $0.maxWaitingForPeople = 1
        $0.autoRollback = false
      }
    ) {
      $0.answer(
        .update, of: "LAA-PARIS-WEB01",
        with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    }
    #expect(world.state[world.run("LAA-PARIS-WEB01")].state == .held(.unhealthy))
    world.resume()
    #expect(world.state.campaigns[0].counts[.parked] == 2)
    #expect(world.state.waits(world.run("OVH-PARIS-WEB01"), now: world.now) == .people)
    world.resolve("LAA-PARIS-WEB01", .accept)
    #expect(world.state.campaigns[0].counts[.parked] == 0)
    world.settle()
    #expect(world.state.campaigns[0].counts[.completed] == 2)
    #expect(world.violations == [])
  }
}

/// What a policy says about time includes its soak, as what history says does.
@Suite struct `An estimate of the policy` {
  @Test func `has its soak`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-WEB01"])
    var world = EngineWorld(fleet)
    let policy = Policy.with { $0.serverSoak = .seconds(4 * 3_600) }
    world.draft("patch-11", policy: policy)
    #expect(
      world.state.estimate(of: world.run("LAA-PARIS-WEB01"))
        == policy.times.estimate + .seconds(4 * 3_600))
  }
}

/// What later rings install is what earlier ones have proved (§2).
@Suite struct `An update set` {
  @Test func `ends with the start of its campaign, unless somebody has said when`() throws {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-WEB01"])
    fleet.add("MRB", servers: ["MRB-LILLE-WEB01"])
    var world = EngineWorld(fleet)
    let start = world.now
    let open = world.campaign(
      "patch-11", selection: Selection(clients: [ClientName(trusted: "LAA")]))
    #expect(world.state[campaign: open].updateSet.cutOff == start)
    var draft = CampaignDraft(
      name: CampaignName(trusted: "patch-12"),
      selection: Selection(clients: [ClientName(trusted: "MRB")]))
    draft.updateSet.cutOff = start - .seconds(86_400)
    var state = world.state
    _ = try state.step(.createCampaign(draft, by: "anna"), now: start)
    _ = try state.step(
      .startCampaign(CampaignID(1), ifMatch: nil, hookRevision: "r1", by: "anna"), now: start)
    #expect(state.campaigns[1].updateSet.cutOff == start - .seconds(86_400))
    world.run(until: "LAA-PARIS-WEB01", .update)
    #expect(world.store.lastCommand?.updateSet.cutOff == start)
  }
}

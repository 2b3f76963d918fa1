import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// `enter_maintenance` and `leave_maintenance`: for every enter one leave, on every way out.
@Suite struct `Maintenance` {
  private let server = "LAA-PARIS-WEB01"

  private func world(
    _ prepare: (inout EngineWorld) -> Void = { _ in }, policy: Policy = Policy()
  ) -> EngineWorld {
    var world = EngineWorld(.laa([server, "LAA-PARIS-WEB02"]))
    world.script.answer(.enterMaintenance, of: server, with: .ok)
    world.script.answer(.leaveMaintenance, of: server, with: .ok)
    prepare(&world)
    world.campaign(
      "patch-11", policy: policy, selection: Selection(servers: [ServerName(trusted: server)]))
    return world
  }

  private func count(_ text: String, _ world: EngineWorld) -> Int {
    world.story.split(separator: "\n").count { $0.contains("-> hook \(text)") }
  }

  /// Enters and leaves that were begun.
  private func pair(_ world: EngineWorld) -> [Int] {
    [count("enter_maintenance", world), count("leave_maintenance", world)]
  }

  private func state(_ world: EngineWorld) -> RunState { world.state[world.run(server)].state }

  @Test func `is entered before the snapshot, and left after it is removed`() throws {
    var world = world()
    world.settle()
    try Golden.expect(world, tells: "maintenance")
  }

  @Test func `is left after a rollback, a refusal and a cancel`() {
    let failing = CommandAnswer.failsToInstall("0x800F0922", "servicing failed", retryable: false)
    var rolledBack = world { $0.script.answer(.update, with: failing) }
    rolledBack.settle()
    #expect(state(rolledBack) == .failed(.rolledBack))
    var refused = world { $0.script.answer(.update, with: .ends(.failed, "E_BUSY")) }
    refused.settle()
    #expect(state(refused) == .notAttempted(.busy))
    var cancelled = world()
    cancelled.run(until: server, .snapshot, .agent)
    cancelled.step(.cancelCampaign(CampaignID(0), reason: "enough", by: "anna"))
    cancelled.settle()
    #expect(state(cancelled) == .skipped(.cancelled))
    for world in [rolledBack, refused, cancelled] {
      #expect(pair(world) == [1, 1])
      #expect(world.violations == [])
    }
  }

  @Test func `is one for all attempts that keep the slot`() {
    var world = world {
      $0.script.answer(
        .update, attempt: 1,
        with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    }
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(pair(world) == [1, 1])
    #expect(world.violations == [])
  }

  @Test func `is left when a stop gives the server back, and entered again after it`() throws {
    var world = world()
    world.run(until: server, .snapshot, .hook(.enterMaintenance))
    world.stop()
    world.run(for: .seconds(60))
    #expect(state(world) == .pending(notBefore: nil))
    world.release()
    world.resume()
    world.settle()
    #expect(pair(world) == [2, 2])
    try Golden.expect(world, tells: "stop-maintenance")
  }

  @Test func `lasts while a stop has parked the server`() {
    var world = world()
    world.run(until: server, .reboot)
    world.stop()
    world.run(for: .seconds(3_600))
    #expect(state(world).kind == .parked)
    #expect(pair(world) == [1, 0])
    world.release()
    world.resume()
    world.settle()
    #expect(pair(world) == [1, 1])
    #expect(world.violations == [])
  }

  @Test func `is left when a person accepts a lost server`() throws {
    var world = world()
    world.run(until: server, .update)
    world.disconnect(server)
    world.settle()
    world.resolve(server, .accept)
    world.settle()
    #expect(state(world) == .failed(.accepted))
    try Golden.expect(world, tells: "maintenance-accepted")
  }

  @Test func `is left when a person retries a server that nothing was changed on`() {
    var world = world { $0.script.answer(.snapshot, with: .hangs()) }
    world.run(until: server, .snapshot, .agent)
    world.run(for: .seconds(30))
    world.disconnect(server)
    world.change(server) { $0.loseJournal() }
    world.connect(server)
    #expect(state(world) == .held(.agentStateLost))
    world.script.answer(.snapshot, with: CommandAnswer.usual(.snapshot))
    world.resolve(server, .retry)
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(pair(world) == [2, 2])
    #expect(world.violations == [])
  }

  @Test func `goes through the daemon's death, at its begin and at its end`() {
    var world = world()
    world.run(until: server, .snapshot, .hook(.enterMaintenance))
    world.crash()
    world.connect(server)
    world.connect("LAA-PARIS-WEB02")
    world.run(until: server, .finalize, .hook(.leaveMaintenance))
    world.crash()
    world.connect(server)
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(count("enter_maintenance \(server) again", world) == 1)
    #expect(count("leave_maintenance \(server) again", world) == 1)
    #expect(world.violations == [])
  }

  @Test func `that cannot be entered refuses the server, and is left all the same`() {
    var world = world {
      $0.script.answer(
        .enterMaintenance, with: .says(.fail("the balancer says no", retryable: false)))
    }
    world.settle()
    #expect(state(world) == .notAttempted(.hook))
    #expect(
      world.state[world.run(server)].details.content.lastError
        == "enter_maintenance: the balancer says no")
    #expect(pair(world) == [1, 1])
    #expect(world.violations == [])
  }

  @Test func `that cannot be left is tried three times, and then remains`() throws {
    var world = world {
      $0.script.answer(
        .leaveMaintenance, with: .says(.fail("monitoring does not answer", retryable: false)))
    }
    world.settle()
    #expect(state(world) == .completed(.withExceptions))
    let maintenance = world.state[world.run(server)].details.content.maintenance
    #expect(maintenance?.remains == true)
    #expect(maintenance?.expiresAt == EngineFleet.night().end + .seconds(3_600))
    try Golden.expect(world, tells: "maintenance-remains")
  }

  @Test func `is left by the second leave, and the server is simply completed`() {
    var world = world {
      $0.script.answer(.leaveMaintenance, with: .says(.error("attempt to index a nil value")))
    }
    world.run(until: server, .finalize, .backoff)
    world.script.answer(.leaveMaintenance, with: .ok)
    world.disconnect(server)
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.state[world.run(server)].details.content.maintenance == nil)
    #expect(world.violations == [])
  }

  @Test func `that nobody can leave remains, and says so at once`() {
    var world = world { $0.script.answer(.leaveMaintenance, with: .notDefined) }
    world.settle()
    #expect(state(world) == .completed(.withExceptions))
    #expect(world.story.contains("there is no leave_maintenance hook"))
    #expect(world.violations == [])
  }

  @Test func `is nobody's business without an enter`() {
    var world = world { $0.script.answer(.enterMaintenance, with: .notDefined) }
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(pair(world) == [0, 0])
    #expect(world.violations == [])
  }
}

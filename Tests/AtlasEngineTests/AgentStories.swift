import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// An agent that was silent for long comes back, with each truth that its journal can hold.
@Suite struct `An agent that comes back` {
  private let server = "LAA-PARIS-WEB01"

  /// A world in which the agent of WEB01 is lost in UPDATE.
  private func lost(
    hears: Bool = true, _ prepare: (inout EngineWorld) -> Void = { _ in }
  ) -> EngineWorld {
    var world = EngineWorld(.laa([server, "LAA-PARIS-WEB02"]))
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, with: .ok)
    prepare(&world)
    world.campaign("patch-11")
    world.run(until: server, .snapshot)
    if !hears { world.change(server) { $0.isDeaf = true } }
    world.run(until: server, .update)
    world.run(for: .seconds(30))
    world.disconnect(server)
    world.run(for: .seconds(400))
    return world
  }

  @Test func `still works on its command`() throws {
    var world = lost()
    world.tell("the agent comes back")
    world.connect(server)
    world.settle()
    try Golden.expect(world, tells: "back-begun")
  }

  @Test func `has finished its command meanwhile`() throws {
    var world = lost()
    world.run(for: .seconds(1_200))
    world.connect(server)
    world.settle()
    try Golden.expect(world, tells: "back-done")
  }

  @Test func `never got its command, and gets it now`() throws {
    var world = lost(hears: false)
    world.connect(server)
    world.settle()
    try Golden.expect(world, tells: "back-never-arrived")
  }

  @Test func `never got its command, and the backup is too old by now`() throws {
    var world = lost(hears: false) {
      $0.script.answer(.verifyBackup, with: .backup(age: .seconds(23 * 3_600)))
    }
    world.run(for: .seconds(3_600))
    // The command was never withdrawn: the agent itself keeps to its latest time.
    world.connect(server)
    world.settle()
    try Golden.expect(world, tells: "back-too-late")
  }

  @Test func `has seen a higher fence, and gets its order under a new one`() throws {
    var world = lost(hears: false)
    let next = Fence(world.state.fence.number + 5)
    world.change(server) { _ = $0.stop(below: next, now: EngineFleet.start) }
    world.connect(server)
    world.settle()
    try Golden.expect(world, tells: "back-higher-fence")
  }

  @Test func `has lost its journal, and a person decides`() throws {
    var world = lost { $0.script.answer(.rollback, with: .ok) }
    world.change(server) { $0.loseJournal() }
    world.connect(server)
    world.settle()
    // Nobody knows what was installed, so that it is taken for changed.
    #expect(world.state.choices(world.run(server)) == [.retry, .rollBack, .accept])
    world.run(for: .seconds(600))
    world.resolve(server, .retry)
    world.settle()
    try Golden.expect(world, tells: "back-journal-lost")
  }

  @Test func `has lost the report of its result, and a person decides`() throws {
    var world = lost()
    world.run(for: .seconds(1_200))
    world.change(server) { $0.loseReports() }
    world.connect(server)
    world.settle()
    world.resolve(server, .accept)
    world.settle()
    try Golden.expect(world, tells: "back-report-lost")
  }

  @Test func `does not come back, and a person accepts`() throws {
    var world = lost(hears: false)
    #expect(world.state.choices(world.run(server)) == [.accept])
    world.resolve(server, .accept)
    world.run(for: .seconds(600))
    world.connect(server)
    world.settle()
    try Golden.expect(world, tells: "lost-accepted")
  }

  @Test func `is back in the past, because its snapshot was reverted`() throws {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.update, with: .failsToInstall("0x800F0922", "no", retryable: false))
    world.script.answer(.rollback, with: .hangs())
    world.campaign("patch-11")
    world.run(until: server, .rollback, .agent)
    world.run(for: .seconds(60))
    world.disconnect(server)
    world.change(server) { $0.goBack(toFence: Fence(1)) }
    world.run(for: .seconds(120))
    world.connect(server)
    world.settle()
    try Golden.expect(world, tells: "back-in-the-past")
  }

  @Test func `answers stale to an order that is not below any stop`() throws {
    var world = EngineWorld(.laa([server]))
    world.campaign("patch-11")
    world.run(until: server, .snapshot, .hook(.snapshot))
    let next = Fence(world.state.fence.number + 5)
    world.change(server) { _ = $0.stop(below: next, now: EngineFleet.start) }
    world.settle()
    try Golden.expect(world, tells: "stale-order")
  }
}

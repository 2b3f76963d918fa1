import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Snapshots that outlive their runs: `snapshot_retention`.
@Suite struct `A kept snapshot` {
  private let server = "LAA-PARIS-WEB01"
  private static let hours = Duration.seconds(3_600)
  private static let policy = Policy.with { $0.snapshotRetention = hours * 6 }
  private static let id = "patch-11/LAA-PARIS-WEB01"

  /// The morning after: the server has completed.
  private func world(
    _ prepare: (inout EngineWorld) -> Void = { _ in }, policy: Policy = policy
  ) -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    prepare(&world)
    world.campaign("patch-11", policy: policy)
    world.settle()
    return world
  }

  private func content(_ world: EngineWorld) -> RunDetails.Content {
    world.state[world.run(server, in: CampaignID(0))].details.content
  }

  private func until(_ world: EngineWorld) -> Instant {
    let ended = world.state[world.run(server, in: CampaignID(0))].endedAt ?? world.now
    return ended + Self.hours * 6
  }

  private func count(_ text: String, _ world: EngineWorld) -> Int {
    world.story.split(separator: "\n").count { $0.contains(text) }
  }

  @Test func `is remembered with its run, and takes no slot`() {
    let world = world()
    #expect(content(world).snapshot?.id == Self.id)
    #expect(content(world).kept == KeptSnapshot(until: until(world)))
    #expect(world.state.servers[0].kept == [world.run(server)])
    #expect(world.state.clients[0].slotsInUse == 0)
    #expect(world.state.campaigns[0].state == .completed)
    #expect(count("REMOVE_SNAPSHOT", world) == 0)
    #expect(world.violations == [])
  }

  @Test func `is gone after its time, and not before`() {
    var world = world()
    world.run(for: until(world) - world.now - .seconds(1))
    #expect(count("REMOVE_SNAPSHOT", world) == 0)
    world.run(for: .seconds(600))
    #expect(content(world).snapshot == nil)
    #expect(content(world).kept == nil)
    #expect(world.state.servers[0].kept == [])
    #expect(world.violations == [])
  }

  @Test func `that a hook took is removed by finalize, which is called only then`() {
    var world = world {
      $0.script.answer(.snapshot, with: .snapshot)
      $0.script.answer(.finalize, with: .ok)
    }
    #expect(count("-> hook finalize", world) == 0)
    world.run(for: Self.hours * 7)
    #expect(count("-> hook finalize", world) == 1)
    #expect(count("REMOVE_SNAPSHOT", world) == 0)
    #expect(content(world).snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `that a hook took and no hook removes remains`() {
    var world = world { $0.script.answer(.snapshot, with: .snapshot) }
    world.run(for: Self.hours * 48)
    let kept = KeptSnapshot(until: until(world), removal: .givenUp, tries: 1)
    #expect(content(world).kept == kept)
    #expect(count("run.warning", world) == 1)
    #expect(world.violations == [])
  }

  @Test func `is none where nothing was changed, or it was rolled back`() {
    let unchanged = world { $0.script.answer(.update, with: .nothingToInstall) }
    let failing = CommandAnswer.failsToInstall("0x800F0922", "servicing failed", retryable: false)
    let failed = world { $0.script.answer(.update, with: failing) }
    for world in [unchanged, failed] {
      #expect(content(world).snapshot == nil)
      #expect(content(world).kept == nil)
      #expect(count("-> REMOVE_SNAPSHOT", world) == 1)
      #expect(world.violations == [])
    }
  }

  @Test(arguments: [1, 6 * 3_600 - 30, 6 * 3_600 + 1, 6 * 3_600 + 12])
  func `is not forgotten when the daemon dies`(after seconds: Int) {
    var world = world()
    world.latency = .seconds(2)
    world.script.answer(.finalize, with: .ok)
    let wait = until(world) - Self.hours * 6 + .seconds(seconds) - world.now
    world.run(for: max(.zero, wait))
    world.crash()
    world.run(for: .seconds(30))
    world.connect(server)
    world.run(for: Self.hours * 8)
    #expect(content(world).snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `waits for its agent`() {
    var world = world()
    world.disconnect(server)
    world.run(for: Self.hours * 30)
    #expect(content(world).kept == KeptSnapshot(until: until(world)))
    world.connect(server)
    world.run(for: .seconds(600))
    #expect(content(world).snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `has its order wait for an agent that goes away meanwhile`() {
    var world = world()
    world.script.answer(.finalize, with: .ok)
    world.run(for: until(world) - world.now + .seconds(5))
    world.disconnect(server)
    world.run(for: Self.hours * 30)
    #expect(content(world).kept?.removal == .waiting)
    world.connect(server)
    world.run(for: .seconds(600))
    #expect(content(world).snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `stays under a stop, and goes when that is released`() {
    var world = world()
    world.stop("LAA")
    world.run(for: Self.hours * 8)
    #expect(content(world).kept == KeptSnapshot(until: until(world)))
    world.release("LAA")
    world.run(for: .seconds(600))
    #expect(content(world).snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `stays while its server is worked on`() {
    var world = world(policy: .with { $0.snapshotRetention = Self.hours / 4 })
    world.script.answer(.health, with: .unhealthy("a service does not run"))
    let second = world.campaign("patch-12", policy: .with { $0.autoRollback = false })
    world.settle()
    world.run(for: Self.hours * 2)
    #expect(world.state[world.run(server, in: second)].state == .held(.unhealthy))
    #expect(content(world).kept?.removal == .waiting)
    world.resolve(server, .accept, in: second)
    world.run(for: Self.hours)
    #expect(content(world).snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `is tried again when its removal fails, and people are told once`() throws {
    var world = world { $0.script.answer(.removeSnapshot, with: .ends(.failed, "E_BUSY")) }
    world.run(for: Self.hours * 12)
    #expect(content(world).snapshot?.id == Self.id)
    #expect(try #require(content(world).kept).tries == 9)
    #expect(count("run.warning", world) == 1)
    world.script.answer(.removeSnapshot, with: .usual(.removeSnapshot))
    world.run(for: Self.hours * 2)
    #expect(content(world).snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `is asked for again when the agent takes too long, or has lost its journal`() {
    var slow = world { $0.script.answer(.removeSnapshot, with: .hangs()) }
    slow.run(for: Self.hours * 7)
    #expect(count("-> cancel", slow) > 0)
    var lost = world { $0.script.answer(.removeSnapshot, with: .hangs()) }
    lost.run(for: until(lost) - lost.now + .seconds(60))
    lost.disconnect(server)
    lost.change(server) { $0.loseJournal() }
    lost.script.answer(.removeSnapshot, with: .usual(.removeSnapshot))
    lost.connect(server)
    lost.run(for: Self.hours)
    #expect(content(lost).snapshot == nil)
    #expect(slow.violations + lost.violations == [])
  }

  @Test func `is one of eight at most`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [server], windows: [EngineFleet.night(hours: 70)])
    var world = EngineWorld(fleet)
    let policy = Policy.with { $0.snapshotRetention = Self.hours * 240 }
    for number in 1...10 {
      world.campaign("patch-\(number)", policy: policy)
      world.settle()
    }
    #expect(world.state.servers[0].kept.count == Limits.snapshotsPerServer)
    #expect(world.state.campaigns[9].runs[0].details.content.snapshot == nil)
    #expect(world.state.campaigns[9].runs[0].state == .completed(.updated))
    #expect(world.violations == [])
  }
}

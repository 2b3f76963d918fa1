import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Servers of a client that wait for each other (§7).
@Suite struct `An order between servers` {
  private let web = "LAA-PARIS-WEB01"
  private let sql1 = "LAA-PARIS-SQL01"
  private let sql2 = "LAA-PARIS-SQL02"

  private func fleet(
    slots: Int = 3, after: [String: [String]] = [:], group: [String] = []
  ) -> EngineFleet {
    var fleet = EngineFleet()
    fleet.add("LAA", slots: slots, servers: [web, sql1, sql2])
    for (server, others) in after {
      fleet.change(server) { $0.after = others.map { ServerName(trusted: $0) } }
    }
    for server in group { fleet.change(server) { $0.antiAffinity = GroupName(trusted: "sql") } }
    return fleet
  }

  private func kinds(_ world: EngineWorld) -> [RunState.Kind] {
    [web, sql1, sql2].map { world.state[world.run($0)].state.kind }
  }

  @Test func `lets a server wait until those before it are done, however they end`() throws {
    var world = EngineWorld(fleet(after: [web: [sql1, sql2], sql1: [sql2]]))
    world.script.answer(.verifyBackup, of: sql2, with: .ok)
    world.campaign("patch-11")
    #expect(kinds(world) == [.pending, .pending, .inProgress])
    #expect(
      world.state.waitsText(world.run(web), now: world.now)
        == "a server that goes before it: \(sql1)")
    world.settle()
    try Golden.expect(world, tells: "order-after")
  }

  @Test func `waits for a server that is held, because that is not done`() {
    var world = EngineWorld(fleet(after: [web: [sql1]]))
    world.script.answer(
      .update, of: sql1, with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    world.campaign("patch-11")
    world.settle()
    #expect(kinds(world) == [.pending, .held, .completed])
    #expect(world.state.waits(world.run(web), now: world.now) == .after(world.server(sql1)))
    world.resolve(sql1, .accept)
    world.settle()
    #expect(kinds(world) == [.completed, .failed, .completed])
    #expect(world.violations == [])
  }

  @Test func `is of one campaign: a server that is in another waits for nobody here`() {
    var world = EngineWorld(fleet(after: [web: [sql1]]))
    world.campaign("sql", selection: Selection(servers: [ServerName(trusted: sql1)]))
    world.campaign("web", selection: Selection(servers: [ServerName(trusted: web)]))
    #expect(world.state[world.run(web, in: CampaignID(1))].state.kind == .inProgress)
  }

  @Test func `keeps members of a group apart, whatever the slots`() {
    var world = EngineWorld(fleet(group: [sql1, sql2]))
    world.campaign("patch-11")
    world.run(for: .seconds(1))
    #expect(kinds(world) == [.inProgress, .inProgress, .pending])
    #expect(world.state.waits(world.run(sql2), now: world.now) == .group(world.server(sql1)))
    world.settle()
    #expect(kinds(world) == [.completed, .completed, .completed])
    #expect(world.violations == [])
  }

  @Test func `keeps a member from starting while another is down or unexplained`() {
    var world = EngineWorld(fleet(group: [sql1, sql2]))
    world.disconnect(sql2)
    world.run(for: .seconds(300))
    world.campaign("patch-11")
    world.run(for: .seconds(1))
    #expect(kinds(world) == [.inProgress, .pending, .pending])
    #expect(world.state.waits(world.run(sql1), now: world.now) == .group(world.server(sql2)))
  }
}

/// `order_group` and `peer_check`: hooks that are asked while the run is PENDING.
@Suite struct `A hook at admission` {
  private let sql1 = "LAA-PARIS-SQL01"
  private let sql2 = "LAA-PARIS-SQL02"
  private let web = "LAA-PARIS-WEB01"

  private func world(slots: Int = 1, _ servers: [String]? = nil) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", slots: slots, servers: servers ?? [sql1, sql2, web])
    for server in [sql1, sql2] {
      fleet.change(server) {
        $0.antiAffinity = GroupName(trusted: "sql")
        $0.updateOrder = 1
      }
    }
    return EngineWorld(fleet)
  }

  private func next(_ name: String) -> HookAnswer { .says(.next(ServerName(trusted: name))) }

  private func kind(_ name: String, _ world: EngineWorld) -> RunState.Kind {
    world.state[world.run(name)].state.kind
  }

  @Test func `names the secondary first, and its peers are asked`() throws {
    var world = world()
    world.script.answer(.orderGroup, with: next(sql2))
    world.script.answer(.peerCheck, with: .ok)
    world.campaign("patch-11")
    world.run(for: .seconds(5))
    #expect(world.state.waits(world.run(sql1), now: world.now) == .check(.orderGroup))
    #expect(world.state.waits(world.run(web), now: world.now) == .turn)
    world.settle()
    try Golden.expect(world, tells: "group-order")
  }

  @Test func `puts a server off whose peers are not well, and gives up after the limit`() throws {
    var world = world([sql1, web])
    world.script.answer(
      .peerCheck, with: .says(.fail("SQL02 lags 4000 transactions", retryable: false)))
    world.campaign("patch-11", policy: .with { $0.deferLimit = .seconds(600) })
    world.settle()
    try Golden.expect(world, tells: "peers-not-well")
  }

  @Test(
    arguments: [
      ("LAA-PARIS-WEB01", "waits in no lane"), ("LAA-PARIS-NONE01", "waits in no lane"),
    ])
  func `delays, and says so, when it names what is no choice`(name: String, text: String) {
    var world = world()
    world.script.answer(.orderGroup, of: sql1, with: next(name))
    world.campaign("patch-11")
    world.run(for: .seconds(11))
    #expect(kind(sql1, world) == .pending)
    #expect(world.state[world.run(sql1)].details.content.lastError.contains(text))
    #expect(kind(sql2, world) == .inProgress)
    world.settle()
    #expect(world.violations == [])
  }

  @Test func `names a server that cannot go now: the group waits a little`() {
    var world = world([sql1, sql2])
    world.disconnect(sql2)
    world.script.answer(.orderGroup, with: next(sql2))
    world.campaign("patch-11")
    world.run(for: .seconds(15))
    #expect(
      world.state[world.run(sql1)].details.content.lastError
        == "order_group: it names \(sql2), which waits for its agent")
    world.connect(sql2)
    world.run(for: .seconds(80))
    #expect([kind(sql1, world), kind(sql2, world)] == [.pending, .inProgress])
    #expect(world.violations == [])
  }

  @Test func `fails, and delays nobody for long`() {
    var world = world()
    world.script.answer(.orderGroup, with: .says(.error("attempt to index a nil value")))
    world.campaign("patch-11")
    world.run(for: .seconds(25))
    #expect(
      [kind(sql1, world), kind(sql2, world), kind(web, world)] == [
        .pending, .pending, .inProgress,
      ])
    world.script.answer(.orderGroup, with: .ok)
    world.settle()
    #expect(kind(sql1, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `keeps the slot free while it is asked, also from other campaigns`() {
    var world = world()
    world.script.answer(.peerCheck, with: HookAnswer(after: .seconds(60), .verdict(.notDefined)))
    world.campaign("sql", selection: Selection(servers: [ServerName(trusted: sql1)]))
    world.campaign("web", selection: Selection(servers: [ServerName(trusted: web)]))
    #expect(world.state.waits(world.run(web, in: CampaignID(1)), now: world.now) == .slot)
    world.run(for: .seconds(61))
    #expect(kind(sql1, world) == .inProgress)
    #expect(world.violations == [])
  }

  @Test func `is cancelled by a stop, and asked anew after it`() throws {
    var world = world([sql1, web])
    world.script.answer(.peerCheck, with: .ok)
    world.campaign("patch-11")
    world.run(for: .seconds(3))
    world.stop()
    world.run(for: .seconds(60))
    world.release()
    world.resume()
    world.run(for: .seconds(30))
    world.settle()
    try Golden.expect(world, tells: "stop-peer-check")
  }

  @Test func `is asked once more when the daemon died meanwhile`() {
    var world = world([sql1, web])
    world.script.answer(.peerCheck, with: .ok)
    world.campaign("patch-11")
    world.run(for: .seconds(3))
    world.crash()
    world.connect(sql1)
    world.connect(web)
    #expect(world.story.contains("-> hook peer_check \(sql1) again"))
    world.run(for: .seconds(11))
    #expect(kind(sql1, world) == .inProgress)
    #expect(world.violations == [])
  }

  @Test func `does not matter any more when a person pauses, skips or cancels`() {
    for ends in [true, false] {
      var world = world([sql1, web])
      world.script.answer(.peerCheck, with: .ok)
      let id = world.campaign("patch-11")
      world.run(for: .seconds(3))
      world.step(.pauseCampaign(id, .all, reason: "wait", by: "anna"))
      world.run(for: .seconds(10))
      #expect(kind(sql1, world) == .pending)
      world.step(
        ends
          ? .cancelCampaign(id, reason: "enough", by: "anna")
          : .skipRun(world.run(sql1), reason: "not this one", by: "anna"))
      world.resumeIfPaused(id)
      world.settle()
      #expect([kind(sql1, world), kind(web, world)] == [.skipped, ends ? .skipped : .completed])
      #expect(world.violations == [])
    }
  }

  @Test func `that does not end is ended`() {
    var world = world([sql1, web])
    world.script.answer(.peerCheck, with: .never)
    world.campaign("patch-11")
    world.run(for: .seconds(961))
    #expect(
      world.state[world.run(sql1)].details.content.lastError
        == "peer_check: the hook did not end in time")
    #expect(kind(web, world) == .inProgress)
    #expect(world.violations == [])
  }

  @Test func `is asked when a cap has a place, and its answer counts for a minute`() {
    var world = world()
    world.script.answer(.peerCheck, with: .ok)
    world.campaign("patch-11", policy: .with { $0.maxInProgress = 1 })
    world.settle()
    #expect([kind(sql1, world), kind(sql2, world)] == [.completed, .completed])
    #expect(world.violations == [])
  }

  @Test func `is asked of domain controllers unless the policy says otherwise`() {
    for roles in [["DC"], []] {
      var world = EngineWorld(.laa(["LAA-PARIS-DC01"]))
      world.script.answer(.peerCheck, with: .ok)
      world.campaign(
        "patch-11", policy: .with { $0.peerCheck = roles.map { Role(trusted: $0) } })
      #expect(world.story.contains("hook peer_check") == !roles.isEmpty)
    }
  }

  @Test func `says nothing of use when it names a server in PRE_CHECK`() {
    var world = world([web])
    world.script.answer(.preUpdate, with: next(sql1))
    world.campaign("patch-11")
    world.settle()
    #expect(world.state[world.run(web)].state == .notAttempted(.hook))
  }
}

extension EngineWorld {
  /// Goes on with a campaign that may be over already.
  mutating func resumeIfPaused(_ id: CampaignID) {
    if !state[campaign: id].pauses.isEmpty { resume(id) }
  }
}

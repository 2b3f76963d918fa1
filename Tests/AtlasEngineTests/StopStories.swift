import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// One night for each row of the stop's table: stop, see what happens, release, resume, finish.
@Suite struct `An emergency stop` {
  private let server = "LAA-PARIS-WEB01"

  private func world(_ prepare: (inout EngineWorld) -> Void = { _ in }) -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    prepare(&world)
    return world
  }

  @Test func `keeps pending servers where they are`() throws {
    var world = world()
    let campaign = world.draft("patch-11")
    world.stop()
    world.step(.startCampaign(campaign, ifMatch: nil, hookRevision: "r1", by: "anna"))
    world.finishNight()
    try Golden.expect(world, tells: "stop-pending")
  }

  @Test func `cancels the hook of a pre-check and gives the slot back`() throws {
    var world = world()
    world.campaign("patch-11")
    world.run(until: server, .preCheck, .hook(.verifyBackup))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-pre-check")
  }

  @Test func `gives the slot back even if it is released before the hook has ended`() throws {
    var world = world()
    world.campaign("patch-11")
    world.run(until: server, .preCheck, .hook(.verifyBackup))
    world.stop()
    world.release()
    world.resume()
    world.settle()
    try Golden.expect(world, tells: "stop-pre-check-released")
  }

  @Test func `lets a snapshot finish and has it removed`() throws {
    var world = world()
    world.campaign("patch-11")
    world.run(until: server, .snapshot, .agent)
    world.run(for: .seconds(30))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-snapshot")
  }

  @Test func `begins no snapshot while the hook looks for one`() throws {
    var world = world {
      $0.script.answer(
        .snapshot,
        with: HookAnswer(
          after: .seconds(60), .verdict(.notDefined)))
    }
    world.campaign("patch-11")
    world.run(until: server, .snapshot, .hook(.snapshot))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-snapshot-hook")
  }

  @Test func `takes back an update that was never handed over`() throws {
    var world = world {
      $0.script.answer(.snapshot, with: .snapshot)
      $0.script.answer(.finalize, with: .ok)
    }
    world.campaign("patch-11")
    world.run(until: server, .snapshot, .hook(.snapshot))
    world.disconnect(server)
    world.run(until: server, .update)
    world.stop()
    world.run(for: .seconds(60))
    world.connect(server)
    world.finishNight()
    try Golden.expect(world, tells: "stop-update-undelivered")
  }

  @Test(arguments: [false, true])
  func `parks an update that may have arrived until the agent says`(arrived: Bool) throws {
    var world = world { $0.latency = .seconds(2) }
    world.campaign("patch-11")
    world.run(until: server, .update)
    if !arrived { world.change(server) { $0.isDeaf = true } }
    world.stop()
    world.run(for: .seconds(1))
    world.disconnect(server)
    world.run(for: .seconds(30))
    let command = world.store.lastCommand
    if arrived { world.change(server) { $0.journal(command) } }
    world.connect(server)
    world.finishNight()
    try Golden.expect(world, tells: arrived ? "stop-update-arrived" : "stop-update-sent")
  }

  @Test func `holds what it met on its way, also when it is released before the agent says`() throws
  {
    var world = world { $0.latency = .seconds(2) }
    world.campaign("patch-11")
    world.run(until: server, .update)
    let order = try #require(world.store.lastCommand)
    world.stop()
    world.run(for: .seconds(1))
    world.disconnect(server)
    world.release()
    world.change(server) {
      $0.journal(order)
      _ = $0.beginNext()
    }
    world.connect(server)
    #expect(world.state[world.run(server)].state.kind == .inProgress)
    var result = CommandResult(status: .succeeded, changed: true)
    result.rebootRequired = true
    let (now, id) = (world.now, world.server(server))
    var report: CommandReport?
    world.change(server) { report = $0.finish(order.fence, result, now: now) }
    world.repeatReport(id, try #require(report))
    #expect(world.state[world.run(server)].state == .parked(next: .reboot))
    world.resume()
    world.settle()
    #expect(world.state[world.run(server)].state == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `lets a running update finish and parks it before its reboot`() throws {
    var world = world()
    world.campaign("patch-11")
    world.run(until: server, .update)
    world.run(for: .seconds(120))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-update-running")
  }

  @Test func `checks a server first that needs no reboot, then parks it`() throws {
    var world = world { $0.script.answer(.update, with: .installs(["KB5031364"], reboot: false)) }
    world.campaign("patch-11")
    world.run(until: server, .update)
    world.run(for: .seconds(120))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-update-no-reboot")
  }

  @Test func `lets a reboot go on to the end of its checks`() throws {
    var world = world { $0.script.answer(.reboot, pass: 1, with: .findsMoreAfterBoot) }
    world.campaign("patch-11")
    world.run(until: server, .reboot)
    world.run(for: .seconds(30))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-reboot")
  }

  @Test func `lets a post-check end, then parks`() throws {
    var world = world()
    world.campaign("patch-11")
    world.run(until: server, .postCheck, .hook(.postUpdate))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-post-check")
  }

  @Test(arguments: [Phase.update, .reboot, .postCheck])
  func `rolls back what fails, without a retry`(phase: Phase) throws {
    var world = world {
      switch phase {
      case .update:
        $0.script.answer(
          .update, with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
      case .reboot:
        $0.script.answer(
          .reboot, with: .ends(.failed, "E_BOOT", "servicing hangs", retryable: true))
      case _: $0.script.answer(.health, with: .unhealthy("a service is down", retryable: true))
      }
    }
    world.campaign("patch-11")
    world.run(until: server, phase)
    world.run(for: .seconds(20))
    world.stop()
    world.run(until: server, .rollback)
    world.script.answer(.health, with: .healthy())
    world.finishNight()
    let name = phase == .update ? "" : "-\(phase.word.lowercased().replacing("_", with: "-"))"
    try Golden.expect(world, tells: "stop-failure\(name)")
  }

  @Test func `rolls a parked server back whose next attempt fits no window any more`() throws {
    var world = world {
      $0.script.answer(
        .update, attempt: 1,
        with: .failsToInstall(
          "0x80070643", "the installer failed", retryable: true))
    }
    world.campaign("patch-11")
    world.run(until: server, .update, .backoff)
    world.stop()
    world.finishNight(after: .seconds(9 * 3_600))
    try Golden.expect(world, tells: "stop-backoff-too-late")
  }

  @Test(arguments: [Phase.rollback, .verify, .finalize])
  func `lets the way back finish`(phase: Phase) throws {
    var world = world {
      $0.script.answer(
        .update,
        with: .failsToInstall(
          "0x800F0922", "servicing failed", retryable: false))
    }
    world.campaign("patch-11")
    world.run(until: server, phase)
    world.run(for: .seconds(5))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-\(phase.word.lowercased())")
  }

  @Test func `parks a server that is being watched`() throws {
    var world = world()
    world.campaign("patch-11", policy: .with { $0.serverSoak = .seconds(1_800) })
    world.run(until: server, .soak)
    world.run(for: .seconds(60))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-soak")
  }

  @Test func `keeps a deferred server deferred`() throws {
    var world = world {
      $0.script.answer(
        .preUpdate,
        with: .says(
          .deferred(after: .seconds(1_800), reason: "the backup runs")))
    }
    world.campaign("patch-11")
    world.run(for: .seconds(60))
    world.script.answer(.preUpdate, with: .ok)
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-defer")
  }

  @Test func `stops a download`() throws {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [server], windows: [EngineFleet.night(1)])
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: .with { $0.download = .beforeWindow })
    world.run(for: .seconds(60))
    world.stop()
    world.finishNight()
    try Golden.expect(world, tells: "stop-download")
  }

  @Test func `keeps a lost server's order from it`() throws {
    var world = world()
    world.campaign("patch-11")
    world.run(until: server, .snapshot, .agent)
    world.change(server) { $0.isDeaf = true }
    world.run(until: server, .update)
    world.disconnect(server)
    world.run(for: .seconds(600))
    world.stop()
    world.run(for: .seconds(60))
    world.connect(server)
    world.finishNight()
    try Golden.expect(world, tells: "stop-lost")
  }

  @Test func `waits with a parked reboot for the window, unless a person says now`() throws {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [server])
    fleet.add("MRB", servers: ["MRB-LILLE-WEB01"])
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.run(until: server, .update)
    world.run(for: .seconds(120))
    world.stop()
    world.run(for: .seconds(9 * 3_600))
    world.release()
    world.resume(now: false)
    world.run(for: .seconds(600))
    world.tell("MRB may boot now")
    world.resume(CampaignID(0), .client(world.client("MRB")), now: true)
    world.settle()
    try Golden.expect(world, tells: "stop-reboot-window")
  }

  @Test func `lets one boot go without its window, also when it had begun already`() throws {
    var world = world { $0.latency = .seconds(2) }
    world.campaign("patch-11")
    world.run(until: server, .reboot)
    world.stop()
    world.run(for: .seconds(1))
    world.disconnect(server)
    let command = world.store.lastCommand
    world.change(server) { $0.journal(command) }
    world.release()
    world.resume(now: true)
    #expect(world.state[world.run(server)].state == .parked(next: .reboot))
    #expect(world.state[world.run(server)].marks.contains(.ignoreWindow))
    world.connect(server)
    world.settle()
    #expect(world.story.contains("the command had begun before the stop reached the agent"))
    #expect(world.state[world.run(server)].state.kind == .completed)
    #expect(!world.state[world.run(server)].marks.contains(.ignoreWindow))
  }

  @Test func `of one client leaves the others alone`() throws {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [server])
    fleet.add("MRB", servers: ["MRB-LILLE-WEB01"])
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.run(until: server, .update)
    world.run(for: .seconds(120))
    world.stop("LAA")
    world.run(for: .seconds(7_200))
    world.release("LAA")
    world.run(for: .seconds(60))
    world.step(.resumeClient(world.client("LAA"), by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "stop-client")
  }

  @Test func `orders a health check again that an agent dropped because of it`() throws {
    var world = world()
    world.campaign("patch-11")
    world.run(until: server, .reboot)
    world.run(for: .seconds(30))
    world.script.answer(.health, with: .ends(.cancelled))
    world.stop()
    world.run(until: server, .postCheck)
    world.run(for: .seconds(45))
    world.script.answer(.health, with: .healthy())
    world.finishNight()
    try Golden.expect(world, tells: "stop-health-dropped")
  }
}

import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Orders that an agent has not begun when people want nothing more of it (§8, §11).
@Suite struct `An order that was not begun` {
  private let server = "LAA-PARIS-WEB01"
  private let next = "LAA-PARIS-WEB02"
  private let long = Duration.seconds(400)

  /// A night in which the UPDATE of a server cannot reach its agent: it waits for it, or was sent and
  /// lost on the way.
  private func world(isSent: Bool) -> EngineWorld {
    var world = EngineWorld(.laa([server, next]))
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, with: .ok)
    world.campaign("patch-11")
    world.run(until: server, .snapshot)
    if isSent { world.change(server) { $0.isDeaf = true } } else { world.disconnect(server) }
    world.run(until: server, .update)
    return world
  }

  private func state(_ world: EngineWorld) -> RunState { world.state[world.run(server)].state }

  /// Whether the agent has begun an update of the server.
  private func wasUpdated(_ world: EngineWorld) -> Bool {
    world.agents.contains {
      $0.name.text == server && $0.orders.contains { $0.command.kind == .update }
    }
  }

  @Test(arguments: [false, true])
  func `is not given again under the pause that a stop leaves`(isSent: Bool) {
    var world = world(isSent: isSent)
    world.disconnect(server)
    world.run(for: long)
    #expect(state(world) == .held(.lost))
    world.stop()
    world.release()
    world.connect(server)
    world.run(for: .seconds(3_600))
    #expect(state(world) == .pending(notBefore: nil))
    #expect(world.state.waits(world.run(server), now: world.now) == .paused(.all))
    #expect(!wasUpdated(world))
    world.resume()
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `is given again when nothing but its agent was missing`() {
    var world = world(isSent: false)
    world.run(for: long)
    #expect(state(world) == .held(.lost))
    world.connect(server)
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test(arguments: [HookPoint.preUpdate, .snapshot])
  func `is not prepared any more by a hook that a stop met while its agent was away`(
    point: HookPoint
  ) {
    var world = EngineWorld(.laa([server]))
    world.script.answer(point, attempt: 1, with: .never)
    world.campaign("patch-11")
    world.run(until: server, point == .snapshot ? .snapshot : .preCheck)
    world.disconnect(server)
    world.run(for: long)
    #expect(state(world) == .held(.lost))
    world.stop()
    world.release()
    world.connect(server)
    #expect(state(world) == .pending(notBefore: nil))
    world.script.answer(point, attempt: 1, with: point == .snapshot ? .snapshot : .ok)
    world.resume()
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  /// What people do at 01:00 because the update is bad.
  enum Second: CaseIterable { case cancel, retire }

  @Test(arguments: Second.allCases, [false, true])
  func `does not change a server that is to be left out`(second: Second, isSent: Bool) {
    for isLost in [false, true] {
      var world = world(isSent: isSent)
      if isLost || isSent { world.disconnect(server) }
      if isLost { world.run(for: long) }
      switch second {
      case .cancel: world.step(.cancelCampaign(CampaignID(0), reason: "bad", by: "anna"))
      case .retire: world.step(.retireServer(world.server(server), reason: "bad", by: "anna"))
      }
      world.run(for: .seconds(60))
      world.connect(server)
      world.settle()
      #expect(state(world) == .skipped(second == .cancel ? .cancelled : .retired))
      #expect(!wasUpdated(world))
      #expect(world.violations == [])
    }
  }

  @Test func `names no update that was excluded while it was on its way`() throws {
    var world = world(isSent: true)
    let update = UpdateID(trusted: "KB5031364")
    world.step(.excludeUpdate(CampaignID(0), update, reason: "breaks printing", by: "anna"))
    world.disconnect(server)
    world.connect(server)
    world.settle()
    #expect(state(world) == .completed(.updated))
    try Golden.expect(world, tells: "exclude-on-its-way")
  }

  @Test func `is not asked for again where a required update was excluded since`() {
    var world = EngineWorld(.laa([server]))
    let update = UpdateID(trusted: "KB5031364")
    world.script.answer(.update, with: .installs([], failing: ["KB5031364"]))
    world.campaign("patch-11", updateSet: UpdateSet(required: [update]))
    world.run(until: server, .reboot)
    world.step(.excludeUpdate(CampaignID(0), update, reason: "breaks printing", by: "anna"))
    world.settle()
    #expect(state(world) == .completed(.withExceptions))
    #expect(world.violations == [])
  }
}

/// What an attempt begins when its window is over (S2).
@Suite struct `An attempt that outlasts its window` {
  private let server = "LAA-PARIS-WEB01"
  private let nineHours = Duration.seconds(9 * 3_600)

  private func world(_ script: (inout EngineScript) -> Void = { _ in }) -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    script(&world.script)
    world.campaign("patch-11")
    world.run(until: server, .update)
    return world
  }

  private func state(_ world: EngineWorld) -> RunState { world.state[world.run(server)].state }

  private func waits(_ world: EngineWorld) -> Waiting? {
    world.state.waits(world.run(server), now: world.now)
  }

  @Test func `is parked before its boot when its agent comes back in the morning`() throws {
    var world = world()
    world.run(for: .seconds(600))
    world.disconnect(server)
    world.run(for: nineHours)
    #expect(state(world) == .held(.lost))
    world.connect(server)
    #expect(state(world) == .parked(next: .reboot))
    #expect(waits(world) == .window(next: EngineFleet.night(1).start))
    world.settle()
    #expect(state(world) == .completed(.updated))
    try Golden.expect(world, tells: "boot-of-the-morning")
  }

  @Test func `does not boot for an order of the night that arrives in the morning`() throws {
    var world = world()
    world.change(server) { $0.isDeaf = true }
    world.run(until: server, .reboot)
    world.disconnect(server)
    world.run(for: nineHours)
    #expect(state(world) == .held(.overdue))
    world.connect(server)
    #expect(state(world) == .parked(next: .reboot))
    world.settle()
    #expect(state(world) == .completed(.updated))
    try Golden.expect(world, tells: "boot-order-of-the-night")
  }

  @Test func `boots for an order that is given again in the same night`() {
    var world = world()
    world.change(server) { $0.isDeaf = true }
    world.run(until: server, .reboot)
    world.disconnect(server)
    world.run(for: .seconds(3_600))
    #expect(state(world) == .held(.overdue))
    world.connect(server)
    world.settle(upTo: .seconds(3_600))
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `boots in the next night, and installs its second round then`() {
    var world = world {
      $0.answer(.update, pass: 1, with: .installs(["KB1"], after: nineHours))
      $0.answer(.reboot, pass: 1, with: .findsMoreAfterBoot)
    }
    world.run { state($0) == .parked(next: .reboot) }
    #expect(waits(world) == .window(next: EngineFleet.night(1).start))
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.state[world.run(server)].pass == 2)
    #expect(world.violations == [])
  }

  @Test func `is checked before it waits for the next night with its second round`() {
    var world = world {
      $0.answer(
        .update, pass: 1, with: .installs(["KB1"], reboot: false, more: true, after: nineHours))
    }
    world.run { state($0).kind == .parked }
    #expect(state(world) == .parked(next: .update))
    #expect(world.story.contains("POST_CHECK"))
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `waits for a person when its agent does not boot in an open window`() {
    var world = world { $0.answer(.reboot, with: .ends(.refused, "NOT_AFTER", "too late")) }
    world.settle()
    #expect(state(world) == .held(.unhealthy))
    let error = world.state[world.run(server)].details.content.lastError
    #expect(error.contains("look at the server's clock"))
    #expect(world.violations == [])
  }

  @Test func `leaves the guests of a host up when their outage is over`() {
    var fleet = EngineFleet.laa(["LAA-PARIS-HV01", server])
    fleet.change(server) { $0.host = ServerName(trusted: "LAA-PARIS-HV01") }
    var world = EngineWorld(fleet)
    world.script.answer(.update, with: .installs(["KB1"], after: .seconds(7_200)))
    let host = Selection(servers: [ServerName(trusted: "LAA-PARIS-HV01")])
    world.campaign("hosts", selection: host)
    func outage() -> Outage {
      Outage(
        from: world.now, until: world.now + .seconds(3_600), reason: "agreed", principal: "anna",
        declaredAt: world.now)
    }
    world.step(.declareOutage(world.client("LAA"), outage()))
    let run = world.run("LAA-PARIS-HV01")
    world.run { $0.state[run].state == .parked(next: .reboot) }
    #expect(world.state.waits(run, now: world.now) == .outage(world.client("LAA")))
    world.step(.declareOutage(world.client("LAA"), outage()))
    world.settle()
    #expect(world.state[run].state == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `is not lost while a hook puts its server back`() throws {
    var world = world {
      $0.answer(.update, with: .failsToInstall("0x1", "no", retryable: false))
      $0.answer(
        .rollback,
        with: HookAnswer(after: .seconds(1_200), .verdict(.ok(backup: nil, snapshot: nil))))
    }
    world.run(until: server, .rollback)
    world.disconnect(server)
    world.run(for: .seconds(900))
    #expect(state(world) == .inProgress(Work(.rollback, .hook(.rollback))))
    world.run(for: .seconds(300))
    world.connect(server)
    world.settle()
    #expect(state(world) == .failed(.rolledBack))
    try Golden.expect(world, tells: "hook-reverts-slowly")
  }
}

/// Starts of their own that people forbid: another attempt, and a boot that was let go at once.
@Suite struct `What goes on by itself` {
  private let server = "LAA-PARIS-WEB01"

  private func state(_ world: EngineWorld) -> RunState { world.state[world.run(server)].state }

  @Test func `tries nothing again on a server that is locked`() {
    var world = EngineWorld(.laa([server]))
    world.script.answer(
      .update, attempt: 1, with: .failsToInstall("0x1", "no", retryable: true))
    world.campaign("patch-11")
    world.run(until: server, .update, .backoff)
    let lock = Latch(reason: "payroll", principal: "anna", since: world.now)
    world.step(.lockServer(world.server(server), lock))
    world.run(for: .seconds(3_600))
    #expect(state(world) == .parked(next: .update))
    #expect(world.state.waits(world.run(server), now: world.now) == .locked)
    world.step(.unlockServer(world.server(server), by: "anna"))
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.state[world.run(server)].attempt == 2)
    #expect(world.violations == [])
  }

  @Test func `tries nothing again while enough servers wait for people`() {
    var fleet = EngineFleet.laa([server])
    fleet.add("MRB", servers: ["MRB-PARIS-WEB01"])
    var world = EngineWorld(fleet)
    world.script.answer(
      .update, of: server, attempt: 1, with: .failsToInstall("0x1", "no", retryable: true))
    world.script.answer(
      .update, of: "MRB-PARIS-WEB01", with: .failsToInstall("0x2", "no", retryable: false))
    world.campaign(
      "patch-11",
      policy: .with {
        $0.maxWaitingForPeople = 1
        $0.autoRollback = false
      })
    world.run { $0.state[$0.run("MRB-PARIS-WEB01")].state == .held(.unhealthy) }
    world.run(for: .seconds(3_600))
    #expect(state(world) == .parked(next: .update))
    #expect(world.state.waits(world.run(server), now: world.now) == .people)
    world.resolve("MRB-PARIS-WEB01", .accept)
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  /// What ends leave to boot at once.
  enum End: CaseIterable { case stop, pause, pauseOfClient, resume }

  @Test(arguments: End.allCases)
  func `boots at once only until people say something else`(end: End) {
    var world = EngineWorld(.laa([server]))
    world.campaign("patch-11")
    world.run(until: server, .update)
    world.stop()
    world.run { state($0) == .parked(next: .reboot) }
    world.release()
    world.disconnect(server)
    world.run(for: .seconds(9 * 3_600))
    world.resume(now: true)
    #expect(world.state.waits(world.run(server), now: world.now) == .agent)
    switch end {
    case .stop:
      world.stop()
      world.release()
      world.resume()
    case .pause:
      world.step(.pauseCampaign(CampaignID(0), .all, reason: "wait", by: "anna"))
      world.resume()
    case .pauseOfClient:
      world.step(.pauseClient(world.client("LAA"), reason: "wait", by: "anna"))
      world.step(.resumeClient(world.client("LAA"), by: "anna"))
    case .resume:
      world.step(
        .pauseCampaign(CampaignID(0), .client(world.client("LAA")), reason: "", by: "anna"))
      world.resume(CampaignID(0), .client(world.client("LAA")))
    }
    world.connect(server)
    #expect(state(world) == .parked(next: .reboot))
    #expect(
      world.state.waits(world.run(server), now: world.now)
        == .window(next: EngineFleet.night(1).start))
    world.settle()
    #expect(state(world) == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `ends as rolled back, also when its campaign is cancelled before it goes again`() {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.rollback, with: .ok)
    world.script.answer(.update, with: .failsToInstall("0x1", "no", retryable: false))
    world.campaign("patch-11", policy: .with { $0.autoRollback = false })
    world.settle()
    #expect(state(world) == .held(.unhealthy))
    world.step(.pauseCampaign(CampaignID(0), .all, reason: "wait", by: "anna"))
    world.resolve(server, .retry)
    world.run { state($0).kind == .pending }
    world.step(.cancelCampaign(CampaignID(0), reason: "enough", by: "anna"))
    #expect(state(world) == .failed(.rolledBack))
    #expect(world.violations == [])
  }
}

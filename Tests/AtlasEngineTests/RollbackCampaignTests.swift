import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// `campaign create --rollback-of NAME`.
@Suite struct `A rollback campaign` {
  private let web = "LAA-PARIS-WEB01"
  private let dc = "LAA-PARIS-DC01"
  private let first = CampaignID(0)
  private static let hours = Duration.seconds(3_600)
  private static let kept = Policy.with { $0.snapshotRetention = hours * 6 }

  /// The morning after a campaign over a web server and a domain controller.
  private func world(
    policy: Policy = kept, servers: [String]? = nil,
    _ prepare: (inout EngineWorld) -> Void = { _ in }
  ) -> EngineWorld {
    var world = EngineWorld(.laa(servers ?? [web, dc]))
    prepare(&world)
    world.campaign("patch-11", policy: policy)
    world.settle()
    return world
  }

  private func draft(
    _ selection: Selection = Selection(), _ updateSet: UpdateSet = UpdateSet(),
    policy: Policy = Policy(), of campaign: Int = 0, name: String = "undo-11"
  ) -> Event {
    .createCampaign(
      CampaignDraft(
        name: CampaignName(trusted: name), selection: selection, updateSet: updateSet,
        policy: policy, rollbackOf: CampaignID(campaign)), by: "anna")
  }

  private func refusal(_ world: inout EngineWorld, _ event: Event) -> Refusal? {
    do {
      try world.obey(event)
      return nil
    } catch { return error }
  }

  private func original(_ world: EngineWorld) -> Run { world.state[world.run(web, in: first)] }
  private func undo(_ world: EngineWorld, _ campaign: Int = 1) -> Run {
    world.state[world.run(web, in: CampaignID(campaign))]
  }

  private func count(_ text: String, _ world: EngineWorld) -> Int {
    world.story.split(separator: "\n").count { $0.contains(text) }
  }

  @Test func `undoes completed servers, and leaves domain controllers to people`() {
    var world = world()
    let second = world.campaign("undo-11", rollbackOf: first)
    #expect(world.state.campaigns[1].runs.map(\.server) == [world.server(web)])
    #expect(
      world.state.notUndoable(of: second) == [
        NotUndoable(
          server: world.server(dc), reason: "has a role that is not rolled back (rollback: hold)")
      ])
    let run = world.run(web, in: second)
    #expect(original(world).details.content.undo == .planned(run))
    world.settle()
    #expect(undo(world).state == .completed(.rolledBack))
    #expect(original(world).details.content.undo == .done(run))
    #expect(original(world).details.content.snapshot == nil)
    #expect(original(world).details.content.kept == nil)
    #expect(world.state.campaigns[1].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `refuses what cannot be undone, with counts and reasons`() {
    var none = world(policy: Policy())
    #expect(
      refusal(&none, draft())
        == .notAllowed(
          code: .nothingToUndo,
          message: "patch-11 has completed 2 servers, and none can be undone "
            + "(1: has no snapshot any more; 1: has a role that is not rolled back "
            + "(rollback: hold))",
          hint: "snapshots are kept as long as `snapshot_retention` says; `rollback: uninstall` "
            + "needs none"))
    var empty = EngineWorld(.laa([web]))
    empty.draft("patch-11")
    #expect(
      refusal(&empty, draft())
        == .notAllowed(
          code: .nothingToUndo, message: "patch-11 has completed no server that is selected",
          hint: "`atlas campaign runs patch-11` shows what it did"))
    #expect(none.state.campaigns.count == 1)
    #expect(none.violations + empty.violations == [])
  }

  @Test func `refuses to roll back a rollback, or to install`() {
    var world = world()
    world.campaign("undo-11", rollbackOf: first)
    world.settle()
    #expect(
      refusal(&world, draft(of: 1, name: "redo-11"))
        == .invalid(
          field: "rollback_of",
          message: "undo-11 is a rollback campaign itself; what it undid is installed again by a "
            + "campaign that installs"))
    let updates = UpdateSet(include: [UpdateID(trusted: "KB1")])
    #expect(
      refusal(&world, draft(Selection(), updates, name: "undo-12"))
        == .invalid(
          field: "update_set",
          message: "a rollback campaign installs nothing; leave it out: what patch-11 installed is "
            + "to be gone"))
    #expect(
      refusal(
        &world,
        .excludeUpdate(CampaignID(1), UpdateID(trusted: "KB1"), reason: "bad", by: "anna"))
        == .notAllowed(
          code: .campaignState, message: "the campaign is COMPLETED",
          hint: "it installs nothing more"))
    #expect(world.violations == [])
  }

  @Test func `excludes no updates`() {
    var world = world()
    world.draft("undo-11", rollbackOf: first)
    #expect(
      refusal(
        &world,
        .excludeUpdate(CampaignID(1), UpdateID(trusted: "KB1"), reason: "bad", by: "anna"))
        == .notAllowed(
          code: .campaignState, message: "the campaign rolls another back, and installs nothing",
          hint: "exclude the update from the campaigns that install it"))
  }

  @Test func `undoes nothing twice, and nothing that another is to undo`() {
    var world = world(servers: [web])
    let second = world.draft("undo-11", rollbackOf: first)
    #expect(
      refusal(&world, draft(name: "undo-12"))?.text
        == "patch-11 has completed 1 server, and none can be undone "
        + "(1: is to be undone by undo-11)")
    world.step(.startCampaign(second, ifMatch: nil, hookRevision: "r1", by: "anna"))
    world.settle()
    #expect(
      refusal(&world, draft(name: "undo-12"))?.text
        == "patch-11 has completed 1 server, and none can be undone (1: was undone by undo-11)")
    #expect(world.violations == [])
  }

  @Test func `does not try again what it has undone`() {
    var world = world(servers: [web, "LAA-PARIS-WEB02"])
    let second = world.campaign("undo-11", rollbackOf: first)
    world.run { $0.state[$0.run(web, in: second)].state.kind.isTerminal }
    let again = Event.retryRun(world.run(web, in: second), reason: "again", by: "anna")
    #expect(
      refusal(&world, again)
        == .notAllowed(
          code: .nothingToUndo, message: "it cannot be undone any more: it was undone by undo-11",
          hint: "`atlas campaign runs patch-11` shows what it did"))
    #expect(world.violations == [])
  }

  @Test func `undoes only what was changed last`() {
    var world = world(servers: [web])
    world.campaign("patch-12", policy: Self.kept)
    world.settle()
    #expect(
      refusal(&world, draft())?.text
        == "patch-11 has completed 1 server, and none can be undone "
        + "(1: was changed again by patch-12)")
    world.campaign("undo-12", rollbackOf: CampaignID(1))
    world.settle()
    world.campaign("undo-11", rollbackOf: first)
    world.settle()
    #expect(undo(world, 3).state == .completed(.rolledBack))
    #expect(world.violations == [])
  }

  @Test func `starts only as it was made`() {
    var world = world(servers: [web])
    let second = world.draft("undo-11", rollbackOf: first)
    world.campaign("patch-12", policy: Self.kept)
    world.settle()
    #expect(
      refusal(&world, .startCampaign(second, ifMatch: nil, hookRevision: "", by: "anna"))
        == .changed(
          message: "LAA-PARIS-WEB01 cannot be undone any more: it was changed again by patch-12",
          hint: "make the campaign again"))
    #expect(world.violations == [])
  }

  @Test func `keeps the snapshot alive until it has ended there`() {
    var world = world(servers: [web])
    let second = world.draft("undo-11", rollbackOf: first)
    world.run(for: Self.hours * 30)
    world.crash()
    world.connect(web)
    world.run(for: Self.hours)
    #expect(original(world).details.content.snapshot?.id == "patch-11/LAA-PARIS-WEB01")
    world.step(.cancelCampaign(second, reason: "not needed", by: "anna"))
    #expect(original(world).details.content.undo == nil)
    world.run(for: .seconds(600))
    #expect(original(world).details.content.snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `uninstalls where its policy says so, with or without a snapshot`() {
    for policy in [Policy(), Self.kept] {
      var world = world(policy: policy, servers: [web])
      world.campaign("undo-11", policy: .with { $0.rollback = .uninstall }, rollbackOf: first)
      world.settle()
      #expect(undo(world).state == .completed(.rolledBack))
      #expect(count("by uninstall", world) == 1)
      #expect(original(world).details.content.snapshot == nil)
      #expect(world.violations == [])
    }
  }

  @Test func `tells the agent what is to be uninstalled, and what is to be gone`() throws {
    var set = UpdateSet(include: [UpdateID(trusted: "KB5031364")])
    var world = EngineWorld(.laa([web]))
    set.cutOff = world.now
    world.campaign("patch-11", policy: Self.kept, updateSet: set)
    world.settle()
    let second = world.campaign(
      "undo-11", policy: .with { $0.rollback = .uninstall }, rollbackOf: first)
    #expect(world.state.campaigns[1].updateSet == set)
    for (phase, kind) in [(Phase.rollback, CommandKind.rollback), (.verify, .health)] {
      world.run(until: web, phase, .agent, in: second)
      let command = try #require(world.store.lastCommand)
      #expect(command.kind == kind)
      #expect(command.updateSet == set)
      #expect(command.afterRollback == (kind == .health))
    }
    world.settle()
    #expect(world.violations == [])
  }

  @Test func `demands the backup that the client asks for`() {
    for age in [Duration.seconds(108_000), .seconds(24 * 3_600 - 60)] {
      var world = world(servers: [web])
      world.script.answer(.verifyBackup, with: .backup(age: age))
      world.script.answer(
        .enterMaintenance,
        with: HookAnswer(after: .seconds(120), .verdict(.ok(backup: nil, snapshot: nil))))
      world.script.answer(.leaveMaintenance, with: .ok)
      world.campaign("undo-11", rollbackOf: first)
      world.settle()
      #expect(undo(world).state == .notAttempted(.backup))
      #expect(undo(world).attempt == 0)
      #expect(count("-> ROLLBACK", world) == 0)
      #expect(original(world).details.content.undo == nil)
      #expect(original(world).details.content.snapshot != nil)
      #expect(world.violations == [])
    }
  }

  @Test func `is refused by an agent that has not begun, and held after a failure`() {
    var refused = world(servers: [web])
    refused.script.answer(.rollback, with: .ends(.refused, "E_BUSY", "a backup runs"))
    refused.campaign("undo-11", rollbackOf: first)
    refused.settle()
    #expect(undo(refused).state == .notAttempted(.busy))
    #expect(original(refused).details.content.kept?.removal == .waiting)
    var failed = world(servers: [web])
    failed.script.answer(.rollback, with: .ends(.failed, "E_REVERT"))
    let second = failed.campaign("undo-11", rollbackOf: first)
    failed.settle()
    #expect(undo(failed).state == .held(.rollbackFailed))
    #expect(failed.state.choices(failed.run(web, in: second)) == [.rollBack, .accept])
    failed.script.answer(.rollback, with: CommandAnswer.usual(.rollback))
    failed.resolve(web, .rollBack, in: second)
    failed.settle()
    #expect(undo(failed).state == .completed(.rolledBack))
    #expect(refused.violations + failed.violations == [])
  }

  @Test func `is held when the server is not well afterwards, until a person accepts it`() {
    var world = world(servers: [web])
    world.script.answer(.health, with: .unhealthy("a service does not run"))
    let second = world.campaign("undo-11", rollbackOf: first)
    world.settle()
    #expect(undo(world).state == .held(.unhealthy))
    world.resolve(web, .accept, in: second)
    #expect(undo(world).state == .failed(.accepted))
    #expect(original(world).details.content.undo == nil)
    #expect(
      refusal(&world, draft(name: "undo-12"))?.text
        == "patch-11 has completed 1 server, and none can be undone "
        + "(1: was changed again by undo-11)")
    world.run(for: Self.hours * 7)
    #expect(original(world).details.content.snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `of a server without a way back is refused`() {
    var world = world(servers: [web]) { $0.script.answer(.snapshot, with: .snapshot) }
    world.campaign("undo-11", rollbackOf: first)
    world.settle()
    #expect(undo(world).state == .notAttempted(.hook))
    #expect(
      undo(world).details.content.lastError == "a hook took the snapshot and none reverts it")
    #expect(world.violations == [])
  }

  @Test func `goes back by the hook that took the snapshot`() {
    var world = world(servers: [web]) {
      $0.script.answer(.snapshot, with: .snapshot)
      $0.script.answer(.finalize, with: .ok)
      $0.script.answer(.rollback, with: .ok)
    }
    world.campaign("undo-11", rollbackOf: first)
    world.settle()
    #expect(undo(world).state == .completed(.rolledBack))
    #expect(original(world).details.content.snapshot == nil)
    #expect(count("-> ROLLBACK", world) == 0)
    #expect(world.violations == [])
  }

  /// By phase and step: what a stop and its release make of it.
  private static let stops: [(Phase, Step)] = [
    (.preCheck, .hook(.verifyBackup)), (.rollback, .hook(.enterMaintenance)),
    (.rollback, .agent), (.verify, .agent), (.finalize, .agent),
  ]

  @Test(arguments: stops)
  func `finishes under a stop what it has begun, and begins nothing`(phase: Phase, step: Step) {
    var world = world(servers: [web])
    world.script.answer(.enterMaintenance, with: .ok)
    world.script.answer(.leaveMaintenance, with: .ok)
    let second = world.campaign("undo-11", rollbackOf: first)
    world.run(until: web, phase, step, in: second)
    world.stop()
    world.run(for: Self.hours)
    let isBegun = step == .agent
    #expect(undo(world).state == (isBegun ? .completed(.rolledBack) : .pending(notBefore: nil)))
    #expect(count("-> ROLLBACK", world) == (isBegun ? 1 : 0))
    world.release()
    if world.state.campaigns[1].state.isRunning { world.resume(second) }
    world.settle()
    #expect(undo(world).state == .completed(.rolledBack))
    #expect(world.violations == [])
  }

  @Test(arguments: stops)
  func `goes on when the daemon dies`(phase: Phase, step: Step) {
    var world = world(servers: [web])
    world.script.answer(.enterMaintenance, with: .ok)
    world.script.answer(.leaveMaintenance, with: .ok)
    let second = world.campaign("undo-11", rollbackOf: first)
    world.run(until: web, phase, step, in: second)
    world.crash()
    world.run(for: .seconds(20))
    world.connect(web)
    world.settle()
    #expect(undo(world).state == .completed(.rolledBack))
    #expect(original(world).details.content.snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `begins nothing after its window, and finishes there what it has begun`() {
    var world = world(
      policy: .with { $0.snapshotRetention = Self.hours * 24 }, servers: [web])
    world.script.answer(
      .enterMaintenance,
      with: HookAnswer(after: .seconds(890), .verdict(.ok(backup: nil, snapshot: nil))))
    world.script.answer(.leaveMaintenance, with: .ok)
    let times = Policy.with {
      $0.times.estimate = .seconds(60)
      $0.rollbackReserve = .zero
    }
    // Right before the window ends.
    world.run(for: EngineFleet.night().end - world.now - .seconds(300))
    world.campaign("undo-11", policy: times, endsAt: world.now + Self.hours, rollbackOf: first)
    world.settle()
    #expect(undo(world).state == .notAttempted(.window))
    #expect(count("-> ROLLBACK", world) == 0)
    #expect(world.violations == [])
  }

  @Test func `that is cancelled leaves out what it has not begun`() {
    var world = world(servers: [web])
    world.script.answer(.enterMaintenance, with: .ok)
    world.script.answer(.leaveMaintenance, with: .ok)
    let second = world.campaign("undo-11", rollbackOf: first)
    world.run(until: web, .rollback, .hook(.enterMaintenance), in: second)
    world.step(.cancelCampaign(second, reason: "enough", by: "anna"))
    world.settle()
    #expect(undo(world).state == .skipped(.cancelled))
    #expect(original(world).details.content.undo == nil)
    #expect(world.violations == [])
  }

  @Test func `may be tried again where it was refused`() {
    var world = world(servers: [web, "LAA-PARIS-WEB02"])
    world.script.answer(.rollback, of: web, with: .refuses("not now"))
    let second = world.campaign("undo-11", rollbackOf: first)
    world.run { $0.state[$0.run(web, in: second)].state.kind.isTerminal }
    world.script.answer(.rollback, of: web, with: CommandAnswer.usual(.rollback))
    world.step(.retryRun(world.run(web, in: second), reason: "now", by: "anna"))
    #expect(original(world).details.content.undo == .planned(world.run(web, in: second)))
    world.settle()
    #expect(undo(world).state == .completed(.rolledBack))
    #expect(world.violations == [])
  }
}

extension Refusal {
  fileprivate var text: String? {
    if case .notAllowed(_, let message, _) = self { message } else { nil }
  }
}

import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// What the engine knows of windows, and what it says about servers that fit into none.
@Suite struct `Windows` {
  private let day = Duration.seconds(86_400)

  /// One client with a window of four hours on each of these days.
  private func fleet(_ days: [Int], servers: [String] = ["LAA-PARIS-WEB01"]) -> EngineFleet {
    var fleet = EngineFleet()
    let windows = days.map { EngineFleet.night($0, hours: 4) }
    fleet.add("LAA", servers: servers, windows: windows)
    return fleet
  }

  @Test(arguments: [([0, 7], 7), ([0, 13], 13), ([2, 16, 30], 2)])
  func `of the next fourteen days give a campaign its end`(days: [Int], last: Int) {
    var world = EngineWorld(fleet(days))
    let id = world.campaign("patch-11")
    #expect(world.state[campaign: id].endsAt == EngineFleet.night(last, hours: 4).end)
  }

  @Test(
    arguments: [
      (
        [], 6 * 3_600,
        "no server fits into a window before 2026-12-05 22:00 UTC: LAA-PARIS-WEB01 needs 1h (45m by "
          + "estimates of the policy, rollback_reserve 15m), and no window opens"
      ),
      (
        [0], 6 * 3_600,
        "no server fits into a window before 2026-12-05 22:00 UTC: LAA-PARIS-WEB01 needs 6h15m (6h by "
          + "estimates of the policy, rollback_reserve 15m), and the longest window leaves 4h"
      ),
    ] as [([Int], Int, String)])
  func `that no server fits into refuse the campaign`(
    days: [Int], estimate: Int, message: String
  ) {
    var world = EngineWorld(fleet(days))
    var draft = CampaignDraft(name: CampaignName(trusted: "patch-11"))
    draft.endsAt = world.now + day * 14
    if !days.isEmpty { draft.policy.times.estimate = .seconds(estimate) }
    let refusal = Refusal.notAllowed(
      code: .noWindow, message: message,
      hint: "widen the windows, end the campaign later, or lower estimates and rollback_reserve")
    #expect(throws: refusal) { try world.obey(.createCampaign(draft, by: "anna")) }
    #expect(world.state.campaigns.isEmpty)
    // One server that fits is enough; the others are warned about.
    draft.policy.roleTimes = []
    draft.policy.times.estimate = .seconds(1_800)
    if !days.isEmpty {
      #expect(throws: Never.self) { try world.obey(.createCampaign(draft, by: "anna")) }
    }
  }

  @Test func `that nothing more fits into refuse the edit, and nothing has changed`() {
    var world = EngineWorld(fleet([0], servers: ["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    let id = world.campaign("patch-11", endsAt: world.now + day * 20)
    world.step(.pauseCampaign(id, .all, reason: "wait", by: "anna"))
    world.settle()
    let before = world.state
    var policy = before[campaign: id].policy
    policy.times.estimate = .seconds(6 * 3_600)
    policy.roleTimes = []
    let longer = Event.editCampaign(id, CampaignEdit(policy: policy, changes: "x"), by: "anna")
    #expect(refusedCode(of: longer, &world) == .noWindow)
    let after = world.state[campaign: id]
    #expect(after.policy == before[campaign: id].policy)
    #expect(after.version == before[campaign: id].version)
    #expect(after.earlier.isEmpty)
    // What is not the edit's doing is no reason to refuse it: no window is left.
    world.run(for: day * 2)
    #expect(refusedCode(of: longer, &world) == nil)
    #expect(world.state[campaign: id].policy == policy)
  }

  @Test func `that were asked for again are not listened to`() {
    var world = EngineWorld(fleet([0]))
    let id = world.client("LAA")
    let asked = world.state[client: id].windowsAsked
    world.step(
      .windowsExpanded(id, [], until: world.now + day, question: asked - 1))
    #expect(world.state[client: id].windows == [EngineFleet.night(0, hours: 4)])
    world.step(.windowsExpanded(id, [], until: world.now + day, question: asked))
    #expect(world.state[client: id].windows.isEmpty)
  }

  /// The client's zone is another, or the campaign has windows of its own.
  private func change(
    _ isEdit: Bool, _ world: EngineWorld, _ campaign: CampaignID
  ) -> Event {
    guard isEdit else {
      var config = world.state[client: world.client("LAA")].config
      config.zone = "Asia/Tokyo"
      return .fleetImported(clients: [config], servers: [], by: "anna")
    }
    var policy = world.state[campaign: campaign].policy
    policy.windows = MaintenanceWindow(rule: "Sun 03:00-04:00")
    return .editCampaign(campaign, CampaignEdit(policy: policy, changes: "windows"), by: "anna")
  }

  @Test(arguments: [true, false])
  func `that people have changed start nothing before they are worked out`(
    isEdit: Bool
  ) throws {
    var world = EngineWorld(fleet([0]))
    let id = world.client("LAA")
    world.step(.pauseClient(id, reason: "month end", by: "anna"))
    let campaign = world.campaign("patch-11")
    let run = world.run("LAA-PARIS-WEB01")
    // The calendar is slow: what is asked is answered later.
    var state = world.state
    let effects = try state.step(change(isEdit, world, campaign), now: world.now)
    let asked = state[client: id].windowsAsked
    #expect(effects.contains(.expandWindows(id, question: asked)))
    _ = try state.step(.resumeClient(id, by: "anna"), now: world.now)
    #expect(state.waits(run, now: world.now) == .window(next: nil))
    let night = EngineFleet.night(0, hours: 4)
    let own = [NarrowedWindows(campaign: campaign, windows: [night])]
    _ = try state.step(
      .windowsExpanded(
        id, [night], narrowed: isEdit ? own : [], until: night.end, question: asked),
      now: world.now)
    #expect(state[run].state.kind == .inProgress)
  }

  /// A night whose server has failed once, and waits for its next attempt.
  private func betweenAttempts() -> (world: EngineWorld, campaign: CampaignID, run: RunRef) {
    var world = EngineWorld(fleet([0]))
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    let campaign = world.campaign("patch-11")
    world.run(until: "LAA-PARIS-WEB01", .update, .backoff)
    return (world, campaign, world.run("LAA-PARIS-WEB01"))
  }

  @Test func `that people have changed keep a server parked between its attempts`() throws {
    let (night, campaign, run) = betweenAttempts()
    var world = night
    let id = world.client("LAA")
    world.stop("LAA")
    world.release("LAA")
    var state = world.state
    _ = try state.step(change(false, world, campaign), now: world.now)
    _ = try state.step(.resumeClient(id, by: "anna"), now: world.now)
    #expect(state[run].state == .parked(next: .update))
    #expect(state.waits(run, now: world.now) == .window(next: nil))
    _ = try state.step(
      .windowsExpanded(
        id, [EngineFleet.night(0, hours: 4)], until: world.now + day,
        question: state[client: id].windowsAsked), now: world.now)
    #expect(state[run].state == .inProgress(Work(.update, .agent)))
    #expect(state[run].attempt == 2)
  }

  @Test(arguments: [true, false])
  func `that people have changed roll nothing back before they are worked out`(
    isEdit: Bool
  ) throws {
    let (world, campaign, run) = betweenAttempts()
    var state = world.state
    _ = try state.step(change(isEdit, world, campaign), now: world.now)
    let due = world.now + .seconds(600)
    _ = try state.step(.timePassed, now: due)
    #expect(state[run].state == .inProgress(Work(.update, .backoff)))
    let night = EngineFleet.night(0, hours: 4)
    let own = [NarrowedWindows(campaign: campaign, windows: [night])]
    _ = try state.step(
      .windowsExpanded(
        world.client("LAA"), [night], narrowed: isEdit ? own : [], until: night.end,
        question: state[client: world.client("LAA")].windowsAsked), now: due)
    _ = try state.step(.timePassed, now: due + .seconds(1))
    #expect(state[run].attempt == 2)
  }

  @Test func `are known fourteen days ahead whenever a campaign starts`() {
    var world = EngineWorld(fleet(Array(0..<40)))
    for start in [0, 5, 9, 13, 20] {
      world.run(for: EngineFleet.start + day * start - world.now)
      let known = world.state[client: world.client("LAA")].windowsUntil - world.now
      #expect(known >= day * 13, "on day \(start)")
    }
  }

  @Test func `are asked for again for as long as a campaign goes on`() {
    var world = EngineWorld(fleet([0, 40]))
    let name = "LAA-PARIS-WEB01"
    world.step(.pauseClient(world.client("LAA"), reason: "month end", by: "anna"))
    world.campaign("patch-11", endsAt: EngineFleet.start + day * 42)
    world.run(for: day)
    world.step(.resumeClient(world.client("LAA"), by: "anna"))
    #expect(world.state.waits(world.run(name), now: world.now) == .window(next: nil))
    world.settle(upTo: day * 42)
    let run = world.state[world.run(name)]
    #expect(run.state == .completed(.updated))
    #expect(run.startedAt == EngineFleet.night(40).start)
    #expect(world.violations == [])
  }

  @Test func `that are too short for a server are said at the start`() throws {
    var policy = Policy()
    var long = PhaseTimes()
    long.estimate = .seconds(4 * 3_600)
    policy.roleTimes = [RoleTimes(role: Role(trusted: "SQL"), times: long)]
    var world = EngineWorld(fleet([0, 1], servers: ["LAA-PARIS-WEB01", "LAA-PARIS-SQL01"]))
    world.campaign("patch-11", policy: policy)
    world.settle()
    try Golden.expect(world, tells: "fits-no-window")
  }

  @Test func `cannot help a campaign whose end has passed before its start`() {
    var world = EngineWorld(fleet([0, 1]))
    let id = world.draft("patch-11", endsAt: world.now + day)
    world.run(for: day * 2)
    let refusal = #expect(throws: Refusal.self) {
      try world.obey(.startCampaign(id, ifMatch: nil, hookRevision: "r1", by: "anna"))
    }
    #expect(
      refusal
        == .notAllowed(
          code: .campaignState, message: "its end has passed already",
          hint: "make it again with a later ends_at, or without one"))
  }
}

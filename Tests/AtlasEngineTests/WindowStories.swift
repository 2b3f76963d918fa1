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
        "no server fits into a window before 2026-12-05 22:00 UTC: LAA-PARIS-WEB01 needs 1h with its "
          + "reserve, and no window opens"
      ),
      (
        [0], 6 * 3_600,
        "no server fits into a window before 2026-12-05 22:00 UTC: LAA-PARIS-WEB01 needs 6h15m with "
          + "its reserve, and the longest window has 4h"
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

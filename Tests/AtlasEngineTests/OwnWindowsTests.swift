import AtlasModel
import AtlasTestKit
import Testing

@testable import AtlasEngine

@Suite struct `A campaign with windows of its own` {
  private static let first = "LAA-PARIS-WEB01"
  private static let second = "LAA-PARIS-WEB02"

  /// A time of the first night, or of one that begins so many days later.
  private static func at(_ hour: Int, night: Int = 0) -> Instant {
    EngineFleet.night(night).start + .seconds(hour * 3_600)
  }

  /// Two servers of a client that may be worked on from 22:00 to 06:00; the campaign only from
  /// midnight to one, and in the next night from 23:00 on. A server needs an hour.
  private static func world(start: Bool = true) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [first, second])
    var world = EngineWorld(fleet)
    world.ownWindows = [
      Interval(start: at(2), end: at(3)), Interval(start: at(1, night: 1), end: at(20, night: 1)),
    ]
    var policy = Policy()
    policy.windows = MaintenanceWindow(rule: "as the world says")
    if start {
      world.campaign("patch-11", policy: policy)
    } else {
      world.draft("patch-11", policy: policy)
    }
    return world
  }

  @Test func `starts a server only while both are open, and names the next time`() {
    var world = Self.world()
    let run = world.run(Self.first)
    #expect(world.state.waits(run, now: world.now) == .window(next: Self.at(2)))
    world.settle()
    #expect(world.state[run].startedAt == Self.at(2))
    // Nobody is begun when less than an hour is left.
    #expect(world.state[world.run(Self.second)].startedAt == Self.at(1, night: 1))
    #expect(world.violations == [])
  }

  @Test func `knows them again after a crash`() {
    var world = Self.world()
    world.crash()
    for server in [Self.first, Self.second] { world.connect(server) }
    #expect(
      world.state.waits(world.run(Self.first), now: world.now) == .window(next: Self.at(2)))
    world.settle()
    #expect(world.state[world.run(Self.first)].startedAt == Self.at(2))
    #expect(world.violations == [])
  }

  @Test func `waits while they are not known, and ends with the last of them`() {
    var world = Self.world(start: false)
    let id = CampaignID(0)
    world.step(.startCampaign(id, ifMatch: nil, hookRevision: "r1", by: "anna"))
    // The client's window ends before the campaign's does.
    #expect(world.state[campaign: id].endsAt == EngineFleet.night(1).end)
    world.step(
      .windowsExpanded(
        ClientID(0), [EngineFleet.night()],
        narrowed: [NarrowedWindows(campaign: id, windows: [])], until: .distantFuture,
        question: world.state[client: ClientID(0)].windowsAsked))
    #expect(world.state.waits(world.run(Self.first), now: world.now) == .window(next: nil))
  }

  @Test(
    arguments: [
      ([(0, 8)], [(2, 3)], [(2, 3)]), ([(2, 3)], [(0, 8)], [(2, 3)]),
      ([(0, 4), (6, 8)], [(3, 7)], [(3, 4), (6, 7)]), ([(0, 4)], [(4, 8)], []),
      ([(0, 4)], [], []), ([], [(0, 4)], []), ([(0, 9)], [(1, 2), (3, 4)], [(1, 2), (3, 4)]),
      ([(0, 2), (3, 5)], [(0, 2), (3, 5)], [(0, 2), (3, 5)]),
    ])
  func `works in what both have in common`(
    mine: [(Int, Int)], theirs: [(Int, Int)], common: [(Int, Int)]
  ) {
    func intervals(_ hours: [(Int, Int)]) -> [Interval] {
      hours.map { Interval(start: Self.at($0.0), end: Self.at($0.1)) }
    }
    #expect(intervals(mine).intersection(intervals(theirs)) == intervals(common))
  }
}

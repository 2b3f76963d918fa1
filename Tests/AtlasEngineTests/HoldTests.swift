import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Held runs: their class, who looks after them, and by when.
@Suite struct `A held run` {
  /// How a server comes to be held.
  enum Way: CaseIterable {
    case unhealthy, lost, rollbackFailed, overdueInUpdate, overdueInReboot, journalLost

    var hold: Hold {
      switch self {
      case .unhealthy: .unhealthy
      case .lost: .lost
      case .rollbackFailed: .rollbackFailed
      case .overdueInUpdate, .overdueInReboot: .overdue
      case .journalLost: .agentStateLost
      }
    }

    var holdClass: HoldClass {
      switch self {
      case .unhealthy, .lost, .rollbackFailed, .overdueInReboot: .down
      case .overdueInUpdate, .journalLost: .unverified
      }
    }
  }

  private static let server = "LAA-PARIS-WEB01"
  private static let window = EngineFleet.night()
  private static let lastWindow = EngineFleet.night(2)

  /// A world in which WEB01 has come to be held, and stays so.
  private static func held(_ way: Way, endsAt: Instant? = nil) -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    let fails = CommandAnswer.failsToInstall("0x800F0922", "servicing failed", retryable: false)
    var policy = Policy()
    switch way {
    case .unhealthy:
      policy.autoRollback = false
      world.script.answer(.update, with: fails)
    case .rollbackFailed:
      world.script.answer(.update, with: fails)
      world.script.answer(.rollback, with: .ends(.failed, "E_REVERT", "no"))
    case .overdueInUpdate: world.script.answer(.update, with: .hangs())
    case .overdueInReboot: world.script.answer(.reboot, with: .hangs())
    case .lost, .journalLost: break
    }
    world.campaign("patch-11", policy: policy, endsAt: endsAt)
    if way == .lost || way == .journalLost {
      world.run(until: server, .update)
      world.run(for: .seconds(30))
      world.disconnect(server)
      if way == .journalLost {
        world.change(server) { $0.loseJournal() }
        world.connect(server)
      }
    }
    world.run { $0.state[$0.run(server)].state.kind == .held }
    return world
  }

  private static func care(
    owner: String = "", deadline: Instant?, isOverdue: Bool = false
  ) -> HoldCare {
    var care = HoldCare()
    care.owner = owner
    care.deadline = deadline
    care.isOverdue = isOverdue
    return care
  }

  private func run(_ world: EngineWorld) -> Run { world.state[world.run(Self.server)] }

  private func overdueRecords(_ world: EngineWorld) -> Int {
    world.story.split(separator: "\n").count { $0.contains("run.hold_overdue") }
  }

  @Test(arguments: Way.allCases)
  func `is down or unverified, and should be decided by the window's or the campaign's end`(
    way: Way
  ) {
    let world = Self.held(way)
    #expect(run(world).state == .held(way.hold))
    #expect(run(world).holdClass == way.holdClass)
    let deadline = way.holdClass == .down ? Self.window.end : Self.lastWindow.end
    #expect(run(world).details.content.care == Self.care(deadline: deadline))
    #expect(world.state.campaigns[0].down == (way.holdClass == .down ? [0] : []))
    #expect(world.violations == [])
  }

  @Test(arguments: Way.allCases)
  func `is called overdue once when its deadline passes`(way: Way) {
    var world = Self.held(way)
    let deadline = way.holdClass == .down ? Self.window.end : Self.lastWindow.end
    world.run(for: deadline - world.now - .seconds(1))
    #expect(overdueRecords(world) == 0)
    world.run(for: .seconds(1))
    #expect(overdueRecords(world) == 1)
    #expect(run(world).state == .held(way.hold))
    let overdue = Self.care(deadline: deadline, isOverdue: true)
    #expect(run(world).details.content.care == overdue)
    world.run(for: .seconds(5 * 86_400))
    #expect(overdueRecords(world) == 1)
    #expect(world.violations == [])
  }

  @Test(arguments: [-3_600, 3_600])
  func `is called overdue once by a daemon that starts again`(afterDeadline seconds: Int) {
    var world = Self.held(.unhealthy)
    world.run(for: Self.window.end - world.now + .seconds(seconds))
    world.crash()
    #expect(run(world).details.content.care?.deadline == Self.window.end)
    world.run(for: .seconds(2 * 3_600))
    #expect(overdueRecords(world) == 1)
    #expect(world.violations == [])
  }

  @Test func `is called overdue at once when the deadline passed while the daemon was away`() {
    var stored = Self.held(.unhealthy).store.stored(fence: Fence(9))
    stored.campaigns[0].runs[0].details.content.care?.owner = "anna"
    var state = ControlState(stored: stored, floors: ControlState.Floors())
    let late = Self.window.end + .seconds(7_200)
    _ = state.wake(now: late)
    #expect(state.nextDeadline == Self.window.end)
    let effects = try? state.step(.timePassed, now: late)
    let records: [Record] = (effects ?? []).compactMap {
      if case .record(let record) = $0 { record } else { nil }
    }
    #expect(records.map(\.kind) == [.runHoldOverdue])
    let reason = "the server should be up again by now; anna has claimed it"
    #expect(records.map(\.reason) == [reason])
  }

  @Test func `has an hour when it is down outside its window, and else no deadline in the past`() {
    let ended = Self.held(.journalLost, endsAt: EngineFleet.start + .seconds(60))
    #expect(run(ended).details.content.care == Self.care(deadline: nil))
    var late = EngineWorld(.laa([Self.server]))
    var fails = CommandAnswer.failsToInstall("0x800F0922", "servicing failed", retryable: false)
    fails.after = .seconds(9 * 3_600)
    late.script.answer(.update, with: fails)
    late.script.answer(.rollback, with: .ends(.failed, "E_REVERT", "no"))
    late.campaign("patch-11")
    late.run { $0.state[$0.run(Self.server)].state == .held(.rollbackFailed) }
    #expect(late.now > Self.window.end)
    let deadline = late.now + Limits.holdGrace
    #expect(run(late).details.content.care == Self.care(deadline: deadline))
    #expect(late.violations == [])
  }

  @Test func `is claimed, taken over, and forgets its owner when it goes on`() throws {
    var world = Self.held(.unhealthy)
    let ref = world.run(Self.server)
    let deadline = Self.window.end
    world.step(.claimRun(ref, by: "anna"))
    #expect(run(world).details.content.care == Self.care(owner: "anna", deadline: deadline))
    let version = run(world).version
    world.step(.claimRun(ref, by: "anna"))
    #expect(run(world).version == version)
    world.step(.claimRun(ref, by: "bruno"))
    #expect(run(world).details.content.care == Self.care(owner: "bruno", deadline: deadline))
    world.run(for: Self.window.end - world.now)
    world.script.answer(.rollback, with: .ends(.failed, "E_REVERT", "no"))
    world.resolve(Self.server, .rollBack)
    #expect(run(world).details.content.care == nil)
    world.run { $0.state[$0.run(Self.server)].state == .held(.rollbackFailed) }
    // Nobody's window is open any more.
    let soon = world.now + Limits.holdGrace
    #expect(run(world).details.content.care == Self.care(deadline: soon))
    world.resolve(Self.server, .accept)
    #expect(run(world).details.content.care == nil)
    try Golden.expect(world, tells: "claimed")
  }

  @Test func `keeps its owner when it is held for another reason`() {
    var world = Self.held(.overdueInReboot)
    world.step(.claimRun(world.run(Self.server), by: "anna"))
    world.disconnect(Self.server)
    world.change(Self.server) { $0.loseJournal() }
    world.connect(Self.server)
    #expect(run(world).state == .held(.agentStateLost))
    let care = Self.care(owner: "anna", deadline: Self.lastWindow.end)
    #expect(run(world).details.content.care == care)
    #expect(world.violations == [])
  }

  @Test func `is the only one that is claimed`() {
    var world = EngineWorld(.laa([Self.server]))
    world.campaign("patch-11")
    let ref = world.run(Self.server)
    let refusal = #expect(throws: Refusal.self) { try world.obey(.claimRun(ref, by: "anna")) }
    #expect(
      refusal
        == .notAllowed(
          code: .runState, message: "the run is IN_PROGRESS",
          hint: "only a HELD run is claimed"))
    #expect(world.violations == [])
  }
}

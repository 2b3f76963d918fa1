import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Fences that no counter ever drew, as a broken or a hostile agent names them.
@Suite struct `A fence in a Hello` {
  private static let server = "LAA-PARIS-WEB01"
  private static let drawn: UInt64 = 1

  /// Where a journal can name a fence.
  enum Place: CaseIterable {
    case highest, command, report
  }

  /// A world whose counter is at 1.
  private var world: EngineWorld {
    var world = EngineWorld(.laa([Self.server]), connected: false)
    world.stop()
    return world
  }

  private func hello(_ fence: UInt64, in place: Place) -> Hello {
    let fence = Fence(fence)
    var hello = Hello(
      server: ServerName(trusted: Self.server), agentVersion: "1.0.0", bootID: "b")
    switch place {
    case .highest: hello.highestFence = fence
    case .command:
      hello.command = CommandStatus(fence: fence, kind: .update, progress: .begun, changed: true)
    case .report:
      let progress = CommandReport.Event.progress(ProgressReport(percent: 1))
      hello.reports = [CommandReport(fence: fence, seq: 1, at: EngineFleet.start, event: progress)]
    }
    return hello
  }

  @Test(
    arguments: [0, drawn, drawn + 1, drawn + Limits.fenceLead], Place.allCases)
  func `lifts the counter when it is near`(fence: UInt64, place: Place) {
    var world = world
    world.step(.agentBack(ServerID(0), hello(fence, in: place)))
    #expect(world.state.fence == Fence(max(fence, Self.drawn)))
    #expect(world.state.servers[0].connected)
    #expect(!world.story.contains("agent.refused"))
  }

  @Test(
    arguments: [
      drawn + Limits.fenceLead + 1, Limits.highestFence / 2 + 1, Limits.highestFence,
      UInt64(Int64.max), .max - 1, .max,
    ], Place.allCases)
  func `is not believed when it is far away`(fence: UInt64, place: Place) {
    var world = world
    world.step(.agentBack(ServerID(0), hello(fence, in: place)))
    #expect(world.state.fence == Fence(Self.drawn))
    #expect(!world.state.servers[0].connected)
    let reason =
      "its journal names fence \(fence), which was never drawn: the highest here is 1; "
      + "clear the agent's journal"
    #expect(world.state.doubt(about: hello(fence, in: place)) == reason)
    #expect(world.story.hasSuffix("agent.refused        \(Self.server) “\(reason)”\n"))
    world.stop()
    #expect(world.state.fence == Fence(Self.drawn + 1))
    #expect(world.violations == [])
  }

  @Test func `is told once, and again after a Hello that was believed`() {
    var world = world
    let absurd = hello(.max, in: .highest)
    var refusals: [Int] = []
    for hello in [absurd, absurd, hello(1, in: .highest), absurd] {
      world.step(.agentBack(ServerID(0), hello))
      refusals.append(world.story.split(separator: "\n").count { $0.contains("agent.refused") })
    }
    #expect(refusals == [1, 1, 1, 2])
  }

  @Test func `lifts the counter no further than to half of what there is`() {
    var world = world
    for _ in 0..<3 {
      let next = world.state.fence.number + Limits.fenceLead
      world.step(.agentBack(ServerID(0), hello(next, in: .highest)))
    }
    #expect(world.state.fence == Fence(Self.drawn + 3 * Limits.fenceLead))

    var stored = StoredControl()
    stored.fence = Fence(Limits.highestFence / 2)
    let lifted = ControlState(stored: stored, floors: ControlState.Floors())
    #expect(lifted.doubt(about: hello(Limits.highestFence / 2, in: .highest)) == nil)
    #expect(lifted.doubt(about: hello(Limits.highestFence / 2 + 1, in: .highest)) != nil)
  }

  @Test(arguments: [1, 3, Limits.highestFence, UInt64(Int64.max), .max])
  func `of an answer or a report that nobody waits for changes nothing`(number: UInt64) {
    var world = EngineWorld(.laa([Self.server]))
    world.campaign("patch-11")
    world.run(until: Self.server, .update)
    let before = world.state[world.run(Self.server)]
    let fence = Fence(number)
    for verdict in [CommandAcknowledgement.Verdict.accepted, .stale, .refused] {
      world.step(
        .acknowledged(ServerID(0), CommandAcknowledgement(fence: fence, verdict: verdict)))
    }
    let result = CommandReport(
      fence: fence, seq: .max, at: world.now, event: .result(CommandResult(status: .failed)))
    world.step(.reported(ServerID(0), result))
    world.step(.commandSent(ServerID(0), fence))
    #expect(world.state[world.run(Self.server)] == before)
    world.stop()
    #expect(world.violations == [])
  }
}

import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// For evidence: when a server was away although nobody here had ordered it.
@Suite struct `The return of a server` {
  private static let first = "LAA-PARIS-APP01"
  private static let second = "LAA-PARIS-APP02"
  private static let third = "LAA-PARIS-SQL01"

  private var world: EngineWorld { EngineWorld(.laa([Self.first, Self.second, Self.third])) }

  /// Lines of the story that tell of a return.
  private func returns(_ world: EngineWorld) -> [String] {
    world.story.split(separator: "\n").filter { $0.contains("server.back") }
      .map { String($0.drop { $0 != "L" }) }
  }

  @Test func `is recorded with since when it was away`() {
    var world = world
    world.run(for: .seconds(60))
    let since = world.now
    world.disconnect(Self.third)
    world.run(for: .seconds(300))
    #expect(world.state.absence(of: world.server(Self.third), now: world.now) == since)
    world.connect(Self.third)
    #expect(
      returns(world) == [
        "\(Self.third) {\(since.milliseconds)} “it had been silent since \(since.words)”"
      ])
    #expect(world.state.absence(of: world.server(Self.third), now: world.now) == nil)
    #expect(world.violations == [])
  }

  @Test func `is not recorded when it was away for no longer than it may be`() {
    var world = world
    world.disconnect(Self.third)
    world.run(for: .seconds(240))
    world.connect(Self.third)
    #expect(returns(world) == [])
  }

  @Test func `is recorded also when somebody had dismissed it`() {
    var world = world
    world.disconnect(Self.third)
    world.run(for: .seconds(300))
    world.step(.dismissServer(world.server(Self.third), reason: "a new disk", by: "anna"))
    world.run(for: .seconds(300))
    world.connect(Self.third)
    #expect(returns(world).count == 1)
  }

  @Test func `is not recorded when its own run holds a slot, whose records tell`() {
    var world = world
    world.campaign("patch-11")
    world.run(until: Self.first, .update)
    world.disconnect(Self.first)
    world.run(for: .seconds(3_600))
    #expect(world.state[world.run(Self.first)].state == .held(.lost))
    world.connect(Self.first)
    #expect(returns(world) == [])
  }

  @Test func `is measured across a death of the daemon`() {
    var world = world
    world.run(for: .seconds(60))
    let since = world.now
    world.disconnect(Self.third)
    world.run(for: .seconds(30))
    world.crash()
    world.connect(Self.first)
    world.run(for: .seconds(300))
    world.connect(Self.third)
    #expect(
      returns(world) == [
        "\(Self.third) {\(since.milliseconds)} “it had been silent since \(since.words)”"
      ])
  }

  @Test func `of one that was there when the daemon died is measured from its start`() {
    var world = world
    world.run(for: .seconds(60))
    world.crash()
    let start = world.now
    world.connect(Self.first)
    world.run(for: .seconds(300))
    let away = [Self.first, Self.third].map {
      world.state.absence(of: world.server($0), now: world.now)
    }
    #expect(away == [nil, start])
    world.connect(Self.third)
    #expect(
      returns(world) == [
        "\(Self.third) {\(start.milliseconds)} “it had said nothing since the start of the daemon "
          + "at \(start.words)”"
      ])
  }

  @Test func `is no concern when it is retired`() {
    var world = world
    world.disconnect(Self.third)
    world.step(.retireServer(world.server(Self.third), reason: "scrapped", by: "anna"))
    world.run(for: .seconds(300))
    #expect(world.state.absence(of: world.server(Self.third), now: world.now) == nil)
  }
}

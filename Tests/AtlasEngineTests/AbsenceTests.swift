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
  private func returns(_ world: EngineWorld, _ kind: String = "server.back") -> [String] {
    world.story.split(separator: "\n").filter { $0.contains(kind) }
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

  @Test func `is measured from the first start, however often the daemon dies after it`() {
    var world = world
    world.run(for: .seconds(60))
    world.crash()
    let start = world.now
    world.connect(Self.first)
    world.run(for: .seconds(300))
    world.crash()
    world.connect(Self.first)
    world.run(for: .seconds(30))
    world.connect(Self.third)
    #expect(
      returns(world) == [
        "\(Self.third) {\(start.milliseconds)} “it had said nothing since the start of the daemon "
          + "at \(start.words)”"
      ])
    #expect(world.violations == [])
  }

  @Test func `is no concern when it is retired`() {
    var world = world
    world.disconnect(Self.third)
    world.step(.retireServer(world.server(Self.third), reason: "scrapped", by: "anna"))
    world.run(for: .seconds(300))
    #expect(world.state.absence(of: world.server(Self.third), now: world.now) == nil)
    #expect(returns(world, "server.away") == [])
  }

  @Test func `is in the log as what it was until then when it is retired after it was away`() {
    var world = world
    world.run(for: .seconds(60))
    let since = world.now
    world.disconnect(Self.third)
    world.run(for: .seconds(300))
    world.step(.retireServer(world.server(Self.third), reason: "scrapped", by: "anna"))
    #expect(
      returns(world, "server.away") == [
        "\(Self.third) {\(since.milliseconds)} “it had been silent since \(since.words); it was "
          + "retired”"
      ])
    world.run(for: .seconds(600))
    world.connect(Self.third)
    #expect(returns(world) == [])
    #expect(world.violations == [])
  }

  @Test func `counts from when it is imported again after it was retired`() {
    var world = world
    let config = world.state[server: world.server(Self.third)].config
    world.disconnect(Self.third)
    world.step(.retireServer(world.server(Self.third), reason: "scrapped", by: "anna"))
    world.run(for: .seconds(600))
    let since = world.now
    world.step(.fleetImported(clients: [], servers: [config], by: "anna"))
    world.run(for: .seconds(300))
    world.crash()
    world.connect(Self.third)
    #expect(
      returns(world) == [
        "\(Self.third) {\(since.milliseconds)} “it had been silent since \(since.words), and "
          + "before”"
      ])
    #expect(world.violations == [])
  }

  @Test func `is each client's for its own time when the server becomes another's`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [Self.first, Self.third])
    fleet.add("NOR", servers: ["NOR-OSLO-FS01"])
    var world = EngineWorld(fleet)
    var config = world.state[server: world.server(Self.third)].config
    config.client = ClientName(trusted: "NOR")
    world.run(for: .seconds(60))
    let since = world.now
    world.disconnect(Self.third)
    world.run(for: .seconds(300))
    let moved = world.now
    world.step(.fleetImported(clients: [], servers: [config], by: "anna"))
    world.run(for: .seconds(300))
    world.connect(Self.third)
    #expect(
      returns(world, "server.away") == [
        "\(Self.third) {\(since.milliseconds)} “it had been silent since \(since.words); it "
          + "belongs to another client now”"
      ])
    #expect(
      returns(world) == [
        "\(Self.third) {\(moved.milliseconds)} “it had been silent since \(moved.words), and "
          + "before”"
      ])
    #expect(world.violations == [])
  }
}

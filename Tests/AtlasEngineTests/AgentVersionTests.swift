import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// The oldest agent that a campaign works with.
@Suite struct `An agent` {
  private static let servers = ["LAA-PARIS-APP01", "LAA-PARIS-APP02"]

  /// A campaign for which APP01's agent says that it is of `version`, and APP02's is new enough.
  private func world(
    _ version: String, least: String = "1.4.2", _ change: (inout Policy) -> Void = { _ in }
  ) -> EngineWorld {
    var world = EngineWorld(.laa(Self.servers))
    update(&world, 0, to: version)
    update(&world, 1, to: "99")
    var policy = Policy.with(change)
    policy.minAgentVersion = AgentVersion(least)
    world.campaign("patch-11", policy: policy)
    return world
  }

  private func update(_ world: inout EngineWorld, _ index: Int, to version: String) {
    world.disconnect(Self.servers[index])
    world.change(Self.servers[index]) { $0.version = version }
    world.connect(Self.servers[index])
  }

  private func run(_ world: EngineWorld, _ index: Int) -> Run {
    world.state[world.run(Self.servers[index])]
  }

  private func waits(_ world: EngineWorld) -> String {
    world.state.waitsText(world.run(Self.servers[0]), now: world.now)
  }

  @Test(arguments: [
    ("1.4.2", "1.4.2"), ("1.4.3", "1.4.2"), ("1.10", "1.9.9"), ("2", "1.99.99"),
    ("1.4", "1.4.0"), ("1.4.0", "1.4"), ("1.4.2.1", "1.4.2"), ("anything at all", ""),
  ])
  func `that is new enough is worked with`(version: String, least: String) {
    var world = world(version, least: least)
    world.settle()
    #expect(run(world, 0).state == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test(arguments: ["1.4.1", "1.3.99", "0", "1", "1.4", "", "1.4.2-beta", "v1.4.2", "1..4.2"])
  func `that is too old is passed by, and both versions are told`(version: String) {
    var world = world(version)
    world.settle()
    #expect(world.state.waits(world.run(Self.servers[0]), now: world.now) == .agentTooOld)
    let has = version.isEmpty ? "of no version" : version
    #expect(waits(world) == "a newer agent: its agent is \(has), and at least 1.4.2 is asked for")
    #expect(run(world, 0).state == .pending(notBefore: nil))
    #expect(run(world, 1).state == .completed(.updated))
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    #expect(world.violations == [])
  }

  @Test func `that was updated lets its server go on`() throws {
    var world = world("1.4.1")
    world.settle()
    update(&world, 0, to: "1.4.2")
    #expect(run(world, 0).state.kind == .inProgress)
    world.settle()
    try Golden.expect(world, tells: "agent-too-old")
  }

  @Test(arguments: [true, false])
  func `that is too old to the campaign's end is the reason of what was not done`(
    isConnected: Bool
  ) {
    var world = world("1.4.1")
    if !isConnected { world.disconnect(Self.servers[0]) }
    world.run { $0.state.campaigns[0].state.isTerminal }
    #expect(run(world, 0).state == .notAttempted(isConnected ? .noAgent : .offline))
    let problem = "its agent is 1.4.1, and at least 1.4.2 is asked for"
    let reason = isConnected ? problem : "its agent was offline at its turn"
    #expect(run(world, 0).details.content.lastError == reason)
    #expect(world.violations == [])
  }

  @Test func `that is too old leaves its server for later when the campaign is carried over`() {
    var world = world("1.4.1") { $0.carryOver = true }
    world.run { $0.state.campaigns[0].state.isTerminal }
    let next = world.state.clients[0].windows.first { $0.start > world.now }?.start
    #expect(run(world, 0).state == .postponed(until: next))
    #expect(world.violations == [])
  }

  @Test func `that is too old fetches no updates`() {
    var world = world("1.4.1") { $0.download = .beforeWindow }
    #expect(run(world, 0).command == nil)
    world.settle()
    #expect(!world.story.contains("DOWNLOAD LAA-PARIS-APP01"))
    #expect(world.violations == [])
  }

  @Test(arguments: [("1.4.2", "1.5"), ("1.5", "1.4.2"), ("1.5", ""), ("", "1.5")])
  func `must be as new as the higher of what campaign and client ask for`(
    campaign: String, client: String
  ) {
    var world = EngineWorld(.laa(Self.servers))
    update(&world, 0, to: "1.4.9")
    var policy = Policy()
    policy.minAgentVersion = AgentVersion(campaign)
    var own = Policy()
    own.minAgentVersion = AgentVersion(client)
    world.campaign(
      "patch-11", policy: policy,
      overrides: [ClientPolicy(client: world.client("LAA"), policy: own)])
    #expect(
      waits(world) == "a newer agent: its agent is 1.4.9, and at least 1.5 is asked for")
    #expect(world.violations == [])
  }

  @Test(arguments: [
    "", ".", "1.", ".1", "1..2", "a", "1.a", "-1", "+1", "1 ", "1234567890", "1.2.3.4.5.6.7.8.9",
    "１.２",
  ])
  func `version that is not numbers and dots is none`(text: String) {
    #expect(AgentVersion(text) == nil)
  }

  @Test func `version is compared number by number`() throws {
    let texts = ["0", "0.0.1", "1", "1.0.1", "1.2", "1.2.3", "1.10", "2", "999999999"]
    let versions = try texts.map { try #require(AgentVersion($0)) }
    #expect(versions.reversed().sorted() == versions)
    #expect(AgentVersion("1.2") == AgentVersion("1.2.0.0"))
    #expect(AgentVersion("1.2.0")?.text == "1.2.0")
    #expect(AgentVersion.higher(versions[3], versions[1]) == versions[3])
  }
}

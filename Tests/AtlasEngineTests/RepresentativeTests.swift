import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// No server starts in a ring before one like it has completed in an earlier one.
@Suite struct `A representative` {
  private static let sql = ServerKind(role: Role(trusted: "SQL"), system: "windows-2022")
  private static let app = ServerKind(role: Role(trusted: "APP"), system: "windows-2022")

  private static func world(_ change: (inout EngineFleet) -> Void = { _ in }) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("ATL", servers: ["ATL-LYON-WEB01", "ATL-LYON-APP02"])
    fleet.add("LAA", ring: .pilot, servers: ["LAA-PARIS-APP01", "LAA-PARIS-SQL01"])
    fleet.add("MRB", ring: .standard, servers: ["MRB-PARIS-APP01", "MRB-PARIS-SQL01"])
    change(&fleet)
    return EngineWorld(fleet)
  }

  private static func policy(representative: Bool = true) -> Policy {
    .with { policy in
      policy.gates = [Ring.canary, .pilot, .standard].map {
        RingGate(
          ring: $0, minCompleted: 1, gateSoak: .zero, representative: representative)
      }
    }
  }

  @Test func `is waited for as long as one may come, and else a person waives it`() throws {
    var world = Self.world()
    let id = world.campaign("patch-11", policy: Self.policy())
    // WEB01 opens the gate; APP02 of ring 0 comes behind it.
    world.run { $0.state[$0.run("ATL-LYON-WEB01")].state.kind == .completed }
    let app = world.run("LAA-PARIS-APP01")
    let sql = world.run("LAA-PARIS-SQL01")
    #expect(world.state.waits(app, now: world.now) == .representative(Self.app, mayCome: true))
    #expect(world.state.waits(sql, now: world.now) == .representative(Self.sql, mayCome: false))
    #expect(world.state.waits(app, now: world.now)?.needsPerson == false)
    #expect(world.state.waits(sql, now: world.now)?.needsPerson == true)
    world.settle()
    #expect(world.state[app].state == .completed(.updated))
    #expect(world.state[sql].state == .pending(notBefore: nil))
    #expect(world.state.isSettled(id, now: world.now))
    world.crash()
    for index in world.agents.indices { world.connect(ServerID(index)) }
    world.step(
      .waiveRepresentative(
        id, Role(trusted: "SQL"), system: "windows-2022", reason: "tested by hand", by: "anna"))
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    try Golden.expect(world, tells: "representative")
  }

  @Test func `is what an import says of it, also when it has completed`() throws {
    var world = Self.world()
    world.campaign("patch-11", policy: Self.policy())
    let client = world.client("LAA")
    world.step(.pauseClient(client, reason: "not yet", by: "anna"))
    world.run { $0.state[$0.run("ATL-LYON-APP02")].state.kind == .completed }
    var other = world.state[server: world.server("ATL-LYON-APP02")].config
    other.roles = [Role(trusted: "MX")]
    world.step(.fleetImported(clients: [], servers: [other], by: "anna"))
    world.step(.resumeClient(client, by: "anna"))
    world.settle()
    let waiting = world.state.waits(world.run("LAA-PARIS-APP01"), now: world.now)
    #expect(waiting == .representative(Self.app, mayCome: false))
    other.roles = [Role(trusted: "APP")]
    world.step(.fleetImported(clients: [], servers: [other], by: "anna"))
    world.settle()
    #expect(world.state[world.run("LAA-PARIS-APP01")].state == .completed(.updated))
  }

  @Test func `is one for each role of a server`() {
    var world = Self.world { fleet in
      fleet.change("LAA-PARIS-APP01") {
        $0.roles = [Role(trusted: "APP"), Role(trusted: "SQL")]
      }
    }
    world.campaign("patch-11", policy: Self.policy())
    world.settle()
    let waiting = world.state.waits(world.run("LAA-PARIS-APP01"), now: world.now)
    #expect(waiting == .representative(Self.sql, mayCome: false))
  }

  @Test func `is not asked for where the gate does not, nor in the first ring`() {
    var off = Self.world()
    off.campaign("patch-11", policy: Self.policy(representative: false))
    off.settle()
    #expect(off.state.campaigns[0].state == .completed)
    var alone = Self.world()
    alone.campaign(
      "patch-11", policy: Self.policy(), selection: Selection(rings: [.standard]))
    alone.settle()
    #expect(alone.state.campaigns[0].state == .completed)
    #expect(alone.violations == [])
  }

  @Test func `is told before a window that is too short, and before its agent`() {
    var world = Self.world()
    world.campaign("patch-11", policy: Self.policy())
    let sql = world.run("LAA-PARIS-SQL01")
    world.run { $0.state[$0.run("ATL-LYON-APP02")].state.kind == .completed }
    world.disconnect("LAA-PARIS-SQL01")
    for wait in [Duration.zero, .seconds(7 * 3_600 + 1_800)] {
      world.run(for: wait)
      let waiting = world.state.waits(sql, now: world.now)
      #expect(waiting == .representative(Self.sql, mayCome: false))
    }
    // It is not its turn yet, so that its agent need not be there.
    #expect(world.state[sql].details.content.offlineSince == nil)
    #expect(world.violations == [])
  }

  @Test func `is not waived by opening the gate`() {
    var world = Self.world()
    let id = world.campaign("patch-11", policy: Self.policy())
    world.step(.promoteRing(id, .standard, reason: "go", by: "anna"))
    world.settle()
    #expect(world.state[world.run("MRB-PARIS-SQL01")].state == .pending(notBefore: nil))
    #expect(world.violations == [])
  }

  @Test(arguments: [
    (Role?.none, String?.none, true), (Role(trusted: "SQL"), nil, true),
    (nil, "windows-2022", true), (Role(trusted: "APP"), "windows-2022", false),
  ])
  func `is waived for a role, a system, or all`(role: Role?, system: String?, isDone: Bool) {
    var world = Self.world()
    let id = world.campaign("patch-11", policy: Self.policy())
    world.step(.waiveRepresentative(id, role, system: system, reason: "known", by: "anna"))
    world.settle()
    #expect((world.state.campaigns[0].state == .completed) == isDone)
    #expect(world.violations == [])
  }

  @Test func `is missing for good: the run says so when the campaign has ended`() {
    var world = Self.world()
    world.campaign("patch-11", policy: Self.policy())
    world.run { $0.state.campaigns[0].state.isTerminal }
    let run = world.state[world.run("LAA-PARIS-SQL01")]
    #expect(run.state == .notAttempted(.window))
    let reason = "no SQL on windows-2022 has completed in an earlier ring, and nobody waived that"
    #expect(run.details.content.lastError == reason)
  }

  @Test func `is waived only in a campaign that has such servers, and is under way`() {
    var world = Self.world()
    let id = world.draft("patch-11", policy: Self.policy())
    let draft = #expect(throws: Refusal.self) {
      try world.obey(.waiveRepresentative(id, nil, system: nil, reason: "", by: "anna"))
    }
    #expect(
      draft
        == .notAllowed(
          code: .campaignState,
          message: "cannot waive a representative of a campaign that is DRAFT",
          hint: "start it first"))
    world.step(.startCampaign(id, ifMatch: nil, hookRevision: "", by: "anna"))
    let unknown = #expect(throws: Refusal.self) {
      try world.obey(
        .waiveRepresentative(id, Role(trusted: "MX"), system: nil, reason: "", by: "anna"))
    }
    #expect(
      unknown
        == .invalid(
          field: "role", message: "the campaign has no server of MX on any system"))
  }

  @Test func `is another when the fleet says so in the middle of the night`() {
    var world = Self.world()
    world.campaign("patch-11", policy: Self.policy())
    world.settle()
    var config = world.state[server: world.server("LAA-PARIS-SQL01")].config
    config.roles = [Role(trusted: "APP")]
    world.step(.fleetImported(clients: [], servers: [config], by: "anna"))
    world.settle()
    #expect(world.state[world.run("LAA-PARIS-SQL01")].state.kind == .completed)
    #expect(world.violations == [])
  }
}

import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Clients that are put off.
@Suite struct `A postponed client` {
  private static func world() -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("ATL", servers: ["ATL-LYON-APP01", "ATL-LYON-APP02"])
    fleet.add("BAR", servers: ["BAR-LYON-APP01"])
    fleet.add("LAA", ring: .pilot, servers: ["LAA-PARIS-APP01"])
    return EngineWorld(fleet)
  }

  private static let rings = Policy.with {
    $0.gates = [RingGate(ring: .canary, openAfter: .complete, minCompleted: 3, gateSoak: .zero)]
  }

  @Test func `at 22:00 starts nothing, says what is in flight, and is outside the gates`() throws {
    var world = Self.world()
    world.campaign("patch-11", policy: Self.rings)
    world.run(for: .seconds(600))
    world.step(.postponeClient(ClientID(0), until: nil, reason: "month end", by: "anna"))
    let run = world.run("ATL-LYON-APP01")
    #expect(
      world.state.inFlight(of: ClientID(0), now: world.now) == [
        InFlight(
          run: run, server: world.server("ATL-LYON-APP01"), phase: .update,
          ends: EngineFleet.start + .seconds(45 * 60))
      ])
    #expect(
      world.state.waits(world.run("ATL-LYON-APP02"), now: world.now)
        == .postponed(EngineFleet.night(1).start))
    world.run(for: .seconds(2 * 3_600))
    #expect(world.state[run].state == .completed(.updated))
    #expect(world.state[world.run("ATL-LYON-APP02")].state == .pending(notBefore: nil))
    // The gate asks for all of ring 0: without what is postponed, that is so.
    #expect(world.state[world.run("LAA-PARIS-APP01")].state.kind != .pending)
    #expect(world.state.campaigns[0].rings[0].outside[.pending] == 1)
    #expect(world.state.campaigns[0].rings[0].status == .active)
    world.crash()
    for index in world.agents.indices { world.connect(ServerID(index)) }
    #expect(world.state.clients[0].postponed?.until == EngineFleet.night(1).start)
    world.settle()
    #expect(world.state.clients[0].postponed == nil)
    #expect(world.state.campaigns[0].state == .completed)
    try Golden.expect(world, tells: "postponed")
  }

  @Test func `leaves no gate closed when a server of it was skipped in the draft`() {
    var world = Self.world()
    world.step(.postponeClient(ClientID(0), until: nil, reason: "month end", by: "anna"))
    let id = world.draft("patch-11", policy: Self.rings)
    world.step(.skipRun(world.run("ATL-LYON-APP01"), reason: "replaced", by: "anna"))
    world.step(.startCampaign(id, ifMatch: nil, hookRevision: "r1", by: "anna"))
    world.step(.resumeClient(ClientID(0), by: "anna"))
    #expect(world.state.campaigns[0].rings[0].outside[.pending] == 0)
    world.settle()
    #expect(world.state.campaigns[0].rings[0].gate == .open)
    #expect(world.violations == [])
  }

  @Test func `goes on when a person says so, and its pause ends with it`() {
    var world = Self.world()
    world.campaign("patch-11", policy: Self.rings)
    world.step(
      .postponeClient(
        ClientID(0), until: world.now + .seconds(7_200), reason: "month end", by: "anna"))
    world.step(.pauseClient(ClientID(0), reason: "and audit", by: "anna"))
    world.run(for: .seconds(3_600))
    world.step(.resumeClient(ClientID(0), by: "bruno"))
    #expect(world.state.clients[0].postponed == nil)
    #expect(world.state.clients[0].paused == nil)
    #expect(world.state.campaigns[0].rings[0].outside == Counts())
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test(arguments: [true, false])
  func `is left for later at the campaign's end, if that carries over`(carryOver: Bool) {
    var world = Self.world()
    let until = EngineFleet.night(5).start
    world.step(.postponeClient(ClientID(0), until: until, reason: "month end", by: "anna"))
    world.campaign(
      "patch-11", policy: .with { $0.carryOver = carryOver }, endsAt: EngineFleet.night(1).end)
    world.run { $0.state.campaigns[0].state.isTerminal }
    let state = world.state[world.run("ATL-LYON-APP01")].state
    #expect(state == (carryOver ? .postponed(until: until) : .notAttempted(.window)))
    let reason = world.state[world.run("ATL-LYON-APP01")].details.content.lastError
    #expect(reason == "its client is postponed")
    #expect(world.violations == [])
  }

  @Test func `does not try a failed server again`() {
    var world = Self.world()
    world.script.answer(
      .update, of: "ATL-LYON-APP01",
      with: .failsToInstall("0x80070643", "it failed", retryable: true))
    world.campaign("patch-11", policy: Self.rings)
    world.run(until: "ATL-LYON-APP01", .update)
    world.step(.postponeClient(ClientID(0), until: nil, reason: "month end", by: "anna"))
    world.run(for: .seconds(2 * 3_600))
    #expect(world.state[world.run("ATL-LYON-APP01")].state == .failed(.rolledBack))
    #expect(world.violations == [])
  }

  @Test func `may be put off again, and not to the past`() {
    var world = Self.world()
    for hours in [1, 3, 2] {
      let until = world.now + .seconds(hours * 3_600)
      world.step(.postponeClient(ClientID(0), until: until, reason: "", by: "anna"))
      #expect(world.state.clients[0].postponed?.until == until)
    }
    let past = #expect(throws: Refusal.self) {
      try world.obey(.postponeClient(ClientID(0), until: world.now, reason: "", by: "anna"))
    }
    #expect(past == .past(field: "until", world.now, now: world.now))
    world.run(for: .seconds(2 * 3_600))
    #expect(world.state.clients[0].postponed == nil)
    #expect(world.violations == [])
  }

  @Test func `needs a time when no window of it is known`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-APP01"], windows: [EngineFleet.night()])
    var world = EngineWorld(fleet)
    let refusal = #expect(throws: Refusal.self) {
      try world.obey(.postponeClient(ClientID(0), until: nil, reason: "", by: "anna"))
    }
    #expect(
      refusal
        == .notAllowed(
          code: .noWindow, message: "the client has no other window in the next weeks",
          hint: "say until when it is postponed"))
    let resumed = #expect(throws: Refusal.self) {
      try world.obey(.resumeClient(ClientID(0), by: "anna"))
    }
    #expect(
      resumed
        == .notAllowed(
          code: .notPaused, message: "the client is neither paused nor postponed",
          hint: "a campaign may be: atlas campaign get NAME"))
  }
}

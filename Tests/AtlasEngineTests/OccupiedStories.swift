import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// S12: servers that are down or unexplained take slots, too.
@Suite struct `A server that is down by nobody's order` {
  private let first = "LAA-PARIS-APP01"
  private let second = "LAA-PARIS-APP02"
  private let third = "LAA-PARIS-SQL01"

  private var fleet: EngineFleet { .laa([first, second, third]) }

  private func waits(_ world: EngineWorld, _ server: String) -> String {
    world.state.waitsText(world.run(server), now: world.now)
  }

  @Test func `keeps the others of its client from starting until it is back`() throws {
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.run(until: first, .update)
    world.tell("somebody boots \(third) by hand")
    world.disconnect(third)
    world.run { $0.state[$0.run(first)].state.kind == .completed }
    #expect(
      waits(world, second)
        == "a server that is down or unexplained: \(third) has been silent since "
        + "2026-11-21 22:02 UTC")
    // The silent server has its grace to come back; then only a person can do something.
    let before = world.state.isSettled(CampaignID(0), now: world.now)
    world.run(for: .seconds(600))
    let after = world.state.isSettled(CampaignID(0), now: world.now)
    #expect([before, after] == [false, true])
    world.connect(third)
    world.settle()
    try Golden.expect(world, tells: "unexplained-back")
  }

  @Test func `has its grace when it would be its turn, and not while it is that of another`() {
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.run(until: first, .update)
    // The last of its lane is silent, and takes the slot of the one before it.
    world.disconnect(second)
    world.run { $0.state[$0.run(first)].state.kind == .completed }
    #expect(waits(world, third).hasPrefix("a server that is down or unexplained: \(second)"))
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    world.run(for: .seconds(3_600))
    #expect(world.state[world.run(second)].state == .pending(notBefore: nil))
    world.step(.skipRun(world.run(third), reason: "not tonight", by: "anna"))
    #expect(!world.state.isSettled(CampaignID(0), now: world.now))
    world.run(for: .seconds(601))
    #expect(world.state[world.run(second)].state == .notAttempted(.offline))
    #expect(world.violations == [])
  }

  @Test func `keeps a parked server of its client from booting until it is back`() {
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.run(until: first, .update)
    world.run(for: .seconds(120))
    world.stop()
    world.run { $0.state[$0.run(first)].state.kind == .parked }
    world.disconnect(second)
    world.run(for: .seconds(600))
    world.release()
    world.resume(now: false)
    world.run(for: .seconds(600))
    #expect(world.state[world.run(first)].state == .parked(next: .reboot))
    // Not even a person who says “now” has it boot beside a server that is down.
    world.resume(now: true)
    #expect(world.state[world.run(first)].state == .parked(next: .reboot))
    world.connect(second)
    world.settle()
    #expect(world.state[world.run(first)].state == .completed(.updated))
    #expect(world.violations == [])
  }

  @Test func `keeps a failed server of its client from being tried again until it is back`() throws
  {
    var world = EngineWorld(fleet)
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    world.campaign("patch-11", selection: Selection(servers: [ServerName(trusted: first)]))
    world.run(until: first, .update, .backoff)
    world.disconnect(second)
    world.run(for: .seconds(900))
    #expect(waits(world, first).hasPrefix("a server that is down or unexplained: \(second)"))
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    world.connect(second)
    world.settle()
    #expect(world.state[world.run(first)].attempt == 2)
    try Golden.expect(world, tells: "unexplained-backoff")
  }

  @Test func `is dismissed, and counts again when its agent is back and goes`() throws {
    var world = EngineWorld(fleet)
    world.disconnect(third)
    world.run(for: .seconds(300))
    world.campaign("patch-11")
    let id = world.server(third)
    world.step(.dismissServer(id, reason: "a new disk", by: "anna"))
    world.run(until: first, .update)
    world.connect(third)
    world.disconnect(third)
    world.settle()
    #expect(world.state[server: id].dismissed == nil)
    world.step(.dismissServer(id, reason: "another new disk", by: "anna"))
    world.step(.recallServer(id, by: "anna"))
    world.step(.dismissServer(id, reason: "a new disk after all", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "unexplained-dismissed")
  }

  @Test func `may be silent for twice the interval at which agents ask`() {
    var world = EngineWorld(fleet)
    world.disconnect(third)
    world.run(for: .seconds(240))
    world.campaign("patch-11")
    #expect(world.state[world.run(first)].state.kind == .inProgress)
    #expect(world.violations == [])
  }

  @Test func `may be any that has not said Hello since the daemon started`() throws {
    var world = EngineWorld(fleet)
    world.campaign("patch-11", endsAt: EngineFleet.night(1).end)
    world.run(until: first, .preCheck)
    world.stop()
    world.run(for: .seconds(60))
    world.release()
    world.crash()
    world.resume()
    world.connect(first)
    world.connect(second)
    #expect(
      waits(world, second)
        == "a server that is down or unexplained: \(third) has said nothing since the daemon "
        + "started")
    world.run(for: .seconds(60))
    world.connect(third)
    world.settle()
    try Golden.expect(world, tells: "unexplained-after-start")
  }

  @Test func `works on an order that a restored database does not know`() throws {
    var world = EngineWorld(fleet)
    world.tell("the database is yesterday's; the agent of \(third) was told to install today")
    let id = world.server(third)
    let order = Command(
      fence: Fence(900), kind: .update, server: ServerName(trusted: third),
      campaign: CampaignName(trusted: "lost"), runKey: "lost/\(third)", attempt: 1, pass: 1)
    world.disconnect(third)
    world.change(third) {
      $0.journal(order)
      _ = $0.beginNext()
    }
    world.connect(third)
    world.campaign("patch-11")
    #expect(
      waits(world, second)
        == "a server that is down or unexplained: \(third) works on order 900, which no run here "
        + "has given")
    world.run(for: .seconds(600))
    #expect(world.state.occupied(of: world.client("LAA"), now: world.now) == 1)
    world.finish(id, order.fence)
    world.settle()
    try Golden.expect(world, tells: "unexplained-order")
  }

  @Test func `is explained by whoever accepts it`() {
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.run(until: first, .update)
    world.disconnect(first)
    world.settle()
    world.resolve(first, .accept)
    #expect(world.state[server: world.server(first)].dismissed?.reason == "its run was accepted")
    #expect(world.state[world.run(third)].state.kind == .inProgress)
    #expect(world.violations == [])
  }

  @Test func `is no concern when it is retired`() {
    var world = EngineWorld(fleet)
    world.disconnect(third)
    world.run(for: .seconds(300))
    world.campaign("patch-11")
    #expect(world.state[world.run(first)].state.kind == .pending)
    world.step(.retireServer(world.server(third), reason: "scrapped", by: "anna"))
    #expect(world.state[world.run(first)].state.kind == .inProgress)
    #expect(world.violations == [])
  }

  @Test func `counts as it does for the campaign that asks`() {
    var world = EngineWorld(fleet)
    world.disconnect(third)
    world.run(for: .seconds(300))
    world.campaign("patch-11", policy: .with { $0.checkInterval = .seconds(600) })
    #expect(world.state[world.run(first)].state.kind == .inProgress)
  }
}

/// Outages that a client has agreed to.
@Suite struct `A declared outage` {
  private let servers = ["LAA-PARIS-APP01", "LAA-PARIS-APP02", "LAA-PARIS-SQL01"]

  private func outage(
    _ world: EngineWorld, _ length: Duration = .seconds(7_200), after wait: Duration = .zero,
    parallel: Int? = nil, reason: String = "the shop is closed"
  ) -> Outage {
    Outage(
      from: world.now + wait, until: world.now + wait + length, parallel: parallel,
      reason: reason, principal: "anna", declaredAt: world.now)
  }

  @Test func `lets servers start beside one that is down, and as many at once as it says`() throws {
    var world = EngineWorld(.laa(servers))
    world.disconnect(servers[2])
    world.run(for: .seconds(300))
    world.campaign("patch-11")
    let laa = world.client("LAA")
    world.step(.declareOutage(laa, outage(world, after: .seconds(600), parallel: 2)))
    world.run(for: .seconds(600))
    #expect(world.state[client: laa].slotsInUse == 2)
    #expect(world.state.unexplained(of: laa, now: world.now) == [world.server(servers[2])])
    world.run(for: .seconds(7_200))
    #expect(world.state[client: laa].outage == nil)
    try Golden.expect(world, tells: "outage")
  }

  @Test func `keeps the client's own number of slots when it names no other`() {
    var world = EngineWorld(.laa(servers))
    world.disconnect(servers[2])
    world.run(for: .seconds(300))
    let laa = world.client("LAA")
    world.step(.declareOutage(laa, outage(world)))
    world.campaign("patch-11")
    #expect(world.state[client: laa].slotsInUse == 1)
    world.step(.endOutage(laa, by: "anna"))
    world.run(for: .seconds(3_600))
    #expect(world.state[client: laa].slotsInUse == 0)
    #expect(world.violations == [])
  }

  @Test func `is lifted by its timer when the daemon was down at its end`() {
    var world = EngineWorld(.laa(servers))
    world.step(.declareOutage(world.client("LAA"), outage(world)))
    world.run(for: .seconds(7_000))
    world.crash()
    world.run(for: .seconds(300))
    #expect(world.state.clients[0].outage == nil)
    #expect(world.violations == [])
  }

  @Test(
    arguments: [
      (0, 0, "until"), (-60, 0, "until"), (8 * 86_400, 0, "until"), (60, 29 * 86_400, "from"),
    ])
  func `is refused where its times make no sense`(length: Int, wait: Int, field: String) {
    var world = EngineWorld(.laa(servers))
    let bad = outage(world, .seconds(length), after: .seconds(wait))
    #expect(refusedField(of: .declareOutage(ClientID(0), bad), &world) == field)
  }

  @Test func `is refused without a reason, or with no number of servers`() {
    var world = EngineWorld(.laa(servers))
    let silent = outage(world, reason: "")
    #expect(refusedField(of: .declareOutage(ClientID(0), silent), &world) == "reason")
    for parallel in [0, -1, Limits.slotsPerClient + 1] {
      let bad = outage(world, parallel: parallel)
      #expect(refusedField(of: .declareOutage(ClientID(0), bad), &world) == "parallel")
    }
    #expect(refusedCode(of: .endOutage(ClientID(0), by: "anna"), &world) == .notPaused)
  }

  @Test func `is needed for no dismissal of a server that is there, or has a slot`() {
    var world = EngineWorld(.laa(servers))
    world.campaign("patch-11")
    let dismiss = { (name: String, reason: String) in
      Event.dismissServer(world.server(name), reason: reason, by: "anna")
    }
    let cases = [dismiss(servers[0], "down"), dismiss(servers[1], "down")]
    let silent = dismiss(servers[1], "")
    let recall = Event.recallServer(world.server(servers[1]), by: "anna")
    #expect(refusedCode(of: cases[0], &world) == .inFlight)
    #expect(refusedCode(of: cases[1], &world) == .notUnexplained)
    #expect(refusedField(of: silent, &world) == "reason")
    #expect(refusedCode(of: recall, &world) == .notUnexplained)
  }
}

/// `min_available`.
@Suite struct `A share of servers that stays` {
  private let servers = [
    "LAA-PARIS-WEB01", "LAA-PARIS-WEB02", "LAA-PARIS-WEB03", "LAA-PARIS-SQL01",
  ]

  private func started(_ share: Int?, slots: Int, silent: String? = nil) -> [String] {
    var fleet = EngineFleet()
    fleet.add("LAA", slots: slots, servers: servers)
    var world = EngineWorld(fleet)
    if let silent { world.disconnect(silent) }
    world.run(for: .seconds(300))
    world.campaign("patch-11", policy: .with { $0.minAvailable = share })
    #expect(world.violations == [])
    return servers.filter { world.state[world.run($0)].state.kind == .inProgress }
  }

  @Test func `is of the servers of one role, and lets one go when none is gone`() {
    #expect(started(nil, slots: 4) == servers)
    #expect(started(0, slots: 4) == servers)
    #expect(started(90, slots: 4) == [servers[0], servers[3]])
    #expect(started(34, slots: 4) == [servers[0], servers[3]])
    #expect(started(33, slots: 4) == [servers[0], servers[1], servers[3]])
  }

  @Test func `is a matter of people when those that are gone wait for them`() {
    var fleet = EngineFleet()
    fleet.add("LAA", slots: 2, servers: Array(servers.prefix(2)))
    var world = EngineWorld(fleet)
    let id = world.campaign("patch-11", policy: .with { $0.minAvailable = 90 })
    world.run(until: servers[0], .update)
    world.disconnect(servers[0])
    world.run(for: .seconds(3_600))
    #expect(world.state[world.run(servers[0])].state == .held(.lost))
    let waiting = world.state.waits(world.run(servers[1]), now: world.now)
    #expect(waiting == .available(Role(trusted: "WEB")))
    #expect(world.state.isSettled(id, now: world.now))
    #expect(world.violations == [])
  }

  @Test func `counts those that are down or unexplained among the gone`() {
    #expect(started(33, slots: 4, silent: servers[2]) == [servers[0], servers[3]])
    #expect(started(90, slots: 4, silent: servers[2]) == [servers[3]])
  }
}

/// The field that an event is refused for; nil when it is not.
func refusedField(of event: Event, _ world: inout EngineWorld) -> String? {
  do {
    try world.obey(event)
    return nil
  } catch {
    if case .invalid(let field, _) = error { return field }
    return "\(error)"
  }
}

/// The code that an event is refused with; nil when it is not.
func refusedCode(of event: Event, _ world: inout EngineWorld) -> Refusal.Code? {
  do {
    try world.obey(event)
    return nil
  } catch {
    if case .notAllowed(let code, _, _) = error { return code }
    return nil
  }
}

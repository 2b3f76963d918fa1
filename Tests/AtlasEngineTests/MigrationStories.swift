import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Hosts that move their guests away before they are worked on (§4).
@Suite struct `A host that migrates its guests` {
  private let host = "LAA-PARIS-HV01"
  private let guest = "LAA-PARIS-APP01"
  private let other = "LAA-PARIS-WEB01"

  private func world(slots: Int = 1) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", slots: slots, servers: [host, guest, other])
    fleet.change(host) { $0.migratesGuests = true }
    fleet.change(guest) { $0.host = ServerName(trusted: host) }
    return EngineWorld(fleet)
  }

  private func only(_ servers: String...) -> Selection {
    Selection(servers: servers.map { ServerName(trusted: $0) })
  }

  @Test func `is refused when no hook is there to do it`() {
    var world = world()
    world.script.answer(.preUpdate, of: host, with: .notDefined)
    world.campaign("patch-11", selection: only(host))
    world.settle()
    let run = world.state[world.run(host)]
    #expect(run.state == .notAttempted(.hook))
    #expect(
      run.details.content.lastError
        == "it has migrates_guests, and no hook pre_update that moves its guests away")
    #expect(world.violations == [])
  }

  @Test func `needs no such hook when it has no guests`() throws {
    var world = world()
    var alone = world.state[server: world.server(guest)].config
    alone.host = nil
    world.step(.fleetImported(clients: [], servers: [alone], by: "anna"))
    world.script.answer(.preUpdate, of: host, with: .notDefined)
    world.campaign("patch-11", selection: only(host))
    world.settle()
    #expect(world.state[world.run(host)].state == .completed(.updated))
  }

  @Test func `does not explain why one of them is silent`() {
    var world = world(slots: 2)
    world.step(
      .lockServer(
        world.server(other), Latch(reason: "payroll", principal: "anna", since: world.now)))
    world.campaign("patch-11", selection: only(host, other))
    world.run(until: host, .update)
    world.disconnect(guest)
    world.run(for: .seconds(300))
    #expect(world.state.unexplained(of: world.client("LAA"), now: world.now).count == 1)
    world.step(.unlockServer(world.server(other), by: "anna"))
    #expect(
      world.state.waits(world.run(other), now: world.now) == .unexplained(world.server(guest)))
    #expect(world.violations == [])
  }
}

/// A host of one client, and what the clients of its guests say while it is being prepared.
@Suite struct `An UPDATE of a shared host` {
  private let host = "MSP-PARIS-HV01"
  private let guest = "LAA-PARIS-APP01"

  private func world() -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("MSP", servers: [host])
    fleet.add("LAA", servers: [guest])
    fleet.change(guest) { $0.host = ServerName(trusted: host) }
    var world = EngineWorld(fleet)
    let outage = Outage(
      from: world.now, until: world.now + .seconds(20 * 3_600), reason: "agreed",
      principal: "anna", declaredAt: world.now)
    world.step(.declareOutage(world.client("LAA"), outage))
    world.campaign("hosts", selection: Selection(servers: [ServerName(trusted: host)]))
    world.run(until: host, .snapshot)
    return world
  }

  @Test func `does not begin when the outage of its guests is over`() {
    var world = world()
    world.step(.endOutage(world.client("LAA"), by: "anna"))
    world.settle()
    let run = world.state[world.run(host)]
    #expect(run.state == .notAttempted(.window))
    #expect(
      run.details.content.lastError == "the outage of LAA, whose guests go down with it, is over")
    #expect(run.details.content.snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `does not begin when the window of its guests has closed`() throws {
    var world = world()
    let client = world.client("LAA")
    let later = Interval(start: world.now + .seconds(86_400), end: world.now + .seconds(90_000))
    world.step(
      .windowsExpanded(
        client, [later], until: world.now + .seconds(864_000),
        question: world.state[client: client].windowsAsked))
    world.run(for: .seconds(3_600))
    let run = world.state[world.run(host)]
    #expect(run.state == .notAttempted(.window))
    #expect(
      run.details.content.lastError
        == "the window of LAA, which has guests on it, closed before the update could begin")
  }
}

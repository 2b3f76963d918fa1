import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// A host of one client with guests of another.
@Suite struct `A shared host` {
  private let host = "MSP-PARIS-HV01"
  private let guest = "LAA-PARIS-APP01"
  private let other = "LAA-PARIS-WEB01"

  private func world(
    windows: [Interval] = [EngineFleet.night()], migrates: Bool = false
  ) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("MSP", servers: [host], windows: [0, 1, 2].map { EngineFleet.night($0) })
    fleet.add("LAA", servers: [guest, other], windows: windows)
    fleet.change(guest) { $0.host = ServerName(trusted: host) }
    fleet.change(host) { $0.migratesGuests = migrates }
    return EngineWorld(fleet)
  }

  /// A night in which the host has its update and is parked before its boot.
  private func parked(
    windows: [Interval] = [EngineFleet.night()], migrates: Bool = false, by client: String
  ) -> EngineWorld {
    var world = world(windows: windows, migrates: migrates)
    declare(&world)
    campaign("hosts", host, &world)
    world.run(until: host, .update)
    world.run(for: .seconds(20))
    world.stop(client)
    world.run { $0.state[$0.run(host)].state == .parked(next: .reboot) }
    world.run(for: .seconds(600))
    return world
  }

  private func waits(_ world: EngineWorld) -> Waiting? {
    world.state.waits(world.run(host), now: world.now)
  }

  private func goOn(_ client: String, _ world: inout EngineWorld) {
    world.release(client)
    world.step(.resumeClient(world.client(client), by: "anna"))
  }

  private func declare(_ world: inout EngineWorld, for length: Duration = .seconds(40 * 3_600)) {
    let outage = Outage(
      from: world.now, until: world.now + length, reason: "agreed", principal: "anna",
      declaredAt: world.now)
    world.step(.declareOutage(world.client("LAA"), outage))
  }

  private func campaign(_ name: String, _ server: String, _ world: inout EngineWorld) {
    world.campaign(name, selection: Selection(servers: [ServerName(trusted: server)]))
  }

  private func kind(_ name: String, _ campaign: Int, _ world: EngineWorld) -> RunState.Kind {
    world.state[world.run(name, in: CampaignID(campaign))].state.kind
  }

  @Test func `waits for the window of its guests' client, and takes one of its slots`() {
    var world = world(windows: [EngineFleet.night(1)])
    declare(&world)
    campaign("hosts", host, &world)
    #expect(
      world.state.waits(world.run(host), now: world.now)
        == .window(next: EngineFleet.night(1).start))
    world.run(until: host, .update)
    #expect(world.now >= EngineFleet.night(1).start)
    #expect(world.state[client: world.client("LAA")].slotsInUse == 1)
    campaign("web", other, &world)
    #expect(kind(other, 1, world) == .pending)
    world.settle()
    #expect([kind(host, 0, world), kind(other, 1, world)] == [.completed, .completed])
    #expect(world.violations == [])
  }

  @Test func `waits for a slot, a stop and a pause of its guests' client`() {
    var world = world()
    declare(&world)
    campaign("web", other, &world)
    campaign("hosts", host, &world)
    let run = world.run(host, in: CampaignID(1))
    #expect(world.state.waits(run, now: world.now) == .slot)
    world.step(.pauseClient(world.client("LAA"), reason: "month end", by: "anna"))
    #expect(world.state.waits(run, now: world.now) == .clientPaused)
    world.stop("LAA")
    #expect(world.state.waits(run, now: world.now) == .stopped(client: true))
    world.release("LAA")
    world.step(.resumeClient(world.client("LAA"), by: "anna"))
    world.settle()
    #expect(world.state[run].state.kind == .completed)
    #expect(world.violations == [])
  }

  @Test func `is parked by a stop of its guests' client, until that goes on`() throws {
    var world = parked(by: "LAA")
    #expect(waits(world) == .stopped(client: true))
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    world.release("LAA")
    #expect(waits(world) == .clientPaused)
    world.crash()
    for name in [host, guest, other] { world.connect(name) }
    world.run(for: .seconds(600))
    #expect(waits(world) == .clientPaused)
    world.step(.resumeClient(world.client("LAA"), by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "host-stopped-for-guests")
  }

  @Test func `has its order taken back before it begins when its guests' client is stopped`() {
    var world = world()
    declare(&world)
    campaign("hosts", host, &world)
    world.run(until: host, .snapshot, .agent)
    world.run(for: .seconds(30))
    world.change(host) { $0.isDeaf = true }
    world.run(until: host, .update)
    world.stop("LAA")
    #expect(world.state.stopFence(for: world.server(host)) == world.state.fence)
    #expect(world.state.stopFence(for: world.server(guest)) == world.state.fence)
    #expect(world.state[world.run(host)].state == .parked(next: .update))
    world.disconnect(host)
    world.connect(host)
    world.run(for: .seconds(600))
    #expect(waits(world) == .stopped(client: true))
    goOn("LAA", &world)
    world.settle()
    #expect(kind(host, 0, world) == .completed)
    // Once nothing is done on it, a stop of those who have guests there is none of its business.
    world.stop("LAA")
    #expect(world.state.stopFence(for: world.server(host)) == .none)
    #expect(world.violations == [])
  }

  @Test func `boots in no hour that its guests' client has not agreed to`() {
    var world = parked(windows: [EngineFleet.night(), EngineFleet.night(1)], by: "MSP")
    world.step(.endOutage(world.client("LAA"), by: "anna"))
    goOn("MSP", &world)
    #expect(waits(world) == .outage(world.client("LAA")))
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    world.run(for: .seconds(9 * 3_600))
    declare(&world)
    #expect(waits(world) == .window(next: EngineFleet.night(1).start))
    world.settle()
    #expect(kind(host, 0, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `boots beside no server of its guests' client that is down`() {
    var world = parked(migrates: true, by: "MSP")
    world.step(.endOutage(world.client("LAA"), by: "anna"))
    world.disconnect(other)
    world.run(for: .seconds(600))
    goOn("MSP", &world)
    world.run(for: .seconds(600))
    #expect(waits(world) == .unexplained(world.server(other)))
    world.connect(other)
    world.settle()
    #expect(kind(host, 0, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `is not tried again while its guests' client is paused`() {
    var world = world()
    declare(&world)
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    campaign("hosts", host, &world)
    world.run(until: host, .update, .backoff)
    world.step(.pauseClient(world.client("LAA"), reason: "month end", by: "anna"))
    world.settle()
    #expect(world.state[world.run(host)].attempt == 1)
    // Hosts are not rolled back by themselves.
    #expect(world.state[world.run(host)].state == .held(.unhealthy))
    #expect(world.violations == [])
  }

  @Test func `is tried again when its guests' client is there again`() {
    var fleet = EngineFleet()
    let more = "LAA-PARIS-WEB09"
    fleet.add("MSP", servers: [host])
    fleet.add("LAA", servers: [guest, other, more])
    fleet.change(guest) { $0.host = ServerName(trusted: host) }
    var world = EngineWorld(fleet)
    declare(&world)
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    campaign("hosts", host, &world)
    world.run(until: host, .update, .backoff)
    for server in [guest, other, more] { world.disconnect(server) }
    world.run { $0.state[$0.run(host)].state == .parked(next: .update) }
    #expect(waits(world) == .contact(client: true))
    world.run(for: .seconds(600))
    for server in [guest, other, more] { world.connect(server) }
    world.settle()
    #expect(world.state[world.run(host)].attempt == 2)
    #expect(kind(host, 0, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `waits while its guests' client is postponed`() {
    var world = world()
    declare(&world)
    let until = world.now + .seconds(3_600)
    world.step(
      .postponeClient(world.client("LAA"), until: until, reason: "fair", by: "anna"))
    campaign("hosts", host, &world)
    #expect(waits(world) == .postponed(until))
    world.settle()
    #expect(kind(host, 0, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `waits for the outage of its guests' client, and starts with it`() {
    var world = world()
    campaign("hosts", host, &world)
    #expect(
      world.state.waits(world.run(host), now: world.now) == .outage(world.client("LAA")))
    declare(&world)
    #expect(kind(host, 0, world) == .inProgress)
    #expect(world.violations == [])
  }
}

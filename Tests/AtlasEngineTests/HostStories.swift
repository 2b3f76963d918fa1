import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Hosts, and what runs on them (§4).
@Suite struct `A host with guests` {
  private let host = "LAA-PARIS-HV01"
  private let app = "LAA-PARIS-APP01"
  private let sql = "LAA-PARIS-SQL01"
  private let other = "LAA-PARIS-WEB01"

  private func world(
    slots: Int = 1, migrates: Bool = false, guests: [String]? = nil
  ) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", slots: slots, servers: [host, app, sql, other])
    fleet.change(host) { $0.migratesGuests = migrates }
    for guest in guests ?? [app, sql] {
      fleet.change(guest) { $0.host = ServerName(trusted: host) }
    }
    return EngineWorld(fleet)
  }

  private func declare(
    for length: Duration = .seconds(6 * 3_600), _ world: inout EngineWorld
  ) {
    let outage = Outage(
      from: world.now, until: world.now + length, reason: "agreed with the client",
      principal: "anna", declaredAt: world.now)
    world.step(.declareOutage(world.client("LAA"), outage))
  }

  private func only(_ servers: String...) -> Selection {
    Selection(servers: servers.map { ServerName(trusted: $0) })
  }

  private func kind(_ name: String, _ world: EngineWorld) -> RunState.Kind {
    world.state[world.run(name)].state.kind
  }

  @Test func `goes after its guests, in an outage, and ends when they are back`() throws {
    var world = world()
    world.campaign("patch-11", selection: only(host, app, sql))
    world.settle()
    #expect([app, sql].map { kind($0, world) } == [.completed, .completed])
    #expect(
      world.state.waitsText(world.run(host), now: world.now)
        == "an outage that is declared, because its guests go down with it: client LAA")
    declare(&world)
    world.run(until: host, .reboot)
    world.disconnect(app)
    world.disconnect(sql)
    #expect(world.state.occupied(of: world.client("LAA"), now: world.now) == 1)
    world.run(until: host, .postCheck, .guests)
    world.run(for: .seconds(60))
    world.connect(app)
    world.run(for: .seconds(60))
    #expect(kind(host, world) == .inProgress)
    world.connect(sql)
    world.settle()
    try Golden.expect(world, tells: "host")
  }

  @Test func `is held when a guest of it does not come back`() throws {
    var world = world()
    world.campaign("patch-11", selection: only(host))
    declare(&world)
    world.run(until: host, .reboot)
    world.disconnect(app)
    world.settle()
    #expect(world.state[world.run(host)].state == .held(.unhealthy))
    world.resolve(host, .accept)
    world.settle()
    try Golden.expect(world, tells: "host-guest-away")
  }

  @Test func `takes its guests along, and nobody calls their client dark for it`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [host, app, sql])
    for guest in [app, sql] { fleet.change(guest) { $0.host = ServerName(trusted: host) } }
    var world = EngineWorld(fleet)
    world.script.guestsFollow = .seconds(300)
    world.campaign("patch-11", selection: only(host))
    declare(&world)
    world.run(until: host, .postCheck, .guests)
    #expect(world.state.clients[0].dark == nil)
    #expect(!world.story.contains("client.dark"))
    world.settle()
    #expect(kind(host, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `needs no outage when its guests are moved away first`() {
    var world = world(migrates: true)
    world.campaign("patch-11", selection: only(host))
    #expect(kind(host, world) == .inProgress)
    #expect(world.state.occupied(of: world.client("LAA"), now: world.now) == 1)
    world.settle()
    #expect(kind(host, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `does not take one of a group down beside another`() {
    var world = nodes()
    declare(&world)
    let first = world.campaign("patch-11", selection: only(other))
    world.run(until: other, .preCheck)
    let second = world.campaign("hosts", selection: only(host))
    let waiting = world.state.waits(world.run(host, in: second), now: world.now)
    #expect(waiting == .group(world.server(other)))
    world.settle()
    #expect(kind(other, first, world) == .completed)
    #expect(kind(host, second, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `is worked on alone of all that are in a group with its guests`() {
    var world = nodes()
    declare(&world)
    let first = world.campaign("hosts", selection: only(host))
    let second = world.campaign("patch-11", selection: only(other))
    #expect(kind(host, first, world) == .inProgress)
    let waiting = world.state.waits(world.run(other, in: second), now: world.now)
    #expect(waiting == .group(world.server(app)))
    world.settle()
    #expect(kind(host, first, world) == .completed)
    #expect(kind(other, second, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `moves its guests away, and the others of their group go on`() {
    var world = nodes(migrates: true)
    let first = world.campaign("hosts", selection: only(host))
    let second = world.campaign("patch-11", selection: only(other))
    // Its peers are asked first.
    world.run(for: .seconds(5))
    #expect(kind(host, first, world) == .inProgress)
    #expect(kind(other, second, world) == .inProgress)
    world.settle()
    #expect(world.violations == [])
  }

  @Test func `leaves as many of a role as the policy asks for, its guests counted`() {
    var world = nodes(group: nil)
    declare(&world)
    let keeping = Policy.with { $0.minAvailable = 50 }
    world.campaign("patch-11", policy: keeping, selection: only(other))
    let hosts = world.campaign("hosts", policy: keeping, selection: only(host))
    let waiting = world.state.waits(world.run(host, in: hosts), now: world.now)
    #expect(waiting == .available(Role(trusted: "sql")))
    world.settle()
    #expect(kind(host, hosts, world) == .completed)
    let again = world.campaign("hosts-again", policy: keeping, selection: only(host))
    let last = world.campaign("patch-12", policy: keeping, selection: only(other))
    #expect(kind(host, again, world) == .inProgress)
    // Its two guests are as many as may be away.
    let late = world.state.waits(world.run(other, in: last), now: world.now)
    #expect(late == .available(Role(trusted: "sql")))
    world.settle()
    #expect(kind(other, last, world) == .completed)
    #expect(world.violations == [])
  }

  private func kind(
    _ name: String, _ campaign: CampaignID, _ world: EngineWorld
  ) -> RunState.Kind {
    world.state[world.run(name, in: campaign)].state.kind
  }

  /// Four servers that do the same, two of them on the host, in a client that agrees to two at once.
  private func nodes(migrates: Bool = false, group: String? = "nodes") -> EngineWorld {
    let spare = "LAA-PARIS-WEB02"
    var fleet = EngineFleet()
    fleet.add("LAA", slots: 2, servers: [host, app, sql, other, spare])
    fleet.change(host) { $0.migratesGuests = migrates }
    for guest in [app, sql] { fleet.change(guest) { $0.host = ServerName(trusted: host) } }
    for server in [app, sql, other, spare] {
      fleet.change(server) { $0.roles = [Role(trusted: "sql")] }
    }
    for server in [app, other] {
      fleet.change(server) { $0.antiAffinity = group.map { GroupName(trusted: $0) } }
    }
    return EngineWorld(fleet)
  }

  @Test func `starts in no outage that is too short`() {
    var world = world()
    world.campaign("patch-11", selection: only(host))
    declare(for: .seconds(3_599), &world)
    #expect(kind(host, world) == .pending)
    declare(for: .seconds(3_600), &world)
    #expect(kind(host, world) == .inProgress)
    #expect(world.violations == [])
  }

  @Test func `and a guest are never worked on together`() {
    var world = world(slots: 4)
    declare(&world)
    world.campaign("hosts", selection: only(host))
    world.campaign("guests", selection: only(app, sql, other))
    let guests = CampaignID(1)
    let waits = [app, other].map {
      world.state.waits(world.run($0, in: guests), now: world.now)
    }
    #expect(waits == [.host(world.server(host)), nil])
    world.settle()
    #expect(world.violations == [])
  }

  @Test func `waits for a guest that is worked on`() {
    var world = world(slots: 4)
    declare(&world)
    world.campaign("guests", selection: only(app))
    world.campaign("hosts", selection: only(host))
    let run = world.run(host, in: CampaignID(1))
    #expect(world.state.waits(run, now: world.now) == .guest(world.server(app)))
    world.settle()
    #expect(world.state[run].state.kind == .completed)
    #expect(world.violations == [])
  }

  @Test func `takes the slots of its guests when the outage ends too early`() {
    var world = world(slots: 3)
    world.campaign("patch-11", selection: only(host, other))
    let id = world.client("LAA")
    world.run(until: other, .preCheck)
    world.settle()
    declare(for: .seconds(3_700), &world)
    world.run(until: host, .update)
    world.step(.endOutage(id, by: "anna"))
    #expect(world.state.occupied(of: id, now: world.now) == 3)
    #expect(world.violations == [])
  }

  @Test func `survives the daemon's death while it waits for its guests`() {
    var world = world()
    world.campaign("patch-11", selection: only(host))
    declare(&world)
    world.run(until: host, .reboot)
    world.disconnect(app)
    world.run(until: host, .postCheck, .guests)
    world.crash()
    for name in [host, sql, other, app] { world.connect(name) }
    world.settle()
    #expect(kind(host, world) == .completed)
    #expect(world.violations == [])
  }

  @Test func `is no concern of a guest that is dismissed or retired while it waits`() {
    for retires in [true, false] {
      var world = world()
      world.campaign("patch-11", selection: only(host))
      declare(&world)
      world.run(until: host, .reboot)
      world.disconnect(app)
      world.run(until: host, .postCheck, .guests)
      let id = world.server(app)
      world.step(
        retires
          ? .retireServer(id, reason: "scrapped", by: "anna")
          : .dismissServer(id, reason: "switched off", by: "anna"))
      world.settle()
      #expect(kind(host, world) == .completed)
      #expect(world.violations == [])
    }
  }

  @Test func `cannot be given to another host while it is worked on`() {
    var world = world(migrates: true)
    world.campaign("patch-11", selection: only(host))
    var config = world.state[server: world.server(app)].config
    config.host = nil
    let moved = Event.fleetImported(clients: [], servers: [config], by: "anna")
    #expect(refusedCode(of: moved, &world) == .inFlight)
    config.host = ServerName(trusted: "LAA-PARIS-HV09")
    let lost = Event.fleetImported(clients: [], servers: [config], by: "anna")
    #expect(refusedField(of: lost, &world) == "host")
  }

  @Test func `gets no new guest while it is worked on`() {
    var world = world(migrates: true)
    world.campaign("patch-11", selection: only(host))
    let config = ServerConfig(
      name: ServerName(trusted: "LAA-PARIS-VM09"), client: ClientName(trusted: "LAA"),
      site: SiteName(trusted: "PARIS"), host: ServerName(trusted: host))
    let added = Event.fleetImported(clients: [], servers: [config], by: "anna")
    #expect(refusedCode(of: added, &world) == .inFlight)
    world.settle()
    #expect(refusedCode(of: added, &world) == nil)
  }

  @Test func `waits for a guest that is retired while it is worked on`() {
    var world = world(guests: [app])
    world.campaign("patch-11", selection: only(host, app))
    declare(&world)
    world.run(until: app, .update)
    world.step(.retireServer(world.server(app), reason: "scrapped", by: "anna"))
    world.run(for: .seconds(60))
    #expect(kind(app, world) == .inProgress)
    #expect(kind(host, world) == .pending)
    world.settle()
    #expect(kind(host, world) == .completed)
    #expect(world.violations == [])
  }
}

/// `carries_atlas`.
@Suite struct `A server that carries Atlas` {
  private let atlas = "MSP-PARIS-APP01"
  private let own = "MSP-PARIS-WEB01"
  private let client = "LAA-PARIS-APP01"

  private func world() -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [client])
    fleet.add("MSP", slots: 2, servers: [atlas, own])
    fleet.change(atlas) { $0.carriesAtlas = true }
    return EngineWorld(fleet)
  }

  @Test func `goes last, alone, and with a person`() throws {
    var world = world()
    world.campaign("patch-11")
    let run = world.run(atlas)
    #expect(world.state.waits(run, now: world.now) == .approval)
    world.step(.approveRun(run, reason: "I watch it", by: "anna"))
    #expect(world.state.waits(run, now: world.now) == .others)
    world.run(until: atlas, .preCheck)
    world.step(.retryRun(world.run(client), reason: "once more", by: "anna"))
    #expect(world.state.waits(world.run(client), now: world.now) == .alone(world.server(atlas)))
    world.settle()
    try Golden.expect(world, tells: "carries-atlas")
  }

  @Test func `goes alone in all campaigns`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [client, "LAA-PARIS-APP02"])
    fleet.add("MSP", servers: [atlas])
    fleet.change(atlas) { $0.carriesAtlas = true }
    var world = EngineWorld(fleet)
    let msp = world.campaign("msp", selection: Selection(clients: [ClientName(trusted: "MSP")]))
    let laa = world.campaign("laa", selection: Selection(clients: [ClientName(trusted: "LAA")]))
    let run = world.run(atlas, in: msp)
    world.run { $0.state[$0.run(client, in: laa)].state.kind == .inProgress }
    world.step(.approveRun(run, reason: "I watch it", by: "anna"))
    #expect(world.state.waits(run, now: world.now) == .others)
    #expect(!world.state.isSettled(msp, now: world.now))
    world.run { $0.state[run].state.kind == .inProgress }
    let next = world.run("LAA-PARIS-APP02", in: laa)
    #expect(world.state[next].state.kind != .inProgress)
    #expect(world.state.waits(next, now: world.now) == .alone(world.server(atlas)))
    world.settle()
    #expect(world.state[run].state.kind == .completed)
    #expect(world.state[next].state.kind == .completed)
    #expect(world.violations == [])
  }

  @Test func `keeps no gate closed: it goes after all rings`() {
    var fleet = EngineFleet()
    fleet.add("MSP", servers: [atlas, own])
    fleet.add("LAA", ring: .pilot, servers: [client])
    fleet.change(atlas) { $0.carriesAtlas = true }
    var world = EngineWorld(fleet)
    let gate = RingGate(ring: .canary, openAfter: .complete, representative: false)
    world.campaign("patch-11", policy: .with { $0.gates = [gate] })
    world.settle()
    #expect(world.state[world.run(client)].state.kind == .completed)
    #expect(world.state.waits(world.run(atlas), now: world.now) == .approval)
    #expect(world.violations == [])
  }

  @Test func `is outside the gate once, also while its client is postponed`() {
    var fleet = EngineFleet()
    fleet.add("MSP", servers: [atlas])
    fleet.add("ATL", servers: ["ATL-LYON-APP01"])
    fleet.add("LAA", ring: .pilot, servers: [client])
    fleet.change(atlas) { $0.carriesAtlas = true }
    var world = EngineWorld(fleet)
    let gate = RingGate(
      ring: .canary, openAfter: .complete, minCompleted: 2, gateSoak: .zero, representative: false)
    world.step(
      .lockServer(
        world.server("ATL-LYON-APP01"),
        Latch(
          reason: "vendor", principal: "anna", since: world.now)))
    world.campaign("patch-11", policy: .with { $0.gates = [gate] })
    world.step(
      .postponeClient(
        world.client("MSP"), until: world.now + .seconds(86_400), reason: "fair", by: "anna"))
    world.run(for: .seconds(600))
    // The one server that the gate looks at is not finished.
    #expect(world.state.campaigns[0].rings[0].gate == .closed)
    #expect(
      world.state.gateWaitsFor(CampaignID(0), .canary) == "0 of 1 servers completed")
    world.step(.unlockServer(world.server("ATL-LYON-APP01"), by: "anna"))
    world.run(for: .seconds(7_200))
    #expect(world.state.campaigns[0].rings[0].gate == .open)
    #expect(world.violations == [])
  }

  @Test func `needs a person each time it starts`() {
    var world = world()
    world.campaign("patch-11")
    let run = world.run(atlas)
    world.step(.approveRun(run, reason: "I watch it", by: "anna"))
    world.run(until: atlas, .preCheck)
    world.stop()
    world.run(for: .seconds(60))
    world.release()
    world.resume()
    world.settle()
    #expect(world.state.waits(run, now: world.now) == .approval)
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    #expect(world.violations == [])
  }

  @Test func `is not attempted when nobody lets it go`() {
    var world = world()
    world.campaign("patch-11", endsAt: EngineFleet.night().end)
    world.run(for: .seconds(10 * 3_600))
    let run = world.state[world.run(atlas)]
    #expect(run.state == .notAttempted(.window))
    #expect(run.details.content.lastError == "it carries Atlas, and nobody let it go")
    #expect(world.violations == [])
  }

  @Test func `is the only one that is approved`() {
    var world = world()
    world.campaign("patch-11")
    let others = Event.approveRun(world.run(own), reason: "", by: "anna")
    let running = Event.approveRun(world.run(client), reason: "", by: "anna")
    #expect(refusedCode(of: others, &world) == .runState)
    #expect(refusedCode(of: running, &world) == .runState)
    world.step(.skipRun(world.run(atlas), reason: "no", by: "anna"))
    let ended = Event.approveRun(world.run(atlas), reason: "", by: "anna")
    #expect(refusedCode(of: ended, &world) == .runState)
  }

  @Test func `is the only one that needs it`() {
    var world = world()
    world.step(.pauseClient(world.client("MSP"), reason: "wait", by: "anna"))
    world.campaign("patch-11")
    let event = Event.approveRun(world.run(own), reason: "", by: "anna")
    #expect(refusedCode(of: event, &world) == .noApproval)
  }
}

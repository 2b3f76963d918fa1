import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

/// Twelve clients with two web servers each, which the campaign `nov` works on, and a database each
/// that it leaves alone; the campaign `dec` is planned beside it.
private struct Beside {
  static let estimate = Duration.seconds(2_700)
  static let nov = CampaignName(trusted: "nov")
  static let dec = CampaignName(trusted: "dec")
  static let clients = 12

  var desk: Desk
  /// When `nov` was started.
  let start: Instant

  /// - Parameters:
  ///   - started: Whether `nov` is started; it is a draft otherwise.
  ///   - windows: Of all clients, from the start on; always, when there are none.
  init(started: Bool = true, slots: Int = 1, windows: [Range<Int>] = []) throws {
    desk = try Desk()
    start = desk.now
    let begin = start
    let open =
      windows.isEmpty
      ? [Interval(start: Instant(milliseconds: 0), end: Instant(milliseconds: 1 << 50))]
      : windows.map {
        Interval(start: begin + .seconds($0.lowerBound), end: begin + .seconds($0.upperBound))
      }
    importFleet(slots: slots, open)
    connectAll()
    let webs = Selection(names: [NamePattern(trusted: "*-WEB0?")])
    desk.ask(.createCampaign(CampaignRequest(name: Self.nov, selection: webs)))
    if started { desk.ask(.startCampaign(Self.nov, ifMatch: "")) }
    _ = desk.commitAll()
  }

  static func server(_ client: Int, _ rest: String) -> ServerName {
    ServerName(trusted: "C\(10 + client)-PARIS-\(rest)")
  }

  static func client(_ number: Int) -> ClientName { ClientName(trusted: "C\(10 + number)") }

  static var servers: [ServerName] {
    (0..<clients).flatMap { client in
      ["WEB01", "WEB02", "SQL01"].map { server(client, $0) }
    }
  }

  private mutating func importFleet(slots: Int, _ open: [Interval]) {
    let clients = (0..<Self.clients).map {
      ClientConfig(
        name: Self.client($0), ring: .canary, maxParallelServers: slots, requireBackup: false,
        createSnapshots: false)
    }
    let servers = Self.servers.map {
      ServerConfig(
        name: $0, client: ClientName(trusted: String($0.text.prefix(3))),
        site: SiteName(trusted: "PARIS"))
    }
    desk.ask(.importFleet(clients: clients, servers: servers))
    _ = desk.commitAll()
    for index in clients.indices {
      desk.take(
        .windowsExpanded(
          ClientID(index), open, until: Instant(milliseconds: 1 << 50), question: 1))
    }
    _ = desk.commitAll()
  }

  private mutating func connectAll() {
    for (index, server) in Self.servers.enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(index + 1)), Desk.hello(server)))
    }
    _ = desk.commitAll()
  }

  /// `dec` is made, with the databases of these clients.
  mutating func draft(_ clients: Int...) {
    let selection = Selection(servers: clients.map { Self.server($0, "SQL01") })
    desk.ask(.createCampaign(CampaignRequest(name: Self.dec, selection: selection)))
    _ = desk.commitAll()
  }

  mutating func wait(_ seconds: Int) {
    desk.now = desk.now + .seconds(seconds)
    desk.take(.timerFired)
    _ = desk.commitAll()
  }

  /// The agent of a client's first server is gone for so long that its run is HELD{LOST}.
  mutating func lose(client: Int) {
    desk.take(.sessionClosed(SessionID(UInt64(client * 3 + 1))))
    _ = desk.commitAll()
    wait(301)
  }

  func plan(_ name: CampaignName = dec) throws -> CampaignPlan { try desk.snapshot.plan(name) }

  func state(of server: ServerName) throws -> RunState.Kind? {
    let state = desk.machine.state
    let id = try #require(state.server(named: server))
    return state[server: id].openRun.map { state[$0].state.kind }
  }
}

@Suite("A plan beside a campaign that is running")
struct PlanBesideTests {
  @Test("is the plan that it would be alone, where they share no client's slot")
  func apart() throws {
    var alone = try Beside(started: false, slots: 3)
    alone.draft(11)
    alone.wait(301)
    var beside = try Beside(slots: 1)
    beside.draft(11)
    beside.lose(client: 0)
    // In progress, held and pending.
    #expect(try beside.state(of: Beside.server(1, "WEB01")) == .inProgress)
    #expect(try beside.state(of: Beside.server(0, "WEB01")) == .held)
    #expect(try beside.state(of: Beside.server(11, "WEB02")) == .pending)
    // The last of the twelve clients works on two web servers of `nov` first.
    let both = try beside.plan()
    #expect(both.finish == beside.start + Beside.estimate * 3)
    // With more slots it does not, and then it is the same plan but for who else is down.
    var wide = try Beside(slots: 3)
    wide.draft(11)
    wide.wait(301)
    var expected = try alone.plan()
    #expect(expected.finish == alone.desk.now + Beside.estimate)
    #expect(expected.mostDownOfClient == 1)
    expected.mostDownOfClient = 3
    #expect(try wide.plan() == expected)
  }

  @Test("waits for the slot that another campaign's servers have, as long as they are expected to")
  func waits() throws {
    var beside = try Beside()
    beside.draft(5)
    beside.wait(600)
    let plan = try beside.plan()
    // Ten minutes of the first are over; the second goes first, because `nov` was started before.
    let starts = beside.start + Beside.estimate * 2
    let client = PlannedClient(
      client: Beside.client(5), ring: .canary, servers: 1, firstStart: starts,
      lastEnd: starts + Beside.estimate)
    #expect(plan.clients == [client])
    #expect(plan.finish == starts + Beside.estimate)
    #expect(plan.misses == [])
    #expect(plan.blocked == [])
    #expect(plan.mostDown == 1)
    #expect(plan.mostDownOfClient == 1)
    #expect(plan.lowerBound == Beside.estimate)
  }

  @Test("lets what should be over end at once")
  func overdue() throws {
    var beside = try Beside(slots: 2)
    beside.draft(5)
    // PRE_CHECK has its limits of a quarter of an hour: what fails then is no concern here.
    beside.wait(600)
    let before = try beside.plan()
    #expect(before.finish == beside.start + Beside.estimate * 2)
    let later = ControlSnapshot(
      state: beside.desk.machine.state, now: beside.start + .seconds(6_000), demoFactor: 1)
    let plan = try later.plan(Beside.dec)
    #expect(plan.finish == beside.start + .seconds(6_000) + Beside.estimate)
  }

  @Test("says which server keeps the slot, of one that is held")
  func held() throws {
    var beside = try Beside()
    beside.draft(0, 1)
    beside.lose(client: 0)
    let plan = try beside.plan()
    let kept = PlannedServer(
      server: Beside.server(0, "SQL01"), client: Beside.client(0),
      reason: "no slot of its client is free: C10-PARIS-WEB01 is HELD in nov")
    #expect(plan.misses == [kept])
    #expect(plan.blocked == [kept])
    #expect(plan.finish == beside.start + Beside.estimate * 3)
    // The second slot is free for it: both are down then.
    var wide = try Beside(slots: 2)
    wide.draft(0)
    wide.lose(client: 0)
    let other = try wide.plan()
    #expect(other.misses == [])
    #expect(other.blocked == [])
    #expect(other.mostDown == 1)
    #expect(other.mostDownOfClient == 2)
  }

  @Test("keeps the slot of one that is parked until it goes on")
  func parked() throws {
    var beside = try Beside(windows: [0..<7_200, 86_400..<200_000])
    beside.draft(0)
    let parked = Beside.server(0, "WEB01")
    try beside.park(client: 0)
    #expect(try beside.state(of: parked) == .parked)
    #expect(
      try beside.plan().blocked.map(\.reason) == [
        "no slot of its client is free: \(parked) is PARKED in nov"
      ])
    beside.wait(7_200)
    beside.desk.ask(.resumeCampaign(Beside.nov, .all, now: false))
    _ = beside.desk.commitAll()
    #expect(try beside.state(of: parked) == .parked)
    // It goes on with the next window, then the second web server, then the database.
    let plan = try beside.plan()
    #expect(plan.misses == [])
    #expect(plan.blocked == [])
    #expect(plan.finish == beside.start + .seconds(86_400) + Beside.estimate * 3)
  }

  @Test("can be asked what if, looked at beforehand, and started by")
  func started() throws {
    var beside = try Beside()
    beside.draft(4, 5)
    beside.wait(60)
    let plan = try beside.plan()
    let what = try beside.desk.snapshot.plan(
      Beside.dec, whatIf: try WhatIf.parse("max_parallel_servers=3,failure_rate=100%"))
    #expect(what.failed == 2)
    #expect(what.finish == beside.desk.now + Beside.estimate + .seconds(900))
    #expect(what.mostDownOfClient == 3)
    #expect(what.mostDown == 2)
    let subjects = try beside.desk.snapshot.preflight(Beside.dec)
    #expect(subjects.map(\.server) == [4, 5].map { Beside.server($0, "SQL01") })
    beside.desk.ask(.startCampaign(Beside.dec, ifMatch: plan.etag, plan: plan.kept))
    _ = beside.desk.commitAll()
    let id = try #require(beside.desk.machine.state.campaign(named: Beside.dec))
    #expect(beside.desk.machine.state[campaign: id].plan == plan.kept)
    #expect(try beside.plan().finish == plan.finish)
  }

  @Test("of the campaign that is running itself says how long what is begun still takes")
  func itself() throws {
    var beside = try Beside()
    beside.draft(3, 4)
    beside.desk.ask(.startCampaign(Beside.dec, ifMatch: ""))
    beside.wait(600)
    let plan = try beside.plan(Beside.nov)
    #expect(plan.start == beside.start)
    #expect(plan.finish == beside.start + Beside.estimate * 2)
    #expect(plan.servers == 24)
    #expect(plan.mostDown == 12)
    #expect(plan.mostDownOfClient == 1)
    #expect(plan.misses == [])
  }
}

extension Beside {
  /// Everything is stopped before UPDATE of a client's first server is confirmed, its agent says
  /// that it never came, and the stop is released: `nov` is paused.
  mutating func park(client: Int) throws {
    let server = Self.server(client, "WEB01")
    for _ in 0..<8 where try !isUpdating(server) {
      for case .startHook(let order) in desk.drain() where order.server == server {
        desk.take(.hookFinished(order.ticket, .notDefined, nil))
      }
      _ = desk.commitAll()
    }
    desk.ask(.stop(nil, reason: "look"))
    _ = desk.commitAll()
    desk.take(.sessionOpened(SessionID(1_000), Desk.hello(server)))
    desk.ask(.releaseStop(nil, reason: "done"))
    _ = desk.commitAll()
  }

  private func isUpdating(_ server: ServerName) throws -> Bool {
    let state = desk.machine.state
    let id = try #require(state.server(named: server))
    return state[server: id].openRun.flatMap { state[$0].state.phase } == .update
  }
}

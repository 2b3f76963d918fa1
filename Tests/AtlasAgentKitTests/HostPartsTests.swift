import AtlasModel
import Testing

@testable import AtlasAgentKit

/// The small parts of the host.
@Suite struct HostPartsTests {
  private static let start = ContinuousClock.now

  @Test func `timers fire in the order of their deadlines, equal ones as they were added`() {
    var heap = TimerHeap<Int>()
    var random = SplitMix64(seed: 3)
    let deadlines = (0..<500).map { _ in Int.random(in: 0..<50, using: &random) }
    for (index, deadline) in deadlines.enumerated() {
      heap.add(index, at: Self.start + .milliseconds(deadline))
    }
    var fired: [Int] = []
    while let timer = heap.popDue(at: Self.start + .milliseconds(49)) { fired.append(timer) }
    #expect(fired == deadlines.indices.sorted { (deadlines[$0], $0) < (deadlines[$1], $1) })
    #expect(heap.nextDeadline == nil)
  }

  @Test func `a timer whose time has not come stays`() {
    var heap = TimerHeap<Int>()
    heap.add(1, at: Self.start + .seconds(1))
    #expect(heap.popDue(at: Self.start) == nil)
    #expect(heap.nextDeadline == Self.start + .seconds(1))
  }

  @Test func `campaign time runs on at the daemon's factor`() {
    let clock = CampaignClock(
      campaignTime: Instant(milliseconds: 1_000), factor: 1_000, at: Self.start)
    #expect(clock.instant(at: Self.start + .milliseconds(50)) == Instant(milliseconds: 51_000))
    #expect(clock.real(.seconds(45 * 60)) == .milliseconds(2_700))
  }

  @Test func `the wait before a new session doubles to its limit, and starts again`() {
    var backoff = Backoff(random: SplitMix64(seed: 1))
    let waits = (0..<12).map { _ in backoff.next(after: nil) }
    for (index, wait) in waits.enumerated() {
      let whole = min(KitLimits.shortestBackoff * (1 << index), KitLimits.longestBackoff)
      #expect(wait >= whole / 2 && wait <= whole)
    }
    #expect(backoff.next(after: KitLimits.steadySession) <= KitLimits.shortestBackoff)
  }

  @Test func `a mailbox gives what was posted, in order, and returns at a deadline`() {
    let mailbox = Mailbox<Int>()
    mailbox.post(1)
    mailbox.post(2)
    #expect(mailbox.take(until: nil) == [1, 2])
    #expect(mailbox.take(until: .now) == [])
  }

  @Test(arguments: [
    ("127.0.0.1:7400", "127.0.0.1", 7400), ("atlas.example:1", "atlas.example", 1),
    ("[::1]:7400", "::1", 7400),
  ])
  func `an address is a host and a port`(text: String, host: String, port: Int) {
    let address = DaemonAddress(text)
    #expect(address?.host == host && address?.port == port)
    #expect(address?.description == text)
  }

  @Test(arguments: ["", "localhost", ":7400", "host:", "host:70000", "::1:7400", "host:x"])
  func `anything else is no address`(text: String) {
    #expect(DaemonAddress(text) == nil)
  }
}

/// What people write for a simulation.
@Suite struct SimulationInputTests {
  private static func read(_ csv: String) throws -> [FleetMember] {
    try FleetList.read(csv: Array(csv.utf8))
  }

  @Test func `a list of servers takes name, roles and client from its columns`() throws {
    let csv =
      "\u{FEFF}client,server,roles\r\nLAA,LAA-PARIS-DC01,DC;DNS\r\nZEN,\"ZEN-LYON-WEB01\",\r\n\r\n"
    #expect(
      try Self.read(csv) == [
        FleetMember(
          server: ServerName(trusted: "LAA-PARIS-DC01"), client: "LAA",
          roles: [Role(trusted: "DC"), Role(trusted: "DNS")]),
        FleetMember(
          server: ServerName(trusted: "ZEN-LYON-WEB01"), client: "ZEN",
          roles: [Role(trusted: "WEB")]),
      ])
  }

  @Test func `without a client column the name says it`() throws {
    #expect(
      try Self.read("ServerName\nLAA-PARIS-SQL-02\n") == [
        FleetMember(
          server: ServerName(trusted: "LAA-PARIS-SQL-02"), client: "LAA",
          roles: [Role(trusted: "SQL")])
      ])
  }

  @Test(arguments: [
    ("", FleetListError.noServers), ("name\nx", .noServerColumn), ("server\n", .noServers),
    ("server\nA\nA\n", .row(line: 3, message: "A is there twice")),
    ("server\n\nA B\n", .row(line: 3, message: "")),
  ])
  func `a list that is none says where it is wrong`(csv: String, error: FleetListError) {
    do {
      _ = try Self.read(csv)
      Issue.record("read")
    } catch let thrown as FleetListError {
      if case .row(3, "") = error, case .row(3, _) = thrown { return }
      #expect(thrown == error)
    } catch {
      Issue.record(error)
    }
  }

  private static func scenario(_ json: String) throws -> Scenario {
    try Scenario(json: Array(json.utf8))
  }

  @Test func `a scenario plants by server, then by client, then by chance`() throws {
    let scenario = try Self.scenario(
      #"{"servers": {"A-1": "hangs", "A-2": "none"}, "clients": {"A": "lies"}}"#)
    let kinds = ["A-1", "A-2", "A-3"].map {
      scenario.failure(of: ServerName(trusted: $0), client: "A", seed: 1, rate: 1)
    }
    #expect(kinds == [.hangs, nil, .lies])
    let other = ServerName(trusted: "B-1")
    #expect(scenario.failure(of: other, client: "B", seed: 1, rate: 0) == nil)
    #expect(scenario.failure(of: other, client: "B", seed: 1, rate: 1) != nil)
  }

  @Test func `chance gives about the rate that was asked for`() {
    let failures = (0..<2_000).count {
      Scenario().failure(of: ServerName(trusted: "S\($0)"), client: "", seed: 4, rate: 0.1) != nil
    }
    #expect((150...250).contains(failures))
  }

  @Test(arguments: [
    #"{"servers": {"A": "explodes"}}"#, #"{"duration_scale": 0}"#, #"{"servers": 3}"#, "[", "",
  ])
  func `a scenario that is none is refused`(json: String) {
    #expect(throws: ScenarioError.self) { try Self.scenario(json) }
  }

  @Test func `a scenario about strangers is refused`() throws {
    let scenario = try Self.scenario(#"{"servers": {"A-1": "hangs"}}"#)
    #expect(throws: ScenarioError(message: "the scenario's server A-1 is not in the fleet")) {
      try scenario.check(against: [])
    }
  }
}

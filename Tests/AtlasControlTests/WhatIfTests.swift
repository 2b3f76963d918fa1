import AtlasEngine
import AtlasModel
import Testing

@testable import AtlasControl

@Suite("What is supposed, as it is written")
struct WhatIfTextTests {
  @Test(
    "reads, and reads back",
    arguments: [
      ("max_parallel_servers=2", [WhatIf.maxParallelServers(2)]),
      ("failure_rate=3%", [.failureRate(perTenThousand: 300)]),
      ("failure_rate=2.5%", [.failureRate(perTenThousand: 250)]),
      ("failure_rate=0.25%", [.failureRate(perTenThousand: 25)]),
      ("failure_rate=0.05%", [.failureRate(perTenThousand: 5)]),
      ("failure_rate=100%", [.failureRate(perTenThousand: 10_000)]),
      (
        "max_in_progress=10,max_active_clients=none,max_starts_per_minute=5,per_site=1",
        [.maxInProgress(10), .maxActiveClients(nil), .maxStartsPerMinute(5), .perSite(1)]
      ),
      (
        "estimate=1h30m,rollback_reserve=0s,gate_soak=5m",
        [.estimate(.seconds(5_400)), .rollbackReserve(.zero), .gateSoak(.seconds(300))]
      ),
      ("gates=open,windows=always", [.gatesOpen, .windowsAlways]),
    ])
  func reads(text: String, expected: [WhatIf]) throws {
    #expect(try WhatIf.parse(text) == expected)
    #expect(expected.map(\.text).joined(separator: ",") == text)
  }

  @Test("may have spaces behind its commas")
  func spaces() throws {
    #expect(try WhatIf.parse("gates=open, per_site=none") == [.gatesOpen, .perSite(nil)])
  }

  private static let keys =
    "keys are max_parallel_servers, max_in_progress, max_active_clients, max_starts_per_minute, "
    + "per_site, estimate, rollback_reserve, failure_rate, gate_soak, gates, windows"

  @Test(
    "is refused with what would be right",
    arguments: [
      ("", "", "write KEY=VALUE; \(keys)"),
      ("gates", "gates", "write KEY=VALUE; \(keys)"),
      ("gates=open,", "", "write KEY=VALUE; \(keys)"),
      (
        "max_paralel_servers=2", "max_paralel_servers=2",
        "did you mean max_parallel_servers? \(keys)"
      ),
      ("colour=blue", "colour=blue", keys),
      ("max_parallel_servers=0", "max_parallel_servers=0", "write a number from 1 to 100"),
      ("max_parallel_servers=none", "max_parallel_servers=none", "write a number from 1 to 100"),
      ("per_site=0", "per_site=0", "write a number from 1 to 1000000, or “none” for no cap"),
      (
        "estimate=45", "estimate=45",
        "“45” is not a duration; write a number with a unit, such as 90s, 45m, 1h30m or 2d"
      ),
      ("estimate=0s", "estimate=0s", "no server takes no time; write for example 45m"),
      ("failure_rate=3", "failure_rate=3", "write a share from 0% to 100%, such as 3% or 2.5%"),
      (
        "failure_rate=101%", "failure_rate=101%",
        "write a share from 0% to 100%, such as 3% or 2.5%"
      ),
      (
        "failure_rate=1.234%", "failure_rate=1.234%",
        "write a share from 0% to 100%, such as 3% or 2.5%"
      ),
      ("gates=closed", "gates=closed", "the only thing to suppose here is “open”"),
      ("gates=open,gates=open", "gates=open", "gates is there already"),
    ])
  func refuses(text: String, part: String, message: String) {
    #expect(throws: WhatIfError(text: part, message: message)) { try WhatIf.parse(text) }
  }
}

@Suite("A plan of what could be")
struct WhatIfPlanTests {
  private static let estimate = Duration.seconds(2_700)

  /// One client with so many servers and one slot.
  private static func desk(_ count: Int, _ change: (inout Policy) -> Void = { _ in }) throws -> Desk
  {
    var desk = try Desk()
    desk.ask(
      .importFleet(
        clients: [ClientConfig(name: Desk.client, ring: .canary)],
        servers: (0..<count).map {
          ServerConfig(
            name: ServerName(trusted: "LAA-PARIS-WEB\(100 + $0)"), client: Desk.client,
            site: SiteName(trusted: "PARIS"))
        }))
    _ = desk.commitAll()
    let all = Interval(start: Instant(milliseconds: 0), end: Instant(milliseconds: 1 << 50))
    desk.take(.windowsExpanded(ClientID(0), [all], until: all.end, question: 1))
    var policy = Policy()
    policy.breakers = .off
    change(&policy)
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign, policy: policy)))
    _ = desk.commitAll()
    return desk
  }

  private static func compare(_ desk: inout Desk, _ text: String) throws -> PlanComparison {
    let ticket = desk.ask(Read.plan(Desk.campaign, whatIf: try WhatIf.parse(text)))
    guard case .answer(.plan(let work)) = desk.drain().reply(ticket) else {
      throw BadReply()
    }
    return try work.work()
  }

  private struct BadReply: Error {}

  @Test("has more slots, other estimates or a cap, and the plan beside it has not")
  func figures() throws {
    var desk = try Self.desk(6)
    let before = try desk.snapshot.plan(Desk.campaign)
    for (text, makespan, down) in [
      ("max_parallel_servers=2", Self.estimate * 3, 2),
      ("max_parallel_servers=3,max_in_progress=1", Self.estimate * 6, 1),
      ("estimate=10m", .seconds(3_600), 1),
      ("windows=always", Self.estimate * 6, 1),
      ("gates=open", Self.estimate * 6, 1),
    ] {
      let both = try Self.compare(&desk, text)
      let supposed = try #require(both.supposed)
      #expect(supposed.makespan == makespan, "\(text)")
      #expect(supposed.mostDown == down, "\(text)")
      #expect(supposed.mostDownOfClient == down, "\(text)")
      #expect(both.plan == before)
      #expect(supposed.etag == before.etag)
    }
    #expect(before.makespan == Self.estimate * 6)
    #expect(before.mostDown == 1)
    // Nothing of it remains.
    #expect(try desk.snapshot.plan(Desk.campaign) == before)
  }

  @Test("beside nothing that is supposed there is nothing")
  func nothing() throws {
    var desk = try Self.desk(1)
    let ticket = desk.ask(Read.plan(Desk.campaign, whatIf: []))
    guard case .answer(.plan(let work)) = desk.drain().reply(ticket) else { throw BadReply() }
    #expect(try work.work().supposed == nil)
  }

  @Test("lets every so many servers fail, always the same, and roll back within the reserve")
  func failures() throws {
    var desk = try Self.desk(100) { $0.gates = [] }
    let supposed = try #require(try Self.compare(&desk, "failure_rate=3%").supposed)
    #expect(supposed.failed == 3)
    #expect(supposed.held == 0)
    #expect(supposed.makespan == Self.estimate * 100 + .seconds(900) * 3)
    #expect(try Self.compare(&desk, "failure_rate=3%").supposed == supposed)
    #expect(try Self.compare(&desk, "failure_rate=0%").supposed?.failed == 0)
    #expect(try Self.compare(&desk, "failure_rate=100%").supposed?.failed == 100)
  }

  @Test("keeps a server that nobody rolls back, and its slot with it")
  func held() throws {
    var desk = try Self.desk(10) { $0.autoRollback = false }
    // The fifth of ten is the first of a fifth.
    let supposed = try #require(try Self.compare(&desk, "failure_rate=20%").supposed)
    #expect(supposed.held == 1)
    #expect(supposed.misses.count == 5)
  }

  @Test("is refused when something is supposed twice, or of no campaign")
  func refusals() throws {
    var desk = try Self.desk(1)
    let twice = desk.ask(Read.plan(Desk.campaign, whatIf: [.gatesOpen, .gatesOpen]))
    guard case .refused(let error) = desk.drain().reply(twice) else { throw BadReply() }
    #expect(
      error
        == .refused(.invalid(field: "what_if", message: "gates is there more than once")))
    let unknown = desk.ask(Read.plan(CampaignName(trusted: "none"), whatIf: []))
    guard case .refused(let other) = desk.drain().reply(unknown) else { throw BadReply() }
    #expect(other == .notFound(kind: "campaign", name: "none"))
  }
}

@Suite("A plan that was kept")
struct KeptPlanTests {
  private static let campaign = CampaignID(0)

  private static func desk() throws -> Desk {
    var desk = try Desk()
    _ = desk.importFleet()
    for (index, server) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(index + 1)), Desk.hello(server)))
    }
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    _ = desk.commitAll()
    return desk
  }

  @Test("is in the store, comes back, and says in the log what was planned")
  func isKept() throws {
    var desk = try Self.desk()
    let plan = try desk.snapshot.plan(Desk.campaign)
    desk.ask(.startCampaign(Desk.campaign, ifMatch: plan.etag, plan: plan.kept))
    let batches = desk.commitAll()
    #expect(desk.machine.state[campaign: Self.campaign].plan == plan.kept)
    let started = batches.flatMap(\.records).first { $0.kind == "campaign.started" }
    #expect(started?.reason == "planned to take 1h30m")
    let row = try #require(batches.flatMap(\.puts).first { $0.key.owner == 2 })
    var reader = try ByteReader(row.body, versions: StateRows.readable, row: "plan")
    #expect(try reader.optional { try $0.keptPlan() } == plan.kept)
  }

  @Test("is left out when it is not true any more, and the campaign starts")
  func isLeftOut() throws {
    var desk = try Self.desk()
    let plan = try desk.snapshot.plan(Desk.campaign)
    desk.ask(
      .importFleet(
        clients: [ClientConfig(name: ClientName(trusted: "NEW"))], servers: []))
    _ = desk.commitAll()
    desk.ask(.startCampaign(Desk.campaign, ifMatch: "", plan: plan.kept))
    let batches = desk.commitAll()
    #expect(desk.machine.state[campaign: Self.campaign].plan == nil)
    #expect(desk.machine.state[campaign: Self.campaign].state == .active)
    let started = batches.flatMap(\.records).first { $0.kind == "campaign.started" }
    #expect(
      started?.reason
        == "its plan is not kept: the fleet or what is estimated has changed since")
    #expect(try desk.snapshot.report(Desk.campaign).planned == nil)
  }

  @Test("is compared with what happened: late starts, why, and how good estimates were")
  func isCompared() throws {
    var desk = try Self.desk()
    let plan = try desk.snapshot.plan(Desk.campaign)
    desk.ask(.startCampaign(Desk.campaign, ifMatch: plan.etag, plan: plan.kept))
    let start = desk.now
    // The first takes two hours in place of 45 min, and is left out then; so is the second, at
    // once.
    while let order = desk.nextHook() {
      if order.server == Desk.first, order.point == .preUpdate {
        desk.now = desk.now + .seconds(7_200)
      }
      let verdict: HookVerdict = order.point == .preUpdate ? .skip("not tonight") : .notDefined
      desk.take(.hookFinished(order.ticket, verdict, nil))
    }
    let report = try desk.snapshot.report(Desk.campaign)
    let compared = try #require(report.planned)
    #expect(compared.start == start)
    #expect(compared.plannedFinish == start + .seconds(5_400))
    #expect(compared.finish == start + .seconds(7_200))
    #expect(
      compared.rings == [
        RingDeviation(
          ring: .canary, name: "canary", plannedOpens: start, opens: start,
          plannedCompletes: start + .seconds(5_400), completes: start + .seconds(7_200))
      ])
    #expect(
      compared.clients == [
        ClientDeviation(
          client: Desk.client, plannedStart: start, start: start,
          plannedEnd: start + .seconds(5_400), end: start + .seconds(7_200))
      ])
    #expect(compared.servers.map(\.server) == [Desk.first, Desk.second])
    #expect(compared.servers.map(\.off) == [.seconds(4_500), .seconds(4_500)])
    #expect(compared.servers.map(\.length) == [.seconds(7_200), .zero])
    #expect(
      compared.servers.map(\.reason) == [
        "its estimate is the policy's: history does not know its kind well enough",
        "LAA-PARIS-WEB01 before it took 1h15m longer than planned",
      ])
    // Neither was attempted.
    #expect(report.estimates.attempts == 0)
    #expect(report.estimates.coverage == nil)
  }

  @Test("is not read when it is of no campaign, or cut off")
  func isRefused() throws {
    var desk = try Self.desk()
    let plan = try desk.snapshot.plan(Desk.campaign).kept
    var writer = ByteWriter(version: StateRows.version)
    writer.put(plan)
    let bytes = Array(writer.bytes.dropLast(3))
    var reader = try ByteReader(bytes, versions: StateRows.readable, row: "plan")
    #expect(throws: RowError.self) { try reader.keptPlan() }
    _ = desk.commitAll()
  }
}

import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("A plan") struct PlanTests {
  @Test(
    "lets every server take its estimate, whatever a single phase may take",
    arguments: [Duration.seconds(600), .seconds(2_700), .seconds(6 * 3_600)])
  func takesEstimates(estimate: Duration) throws {
    var desk = try Desk()
    _ = desk.importFleet()
    var policy = Policy()
    policy.times.estimate = estimate
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign, policy: policy)))
    _ = desk.commitAll()
    let plan = try desk.snapshot.plan(Desk.campaign)
    #expect(plan.makespan == estimate * 2)
    #expect(plan.lowerBound == estimate * 2)
    #expect(plan.misses.isEmpty)
    #expect(plan.blocked.map(\.reason) == Array(repeating: "its agent is not connected", count: 2))
  }
}

@Suite("What people did, done again") struct InterventionTests {
  private static let campaign = CampaignID(0)
  private static let record = LogRecord(
    seq: 1, campaignTime: Instant(milliseconds: 1_000_000), realTimeMilliseconds: 0, kind: "",
    principal: "kim")

  @Test(
    "is read from the log",
    arguments: [
      ("stop.latched", Event.stop(nil, reason: "r", by: "kim")),
      ("stop.released", .releaseStop(nil, reason: "r", by: "kim")),
      ("campaign.paused", .pauseCampaign(campaign, .all, reason: "r", by: "kim")),
      ("campaign.resumed", .resumeCampaign(campaign, .all, now: false, by: "kim")),
      ("campaign.cancelling", .cancelCampaign(campaign, reason: "r", by: "kim")),
    ])
  func mapsRecords(kind: String, event: Event) throws {
    var record = Self.record
    record.kind = kind
    record.reason = "r"
    let found = try #require(try snapshot().intervention(record, in: Self.campaign))
    #expect(found.at == record.campaignTime)
    #expect("\(found.event)" == "\(event)")
  }

  @Test("keeps the scope of a pause")
  func keepsScope() throws {
    var record = Self.record
    record.kind = "campaign.paused"
    record.client = Desk.client.text
    let found = try #require(try snapshot().intervention(record, in: Self.campaign))
    let expected = Event.pauseCampaign(
      Self.campaign, .client(ClientID(0)), reason: "", by: "kim")
    #expect("\(found.event)" == "\(expected)")
  }

  @Test("leaves out what the engine did, what followed, and what was after the look")
  func leavesOut() throws {
    var byEngine = Self.record
    byEngine.kind = "campaign.paused"
    byEngine.principal = ""
    var cancelled = Self.record
    cancelled.kind = "run.skipped"
    cancelled.detail = "cancelled"
    cancelled.run = 1
    var later = Self.record
    later.kind = "stop.latched"
    later.campaignTime = Instant(milliseconds: 1 << 50)
    for record in [byEngine, cancelled, later] {
      #expect(try snapshot().intervention(record, in: Self.campaign) == nil)
    }
  }

  @Test("holds from the start when it was before it")
  func movesToStart() throws {
    var before = Self.record
    before.kind = "client.paused"
    before.client = Desk.client.text
    before.campaignTime = Instant(milliseconds: 1)
    let snapshot = try snapshot()
    let found = try #require(snapshot.intervention(before, in: Self.campaign))
    #expect(found.at == snapshot.state[campaign: Self.campaign].startedAt)
  }

  private func snapshot() throws -> ControlSnapshot {
    var desk = try Desk()
    _ = desk.importFleet()
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    return desk.snapshot
  }
}

@Suite("A lower bound") struct LowerBoundTests {
  private static let campaign = CampaignID(0)

  @Test(
    "moves with a pause of the campaign, of its client, or a stop",
    arguments: ["campaign.paused campaign.resumed", "client.paused client.resumed"])
  func followsPauses(kinds: String) throws {
    var desk = try Self.finished()
    desk.now = desk.now + .seconds(86_400)
    let snapshot = desk.snapshot
    let start = try #require(snapshot.state[campaign: Self.campaign].startedAt)
    let plain = try #require(snapshot.makespan(Self.campaign)).lowerBound
    // Paused a minute after the start for two hours: the second server starts that much later.
    var records: [LogRecord] = []
    for (kind, seconds) in zip(kinds.split(separator: " "), [60, 7_260]) {
      records.append(
        LogRecord(
          seq: UInt64(records.count + 1), campaignTime: start + .seconds(seconds),
          realTimeMilliseconds: 0, kind: String(kind),
          client: kind.hasPrefix("client") ? Desk.client.text : "", principal: "kim"))
    }
    let report = try snapshot.report(Desk.campaign, log: records)
    let paused = try #require(report.lowerBound)
    #expect(plain == .seconds(600))
    // The first server ends at 300 s, inside the pause; the second takes its 300 s after it.
    #expect(paused == .seconds(7_260 + 300))
  }

  @Test("is not disturbed by runs that people had made, and skipped")
  func ignoresRetries() throws {
    var desk = try Self.finished()
    desk.now = desk.now + .seconds(86_400)
    let records = [
      LogRecord(
        seq: 1, campaignTime: desk.now - .seconds(10), realTimeMilliseconds: 0,
        kind: "run.skipped", run: 3, detail: "by a person", principal: "kim")
    ]
    let report = try desk.snapshot.report(Desk.campaign, log: records)
    #expect(report.lowerBound == .seconds(600))
    #expect(report.ratio == 1)
  }

  @Test("knows one campaign, whatever runs beside it")
  func isAboutOne() throws {
    var desk = try Self.finished()
    let alone = try #require(desk.snapshot.makespan(Self.campaign))
    let other = CampaignName(trusted: "dec")
    desk.ask(.createCampaign(CampaignRequest(name: other)))
    desk.ask(.startCampaign(other, ifMatch: ""))
    _ = desk.commitAll()
    #expect(desk.machine.state[campaign: CampaignID(1)].counts[.inProgress] == 1)
    let beside = try #require(desk.snapshot.makespan(Self.campaign))
    #expect(beside == alone)
    #expect(beside == (.seconds(600), .seconds(600)))
  }

  /// Both servers were worked on for 300 s each, one after the other.
  private static func finished() throws -> Desk {
    var desk = try Desk()
    _ = desk.importFleet()
    for (index, server) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(index + 1)), Desk.hello(server)))
    }
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    while let order = desk.nextHook() {
      // PRE_CHECK takes all the time; the server is then left out by its hook.
      if order.point == .preUpdate { desk.now = desk.now + .seconds(300) }
      let verdict: HookVerdict = order.point == .preUpdate ? .skip("not tonight") : .notDefined
      desk.take(.hookFinished(order.ticket, verdict, nil))
    }
    return desk
  }
}

extension Desk {
  /// The next hook that is to run, once what waits is committed; nil when there is none.
  mutating func nextHook() -> HookOrder? {
    _ = commitAll()
    for case .startHook(let order) in drain() { return order }
    return nil
  }
}

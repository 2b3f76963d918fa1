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
    seq: 1, campaignTime: Instant(milliseconds: 2_000_000), realTimeMilliseconds: 0, kind: "",
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

  @Test("leaves out what the engine did, and what was before the start")
  func leavesOut() throws {
    var byEngine = Self.record
    byEngine.kind = "campaign.paused"
    byEngine.principal = ""
    var before = Self.record
    before.kind = "stop.latched"
    before.campaignTime = Instant(milliseconds: 1)
    for record in [byEngine, before] {
      #expect(try snapshot().intervention(record, in: Self.campaign) == nil)
    }
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

extension Desk {
  fileprivate var snapshot: ControlSnapshot {
    ControlSnapshot(state: machine.state, now: now, demoFactor: 1)
  }
}

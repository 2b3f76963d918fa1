import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("Maintenance that hooks enter")
struct MaintenanceTests {
  /// A desk whose first server is worked on, up to the hook that enters.
  private func desk() throws -> Desk {
    var desk = try Desk()
    _ = desk.importFleet()
    for (number, name) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(number)), Desk.hello(name)))
      _ = desk.commitAll()
    }
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    _ = desk.commitAll()
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    answer(.ok(backup: nil, snapshot: nil), &desk)
    answer(.ok(backup: nil, snapshot: nil), &desk)
    return desk
  }

  /// Ends the hook that runs.
  private func answer(_ verdict: HookVerdict, _ desk: inout Desk) {
    guard let order = order(&desk) else { return }
    desk.take(.hookFinished(order.ticket, verdict, nil))
    _ = desk.commitAll()
  }

  private func order(_ desk: inout Desk) -> HookOrder? {
    desk.drain().compactMap {
      if case .startHook(let order) = $0 { order } else { nil }
    }.last
  }

  @Test("the hook is told when it ends by itself at the latest, and no other hook is")
  func expiry() throws {
    var desk = try desk()
    let order = try #require(self.order(&desk))
    let end = Instant(milliseconds: 1 << 50)
    #expect(order.point == .enterMaintenance)
    #expect(order.expires == end + Limits.maintenanceMargin)
    desk.take(.hookFinished(order.ticket, .ok(backup: nil, snapshot: nil), nil))
    _ = desk.commitAll()
    let next = try #require(self.order(&desk))
    #expect(next.point == .snapshot)
    #expect(next.expires == nil)
  }

  @Test("stands in the report when nobody can leave it")
  func report() throws {
    var desk = try desk()
    answer(.fail("no", retryable: false), &desk)
    answer(.notDefined, &desk)
    let ticket = desk.ask(.snapshot)
    guard case .answer(.snapshot(let snapshot)) = desk.drain().reply(ticket) else {
      Issue.record("there is no snapshot")
      return
    }
    let open = try snapshot.report(Desk.campaign).stillOpen
    #expect(open.map(\.server) == [Desk.first])
    #expect(open.map(\.run.state) == [.notAttempted(.hook)])
    #expect(open.map { $0.maintenance?.remains } == [true])
  }
}

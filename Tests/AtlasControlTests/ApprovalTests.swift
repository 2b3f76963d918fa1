import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("What only a person lets go")
struct ApprovalTests {
  /// A desk with one server that a campaign waits for.
  private func desk(_ server: ServerConfig, _ others: [ServerConfig] = []) throws -> Desk {
    var desk = try Desk()
    _ = desk.importFleet()
    desk.ask(.importFleet(clients: [], servers: [server] + others))
    _ = desk.commitAll()
    for (number, name) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(number)), Desk.hello(name)))
      _ = desk.commitAll()
    }
    let selection = Selection(servers: [server.name])
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign, selection: selection)))
    _ = desk.commitAll()
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    _ = desk.drain()
    return desk
  }

  private let site = SiteName(trusted: "PARIS")

  private func campaign(_ desk: inout Desk) throws -> CampaignView {
    let ticket = desk.ask(.campaign(Desk.campaign))
    guard case .answer(.campaign(let view, _)) = desk.drain().reply(ticket) else {
      throw RowError(row: "campaign", problem: "no answer")
    }
    return view
  }

  @Test("a server that carries Atlas is named, and starts once it is approved")
  func approval() throws {
    let config = ServerConfig(
      name: Desk.first, client: Desk.client, site: site, carriesAtlas: true)
    var desk = try desk(config)
    #expect(
      try campaign(&desk).decisions == [
        "\(Desk.first) is PENDING: it carries Atlas itself: approve it, or skip it"
      ])
    let ticket = desk.ask(.approveRun(Desk.campaign, Desk.first, reason: "I watch it"))
    let batches = desk.commitAll()
    #expect(
      batches.flatMap(\.records).map(\.kind) == ["run.approved", "ring.started", "run.started"])
    guard case .answer(.run(let views)) = desk.drain().reply(ticket) else {
      Issue.record("the approval was not answered")
      return
    }
    #expect(views.map(\.run.state.kind) == [.inProgress])
  }

  @Test("a plan does not wait for a hook that is being asked")
  func planWhileAsking() throws {
    let config = ServerConfig(
      name: Desk.first, client: Desk.client, site: site, antiAffinity: GroupName(trusted: "web"))
    var desk = try desk(config)
    let ticket = desk.ask(.snapshot)
    guard case .answer(.snapshot(let snapshot)) = desk.drain().reply(ticket) else {
      Issue.record("there is no snapshot")
      return
    }
    let run = snapshot.state.campaigns[0].runs[0]
    #expect(run.details.content.check == .asking(.peerCheck))
    let plan = try snapshot.plan(Desk.campaign)
    #expect(plan.clients.map(\.firstStart) == [desk.now])
    #expect(plan.misses == [])
  }

  @Test("a host is named with the client that has to agree, also in the plan")
  func outage() throws {
    let host = ServerConfig(name: Desk.first, client: Desk.client, site: site)
    let guest = ServerConfig(
      name: Desk.second, client: Desk.client, site: site, host: Desk.first)
    var desk = try desk(host, [guest])
    #expect(
      try campaign(&desk).decisions == [
        "\(Desk.first) is PENDING: its guests go down with it: declare an outage of LAA that is "
          + "long enough"
      ])
    let server = desk.ask(.server(Desk.first))
    let snapshot = desk.ask(.snapshot)
    let actions = desk.drain()
    guard case .answer(.server(let view)) = actions.reply(server),
      case .answer(.snapshot(let state)) = actions.reply(snapshot)
    else {
      Issue.record("they were not answered")
      return
    }
    #expect(view.guests == [Desk.second])
    #expect(
      try state.plan(Desk.campaign).blocked.map(\.reason) == [
        "its guests go down with it, and LAA has declared no outage"
      ])
    desk.ask(
      .declareOutage(
        Desk.client, from: nil, until: desk.now + .seconds(7_200), parallel: nil,
        reason: "agreed"))
    #expect(desk.commitAll().flatMap(\.records).map(\.kind).contains("run.started"))
  }
}

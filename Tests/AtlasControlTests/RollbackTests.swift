import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("Snapshots that are kept, and campaigns that go back to them")
struct RollbackTests {
  private static let undo = CampaignName(trusted: "undo")
  private static let dc = ServerName(trusted: "LAA-PARIS-DC01")
  private static let key = "nov/LAA-PARIS-WEB01"

  /// What came out of a desk while a campaign was worked off.
  struct Night {
    var desk: Desk
    var batches: [Batch] = []
    var hooks: [HookOrder] = []

    /// Answers whatever is asked, as if all went well, until nobody asks any more.
    mutating func settle() {
      batches += desk.commitAll()
      while true {
        let actions = desk.drain()
        guard !actions.isEmpty else { return }
        for action in actions {
          switch action {
          case .startHook(let order):
            hooks.append(order)
            let fact = SnapshotFact(id: order.key, takenAt: desk.now)
            let snapshot = order.point == .snapshot ? fact : nil
            desk.take(.hookFinished(order.ticket, .ok(backup: nil, snapshot: snapshot), nil))
          case .send(let session, .command(let command)): answer(command, session)
          case _: break
          }
        }
        batches += desk.commitAll()
      }
    }

    private mutating func answer(_ command: Command, _ session: SessionID) {
      let isUpdate = command.kind == .update
      let result = CommandResult(
        status: .succeeded, changed: isUpdate,
        health: command.kind == .health ? HealthFact(healthy: true) : nil)
      let report = CommandReport(
        fence: command.fence, seq: 1, at: desk.now, event: .result(result))
      desk.take(.agentMessage(session, .report(report)))
    }

    mutating func reply(_ read: Read) -> ControlAnswer? {
      let ticket = desk.ask(read)
      batches += desk.commitAll()
      guard case .answer(let answer) = desk.drain().reply(ticket) else { return nil }
      return answer
    }

    mutating func reply(_ change: Change) -> ControlReply? {
      let ticket = desk.ask(change)
      batches += desk.commitAll()
      return desk.drain().reply(ticket)
    }

    mutating func run(_ campaign: CampaignName, _ server: ServerName) -> RunView? {
      guard case .run(let views) = reply(.run(campaign, server)) else { return nil }
      return views.last
    }
  }

  /// A web server and a domain controller that have completed, with snapshots that are kept.
  private func night(retention: Duration = .seconds(3_600)) throws -> Night {
    var night = Night(desk: try Desk())
    let config = ClientConfig(name: Desk.client, ring: .canary, requireBackup: false)
    let site = SiteName(trusted: "PARIS")
    let roles = [Desk.first: "WEB", Self.dc: "DC"]
    let servers = [Desk.first, Self.dc].map {
      ServerConfig(
        name: $0, client: Desk.client, site: site, roles: [Role(trusted: roles[$0] ?? "")])
    }
    night.desk.ask(.importFleet(clients: [config], servers: servers))
    night.settle()
    let all = Interval(start: Instant(milliseconds: 0), end: Instant(milliseconds: 1 << 50))
    night.desk.take(.windowsExpanded(ClientID(0), [all], until: all.end, question: 1))
    for (number, server) in [Desk.first, Self.dc].enumerated() {
      night.desk.take(.sessionOpened(SessionID(UInt64(number)), Desk.hello(server)))
    }
    night.settle()
    var policy = Policy()
    policy.snapshotRetention = retention
    start(CampaignRequest(name: Desk.campaign, policy: policy), &night)
    return night
  }

  private func start(_ request: CampaignRequest, _ night: inout Night) {
    night.desk.ask(.createCampaign(request))
    night.desk.ask(.startCampaign(request.name, ifMatch: ""))
    night.settle()
  }

  @Test("stand in the run's view and in the report, and are nothing that is open")
  func kept() throws {
    var night = try night()
    let end = night.desk.now + .seconds(3_600)
    let expected = SnapshotView(
      id: Self.key, takenAt: night.desk.now, keptUntil: end, failedRemovals: 0, remains: false)
    let view = night.run(Desk.campaign, Desk.first)
    #expect(view?.snapshot == expected)
    let report = try night.report(Desk.campaign)
    #expect(report.snapshots.map(\.server) == [Desk.first, Self.dc])
    #expect(report.stillOpen == [])
    #expect(!night.hooks.contains { $0.point == .finalize })
  }

  @Test("are removed by finalize when their time is over, after a restart as well")
  func removed() throws {
    let night = try night()
    let stored = StoredState(applying: night.batches)
    var again = Night(desk: try Desk(stored: stored))
    again.desk.now = night.desk.now + .seconds(3_600)
    #expect(again.desk.machine.state.campaigns.map(\.rollbackOf) == [nil])
    again.desk.wake()
    again.settle()
    again.desk.take(.timerFired)
    again.settle()
    #expect(again.hooks.map(\.point) == [.finalize, .finalize])
    #expect(again.hooks.map(\.key) == [Self.key, "nov/LAA-PARIS-DC01"])
    #expect(again.hooks.map(\.snapshotID) == again.hooks.map(\.key))
    #expect(again.hooks.map(\.phase) == [.finalize, .finalize])
    let view = again.run(Desk.campaign, Desk.first)
    #expect(view != nil && view?.snapshot == nil)
    let report = try again.report(Desk.campaign)
    #expect(report.snapshots == [])
  }

  @Test("are gone back to by the key of the run that took them")
  func undone() throws {
    var night = try night()
    let before = night.hooks.count
    start(CampaignRequest(name: Self.undo, rollbackOf: Desk.campaign), &night)
    let hooks = night.hooks.dropFirst(before)
    let own = "undo/LAA-PARIS-WEB01"
    #expect(
      hooks.map(\.point) == [
        .preUpdate, .verifyBackup, .enterMaintenance, .rollback, .postUpdate, .finalize,
        .leaveMaintenance,
      ])
    #expect(hooks.map(\.key) == [own, own, own, Self.key, own, Self.key, own])
    #expect(
      hooks.allSatisfy {
        $0.campaign == Self.undo && $0.snapshotID == Self.key || $0.point == .leaveMaintenance
      })
    let undoing = night.run(Self.undo, Desk.first)
    #expect(undoing?.run.state == .completed(.rolledBack))
    let view = night.run(Desk.campaign, Desk.first)
    let original = try #require(view)
    #expect(original.undoneBy == Self.undo)
    #expect(original.isUndone)
    #expect(original.snapshot == nil)
    let same = try Desk(stored: StoredState(applying: night.batches)).machine.state
    for campaign in same.campaigns.indices {
      for index in same.campaigns[campaign].runs.indices {
        let ref = RunRef(campaign: CampaignID(campaign), index: index)
        let item = Effect.Item.run(ref)
        #expect(StateRows.row(item, in: same) == StateRows.row(item, in: night.desk.machine.state))
      }
    }
    #expect(same.campaigns.map(\.rollbackOf) == [nil, CampaignID(0)])
  }

  @Test("name the domain controllers that they leave alone, in the answer and in the plan")
  func notUndoable() throws {
    var night = try night()
    let request = CampaignRequest(name: Self.undo, rollbackOf: Desk.campaign)
    guard case .answer(.campaign(let view, _)) = night.reply(.createCampaign(request)) else {
      Issue.record("there is no campaign")
      return
    }
    let reason = "has a role that is not rolled back (rollback: hold)"
    #expect(view.rollbackOf == Desk.campaign)
    #expect(view.counts.total == 1)
    #expect(
      view.notUndoable == [
        NotUndoableView(server: Self.dc, client: Desk.client, reason: reason)
      ])
    let plan = try night.snapshot().plan(Self.undo)
    #expect(plan.servers == 1)
    #expect(
      plan.notUndoable == [
        PlannedServer(server: Self.dc, client: Desk.client, reason: reason)
      ])
    guard case .campaigns(let views, _) = night.reply(.campaigns(after: "", limit: 10)) else {
      Issue.record("there are no campaigns")
      return
    }
    #expect(views.map(\.rollbackOf) == [nil, Desk.campaign])
    #expect(views.flatMap(\.notUndoable) == [])
  }

  @Test("compare going back with no other way, as campaigns that install do")
  func gains() throws {
    var night = try night()
    let plain = CampaignName(trusted: "plain")
    night.desk.ask(.createCampaign(CampaignRequest(name: plain)))
    night.desk.ask(.createCampaign(CampaignRequest(name: Self.undo, rollbackOf: Desk.campaign)))
    night.settle()
    #expect(try night.report(plain).gains.count == 3)
    #expect(try night.report(Self.undo).gains == [])
  }

  @Test("of a campaign that is not there are refused")
  func unknown() throws {
    var night = try night()
    let request = CampaignRequest(name: Self.undo, rollbackOf: CampaignName(trusted: "oct"))
    guard case .refused(let error) = night.reply(.createCampaign(request)) else {
      Issue.record("it is not refused")
      return
    }
    #expect(error == .notFound(kind: "campaign", name: "oct"))
  }
}

extension RollbackTests.Night {
  fileprivate mutating func snapshot() throws -> ControlSnapshot {
    guard case .snapshot(let snapshot)? = reply(.snapshot) else {
      throw RowError(row: "desk", problem: "no snapshot")
    }
    return snapshot
  }

  fileprivate mutating func report(_ name: CampaignName) throws -> CampaignReport {
    try snapshot().report(name)
  }
}

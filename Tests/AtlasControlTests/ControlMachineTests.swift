import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("The control machine")
struct ControlMachineTests {
  @Test("answers a change only after its commit")
  func answersAfterCommit() throws {
    var desk = try Desk()
    let ticket = desk.ask(.stop(nil, reason: "smoke"))
    #expect(desk.drain().reply(ticket) == nil)
    desk.take(.committed)
    guard case .answer(.stopped(let stop, inFlight: 0)) = desk.drain().reply(ticket) else {
      Issue.record("the stop was not answered")
      return
    }
    #expect(stop.stop.latch.reason == "smoke")
    #expect(stop.stop.latch.principal == "kim")
  }

  @Test("keeps reads back while what they would show is not durable")
  func readsWait() throws {
    var desk = try Desk()
    desk.ask(.stop(nil, reason: ""))
    let read = desk.ask(.stops)
    #expect(desk.drain().reply(read) == nil)
    desk.take(.committed)
    guard case .answer(.stops(let stops)) = desk.drain().reply(read) else {
      Issue.record("the read was not answered")
      return
    }
    #expect(stops.stops.count == 1)
  }

  @Test("answers a read at once when nothing waits to be committed")
  func readsAtOnce() throws {
    var desk = try Desk()
    let read = desk.ask(.stops)
    let actions = desk.drain()
    #expect(actions.commits == 0)
    #expect(actions.reply(read) != nil)
  }

  @Test("takes nothing but a stop after a start before it knows all windows")
  func awaitsWindows() throws {
    var before = try Desk()
    let batches = before.importFleet()
    var desk = try Desk(stored: StoredState(applying: batches))
    desk.wake(answering: false)
    _ = desk.commitAll()
    let read = desk.ask(.stops)
    desk.take(.sessionOpened(SessionID(1), Desk.hello(Desk.first)))
    let stop = desk.ask(.stop(nil, reason: "smoke"))
    _ = desk.commitAll()
    let early = desk.drain()
    #expect(early.reply(stop) != nil)
    #expect(early.reply(read) == nil)
    #expect(!desk.machine.state[server: ServerID(0)].connected)
    desk.take(.windowsExpanded(ClientID(0), [], until: desk.now, question: 1))
    _ = desk.commitAll()
    guard case .answer(.stops(let stops)) = desk.drain().reply(read) else {
      Issue.record("the read was not answered")
      return
    }
    #expect(stops.stops.count == 1)
    #expect(desk.machine.state[server: ServerID(0)].connected)
  }

  @Test("commits what came while it was busy in one batch")
  func groupsCommits() throws {
    var desk = try Desk()
    desk.ask(.stop(nil, reason: "first"))
    desk.ask(.stop(nil, reason: "second"))
    desk.ask(.stop(nil, reason: "third"))
    let batches = desk.commitAll()
    #expect(batches.map(\.records.count) == [1, 2])
  }

  @Test("chains every record to the one before")
  func chainsRecords() throws {
    var desk = try Desk()
    let records = (desk.importFleet()).flatMap(\.records)
    #expect(records.map(\.seq) == Array(1...UInt64(records.count)))
    #expect(records.first?.previousHash == LogRecord.genesisHash)
    for (before, after) in zip(records, records.dropFirst()) {
      #expect(after.previousHash == before.hash)
    }
  }

  @Test("refuses without a trace in the log")
  func refusesWithoutTrace() throws {
    var desk = try Desk()
    let ticket = desk.ask(.releaseStop(nil, reason: "safe"))
    let actions = desk.drain()
    #expect(actions.commits == 0)
    guard case .refused(.refused(.notAllowed(code: .notStopped, _, _))) = actions.reply(ticket)
    else {
      Issue.record("the release was not refused")
      return
    }
  }

  @Test("names what is not there")
  func notFound() throws {
    var desk = try Desk()
    let ticket = desk.ask(.pauseClient(Desk.client, reason: ""))
    guard case .refused(let error) = desk.drain().reply(ticket) else {
      Issue.record("it was not refused")
      return
    }
    #expect(error == .notFound(kind: "client", name: "LAA"))
  }

  @Test("names what was probably meant")
  func nearest() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    let ticket = desk.ask(.pauseClient(ClientName(trusted: "LAB"), reason: ""))
    guard case .refused(let error) = desk.drain().reply(ticket) else {
      Issue.record("it was not refused")
      return
    }
    #expect(error == .notFound(kind: "client", name: "LAB", nearest: Desk.client.text))
  }

  @Test("says which value of a selection is not known, and what was probably meant")
  func unknownInSelection() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    let selection = Selection(
      clients: [Desk.client, ClientName(trusted: "LAB")],
      servers: [ServerName(trusted: "LAA-PARIS-WEB1")])
    let ticket = desk.ask(
      .createCampaign(CampaignRequest(name: Desk.campaign, selection: selection)))
    guard case .refused(let error) = desk.drain().reply(ticket) else {
      Issue.record("it was not refused")
      return
    }
    let message =
      "there is no client LAB: did you mean LAA?; "
      + "there is no server LAA-PARIS-WEB1: did you mean LAA-PARIS-WEB01?"
    #expect(error == .refused(.invalid(field: "selection", message: message)))
  }

  @Test("stops taking anything once a commit has failed")
  func haltsOnFailedCommit() throws {
    var desk = try Desk()
    let ticket = desk.ask(.stop(nil, reason: ""))
    desk.take(.commitFailed(.outcomeUnknown("fsync")))
    let actions = desk.drain()
    #expect(actions.reply(ticket) == nil)
    #expect(actions.contains { if case .halt = $0 { true } else { false } })
    _ = desk.ask(.stops)
    #expect(desk.drain().isEmpty)
  }
}

@Suite("A request id")
struct RequestIDTests {
  @Test("gives a repeat the first answer, and nothing happens twice")
  func repeats() throws {
    var desk = try Desk()
    desk.ask(.stop(nil, reason: "smoke"), id: "r1")
    #expect(desk.commitAll().flatMap(\.answers).map(\.requestID) == ["r1"])
    let again = desk.ask(.stop(nil, reason: "smoke"), id: "r1")
    guard case .repeated(let bytes) = desk.drain().reply(again) else {
      Issue.record("it was not repeated")
      return
    }
    #expect(bytes == Array("Method".utf8))
    #expect(desk.machine.state.fence == Fence(1))
  }

  @Test("refuses other content under the same id")
  func otherContent() throws {
    var desk = try Desk()
    desk.ask(.stop(nil, reason: "smoke"), id: "r1", content: 1)
    _ = desk.commitAll()
    let again = desk.ask(.stop(nil, reason: "fire"), id: "r1", content: 2)
    guard case .refused(.requestIDReused("r1")) = desk.drain().reply(again) else {
      Issue.record("it was not refused")
      return
    }
  }

  @Test("is forgotten after a day")
  func forgets() throws {
    var desk = try Desk()
    desk.ask(.stop(nil, reason: "smoke"), id: "r1")
    _ = desk.commitAll()
    desk.now = desk.now + .seconds(86_401)
    desk.ask(.stop(nil, reason: "other"))
    #expect(desk.commitAll().compactMap(\.forgetAnswersBefore).count == 1)
    desk.ask(.stop(nil, reason: "smoke"), id: "r1")
    _ = desk.commitAll()
    #expect(desk.machine.state.fence == Fence(3))
  }
}

@Suite("An agent's session")
struct SessionTests {
  private let session = SessionID(7)

  @Test("hears its welcome first, even when its Hello brings reports")
  func welcomeFirst() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    let late = CommandReport(
      fence: Fence(9), seq: 1, at: desk.now, event: .progress(ProgressReport(percent: 1)))
    desk.take(.sessionOpened(session, Desk.hello(Desk.first, reports: [late])))
    _ = desk.commitAll()
    let sent = desk.drain().sent(session)
    guard case .welcome = sent.first else {
      Issue.record("the welcome was not first: \(sent)")
      return
    }
    #expect(sent.dropFirst() == [.reportAcknowledgement(fence: Fence(9), seq: 1)])
  }

  @Test("of a server that nobody imported is ended with a reason")
  func unknownServer() throws {
    var desk = try Desk()
    desk.take(.sessionOpened(session, Desk.hello(Desk.first)))
    let reasons = desk.drain().compactMap {
      if case .endSession(session, let reason) = $0 { reason } else { nil }
    }
    #expect(reasons == ["LAA-PARIS-WEB01 is not in the fleet; import it first"])
  }

  @Test("ends the older one of the same server")
  func newerEndsOlder() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    desk.take(.sessionOpened(session, Desk.hello(Desk.first)))
    desk.take(.sessionOpened(SessionID(8), Desk.hello(Desk.first)))
    _ = desk.commitAll()
    let ended = desk.drain().contains {
      if case .endSession(session, _) = $0 { true } else { false }
    }
    #expect(ended)
  }
}

extension SessionTests {
  @Test("is refused when its journal names a fence that was never drawn, and it is in the log")
  func absurdFence() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    desk.take(.sessionOpened(SessionID(7), Desk.hello(Desk.first)))
    _ = desk.commitAll()
    _ = desk.drain()
    var hello = Desk.hello(Desk.first)
    hello.highestFence = Fence(.max)
    desk.take(.sessionOpened(SessionID(8), hello))
    let records = desk.commitAll().flatMap(\.records)
    let reason =
      "its journal names fence \(UInt64.max), which was never drawn: the highest here is 0; "
      + "clear the agent's journal"
    #expect(records.map(\.kind) == ["agent.refused"])
    #expect(records.map(\.server) == [Desk.first.text])
    #expect(records.map(\.reason) == [reason])
    let actions = desk.drain()
    #expect(actions.sent(SessionID(8)) == [])
    #expect(actions.endings == [8: reason])
    #expect(desk.machine.state.fence == .none)
  }

  @Test("is ended when it answers for another server's order, which stays in the outbox")
  func foreignOrder() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    for (number, server) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(number)), Desk.hello(server)))
      _ = desk.commitAll()
    }
    var policy = Policy()
    policy.download = .beforeWindow
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign, policy: policy)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    let orders = desk.commitAll().flatMap(\.outboxPuts)
    let order = try #require(orders.first)
    let foreign = SessionID(order.server == 0 ? 1 : 0)
    _ = desk.drain()
    let answer = CommandAcknowledgement(fence: Fence(order.fence), verdict: .accepted)
    desk.take(.agentMessage(foreign, .acknowledgement(answer)))
    #expect(desk.commitAll().isEmpty)
    #expect(
      desk.drain().endings
        == [foreign.number: "fence \(order.fence) is an order to another server"])
  }
}

extension [ControlAction] {
  /// The sessions that are ended, by number, and why.
  fileprivate var endings: [UInt64: String] {
    var endings: [UInt64: String] = [:]
    for case .endSession(let session, let reason) in self { endings[session.number] = reason }
    return endings
  }
}

@Suite("A stored state")
struct StoredStateTests {
  @Test("with a counter of fences that was never drawn is refused")
  func absurdCounter() {
    var stored = StoredState()
    stored.meta = StoreMeta(
      fence: UInt64(Int64.max), campaignTime: Instant(milliseconds: 0), demoFactor: 1, lastSeq: 0,
      lastHash: LogRecord.genesisHash)
    let error = #expect(throws: RowError.self) { try Desk(stored: stored) }
    #expect(
      error
        == RowError(row: "counter of fences", problem: "\(Int64.max) was never drawn"))
  }

  @Test("read back gives the same state, and the log goes on where it ended")
  func readsBack() throws {
    var desk = try Desk()
    var batches = desk.importFleet()
    desk.take(.sessionOpened(SessionID(1), Desk.hello(Desk.first)))
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    batches += desk.commitAll()
    let plan = try desk.snapshot.plan(Desk.campaign).kept
    desk.ask(.startCampaign(Desk.campaign, ifMatch: "", plan: plan))
    desk.ask(.pauseClient(Desk.client, reason: "call them first"))
    desk.ask(.stop(nil, reason: "smoke"))
    batches += desk.commitAll()

    var reopened = try Desk(stored: StoredState(applying: batches))
    #expect(reopened.machine.logPosition == desk.machine.logPosition)
    #expect(reopened.machine.state.fence == desk.machine.state.fence)
    #expect(reopened.machine.state.campaigns.first?.plan == plan)
    for item in Self.items(of: desk.machine.state) {
      let before = StateRows.row(item, in: desk.machine.state)
      #expect(StateRows.row(item, in: reopened.machine.state) == before)
    }
    reopened.now = desk.now
    reopened.ask(.resumeClient(Desk.client))
    let next = reopened.commitAll().flatMap(\.records)
    #expect(next.first?.seq == desk.machine.logPosition + 1)
  }

  private static func items(of state: ControlState) -> [Effect.Item] {
    let runs = state.campaigns.indices.flatMap { campaign in
      state.campaigns[campaign].runs.indices.map {
        Effect.Item.run(RunRef(campaign: CampaignID(campaign), index: $0))
      }
    }
    return state.clients.indices.map { .client(ClientID($0)) }
      + state.servers.indices.map { .server(ServerID($0)) }
      + state.campaigns.indices.flatMap { [.campaign(CampaignID($0)), .plan(CampaignID($0))] }
      + runs + [.control]
  }

  @Test("with a row that is cut off is refused, with the row's name", arguments: [1, 2, 5])
  func cutRow(length: Int) throws {
    var desk = try Desk()
    var stored = StoredState(applying: desk.importFleet())
    stored.rows[0].body = Array(stored.rows[0].body.prefix(length))
    let error = #expect(throws: RowError.self) { try Desk(stored: stored) }
    #expect(error?.row.contains("LAA") == true)
  }
}

extension StoredState {
  /// What a store would hold after these batches.
  init(applying batches: [Batch]) {
    self.init()
    var rows: [StateKey: StateRow] = [:]
    for batch in batches {
      for row in batch.puts { rows[row.key] = row }
      outbox.removeAll { batch.outboxRemovals.contains($0.fence) }
      outbox += batch.outboxPuts
      answers += batch.answers
      meta = batch.meta
    }
    self.rows = rows.keys.sorted().compactMap { rows[$0] }
  }
}

@Suite("A change that depends on what somebody saw")
struct ChangeIfUnchangedTests {
  @Test("of a client is carried out, and answered with the client as it is then")
  func updatesClient() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    let update = desk.ask(.updateClient(Self.wanted, ifMatch: "0"))
    _ = desk.commitAll()
    guard case .answer(.client(let view)) = desk.drain().reply(update) else {
      Issue.record("it was not carried out")
      return
    }
    #expect(view.config == Self.wanted && view.etag == "1")
  }

  @Test("of a client is refused once the client is another")
  func refusesStaleClient() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    desk.ask(.updateClient(Self.wanted, ifMatch: "0"))
    var late = Self.wanted
    late.priority = 8
    let stale = desk.ask(.updateClient(late, ifMatch: "0"))
    _ = desk.commitAll()
    guard case .refused(.refused(.changed)) = desk.drain().reply(stale) else {
      Issue.record("it was not refused")
      return
    }
    #expect(desk.machine.state.clients[0].config.priority == 7)
  }

  @Test("of the fleet is refused once the fleet is another, and nothing of it is done")
  func refusesStaleImport() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    let seen = desk.machine.state.fleetVersion
    desk.ask(.importFleet(clients: [Self.wanted], servers: [], ifVersion: seen))
    let other = ClientConfig(name: ClientName(trusted: "NOR"))
    let stale = desk.ask(.importFleet(clients: [other], servers: [], ifVersion: seen))
    _ = desk.commitAll()
    guard case .refused(.refused(.changed)) = desk.drain().reply(stale) else {
      Issue.record("it was not refused")
      return
    }
    #expect(desk.machine.state.clients.map(\.config) == [Self.wanted])
  }

  private static let wanted = ClientConfig(
    name: Desk.client, ring: .canary, requireBackup: false, createSnapshots: false, priority: 7)
}

@Suite("A held run")
struct HeldRunTests {
  @Test("is claimed by whoever asks, and the answer and later reads say so")
  func claims() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    desk.take(.sessionOpened(SessionID(1), Desk.hello(Desk.first)))
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    desk.take(.sessionClosed(SessionID(1)))
    desk.now = desk.now + .seconds(600)
    desk.take(.timerFired)
    _ = desk.commitAll()
    _ = desk.drain()
    let seen = desk.machine.state[RunRef(campaign: CampaignID(0), index: 0)].version
    let stale = desk.ask(.claimRun(Desk.campaign, Desk.first, etag: "\(seen - 1)"))
    guard case .refused(.refused(.changed)) = desk.drain().reply(stale) else {
      Issue.record("it was claimed as it is no more")
      return
    }
    let claim = desk.ask(.claimRun(Desk.campaign, Desk.first, etag: "\(seen)"))
    #expect(desk.commitAll().flatMap(\.records).map(\.kind) == ["run.claimed"])
    guard case .answer(.run(let views)) = desk.drain().reply(claim), let view = views.last else {
      Issue.record("it was not claimed")
      return
    }
    #expect(view.holdClass == .down)
    #expect(view.owner == "kim")
    #expect(view.holdDeadline == Instant(milliseconds: 1 << 50))
    #expect(!view.isHoldOverdue)
  }
}

@Suite("A server whose agent is too old")
struct OldAgentTests {
  private static let problem = "its agent is 1, and at least 1.4.2 is asked for"

  @Test("waits with both versions named, and the settled campaign and its plan name it")
  func namesIt() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    for (number, server) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(number)), Desk.hello(server)))
      _ = desk.commitAll()
    }
    var policy = Policy()
    policy.minAgentVersion = AgentVersion("1.4.2")
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign, policy: policy)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    _ = desk.drain()
    let read = desk.ask(.runs(Desk.campaign, RunFilter(), after: 0, limit: 10))
    let campaign = desk.ask(.campaign(Desk.campaign))
    let snapshot = desk.ask(.snapshot)
    let actions = desk.drain()
    guard case .answer(.runs(let views, _)) = actions.reply(read),
      case .answer(.campaign(let view, _)) = actions.reply(campaign),
      case .answer(.snapshot(let state)) = actions.reply(snapshot)
    else {
      Issue.record("a read was not answered")
      return
    }
    let waits = "a newer agent: \(Self.problem)"
    #expect(views.map(\.waitsFor) == [waits, waits])
    #expect(view.settled)
    let lines = [Desk.first, Desk.second].map { "\($0) is PENDING: \(Self.problem)" }
    #expect(view.decisions == lines)
    let plan = try state.plan(Desk.campaign)
    #expect(plan.blocked.map(\.reason) == [Self.problem, Self.problem])
    #expect(plan.misses == [])
    // One after the other, 45 minutes each.
    #expect(plan.makespan == .seconds(2 * 2_700))
  }
}

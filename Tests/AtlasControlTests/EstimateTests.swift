import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("What is known of how long servers take")
struct EstimateTests {
  private static let kind = ServerKind(role: Role(trusted: "SQL"), system: "windows-2022")

  private static func history() throws -> KindHistory {
    let times = try #require(DurationHistogram(stored: [(bucket: 30, count: 19), (40, 1)]))
    return KindHistory(
      kind: kind, phases: PhaseClock.measured.map { _ in times }, estimate: .seconds(180),
      changes: 3)
  }

  @Test("is stored and read back, and shown with the estimates of a policy")
  func isShown() throws {
    let history = try Self.history()
    var writer = ByteWriter(version: StateRows.version)
    writer.put(history)
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "history")
    #expect(try reader.history() == history)
    let row = StateRow(
      key: StateKey(table: .setting, owner: 1, number: 0), name: "", body: writer.bytes)
    var desk = try Desk(stored: StoredState(rows: [row]))
    let ticket = desk.ask(Read.estimates(nil))
    guard case .answer(.estimates(let views)) = desk.drain().reply(ticket) else {
      throw BadReply()
    }
    #expect(
      views == [
        EstimateView(
          role: Role(trusted: "SQL"), system: "windows-2022", estimate: .seconds(180),
          policyEstimate: .seconds(2_700),
          phases: PhaseClock.measured.map {
            PhaseEstimateView(phase: $0, samples: 20, p50: .seconds(30), p95: .seconds(30))
          })
      ])
    #expect(desk.machine.state.estimatesVersion == 3)
  }

  @Test("is not read when a phase is missing, or a count cannot be")
  func isRefused() throws {
    var short = try Self.history()
    short = KindHistory(
      kind: short.kind, phases: Array(short.phases.dropLast()), estimate: nil, changes: 0)
    var writer = ByteWriter(version: StateRows.version)
    writer.put(short)
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "history")
    #expect(throws: RowError(row: "history", problem: "a phase is missing")) {
      try reader.history()
    }
  }

  @Test("of a run is stored with it")
  func clock() throws {
    var run = Run(server: ServerID(0), lane: 0, order: 3)
    var content = RunDetails.Content()
    content.clock.phase = .update
    content.clock.since = Instant(milliseconds: 7)
    content.clock.totals[2] = 1_234
    content.clock.ended = 3
    content.clock.unknown = 8
    content.clock.estimate = .seconds(99)
    content.clock.isFromHistory = true
    content.clock.isLate = true
    run.details = RunDetails(content)
    var writer = ByteWriter(version: StateRows.version)
    writer.put(run)
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "run")
    #expect(try reader.run() == run)
  }

  @Test("is asked for by windows, too: openings come from the calendar that was given")
  func openings() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    for count in [0, 101] {
      let ticket = desk.ask(Read.clientWindows(Desk.client, from: nil, count: count))
      guard case .refused(let error) = desk.drain().reply(ticket) else { throw BadReply() }
      #expect(
        error == .refused(.invalid(field: "count", message: "\(count) is not 1 to 100")))
    }
    // This one was given none.
    let ticket = desk.ask(Read.clientWindows(Desk.client, from: nil, count: 1))
    guard case .refused(let error) = desk.drain().reply(ticket) else { throw BadReply() }
    #expect(
      error
        == .refused(
          .invalid(
            field: "windows", message: "this daemon has no calendar to read windows with")))
  }

  @Test("of windows are answered with the zone, and the etag of the client")
  func answersOpenings() throws {
    let openings = WindowOpenings(isAlwaysOpen: true, openings: [])
    var desk = try Desk(openings: openings)
    _ = desk.importFleet()
    let ticket = desk.ask(Read.clientWindows(Desk.client, from: nil, count: 1))
    guard
      case .answer(.clientWindows(let found, let zone, let openNow, let etag)) =
        desk.drain().reply(ticket)
    else { throw BadReply() }
    #expect(found == openings)
    #expect(zone == "UTC")
    #expect(openNow)
    #expect(etag == "0")
  }

  @Test("is compared with what servers took, each by what was expected of it when it started")
  func quality() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    for (index, server) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(index + 1)), Desk.hello(server)))
    }
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    // 45 min were expected of each.
    desk.work([Desk.first: .seconds(600), Desk.second: .seconds(3_000)])
    let campaign = desk.machine.state[campaign: CampaignID(0)]
    #expect(campaign.runs.map(\.state) == [.completed(.updated), .completed(.updated)])
    let report = try desk.snapshot.report(Desk.campaign)
    #expect(report.estimates.attempts == 2)
    #expect(report.estimates.covered == 1)
    #expect(report.estimates.coverage == 0.5)
    #expect(report.estimates.fromHistory == 0)
    #expect(report.estimates.coverageOfHistory == nil)
    // Both have no role and no system, and so are of one kind.
    let kinds = desk.machine.state.histories
    #expect(kinds.map(\.kind) == [ServerKind(role: nil, system: "")])
    #expect(kinds[0].phases.map(\.samples) == [2, 2, 2, 2, 2, 2, 0, 0])
    let second = desk.runView(Desk.second)
    let views = try #require(second)
    #expect(views.expected?.time == .seconds(2_700))
    #expect(views.expected?.isFromHistory == false)
    #expect(!views.isLate)
  }

  private struct BadReply: Error {}
}

extension Desk {
  /// Lets everything go well until nothing more happens; UPDATE takes what is said for its server.
  fileprivate mutating func work(_ updates: [ServerName: Duration]) {
    var isMore = true
    while isMore {
      isMore = false
      _ = commitAll()
      for action in drain() {
        switch action {
        case .startHook(let order): take(.hookFinished(order.ticket, .notDefined, nil))
        case .send(let session, .command(let command)):
          if command.kind == .update { now = now + (updates[command.server] ?? .zero) }
          let result = CommandResult(
            status: .succeeded, changed: command.kind == .update,
            health: command.kind == .health ? HealthFact(healthy: true, build: "1") : nil)
          let report = CommandReport(
            fence: command.fence, seq: 1, at: now, event: .result(result))
          take(.agentMessage(session, .report(report)))
        case _: continue
        }
        isMore = true
      }
    }
  }

  fileprivate mutating func runView(_ server: ServerName) -> RunView? {
    let ticket = ask(Read.run(Desk.campaign, server))
    guard case .answer(.run(let views)) = drain().reply(ticket) else { return nil }
    return views.last
  }
}

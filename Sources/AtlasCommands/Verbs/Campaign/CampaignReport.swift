import ArgumentParser
import AtlasWire

/// `atlas campaign report`
struct CampaignReport: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "What a campaign did: who is affected, what is open, what was gained.",
    discussion: """
        atlas campaign report november
        atlas campaign report november -o json > november.json
        atlas campaign report november --evidence november.evidence

      --evidence writes a file with every interval in which a server was down, what was proven \
      about backups, what hooks said, who decided what, and the records of the log that prove it, \
      signed by the daemon. atlas audit verify checks it without a daemon.
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The campaign.") var name: String
  @Option(
    help: ArgumentHelp("Write evidence into this file instead of a report.", valueName: "file"))
  var evidence: String?

  func run(in session: Session) async throws {
    if let evidence {
      return try await EvidenceDownload(
        campaign: name, path: evidence, confirmation: confirmation
      ).run(in: session)
    }
    let response = try await session.read(
      session.daemon.campaigns.getReport, AtlasV1.GetReportRequest(campaign: name))
    guard let report = response.report else { throw Failure.empty("GetReport") }
    let times = session.times(report.campaign?.clock)
    let undoings = try await session.undoings()
    session.tellRehearsal(report.campaign?.clock)
    try session.show(
      Presentation(.message(response), names: [name]) { space in
        ReportText(report: report, undoings: undoings, times: times, space: space).lines
      })
  }
}

/// A report as text: what needs somebody first, figures last.
struct ReportText {
  let report: AtlasV1.Report
  var undoings = Undoings()
  let times: TimeText
  let space: TextSpace

  var lines: [Line] {
    let sections: [[Line]] = [
      head, runs("Affected now", report.affectedNow), runs("Still open", stillOpen),
      runs("Failed", report.failed, of: counts.failed),
      runs("Not done", report.notDone, of: counts.leftOut),
      kept, updates, rings, planned, interventions, gains, inside,
    ]
    return Array(sections.filter { !$0.isEmpty }.joined(separator: [.empty]))
  }

  private var head: [Line] {
    var facts = Description()
    if let campaign = report.campaign {
      facts.add("Campaign", campaign.name, .bold)
      facts.add("State", campaign.stateText(undoings), campaign.stateStyle)
      facts.add("Rolls back", campaign.rollbackOf, .warn)
      facts.add("Servers", campaign.servers?.line ?? .empty)
      facts.add("Started", times.absolute(campaign.startedAt))
      if campaign.endedAt != nil { facts.add("Ended", times.absolute(campaign.endedAt)) }
    }
    facts.add("Took", report.makespan?.shortText ?? "")
    facts.add("Planned", plannedTime)
    facts.add("As expected", coverage)
    facts.add("Lower bound", bound)
    facts.add("Real time", report.realTime?.shortText ?? "")
    facts.add("Downtime", downtime)
    facts.add("Down at once", report.largestDownPerClient == 0 ? "" : atOnce)
    facts.add("Decisions", "\(grouped(report.decisionsByPeople)) by people")
    return facts.lines
  }

  /// How long the plan said that it would take.
  private var plannedTime: String {
    guard let end = report.planned?.plannedFinish, let start = report.campaign?.startedAt else {
      return ""
    }
    return AtlasV1.Interval(start: start, end: end).length?.shortText ?? ""
  }

  private var coverage: String {
    guard let quality = report.estimates, quality.attempts > 0 else { return "" }
    let share = Double(quality.covered) * 100 / Double(quality.attempts)
    return "\(oneDecimal(share)) % of the servers took at most what was expected of them"
  }

  private var bound: String {
    guard let bound = report.lowerBound else { return "" }
    guard let ratio = report.ratio else { return bound.shortText }
    return "\(bound.shortText), took \(threeDecimals(ratio)) times that"
  }

  private var downtime: String {
    guard let mean = report.downtimeMean, let longest = report.downtimeLongest else { return "" }
    return "\(mean.shortText) a server, \(longest.shortText) at most"
  }

  private var atOnce: String { "\(counted(report.largestDownPerClient, "server")) of a client" }

  /// What is open besides what has been shown as affected.
  private var stillOpen: [AtlasV1.ServerRun] {
    let shown = Set(report.affectedNow.map(\.server))
    return report.stillOpen.filter { !shown.contains($0.server) }
  }

  private var counts: AtlasV1.RunCounts { report.campaign?.servers ?? .init() }

  /// Servers one by one; many of them by reason, because a hundred lines that say the same hide the
  /// one that says something else.
  ///
  /// - Parameter total: how many there are, where the report may hold only the first of them.
  private func runs(
    _ title: String, _ runs: [AtlasV1.ServerRun], of total: Int32 = 0
  ) -> [Line] {
    if runs.isEmpty { return [] }
    let isShort = report.truncated && Int(total) > runs.count
    let first = isShort ? "; of the first \(grouped(runs.count)):" : ""
    let head = heading("\(title): \(grouped(max(Int(total), runs.count)))\(first)")
    let isListed = space.isWide || runs.count <= Self.listed
    return [head] + (isListed ? serverTable(runs) : reasonTable(runs))
  }

  /// So many servers are shown one by one unless everything is wanted.
  private static let listed = 20

  private struct Reason: Hashable {
    var state: String
    var note: String
  }

  private func reasonTable(_ runs: [AtlasV1.ServerRun]) -> [Line] {
    let groups = Dictionary(grouping: runs) { Reason(state: $0.stateText, note: $0.note) }
      .values.sorted { ($1.count, $0[0].server) < ($0.count, $1[0].server) }
    let columns: [Column<[AtlasV1.ServerRun]>] = [
      Column("SERVERS", align: .right) { grouped($0.count) },
      Column("STATE", span: { Span($0[0].stateText, $0[0].state.style) }),
      Column("NOTE", gives: true) { $0[0].note },
      Column("SUCH AS") { $0[0].server },
    ]
    let all =
      "-o wide lists the servers; so does atlas campaign runs \(report.campaign?.name ?? "")"
    return space.lines(of: Table(groups, columns, wide: false)) + [Line(Span(all, .dim))]
  }

  private func serverTable(_ runs: [AtlasV1.ServerRun]) -> [Line] {
    let columns: [Column<AtlasV1.ServerRun>] = [
      Column("SERVER") { $0.server },
      Column("STATE", span: { Span($0.stateText, $0.state.style) }),
      Column("PHASE") { $0.phaseText },
      Column("NOTE", gives: true) { $0.note },
    ]
    return space.lines(of: Table(runs, columns, wide: space.isWide))
  }

  private var updates: [Line] {
    if report.updates.isEmpty { return [] }
    let columns: [Column<AtlasV1.UpdateTally>] = [
      Column("UPDATE") { $0.update },
      Column("INSTALLED", style: .good) { $0.installed },
      Column("FAILED", style: .bad) { $0.failed },
      Column("NOT APPLICABLE") { $0.notApplicable },
      Column("REVERTED", style: .bad) { $0.reverted },
    ]
    return [heading("Updates")]
      + space.lines(of: Table(report.updates, columns, wide: space.isWide))
  }

  private var rings: [Line] {
    if report.rings.isEmpty { return [] }
    let costs = report.gateCosts.map { cost in
      Line("  \(cost.name): waited \(cost.duration?.shortText ?? "-")")
    }
    return [heading("Rings")]
      + space.lines(
        of: Table(report.rings, AtlasV1.RingInfo.columns(times), wide: space.isWide))
      + (costs.isEmpty ? [] : [Line("What the gates cost:")] + costs)
  }

  /// The plan beside what happened: rings, then the servers that are furthest off.
  private var planned: [Line] {
    guard let planned = report.planned else { return [] }
    let rings: [Column<AtlasV1.RingDeviation>] = [
      Column("RING", align: .right) { "\($0.ring)" }, Column("NAME") { $0.name },
      Column("OPENS, PLANNED") { times.absolute($0.plannedOpens) },
      Column("REAL") { times.absolute($0.opens) },
      Column("COMPLETES, PLANNED") { times.absolute($0.plannedCompletes) },
      Column("REAL") { times.absolute($0.completes) },
    ]
    let servers: [Column<AtlasV1.ServerDeviation>] = [
      Column("SERVER") { $0.server },
      Column("OFF BY", align: .right) { $0.off?.shortText ?? "-" },
      Column("PLANNED", align: .right) { $0.plannedLength?.shortText ?? "-" },
      Column("TOOK", align: .right) { $0.length?.shortText ?? "-" },
      Column("WHY", gives: true) { $0.reason },
    ]
    let shown = planned.servers.prefix(space.isWide ? .max : Self.deviations)
    return [heading("Plan and reality")]
      + space.lines(of: Table(planned.rings, rings, wide: space.isWide))
      + (shown.isEmpty ? [] : space.lines(of: Table(Array(shown), servers, wide: space.isWide)))
  }

  /// The servers that are furthest off the plan are shown, as many as this unless all are wanted.
  private static let deviations = 5

  private var kept: [Line] {
    if report.snapshots.isEmpty { return [] }
    let columns: [Column<AtlasV1.ServerRun>] = [
      Column("SERVER") { $0.server }, Column("SNAPSHOT") { $0.snapshot?.id ?? "" },
      Column("KEPT UNTIL") { times.absolute($0.snapshot?.keptUntil) },
    ]
    let shown = report.snapshots.prefix(space.isWide ? .max : Self.listed)
    return [heading("Snapshots kept: \(grouped(report.snapshots.count))")]
      + space.lines(of: Table(Array(shown), columns, wide: space.isWide))
  }

  private var interventions: [Line] {
    if report.interventions.isEmpty { return [] }
    return [heading("By people")] + report.interventions.map { $0.line(times, space) }
  }

  /// Nothing where the campaign was not faster than one server after the other: it had one client,
  /// or mostly waited for windows, and other ways would have waited too. Nothing either while it
  /// goes on: half of a campaign is no gain over the whole of another.
  private var gains: [Line] {
    if let campaign = report.campaign, campaign.state.isRunning, !campaign.settled { return [] }
    guard let own = report.gains.last, report.gains.count > 1 else { return [] }
    guard report.makespan == nil || own.factor >= CommandLimits.worthwhileGain else { return [] }
    let columns: [Column<AtlasV1.GainRow>] = [
      Column("WAY") { $0.way },
      Column("TIME", align: .right) { $0.time?.shortText ?? "-" },
      Column("SERVERS/H", align: .right) { oneDecimal($0.serversPerHour) },
      Column("FACTOR", align: .right) { oneDecimal($0.factor) },
    ]
    let saved = report.saved.map { [Line("Saved: \($0.shortText)")] } ?? []
    return [heading("Gains")]
      + space.lines(of: Table(report.gains, columns, wide: space.isWide)) + saved
  }

  private var inside: [Line] {
    let figures: [(Int64, String)] = [
      (Int64(report.hookRuns), "hook run"), (report.hostCalls, "host call"),
      (report.httpCalls, "HTTP call"), (Int64(report.sessions), "agent session"),
    ]
    let shown = figures.filter { $0.0 > 0 }.map { counted($0.0, $0.1) }
    return shown.isEmpty ? [] : [Line(Span(shown.joined(separator: ", "), .dim))]
  }

  private func heading(_ text: String) -> Line { Line(Span(text, .bold)) }
}

/// `1.018`.
func threeDecimals(_ number: Double) -> String {
  guard number.isFinite, abs(number) < 1e9 else { return "-" }
  let thousandths = Int((number * 1000).rounded())
  let rest = String(abs(thousandths % 1000))
  return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
}

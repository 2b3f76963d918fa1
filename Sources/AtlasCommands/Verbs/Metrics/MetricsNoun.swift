import ArgumentParser
import AtlasModel
import AtlasWire

/// `atlas metrics …`
struct MetricsNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "The figures of running campaigns, once or as a stream.",
    discussion: """
        atlas metrics get november
        atlas metrics stream november -o jsonl
      """,
    subcommands: [MetricsGet.self, MetricsStream.self])
}

/// What figures are wanted.
struct MetricsOptions: ParsableArguments, Sendable {
  @Argument(help: "The campaign; without it all that run, added up.") var campaign: String?
  @Option(help: ArgumentHelp("Only this client.", valueName: "name")) var client: String?
  @Flag(help: "Also for each ring and each client.") var details = false
}

/// `atlas metrics get`
struct MetricsGet: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "The figures now.",
    discussion: """
        atlas metrics get november --details
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var wanted: MetricsOptions

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.metrics.getMetrics,
      AtlasV1.GetMetricsRequest(
        campaign: wanted.campaign ?? "", client: wanted.client ?? "", details: wanted.details))
    guard let metrics = response.metrics else { throw Failure.empty("GetMetrics") }
    let times = session.times(metrics.clock)
    try session.show(
      Presentation(.message(response), names: [metrics.campaign]) { metrics.lines(times, $0) })
  }
}

/// `atlas metrics stream`
struct MetricsStream: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "stream",
    abstract: "The figures as they change: first all, then what is new; until you end it.",
    discussion: """
        atlas metrics stream november --interval 500ms -o jsonl
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var wanted: MetricsOptions
  @Option(
    help: ArgumentHelp("Real time between two messages, at least 100ms.", valueName: "duration"),
    transform: DurationArgument.parsed)
  var interval: DurationArgument?

  func run(in session: Session) async throws {
    let printer = StreamPrinter(session)
    let request = AtlasV1.StreamMetricsRequest(
      campaign: wanted.campaign ?? "", client: wanted.client ?? "", details: wanted.details,
      interval: interval.map { GoogleProtobuf.Duration($0.duration) })
    try await session.follow { metadata, progress in
      try await session.daemon.metrics.streamMetrics(request, metadata: metadata) { responses in
        for try await response in responses {
          progress.delivered()
          guard let metrics = response.metrics else { continue }
          let times = session.times(metrics.clock)
          try printer.print(response, names: [metrics.campaign]) { [metrics.line(times, $0)] }
        }
      }
    }
  }
}

extension AtlasV1.Metrics {
  /// The figures, one below the other.
  func lines(_ times: TimeText, _ space: TextSpace) -> [Line] {
    var facts = Description()
    facts.add("Campaign", campaign.isEmpty ? "all that run" : campaign, .bold)
    facts.add("Clock", clock?.line(times, space.glyphs) ?? .empty)
    facts.add("Servers", servers?.line ?? .empty)
    facts.add("Clients", "\(grouped(activeClients)) of \(grouped(clients)) active")
    facts.add("Elapsed", elapsed?.shortText ?? "")
    facts.add("Left", estimatedTimeLeft.map { "about \($0.shortText)" } ?? "")
    facts.add("Success", percent(successRate))
    facts.add(
      "Waiting", waitingForPeople == 0 ? "" : "\(grouped(waitingForPeople)) for people", .bad)
    facts.add("Agents", "\(grouped(agentsConnected)) connected")
    facts.add("State", stateText, stopped ? .bad : .warn)
    return facts.lines + ringLines(space) + clientLines(space)
  }

  /// `stopped, paused, settled`; empty when it simply runs.
  var stateText: String {
    [(stopped, "stopped"), (paused, "paused"), (settled, "settled")].filter(\.0).map(\.1)
      .joined(separator: ", ")
  }

  private func ringLines(_ space: TextSpace) -> [Line] {
    if rings.isEmpty { return [] }
    let columns: [Column<AtlasV1.RingMetrics>] = [
      Column("RING", align: .right) { "\($0.ring)" },
      Column("NAME") { $0.name },
      Column("STATUS") { $0.status },
      Column("GATE") { $0.gate },
    ]
    return [.empty]
      + space.lines(
        of: Table(rings, columns + countColumns { $0.servers }, wide: space.isWide))
  }

  private func clientLines(_ space: TextSpace) -> [Line] {
    if clientMetrics.isEmpty { return [] }
    let columns: [Column<AtlasV1.ClientMetrics>] = [
      Column("CLIENT") { $0.client },
      Column("RING", align: .right) { "\($0.ring)" },
    ]
    return [.empty]
      + space.lines(
        of: Table(clientMetrics, columns + countColumns { $0.servers }, wide: space.isWide))
  }

  /// One line for a list that grows.
  func line(_ times: TimeText, _ space: TextSpace) -> Line {
    let counts = servers ?? AtlasV1.RunCounts()
    let left = estimatedTimeLeft.map { "  left ~\($0.shortText)" } ?? ""
    let rest = "\(left)  success \(percent(successRate))"
    var spans = [
      Span(times.absolute(clock?.campaignTime), .dim),
      Span("  \(counts.progressText) done"),
      Span("  \(grouped(counts.inProgress)) in progress", counts.inProgress > 0 ? .active : .plain),
      Span("  \(grouped(counts.held)) held", counts.held > 0 ? .bad : .plain),
      Span("  \(grouped(counts.failed)) failed", counts.failed > 0 ? .bad : .plain),
    ]
    if counts.leftOut > 0 { spans.append(Span("  \(grouped(counts.leftOut)) left out", .warn)) }
    spans.append(Span(rest))
    if !stateText.isEmpty { spans.append(Span("  \(stateText)", stopped ? .bad : .warn)) }
    if let clock, clock.factor > 1 {
      spans.append(Span("  \(space.glyphs.times)\(clock.factor)", .dim))
    }
    return Line(spans: spans)
  }
}

/// Columns of the counts of servers.
func countColumns<Row>(
  _ counts: @escaping @Sendable (Row) -> AtlasV1.RunCounts?
) -> [Column<Row>] {
  [
    Column("DONE", align: .right) { (counts($0) ?? .init()).progressText },
    Column("ACTIVE", style: .active) { counts($0)?.inProgress ?? 0 },
    Column("PARKED", style: .warn) { counts($0)?.parked ?? 0 },
    Column("HELD", style: .bad) { counts($0)?.held ?? 0 },
    Column("FAILED", style: .bad) { counts($0)?.failed ?? 0 },
    Column("LEFT OUT", style: .warn) { counts($0)?.leftOut ?? 0 },
    Column("DOWN", style: .warn) { counts($0)?.downNow ?? 0 },
  ]
}

import ArgumentParser
import AtlasModel
import AtlasWire

/// `atlas status`
struct StatusVerb: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "The daemon, its clock, stops, agents and running campaigns at a glance.",
    discussion: """
        atlas status
        atlas status -o json | jq .agents
      """)

  /// Campaigns whose figures are asked for; more than that do not run at once.
  private static let detailed = 20

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let total = try await session.read(
      session.daemon.metrics.getMetrics, AtlasV1.GetMetricsRequest())
    let stop = try await session.read(session.daemon.safety.getStop, AtlasV1.GetStopRequest())
    let clients = try await session.readPages(
      session.daemon.fleet.listClients, AtlasV1.ListClientsRequest())
    let all = try await session.readPages(
      session.daemon.campaigns.listCampaigns, AtlasV1.ListCampaignsRequest())
    var status = DaemonStatus(
      destination: session.destination, clock: total.metrics?.clock, stop: stop,
      agents: AgentCensus(clients.clients), campaigns: [])
    for campaign in all.campaigns.filter(\.state.isRunning).prefix(Self.detailed) {
      let figures = try await session.read(
        session.daemon.metrics.getMetrics, AtlasV1.GetMetricsRequest(campaign: campaign.name))
      status.campaigns.append(.init(campaign: campaign, metrics: figures.metrics))
    }
    let times = session.times(status.clock)
    try session.show(
      Presentation(.value(try status.json()), names: status.campaigns.map(\.campaign.name)) {
        [status] in status.lines(times, $0)
      })
  }
}

/// How many agents are there, and where they are missing.
struct AgentCensus: Sendable, Hashable {
  var servers: Int32
  var connected: Int32
  /// Clients with servers whose agent is missing, the most first.
  var missing: [(client: String, count: Int32)] { gaps.map { ($0.client, $0.count) } }
  private var gaps: [Gap]

  private struct Gap: Sendable, Hashable {
    var client: String
    var count: Int32
  }

  init(_ clients: [AtlasV1.ClientInfo]) {
    servers = clients.reduce(0) { $0 + $1.servers }
    connected = clients.reduce(0) { $0 + $1.agentsConnected }
    gaps = clients.filter { $0.agentsMissing > 0 }
      .map { Gap(client: $0.name, count: $0.agentsMissing) }
      .sorted { ($1.count, $0.client) < ($0.count, $1.client) }
  }

  /// `998 of 1,000 connected; missing: 2 at LAA`.
  var text: String {
    if servers == 0 { return "the fleet has no servers" }
    let head = "\(grouped(connected)) of \(grouped(servers)) connected"
    if gaps.isEmpty { return head }
    let shown = gaps.prefix(3).map { "\($0.count) at \($0.client)" }.joined(separator: ", ")
    return "\(head); missing: \(shown)"
      + (gaps.count > 3 ? " and \(gaps.count - 3) more clients" : "")
  }

  var json: JSONValue {
    .members([
      "servers": .number("\(servers)"), "connected": .number("\(connected)"),
      "missing": .array(
        gaps.map { .members(["client": .string($0.client), "agents": .number("\($0.count)")]) }),
    ])
  }
}

/// What `atlas status` found.
struct DaemonStatus: Sendable {
  struct Running: Sendable {
    var campaign: AtlasV1.Campaign
    var metrics: AtlasV1.Metrics?
  }

  var destination: Destination
  var clock: AtlasV1.Clock?
  var stop: AtlasV1.GetStopResponse
  var agents: AgentCensus
  var campaigns: [Running]

  func lines(_ times: TimeText, _ space: TextSpace) -> [Line] {
    var facts = Description()
    facts.add("Daemon", "\(destination.address), from \(destination.source)")
    facts.add("Clock", clock?.line(times, space.glyphs) ?? .empty)
    for (index, line) in stop.lines(times).enumerated() {
      facts.add(index == 0 ? "Stop" : "", line)
    }
    let isComplete = agents.connected == agents.servers
    facts.add("Agents", agents.text, isComplete ? .good : .warn)
    facts.add("Campaigns", campaigns.isEmpty ? "none runs" : "\(campaigns.count) running")
    if campaigns.isEmpty { return facts.lines }
    let table = Table(campaigns, Self.columns, wide: space.isWide)
    return facts.lines + [.empty] + space.lines(of: table) + decisions
  }

  private static let columns: [Column<Running>] = [
    Column("CAMPAIGN", span: { Span($0.campaign.name, .bold) }),
    Column("STATE", span: { Span($0.campaign.stateText, $0.campaign.stateStyle) }),
    Column("DONE", align: .right) { $0.campaign.progressText },
    Column("IN PROGRESS", style: .active) { $0.campaign.servers?.inProgress ?? 0 },
    Column("HELD", style: .bad) { $0.campaign.servers?.held ?? 0 },
    Column("FAILED", style: .bad) { $0.campaign.servers?.failed ?? 0 },
    Column("LEFT OUT", style: .warn) { $0.campaign.servers?.leftOut ?? 0 },
    Column("SUCCESS", align: .right) { percent($0.metrics?.successRate) },
    Column("ELAPSED", align: .right) { $0.metrics?.elapsed?.shortText ?? "" },
    Column("LEFT", align: .right) {
      $0.metrics?.estimatedTimeLeft.map { "~\($0.shortText)" } ?? ""
    },
  ]

  private var decisions: [Line] {
    let lines = campaigns.flatMap { running in
      running.campaign.decisionList(atMost: 5).map { Line("  \(running.campaign.name): \($0)") }
    }
    return lines.isEmpty ? [] : [.empty, Line(Span("Waits for people:", .bad))] + lines
  }

  /// - Throws: ``Failure``.
  func json() throws(Failure) -> JSONValue {
    var running: [JSONValue] = []
    for item in campaigns {
      running.append(
        .members([
          "campaign": try item.campaign.jsonValue(),
          "metrics": try item.metrics?.jsonValue() ?? .null,
        ]))
    }
    return .members([
      "address": .string(destination.address.description), "clock": try clock?.jsonValue() ?? .null,
      "stop": try stop.jsonValue(), "agents": agents.json, "campaigns": .array(running),
    ])
  }
}

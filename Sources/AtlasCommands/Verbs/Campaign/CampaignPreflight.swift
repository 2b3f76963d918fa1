import ArgumentParser
import AtlasWire
import GRPCCore

/// `atlas campaign preflight`
struct CampaignPreflight: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "preflight",
    abstract: "Look at every server before the night, and change nothing.",
    discussion: """
      Asks every agent for its disk, pending boots, update source and other updaters, and runs \
      pre_update and verify_backup dry. A server is ready, will be refused, or needs a person. \
      Exits with 1 when not all are ready.

        atlas campaign preflight november
        atlas campaign preflight november --client LAA --all
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @Option(help: ArgumentHelp("Only of this client.", valueName: "name")) var client: String?
  @Flag(help: "Also servers that are ready.") var all = false

  func run(in session: Session) async throws {
    let found = try await session.preflight(name, client: client, all: all)
    let summary = found.summary ?? AtlasV1.PreflightSummary()
    try session.show(
      Presentation(
        .message(found), rows: found.servers.map { .message($0) },
        names: found.servers.map(\.server)
      ) { space in
        found.servers.flatMap(\.lines) + [summary.line]
      })
    let rest = summary.refused + summary.needsPerson
    if rest > 0 {
      throw Failure(
        .error, "\(counted(rest, "server")) of \(name) \(rest == 1 ? "is" : "are") not ready")
    }
  }
}

extension Session {
  /// Everything that a preflight finds, by ring, client and server, the worst first in each client.
  ///
  /// - Throws: ``Failure``.
  fileprivate func preflight(
    _ name: String, client: String?, all: Bool
  ) async throws -> AtlasV1.PreflightCampaignResponse {
    let request = AtlasV1.PreflightCampaignRequest(
      campaign: name, client: client ?? "", all: all)
    let timeout = options.timeout?.duration ?? CommandLimits.planTimeout
    return try await attempt(within: timeout, patience: CommandLimits.patienceOfReads) {
      metadata, options in
      try await daemon.campaigns.preflightCampaign(request, metadata: metadata, options: options) {
        responses in
        var found = AtlasV1.PreflightCampaignResponse()
        for try await part in responses {
          found.servers += part.servers
          found.summary = part.summary ?? found.summary
        }
        found.servers.sort { ($0.ring, $0.client, $0.server) < ($1.ring, $1.client, $1.server) }
        return found
      }
    }
  }
}

extension AtlasV1.PreflightServer {
  /// The server and its verdict, then what was found, a line each.
  fileprivate var lines: [Line] {
    [Line(Span(server, .bold), Span("  "), Span(verdict.text, verdict.style))]
      + findings.map { finding in
        Line(
          Span("  \(finding.check): ", .dim),
          Span(finding.text, finding.verdict == .ready ? .plain : finding.verdict.style))
      }
  }
}

extension AtlasV1.PreflightSummary {
  /// `1,000 servers: 993 ready, 5 will be refused, 2 need a person`.
  fileprivate var line: Line {
    Line(
      Span("\(counted(servers, "server")): "), Span("\(grouped(ready)) ready", .good),
      Span(", \(grouped(refused)) will be refused", refused > 0 ? .warn : .plain),
      Span(
        ", \(grouped(needsPerson)) \(needsPerson == 1 ? "needs" : "need") a person",
        needsPerson > 0 ? .bad : .plain))
  }
}

extension AtlasV1.PreflightVerdict {
  fileprivate var text: String {
    switch self {
    case .ready: "ready"
    case .refused: "will be refused"
    case .needsPerson: "needs a person"
    case .unspecified, .unrecognized: ""
    }
  }

  fileprivate var style: Style {
    switch self {
    case .ready: .good
    case .refused: .warn
    case .needsPerson: .bad
    case .unspecified, .unrecognized: .plain
    }
  }
}

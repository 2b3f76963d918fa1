import ArgumentParser
import AtlasWire

/// The lists that can be exported.
enum ExportKindArgument: String, CaseIterable, ExpressibleByArgument, Sendable {
  case servers, clients, orchestration
  case globalStatus = "global-status"
  case clientConfig = "client-config"

  var message: AtlasV1.ExportKind {
    switch self {
    case .servers: .servers
    case .clients: .clients
    case .orchestration: .orchestration
    case .globalStatus: .globalStatus
    case .clientConfig: .clientConfig
    }
  }

  /// Whether it is a list of one campaign.
  var needsCampaign: Bool { self == .orchestration || self == .globalStatus }
}

/// `atlas fleet export`
struct FleetExport: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a list to standard output.",
    discussion: """
      servers (CSV) and clients (YAML) can be imported again. orchestration and global-status are \
      the field's lists of a campaign, client-config that of the clients.

        atlas fleet export --kind servers > servers.csv
        atlas fleet export --kind orchestration --campaign november --json
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Option(help: "servers, clients, orchestration, global-status or client-config.")
  var kind: ExportKindArgument
  @Option(help: ArgumentHelp("The campaign of the list.", valueName: "name")) var campaign: String?
  @Flag(help: "JSON instead of CSV or YAML.") var json = false

  mutating func validate() throws {
    if kind.needsCampaign, campaign == nil {
      throw ValidationError("--kind \(kind.rawValue) needs --campaign")
    }
  }

  func run(in session: Session) async throws {
    let request = AtlasV1.ExportFleetRequest(
      kind: kind.message, campaign: campaign ?? "",
      json: json || [.json, .jsonl].contains(session.options.output))
    // Pieces already written cannot be taken back, so a break of the connection is an error.
    try await session.attempt(within: .seconds(3600), patience: .zero) { metadata, options in
      try await session.daemon.fleet.exportFleet(
        request, metadata: metadata, options: options
      ) { responses in
        for try await response in responses {
          try session.console.output.write(bytes: response.piece?.content ?? [])
        }
      }
    }
  }
}

import AtlasCalendar
import AtlasControl
import AtlasEngine
import AtlasEvidenceFile
import AtlasHooks
import AtlasModel
import AtlasRuntime
import AtlasStore
import AtlasWire
import GRPCCore
import GRPCInProcessTransport
import Logging

@testable import AtlasServer

typealias LocalClient = InProcessTransport.Client

/// The services of a daemon over a store in memory, called through real messages and no socket.
struct TestDaemon: Sendable {
  let pump: ControlPump
  let store: MemoryStore
  let client: GRPCClient<LocalClient>

  /// Runs a daemon for as long as `body` takes.
  static func run(
    hooks: (any HookCatalog)? = nil, _ body: @Sendable (TestDaemon) async throws -> Void
  ) async throws {
    let store = try MemoryStore()
    let machine = try ControlMachine(
      stored: try store.load(), floors: ControlState.Floors(),
      configuration: ControlMachine.Configuration(
        daemonVersion: "test", demoFactor: 1, checkInterval: .seconds(120),
        hash: { sha256($0) }, encode: AnswerCoding.encode,
        openings: { try WindowCalendar.openings(of: $0, from: $1, count: $2) }))
    let pump = ControlPump(
      machine: machine, store: store, hooks: NoHooks(),
      clock: CampaignClock(factor: 1, start: nil), firstWindow: .ignored,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let core = ServiceCore(pump: pump, store: store, evidence: FixedEvidence(hooks: hooks))
    let transport = InProcessTransport()
    let server = GRPCServer(
      transport: transport.server,
      services: [
        AgentSessions(core), Audit(core), Campaigns(core), FleetStore(core),
        Hooks(core, catalog: hooks, feed: HookLogFeed()), MetricsStreams(core), Safety(core),
      ], interceptors: [PrincipalInterceptor()])
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { try await pump.run() }
      group.addTask { try await server.serve() }
      try await withGRPCClient(transport: transport.client) { client in
        try await body(TestDaemon(pump: pump, store: store, client: client))
      }
      server.beginGracefulShutdown()
      group.cancelAll()
    }
  }

  var fleet: AtlasV1.FleetService.Client<LocalClient> { .init(wrapping: client) }
  var campaigns: AtlasV1.CampaignService.Client<LocalClient> { .init(wrapping: client) }
  var safety: AtlasV1.SafetyService.Client<LocalClient> { .init(wrapping: client) }
  var audit: AtlasV1.AuditService.Client<LocalClient> { .init(wrapping: client) }
  var hooks: AtlasV1.HookService.Client<LocalClient> { .init(wrapping: client) }
  var agents: AtlasV1.AgentService.Client<LocalClient> { .init(wrapping: client) }

  /// Imports documents, given as name and text.
  @discardableResult
  func importFleet(
    _ documents: [(String, String)] = [("servers.csv", servers), ("clients.yaml", clients)],
    requestID: String = "", dryRun: Bool = false
  ) async throws -> AtlasV1.ImportFleetResponse {
    try await fleet.importFleet { requests in
      try await requests.write(
        .init(payload: .options(.init(requestID: requestID, dryRun: dryRun))))
      for (name, text) in documents {
        try await requests.write(
          .init(payload: .piece(.init(name: name, content: Array(text.utf8)))))
      }
    }
  }

  /// Records of the log, oldest first, as kind and principal.
  func log() async throws -> [String] {
    try await audit.listAuditRecords(.init(pageSize: 500)).records.map {
      $0.principal.isEmpty ? $0.kind : "\($0.kind) by \($0.principal)"
    }
  }

  static let servers = """
    server
    LAA-PARIS-WEB01
    LAA-PARIS-WEB02
    NOR-OSLO-SQL01

    """
  static let clients = """
    clients:
      - name: LAA
        ring: 0
        zone: Europe/Paris
        windows: [Fri 20:00-Mon 05:00]
      - name: NOR
        ring: 1
        zone: Europe/Oslo
        windows: [Fri 20:00-Mon 05:00]

    """
}

/// One key for each process, and the files of the hooks that there are.
private struct FixedEvidence: EvidenceSource {
  private static let key = EvidenceKey()
  let hooks: (any HookCatalog)?

  func key() throws(EvidenceKeyError) -> EvidenceKey { Self.key }
  func hookFiles(of revision: HookRevisionID) -> [HookListing.File] {
    [HookListing.File(path: "default.lua", functions: [], sha256: "\(revision)")]
  }
}

/// Defines no hook.
private struct NoHooks: HookPort {
  func announce(_ ticket: HookTicket) {}
  func run(_ order: HookOrder) async -> (HookVerdict, HookRunRow?) { (.notDefined, nil) }
  func cancel(_ ticket: HookTicket) {}
  func dryRun(_ order: HookOrder) async -> HookVerdict { .notDefined }
  func defines(_ point: HookPoint, client: ClientName) -> Bool { false }
}

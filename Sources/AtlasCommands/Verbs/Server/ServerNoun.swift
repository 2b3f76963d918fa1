import ArgumentParser
import AtlasWire

/// `atlas server …`
struct ServerNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Look at servers; lock, retire, dismiss them.",
    discussion: """
        atlas server list --client LAA
        atlas server lock LAA-PARIS-DC01 --reason "new disk" --ticket OPS-1274
      """,
    subcommands: [
      ServerList.self, ServerGet.self, ServerHistory.self, ServerLock.self, ServerUnlock.self,
      ServerRetire.self, ServerDismiss.self, ServerRecall.self,
    ])
}

/// `atlas server list`
struct ServerList: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "All servers, or those of a client.",
    discussion: """
        atlas server list --client LAA
        atlas server list --missing -o name
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Option(help: ArgumentHelp("Only of this client.", valueName: "name")) var client: String?
  @Flag(help: "Only those whose agent is not connected.") var missing = false

  func run(in session: Session) async throws {
    var response = try await session.readPages(
      session.daemon.fleet.listServers, AtlasV1.ListServersRequest(client: client ?? ""))
    if missing { response.servers.removeAll { $0.agentConnected || $0.retired } }
    let times = try await session.times()
    try session.show(
      Presentation(
        response, items: response.servers, name: \.name,
        columns: AtlasV1.ServerInfo.columns(times),
        empty: missing ? "every agent is connected" : "there are no servers"))
  }
}

/// `atlas server get`
struct ServerGet: DaemonVerb {
  static let listVerb = "atlas server list"
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "One server, and its run if a campaign has one.",
    discussion: """
        atlas server get LAA-PARIS-DC01
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The server.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.fleet.getServer, AtlasV1.GetServerRequest(server: name))
    guard let server = response.server else { throw Failure.empty("GetServer") }
    let times = try await session.times()
    let run = session.options.output.isText ? try await openRun(of: server, session) : nil
    try session.show(
      Presentation(.message(response), names: [server.name]) { _ in
        server.lines(times) + (run.map { [.empty] + $0.lines(times) } ?? [])
      })
  }

  private func openRun(
    of server: AtlasV1.ServerInfo, _ session: Session
  ) async throws -> AtlasV1.ServerRun? {
    if server.campaign.isEmpty { return nil }
    let response = try await session.read(
      session.daemon.campaigns.getServerRun,
      AtlasV1.GetServerRunRequest(campaign: server.campaign, server: server.name))
    return response.run
  }
}

/// `atlas server history`
struct ServerHistory: DaemonVerb {
  static let listVerb = "atlas server list"
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "What happened to a server, newest first, in all campaigns.",
    discussion: """
        atlas server history LAA-PARIS-DC01 --limit 20
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The server.") var name: String
  @Option(help: ArgumentHelp("How many records.", valueName: "number"))
  var limit = CommandLimits.records

  func run(in session: Session) async throws {
    // The name is checked first: the log has no records of a server that does not exist.
    _ = try await session.read(
      session.daemon.fleet.getServer, AtlasV1.GetServerRequest(server: name))
    let response = try await session.readPages(
      session.daemon.audit.listAuditRecords,
      AtlasV1.ListAuditRecordsRequest(server: name, descending: true), limit: max(1, limit))
    try session.show(
      try await session.presentation(of: response, empty: "nothing has happened to \(name)"))
  }
}

/// `atlas server lock`
struct ServerLock: DaemonVerb {
  static let listVerb = "atlas server list"
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Keep a server out of every campaign.",
    discussion: """
        atlas server lock LAA-PARIS-DC01 --reason "new disk" --ticket OPS-1274
        atlas server lock LAA-PARIS-DC01 --reason "audit" --until 2026-12-01
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The server.") var name: String
  @Option(help: ArgumentHelp("Why.", valueName: "text")) var reason: String
  @Option(
    help: ArgumentHelp("Until then; else until somebody unlocks it.", valueName: "time"),
    transform: InstantArgument.parsed)
  var until: InstantArgument?
  @Option(help: ArgumentHelp("The ticket it belongs to.", valueName: "text")) var ticket: String?

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.lockServer,
      AtlasV1.LockServerRequest(
        server: name, reason: reason, until: until?.timestamp, ticket: ticket ?? ""))
    let end = until.map { " until \(session.times(nil).absolute($0.timestamp))" } ?? ""
    try session.show(
      Presentation(.message(response), names: [name]) { _ in [Line("\(name) is locked\(end)")] })
  }
}

/// `atlas server unlock`
struct ServerUnlock: DaemonVerb {
  static let listVerb = "atlas server list"
  static let configuration = CommandConfiguration(
    commandName: "unlock",
    abstract: "Let campaigns at a locked server again.",
    discussion: """
        atlas server unlock LAA-PARIS-DC01
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The server.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.unlockServer, AtlasV1.UnlockServerRequest(server: name))
    try session.show(
      Presentation(.message(response), names: [name]) { _ in [Line("\(name) is unlocked")] })
  }
}

/// `atlas server retire`
struct ServerRetire: DaemonVerb {
  static let listVerb = "atlas server list"
  static let configuration = CommandConfiguration(
    commandName: "retire",
    abstract: "Take a server out of the fleet.",
    discussion: """
      Asks first. Its open run is skipped once nothing is in flight.

        atlas server retire LAA-PARIS-WEB02 --reason "replaced by WEB03"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The server.") var name: String
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    if !confirmation.yes {
      let response = try await session.read(
        session.daemon.fleet.getServer, AtlasV1.GetServerRequest(server: name))
      guard let server = response.server else { throw Failure.empty("GetServer") }
      for line in server.lines(try await session.times()) { session.console.tell(line) }
      try session.console.confirm("Take \(name) out of the fleet?", confirmation)
    }
    let response = try await session.change(
      session.daemon.fleet.retireServer,
      AtlasV1.RetireServerRequest(server: name, reason: reason))
    try session.show(
      Presentation(.message(response), names: [name]) { _ in [Line("\(name) is retired")] })
  }
}

extension AtlasV1.ServerInfo {
  static func columns(_ times: TimeText) -> [Column<Self>] {
    [
      Column("NAME", span: { Span($0.name, $0.retired ? .dim : .plain) }),
      Column("CLIENT") { $0.client },
      Column("SITE", wide: true) { $0.site },
      Column("ROLES") { $0.roles.joined(separator: ",") },
      Column("SYSTEM") { $0.system },
      Column("AGENT", span: { $0.agentSpan }),
      Column("CAMPAIGN") { $0.campaign },
      Column("RUN", span: { Span($0.runState.word, $0.runState.style) }),
      Column("LOCKED", gives: true) { $0.retired ? "retired" : $0.locked?.text(times) ?? "" },
      Column("NUMBER", wide: true) { $0.number },
      Column("ORDER", wide: true) { $0.updateOrder.map(String.init) ?? "" },
      Column("PHYSICAL", wide: true) { $0.physical ? "yes" : "no" },
      Column("ETAG", wide: true) { $0.etag },
    ]
  }

  fileprivate var agentSpan: Span {
    if retired { return Span("") }
    return agentConnected ? Span(agentVersion, .good) : Span("missing", .bad)
  }

  func lines(_ times: TimeText) -> [Line] {
    var facts = Description()
    facts.add("Name", name, .bold)
    facts.add("Client", client)
    facts.add("Site", site)
    facts.add("Roles", roles.joined(separator: ", "))
    facts.add("System", system + (physical ? ", physical" : ""))
    facts.add("Order", updateOrder.map(String.init) ?? "by roles and number \(number)")
    facts.add("After", after.joined(separator: ", "))
    facts.add("Group", antiAffinity)
    facts.add("Host", host)
    facts.add("Guests", guests.joined(separator: ", ") + (migratesGuests ? " (migrated)" : ""))
    if carriesAtlas { facts.add("Atlas", "depends on it: last, alone, with a person", .warn) }
    if retired { facts.add("Retired", "yes", .warn) }
    facts.add("Down", unexplained, .bad)
    facts.add("Dismissed", dismissed?.text(times) ?? "", .warn)
    facts.add("Locked", locked?.text(times) ?? "", .warn)
    if !retired { facts.add("Agent", Line(agentSpan)) }
    facts.add("Campaign", campaign)
    facts.add("Run", runState.word, runState.style)
    facts.add("Etag", etag)
    return facts.lines
  }
}

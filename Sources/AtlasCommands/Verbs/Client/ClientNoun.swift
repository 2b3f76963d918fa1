import ArgumentParser
import AtlasWire

/// `atlas client …`
struct ClientNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client",
    abstract: "Look at clients, pause, postpone and resume them, declare outages.",
    discussion: """
        atlas client list
        atlas client pause LAA --reason "their month end"
      """,
    subcommands: [
      ClientList.self, ClientGet.self, ClientPause.self, ClientPostpone.self,
      ClientResume.self, ClientDeclareOutage.self, ClientEndOutage.self, ClientWindows.self,
    ])
}

/// `atlas client list`
struct ClientList: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "All clients.",
    discussion: """
        atlas client list
        atlas client list -o json | jq '.clients[] | select(.ring == 3) | .name'
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let response = try await session.readPages(
      session.daemon.fleet.listClients, AtlasV1.ListClientsRequest())
    let times = try await session.times()
    try session.show(
      Presentation(
        response, items: response.clients, name: \.name,
        columns: AtlasV1.ClientInfo.columns(times),
        empty: "there are no clients; atlas fleet import FILE…"))
  }
}

/// `atlas client get`
struct ClientGet: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "One client, with its settings.",
    discussion: """
        atlas client get LAA
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The client.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.fleet.getClient, AtlasV1.GetClientRequest(client: name))
    guard let client = response.client else { throw Failure.empty("GetClient") }
    let times = try await session.times()
    try session.show(
      Presentation(.message(response), names: [client.name]) { _ in client.lines(times) })
  }
}

/// `atlas client pause`
struct ClientPause: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Start nothing new at a client, in all campaigns.",
    discussion: """
      Work in flight goes on to the end of its attempt.

        atlas client pause LAA --reason "their month end"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The client.") var name: String
  @Option(help: ArgumentHelp("Why.", valueName: "text")) var reason: String?

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.pauseClient,
      AtlasV1.PauseClientRequest(client: name, reason: reason ?? ""))
    guard let client = response.client else { throw Failure.empty("PauseClient") }
    let busy = client.slotsInUse
    let rest = busy == 0 ? "" : "; \(counted(busy, "server")) in flight"
    try session.show(
      Presentation(.message(response), names: [name]) { _ in [Line("\(name) is paused\(rest)")] })
  }
}

/// `atlas client postpone`
struct ClientPostpone: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "postpone",
    abstract: "Start nothing new at a client until a time, or until its next window.",
    discussion: """
      Says what is in flight, and when that ends. What has not started does not count for the \
      gates meanwhile. It ends by itself, or with atlas client resume.

        atlas client postpone LAA --reason "they have a fair tonight"
        atlas client postpone LAA --until 2026-12-05T20:00:00+01:00
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The client.") var name: String
  @Option(
    help: ArgumentHelp("Until then; without it until its next window.", valueName: "time"),
    transform: InstantArgument.parsed)
  var until: InstantArgument?
  @Option(help: ArgumentHelp("Why.", valueName: "text")) var reason: String?

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.postponeClient,
      AtlasV1.PostponeClientRequest(
        client: name, until: until?.timestamp, reason: reason ?? ""))
    guard let client = response.client else { throw Failure.empty("PostponeClient") }
    let times = try await session.times()
    let end = client.postponed.map { " until \(times.absolute($0.until))" } ?? ""
    try session.show(
      Presentation(.message(response), names: [name]) { _ in
        [Line("\(name) is postponed\(end)")]
          + response.inFlight.map { server in
            let rest =
              server.ends == nil
              ? ", waits for a person" : ", ends about \(times.absolute(server.ends))"
            return Line(Span("  \(server.server) is in flight in \(server.campaign)\(rest)", .dim))
          }
      })
  }
}

/// `atlas client resume`
struct ClientResume: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Let campaigns go on at a client that was paused or postponed.",
    discussion: """
        atlas client resume LAA
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The client.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.resumeClient, AtlasV1.ResumeClientRequest(client: name))
    try session.show(
      Presentation(.message(response), names: [name]) { _ in [Line("\(name) goes on")] })
  }
}

/// `atlas client windows`
struct ClientWindows: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "windows",
    abstract: "When a client may be worked on, freezes taken out.",
    discussion: """
        atlas client windows LAA --count 4 --time iso
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The client.") var name: String
  @Option(help: ArgumentHelp("How many, at most 100.", valueName: "number"))
  var count: Int32 = 10
  @Option(
    name: .customLong("from"), help: ArgumentHelp("From this time on.", valueName: "time"),
    transform: InstantArgument.parsed)
  var start: InstantArgument?

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.fleet.listWindows,
      AtlasV1.ListWindowsRequest(client: name, count: count, from: start?.timestamp))
    let times = try await session.times()
    let columns: [Column<AtlasV1.WindowOpening>] = [
      Column("START") { times.absolute($0.interval?.start) },
      Column("END") { times.absolute($0.interval?.end) },
      Column("LENGTH", align: .right) { $0.interval?.length?.shortText ?? "" },
      Column("") { times.style == .relative ? times.text($0.interval?.start) : "" },
      Column("NOTE", gives: true) { $0.note },
      Column("WINDOW", wide: true) { $0.rule },
      Column("UTC", wide: true) { $0.offsets },
    ]
    try session.show(
      Presentation(
        .message(response), rows: response.openings.map { .message($0) },
        names: response.openings.map { $0.interval?.start.map(TimeText.iso) ?? "" }
      ) { space in
        let head = "\(name), zone \(response.zone)"
        let open = response.openNow ? Span(", open now", .good) : Span(", closed now")
        let always = response.alwaysOpen ? [Line(Span("always open", .good))] : []
        let none = response.openings.isEmpty && !response.alwaysOpen
        let table =
          response.openings.isEmpty
          ? none ? [Line(Span("no window", .dim))] : []
          : space.lines(of: Table(response.openings, columns, wide: space.isWide))
        return [Line(Span(head), open)] + always + table
      })
  }
}

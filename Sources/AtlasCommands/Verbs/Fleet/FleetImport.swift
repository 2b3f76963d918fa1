import ArgumentParser
import AtlasWire
import GRPCCore

/// `atlas fleet import`
struct FleetImport: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Import servers (CSV) and clients (YAML or CSV).",
    discussion: """
      First a dry run: every error with its file and line, then what would change. Then it asks. A \
      client with an error is refused as a whole; the others are imported, unless --require-all. \
      Servers that the files do not name stay. A directory stands for its servers.csv and \
      clients.yaml (or clients.yml, clients.csv).

        atlas fleet import servers.csv clients.yaml
        atlas fleet import examples/msp-100x10
        atlas fleet import servers.csv --require-all --yes
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The files, or a directory with them.", completion: .file())
  var files: [String]
  @Flag(help: "Only say what would change.") var dryRun = false
  @Flag(help: "Import nothing if one client has an error.") var requireAll = false

  func run(in session: Session) async throws {
    let documents = try FleetDocuments(files)
    let rehearsal = try await session.importFleet(documents, dryRun: true, requireAll: requireAll)
    session.tell(rehearsal.diagnostics)
    if dryRun { return try session.finish(rehearsal) }
    for line in rehearsal.lines(session.textSpace) { session.console.tell(line) }
    if rehearsal.isNothing { return try session.finish(rehearsal) }
    try session.console.confirm("Import \(rehearsal.summary)?", confirmation)
    let applied = try await session.importFleet(documents, dryRun: false, requireAll: requireAll)
    // Somebody may have changed the fleet since; then the errors are others.
    if applied.diagnostics != rehearsal.diagnostics { session.tell(applied.diagnostics) }
    try session.finish(applied)
  }
}

/// `atlas fleet diff`
struct FleetDiff: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "What an import of these files would change.",
    discussion: """
      -o wide lists every change. Exits with 1 if a file has an error.

        atlas fleet diff servers.csv clients.yaml -o wide
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The files, or a directory with them.", completion: .file())
  var files: [String]

  func run(in session: Session) async throws {
    let response = try await session.importFleet(
      try FleetDocuments(files), dryRun: true, requireAll: false)
    session.tell(response.diagnostics)
    try session.finish(response)
  }
}

/// The files of an import, read and cut into pieces that fit into messages.
struct FleetDocuments: Sendable {
  let pieces: [AtlasV1.Document]

  /// - Throws: ``Failure`` naming a file that cannot be read, or that is named twice.
  init(_ named: [String]) throws(Failure) {
    var paths: [String] = []
    for path in named { paths += try Self.files(at: path) }
    var pieces: [AtlasV1.Document] = []
    for (index, path) in paths.enumerated() {
      if paths[..<index].contains(path) { throw .usage("\(path) is named twice") }
      let content = try FileReading.bytes(of: path, limit: CommandLimits.fleetFile)
      if content.isEmpty { throw .usage("\(path) is empty") }
      for start in stride(from: 0, to: content.count, by: CommandLimits.piece) {
        let end = min(start + CommandLimits.piece, content.count)
        pieces.append(AtlasV1.Document(name: path, content: Array(content[start..<end])))
      }
    }
    self.pieces = pieces
  }

  /// The file itself; of a directory what a fleet is made of, whatever else lies there.
  private static func files(at path: String) throws(Failure) -> [String] {
    guard FileReading.isDirectory(path) else { return [path] }
    let directory = path.hasSuffix("/") ? path : path + "/"
    let found = ["servers.csv", "clients.yaml", "clients.yml", "clients.csv"]
      .map { directory + $0 }.filter(FileReading.exists)
    if found.isEmpty {
      throw .usage(
        "\(path) has no servers.csv and no clients.yaml", hint: "name the files one by one")
    }
    return found
  }
}

extension Session {
  /// Sends documents to the daemon.
  ///
  /// - Throws: ``Failure``.
  func importFleet(
    _ documents: FleetDocuments, dryRun: Bool, requireAll: Bool
  ) async throws -> AtlasV1.ImportFleetResponse {
    let options = identified(AtlasV1.ImportOptions(dryRun: dryRun, requireAll: requireAll))
    // A large fleet takes longer than other calls.
    let timeout = self.options.timeout?.duration ?? CommandLimits.planTimeout
    return try await attempt(within: timeout, patience: callTimeout) { metadata, callOptions in
      try await daemon.fleet.importFleet(metadata: metadata, options: callOptions) { requests in
        try await requests.write(AtlasV1.ImportFleetRequest(payload: .options(options)))
        for piece in documents.pieces {
          try await requests.write(AtlasV1.ImportFleetRequest(payload: .piece(piece)))
        }
      }
    }
  }

  fileprivate func tell(_ diagnostics: [AtlasV1.Diagnostic]) {
    for line in diagnostics.flatMap(\.lines) { console.tell(line) }
  }

  fileprivate var textSpace: TextSpace {
    TextSpace(
      isWide: options.output == .wide, columns: console.outputSize?.columns, glyphs: console.glyphs)
  }

  /// Shows how it ended.
  ///
  /// - Throws: ``Failure`` if a file had an error.
  fileprivate func finish(_ response: AtlasV1.ImportFleetResponse) throws {
    try show(
      Presentation(
        .message(response), rows: response.changes.map { .message($0) },
        names: response.changes.map(\.subject)
      ) { space in
        response.applied ? [Line("imported \(response.summary)")] : response.lines(space)
      })
    let errors = response.diagnostics.count { !$0.warning }
    if errors == 0 { return }
    let refused = response.clientsRefused
    let who = refused == 0 ? "nothing was imported" : "\(counted(refused, "client")) refused"
    throw Failure(.error, "\(counted(errors, "error")) in the files; \(who)")
  }
}

extension AtlasV1.ImportFleetResponse {
  /// Nothing is left to do, or to ask about.
  var isNothing: Bool {
    clientsAdded + clientsChanged + serversAdded + serversChanged + fleetSettings == 0
  }

  /// Settings that belong to no client, such as the names of rings.
  private var fleetSettings: Int32 {
    Int32(changes.count { $0.client.isEmpty && $0.server.isEmpty })
  }

  /// `100 new clients, 1,000 new servers, 3 changed servers`.
  var summary: String {
    let parts = [
      (clientsAdded, "new client"), (clientsChanged, "changed client"),
      (serversAdded, "new server"), (serversChanged, "changed server"),
      (fleetSettings, "changed fleet setting"),
    ]
    let text = parts.filter { $0.0 > 0 }.map { counted($0.0, $0.1) }.joined(separator: ", ")
    return text.isEmpty ? "nothing new" : text
  }

  /// What changes: all of it if that is wanted or little, else the counts for each client.
  func lines(_ space: TextSpace) -> [Line] {
    var lines: [Line] = []
    if space.isWide || changes.count <= CommandLimits.printedChanges {
      lines = changes.map { $0.line(space.glyphs) }
    } else {
      lines = clientLines(space)
    }
    if truncated {
      lines.append(Line(Span("The daemon left out more: an answer holds no more lines.", .warn)))
    }
    lines.append(Line(summary))
    if clientsRefused > 0 {
      lines.append(Line(Span("\(counted(clientsRefused, "client")) refused", .bad)))
    }
    if serversUnmentioned > 0 {
      let count = counted(serversUnmentioned, "server")
      lines.append(Line("\(count) of the fleet not named in the files; left as is"))
    }
    return lines
  }

  private func clientLines(_ space: TextSpace) -> [Line] {
    var clients: [String] = []
    var tallies: [String: (added: Int, changed: Int)] = [:]
    for change in changes {
      if tallies[change.client] == nil { clients.append(change.client) }
      var tally = tallies[change.client] ?? (0, 0)
      if change.kind == .added { tally.added += 1 } else { tally.changed += 1 }
      tallies[change.client] = tally
    }
    let shown = clients.prefix(CommandLimits.printedChanges)
    var lines = shown.map { client in
      let tally = tallies[client] ?? (0, 0)
      return Line(
        Span(client.isEmpty ? "fleet" : client, .bold), Span(": "),
        Span("\(tally.added) added", .good), Span(", "),
        Span("\(tally.changed) changed", .warn))
    }
    if clients.count > shown.count {
      let more = counted(clients.count - shown.count, "more client")
      lines.append(Line(Span("\(space.glyphs.ellipsis) and \(more)", .dim)))
    }
    lines.append(Line(Span("-o wide lists them one by one", .dim)))
    return lines
  }
}

extension AtlasV1.FleetChange {
  /// The server, or the client when that changes itself.
  var subject: String { server.isEmpty ? client : server }

  /// `+ LAA-PARIS-DC01`, `~ LAA max_parallel_servers: 1 → 2`.
  func line(_ glyphs: Glyphs) -> Line {
    let owner = client.isEmpty ? "fleet" : "client \(client)"
    let what = server.isEmpty ? owner : server
    if kind == .added { return Line(Span("+ \(what)", .good)) }
    return Line(
      Span("~ \(what)", .warn), Span(" \(field): "), Span(before.isEmpty ? "none" : before, .dim),
      Span(" \(glyphs.arrow) \(after.isEmpty ? "none" : after)"))
  }
}

import ArgumentParser
import AtlasModel
import AtlasWire

/// `atlas hook …`
struct HookNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hook",
    abstract: "Operator-written Lua: what is loaded, what it did.",
    discussion: """
        atlas hook check
        atlas hook runs --client LAA
      """,
    subcommands: [
      HookList.self, HookReload.self, HookCheck.self, HookRuns.self, HookLogs.self,
    ])
}

/// `atlas hook list`
struct HookList: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The hook files that are loaded, and the functions they define.",
    discussion: """
        atlas hook list -o wide
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.hooks.listHooks, AtlasV1.ListHooksRequest())
    let revision = response.revision ?? AtlasV1.HookRevision()
    let times = try await session.times()
    let columns: [Column<AtlasV1.HookFile>] = [
      Column("FILE") { $0.path },
      Column("FUNCTIONS", gives: true) { $0.functions.joined(separator: ", ") },
      Column("SHA256", wide: true) { $0.sha256 },
    ]
    try session.show(
      Presentation(
        .message(response), rows: revision.files.map { .message($0) },
        names: revision.files.map(\.path)
      ) { space in
        if revision.files.isEmpty { return [Line(Span("no hooks are loaded", .dim))] }
        let head = "revision \(revision.id.prefix(12)), loaded \(times.text(revision.loadedAt))"
        return [Line(head)] + space.lines(of: Table(revision.files, columns, wide: space.isWide))
      })
  }
}

/// `atlas hook reload`
struct HookReload: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Read the hook directory again, for campaigns that start from now on.",
    discussion: """
      Campaigns that have started keep the revision they began with. If a file has an error, \
      everything stays as it is.

        atlas hook reload
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.hooks.reloadHooks, AtlasV1.ReloadHooksRequest())
    for line in response.diagnostics.flatMap(\.lines) { session.console.tell(line) }
    let revision = response.revision ?? AtlasV1.HookRevision()
    try session.show(
      Presentation(.message(response), names: [revision.id]) { _ in
        if !response.reloaded { return [] }
        let files = counted(revision.files.count, "file")
        return [Line("revision \(revision.id.prefix(12)) is loaded: \(files)")]
      })
    if !response.reloaded {
      throw Failure(
        .error, "the hooks were not reloaded; those of before stay in use",
        hint: "correct the files, then atlas hook check")
    }
  }
}

/// `atlas hook check`
struct HookCheck: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Parse every hook file without putting it to use.",
    discussion: """
      Exits with 1 if a file has an error.

        atlas hook check
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.hooks.checkHooks, AtlasV1.CheckHooksRequest())
    let errors = response.diagnostics.count { !$0.warning }
    try session.show(
      Presentation(
        .message(response), rows: response.diagnostics.map { .message($0) },
        names: response.diagnostics.map(\.file)
      ) { _ in
        let verdict = "\(counted(response.files, "file")), \(counted(errors, "error"))"
        return response.diagnostics.flatMap(\.lines) + [Line(verdict)]
      })
    if errors > 0 {
      throw Failure(
        .error, "\(counted(errors, "error")) in the hooks",
        hint: "atlas hook reload refuses until they are corrected")
    }
  }
}

/// `atlas hook runs`
struct HookRuns: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "What hooks did: outcome, time, calls; newest first.",
    discussion: """
        atlas hook runs --server LAA-PARIS-DC01 -o wide
        atlas hook runs --campaign november --oldest-first --limit 100000 -o jsonl
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Option(help: ArgumentHelp("Only of this campaign.", valueName: "name")) var campaign: String?
  @Option(help: ArgumentHelp("Only of this client.", valueName: "name")) var client: String?
  @Option(help: ArgumentHelp("Only of this server.", valueName: "name")) var server: String?
  @Option(help: ArgumentHelp("How many.", valueName: "number")) var limit = CommandLimits.records
  @Flag(help: "From the first that ran.") var oldestFirst = false

  mutating func validate() throws {
    if limit < 1 { throw ValidationError("--limit is at least 1") }
  }

  func run(in session: Session) async throws {
    let response = try await session.readPages(
      session.daemon.hooks.listHookRuns,
      AtlasV1.ListHookRunsRequest(
        campaign: campaign ?? "", client: client ?? "", server: server ?? "",
        descending: !oldestFirst), limit: limit)
    let times = try await session.times()
    try session.show(
      Presentation(
        response, items: response.hookRuns, name: { "\($0.id)" },
        columns: AtlasV1.HookRun.columns(times), empty: "no hook has run"))
    session.hintAtMore(response.nextPageToken)
  }
}

/// `atlas hook logs`
struct HookLogs: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "What hooks log, as they do, until you end it.",
    discussion: """
        atlas hook logs --client LAA
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Option(help: ArgumentHelp("Only of this campaign.", valueName: "name")) var campaign: String?
  @Option(help: ArgumentHelp("Only of this client.", valueName: "name")) var client: String?

  func run(in session: Session) async throws {
    let printer = StreamPrinter(session)
    let times = session.times(nil)
    let request = AtlasV1.WatchHookLogsRequest(campaign: campaign ?? "", client: client ?? "")
    try await session.follow { metadata, progress in
      try await session.daemon.hooks.watchHookLogs(request, metadata: metadata) { responses in
        for try await response in responses {
          progress.delivered()
          try printer.print(response, names: [response.server]) { _ in [response.line(times)] }
        }
      }
    }
  }
}

extension AtlasV1.HookRun {
  fileprivate var outcomeStyle: Style {
    switch outcome {
    case "ok": .good
    case "skip", "defer": .warn
    case "fail", "error": .bad
    case _: .plain
    }
  }

  static func columns(_ times: TimeText) -> [Column<Self>] {
    [
      Column("STARTED") { times.text($0.startedAt) },
      Column("SERVER") { $0.server },
      Column("POINT") { $0.point },
      Column("OUTCOME", span: { Span($0.outcome, $0.outcomeStyle) }),
      Column("TOOK", align: .right) { $0.took?.exactText ?? "" },
      Column("MESSAGE", gives: true) { run in
        run.errorKind.isEmpty ? run.message : "\(run.errorKind): \(run.message)"
      },
      Column("AT", wide: true) { $0.line > 0 ? "\($0.file):\($0.line)" : $0.file },
      Column("CPU", wide: true, align: .right) { $0.cpu?.exactText ?? "" },
      Column("MEMORY", wide: true, align: .right) { "\(grouped($0.peakMemoryBytes / 1024)) KiB" },
      Column("CALLS", wide: true) { run in
        run.calls.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
      },
      Column("CAMPAIGN", wide: true) { $0.campaign },
      Column("ATTEMPT", wide: true) { $0.attempt },
      Column("REVISION", wide: true) { String($0.revision.prefix(12)) },
    ]
  }
}

extension AtlasV1.WatchHookLogsResponse {
  fileprivate func line(_ times: TimeText) -> Line {
    let style: Style =
      switch level {
      case "error": .bad
      case "warn": .warn
      case "debug": .dim
      case _: .plain
      }
    let pairs = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    return Line(
      Span(times.absolute(campaignTime), .dim), Span("  "), Span(level.padding(5), style),
      Span("  "), Span("\(server.isEmpty ? client : server) \(point)", .bold),
      Span("  \(message)"), Span(pairs, .dim))
  }
}

extension GoogleProtobuf.Duration {
  /// `12ms`, `1.5s`, `2m5s`.
  var exactText: String {
    let milliseconds = Swift.Duration(self).milliseconds
    if milliseconds < 1000 { return "\(milliseconds)ms" }
    return milliseconds < 60_000 ? "\(oneDecimal(Double(milliseconds) / 1000))s" : shortText
  }
}

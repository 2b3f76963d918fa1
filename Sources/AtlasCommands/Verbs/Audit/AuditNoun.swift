import ArgumentParser
import AtlasWire

/// `atlas audit …`
struct AuditNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "The log of everything that happened, and whether it is intact.",
    discussion: """
        atlas audit list --client LAA
        atlas audit verify
      """,
    subcommands: [AuditList.self, AuditVerify.self])
}

/// `atlas audit list`
struct AuditList: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Records of the log, newest first.",
    discussion: """
        atlas audit list --limit 20
        atlas audit list --campaign november --oldest-first --limit 100000 -o jsonl > november.jsonl
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Option(help: ArgumentHelp("Only of this campaign.", valueName: "name")) var campaign: String?
  @Option(help: ArgumentHelp("Only of this client.", valueName: "name")) var client: String?
  @Option(help: ArgumentHelp("Only of this server.", valueName: "name")) var server: String?
  @Option(help: ArgumentHelp("How many records.", valueName: "number"))
  var limit = CommandLimits.records
  @Flag(help: "From the beginning of the log.") var oldestFirst = false

  mutating func validate() throws {
    if limit < 1 { throw ValidationError("--limit is at least 1") }
  }

  func run(in session: Session) async throws {
    let response = try await session.readPages(
      session.daemon.audit.listAuditRecords,
      AtlasV1.ListAuditRecordsRequest(
        campaign: campaign ?? "", client: client ?? "", server: server ?? "",
        descending: !oldestFirst), limit: limit)
    try session.show(
      try await session.presentation(of: response, empty: "the log has no such record"))
    if !response.nextPageToken.isEmpty, session.options.output.isText {
      session.console.hint("there are more; --limit N shows them")
    }
  }
}

/// `atlas audit verify`
struct AuditVerify: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recompute the chain of the log from what is on disk.",
    discussion: """
      Exits with 1 if a record does not fit.

        atlas audit verify --timeout 5m
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.audit.verifyAudit, AtlasV1.VerifyAuditRequest(),
      timeout: global.timeout?.duration ?? CommandLimits.planTimeout)
    try session.show(
      Presentation(.message(response), names: [response.intact ? "intact" : "broken"]) { _ in
        if !response.intact { return [] }
        let head = Line(Span("intact", .good), Span(": \(counted(response.records, "record"))"))
        if response.lastHash.isEmpty { return [head] }
        return [head, Line(Span("last hash \(response.lastHash.hex())", .dim))]
      })
    if !response.intact {
      throw Failure(
        .error, "the log is broken at record \(response.firstBadSeq): \(response.problem)",
        hint: "keep the data directory as it is; restore a backup beside it and compare")
    }
  }
}

extension Session {
  /// Records of the log as a table.
  ///
  /// - Throws: ``Failure``.
  func presentation(
    of response: AtlasV1.ListAuditRecordsResponse, empty: String
  ) async throws -> Presentation {
    let times = try await times()
    return Presentation(
      response, items: response.records, name: { "\($0.seq)" },
      columns: AtlasV1.Record.columns(times, console.glyphs), empty: empty)
  }
}

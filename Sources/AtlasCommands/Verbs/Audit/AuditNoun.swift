import ArgumentParser
import AtlasEvidenceFile
import AtlasWire

/// `atlas audit …`
struct AuditNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "The log of everything that happened, and whether it is intact.",
    discussion: """
        atlas audit list --client LAA
        atlas audit verify
        atlas audit verify november.evidence --key 5f2c…
      """,
    subcommands: [AuditList.self, AuditVerify.self, AuditKey.self])
}

/// `atlas audit list`
struct AuditList: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Records of the log, newest first.",
    discussion: """
        atlas audit list --limit 20
        atlas audit list --campaign november --oldest-first --limit 100000 -o jsonl
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
    session.hintAtMore(response.nextPageToken)
  }
}

/// `atlas audit verify`
struct AuditVerify: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recompute the chain of the log from what is on disk, or check an evidence file.",
    discussion: """
      Exits with 1 if a record does not fit, or anything in the file is not what its records say. \
      A file is checked without a daemon.

      Anybody can make a key, and sign a file that is consistent in itself. So it ends with 0 only \
      if the key is known: by --key, or by the context (atlas context set NAME --evidence-key …). \
      Without that it says whose fingerprint the key has, and ends with 5.

        atlas audit verify --timeout 5m
        atlas audit verify november.evidence --key 5f2c…
        atlas audit verify november.evidence --key /etc/atlas/daemon.key
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "Evidence, as atlas campaign report --evidence wrote it.") var file: String?
  @Option(
    help: ArgumentHelp(
      "What atlas audit key said, or a file with it: the evidence must be signed by that key.",
      valueName: "file or fingerprint"))
  var key: String?

  mutating func validate() throws {
    if key != nil, file == nil { throw ValidationError("--key is of an evidence file; name it") }
  }

  func run(with console: Console) async throws {
    if let file { return try verify(file, console) }
    let destination = try Destination(options: global, environment: console.environment)
    try await Session.open(
      to: destination, options: global, console: console, listVerb: Self.listVerb
    ) { session in try await run(in: session) }
  }

  private func verify(_ path: String, _ console: Console) throws {
    let known = try knownKey(console)
    var verifier = EvidenceVerifier(fingerprint: known?.fingerprint)
    try FileReading.pieces(of: path) { verifier.take($0) }
    guard let verdict = verifier.finish() else {
      let problems = verifier.problems
      let more = problems.count == EvidenceVerifier.most ? ["and perhaps more"] : []
      throw Failure(
        .error, "\(path) proves nothing: \(problems.first.map { "\($0)" } ?? "")",
        details: problems.dropFirst().map(\.description) + more,
        hint: "ask for the file again where it was written")
    }
    let times = TimeText(
      style: global.time == .local ? .local : .iso, now: 0, local: console.localTime)
    if let known {
      return try console.show(
        verdict.presentation(of: path, times, signer: known.words), as: global.output)
    }
    // Programs get nothing that they could take for verified.
    if global.output.isText {
      try console.show(
        verdict.presentation(of: path, times, signer: "a key that is not known here"),
        as: global.output)
    }
    throw Failure(
      .guarded,
      "\(path) is consistent in itself; signed by an unknown key \(verdict.fingerprint)",
      hint: "compare it with what atlas audit key said where the daemon is, and name it: --key")
  }

  /// The key that the file must be signed by, and where it is known from; nil when it is not.
  private func knownKey(
    _ console: Console
  ) throws(Failure) -> (fingerprint: String, words: String)? {
    if let key {
      return (try EvidenceFingerprint.read(key, option: "--key"), "the key that was named")
    }
    let destination = try Destination(options: global, environment: console.environment)
    return destination.evidenceKey.map { ($0, "the key of \(destination.source)") }
  }

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

/// `atlas audit key`
struct AuditKey: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "key",
    abstract: "The fingerprint of the key that the daemon signs evidence with.",
    discussion: """
      Write it down where nobody can change it: whoever has it can tell evidence of this daemon \
      from anybody else's.

        atlas audit key
        atlas audit key > daemon.key
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.audit.getEvidenceKey, AtlasV1.GetEvidenceKeyRequest())
    try session.show(
      Presentation(.message(response), names: [response.fingerprint]) { _ in
        [Line(response.fingerprint)]
      })
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

import AtlasEvidenceFile
import AtlasWire
import GRPCCore

/// `atlas campaign report NAME --evidence FILE`: checked while it is written, so that no file stays
/// that `atlas audit verify` would refuse.
struct EvidenceDownload {
  let campaign: String
  let path: String
  let confirmation: ConfirmationOptions

  /// - Throws: ``Failure``.
  func run(in session: Session) async throws {
    try demandFile()
    if FileReading.exists(path) {
      try session.console.confirm("\(path) is there already. Replace it?", confirmation)
    }
    let request = AtlasV1.GetEvidenceRequest(campaign: campaign)
    let path = path
    // Pieces already written cannot be taken back, so a break of the connection is an error.
    let result = try await session.attempt(within: .seconds(3600), patience: .zero) {
      metadata, options in
      try await session.daemon.campaigns.getEvidence(
        request, metadata: metadata, options: options
      ) { responses in
        try await Self.keep(responses, at: path)
      }
    }
    let (verdict, problems) = try result.get()
    guard let verdict else {
      throw Failure(
        .error, "the daemon's evidence does not agree with its records, and was not kept",
        details: problems.map(\.description), hint: "atlas audit verify")
    }
    try session.show(verdict.presentation(of: path, session.times(nil)))
  }

  /// Evidence is checked while it is written, and kept only when it is right: that takes a file.
  private func demandFile() throws(Failure) {
    let example = "name a file: --evidence \(campaign).evidence"
    if path == "-" {
      throw .usage("--evidence writes into a file, not to standard output", hint: example)
    }
    if FileReading.isDirectory(path) || path.hasSuffix("/") {
      let inside = "\(path)\(path.hasSuffix("/") ? "" : "/")\(campaign).evidence"
      throw .usage("\(path) is a directory", hint: "name a file in it: --evidence \(inside)")
    }
  }

  private typealias Kept = Result<(EvidenceVerdict?, [EvidenceProblem]), Failure>

  private static func keep(
    _ responses: some AsyncSequence<AtlasV1.GetEvidenceResponse, any Error>, at path: String
  ) async throws -> Kept {
    var file: FileWriter
    do throws(Failure) { file = try FileWriter(path) } catch { return .failure(error) }
    var verifier = EvidenceVerifier()
    do {
      for try await response in responses {
        try file.write(response.piece)
        verifier.take(response.piece)
      }
    } catch {
      file.abandon()
      if let failure = error as? Failure { return .failure(failure) }
      throw error
    }
    guard let verdict = verifier.finish() else {
      file.abandon()
      return .success((nil, verifier.problems))
    }
    do throws(Failure) { try file.finish() } catch { return .failure(error) }
    return .success((verdict, []))
  }
}

extension EvidenceVerdict {
  /// The number that matters, what it is about, and who signed it.
  /// - Parameter signer: What is known of the key; empty for nothing.
  func presentation(
    of path: String, _ times: TimeText, signer: String = ""
  ) -> Presentation {
    Presentation(.message(header), names: [path]) { [header, decisions, hookRuns, fingerprint] _ in
      var facts = Description()
      facts.add("Down at once", "\(counted(header.mostDown, "server")) of a client at most", .bold)
      if header.mostDown > 0 {
        facts.add(
          "First", "\(header.mostDownClient), \(times.absolute(header.mostDownAt))")
      }
      facts.add("By Atlas", "\(counted(header.mostDownByAtlas, "server")) at most")
      facts.add("Campaign", header.campaign)
      facts.add("From", times.absolute(header.startedAt))
      facts.add(
        header.endedAt == nil ? "Until now" : "Until its end", times.absolute(header.until))
      facts.add(
        "In it",
        "\(counted(header.clients, "client")), \(counted(header.servers, "server")), "
          + "\(counted(header.records, "record")), \(counted(hookRuns, "hook run")), "
          + counted(decisions, "decision"))
      facts.add("Signed by", signer.isEmpty ? fingerprint : "\(fingerprint), \(signer)")
      return facts.lines
    }
  }
}

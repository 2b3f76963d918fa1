import AtlasEvidence
import AtlasEvidenceFile
import AtlasModel
import AtlasStore
import AtlasWire
import FoundationEssentials
import Testing

@testable import AtlasCommands

@Suite("Evidence on the command line", .timeLimit(.minutes(10)))
struct EvidenceTests {
  private static let key = EvidenceKey()

  /// Records of its making and its start.
  private static var records: [LogRecord] {
    var records: [LogRecord] = []
    for kind in ["campaign.created", "campaign.started"] {
      var record = LogRecord(
        seq: UInt64(records.count + 1), campaignTime: Instant(milliseconds: 0),
        realTimeMilliseconds: 0, kind: kind, campaign: "november", principal: "anna",
        previousHash: records.last?.hash ?? LogRecord.genesisHash)
      // A fingerprint is the SHA-256 of bytes.
      let digits = EvidenceKey.fingerprint(of: record.canonicalBytes).compactMap(\.hexDigitValue)
      record.hash = stride(from: 0, to: digits.count, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
      }
      records.append(record)
    }
    return records
  }

  /// A file about a campaign that has done nothing yet.
  private static func file() throws -> [UInt8] {
    let records = records
    let evidence = Evidence(
      campaign: "november", author: "anna", changeReference: "", state: "ACTIVE",
      startedAt: Instant(milliseconds: 0), until: Instant(milliseconds: 3_600_000), endedAt: nil,
      clients: [], decisions: records, records: 2, lastSeq: 2, lastHash: records[1].hash,
      hookRevision: "", demoFactor: 1)
    var writer = EvidenceWriter()
    var bytes: [UInt8] = []
    var lines = EvidenceWriter.head(evidence, hookFiles: [], daemonVersion: "1", writtenAt: 0)
    lines += records.map { .decision(.init($0)) } + records.map { .record(.init($0)) }
    for line in lines { bytes += try writer.line(line) }
    return try bytes + writer.signature(key)
  }

  private static func summary(signer: String = "") -> String {
    """
    Down at once  0 servers of a client at most
    By Atlas      0 servers at most
    Campaign      november
    From          1970-01-01T00:00:00Z
    Until now     1970-01-01T01:00:00Z
    In it         0 clients, 0 servers, 2 records, 0 hook runs, 2 decisions
    Signed by     \(key.fingerprint)\(signer)

    """
  }

  private func inDirectory(_ body: @Sendable (String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory.path())
  }

  private func world(_ pieces: [[UInt8]]) -> World {
    var world = World.november(clients: 1, servers: 2)
    world.evidence = pieces
    return world
  }

  private static func names(_ directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory)
  }

  @Test("is written whole, checked, and summed up; what is there is kept unless one says yes")
  func report() async throws {
    let bytes = try Self.file()
    let half = bytes.count / 2
    try await inDirectory { directory in
      let file = "\(directory)/november.evidence"
      try await FakeAtlas.serving(world([Array(bytes[..<half]), Array(bytes[half...])])) {
        _, terminal in
        let words = ["campaign", "report", "november", "--evidence", file]
        expect(await terminal.run(words), prints: Self.summary())
        #expect((try? Data(contentsOf: URL(filePath: file))).map { Array($0) } == bytes)
        let again = await terminal.run(words)
        #expect(again.status == .usage)
        #expect(again.errors.contains("\(file) is there already. Replace it?"))
        expect(await terminal.run(words + ["--yes"]), ends: .ok)
        #expect((try? Self.names(directory)) == ["november.evidence"])
      }
    }
  }

  @Test("leaves no file when the daemon refuses, goes away, or does not tell what its records say")
  func nothing() async throws {
    let bytes = try Self.file()
    try await inDirectory { directory in
      let words = ["campaign", "report", "november", "--evidence", "\(directory)/e"]
      try await FakeAtlas.serving(world([Array(bytes.dropLast(100))])) { atlas, terminal in
        let cut = await terminal.run(words)
        #expect(cut.status == .error)
        #expect(
          cut.errors.hasPrefix(
            "error: the daemon's evidence does not agree with its records, and was not kept\n"
              + "  line 6: is cut off"))
        atlas.fail("GetEvidence", WireStatus(.failedPrecondition, "november has not started"))
        let refused = await terminal.run(words)
        #expect(refused.status == .notAllowed)
        #expect(refused.errors.contains("november has not started"))
      }
      #expect(try Self.names(directory) == [])
      try await FakeAtlas.serving(world([bytes])) { _, terminal in
        let nowhere = await terminal.run(words.dropLast() + ["\(directory)/no/e"])
        #expect(nowhere.status == .error)
        #expect(
          nowhere.errors
            == "error: cannot write \(directory)/no/e: there is no directory \(directory)/no\n")
      }
    }
  }

  @Test("goes into a file, and neither into a directory nor to standard output")
  func noFile() async throws {
    try await inDirectory { directory in
      try await FakeAtlas.serving { atlas, terminal in
        for (path, errors) in [
          (
            "-",
            """
            error: --evidence writes into a file, not to standard output
            hint: name a file: --evidence november.evidence

            """
          ),
          (
            directory,
            """
            error: \(directory) is a directory
            hint: name a file in it: --evidence \(directory)/november.evidence

            """
          ),
        ] {
          let outcome = await terminal.run(
            "campaign", "report", "november", "--evidence", path, "--yes")
          expect(outcome, is: Outcome(status: .usage, output: "", errors: errors))
        }
        #expect(atlas.calls.isEmpty)
      }
    }
  }

  @Test("leaves nothing of a file that is not finished, and nothing of one that cannot be")
  func unfinished() async throws {
    try await inDirectory { directory in
      func begin(_ name: String) throws(Failure) {
        let file = try FileWriter("\(directory)/\(name)")
        try file.write([1, 2, 3])
      }
      try begin("half")
      #expect(try Self.names(directory) == [])
      try FileManager.default.createDirectory(
        atPath: "\(directory)/taken", withIntermediateDirectories: true)
      #expect(throws: Failure(.error, "cannot write \(directory)/taken: Is a directory")) {
        let file = try FileWriter("\(directory)/taken")
        try file.finish()
      }
      #expect(try Self.names(directory) == ["taken"])
    }
  }

  @Test("is verified without a daemon where its key is known: by name, by file, or by the context")
  func verify() async throws {
    let bytes = try Self.file()
    let fingerprint = Self.key.fingerprint
    try await inDirectory { directory in
      let file = "\(directory)/e"
      try Data(bytes).write(to: URL(filePath: file))
      let named = Outcome(
        status: .ok, output: Self.summary(signer: ", the key that was named"), errors: "")
      let terminal = Terminal(environment: ["ATLAS_CONFIG": "\(directory)/config.yaml"])
      expect(await terminal.run("audit", "verify", file, "--key", fingerprint), is: named)
      let kept = "\(directory)/daemon.key"
      try Data("\(fingerprint)\n".utf8).write(to: URL(filePath: kept))
      expect(await terminal.run("audit", "verify", file, "--key", kept), is: named)
      _ = await terminal.run(
        "context", "set", "night", "--address", "h:2", "--evidence-key", kept)
      expect(
        await terminal.run("audit", "verify", file),
        is: Outcome(
          status: .ok, output: Self.summary(signer: ", the key of context night"), errors: ""))
      let json = await terminal.run("audit", "verify", file, "-o", "jsonl")
      #expect(json.status == .ok)
      #expect(json.output.contains("\"format\":\"atlas.evidence.1\""))
      _ = await terminal.run("context", "set", "night", "--evidence-key", "")
      expect(await terminal.run("audit", "verify", file), ends: .guarded)
    }
  }

  @Test("is not verified when nobody knows the key: anybody could have signed it")
  func unknownKey() async throws {
    let bytes = try Self.file()
    try await inDirectory { directory in
      let file = "\(directory)/e"
      try Data(bytes).write(to: URL(filePath: file))
      let terminal = Terminal()
      let errors = """
        error: \(file) is consistent in itself; signed by an unknown key \(Self.key.fingerprint)
        hint: compare it with what atlas audit key said where the daemon is, and name it: --key

        """
      expect(
        await terminal.run("audit", "verify", file),
        is: Outcome(
          status: .guarded, output: Self.summary(signer: ", a key that is not known here"),
          errors: errors))
      expect(
        await terminal.run("audit", "verify", file, "-o", "json"),
        is: Outcome(status: .guarded, output: "", errors: errors))
      let other = EvidenceKey().fingerprint
      let wrong = await terminal.run("audit", "verify", file, "--key", other)
      #expect(wrong.status == .error)
      #expect(
        wrong.errors.hasPrefix(
          "error: \(file) proves nothing: line 6: is signed by the key \(Self.key.fingerprint), "
            + "and not by \(other)\n"))
    }
  }

  @Test("refuses a file with a key that is none")
  func keyFile() async throws {
    try await inDirectory { directory in
      let kept = "\(directory)/daemon.key"
      try Data("not a key\n".utf8).write(to: URL(filePath: kept))
      for words in [
        ["audit", "verify", "e", "--key", kept],
        ["context", "set", "night", "--address", "h:2", "--evidence-key", kept],
      ] {
        let outcome = await Terminal(environment: ["ATLAS_CONFIG": "\(directory)/c"]).run(words)
        #expect(outcome.status == .usage)
        #expect(
          outcome.errors.contains(
            "is 64 digits and letters a to f, or a file with them, not what \(kept) holds"))
      }
    }
  }

  @Test("names what is wrong with a file, and what is no file")
  func refused() async throws {
    try await inDirectory { directory in
      let file = "\(directory)/e"
      let terminal = Terminal()
      expect(
        await terminal.run("audit", "verify", file),
        is: Outcome(
          status: .usage, output: "",
          errors: "error: cannot read \(file): there is no such file\n"))
      try Data("ServerName,ClientName\n".utf8).write(to: URL(filePath: file))
      let garbage = await terminal.run("audit", "verify", file)
      #expect(garbage.status == .error)
      #expect(
        garbage.errors.hasPrefix("error: \(file) proves nothing: line 1: this is no evidence file"))
      #expect(garbage.output == "")
    }
  }

  @Test(
    "refuses a key that is none, and a key without a file",
    arguments: [["e", "--key", "5F2C"], ["--key", String(repeating: "a", count: 64)]])
  func keys(words: [String]) async {
    let outcome = await Terminal().run(["audit", "verify"] + words)
    #expect(outcome.status == .usage)
    #expect(outcome.errors.contains("--key is"))
  }

  @Test("audit key says the fingerprint")
  func fingerprint() async throws {
    try await FakeAtlas.serving { _, terminal in
      expect(await terminal.run("audit", "key"), prints: "5f2c\n")
    }
  }
}

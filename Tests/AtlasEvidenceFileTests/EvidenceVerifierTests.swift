import AtlasEvidence
import AtlasModel
import AtlasWire
import Testing

@testable import AtlasEvidenceFile

private typealias Line = AtlasV1.EvidenceLine.Line

/// Something done to the lines of a file before it is signed, as somebody could who has the key.
private struct Forgery: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var problems: [String]
  var forge: @Sendable (inout [Line]) -> Void

  init(
    _ what: String, _ problems: String..., forge: @escaping @Sendable (inout [Line]) -> Void
  ) {
    testDescription = what
    self.problems = problems
    self.forge = forge
  }

  static let all = [
    Forgery(
      "a word of a record", "line 13: record 8 was changed: its content does not fit its hash"
    ) { $0.record(8) { $0.reason = "nothing happened" } },
    Forgery(
      "a record whose hash was worked out again",
      "line 13: record 8 was changed: its content does not fit its hash",
      "line 14: record 9 does not follow record 8 as it is here"
    ) {
      $0.record(8) {
        $0.reason = "nothing happened"
        $0.hash[0] ^= 1
      }
    },
    Forgery(
      "an interval that is shortened",
      "line 4: LAA-1: intervals[0].end is “1970-01-01T00:29:00Z”, and by the records "
        + "“1970-01-01T00:30:00Z”"
    ) { $0.server("LAA-1") { $0.intervals[0].end = .init(Sample.at(29)) } },
    Forgery(
      "an absence that is left out",
      "line 5: LAA-2: intervals[0].start is “1970-01-01T00:30:00Z”, and by the records "
        + "“1970-01-01T00:10:00Z”"
    ) { lines in
      lines.server("LAA-2") {
        $0.intervals[0].start = .init(Sample.at(30))
      }
    },
    Forgery(
      "a downtime that is too short",
      "line 4: LAA-1: downtime is “1s”, and by the records “1740s”"
    ) { $0.server("LAA-1") { $0.downtime = .init(seconds: 1) } },
    Forgery(
      "a backup that is younger than it was",
      "line 4: LAA-1: updates[0].basis.backup.age is “60s”, and by the records “3900s”"
    ) { $0.server("LAA-1") { $0.updates[0].basis?.backup?.age = .init(seconds: 60) } },
    Forgery(
      "a server that is left out",
      "line 1: the header: mostDown is 2, and by the records 1",
      "line 1: the header: mostDownAt is “1970-01-01T00:10:00Z”, and by the records "
        + "“1970-01-01T00:01:00Z”",
      "line 1: the header: servers is 2, and by the records 1",
      "line 3: LAA: all.count is 2, and by the records 1",
      "line 3: LAA: all.at is “1970-01-01T00:10:00Z”, and by the records “1970-01-01T00:01:00Z”",
      "line 3: LAA: all.servers[1] is “LAA-2”, and not in the records",
      "LAA-2 is left out, and by the records it was down"
    ) { $0.remove(at: 4) },
    Forgery(
      "the number that matters", "line 1: the header: mostDown is 1, and by the records 2"
    ) {
      guard case .header(var header) = $0[0] else { return }
      header.mostDown = 1
      $0[0] = .header(header)
    },
    Forgery(
      "a record that is left out",
      "line 12: record 8: run 1 of night was PENDING, and goes on from IN_PROGRESS: a record in "
        + "between is missing", "line 1: the header: records is “10”, and by the records “9”"
    ) { lines in
      lines.removeAll { if case .record(let record) = $0 { record.seq == 7 } else { false } }
    },
    Forgery(
      "two records that are swapped",
      "line 13: record 7 is out of order: it follows record 8"
    ) { $0.swapAt(11, 12) },
    Forgery("a decision that is left out", "the decision of record 13 is left out") {
      $0.remove(at: 8)
    },
    Forgery("a decision of another person", "the decision of record 5 is not what the records say")
    {
      guard case .decision(var decision) = $0[6] else { return }
      decision.who = "kim"
      $0[6] = .decision(decision)
    },
    Forgery(
      "an order of lines that is none",
      "line 6: is not where it belongs: a hook file comes after a hook run"
    ) { $0.insert($0.remove(at: 1), at: 5) },
    Forgery("another form", "line 1: the form “atlas.evidence.9” is not known here") {
      guard case .header(var header) = $0[0] else { return }
      header.format = "atlas.evidence.9"
      $0[0] = .header(header)
    },
    Forgery("no header", "line 1: this is no evidence file: it does not begin with a header") {
      $0.remove(at: 0)
    },
  ]
}

extension [AtlasV1.EvidenceLine.Line] {
  fileprivate mutating func record(
    _ seq: UInt64, _ change: (inout AtlasV1.EvidenceRecord) -> Void
  ) {
    for index in indices {
      guard case .record(var record) = self[index], record.seq == seq else { continue }
      change(&record)
      self[index] = .record(record)
    }
  }

  fileprivate mutating func server(
    _ name: String, _ change: (inout AtlasV1.EvidenceServer) -> Void
  ) {
    for index in indices {
      guard case .server(var server) = self[index], server.server == name else { continue }
      change(&server)
      self[index] = .server(server)
    }
  }
}

@Suite struct `An evidence file` {
  @Test func `is as it should be, in pieces of any length`() throws {
    let file = try Sample.file(Sample().lines)
    for piece in [1, 7, 4_096, file.count] {
      #expect(Sample.problems(file, piece: piece) == [])
    }
    var verifier = EvidenceVerifier(fingerprint: Sample.key.fingerprint)
    verifier.take(file)
    let finished = verifier.finish()
    let verdict = try #require(finished)
    #expect(verdict.header.mostDown == 2)
    #expect(verdict.header.mostDownByAtlas == 1)
    #expect(verdict.fingerprint == Sample.key.fingerprint)
    #expect(verdict.decisions == 3)
    #expect(verdict.hookRuns == 1)
  }

  @Test(arguments: Forgery.all)
  private func `is refused when its signer says otherwise than the records`(
    forgery: Forgery
  ) throws {
    var lines = Sample().lines
    forgery.forge(&lines)
    let problems = Sample.problems(try Sample.file(lines))
    for expected in forgery.problems {
      #expect(
        problems.contains { $0.hasPrefix(expected) || $0.contains(expected) }, "\(problems)")
    }
    #expect(!problems.contains { $0.contains("signature") })
  }

  @Test func `is refused when any single byte is another`() throws {
    let file = try Sample.file(Sample().lines)
    for place in stride(from: 0, to: file.count, by: 37) {
      var changed = file
      changed[place] ^= 1
      #expect(Sample.problems(changed) != [], "byte \(place)")
    }
  }

  @Test func `is refused when it was changed and not signed again, with the place`() throws {
    let lines = Sample().lines
    let text = String(decoding: try Sample.file(lines), as: UTF8.self)
    let changed = text.replacing("\"reason\":\"smoke\"", with: "\"reason\":\"joke\"")
    #expect(
      Sample.problems(Array(changed.utf8)) == [
        "line 18: record 13 was changed: its content does not fit its hash",
        "line 20: the signature is of other content: something before it was changed",
        "line 9: the decision of record 13 is not what the records say",
      ])
  }

  @Test func `is refused when another key has signed it`() throws {
    let lines = Sample().lines
    let other = EvidenceKey()
    let file = try Sample.file(lines, key: other)
    #expect(Sample.problems(file) == [])
    #expect(
      Sample.problems(file, key: Sample.key.fingerprint) == [
        "line 20: is signed by the key \(other.fingerprint), and not by \(Sample.key.fingerprint)"
      ])
  }

  @Test func `is refused when its signature is somebody else's`() throws {
    let file = String(decoding: try Sample.file(Sample().lines), as: UTF8.self)
    let other = String(decoding: try Sample.file(Sample().lines, key: EvidenceKey()), as: UTF8.self)
    func signature(_ file: String) throws -> AtlasV1.EvidenceSignature {
      let last = try #require(file.split(separator: "\n").last)
      guard case .signature(let signature) = try AtlasV1.EvidenceLine(jsonString: "\(last)").line
      else { throw EvidenceKeyError("no signature") }
      return signature
    }
    var forged = try signature(file)
    forged.signature = try signature(other).signature
    let head = file.split(separator: "\n").dropLast().joined(separator: "\n")
    let line = try AtlasV1.EvidenceLine(line: .signature(forged)).jsonString()
    #expect(
      Sample.problems(Array("\(head)\n\(line)\n".utf8)) == [
        "line 20: the signature is not by the key that it names"
      ])
    forged = try signature(file)
    forged.fingerprint = "ab"
    let named = try AtlasV1.EvidenceLine(line: .signature(forged)).jsonString()
    #expect(
      Sample.problems(Array("\(head)\n\(named)\n".utf8)) == [
        "line 20: names the fingerprint ab, and its key has \(Sample.key.fingerprint)"
      ])
  }

  @Test func `is refused when it is cut, or goes on after its end`() throws {
    let file = try Sample.file(Sample().lines)
    let withoutEnd = Array(file.dropLast())
    #expect(Sample.problems(withoutEnd).first == "line 20: is cut off: it has no end")
    let lines = String(decoding: file, as: UTF8.self).split(separator: "\n")
    let unsigned = lines.dropLast().joined(separator: "\n") + "\n"
    #expect(
      Sample.problems(Array(unsigned.utf8)) == [
        "the file is cut off: it ends with line 19, and has no signature"
      ])
    #expect(
      Sample.problems(file + Array("\(lines[1])\n".utf8)) == ["line 21: follows the signature"])
  }

  @Test(
    arguments: [
      ("", "the file is empty"),
      ("{}\n", "line 1: this is no evidence file: the line says nothing"),
      ("ServerName,ClientName\n", "line 1: this is no evidence file: "),
      ("{\"header\":{}}\n", "line 1: the form “” is not known here"),
      ("{\"header\":{\"format\":\"atlas.evidence.1\"", "line 1: is cut off: it has no end"),
    ])
  func `is not what it is taken for`(text: String, problem: String) {
    let problems = Sample.problems(Array(text.utf8))
    #expect(problems.first?.hasPrefix(problem) == true, "\(problems)")
    #expect(problems.count == 1)
  }

  @Test func `of ten million bytes of something else is refused at once`() {
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 10_000_000)
    #expect(
      Sample.problems(long, piece: 65_536) == [
        "line 1: is longer than 1048576 bytes: this is no evidence file"
      ])
    // Lines of every byte there is, many of them.
    let line = (0...255).map { UInt8($0) }
    let short = [UInt8](repeatElement(line, count: 40_000).joined())
    #expect(Sample.problems(short, piece: 65_536).count == 1)
  }

  @Test func `names only the first of many problems`() throws {
    var lines = Sample().lines
    for seq in UInt64(5)...14 { lines.record(seq) { $0.hash = [1] } }
    for _ in 0..<30 { lines.insert(.hookFile(.init(path: "x")), at: lines.count) }
    #expect(Sample.problems(try Sample.file(lines)).count == EvidenceVerifier.most)
  }
}

@Suite struct `The key of a daemon` {
  @Test func `says the same fingerprint whenever it is read`() throws {
    let key = EvidenceKey()
    #expect(try EvidenceKey(bytes: key.bytes).fingerprint == key.fingerprint)
    #expect(key.fingerprint.count == 64)
    #expect(throws: (any Error).self) { try EvidenceKey(bytes: [1, 2, 3]) }
  }
}

import AtlasEvidence
import AtlasModel
import AtlasStore
import AtlasWire
import Crypto

/// Something in an evidence file that is not as it must be.
package struct EvidenceProblem: Hashable, Sendable, CustomStringConvertible {
  /// From 1; 0 when it concerns the whole file.
  package var line: Int
  package var message: String

  package init(_ line: Int, _ message: String) {
    self.line = line
    self.message = message
  }

  package var description: String { line == 0 ? message : "line \(line): \(message)" }
}

/// What a file says that is as it must be.
package struct EvidenceVerdict: Sendable {
  package var header: AtlasV1.EvidenceHeader
  /// SHA-256 of the key that signed it, in hexadecimal.
  package var fingerprint: String
  package var decisions: Int
  package var hookRuns: Int
}

/// Checks an evidence file as it is read, piece by piece, with nothing but the file: no daemon, no
/// clock. It believes no sum and no interval, but works them out from the records.
package struct EvidenceVerifier: Sendable {
  /// In the order in which they were found; at most ``most``.
  package private(set) var problems: [EvidenceProblem] = []
  /// More of them say nothing new.
  package static let most = 20

  private let fingerprint: String?
  private var line: [UInt8] = []
  private var number = 0
  private var hash = SHA256()
  private var isGivenUp = false
  private var rank = 0
  private var signature: AtlasV1.EvidenceSignature?
  private var claims = EvidenceClaims()

  /// - Parameter fingerprint: Of the key that must have signed it; nil for any.
  package init(fingerprint: String? = nil) { self.fingerprint = fingerprint }

  /// Takes the next bytes of the file.
  package mutating func take(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !isGivenUp, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      line.append(contentsOf: rest[..<end])
      rest = rest[(end + 1)...]
      endLine()
    }
    guard !isGivenUp else { return }
    line.append(contentsOf: rest)
    if line.count > EvidenceFormat.longestLine { giveUp(tooLong) }
  }

  /// To be called once, after the last bytes.
  /// - Returns: nil when there are ``problems``.
  package mutating func finish() -> EvidenceVerdict? {
    if !isGivenUp { endFile() }
    guard problems.isEmpty, let header = claims.header, let signature else { return nil }
    return EvidenceVerdict(
      header: header, fingerprint: EvidenceKey.fingerprint(of: signature.publicKey),
      decisions: claims.decisions.count, hookRuns: claims.hookRuns)
  }

  private mutating func endFile() {
    if number == 0, line.isEmpty { return report(0, "the file is empty") }
    if !line.isEmpty {
      report(number + 1, "is cut off: it has no end")
    } else if signature == nil {
      report(0, "the file is cut off: it ends with line \(number), and has no signature")
    }
    for problem in claims.problems() { report(problem.line, problem.message) }
  }

  // MARK: Lines

  private var tooLong: String {
    number == 0
      ? "is longer than \(EvidenceFormat.longestLine) bytes: this is no evidence file"
      : "is longer than \(EvidenceFormat.longestLine) bytes"
  }

  private mutating func endLine() {
    number += 1
    defer { line.removeAll(keepingCapacity: true) }
    guard line.count <= EvidenceFormat.longestLine else {
      number -= 1
      return giveUp(tooLong)
    }
    let wire: AtlasV1.EvidenceLine
    do throws(WireError) {
      wire = try AtlasV1.EvidenceLine(jsonBytes: line)
    } catch {
      if number == 1 { return giveUp("this is no evidence file: \(error)", at: 1) }
      report(number, "cannot be read: \(error)")
      return count()
    }
    guard let content = wire.line else {
      if number == 1 { return giveUp("this is no evidence file: the line says nothing", at: 1) }
      report(number, "says nothing")
      return count()
    }
    take(content)
    count()
  }

  /// The line is part of what is signed.
  private mutating func count() {
    hash.update(data: line)
    hash.update(data: [UInt8(ascii: "\n")])
  }

  private mutating func take(_ content: AtlasV1.EvidenceLine.Line) {
    guard signature == nil else { return report(number, "follows the signature") }
    guard claims.header != nil || content.rank == 0 else {
      return giveUp("this is no evidence file: it does not begin with a header", at: number)
    }
    if content.rank < rank || content.rank == 0 && number > 1 {
      report(number, "is not where it belongs: \(content.word) comes after \(Self.words[rank])")
    }
    rank = max(rank, content.rank)
    if case .signature(let signature) = content { return check(signature) }
    for problem in claims.take(content, at: number) { report(number, problem) }
    if number == 1, claims.header?.format != EvidenceFormat.name {
      giveUp("the form “\(claims.header?.format ?? "")” is not known here", at: 1)
    }
  }

  private mutating func check(_ wire: AtlasV1.EvidenceSignature) {
    signature = wire
    let sum = hexadecimal(hash.finalize())
    let found = EvidenceKey.fingerprint(of: wire.publicKey)
    if wire.algorithm != EvidenceKey.algorithm {
      report(number, "is signed with “\(wire.algorithm)”; it must be \(EvidenceKey.algorithm)")
    }
    if wire.sha256 != sum {
      report(number, "the signature is of other content: something before it was changed")
    } else if !EvidenceKey.isValid(wire.signature, by: wire.publicKey, over: sum) {
      report(number, "the signature is not by the key that it names")
    }
    if wire.fingerprint != found {
      report(number, "names the fingerprint \(wire.fingerprint), and its key has \(found)")
    }
    if let fingerprint, fingerprint != found {
      report(number, "is signed by the key \(found), and not by \(fingerprint)")
    }
  }

  // MARK: Problems

  private mutating func report(_ line: Int, _ message: String) {
    if problems.count < Self.most { problems.append(EvidenceProblem(line, message)) }
  }

  /// What follows cannot be made sense of.
  private mutating func giveUp(_ message: String, at line: Int? = nil) {
    report(line ?? number + 1, message)
    isGivenUp = true
    self.line = []
  }

  fileprivate static let words = [
    "the header", "a hook file", "a client", "a hook run", "a decision", "a record",
    "the signature",
  ]
}

extension AtlasV1.EvidenceLine.Line {
  /// Its place in the file; lines of servers follow that of their client.
  fileprivate var rank: Int {
    switch self {
    case .header: 0
    case .hookFile: 1
    case .client, .server: 2
    case .hookRun: 3
    case .decision: 4
    case .record: 5
    case .signature: 6
    }
  }

  fileprivate var word: String { EvidenceVerifier.words[rank] }
}

import AtlasEvidence
import AtlasStore
import AtlasWire
import Crypto

/// Writes an evidence file, line by line; nothing of it is kept.
package struct EvidenceWriter: Sendable {
  private var hash = SHA256()

  package init() {}

  /// - Returns: The bytes of the line, with its end.
  /// - Throws: ``WireError`` for what JSON has no form for.
  package mutating func line(_ line: AtlasV1.EvidenceLine.Line) throws(WireError) -> [UInt8] {
    var bytes = try AtlasV1.EvidenceLine(line: line).jsonBytes()
    bytes.append(UInt8(ascii: "\n"))
    hash.update(data: bytes)
    return bytes
  }

  /// The last line, which signs all before.
  package mutating func signature(_ key: EvidenceKey) throws -> [UInt8] {
    let sum = hexadecimal(hash.finalize())
    return try line(
      .signature(
        AtlasV1.EvidenceSignature(
          algorithm: EvidenceKey.algorithm, publicKey: key.publicKey,
          fingerprint: key.fingerprint, sha256: sum, signature: try key.signature(over: sum))))
  }

  /// What is said before hook runs, decisions and records: header, hook files, clients, servers.
  /// - Parameters:
  ///   - hookFiles: Of the pinned revision, by path.
  ///   - writtenAt: By the machine's clock, in milliseconds since 1970.
  package static func head(
    _ evidence: Evidence, hookFiles: [AtlasV1.EvidenceHookFile], daemonVersion: String,
    writtenAt: Int64
  ) -> [AtlasV1.EvidenceLine.Line] {
    var header = AtlasV1.EvidenceHeader(evidence)
    header.daemonVersion = daemonVersion
    header.writtenAt = .init(millisecondsSinceEpoch: writtenAt)
    var lines: [AtlasV1.EvidenceLine.Line] = [.header(header)]
    lines += hookFiles.map { .hookFile($0) }
    for client in evidence.clients {
      lines.append(.client(.init(client)))
      lines += client.servers.map { .server(.init($0, until: evidence.until)) }
    }
    return lines
  }
}

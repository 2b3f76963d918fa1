import AtlasEvidenceFile
import AtlasHooks
import AtlasModel
import AtlasStore
import AtlasWire
import GRPCCore

/// What evidence needs that neither the control machine nor the store has.
package protocol EvidenceSource: Sendable {
  /// The daemon's key; made and kept when it is first asked for.
  func key() throws(EvidenceKeyError) -> EvidenceKey
  /// Files of a revision of the hooks, by path; none when it is not kept any more.
  func hookFiles(of revision: HookRevisionID) -> [HookListing.File]
}

/// An evidence file on its way to a caller, in pieces.
struct EvidencePieces {
  private let responses: RPCWriter<AtlasV1.GetEvidenceResponse>
  private var writer = EvidenceWriter()
  private var bytes: [UInt8] = []
  /// Well below what a message may have.
  private static let piece = 64 * 1024

  init(_ responses: RPCWriter<AtlasV1.GetEvidenceResponse>) { self.responses = responses }

  mutating func write(_ line: AtlasV1.EvidenceLine.Line) async throws {
    bytes += try writer.line(line)
    while bytes.count >= Self.piece {
      try await responses.write(.init(piece: Array(bytes.prefix(Self.piece))))
      bytes.removeFirst(Self.piece)
    }
  }

  /// The last line, and what was not sent yet.
  mutating func sign(_ key: EvidenceKey) async throws {
    bytes += try writer.signature(key)
    try await responses.write(.init(piece: bytes))
  }
}

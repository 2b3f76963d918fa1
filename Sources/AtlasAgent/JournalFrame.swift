import AtlasModel

/// One entry of the journal of one agent. A journal file may hold those of many.
package struct JournalRecord: Hashable, Sendable {
  package var agent: ServerName
  package var entry: JournalEntry

  package init(agent: ServerName, entry: JournalEntry) {
    self.agent = agent
    self.entry = entry
  }
}

/// The form of a journal on disk: frames, one for each write and fsync.
///
/// ```
/// 4 bytes  "AJ", then 0x01 (the version), then 0x0A
/// 4 bytes  length of the payload, little-endian
/// 4 bytes  CRC-32 (IEEE) of the payload, little-endian
/// payload  records: the agent's name, then the entry
/// ```
/// A frame is written only after the one before it is on disk, so a crash or a power cut can damage
/// none but the last. A damaged frame with an intact one behind it is therefore not a torn write,
/// but a damaged disk, and refused.
package enum JournalFrame {
  static let magic: [UInt8] = [0x41, 0x4A, 0x01, 0x0A]
  static let headerSize = 12

  /// `records` as one frame. At most ``AgentLimits/frame`` bytes; the caller splits.
  package static func encode(_ records: [JournalRecord]) -> [UInt8] {
    var writer = ByteWriter()
    for record in records {
      writer.write(record.agent.text)
      writer.write(record.entry)
    }
    let payload = writer.bytes
    return magic + littleEndian(UInt32(payload.count)) + littleEndian(CRC32.checksum(payload[...]))
      + payload
  }

  /// Reads a whole journal.
  /// - Returns: Its records, and how many bytes of `bytes` are good: what follows is a torn last
  ///   write, to be cut off before anything is appended.
  /// - Throws: ``JournalError`` for damage anywhere else, and for another version.
  package static func decode(
    _ bytes: [UInt8]
  ) throws(JournalError) -> (records: [JournalRecord], intact: Int) {
    var records: [JournalRecord] = []
    var offset = 0
    while offset < bytes.count {
      guard let payload = try payload(in: bytes, at: offset) else {
        if let next = intactFrame(in: bytes, after: offset) {
          throw .damaged(offset: offset, nextIntact: next)
        }
        break
      }
      try append(payload, to: &records, offset: offset)
      offset = payload.endIndex
    }
    return (records, offset)
  }

  private static func append(
    _ payload: ArraySlice<UInt8>, to records: inout [JournalRecord], offset: Int
  ) throws(JournalError) {
    var reader = ByteReader(payload)
    while !reader.isAtEnd {
      do {
        let agent = ServerName(trusted: try reader.text())
        records.append(JournalRecord(agent: agent, entry: try reader.entry()))
      } catch {
        throw .notAnEntry(offset: offset)
      }
    }
  }

  /// The payload of the frame at `offset`; nil when it is incomplete or damaged.
  private static func payload(
    in bytes: [UInt8], at offset: Int
  ) throws(JournalError) -> ArraySlice<UInt8>? {
    guard bytes.count - offset >= headerSize else { return nil }
    let header = bytes[offset..<offset + headerSize]
    guard header.prefix(2).elementsEqual(magic.prefix(2)), header[offset + 3] == magic[3] else {
      return nil
    }
    let length = Int(number(in: bytes, at: offset + 4))
    let start = offset + headerSize
    guard length <= AgentLimits.frame, bytes.count - start >= length else { return nil }
    let payload = bytes[start..<start + length]
    guard number(in: bytes, at: offset + 8) == CRC32.checksum(payload) else { return nil }
    guard header[offset + 2] == magic[2] else { throw .version(header[offset + 2]) }
    return payload
  }

  private static func intactFrame(in bytes: [UInt8], after offset: Int) -> Int? {
    var candidate = offset + 1
    while candidate + headerSize <= bytes.count {
      if bytes[candidate] == magic[0], (try? payload(in: bytes, at: candidate)) != nil {
        return candidate
      }
      candidate += 1
    }
    return nil
  }

  private static func littleEndian(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  private static func number(in bytes: [UInt8], at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << ($1 * 8) }
  }
}

/// Why a journal cannot be used. A person has to look: an agent that went on without its journal
/// could carry out a fence twice.
package enum JournalError: Error, Equatable, CustomStringConvertible {
  /// The frame at `offset` is damaged, and the one at `nextIntact` is not.
  case damaged(offset: Int, nextIntact: Int)
  /// The frame's checksum is right, but its content is not a list of entries.
  case notAnEntry(offset: Int)
  case version(UInt8)

  package var description: String {
    switch self {
    case .damaged(let offset, let next):
      "the journal is damaged at byte \(offset) and goes on at byte \(next): "
        + "this is not an interrupted write, check the disk"
    case .notAnEntry(let offset):
      "the journal's frame at byte \(offset) holds something that is not an entry"
    case .version(let version):
      "the journal has version \(version); this program reads version \(JournalFrame.magic[2])"
    }
  }
}

/// CRC-32 as in IEEE 802.3 and zlib: polynomial 0xEDB88320, reflected.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1
    }
  }

  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let table = table
    return ~bytes.reduce(0xFFFF_FFFF as UInt32) { checksum, byte in
      (checksum >> 8) ^ table[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)]
    }
  }
}

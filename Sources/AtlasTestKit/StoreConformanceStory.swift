import AtlasModel
import AtlasStore

/// Writes batches that continue each other, as the control machine would.
package struct StoreStory: Sendable {
  /// Counters as they are after the last batch.
  package private(set) var meta: StoreMeta
  /// Every record so far.
  package private(set) var records: [LogRecord] = []

  package init(demoFactor: Int = 1) {
    meta = StoreMeta(campaignTime: Instant(milliseconds: 0), demoFactor: demoFactor)
  }

  /// A batch of `count` records that continue the log; `edit` gives them their content.
  package mutating func batch(
    _ count: Int = 1, _ edit: (inout LogRecord) -> Void = { _ in }
  ) -> Batch {
    var added: [LogRecord] = []
    for _ in 0..<count {
      var record = LogRecord(
        seq: meta.lastSeq + 1,
        campaignTime: meta.campaignTime + .milliseconds(250),
        realTimeMilliseconds: 1_700_000_000_000 + Int64(meta.lastSeq),
        kind: "run.phase", previousHash: meta.lastHash)
      edit(&record)
      record.hash = ToyHash.digest(record.canonicalBytes)
      meta.lastSeq = record.seq
      meta.lastHash = record.hash
      meta.campaignTime = record.campaignTime
      added.append(record)
    }
    records += added
    return Batch(records: added, meta: meta)
  }

  /// Draws the next fence.
  package mutating func drawFence() -> UInt64 {
    meta.fence += 1
    return meta.fence
  }
}

/// A hash of 32 bytes for tests: quick, also without optimisation, and no protection at all.
package enum ToyHash {
  package static func digest(_ bytes: [UInt8]) -> [UInt8] {
    var generator = SeededGenerator(seed: fold(bytes))
    var digest: [UInt8] = []
    for _ in 0..<4 {
      withUnsafeBytes(of: generator.next().bigEndian) { digest.append(contentsOf: $0) }
    }
    return digest
  }

  /// FNV-1a over words of eight bytes, and over the bytes that are left.
  private static func fold(_ bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { bytes in
      var value: UInt64 = 0xcbf2_9ce4_8422_2325
      let end = bytes.count & ~7
      for offset in stride(from: 0, to: end, by: 8) {
        let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        value = (value ^ word) &* 0x0000_0100_0000_01b3
        value ^= value >> 29
      }
      for byte in bytes[end...] { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
      return value
    }
  }
}

/// A generator whose sequence a seed decides (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension StoreStory {
  /// A record that uses every column, with values at their bounds.
  static func fill(_ record: inout LogRecord) {
    record.campaignTime = Instant(milliseconds: .min)
    record.realTimeMilliseconds = .max
    record.kind = "run.finished"
    record.campaign = "patch-2025-11"
    record.client = "LAA"
    record.server = "LAA-PARIS-DC01"
    record.ring = 3
    record.run = 1
    record.fromState = "IN_PROGRESS"
    record.toState = "COMPLETED"
    record.phase = "FINALIZE"
    record.attempt = 2
    record.pass = 0
    record.fence = UInt64(Int64.max)
    record.detail = "healthy"
    record.reason = "déjà vu \u{0} „fin“ 🧭\n"
    record.principal = "ops@example.net"
  }
}

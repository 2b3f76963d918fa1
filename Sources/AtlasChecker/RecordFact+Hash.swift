/// The bytes of a record that its hash is taken over (the text `atlas.log.1`, the hash before it, and every
/// column) and the hash of the simulation, both written a second time.
extension RecordFact {
  /// The hash that the record must have; nil when nobody has said its real time.
  package var hashOfContent: [UInt8]? {
    guard let realTime else { return nil }
    var bytes = Array("atlas.log.1".utf8) + previousHash
    func put(_ number: Int64) {
      for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (56 - 8 * byte))) }
    }
    func put(_ numbers: [Int64?]) {
      for number in numbers {
        bytes.append(number == nil ? 0 : 1)
        if let number { put(number) }
      }
    }
    func put(_ texts: [String]) {
      for text in texts {
        put(Int64(text.utf8.count))
        bytes += Array(text.utf8)
      }
    }
    for number in [Int64(bitPattern: seq), at, realTime] { put(number) }
    put([kind, campaign, client, server])
    put([ring.map(Int64.init), run.map(Int64.init)])
    put([from, to, phase])
    put([attempt.map(Int64.init), pass.map(Int64.init), fence.map { Int64(bitPattern: $0) }])
    put([detail, reason, principal])
    return Self.hash(of: bytes)
  }

  /// Two sums over the bytes, and two mixtures of them: 32 bytes.
  private static func hash(of bytes: [UInt8]) -> [UInt8] {
    var (low, high): (UInt64, UInt64) = (14_695_981_039_346_656_037, 11_400_714_819_323_198_485)
    for byte in bytes.map(UInt64.init) {
      low = (low ^ byte) &* 1_099_511_628_211
      high = (high &+ byte) &* 18_397_679_294_719_823_053
      high ^= high >> 32
    }
    return [low, high, low ^ high << 1, high &+ low].flatMap { part in
      (0..<8).map { UInt8(truncatingIfNeeded: part >> UInt64(56 - 8 * $0)) }
    }
  }
}

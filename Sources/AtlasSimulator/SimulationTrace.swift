import AtlasModel

/// What happened, as a number that is the same only when the same happened, and in words when
/// somebody wants to read it.
struct SimulationTrace {
  private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  private(set) var lines: [String] = []
  let isTelling: Bool
  /// Times of the story are counted from here.
  private let start: Instant

  init(start: Instant, isTelling: Bool) {
    self.start = start
    self.isTelling = isTelling
  }

  mutating func mix(_ number: UInt64) {
    hash = (hash ^ number) &* 0x0000_0100_0000_01b3
    hash ^= hash >> 29
  }

  mutating func mix(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }

  mutating func mix(_ bytes: [UInt8]) {
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  }

  /// A line of the story; made only when somebody reads it.
  mutating func tell(_ now: Instant, _ line: @autoclosure () -> String) {
    guard isTelling else { return }
    let milliseconds = (now - start).milliseconds
    let seconds = milliseconds / 1_000
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let time = "\(two(seconds / 3_600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    lines.append("\(time) \(line())")
  }
}

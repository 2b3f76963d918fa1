import AtlasModel

/// How long something has taken, by how often: enough to say which share of all times is below
/// which, at the same small cost however many there were.
///
/// Up to 31 s every second has a bucket; above, every doubling has ``perDoubling``. What is read
/// off is the longest time of a bucket, so that it is never below the true value, and above it by a
/// sixteenth and a second at most.
package struct DurationHistogram: Hashable, Sendable {
  /// By bucket; empty until the first sample.
  package private(set) var counts: [UInt16] = []
  /// The sum of ``counts``: halved together with them at ``Limits/estimateMemory``, so that what is
  /// new weighs more than what is old.
  package private(set) var samples = 0
  /// The bucket of the 95th percentile, and the samples up to its end. It moves on with each
  /// sample, which is cheaper than to look for it.
  private var place = 0
  private var upToPlace = 0

  static let perDoubling = 16
  /// Every second up to here has a bucket.
  private static let exact = 32
  /// 72 hours; what takes longer counts as that.
  private static let longest = (1 << 18) - 1
  static let buckets = bucket(of: longest) + 1

  package init() {}

  /// Puts together what was stored: bucket and count of those that are not empty.
  /// - Returns: nil for a bucket that does not exist, a count of none, or more than there can be.
  package init?(stored: [(bucket: Int, count: Int)]) {
    for (bucket, count) in stored {
      guard (0..<Self.buckets).contains(bucket), (1..<Limits.estimateMemory).contains(count) else {
        return nil
      }
      if counts.isEmpty { counts = Array(repeating: 0, count: Self.buckets) }
      counts[bucket] = UInt16(count)
      samples += count
    }
    guard samples < Limits.estimateMemory else { return nil }
    findPlace()
  }

  /// What is to be stored.
  package var stored: [(bucket: Int, count: Int)] {
    counts.indices.filter { counts[$0] > 0 }.map { ($0, Int(counts[$0])) }
  }

  /// Takes one more time; rounded up to whole seconds.
  mutating func add(_ duration: Duration) {
    if counts.isEmpty { counts = Array(repeating: 0, count: Self.buckets) }
    let bucket = Self.bucket(of: Int((max(.zero, duration).milliseconds + 999) / 1_000))
    counts[bucket] += 1
    samples += 1
    if bucket <= place { upToPlace += 1 }
    if samples >= Limits.estimateMemory { return halve() }
    movePlace()
  }

  /// At least 95 of 100 times were at most this long; zero before the first.
  package var p95: Duration { samples == 0 ? .zero : .seconds(Self.last(of: place)) }

  /// At least half of the times were at most this long; zero before the first.
  package var p50: Duration {
    var rest = (samples + 1) / 2
    guard
      let bucket = counts.indices.first(where: { bucket in
        rest -= Int(counts[bucket])
        return rest <= 0
      })
    else { return .zero }
    return .seconds(Self.last(of: bucket))
  }

  /// Halves all counts from the longest down, and keeps what is left over for the next: the share
  /// above each time stays what it was, to within one sample.
  private mutating func halve() {
    var carried = 0
    samples = 0
    for bucket in counts.indices.reversed() {
      carried += Int(counts[bucket])
      counts[bucket] = UInt16(carried / 2)
      samples += carried / 2
      carried %= 2
    }
    findPlace()
  }

  private mutating func findPlace() {
    place = 0
    upToPlace = counts.first.map { Int($0) } ?? 0
    movePlace()
  }

  private mutating func movePlace() {
    let rank = (samples * 95 + 99) / 100
    while upToPlace < rank {
      place += 1
      upToPlace += Int(counts[place])
    }
    while place > 0, upToPlace - Int(counts[place]) >= rank {
      upToPlace -= Int(counts[place])
      place -= 1
    }
  }

  private static func bucket(of seconds: Int) -> Int {
    guard seconds >= exact else { return seconds }
    let clamped = min(seconds, longest)
    let doubling = Int.bitWidth - 1 - clamped.leadingZeroBitCount
    return exact + (doubling - 5) * perDoubling + (clamped >> (doubling - 4)) % perDoubling
  }

  /// The longest time of a bucket, in seconds.
  private static func last(of bucket: Int) -> Int {
    guard bucket >= exact else { return bucket }
    let doubling = (bucket - exact) / perDoubling + 5
    let step = (bucket - exact) % perDoubling
    return (perDoubling + step + 1) << (doubling - 4) - 1
  }
}

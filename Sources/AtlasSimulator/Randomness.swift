/// Numbers that look random and are the same for the same seed everywhere (SplitMix64, by
/// Sebastiano Vigna, in the public domain).
package struct Randomness: RandomNumberGenerator, Sendable {
  private var state: UInt64
  /// Nothing is drawn: every length is the middle of its range, and what happens at least every
  /// second time happens.
  private var isEven = false

  package init(seed: UInt64) { state = seed }

  /// What a written plan is played with: nothing goes otherwise than it usually goes.
  package static var even: Randomness {
    var even = Randomness(seed: 0)
    even.isEven = true
    return even
  }

  /// A source of its own for a part of the simulation: what one part draws changes nothing for the
  /// others.
  package init(seed: UInt64, for part: StaticString) {
    var mixed = seed &* 0x9e37_79b9_7f4a_7c15
    part.withUTF8Buffer {
      for byte in $0 { mixed = (mixed ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    }
    state = mixed
    _ = next()
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  package mutating func number(_ range: ClosedRange<Int>) -> Int {
    let span = range.upperBound - range.lowerBound
    return range.lowerBound + (isEven ? span / 2 : Int(next() % UInt64(span + 1)))
  }

  /// Whether something happens that happens `times` times of a thousand.
  package mutating func happens(_ times: Int) -> Bool { number(0...999) < times }

  package mutating func pick<Value>(_ values: [Value]) -> Value {
    values[number(0...values.count - 1)]
  }

  /// Whole milliseconds.
  package mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration {
    .milliseconds(number(range))
  }

  package mutating func seconds(_ range: ClosedRange<Int>) -> Duration {
    .milliseconds(number(range.lowerBound * 1_000...range.upperBound * 1_000))
  }

  package mutating func minutes(_ range: ClosedRange<Int>) -> Duration {
    seconds(range.lowerBound * 60...range.upperBound * 60)
  }
}

import Testing

@testable import AtlasWire

@Suite("Timestamps and durations")
struct ConvenienceTests {
  @Test(
    "of milliseconds go there and back",
    arguments: [
      (0, 0, 0), (1, 0, 1_000_000), (1500, 1, 500_000_000), (-1, -1, 999_000_000),
      (-1000, -1, 0), (-1500, -2, 500_000_000), (.max, 9_223_372_036_854_775, 807_000_000),
      (.min, -9_223_372_036_854_776, 192_000_000),
    ] as [(Int64, Int64, Int32)])
  func milliseconds(_ milliseconds: Int64, _ seconds: Int64, _ nanos: Int32) {
    let timestamp = GoogleProtobuf.Timestamp(millisecondsSinceEpoch: milliseconds)
    #expect(timestamp == GoogleProtobuf.Timestamp(seconds: seconds, nanos: nanos))
    #expect(timestamp.millisecondsSinceEpoch == milliseconds)
  }

  @Test(
    "round to the past and never overflow",
    arguments: [
      (0, 1_999_999, 1), (-1, 1, -1000), (.max, 0, .max), (.min, 0, .min),
      (.max, .max, .max), (.min, .min, .min), (9_223_372_036_854_775, 999_999_999, .max),
    ] as [(Int64, Int32, Int64)])
  func clamping(_ seconds: Int64, _ nanos: Int32, _ milliseconds: Int64) {
    let timestamp = GoogleProtobuf.Timestamp(seconds: seconds, nanos: nanos)
    #expect(timestamp.millisecondsSinceEpoch == milliseconds)
  }

  @Test(
    "of Swift durations go there and back",
    arguments: [
      .zero, .seconds(1), .milliseconds(-1500), .nanoseconds(1), .seconds(315_576_000_000),
    ] as [Swift.Duration])
  func durations(_ duration: Swift.Duration) {
    #expect(Swift.Duration(GoogleProtobuf.Duration(duration)) == duration)
  }

  @Test("take any duration that a peer may send")
  func hostileDurations() {
    let extremes: [Int64] = [.min, .max]
    for seconds in extremes {
      let duration = GoogleProtobuf.Duration(seconds: seconds, nanos: 5)
      #expect(Swift.Duration(duration) == .seconds(seconds) + .nanoseconds(5))
    }
    #expect(
      GoogleProtobuf.Duration(milliseconds: -1500)
        == GoogleProtobuf.Duration(seconds: -1, nanos: -500_000_000))
  }
}

@Suite("The arena")
struct WireArenaTests {
  @Test("hands out aligned memory that does not overlap, across blocks")
  func allocation() throws {
    let memory = WireMemory()
    var taken: [(start: UInt, end: UInt)] = []
    for count in [0, 1, 7, 8, 9, 100, 4000, 5000, 1, 300_000, 24, 1_000_000, 3] {
      let block: UnsafeMutableRawPointer = try #require(memory.arena.allocate(count))
      let start = UInt(bitPattern: block)
      #expect(start % 8 == 0)
      let end = start + UInt(count)
      #expect(!taken.contains { $0.start < end && start < $0.end })
      if count > 0 { taken.append((start, end)) }
      block.initializeMemory(as: UInt8.self, repeating: 0xAA, count: count)
    }
  }

  @Test("gives what the budget allows and remembers a refusal")
  func budget() {
    let memory = WireMemory(budget: 64)
    #expect(memory.arena.allocate(40) != nil)
    #expect(!memory.arena.isExhausted)
    #expect(memory.arena.allocate(25) == nil)
    #expect(memory.arena.isExhausted)
    #expect(memory.arena.allocate(24) != nil)
    #expect(memory.arena.allocate(1) == nil)
    #expect(memory.arena.allocate(0) != nil)
  }

  @Test("refuses sizes that make no sense")
  func nonsense() {
    let memory = WireMemory(budget: 1 << 40)
    #expect(memory.arena.allocate(-8) == nil)
    #expect(memory.arena.allocate(.max) == nil)
  }
}

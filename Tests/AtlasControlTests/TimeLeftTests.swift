import AtlasModel
import Testing

@testable import AtlasControl

/// What is left of a lane, in the windows of its client.
@Suite struct `The time that is left` {
  private static let start = Instant(milliseconds: 1_800_000_000_000)
  private static let hour = Duration.seconds(3_600)

  private func window(_ from: Int, _ to: Int) -> Interval {
    Interval(start: Self.start + Self.hour * from, end: Self.start + Self.hour * to)
  }

  @Test(
    "goes on in the next window when servers do not fit into this one",
    arguments: [
      (turns: 0, end: 0), (turns: 3, end: 3), (turns: 4, end: 4), (turns: 5, end: 25),
      (turns: 8, end: 28), (turns: 9, end: 29),
    ])
  func windows(turns: Int, end: Int) {
    let windows = [window(-20, 4), window(24, 28)]
    #expect(
      windows.end(of: turns, each: Self.hour, from: Self.start) == Self.start + Self.hour * end)
  }

  @Test("begins with the next window when none is open")
  func closed() {
    #expect(
      [window(24, 28)].end(of: 1, each: Self.hour, from: Self.start)
        == Self.start + Self.hour * 25)
  }

  @Test("is plain work where no window is known")
  func unknown() {
    #expect(
      [Interval]().end(of: 2, each: Self.hour, from: Self.start) == Self.start + Self.hour * 2)
  }

  @Test("passes by a window that is too short for one server")
  func short() {
    let windows = [window(0, 1), window(24, 28)]
    #expect(
      windows.end(of: 1, each: Self.hour * 2, from: Self.start) == Self.start + Self.hour * 26)
  }
}

import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("A time")
struct TimeTextTests {
  private func text(_ style: TimeStyle, _ seconds: Int64) -> String {
    let times = TimeText(style: style, now: World.begin, local: { "local \($0)" })
    return times.text(World().time(seconds))
  }

  @Test(
    "is shown relative to campaign time",
    arguments: [
      (0, "now"), (-12, "12s ago"), (-125, "2m5s ago"), (7_200, "in 2h"), (-27_000, "7h30m ago"),
      (-273_600, "3d4h ago"),
    ])
  func relative(seconds: Int64, expected: String) {
    #expect(text(.relative, seconds) == expected)
  }

  @Test("is shown in full on demand")
  func absolute() {
    #expect(text(.iso, 5) == "2026-11-22T02:00:05Z")
    #expect(text(.local, 5) == "local 1795312805")
  }

  @Test("that is missing is a dash, and one that is absurd does not stop the program")
  func odd() {
    let times = TimeText(style: .relative, now: World.begin, local: { "\($0)" })
    #expect(times.text(nil) == "-")
    #expect(times.text(.init(seconds: .max, nanos: 0)) == "in 106751970388d5h")
    #expect(TimeText.iso(.init(seconds: .max, nanos: 0)) == "9223372036854775807s since 1970")
  }

  @Test(
    "span has its two largest units",
    arguments: [
      (0, "0s"), (59, "59s"), (60, "1m"), (3_661, "1h1m"), (90_000, "1d1h"), (-61, "-1m1s"),
    ])
  func durations(seconds: Int, expected: String) {
    #expect(Duration.seconds(seconds).shortText == expected)
  }
}

@Suite("A number")
struct NumberTests {
  @Test(
    "is grouped by thousands",
    arguments: [(0, "0"), (999, "999"), (-1_000, "-1,000"), (1_234_567, "1,234,567")])
  func grouping(number: Int, expected: String) {
    #expect(grouped(number) == expected)
  }

  @Test(
    "is a share that is only 100 % when it is whole",
    arguments: [
      (nil, "-"), (0, "0 %"), (0.9999, "99.9 %"), (1, "100 %"), (0.5, "50 %"), (.nan, "-"),
    ])
  func share(share: Double?, expected: String) {
    #expect(percent(share) == expected)
  }
}

import AtlasCalendar
import AtlasModel
import Testing

@Suite("Times as people write them")
struct InstantTextTests {
  @Test(
    "a time with an offset is an instant",
    arguments: [
      ("1970-01-01T00:00:00Z", 0),
      ("2026-12-20T18:00:00+01:00", 1_797_786_000_000),
      ("2026-12-20 18:00+01:00", 1_797_786_000_000),
      ("2026-12-20T13:30:00-0330", 1_797_786_000_000),
      ("2026-12-20t17:00:00.25z", 1_797_786_000_250),
      ("2026-12-20T17:00:00.1239Z", 1_797_786_000_123),
    ])
  func instants(text: String, milliseconds: Int64) {
    #expect(InstantText.read(text) == .instant(Instant(milliseconds: milliseconds)))
  }

  @Test("without an offset it is wall time, and without a time it is a day")
  func partialTimes() {
    #expect(InstantText.read("1970-01-02T01:00") == .wall(WallTime(seconds: 90_000)))
    #expect(InstantText.read("1970-01-02 01:00:30") == .wall(WallTime(seconds: 90_030)))
    #expect(InstantText.read("1970-01-03") == .day(2))
  }

  @Test(
    "anything else is refused",
    arguments: [
      "", "2026", "2026-02-30", "2026-1-1", "20.12.2026", "2026-12-20T", "2026-12-20T24:00",
      "2026-12-20T18:60", "2026-12-20T18:00:61", "2026-12-20T18:00:00X", "2026-12-20T18",
      "2026-12-20T18:00:00+1", "2026-12-20T18:00:00+01:00x", "2026-12-20T18:00:00.", "tomorrow",
      "2026-12-20x18:00", "٢٠٢٦-12-20",
    ])
  func refusesOthers(text: String) {
    #expect(InstantText.read(text) == nil)
  }

  @Test("what is written in any zone reads back as the same instant")
  func roundTrip() throws {
    var generator = SeededGenerator(state: 1)
    for name in ["UTC", "Europe/Paris", "America/St_Johns", "Asia/Kathmandu"] {
      let zone = try Zone(name)
      for _ in 0..<1_000 {
        let instant = Instant(milliseconds: .random(in: 0..<20_000_000_000_000, using: &generator))
        let text = InstantText.write(instant, in: zone)
        #expect(InstantText.read(text) == .instant(instant), "\(text)")
      }
    }
  }

  @Test("the text is the zone's own time with its offset")
  func writesLocalTime() throws {
    let moment = try instant("2026-07-01T10:00:00Z")
    #expect(InstantText.write(moment) == "2026-07-01T10:00:00Z")
    #expect(InstantText.write(moment, in: try Zone("Europe/Paris")) == "2026-07-01T12:00:00+02:00")
    #expect(
      InstantText.write(moment + .milliseconds(5), in: try Zone("America/New_York"))
        == "2026-07-01T06:00:00.005-04:00")
  }
}

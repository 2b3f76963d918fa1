import AtlasModel
import Testing

@testable import AtlasCalendar

/// Openings as a client sees them, beside what the clocks make of them.
@Suite("The next openings of a client")
struct WindowOpeningTests {
  struct Night: Sendable {
    var zone: String
    var rule: String
    /// The day before.
    var day: String
    var opens: String
    var closes: String
    var nominal: Duration
    var real: Duration
    var opensAt = WindowOpening.ClockReading.once
    var closesAt = WindowOpening.ClockReading.once
  }

  private static let hour = Duration.seconds(3_600)

  private static let nights: [Night] = [
    // An hour is lost inside the window, or comes twice.
    Night(
      zone: "Europe/Berlin", rule: "Sat 22:00-06:00", day: "2026-03-28",
      opens: "2026-03-28T22:00:00+01:00", closes: "2026-03-29T06:00:00+02:00", nominal: hour * 8,
      real: hour * 7),
    Night(
      zone: "Europe/Berlin", rule: "Sat 22:00-06:00", day: "2026-10-24",
      opens: "2026-10-24T22:00:00+02:00", closes: "2026-10-25T06:00:00+01:00", nominal: hour * 8,
      real: hour * 9),
    // It would open at a time that does not exist, and opens when the clocks are turned.
    Night(
      zone: "Europe/Berlin", rule: "Sun 02:30-05:00", day: "2026-03-29",
      opens: "2026-03-29T03:00:00+02:00", closes: "2026-03-29T05:00:00+02:00",
      nominal: .seconds(9_000), real: hour * 2, opensAt: .skipped),
    // All of it is left out: it does not come.
    Night(
      zone: "Europe/Berlin", rule: "Sun 02:00-03:00", day: "2026-03-29",
      opens: "2026-03-29T03:00:00+02:00", closes: "2026-03-29T03:00:00+02:00", nominal: hour,
      real: .zero, opensAt: .skipped),
    // It ends in the hour that comes twice, and uses it once.
    Night(
      zone: "Europe/Berlin", rule: "Sun 01:00-02:30", day: "2026-10-25",
      opens: "2026-10-25T01:00:00+02:00", closes: "2026-10-25T02:30:00+02:00",
      nominal: .seconds(5_400), real: .seconds(5_400), closesAt: .twice),
    // It opens in that hour, at the first of the two.
    Night(
      zone: "Europe/Berlin", rule: "Sun 02:30-05:00", day: "2026-10-25",
      opens: "2026-10-25T02:30:00+02:00", closes: "2026-10-25T05:00:00+01:00",
      nominal: .seconds(9_000), real: .seconds(12_600), opensAt: .twice),
    // Hours of a duration are exact, days are those of the wall.
    Night(
      zone: "Europe/Berlin", rule: "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:PT8H",
      day: "2026-03-28", opens: "2026-03-28T22:00:00+01:00", closes: "2026-03-29T07:00:00+02:00",
      nominal: hour * 8, real: hour * 8),
    Night(
      zone: "Europe/Berlin", rule: "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:P1D",
      day: "2026-03-28", opens: "2026-03-28T22:00:00+01:00", closes: "2026-03-29T22:00:00+02:00",
      nominal: hour * 24, real: hour * 23),
    Night(
      zone: "America/New_York", rule: "Sat 22:00-06:00", day: "2026-03-07",
      opens: "2026-03-07T22:00:00-05:00", closes: "2026-03-08T06:00:00-04:00", nominal: hour * 8,
      real: hour * 7),
    Night(
      zone: "America/New_York", rule: "Sun 01:30-04:00", day: "2026-11-01",
      opens: "2026-11-01T01:30:00-04:00", closes: "2026-11-01T04:00:00-05:00",
      nominal: .seconds(9_000), real: .seconds(12_600), opensAt: .twice),
    // Half an hour.
    Night(
      zone: "Australia/Lord_Howe", rule: "Sat 22:00-06:00", day: "2026-04-04",
      opens: "2026-04-04T22:00:00+11:00", closes: "2026-04-05T06:00:00+10:30", nominal: hour * 8,
      real: .seconds(30_600)),
    Night(
      zone: "Australia/Lord_Howe", rule: "Sun 02:15-04:00", day: "2026-10-04",
      opens: "2026-10-04T02:30:00+11:00", closes: "2026-10-04T04:00:00+11:00",
      nominal: .seconds(6_300), real: .seconds(5_400), opensAt: .skipped),
    // Clocks are turned back for Ramadan, and forward after it.
    Night(
      zone: "Africa/Casablanca", rule: "Sat 22:00-06:00", day: "2026-02-14",
      opens: "2026-02-14T22:00:00+01:00", closes: "2026-02-15T06:00:00Z", nominal: hour * 8,
      real: hour * 9),
    Night(
      zone: "Africa/Casablanca", rule: "Sat 22:00-06:00", day: "2026-03-21",
      opens: "2026-03-21T22:00:00Z", closes: "2026-03-22T06:00:00+01:00", nominal: hour * 8,
      real: hour * 7),
    Night(
      zone: "UTC", rule: "Sat 22:00-06:00", day: "2026-03-28", opens: "2026-03-28T22:00:00Z",
      closes: "2026-03-29T06:00:00Z", nominal: hour * 8, real: hour * 8),
  ]

  @Test("say what the clocks take and give", arguments: nights)
  func clockChanges(night: Night) throws {
    let zone = try Zone(night.zone)
    let noon = WallTime(seconds: try day(night.day) * 86_400)
    let found = try WindowCalendar.openings(
      of: client(night.rule, zone: night.zone), from: zone.instant(of: noon), count: 1)
    let opening = try #require(found.openings.first)
    #expect(InstantText.write(opening.interval.start, in: zone) == night.opens)
    #expect(InstantText.write(opening.interval.end, in: zone) == night.closes)
    #expect(opening.nominal == night.nominal)
    #expect(opening.real == night.real)
    #expect(opening.clockChange == night.real - night.nominal)
    #expect(opening.opensAt == night.opensAt)
    #expect(opening.closesAt == night.closesAt)
    #expect(opening.opensOffset == zone.offset(at: opening.interval.start))
    #expect(opening.closesOffset == zone.offset(at: opening.interval.end))
    #expect(opening.rule == night.rule)
    #expect(opening.usable == (night.real == .zero ? [] : [opening.interval]))
    #expect(!found.isAlwaysOpen)
  }

  @Test("are what the engine works with, wherever rules do not overlap")
  func agree() throws {
    let client = client("Sat 22:00-06:00", "Wed 01:30-04:00", zone: "America/New_York")
    let from = try instant("2026-01-01T00:00:00Z")
    let openings = try WindowCalendar.openings(of: client, from: from, count: 100).openings
    let until = try #require(openings.last).interval.end
    #expect(openings.count == 100)
    #expect(
      openings.map(\.interval)
        == (try WindowCalendar.intervals(client: client, from: from, until: until)))
  }

  @Test("are cut by freezes, each with its reason")
  func freezes() throws {
    let opens = try instant("2026-06-06T20:00:00Z")
    let hours = { (from: Int, until: Int) in
      Interval(start: opens + .seconds(from * 3_600), end: opens + .seconds(until * 3_600))
    }
    let client = client(
      "Sat 22:00-06:00",
      freezes: [
        Freeze(interval: hours(2, 4), reason: "payroll"),
        Freeze(interval: hours(-48, 1), reason: "fair"),
        Freeze(interval: hours(9, 12), reason: "after it"),
      ])
    let opening = try #require(
      try WindowCalendar.openings(of: client, from: opens, count: 1).openings.first)
    #expect(opening.freezes.map(\.reason) == ["fair", "payroll"])
    #expect(opening.usable == [hours(1, 2), hours(4, 8)])
    #expect(opening.frozen == .seconds(3 * 3_600))
    #expect(opening.clockChange == .zero)
  }

  @Test("begin with the one that is open, and are as many as were asked for")
  func counts() throws {
    let client = client("Sat 22:00-06:00|daily 12:00-13:00", "always")
    let inside = try instant("2026-06-07T01:00:00+02:00")
    let found = try WindowCalendar.openings(of: client, from: inside, count: 3)
    #expect(found.isAlwaysOpen)
    #expect(
      found.openings.map(\.rule) == ["Sat 22:00-06:00", "daily 12:00-13:00", "daily 12:00-13:00"])
    #expect(found.openings.first?.interval.contains(inside) ?? false)
    let most = try WindowCalendar.openings(of: client, from: inside, count: 5_000)
    #expect(most.openings.count == Limits.openings)
  }

  @Test("are none for a client without windows, and few for one that opens once a year")
  func few() throws {
    let from = try instant("2026-06-07T00:00:00Z")
    let none = try WindowCalendar.openings(of: client(), from: from, count: 5)
    #expect(none == WindowOpenings(isAlwaysOpen: false, openings: []))
    let yearly = client("RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;BYHOUR=8 DURATION:PT4H")
    #expect(try WindowCalendar.openings(of: yearly, from: from, count: 50).openings.count == 10)
  }

  @Test("are refused for a rule that cannot be read")
  func refused() throws {
    let from = try instant("2026-06-07T00:00:00Z")
    #expect(throws: WindowError.self) {
      try WindowCalendar.openings(of: client("Sat 22:00-99:00"), from: from, count: 1)
    }
  }

  private func day(_ text: String) throws -> Int {
    guard case .day(let day)? = InstantText.read(text) else { throw BadTestText(text: text) }
    return day
  }
}

import AtlasModel
import Testing

@testable import AtlasCalendar

@Suite("Windows as intervals")
struct WindowCalendarTests {
  @Test("a night of the week comes every week")
  func weekly() throws {
    let found = try intervals(
      of: client("Sat 22:00-06:00"), from: "2026-03-02T00:00:00Z", until: "2026-03-16T00:00:00Z")
    #expect(
      found == [
        "2026-03-07T22:00:00+01:00/2026-03-08T06:00:00+01:00",
        "2026-03-14T22:00:00+01:00/2026-03-15T06:00:00+01:00",
      ])
  }

  @Test(
    "a night in which clocks change is an hour shorter or longer",
    arguments: [
      // Zone, day, interval, hours.
      (
        "Europe/Paris", "2026-03-28", "2026-03-28T22:00:00+01:00/2026-03-29T06:00:00+02:00", 7
      ),
      (
        "Europe/Paris", "2026-10-24", "2026-10-24T22:00:00+02:00/2026-10-25T06:00:00+01:00", 9
      ),
      (
        "Europe/London", "2026-03-28", "2026-03-28T22:00:00Z/2026-03-29T06:00:00+01:00", 7
      ),
      (
        "America/New_York", "2026-03-07", "2026-03-07T22:00:00-05:00/2026-03-08T06:00:00-04:00",
        7
      ),
      (
        "America/New_York", "2026-10-31", "2026-10-31T22:00:00-04:00/2026-11-01T06:00:00-05:00",
        9
      ),
      ("Asia/Tokyo", "2026-03-28", "2026-03-28T22:00:00+09:00/2026-03-29T06:00:00+09:00", 8),
    ])
  func clockChanges(zone: String, day: String, expected: String, hours: Int) throws {
    let client = client("Sat 22:00-06:00", zone: zone)
    let from = try instant("\(day)T00:00:00Z")
    let until = from + .seconds(172_800)
    let found = try WindowCalendar.intervals(client: client, from: from, until: until)
    #expect(found.map(\.duration) == [.seconds(hours * 3_600)])
    let text = try intervals(
      of: client, from: "\(day)T00:00:00Z", until: InstantText.write(until))
    #expect(text == [expected])
  }

  @Test(
    "ends that fall into a clock change are the moment of the change, or the first of two",
    arguments: [
      // Begins in the gap: at its end.
      ("Sun 02:30-05:00", "2026-03-29", ["2026-03-29T03:00:00+02:00/2026-03-29T05:00:00+02:00"]),
      // Ends in the gap: where the gap begins and ends.
      ("Sun 01:00-02:30", "2026-03-29", ["2026-03-29T01:00:00+01:00/2026-03-29T03:00:00+02:00"]),
      // Lies in the gap: does not come that night.
      ("Sun 02:00-03:00", "2026-03-29", []),
      ("Sun 02:15-02:45", "2026-03-29", []),
      // Begins in the repeated hour: in its first.
      ("Sun 02:30-05:00", "2026-10-25", ["2026-10-25T02:30:00+02:00/2026-10-25T05:00:00+01:00"]),
      // Ends in the repeated hour: in its first, which is the safe one.
      ("Sun 01:00-02:30", "2026-10-25", ["2026-10-25T01:00:00+02:00/2026-10-25T02:30:00+02:00"]),
      ("Sun 02:15-02:45", "2026-10-25", ["2026-10-25T02:15:00+02:00/2026-10-25T02:45:00+02:00"]),
      // Hours of a duration are exact, days are not.
      (
        "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:PT8H", "2026-03-29",
        ["2026-03-29T00:00:00+01:00/2026-03-29T07:00:00+02:00"]
      ),
      (
        "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:P1D", "2026-03-29",
        ["2026-03-29T00:00:00+01:00/2026-03-29T22:00:00+02:00"]
      ),
    ])
  func endsInClockChanges(rule: String, day: String, expected: [String]) throws {
    let offset = day.contains("-03-") ? "+01:00" : "+02:00"
    let from = "\(day)T00:00:00\(offset)"
    let until = InstantText.write(try instant(from) + .seconds(86_400))
    #expect(try intervals(of: client(rule), from: from, until: until) == expected)
  }

  @Test("a window that is open at the beginning or the end is cut there")
  func cutsAtTheEnds() throws {
    let found = try intervals(
      of: client("Fri 20:00-Mon 05:00"), from: "2026-03-07T12:00:00Z",
      until: "2026-03-08T12:00:00Z")
    #expect(found == ["2026-03-07T13:00:00+01:00/2026-03-08T13:00:00+01:00"])
  }

  @Test("windows that meet or overlap are one")
  func mergesNeighbours() throws {
    let found = try intervals(
      of: client("Sat 00:00-24:00", "Sun 00:00-06:00; Sun 05:00-08:00"),
      from: "2026-03-02T00:00:00Z", until: "2026-03-09T00:00:00Z")
    #expect(found == ["2026-03-07T00:00:00+01:00/2026-03-08T08:00:00+01:00"])
  }

  @Test("each window may be in a zone of its own")
  func ownZones() throws {
    let found = try intervals(
      of: client("Sat 22:00-23:00", "Sat 22:00-23:00 Europe/London"),
      from: "2026-03-02T00:00:00Z", until: "2026-03-09T00:00:00Z")
    #expect(found == ["2026-03-07T22:00:00+01:00/2026-03-08T00:00:00+01:00"])
  }

  @Test("always is always, and no window is never")
  func alwaysAndNever() throws {
    let from = "2026-03-02T00:00:00+01:00"
    let until = "2026-03-09T00:00:00+01:00"
    #expect(try intervals(of: client("always"), from: from, until: until) == ["\(from)/\(until)"])
    #expect(try intervals(of: client(), from: from, until: until) == [])
    #expect(try intervals(of: client("always"), from: until, until: from) == [])
  }

  @Test("freezes take away what they cover: inside, at an end, over a whole window, twice")
  func freezes() throws {
    let freezes = try [
      ("2026-03-07T23:00:00Z", "2026-03-08T01:00:00Z"),
      ("2026-03-08T00:30:00Z", "2026-03-08T02:00:00Z"),
      ("2026-03-13T00:00:00Z", "2026-03-14T22:00:00Z"),
      ("2026-03-21T00:00:00Z", "2026-03-23T00:00:00Z"),
    ].map { Freeze(interval: Interval(start: try instant($0), end: try instant($1)), reason: "") }
    let found = try intervals(
      of: client("Sat 22:00-06:00", freezes: freezes), from: "2026-03-02T00:00:00Z",
      until: "2026-03-30T00:00:00Z")
    #expect(
      found == [
        "2026-03-07T22:00:00+01:00/2026-03-08T00:00:00+01:00",
        "2026-03-08T03:00:00+01:00/2026-03-08T06:00:00+01:00",
        "2026-03-14T23:00:00+01:00/2026-03-15T06:00:00+01:00",
        "2026-03-28T22:00:00+01:00/2026-03-29T06:00:00+02:00",
      ])
  }

  @Test("ends of months and leap days are found")
  func monthEndsAndLeapDays() throws {
    let lastDay = client("RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=22 DURATION:PT2H", zone: "UTC")
    #expect(
      try intervals(of: lastDay, from: "2028-01-01T00:00:00Z", until: "2028-05-01T00:00:00Z") == [
        "2028-01-31T22:00:00Z/2028-02-01T00:00:00Z", "2028-02-29T22:00:00Z/2028-03-01T00:00:00Z",
        "2028-03-31T22:00:00Z/2028-04-01T00:00:00Z", "2028-04-30T22:00:00Z/2028-05-01T00:00:00Z",
      ])
    let leapDay = client(
      "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=1 DURATION:PT2H", zone: "UTC")
    #expect(
      try intervals(of: leapDay, from: "2026-01-01T00:00:00Z", until: "2032-12-31T00:00:00Z") == [
        "2028-02-29T01:00:00Z/2028-02-29T03:00:00Z", "2032-02-29T01:00:00Z/2032-02-29T03:00:00Z",
      ])
    let thirtyFirst = client("RRULE:FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=1 DURATION:PT1H", zone: "UTC")
    #expect(
      try intervals(of: thirtyFirst, from: "2026-02-01T00:00:00Z", until: "2026-06-01T00:00:00Z")
        == [
          "2026-03-31T01:00:00Z/2026-03-31T02:00:00Z", "2026-05-31T01:00:00Z/2026-05-31T02:00:00Z",
        ])
  }

  @Test("every second Saturday is counted from DTSTART, and ends after COUNT or UNTIL")
  func anchoredRules() throws {
    let fortnightly = "DTSTART:20260103T220000 RRULE:FREQ=WEEKLY;INTERVAL=2"
    let march = (from: "2026-02-20T00:00:00Z", until: "2026-03-20T00:00:00Z")
    let both = [
      "2026-02-28T22:00:00+01:00/2026-02-28T23:00:00+01:00",
      "2026-03-14T22:00:00+01:00/2026-03-14T23:00:00+01:00",
    ]
    let cases = [
      (rule: "\(fortnightly) DURATION:PT1H", expected: both),
      ("\(fortnightly);COUNT=5 DURATION:PT1H", [both[0]]),
      ("\(fortnightly);COUNT=6 DURATION:PT1H", both),
      ("\(fortnightly);UNTIL=20260314 DURATION:PT1H", both),
      ("\(fortnightly);UNTIL=20260314T210000Z DURATION:PT1H", both),
      ("\(fortnightly);UNTIL=20260314T205959Z DURATION:PT1H", [both[0]]),
      ("\(fortnightly);UNTIL=20260313 DURATION:PT1H", [both[0]]),
    ]
    for (rule, expected) in cases {
      let found = try intervals(of: client(rule), from: march.from, until: march.until)
      #expect(found == expected, "\(rule)")
    }
  }

  @Test("two neighbouring spans together hold what one long span holds")
  func neighboursFitTogether() throws {
    var generator = SeededGenerator(state: 7)
    let rules = [
      "Fri 20:00-Mon 05:00", "daily 22:00-05:00", "always",
      "RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22 DURATION:P2D",
    ]
    let start = try instant("2026-01-01T00:00:00Z")
    for rule in rules {
      for _ in 0..<50 {
        let points = (0..<3).map { _ in
          start + .seconds(Int.random(in: 0..<40_000_000, using: &generator))
        }.sorted()
        let find = { try WindowCalendar.intervals(client: client(rule), from: $0, until: $1) }
        let whole = try find(points[0], points[2])
        let halves = try find(points[0], points[1]) + find(points[1], points[2])
        #expect(total(whole) == total(halves), "\(rule) \(points)")
      }
    }
  }

  @Test("more intervals than the limit are refused, and so are spans nobody plans for")
  func limits() throws {
    let busy = client("RRULE:FREQ=DAILY;BYHOUR=0,2,4,6,8,10,12,14,16,18,20,22 DURATION:PT1H")
    let from = try instant("2026-01-01T00:00:00Z")
    #expect(throws: WindowError.tooManyIntervals(limit: 2_048)) {
      try WindowCalendar.intervals(client: busy, from: from, until: from + .seconds(171 * 86_400))
    }
    // The hour at two of 29 March does not exist in Paris.
    let most = try WindowCalendar.intervals(
      client: busy, from: from, until: from + .seconds(170 * 86_400))
    #expect(most.count == 2_039)
    #expect(throws: WindowError.horizonTooFar) {
      try WindowCalendar.intervals(client: busy, from: from, until: .distantFuture)
    }
  }

  @Test("the fleet's first window is the first that opens, not one that is open already")
  func firstOpening() throws {
    let from = try instant("2026-03-04T12:00:00Z")
    let find = { try WindowCalendar.firstOpening(of: $0, from: $1) }
    let weekend = client("Fri 20:00-Mon 05:00")
    let saturday = client("Sat 00:00-24:00")
    let friday = try instant("2026-03-06T19:00:00Z")
    #expect(try find([saturday, weekend, client("always")], from) == friday)
    #expect(try find([weekend], friday) == friday)
    #expect(try find([weekend], friday + .seconds(1)) == friday + .seconds(7 * 86_400))
    #expect(try find([client("always")], from) == from)
    #expect(try find([client()], from) == nil)
    let yearly = client("RRULE:FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=2;BYHOUR=1 DURATION:PT1H")
    #expect(try find([yearly], from) == instant("2027-01-02T00:00:00Z"))
  }

  @Test("ten thousand clients with windows of their own are read and laid out")
  func manyClients() throws {
    let from = try instant("2026-03-20T00:00:00Z")
    let zones = ["Europe/Paris", "Europe/Berlin", "Europe/London", "America/New_York"]
    var total = 0
    for index in 0..<10_000 {
      let minute = index % 60 < 10 ? "0\(index % 60)" : "\(index % 60)"
      let client = client("daily 22:\(minute)-05:00", zone: zones[index % zones.count])
      total += try WindowCalendar.intervals(
        client: client, from: from, until: from + Limits.windowHorizon
      ).count
    }
    #expect(total >= 140_000)
  }

  private func total(_ intervals: [Interval]) -> Int64 {
    intervals.reduce(0) { $0 + $1.duration.milliseconds }
  }
}

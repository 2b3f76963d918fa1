import AtlasModel
import Testing

@testable import AtlasCalendar

@Suite("Recurrences")
struct RecurrenceTests {
  @Test("rules begin when another implementation of RFC 5545 says they do")
  func agreesWithAnother() throws {
    for example in recurrenceExamples {
      let words = example.rule.split(separator: " ")
      let anchor = try time(words[0].dropFirst("DTSTART:".count))
      let rule = try RecurrenceParts(words[1].dropFirst("RRULE:".count))
        .recurrence(anchor: anchor, zone: .utc)
      let starts = rule.starts(
        onDays: try time(example.first[...]).day, through: try time(example.end[...]).day - 1)
      let expected = try example.starts.split(separator: ",").map { try time($0 + "00") }
      #expect(starts == expected, "\(example.rule)")
    }
  }

  @Test("a rule that can only begin in 2028 is not one that never begins")
  func rareDays() throws {
    let rule = try RecurrenceParts("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU;BYHOUR=1")
      .recurrence(anchor: nil, zone: .utc)
    #expect(rule.occurs(withinYears: 40))
    #expect(!rule.occurs(withinYears: 4))
  }

  private func time(_ text: some StringProtocol) throws -> WallTime {
    try DateStamp(Substring(text), of: "test").time
  }
}

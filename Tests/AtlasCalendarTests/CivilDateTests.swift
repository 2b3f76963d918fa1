import AtlasCalendar
import Foundation
import Testing

@Suite("The calendar of days")
struct CivilDateTests {
  @Test("every day from 1970 to 2999 is the next one of the day before")
  func everyDayFollows() throws {
    var expected = (year: 1970, month: 1, day: 1)
    for number in 0..<376_200 {
      let date = CivilDate(dayNumber: number)
      let matches =
        date.year == expected.year && date.month == expected.month && date.day == expected.day
        && date.dayNumber == number
      guard matches else {
        Issue.record("day \(number) is \(date), expected \(expected)")
        return
      }
      expected.day += 1
      if CivilDate(year: expected.year, month: expected.month, day: expected.day) == nil {
        expected = (expected.year, expected.month + 1, 1)
      }
      if expected.month == 13 { expected = (expected.year + 1, 1, 1) }
    }
    #expect(expected == (3000, 1, 1))
  }

  @Test(
    "days that do not exist are refused",
    arguments: [
      (2026, 2, 29), (2100, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0),
      (1969, 12, 31), (3000, 1, 1),
    ])
  func refusesOthers(year: Int, month: Int, day: Int) {
    #expect(CivilDate(year: year, month: month, day: day) == nil)
  }

  @Test("leap days exist in 2000 and 2024, and are Tuesday and Thursday")
  func leapDays() throws {
    #expect(try #require(CivilDate(year: 2000, month: 2, day: 29)).weekday == .tuesday)
    #expect(try #require(CivilDate(year: 2024, month: 2, day: 29)).weekday == .thursday)
  }

  @Test(
    "weekdays are read from two letters on, in any case",
    arguments: [
      ("Sat", Weekday.saturday), ("SU", .sunday), ("thurs", .thursday), ("Wednesday", .wednesday),
    ])
  func readsWeekdays(text: String, weekday: Weekday) {
    #expect(Weekday(text: text) == weekday)
  }

  @Test("other words are no weekdays", arguments: ["S", "", "Samstag", "Saturdays", "Fr."])
  func refusesOtherWords(text: String) {
    #expect(Weekday(text: text) == nil)
  }
}

import AtlasModel
import Testing

@testable import AtlasCalendar

@Suite("Window rules")
struct WindowRuleTests {
  @Test(
    "different ways to write a window mean the same",
    arguments: [
      ("Sat 22:00-06:00", "Saturday 22:00-06:00"),
      ("Sat 22:00-06:00", "sat 22:00 - 06:00"),
      ("Sat 22:00-06:00", "  SAT   22:00 –06:00 "),
      ("Sat 22:00-06:00", "Sat 22:00-06:00 Europe/Paris"),
      ("Sat 22:00-06:00", "Sat 22:00-06:00 (Europe/Paris)"),
      ("Sat 22:00-06:00", "Sat 22:00-Sun 06:00"),
      ("Mon-Fri 20:00-04:00", "Mon,Tue,Wed,Thu,Fri 20:00-04:00"),
      ("Mon-Fri 20:00-04:00", "Mon - Fri 20:00-04:00"),
      ("Fri-Mon 20:00-04:00", "Fri, Sat, Sun, Mon 20:00-04:00"),
      ("daily 9:00-17:00", "Mon-Sun 09:00-17:00"),
      ("Fri 20:00-Mon 05:00", "Friday 20:00 - Monday 05:00"),
      ("always", "Always"),
      ("Sat 22:00-06:00;Sun 22:00-04:00", "Sat 22:00-06:00 | Sun 22:00-04:00;"),
      (
        "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;BYMINUTE=0 DURATION:PT8H",
        "freq=weekly;byday=sa;byhour=22 duration:pt8h"
      ),
      (
        "DTSTART;TZID=Europe/Paris:20260103T220000 RRULE:FREQ=WEEKLY DURATION:P1DT0S",
        "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DTSTART:20260103T220000 DURATION:P1D"
      ),
    ])
  func sameMeaning(left: String, right: String) throws {
    #expect(
      try WindowRule(parsing: left, zone: "Europe/Paris")
        == WindowRule(parsing: right, zone: "Europe/Paris"))
  }

  @Test(
    "a shorthand that cannot be meant is refused with what would be right",
    arguments: [
      ("", "the window is empty"),
      (" ; ", "the window is empty"),
      ("Sta 22:00-06:00", "“Sta” is not a day of the week; did you mean Sat?"),
      ("Saturdy 22:00-06:00", "“Saturdy” is not a day of the week; did you mean Saturday?"),
      ("Xyz 22:00-06:00", "“Xyz” is not a day of the week; write Mon, Tue"),
      ("Sat, 22:00-06:00", "is not a window"),
      ("Sat 22:00", "“Sat 22:00” is not a window; write it as Sat 22:00-06:00"),
      ("Sat 22-06", "“22” is not a time of day; write 22:00"),
      ("Sat 25:00-06:00", "“25:00” is not a time of day"),
      ("Sat 24:00-06:00", "“24:00” is not a time of day"),
      ("Sat 22:60-06:00", "“22:60” is not a time of day"),
      ("Sat 22:00-24:01", "“24:01” is not a time of day"),
      ("Sat 22:00-22:00", "“Sat 22:00-22:00” begins when it ends; write 00:00-24:00"),
      ("Fri 20:00-Fri 20:00", "“Fri 20:00-Fri 20:00” begins when it ends"),
      ("Mon-Fri 20:00-Sat 04:00", "begins on several days but ends on one"),
      ("Sat 22:00-06:00 Europe/Pariss", "did you mean Europe/Paris?"),
      ("Sat 22:00-06:00 CET", "“CET” is not a time zone"),
      ("24/7", "“24/7” is not a window"),
      ("Samedi de 22h à 6h", "is not a window"),
      ("Mon--Fri 20:00-04:00", "“Mon--Fri” is not a day of the week"),
    ])
  func refusesShorthand(text: String, expected: String) {
    expectRefused(text, expected)
  }

  @Test(
    "a recurrence that cannot be used is refused with what would be right",
    arguments: [
      ("RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22", "add its length, such as DURATION:PT8H"),
      ("DURATION:PT8H DTSTART:20260103T220000", "the rule lacks RRULE"),
      ("RRULE:BYDAY=SA;BYHOUR=22 DURATION:PT8H", "the rule lacks FREQ"),
      ("RRULE:FREQ=HOURLY DURATION:PT1M", "FREQ=HOURLY cannot be read; write DAILY, WEEKLY"),
      ("RRULE:FREQ=WEEKLY;BYDAY=SA DURATION:PT8H", "the rule lacks the time; add BYHOUR=22"),
      ("RRULE:FREQ=WEEKLY;BYHOUR=22 DURATION:PT8H", "the rule lacks the days; add BYDAY=SA"),
      (
        "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SA;BYHOUR=22 DURATION:PT8H",
        "the rule lacks DTSTART; INTERVAL is counted from it"
      ),
      (
        "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=SA;BYHOUR=22 DURATION:PT8H",
        "the rule lacks DTSTART; COUNT is counted from it"
      ),
      ("RRULE:FREQ=WEEKLY;BYWEEKNO=3 DURATION:PT8H", "BYWEEKNO is not supported"),
      ("RRULE:FREQ=WEEKLY;BYDAYS=SA DURATION:PT8H", "BYDAYS is not supported; did you mean BYDAY?"),
      ("RRULE:FREQ=DAILY;FREQ=DAILY DURATION:PT8H", "FREQ is written twice"),
      ("RRULE:FREQ=WEEKLY;BYDAY=2SA;BYHOUR=22 DURATION:PT8H", "FREQ=MONTHLY with a numbered day"),
      ("RRULE:FREQ=WEEKLY;BYDAY=XX;BYHOUR=22 DURATION:PT8H", "BYDAY=XX cannot be read"),
      ("RRULE:FREQ=MONTHLY;BYDAY=0SA;BYHOUR=22 DURATION:PT8H", "BYDAY=0SA cannot be read"),
      ("RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=24 DURATION:PT8H", "write numbers from 0 to 23"),
      ("RRULE:FREQ=MONTHLY;BYMONTHDAY=0;BYHOUR=2 DURATION:PT8H", "BYMONTHDAY=0 cannot be read"),
      ("RRULE:FREQ=WEEKLY;BYMONTHDAY=1;BYHOUR=2 DURATION:PT8H", "write FREQ=MONTHLY"),
      ("RRULE:FREQ=DAILY;BYHOUR=22;BYSECOND=5 DURATION:PT8H", "windows begin on whole minutes"),
      (
        "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,10,20,30,40 DURATION:PT5M",
        "the rule begins 25 times a day; at most 24"
      ),
      ("RRULE:FREQ=DAILY;BYHOUR=22 DURATION:8H", "DURATION=8H cannot be read"),
      ("RRULE:FREQ=DAILY;BYHOUR=22 DURATION:PT", "DURATION=PT cannot be read"),
      ("RRULE:FREQ=DAILY;BYHOUR=22 DURATION:PT0H", "DURATION=PT0H cannot be read"),
      ("RRULE:FREQ=DAILY;BYHOUR=22 DURATION:PT1M1H", "DURATION=PT1M1H cannot be read"),
      ("RRULE:FREQ=DAILY;BYHOUR=22 DURATION:P1H", "DURATION=P1H cannot be read"),
      ("RRULE:FREQ=DAILY;BYHOUR=22 DURATION:P32D", "write at most 31d"),
      ("RRULE:FREQ=DAILY;BYHOUR=22 DURATION:P1D", "lasts 1d and repeats after 1d, so it never"),
      ("RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:P8D", "lasts 8d and repeats after 7d"),
      (
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=1 DURATION:PT8H",
        "a day that never comes"
      ),
      ("RRULE:FREQ=MONTHLY;BYDAY=6SA;BYHOUR=1 DURATION:PT8H", "a day that never comes"),
      (
        "DTSTART:20260103T220000 RRULE:FREQ=DAILY;UNTIL=20251231 DURATION:PT8H",
        "a day that never comes"
      ),
      ("RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101;BYHOUR=1 DURATION:PT8H", "UNTIL together with"),
      ("RRULE:FREQ=DAILY;BYHOUR=1;UNTIL=2027 DURATION:PT8H", "UNTIL=2027 cannot be read"),
      ("DTSTART:20260230T220000 RRULE:FREQ=DAILY DURATION:PT8H", "DTSTART=20260230T220000 cannot"),
      ("DTSTART:20260103T220030 RRULE:FREQ=DAILY DURATION:PT8H", "write a whole minute"),
      ("DTSTART;VALUE=DATE:20260103 RRULE:FREQ=DAILY DURATION:PT8H", "write DTSTART;TZID="),
      ("RRULE:FREQ=DAILY;BYHOUR=1 DURATION:PT8H EXDATE:20260103", "write the days on which"),
      ("RRULE:FREQ=DAILY;BYHOUR=1 DTEND:20260103T060000", "write the length instead"),
    ])
  func refusesRecurrences(text: String, expected: String) {
    expectRefused(text, expected)
  }

  @Test("a rule longer than a line is refused")
  func refusesLongText() {
    expectRefused(String(repeating: "Sat 22:00-06:00;", count: 33), "longer than 512 characters")
  }

  @Test(
    "the zone behind a window is found when all parts agree on it",
    arguments: [
      ("Sat 22:00-06:00 Europe/Paris", "Europe/Paris"),
      ("Sat 22:00-06:00 Europe/Paris; Sun 22:00-06:00 (Europe/Paris)", "Europe/Paris"),
      ("RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:PT8H Europe/Paris", "Europe/Paris"),
      ("always UTC", "UTC"),
      ("Sat 22:00-06:00 Europe/Paris; Sun 22:00-06:00", nil),
      ("Sat 22:00-06:00", nil),
    ])
  func findsZones(text: String, zone: String?) {
    #expect(WindowRule.zoneNamed(in: text) == zone)
  }

  private func expectRefused(_ text: String, _ expected: String) {
    let error = #expect(throws: WindowError.self) {
      try WindowRule(parsing: text, zone: "Europe/Paris")
    }
    let description = error?.description ?? ""
    #expect(description.contains(expected), "\(description)")
  }
}

/// Local time, worked out from the published rules of a few zones and nothing else.
package enum ZoneFact: Hashable, Sendable {
  /// Minutes east of Greenwich, all year.
  case fixed(Int)
  /// Summer time as in the European Union: an hour more from 01:00 UTC of the last Sunday of March
  /// to 01:00 UTC of the last Sunday of October.
  case european(Int)
  /// Summer time as in the United States: an hour more from 02:00 local time of the second Sunday
  /// of March to 02:00 local time of the first Sunday of November.
  case american(Int)

  /// Minutes east of Greenwich at an instant.
  func offset(at milliseconds: Int64) -> Int {
    let minute = milliseconds.floorDivided(by: 60_000)
    switch self {
    case .fixed(let base): return base
    case .european(let base):
      let year = Day(minute.floorDivided(by: 1_440)).year
      let start = Day.last(.sunday, of: 3, year).minutes + 60
      let end = Day.last(.sunday, of: 10, year).minutes + 60
      return start <= minute && minute < end ? base + 60 : base
    case .american(let base):
      let year = Day((minute + Int64(base)).floorDivided(by: 1_440)).year
      let start = Day.nth(2, .sunday, of: 3, year).minutes + 120 - Int64(base)
      let end = Day.nth(1, .sunday, of: 11, year).minutes + 60 - Int64(base)
      return start <= minute && minute < end ? base + 60 : base
    }
  }
}

/// A window of every week, in wall time at both ends.
package struct WeeklyWindow: Hashable, Sendable {
  /// 0 is Monday.
  package var weekday: Int
  package var startMinute: Int
  /// Counted from the midnight in which ``weekday`` begins; beyond 1,440 it is on a later day.
  package var endMinute: Int

  package init(weekday: Int, startMinute: Int, endMinute: Int) {
    self.weekday = weekday
    self.startMinute = startMinute
    self.endMinute = endMinute
  }
}

extension ClientFact {
  /// Until when the client may be worked on without a break from `instant` on; nil when it may not
  /// be at that moment.
  ///
  /// A moment belongs to a window when the wall clock shows a time between its ends: minutes are
  /// looked at one after the other, slow and simple. Summer time begins and ends with an hour of
  /// UTC in every zone that ``ZoneFact`` knows.
  func openUntil(_ instant: Int64) -> Int64? {
    var minute = instant.floorDivided(by: 60_000)
    var offset = Int64(zone.offset(at: instant))
    guard isOpen(minute, offset) else { return nil }
    let farthest = minute + 3 * 1_440
    repeat {
      minute += 1
      if minute % 60 == 0 { offset = Int64(zone.offset(at: minute * 60_000)) }
    } while minute < farthest && isOpen(minute, offset)
    return minute * 60_000
  }

  func isOpen(at instant: Int64) -> Bool {
    isOpen(instant.floorDivided(by: 60_000), Int64(zone.offset(at: instant)))
  }

  private func isOpen(_ utc: Int64, _ offset: Int64) -> Bool {
    guard !freezes.contains(where: { $0.contains(utc * 60_000) }) else { return false }
    let day = (utc + offset).floorDivided(by: 1_440)
    let minute = Int(utc + offset - day * 1_440)
    return windows.contains { window in
      (0...3).contains { daysBefore in
        let weekday = Int((day - Int64(daysBefore) + 3) % 7)
        let passed = minute + daysBefore * 1_440
        return weekday == window.weekday && window.startMinute <= passed
          && passed < window.endMinute
      }
    }
  }
}

/// A day of the Gregorian calendar, counted from 1970-01-01.
struct Day {
  enum Weekday: Int64 {
    case thursday = 0
    case sunday = 3
  }

  let number: Int64

  init(_ number: Int64) { self.number = number }

  var minutes: Int64 { number * 1_440 }

  var year: Int {
    var year = 1970 + Int(number / 366)
    while Day.first(of: 1, year + 1).number <= number { year += 1 }
    return year
  }

  static func first(of month: Int, _ year: Int) -> Day {
    var days: Int64 = 0
    for earlier in 1970..<year { days += isLeap(earlier) ? 366 : 365 }
    for earlier in 1..<month { days += Int64(length(of: earlier, year)) }
    return Day(days)
  }

  static func nth(_ count: Int, _ weekday: Weekday, of month: Int, _ year: Int) -> Day {
    let first = first(of: month, year).number
    let ahead = (weekday.rawValue - first % 7 + 7) % 7
    return Day(first + ahead + Int64(count - 1) * 7)
  }

  static func last(_ weekday: Weekday, of month: Int, _ year: Int) -> Day {
    let fifth = nth(5, weekday, of: month, year)
    let days = Int64(length(of: month, year))
    return fifth.number < first(of: month, year).number + days
      ? fifth : nth(4, weekday, of: month, year)
  }

  private static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private static func length(of month: Int, _ year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    case _: 31
    }
  }
}

extension Int64 {
  func floorDivided(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

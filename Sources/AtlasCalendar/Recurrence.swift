/// When something begins again and again: the part of RFC 5545 §3.3.10 that maintenance needs.
///
/// Days are found by arithmetic on the calendar alone; zones come in when a wall time becomes an
/// instant. Every filter is explicit: what RFC 5545 takes from DTSTART is filled in by the parser.
///
/// Foundation's own `Calendar.RecurrenceRule` was measured and is not used: with weeks that begin
/// on Monday its second Saturday comes a week early in one month of seven, and with
/// `minimumDaysInFirstWeek` 4 such a rule never returns (Swift 6.3.1, Linux).
struct Recurrence: Hashable, Sendable {
  enum Frequency: String, Hashable, Sendable, CaseIterable {
    case daily = "DAILY"
    case weekly = "WEEKLY"
    case monthly = "MONTHLY"
    case yearly = "YEARLY"
  }

  /// A weekday, or only its `ordinal`-th in the month or year; negative counts from the end.
  struct Day: Hashable, Sendable {
    /// 0 means every one.
    var ordinal = 0
    var weekday: Weekday
  }

  enum End: Hashable, Sendable {
    case never
    /// The last start, itself included.
    case until(WallTime)
    /// The number of starts, counted from the anchor.
    case count(Int)
  }

  var frequency: Frequency
  /// Every how many days, weeks, months or years.
  var interval = 1
  /// Nothing begins before it, and intervals and counts are counted from it.
  var anchor: WallTime?
  /// Minutes of the day at which it begins; sorted, unique, never empty.
  var minutes: [Int]
  var days: [Day] = []
  /// Days of the month; negative counts from its end.
  var monthDays: [Int] = []
  var months: [Int] = []
  /// Which starts of each day, week, month or year count; negative counts from the end.
  var positions: [Int] = []
  var weekStart = Weekday.monday
  var end = End.never

  /// The starts on the days `first` through `last`, in order; days count from 1970-01-01.
  func starts(onDays first: Int, through last: Int) -> [WallTime] {
    var starts: [WallTime] = []
    var counted = 0
    let firstNeeded = anchor.map { counts ? $0.day : max($0.day, first) } ?? first
    guard firstNeeded <= last else { return [] }
    for period in period(ofDay: firstNeeded)...period(ofDay: last) where isOnBeat(period) {
      for start in allStarts(inPeriod: period) where anchor.map({ $0 <= start }) ?? true {
        counted += 1
        if hasEnded(at: start, counted: counted) || start.day > last { return starts }
        if start.day >= first { starts.append(start) }
      }
    }
    return starts
  }

  /// Whether it begins at all, looking `years` ahead from its anchor, or from a leap year.
  func occurs(withinYears years: Int) -> Bool {
    let first = anchor?.day ?? Self.leapDayNumber
    return (0..<years).contains { year in
      !starts(onDays: first + year * 366, through: first + year * 366 + 365).isEmpty
    }
  }

  /// 2024-01-01, the first day of a leap year.
  private static let leapDayNumber = 19_723

  private var counts: Bool {
    if case .count = end { true } else { false }
  }

  private func hasEnded(at start: WallTime, counted: Int) -> Bool {
    switch end {
    case .never: false
    case .until(let last): start > last
    case .count(let limit): counted > limit
    }
  }
}

// MARK: - Periods

extension Recurrence {
  /// Number of the day, week, month or year that `day` lies in; consecutive ones differ by 1.
  private func period(ofDay day: Int) -> Int {
    switch frequency {
    case .daily:
      return day
    case .weekly:
      return (day - firstWeekStart).dividedDown(by: 7)
    case .monthly:
      let date = CivilDate(dayNumber: day)
      return date.year * 12 + date.month - 1
    case .yearly:
      return CivilDate(dayNumber: day).year
    }
  }

  /// The first day of a week on or after 1970-01-01.
  private var firstWeekStart: Int { Weekday(dayNumber: 0).days(until: weekStart) }

  private func isOnBeat(_ period: Int) -> Bool {
    guard interval > 1, let anchor else { return true }
    return (period - self.period(ofDay: anchor.day)).isMultiple(of: interval)
  }

  private func daysOf(period: Int) -> Range<Int> {
    switch frequency {
    case .daily:
      return period..<period + 1
    case .weekly:
      let first = firstWeekStart + period * 7
      return first..<first + 7
    case .monthly:
      let (year, month) = (period.dividedDown(by: 12), period.remainder(above: 12) + 1)
      return Self.days(ofMonth: month, year: year)
    case .yearly:
      guard let first = CivilDate(year: period, month: 1, day: 1)?.dayNumber else { return 0..<0 }
      return first..<first + CivilDate.length(ofYear: period)
    }
  }

  private static func days(ofMonth month: Int, year: Int) -> Range<Int> {
    guard let first = CivilDate(year: year, month: month, day: 1)?.dayNumber else { return 0..<0 }
    return first..<first + CivilDate.length(ofMonth: month, year: year)
  }

  private func allStarts(inPeriod period: Int) -> [WallTime] {
    let days = daysOf(period: period).filter(matches)
    let starts = days.flatMap { day in minutes.map { WallTime(day: day, minute: $0) } }
    guard !positions.isEmpty else { return starts }
    let chosen = positions.map { $0 > 0 ? $0 - 1 : starts.count + $0 }
    return starts.indices.filter(chosen.contains).map { starts[$0] }
  }
}

// MARK: - Filters

extension Recurrence {
  private func matches(_ day: Int) -> Bool {
    let weekday = Weekday(dayNumber: day)
    guard days.isEmpty || days.contains(where: { $0.weekday == weekday }) else { return false }
    guard !months.isEmpty || !monthDays.isEmpty || days.contains(where: { $0.ordinal != 0 }) else {
      return true
    }
    let date = CivilDate(dayNumber: day)
    return (months.isEmpty || months.contains(date.month)) && matchesMonthDay(date)
      && (days.isEmpty || days.contains { matches($0, weekday, date) })
  }

  private func matchesMonthDay(_ date: CivilDate) -> Bool {
    guard !monthDays.isEmpty else { return true }
    let fromEnd = date.day - CivilDate.length(ofMonth: date.month, year: date.year) - 1
    return monthDays.contains(date.day) || monthDays.contains(fromEnd)
  }

  private func matches(_ wanted: Day, _ weekday: Weekday, _ date: CivilDate) -> Bool {
    guard wanted.weekday == weekday else { return false }
    guard wanted.ordinal != 0 else { return true }
    let span = ordinalSpan(date)
    let place = date.dayNumber - span.lowerBound
    return wanted.ordinal > 0
      ? place / 7 + 1 == wanted.ordinal
      : (span.count - 1 - place) / 7 + 1 == -wanted.ordinal
  }

  /// What ordinals count in: the month, or the year of a yearly rule without BYMONTH.
  private func ordinalSpan(_ date: CivilDate) -> Range<Int> {
    if frequency == .yearly, months.isEmpty { return daysOf(period: date.year) }
    return Self.days(ofMonth: date.month, year: date.year)
  }
}

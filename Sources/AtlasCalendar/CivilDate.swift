/// A day of the Gregorian calendar, without a zone.
package struct CivilDate: Hashable, Sendable, Comparable {
  package let year: Int
  /// 1 to 12.
  package let month: Int
  /// 1 to the length of the month.
  package let day: Int

  /// - Returns: nil when the calendar has no such day, or it lies outside the years 1970 to 2999,
  ///   in which nobody plans maintenance.
  package init?(year: Int, month: Int, day: Int) {
    guard
      (1970...2999).contains(year), (1...12).contains(month), day >= 1,
      day <= Self.length(ofMonth: month, year: year)
    else { return nil }
    self.init(unchecked: year, month, day)
  }

  private init(unchecked year: Int, _ month: Int, _ day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The day `number` days after 1970-01-01.
  ///
  /// Counts in eras of 400 years, whose 146,097 days repeat exactly, with years that begin in
  /// March, so that the leap day is the last of its year.
  package init(dayNumber number: Int) {
    let shifted = number + 719_468
    let era = shifted.dividedDown(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    self.init(unchecked: year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  /// Days since 1970-01-01.
  package var dayNumber: Int {
    let marchYear = month <= 2 ? year - 1 : year
    let era = marchYear.dividedDown(by: 400)
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  package var weekday: Weekday { Weekday(dayNumber: dayNumber) }

  package static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    case _: 31
    }
  }

  package static func length(ofYear year: Int) -> Int { isLeap(year) ? 366 : 365 }

  private static func isLeap(_ year: Int) -> Bool {
    year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
  }

  package static func < (left: CivilDate, right: CivilDate) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }
}

/// A day of the week; ISO 8601 numbers, Monday first.
package enum Weekday: Int, Hashable, Sendable, CaseIterable {
  case monday, tuesday, wednesday, thursday, friday, saturday, sunday

  /// The weekday of the day `number` days after 1970-01-01, a Thursday.
  package init(dayNumber number: Int) {
    self = Self.allCases[(number + 3).remainder(above: 7)]
  }

  /// Reads an English name or its beginning from two letters on: `Sa`, `Sat`, `Saturday`.
  package init?(text: some StringProtocol) {
    let wanted = text.lowercased()
    guard wanted.utf8.count >= 2 else { return nil }
    guard let day = Self.allCases.first(where: { $0.name.lowercased().hasPrefix(wanted) }) else {
      return nil
    }
    self = day
  }

  /// The English name, capitalised.
  package var name: String {
    switch self {
    case .monday: "Monday"
    case .tuesday: "Tuesday"
    case .wednesday: "Wednesday"
    case .thursday: "Thursday"
    case .friday: "Friday"
    case .saturday: "Saturday"
    case .sunday: "Sunday"
    }
  }

  /// How many days after this one `other` comes next, 0 to 6.
  package func days(until other: Weekday) -> Int {
    (other.rawValue - rawValue).remainder(above: 7)
  }
}

extension Int {
  /// The quotient rounded down, also below zero.
  package func dividedDown(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }

  /// The remainder that belongs to ``dividedDown(by:)``: 0 to `divisor` - 1.
  package func remainder(above divisor: Int) -> Int {
    let remainder = self % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}

/// Timestamps as text (RFC 3339), in the proleptic Gregorian calendar, without Foundation.
enum CivilTime {
  /// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, in seconds since 1970.
  static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

  /// `2026-11-22T17:09:00.25Z`; the fraction has 0, 3, 6 or 9 digits. Nil outside ``range``.
  static func text(seconds: Int64, nanos: Int32) -> String? {
    guard range.contains(seconds), (0..<1_000_000_000).contains(nanos) else { return nil }
    let (day, second) = seconds.flooredQuotientAndRemainder(by: 86_400)
    let (year, month, dayOfMonth) = date(daysSinceEpoch: day)
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2) + "T"
      + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2)
      + fraction(nanos) + "Z"
  }

  /// Reads RFC 3339 with `Z` or an offset; nil if `text` is none.
  static func parse(_ text: String) -> (seconds: Int64, nanos: Int32)? {
    var scanner = Scanner(text)
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2),
      scanner.take("-"), let day = scanner.number(2), scanner.take("T") || scanner.take("t"),
      let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2),
      scanner.take(":"), let second = scanner.number(2), let nanos = scanner.fraction(),
      let offset = scanner.offset(), scanner.isAtEnd,
      (1...12).contains(month), (1...days(in: month, of: year)).contains(day),
      hour < 24, minute < 60, second < 60
    else { return nil }
    let days = daysSinceEpoch(year: year, month: month, day: day)
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    return range.contains(seconds) ? (seconds, nanos) : nil
  }

  /// `.25` as `.250`: 0, 3, 6 or 9 digits.
  static func fraction(_ nanos: Int32) -> String {
    if nanos == 0 { return "" }
    if nanos % 1_000_000 == 0 { return "." + padded(Int64(nanos / 1_000_000), 3) }
    if nanos % 1000 == 0 { return "." + padded(Int64(nanos / 1000), 6) }
    return "." + padded(Int64(nanos), 9)
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  private static func isLeap(_ year: Int64) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1970-01-01. Years are counted from March, so that the leap day ends a year and the
  /// months before it always have the same lengths.
  private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month > 2 ? year : year - 1
    let shiftedMonth = (month + 9) % 12
    let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
    let (era, yearOfEra) = shiftedYear.flooredQuotientAndRemainder(by: 400)
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func date(
    daysSinceEpoch days: Int64
  ) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(by: 146_097)
    let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
    let yearOfEra = (dayOfEra - leapDays) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }

  /// Reads fixed-width numbers and marks.
  struct Scanner {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest.removeFirst()
      return true
    }

    /// Exactly `width` digits.
    mutating func number(_ width: Int) -> Int64? {
      var value: Int64 = 0
      for _ in 0..<width {
        guard let digit = takeDigit() else { return nil }
        value = value * 10 + digit
      }
      return value
    }

    /// Nothing, or a point and 1 to 9 digits, in nanoseconds.
    mutating func fraction() -> Int32? {
      guard take(".") else { return 0 }
      var value: Int64 = 0
      var digits = 0
      while digits < 9, let digit = takeDigit() {
        value = value * 10 + digit
        digits += 1
      }
      if digits == 0 { return nil }
      for _ in digits..<9 { value *= 10 }
      return Int32(value)
    }

    /// `Z`, `+02:00`, `-05:30`, in seconds east of UTC.
    mutating func offset() -> Int64? {
      if take("Z") || take("z") { return 0 }
      let sign: Int64
      if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
      guard let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
      else { return nil }
      return sign * (hours * 3600 + minutes * 60)
    }

    /// One to `width` digits.
    mutating func upTo(_ width: Int) -> Int64? {
      guard var value = takeDigit() else { return nil }
      for _ in 1..<width {
        guard let digit = takeDigit() else { break }
        value = value * 10 + digit
      }
      return value
    }

    private mutating func takeDigit() -> Int64? {
      guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      else { return nil }
      rest.removeFirst()
      return Int64(byte - UInt8(ascii: "0"))
    }
  }
}

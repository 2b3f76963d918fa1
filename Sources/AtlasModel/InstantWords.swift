extension Instant {
  /// As people read it in sentences: `2026-11-22 01:20 UTC`. Seconds are cut off.
  package var words: String {
    let minutes = Self.floorDivide(milliseconds, by: 60_000)
    let (year, month, day) = Self.date(ofDay: Self.floorDivide(minutes, by: 1_440))
    let ofDay = minutes - Self.floorDivide(minutes, by: 1_440) * 1_440
    let date = "\(year)-\(Self.two(month))-\(Self.two(day))"
    return "\(date) \(Self.two(ofDay / 60)):\(Self.two(ofDay % 60)) UTC"
  }

  /// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar;
  /// by eras of 400 years that begin in March, so that the leap day is a year's last.
  private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = floorDivide(shifted, by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
    value >= 0 ? value / divisor : (value + 1) / divisor - 1
  }

  private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

import AtlasModel

/// The parts of an RRULE, `FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22`, checked one by one.
struct RecurrenceParts {
  private var values: [String: Substring] = [:]

  private static let supported = [
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR",
    "BYMINUTE", "BYSECOND", "BYSETPOS",
  ]

  init(_ text: Substring) throws(WindowError) {
    for part in text.split(separator: ";") {
      let name = part.prefix { $0 != "=" }.uppercased()
      guard Self.supported.contains(name) else {
        throw .unsupportedPart(name, instead: Self.advice(name))
      }
      guard values[name] == nil else { throw .repeatedPart(name) }
      values[name] = part.drop { $0 != "=" }.dropFirst()
    }
  }

  private static func advice(_ name: String) -> String {
    if let meant = Spelling.nearest(to: name, among: supported) { return "did you mean \(meant)?" }
    return "write the days with BYDAY, BYMONTHDAY and BYMONTH"
  }

  /// Puts the parts together, taking from `anchor` (DTSTART) what they leave open.
  func recurrence(anchor: WallTime?, zone: Zone) throws(WindowError) -> Recurrence {
    var rule = Recurrence(frequency: try frequency(), minutes: try minutes(anchor: anchor))
    rule.anchor = anchor
    rule.interval = try number("INTERVAL", in: 1...366) ?? 1
    rule.days = try days(rule.frequency)
    rule.monthDays = try numbers("BYMONTHDAY", in: -31...31)
    rule.months = try numbers("BYMONTH", in: 1...12)
    rule.positions = try numbers("BYSETPOS", in: -366...366)
    if let start = values["WKST"] { rule.weekStart = try weekday(start, of: "WKST") }
    rule.end = try end(zone: zone)
    if rule.frequency == .weekly, !rule.monthDays.isEmpty {
      throw .unsupportedPart("BYMONTHDAY in a weekly rule", instead: "write FREQ=MONTHLY")
    }
    if anchor == nil { try requireNoAnchor(rule) }
    try fillDays(&rule)
    return rule
  }

  /// Intervals and counts have to begin somewhere.
  private func requireNoAnchor(_ rule: Recurrence) throws(WindowError) {
    let needing = rule.interval > 1 ? "INTERVAL" : values["COUNT"] == nil ? nil : "COUNT"
    guard let needing else { return }
    throw .missingPart(
      "DTSTART", because: "\(needing) is counted from it: add DTSTART:20260103T220000")
  }

  /// Days that the rule leaves open are those of the first start.
  private func fillDays(_ rule: inout Recurrence) throws(WindowError) {
    guard rule.days.isEmpty, rule.monthDays.isEmpty, rule.frequency != .daily else { return }
    guard let anchor = rule.anchor else {
      throw .missingPart("the days", because: "add BYDAY=SA, BYMONTHDAY=15 or DTSTART")
    }
    let date = CivilDate(dayNumber: anchor.day)
    switch rule.frequency {
    case .daily: break
    case .weekly: rule.days = [Recurrence.Day(weekday: date.weekday)]
    case .monthly: rule.monthDays = [date.day]
    case .yearly:
      rule.monthDays = [date.day]
      if rule.months.isEmpty { rule.months = [date.month] }
    }
  }
}

// MARK: - Single parts

extension RecurrenceParts {
  private func frequency() throws(WindowError) -> Recurrence.Frequency {
    guard let text = values["FREQ"] else {
      throw .missingPart("FREQ", because: "write FREQ=WEEKLY or FREQ=MONTHLY")
    }
    guard let frequency = Recurrence.Frequency(rawValue: text.uppercased()) else {
      throw .badPart("FREQ", text, expected: "DAILY, WEEKLY, MONTHLY or YEARLY")
    }
    return frequency
  }

  /// BYHOUR times BYMINUTE, as minutes of the day.
  private func minutes(anchor: WallTime?) throws(WindowError) -> [Int] {
    let seconds = try numbers("BYSECOND", in: 0...59)
    guard seconds.allSatisfy({ $0 == 0 }) else {
      throw .unsupportedPart("BYSECOND", instead: "windows begin on whole minutes")
    }
    var hours = try numbers("BYHOUR", in: 0...23)
    var minutes = try numbers("BYMINUTE", in: 0...59)
    let first = anchor.map { $0.secondOfDay / 60 }
    if minutes.isEmpty { minutes = [(first ?? 0) % 60] }
    if hours.isEmpty {
      guard let first else {
        throw .missingPart("the time", because: "add BYHOUR=22, or DTSTART:20260103T220000")
      }
      hours = [first / 60]
    }
    guard hours.count * minutes.count <= Self.startsPerDay else {
      throw .tooManyStarts(hours.count * minutes.count, limit: Self.startsPerDay)
    }
    return hours.flatMap { hour in minutes.map { hour * 60 + $0 } }
  }

  /// More are no maintenance windows.
  private static let startsPerDay = 24

  /// `SA,2SU,-1MO`; ordinals only where the standard allows them.
  private func days(_ frequency: Recurrence.Frequency) throws(WindowError) -> [Recurrence.Day] {
    guard let list = values["BYDAY"] else { return [] }
    var days: [Recurrence.Day] = []
    for text in list.split(separator: ",", omittingEmptySubsequences: false) {
      let weekday = try weekday(text.suffix(2), of: "BYDAY")
      let number = text.dropLast(2)
      guard let ordinal = number.isEmpty ? 0 : Int(number), (-53...53).contains(ordinal) else {
        throw .badPart("BYDAY", text, expected: "days such as SA, 2SA or -1SU")
      }
      guard number.isEmpty || (ordinal != 0 && [.monthly, .yearly].contains(frequency)) else {
        throw .badPart("BYDAY", text, expected: "FREQ=MONTHLY with a numbered day such as 2SA")
      }
      days.append(Recurrence.Day(ordinal: ordinal, weekday: weekday))
    }
    return days
  }

  private func weekday(_ text: Substring, of name: String) throws(WindowError) -> Weekday {
    guard text.utf8.count == 2, let day = Weekday(text: text) else {
      throw .badPart(name, text, expected: "MO, TU, WE, TH, FR, SA or SU")
    }
    return day
  }

  private func end(zone: Zone) throws(WindowError) -> Recurrence.End {
    if let text = values["UNTIL"] {
      guard values["COUNT"] == nil else {
        throw .unsupportedPart("UNTIL together with COUNT", instead: "write one of them")
      }
      return .until(try until(text, zone: zone))
    }
    return try number("COUNT", in: 1...10_000).map { .count($0) } ?? .never
  }

  /// A date alone includes that day; a `Z` is UTC, turned into what the zone's clocks show then.
  private func until(_ text: Substring, zone: Zone) throws(WindowError) -> WallTime {
    let stamp = try DateStamp(text, of: "UNTIL")
    if stamp.isDate { return WallTime(day: stamp.time.day, minute: WallTime.minutesPerDay - 1) }
    return stamp.isUTC ? zone.wallTime(at: Zone.utc.instant(of: stamp.time)) : stamp.time
  }

  private func number(_ name: String, in range: ClosedRange<Int>) throws(WindowError) -> Int? {
    guard let text = values[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .badPart(
        name, text, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Sorted, each once; 0 is not a place in anything that is also counted from the end.
  private func numbers(
    _ name: String, in range: ClosedRange<Int>
  ) throws(WindowError) -> [Int] {
    guard let list = values[name] else { return [] }
    var numbers: Set<Int> = []
    for text in list.split(separator: ",", omittingEmptySubsequences: false) {
      guard
        let number = Int(text), range.contains(number), number != 0 || range.lowerBound >= 0
      else {
        throw .badPart(
          name, list, expected: "numbers from \(range.lowerBound) to \(range.upperBound)")
      }
      numbers.insert(number)
    }
    return numbers.sorted()
  }
}

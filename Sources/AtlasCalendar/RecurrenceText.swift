import AtlasModel

/// Reads `RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22 DURATION:PT8H`: one recurrence of RFC 5545 with
/// a length, and optionally the first start (`DTSTART:20260103T220000`, also with `;TZID=`).
enum RecurrenceText {
  /// Whether `text` is meant as a recurrence rather than as the shorthand, in which no word that
  /// begins with a letter has a colon, and nothing equals anything.
  static func isOne(_ text: Substring) -> Bool {
    var isName = true
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "="): return true
      case UInt8(ascii: ":") where isName: return true
      case 0...0x20: isName = true
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): break
      case _: isName = false
      }
    }
    return false
  }

  static func part(_ text: Substring, zone: Zone) throws(WindowError) -> WindowRule.Part {
    let (body, ownZone) = ShorthandText.splitZone(text)
    var zone = zone
    if let ownZone { zone = try Zone(String(ownZone)) }
    let properties = try properties(body)
    guard let rule = properties["RRULE"] else {
      throw .missingPart("RRULE", because: "write RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22")
    }
    guard let durationText = properties["DURATION"]?.value else { throw .missingDuration }

    var anchor: WallTime?
    if let start = properties["DTSTART"] {
      (anchor, zone) = try self.start(start, zone: zone)
    }
    let recurrence = try RecurrenceParts(rule.value).recurrence(anchor: anchor, zone: zone)
    let length = try length(durationText, of: recurrence)
    guard recurrence.occurs(withinYears: yearsAhead) else { throw .neverOccurs }
    return .recurring(recurrence, length, zone)
  }

  /// A leap day that must also be a certain weekday comes at least once in forty years.
  static let yearsAhead = 40

  private struct Property {
    var parameters: Substring
    var value: Substring
  }

  /// Splits `NAME;parameters:value` words into properties; a bare `FREQ=…` is an RRULE.
  private static func properties(_ text: Substring) throws(WindowError) -> [String: Property] {
    var properties: [String: Property] = [:]
    for word in text.split(whereSeparator: \.isWhitespace) {
      let isBare = word.uppercased().hasPrefix("FREQ=")
      let colon = word.firstIndex(of: ":") ?? word.endIndex
      let head = isBare ? "RRULE" : word[..<colon]
      let name = head.prefix { $0 != ";" }.uppercased()
      guard ["RRULE", "DURATION", "DTSTART"].contains(name) else {
        throw .unsupportedPart(name, instead: advice(name))
      }
      guard properties[name] == nil else { throw .repeatedPart(name) }
      properties[name] = Property(
        parameters: head.dropFirst(name.count), value: isBare ? word : word[colon...].dropFirst())
    }
    return properties
  }

  private static func advice(_ name: String) -> String {
    switch name {
    case "EXDATE", "EXRULE": "write the days on which nothing may happen as freezes"
    case "RDATE": "write another window for these days"
    case "DTEND": "write the length instead, such as DURATION:PT8H"
    case _: "a window has RRULE, DURATION and perhaps DTSTART, separated by spaces"
    }
  }
}

// MARK: - DTSTART and DURATION

extension RecurrenceText {
  private static func start(
    _ property: Property, zone: Zone
  ) throws(WindowError) -> (WallTime, Zone) {
    var zone = zone
    let parameters = property.parameters
    if !parameters.isEmpty {
      guard parameters.uppercased().hasPrefix(";TZID=") else {
        throw .unsupportedPart("DTSTART\(parameters)", instead: "write DTSTART;TZID=Europe/Paris:…")
      }
      zone = try Zone(String(parameters.dropFirst(";TZID=".count)))
    }
    let stamp = try DateStamp(property.value, of: "DTSTART")
    if stamp.isUTC { zone = .utc }
    guard stamp.time.seconds.isMultiple(of: 60) else {
      throw .badPart("DTSTART", property.value, expected: "a whole minute")
    }
    return (stamp.time, zone)
  }

  /// `PT8H`, `P1DT30M` or `P1W`; longer than nothing, shorter than what it repeats after.
  private static func length(
    _ text: Substring, of recurrence: Recurrence
  ) throws(WindowError) -> WindowRule.Length {
    guard let (days, seconds) = amounts(text), days > 0 || seconds > 0 else {
      throw .badPart("DURATION", text, expected: "a length such as PT8H, PT7H30M or P2DT9H")
    }
    let total = Duration.seconds(days * WallTime.secondsPerDay + seconds)
    guard total <= WindowRule.Length.longest else {
      throw .badPart("DURATION", text, expected: "at most \(WindowRule.Length.longest.text)")
    }
    guard total < recurrence.repetition else {
      throw .longerThanRepetition(total, recurrence.repetition)
    }
    return .lasting(days: days, seconds: seconds)
  }

  /// Units in the order of the standard, each at most once, each with at most four digits: weeks
  /// and days before the T, times behind it.
  private static func amounts(_ text: Substring) -> (days: Int, seconds: Int)? {
    let text = text.uppercased()
    let halves = text.dropFirst().split(separator: "T", omittingEmptySubsequences: false)
    guard
      text.first == "P", (1...2).contains(halves.count),
      let days = sum(halves[0], units: [("W", 7), ("D", 1)])
    else { return nil }
    guard halves.count == 2 else { return (days, 0) }
    guard
      !halves[1].isEmpty,
      let seconds = sum(halves[1], units: [("H", 3_600), ("M", 60), ("S", 1)])
    else { return nil }
    return (days, seconds)
  }

  private static func sum(_ text: Substring, units: [(letter: Character, size: Int)]) -> Int? {
    var rest = text
    var total = 0
    for unit in units {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard rest.dropFirst(digits.count).first == unit.letter else { continue }
      guard digits.count <= 4, let amount = Int(digits) else { return nil }
      total += amount * unit.size
      rest = rest.dropFirst(digits.count + 1)
    }
    return rest.isEmpty ? total : nil
  }
}

extension Recurrence {
  /// The shortest time after which the rule's period comes again; a daily rule for certain days
  /// is as good as a weekly one.
  fileprivate var repetition: Duration {
    let days =
      switch frequency {
      case .daily: self.days.isEmpty && monthDays.isEmpty ? 1 : 7
      case .weekly: 7
      case .monthly: 28
      case .yearly: 365
      }
    return .seconds(days * interval * WallTime.secondsPerDay)
  }
}

/// A date with or without a time, as RFC 5545 writes it: `20260103`, `20260103T220000`, and with
/// a `Z` when it is UTC.
struct DateStamp {
  let time: WallTime
  let isUTC: Bool
  /// No time of day was given.
  let isDate: Bool

  init(_ text: Substring, of name: String) throws(WindowError) {
    let digits = text.utf8.prefix(8).compactMap(\.digit)
    let clock = text.utf8.dropFirst(9).prefix(6).compactMap(\.digit)
    let rest = text.utf8.dropFirst(15)
    isDate = text.utf8.count == 8
    isUTC = rest.elementsEqual("Z".utf8) || rest.elementsEqual("z".utf8)
    guard
      digits.count == 8, let date = Self.date(digits),
      isDate
        || (clock.count == 6 && text.utf8.dropFirst(8).first == UInt8(ascii: "T")
          && (rest.isEmpty || isUTC)),
      let second = isDate ? 0 : Self.second(clock)
    else { throw .badPart(name, text, expected: "20260103T220000") }
    time = WallTime(seconds: date.dayNumber * WallTime.secondsPerDay + second)
  }

  private static func date(_ digits: [Int]) -> CivilDate? {
    CivilDate(
      year: digits[0] * 1_000 + digits[1] * 100 + digits[2] * 10 + digits[3],
      month: digits[4] * 10 + digits[5], day: digits[6] * 10 + digits[7])
  }

  private static func second(_ digits: [Int]) -> Int? {
    let (hour, minute) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
    let second = digits[4] * 10 + digits[5]
    guard hour < 24, minute < 60, second < 60 else { return nil }
    return (hour * 60 + minute) * 60 + second
  }
}

extension UInt8 {
  /// The value of an ASCII digit.
  var digit: Int? {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) ? Int(self - UInt8(ascii: "0")) : nil
  }
}

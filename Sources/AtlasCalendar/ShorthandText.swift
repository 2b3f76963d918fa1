import AtlasModel

/// Reads one part of the shorthand, such as `Sat 22:00-06:00` or `Fri 20:00-Mon 05:00`.
enum ShorthandText {
  static func part(_ text: Substring, zone: Zone) throws(WindowError) -> WindowRule.Part {
    let (body, ownZone) = splitZone(text)
    var zone = zone
    if let ownZone { zone = try Zone(String(ownZone)) }
    guard body.lowercased() != "always" else { return .always }

    let words = words(body)
    guard words.count >= 4, words[2] == "-" else { throw .notUnderstood(text.trimmed) }
    let endsOnNamedDay = words[3].first?.isLetter ?? false
    switch words.count {
    case 4 where !endsOnNamedDay:
      return try weekly(words[0], words[1], to: words[3], whole: body, zone: zone)
    case 5 where endsOnNamedDay:
      return try spanning(words[0], words[1], to: words[3], words[4], whole: body, zone: zone)
    case 5:
      // A zone without a slash, such as CET: says what to write instead.
      throw .unknownZone(String(words[4]), nearest: nil)
    case _:
      throw .notUnderstood(text.trimmed)
    }
  }

  /// Cuts off a zone at the end, bare or in brackets: the last word, if it has a slash or is UTC.
  static func splitZone(_ text: Substring) -> (body: Substring, zone: Substring?) {
    let text = text.trimmed
    guard let space = text.lastIndex(where: \.isWhitespace) else { return (text, nil) }
    var word = text[text.index(after: space)...]
    if word.hasPrefix("("), word.hasSuffix(")") { word = word.dropFirst().dropLast() }
    guard
      word == "UTC" || word.contains("/"), let first = word.first, first.isLetter,
      !word.contains("=")
    else { return (text, nil) }
    return (text[..<space].trimmed, word)
  }

  /// The words of a part: `Mon-Fri`, `20:00`, `-`, `04:00`.
  ///
  /// The dash behind a time is a word of its own; dashes and commas between weekdays belong to
  /// them, with or without spaces. Dashes that word processors make are dashes too.
  private static func words(_ text: Substring) -> [Substring] {
    var spaced = ""
    var joinsNext = false
    for character in text {
      if character.isWhitespace, joinsNext { continue }
      joinsNext = false
      guard character == "," || "-–—".contains(character) else {
        spaced.append(character)
        continue
      }
      while spaced.last?.isWhitespace ?? false { spaced.removeLast() }
      if spaced.last?.isNumber ?? false {
        spaced += " - "
      } else {
        spaced.append(character == "," ? "," : "-")
        joinsNext = true
      }
    }
    return spaced.split(whereSeparator: \.isWhitespace)
  }
}

// MARK: - Parts

extension ShorthandText {
  /// `Sat,Sun 22:00-06:00`: ends on the same day, or on the next when it ends earlier than it
  /// begins.
  private static func weekly(
    _ days: Substring, _ begin: Substring, to end: Substring, whole: Substring, zone: Zone
  ) throws(WindowError) -> WindowRule.Part {
    let days = try weekdays(days)
    let begin = try minute(begin, latest: WallTime.minutesPerDay - 1)
    let end = try minute(end, latest: WallTime.minutesPerDay)
    guard begin != end else { throw .zeroLength(whole) }
    let length = WindowRule.Length.until(minute: end, daysLater: end < begin ? 1 : 0)
    return .recurring(weekly(on: days, at: begin), length, zone)
  }

  /// `Fri 20:00-Mon 05:00`: at most a week long.
  private static func spanning(
    _ firstDay: Substring, _ begin: Substring, to lastDay: Substring, _ end: Substring,
    whole: Substring, zone: Zone
  ) throws(WindowError) -> WindowRule.Part {
    let first = try weekdays(firstDay)
    let last = try weekdays(lastDay)
    guard first.count == 1, last.count == 1 else { throw .severalDaysToOneEnd(whole) }
    let begin = try minute(begin, latest: WallTime.minutesPerDay - 1)
    let end = try minute(end, latest: WallTime.minutesPerDay)
    var daysLater = first[0].days(until: last[0])
    guard daysLater != 0 || begin != end else { throw .zeroLength(whole) }
    if daysLater == 0, end < begin { daysLater = 7 }
    return .recurring(
      weekly(on: first, at: begin), .until(minute: end, daysLater: daysLater), zone)
  }

  private static func weekly(on days: [Weekday], at minute: Int) -> Recurrence {
    Recurrence(
      frequency: .weekly, minutes: [minute], days: days.map { Recurrence.Day(weekday: $0) })
  }
}

// MARK: - Words

extension ShorthandText {
  /// `Sat`, `Mon-Fri`, `Sat,Sun`, `Fri-Mon,Wed` or `daily`; in the order of the week, each once.
  private static func weekdays(_ text: Substring) throws(WindowError) -> [Weekday] {
    guard text.lowercased() != "daily" else { return Weekday.allCases }
    var found: Set<Weekday> = []
    for range in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = range.split(separator: "-", omittingEmptySubsequences: false)
      let first = try weekday(ends[0])
      guard ends.count <= 2 else { throw .unknownWeekday(range) }
      let last = ends.count == 2 ? try weekday(ends[1]) : first
      for step in 0...first.days(until: last) {
        found.insert(Weekday.allCases[(first.rawValue + step) % 7])
      }
    }
    return Weekday.allCases.filter(found.contains)
  }

  private static func weekday(_ text: Substring) throws(WindowError) -> Weekday {
    guard let day = Weekday(text: text) else { throw .unknownWeekday(text) }
    return day
  }

  /// `22:00` as minutes since midnight.
  private static func minute(_ text: Substring, latest: Int) throws(WindowError) -> Int {
    let halves = text.split(separator: ":", omittingEmptySubsequences: false)
    guard
      halves.count == 2, (1...2).contains(halves[0].utf8.count), halves[1].utf8.count == 2,
      text.utf8.allSatisfy({ (0x30...0x3a).contains($0) }),
      let hour = Int(halves[0]), let minute = Int(halves[1]), minute < 60,
      hour * 60 + minute <= latest
    else { throw .badTime(text) }
    return hour * 60 + minute
  }
}

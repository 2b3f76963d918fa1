import AtlasModel

/// A maintenance window that has been read and understood: what one line of the fleet's file says.
///
/// Two notations are read.
///
/// The **shorthand** is local wall time at both ends: `Sat 22:00-06:00` lasts an hour longer in
/// the night in which clocks are turned back. Its parts, separated by `;` or `|`, are
/// `Sat 22:00-06:00`, `Mon-Fri 20:00-04:00`, `Sat,Sun 00:00-24:00`, `daily 22:00-05:00`,
/// `Fri 20:00-Mon 05:00` and `always`, each optionally followed by a zone.
///
/// An **RFC 5545** recurrence with a duration, `RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22
/// DURATION:PT8H`, optionally with a DTSTART; several are separated by `|`. As the standard wants,
/// hours of a duration are exact, days and weeks are wall time.
package struct WindowRule: Hashable, Sendable {
  enum Length: Hashable, Sendable {
    /// Until the wall clock shows this minute, so many days after the day of the start.
    case until(minute: Int, daysLater: Int)
    /// Days of wall time, then seconds of real time.
    case lasting(days: Int, seconds: Int)
  }

  enum Part: Hashable, Sendable {
    case always
    case recurring(Recurrence, Length, Zone)
  }

  let parts: [Part]

  /// Reads a rule whose times are those of `zone`, unless the rule names one itself.
  /// - Throws: ``WindowError`` for the first thing wrong with it.
  package init(parsing text: String, zone: String) throws(WindowError) {
    guard text.utf8.count <= Self.longest else { throw .tooLong(limit: Self.longest) }
    let zone = try Zone(zone)
    var parts: [Part] = []
    for piece in Self.slices(of: text) {
      parts.append(
        RecurrenceText.isOne(piece)
          ? try RecurrenceText.part(piece, zone: zone)
          : try ShorthandText.part(piece, zone: zone))
    }
    guard !parts.isEmpty else { throw .empty }
    self.parts = parts
  }

  /// The one zone that all parts name themselves, when they do, and nil otherwise.
  ///
  /// Lists of the field have no column for a zone, so it is written behind the window.
  package static func zoneNamed(in text: String) -> String? {
    let zones = Set(slices(of: text).map { ShorthandText.splitZone($0).zone })
    guard zones.count == 1, let zone = zones.first else { return nil }
    return zone.map(String.init)
  }

  /// The parts of a rule as texts, each a rule of its own.
  package static func pieces(of text: String) -> [String] {
    slices(of: text).map { String($0.trimmed) }
  }

  private static func slices(of text: String) -> [Substring] {
    text.split(separator: "|")
      .flatMap { RecurrenceText.isOne($0) ? [$0] : $0.split(separator: ";") }
      .filter { !$0.isBlank }
  }

  /// The intervals that overlap `span`, whole, unsorted.
  /// - Throws: ``WindowError`` when there are more than ``Limits/windowIntervals``.
  func intervals(overlapping span: Interval) throws(WindowError) -> [Interval] {
    var intervals: [Interval] = []
    for part in parts {
      switch part {
      case .always:
        intervals.append(span)
      case .recurring(let recurrence, let length, let zone):
        let first = zone.wallTime(at: span.start).day - length.longestDays
        let last = zone.wallTime(at: span.end).day
        for start in recurrence.starts(onDays: first, through: last) {
          let interval = length.interval(from: start, zone)
          if interval.start < span.end, span.start < interval.end, !interval.isEmpty {
            intervals.append(interval)
          }
        }
      }
      // Three times, because overlapping windows may merge into few enough.
      guard intervals.count <= 3 * Limits.windowIntervals else {
        throw .tooManyIntervals(limit: Limits.windowIntervals)
      }
    }
    return intervals
  }

  /// A rule is one line that a person wrote.
  private static let longest = 512
}

extension WindowRule.Length {
  /// The longest a window may be; longer ones are no windows but a state of things.
  static let longest = Duration.seconds(31 * WallTime.secondsPerDay)

  /// Days that a window can reach beyond the day of its start, at most.
  var longestDays: Int {
    switch self {
    case .until(_, let daysLater): daysLater + 1
    case .lasting(let days, let seconds): days + seconds / WallTime.secondsPerDay + 2
    }
  }

  func interval(from start: WallTime, _ zone: Zone) -> Interval {
    let begin = zone.instant(of: start)
    switch self {
    case .until(let minute, let daysLater):
      let end = WallTime(day: start.day + daysLater, minute: minute)
      return Interval(start: begin, end: zone.instant(of: end))
    case .lasting(let days, let seconds):
      let wall = WallTime(seconds: start.seconds + days * WallTime.secondsPerDay)
      return Interval(
        start: begin, end: (days == 0 ? begin : zone.instant(of: wall)) + .seconds(seconds))
    }
  }
}

extension StringProtocol {
  var isBlank: Bool { allSatisfy(\.isWhitespace) }

  /// Without white space at its ends.
  var trimmed: SubSequence {
    let rest = drop(while: \.isWhitespace)
    guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return rest }
    return rest[...last]
  }
}

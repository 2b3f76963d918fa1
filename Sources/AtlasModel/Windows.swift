/// When a client may be worked on, as its author wrote it.
///
/// Two notations are read: the shorthand `Sat 22:00-06:00`, and an RFC 5545 recurrence with a
/// duration, `RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22 DURATION:PT8H`. The text is kept, because it
/// is what people recognise; a calendar outside the engine turns it into intervals.
package struct MaintenanceWindow: Hashable, Sendable {
  /// The rule in one of the two notations; checked at import.
  package var rule: String

  package init(rule: String) { self.rule = rule }
}

/// A stretch of time in which a client must be left alone, whatever its windows say.
package struct Freeze: Hashable, Sendable {
  package var interval: Interval
  /// Why, for the people who ask: “year-end closing”.
  package var reason: String

  package init(interval: Interval, reason: String) {
    self.interval = interval
    self.reason = reason
  }
}

/// When windows are open in one zone: the same rule opens at other instants in another.
package struct ZoneWindows: Hashable, Sendable {
  /// IANA name.
  package var zone: String
  /// Sorted, not touching each other.
  package var windows: [Interval]

  package init(zone: String, windows: [Interval]) {
    self.zone = zone
    self.windows = windows
  }
}

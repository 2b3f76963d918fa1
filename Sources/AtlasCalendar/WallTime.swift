/// What a clock on the wall of some zone shows: a date and a time of day, without the zone.
package struct WallTime: Hashable, Sendable, Comparable {
  /// Seconds since the wall clock showed 1970-01-01 00:00.
  package let seconds: Int

  package init(seconds: Int) { self.seconds = seconds }

  /// `day` counts from 1970-01-01; `minute` from its midnight, and may lie beyond the day.
  package init(day: Int, minute: Int) {
    seconds = day * Self.secondsPerDay + minute * 60
  }

  package var day: Int { seconds.dividedDown(by: Self.secondsPerDay) }
  package var secondOfDay: Int { seconds.remainder(above: Self.secondsPerDay) }

  package static let secondsPerDay = 86_400
  package static let minutesPerDay = 1_440

  package static func < (left: WallTime, right: WallTime) -> Bool { left.seconds < right.seconds }
}

import AtlasModel
import Foundation

/// A time zone by its IANA name: turns what the clock on the wall shows into instants, and back.
package struct Zone: Hashable, Sendable {
  /// As its author wrote it, such as `Europe/Paris`.
  package let name: String
  private let rules: TimeZone

  package static let utc = Zone(name: "UTC", rules: .gmt)

  /// Takes an IANA name with a region (`Europe/Paris`, `Etc/GMT+3`), or `UTC`.
  ///
  /// Abbreviations are refused although Foundation knows some: `IST` is three zones, and `EST`
  /// never has summer time.
  /// - Throws: ``WindowError`` with the nearest known name.
  package init(_ name: String) throws(WindowError) {
    if name == "UTC" {
      self = .utc
    } else if name.utf8.contains(UInt8(ascii: "/")), let rules = TimeZone(identifier: name) {
      self.init(name: name, rules: rules)
    } else {
      throw .unknownZone(name, nearest: Self.nearest(to: name))
    }
  }

  private init(name: String, rules: TimeZone) {
    self.name = name
    self.rules = rules
  }

  /// The known zone that `name` probably means: by its spelling, or by its city alone.
  private static func nearest(to name: String) -> String? {
    let known = TimeZone.knownTimeZoneIdentifiers.sorted()
    if let whole = Spelling.nearest(to: name, among: known) { return whole }
    let city = Spelling.nearest(to: name, among: known.map(city))
    return known.first { self.city(of: $0) == city }
  }

  private static func city(of zone: String) -> String {
    String(zone[(zone.lastIndex(of: "/").map(zone.index(after:)) ?? zone.startIndex)...])
  }

  /// How far the zone's clocks are ahead of UTC at `instant`, in seconds.
  package func offset(at instant: Instant) -> Int {
    offset(atSecond: Int(instant.milliseconds).dividedDown(by: 1_000))
  }

  /// What the zone's clocks show at `instant`, without fractions of a second.
  package func wallTime(at instant: Instant) -> WallTime {
    let second = Int(instant.milliseconds).dividedDown(by: 1_000)
    return WallTime(seconds: second + offset(atSecond: second))
  }

  /// When the zone's clocks show `time`.
  ///
  /// A time that comes twice when clocks are turned back means the first. A time that is left out
  /// when they are turned forward means the moment at which they are.
  package func instant(of time: WallTime) -> Instant {
    // Offsets lie between -12 and +14 hours, so a day either side is before and after any change.
    let before = offset(atSecond: time.seconds - WallTime.secondsPerDay)
    let after = offset(atSecond: time.seconds + WallTime.secondsPerDay)
    let candidates = [time.seconds - max(before, after), time.seconds - min(before, after)]
    let second =
      candidates.first { $0 + offset(atSecond: $0) == time.seconds }
      ?? change(after: candidates[0], through: candidates[1])
    return Instant(milliseconds: Int64(second) * 1_000)
  }

  /// Whether the zone's clocks show `time` once, never or twice.
  func reading(of time: WallTime) -> WindowOpening.ClockReading {
    let before = offset(atSecond: time.seconds - WallTime.secondsPerDay)
    let after = offset(atSecond: time.seconds + WallTime.secondsPerDay)
    let moments = Set([time.seconds - before, time.seconds - after]).count {
      $0 + offset(atSecond: $0) == time.seconds
    }
    switch moments {
    case 0: return .skipped
    case 1: return .once
    case _: return .twice
    }
  }

  /// The second at which the offset becomes what it is at `late`, found by halving.
  private func change(after early: Int, through late: Int) -> Int {
    let target = offset(atSecond: late)
    var (before, from) = (early, late)
    while from - before > 1 {
      let middle = before + (from - before) / 2
      if offset(atSecond: middle) == target { from = middle } else { before = middle }
    }
    return from
  }

  private func offset(atSecond second: Int) -> Int {
    rules.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second)))
  }
}

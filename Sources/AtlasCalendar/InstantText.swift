import AtlasModel

/// A point in time as people write it: `2026-12-20`, `2026-12-20 18:00`, `2026-12-20T18:00:00Z`
/// or `2026-12-20T18:00:00+01:00` (ISO 8601, RFC 3339).
package enum InstantText {
  /// What a text says, depending on how much of it is there.
  package enum Meaning: Hashable, Sendable {
    /// A whole day of some zone, counted from 1970-01-01.
    case day(Int)
    /// What the clocks of some zone show.
    case wall(WallTime)
    case instant(Instant)
  }

  /// - Returns: nil for anything else, and for days that do not exist.
  package static func read(_ text: String) -> Meaning? {
    let bytes = Array(text.utf8)
    guard
      bytes.count >= 10, let date = date(bytes[0..<10])
    else { return nil }
    if bytes.count == 10 { return .day(date.dayNumber) }
    guard [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(bytes[10]) else {
      return nil
    }
    var rest = bytes[11...]
    guard let milliseconds = clock(&rest) else { return nil }
    let seconds = date.dayNumber * WallTime.secondsPerDay + milliseconds / 1_000
    if rest.isEmpty {
      return milliseconds.isMultiple(of: 1_000) ? .wall(WallTime(seconds: seconds)) : nil
    }
    guard let offset = offset(rest) else { return nil }
    let total = (seconds - offset) * 1_000 + milliseconds % 1_000
    return .instant(Instant(milliseconds: Int64(total)))
  }

  /// The instant in the words of `zone`, with its offset, so that it reads back exactly:
  /// `2026-12-20T18:00:00+01:00`, or `…Z` in UTC. Fractions only when there are any.
  package static func write(_ instant: Instant, in zone: Zone = .utc) -> String {
    let offset = zone.offset(at: instant)
    // Offsets of old local times have seconds, which the notation cannot say.
    guard offset.isMultiple(of: 60) else { return write(instant) }
    let milliseconds = Int(instant.milliseconds).remainder(above: 1_000)
    let wall = zone.wallTime(at: instant)
    let fraction = milliseconds == 0 ? "" : "." + padded(milliseconds, 3)
    return "\(dateText(day: wall.day))T\(clockText(wall))\(fraction)\(offsetText(offset))"
  }

  private static func dateText(day: Int) -> String {
    let date = CivilDate(dayNumber: day)
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
  }

  private static func clockText(_ time: WallTime) -> String {
    let second = time.secondOfDay
    return
      "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
  }

  private static func offsetText(_ offset: Int) -> String {
    guard offset != 0 else { return "Z" }
    let minutes = abs(offset) / 60
    return "\(offset < 0 ? "-" : "+")\(padded(minutes / 60, 2)):\(padded(minutes % 60, 2))"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

// MARK: - Reading

extension InstantText {
  private static func date(_ bytes: ArraySlice<UInt8>) -> CivilDate? {
    let parts = bytes.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard
      parts.map(\.count) == [4, 2, 2], let year = number(parts[0]), let month = number(parts[1]),
      let day = number(parts[2])
    else { return nil }
    return CivilDate(year: year, month: month, day: day)
  }

  /// Takes `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fff` off the front; milliseconds since midnight.
  private static func clock(_ rest: inout ArraySlice<UInt8>) -> Int? {
    guard
      let hour = take(2, from: &rest), hour < 24, skip(":", from: &rest),
      let minute = take(2, from: &rest), minute < 60
    else { return nil }
    var milliseconds = (hour * 60 + minute) * 60_000
    guard skip(":", from: &rest) else { return milliseconds }
    guard let second = take(2, from: &rest), second < 60 else { return nil }
    milliseconds += second * 1_000
    guard skip(".", from: &rest) else { return milliseconds }
    let digits = rest.prefix { $0.digit != nil }
    guard (1...9).contains(digits.count) else { return nil }
    rest = rest.dropFirst(digits.count)
    return milliseconds + (digits + [0x30, 0x30]).prefix(3).reduce(0) { $0 * 10 + ($1.digit ?? 0) }
  }

  /// `Z`, `+01:00` or `-0330`, in seconds.
  private static func offset(_ bytes: ArraySlice<UInt8>) -> Int? {
    if bytes.elementsEqual("Z".utf8) || bytes.elementsEqual("z".utf8) { return 0 }
    var rest = bytes
    let sign = skip("+", from: &rest) ? 1 : skip("-", from: &rest) ? -1 : 0
    guard sign != 0, let hours = take(2, from: &rest), hours <= 18 else { return nil }
    _ = skip(":", from: &rest)
    guard let minutes = take(2, from: &rest), minutes < 60, rest.isEmpty else { return nil }
    return sign * (hours * 60 + minutes) * 60
  }

  private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) -> Int? {
    guard rest.count >= count, let number = number(rest.prefix(count)) else { return nil }
    rest = rest.dropFirst(count)
    return number
  }

  private static func skip(
    _ character: Unicode.Scalar, from rest: inout ArraySlice<UInt8>
  ) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
    var number = 0
    for byte in bytes {
      guard let digit = byte.digit else { return nil }
      number = number * 10 + digit
    }
    return number
  }
}

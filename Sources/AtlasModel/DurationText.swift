/// Durations as people write them in fleets, policies and commands: `90s`, `5m`, `1h30m`, `2d`.
extension Duration {
  /// Reads a duration such as `45m`, `1h30m`, `250ms` or `0s`.
  ///
  /// Units are `d`, `h`, `m`, `s` and `ms`, each at most once and in that order; a bare number has
  /// no unit and is refused, because nobody can know which was meant. At most ten years.
  /// - Throws: ``DurationTextError`` naming what was read and what would be right.
  package init(text: String) throws(DurationTextError) {
    let units: [(suffix: String, milliseconds: Int64)] = [
      ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]
    var total: Int64 = 0
    var nextUnit = 0
    var rest = Substring(text)
    guard !rest.isEmpty else { throw DurationTextError(text: text) }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let suffix = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(suffix.count)
      guard
        let count = Int64(digits), digits.count <= 12,
        let unit = units.firstIndex(where: { $0.suffix == suffix }), unit >= nextUnit
      else { throw DurationTextError(text: text) }
      let (part, overflow) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
      guard !overflow, part <= Self.longestText, total + part <= Self.longestText else {
        throw DurationTextError(text: text)
      }
      total += part
      nextUnit = unit + 1
    }
    self = .milliseconds(total)
  }

  /// The shortest text that reads back as this duration, to the millisecond: `1h30m`, `0s`.
  package var text: String {
    var rest = milliseconds
    guard rest != 0 else { return "0s" }
    var text = rest < 0 ? "-" : ""
    rest = rest == .min ? .max : abs(rest)
    let units: [(suffix: String, milliseconds: Int64)] = [
      ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]
    for unit in units where rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.suffix)"
      rest %= unit.milliseconds
    }
    return text
  }

  /// Ten years, in milliseconds: longer than any setting that means something.
  private static var longestText: Int64 { 10 * 366 * 86_400_000 }
}

/// A text that is not a duration.
package struct DurationTextError: Error, Equatable, CustomStringConvertible {
  package let text: String

  package var description: String {
    "“\(text)” is not a duration; write a number with a unit, such as 90s, 45m, 1h30m or 2d"
  }
}

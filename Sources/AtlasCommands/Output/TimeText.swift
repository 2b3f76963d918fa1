import AtlasWire

/// Shows instants the way a person asked for.
struct TimeText: Sendable {
  var style: TimeStyle
  /// Campaign time now, in milliseconds since 1970; what relative times are relative to.
  var now: Int64
  /// Civil time where the person is.
  var local: @Sendable (Int64) -> String

  /// `12m ago`, `in 3h`, or a civil time; “-” for none.
  func text(_ timestamp: GoogleProtobuf.Timestamp?) -> String {
    guard let timestamp else { return "-" }
    switch style {
    case .relative: return relative(timestamp.millisecondsSinceEpoch)
    case .iso: return Self.iso(timestamp)
    case .local: return local(timestamp.seconds)
    }
  }

  /// A civil time even where others are relative: for clocks.
  func absolute(_ timestamp: GoogleProtobuf.Timestamp?) -> String {
    guard let timestamp else { return "-" }
    return style == .local ? local(timestamp.seconds) : Self.iso(timestamp)
  }

  /// The time of day alone, for lists of events.
  func ofDay(_ timestamp: GoogleProtobuf.Timestamp?) -> String {
    guard let timestamp else { return "        " }
    let text = style == .local ? local(timestamp.seconds) : Self.iso(timestamp)
    return String(text.dropFirst(11).prefix(8))
  }

  private func relative(_ milliseconds: Int64) -> String {
    let (distance, overflow) = milliseconds.subtractingReportingOverflow(now)
    if overflow { return "-" }
    if abs(distance) < 1000 { return "now" }
    let text = Duration.milliseconds(abs(distance)).shortText
    return distance < 0 ? "\(text) ago" : "in \(text)"
  }

  /// `2026-11-22T02:14:05Z`, without fractions.
  static func iso(_ timestamp: GoogleProtobuf.Timestamp) -> String {
    let whole = GoogleProtobuf.Timestamp(seconds: timestamp.seconds, nanos: 0)
    guard let json = try? whole.jsonString() else { return "\(timestamp.seconds)s since 1970" }
    return json.trimmingQuotes
  }
}

extension Duration {
  /// The two largest units: `3d4h`, `7h30m`, `2m5s`, `12s`; `0s` below a second.
  var shortText: String {
    let seconds = components.seconds
    let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")]
    let sign = seconds < 0 ? "-" : ""
    let size = seconds.magnitude > Int64.max.magnitude ? Int64.max : abs(seconds)
    guard let first = units.firstIndex(where: { size >= $0.0 }) else { return "0s" }
    var text = "\(sign)\(size / units[first].0)\(units[first].1)"
    if first + 1 < units.count {
      let rest = size % units[first].0 / units[first + 1].0
      if rest > 0 { text += "\(rest)\(units[first + 1].1)" }
    }
    return text
  }
}

extension GoogleProtobuf.Duration {
  /// The two largest units.
  var shortText: String { Swift.Duration(self).shortText }
}

extension String {
  /// Without the quotes of a JSON string that needs no escapes.
  var trimmingQuotes: String {
    hasPrefix("\"") && hasSuffix("\"") && count >= 2 ? String(dropFirst().dropLast()) : self
  }
}

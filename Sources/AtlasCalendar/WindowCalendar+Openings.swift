import AtlasModel

extension WindowCalendar {
  /// The next openings of a client's windows that close after `from`, with what changes of the
  /// clocks and freezes do to each.
  ///
  /// Fewer than `count` when there are no more within ten years. A time that does not exist means
  /// the moment at which the clocks are turned forward; one that comes twice means the first: so a
  /// window that ends in the repeated hour does not use it twice, and one that spans it is longer.
  /// - Parameter count: 1 to ``Limits/openings``.
  /// - Throws: ``WindowError`` for a rule that cannot be read.
  package static func openings(
    of client: ClientConfig, from: Instant, count: Int
  ) throws(WindowError) -> WindowOpenings {
    let wanted = max(1, min(count, Limits.openings))
    var rules: [(text: String, part: WindowRule.Part)] = []
    for window in client.windows {
      for piece in WindowRule.pieces(of: window.rule) {
        let rule = try WindowRule(parsing: piece, zone: client.zone)
        rules += rule.parts.map { (piece, $0) }
      }
    }
    let isAlways = rules.contains { $0.part == .always }
    // Most rules come every week or month: look a little ahead first.
    for days in [60, 800, 3_660] {
      let span = Interval(start: from, end: from + .seconds(days * WallTime.secondsPerDay))
      let found = openings(of: rules, in: span, freezes: client.freezes)
      if found.count >= wanted || days == 3_660 {
        return WindowOpenings(isAlwaysOpen: isAlways, openings: Array(found.prefix(wanted)))
      }
    }
    return WindowOpenings(isAlwaysOpen: isAlways, openings: [])
  }

  private static func openings(
    of rules: [(text: String, part: WindowRule.Part)], in span: Interval, freezes: [Freeze]
  ) -> [WindowOpening] {
    var found: [WindowOpening] = []
    for (text, part) in rules {
      guard case .recurring(let recurrence, let length, let zone) = part else { continue }
      let first = zone.wallTime(at: span.start).day - length.longestDays
      let last = zone.wallTime(at: span.end).day
      for start in recurrence.starts(onDays: first, through: last) {
        let opening = WindowOpening(
          rule: text, start: start, length: length, zone: zone, freezes: freezes)
        if span.start < opening.interval.end, opening.interval.start < span.end {
          found.append(opening)
        }
      }
    }
    return found.sorted {
      ($0.interval.start, $0.interval.end, $0.rule) < ($1.interval.start, $1.interval.end, $1.rule)
    }
  }
}

extension WindowOpening {
  fileprivate init(
    rule: String, start: WallTime, length: WindowRule.Length, zone: Zone, freezes: [Freeze]
  ) {
    let whole = length.interval(from: start, zone)
    // The end may come before the beginning where the clocks leave both out.
    let interval = Interval(start: whole.start, end: max(whole.start, whole.end))
    let cutting = freezes.filter {
      $0.interval.start < interval.end && interval.start < $0.interval.end
    }.sorted { ($0.interval.start, $0.reason) < ($1.interval.start, $1.reason) }
    self.init(
      rule: rule, interval: interval, opensOffset: zone.offset(at: interval.start),
      closesOffset: zone.offset(at: interval.end), nominal: length.nominal(from: start),
      opensAt: zone.reading(of: start), closesAt: length.closing(from: start, zone),
      freezes: cutting,
      usable: interval.isEmpty
        ? [] : WindowCalendar.subtract([interval], freezes: cutting.map(\.interval)))
  }
}

extension WindowRule.Length {
  /// As the clock on the wall shows it.
  fileprivate func nominal(from start: WallTime) -> Duration {
    switch self {
    case .until(let minute, let daysLater):
      .seconds(WallTime(day: start.day + daysLater, minute: minute).seconds - start.seconds)
    case .lasting(let days, let seconds): .seconds(days * WallTime.secondsPerDay + seconds)
    }
  }

  /// How the clocks show the end; an end that is so many hours after the beginning is no time on
  /// the wall, and comes once.
  fileprivate func closing(from start: WallTime, _ zone: Zone) -> WindowOpening.ClockReading {
    switch self {
    case .until(let minute, let daysLater):
      zone.reading(of: WallTime(day: start.day + daysLater, minute: minute))
    case .lasting(let days, let seconds):
      seconds == 0
        ? zone.reading(of: WallTime(seconds: start.seconds + days * WallTime.secondsPerDay))
        : .once
    }
  }
}

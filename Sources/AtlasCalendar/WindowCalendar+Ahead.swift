import AtlasModel

/// What windows come to from now on: for checks of what people write.
extension WindowCalendar {
  /// Refuses a window with a part that never opens again: its UNTIL is over, its COUNT is used up, or
  /// it comes only after more than forty years.
  /// - Throws: ``WindowError`` that names the part, or says why it cannot be read.
  package static func demandOpenings(
    of window: MaintenanceWindow, zone: String, after instant: Instant
  ) throws(WindowError) {
    for piece in WindowRule.pieces(of: window.rule) {
      let rule = try WindowRule(parsing: piece, zone: zone)
      guard rule.parts.allSatisfy({ $0.opens(after: instant) }) else { throw .neverAgain(piece) }
    }
  }

  /// A campaign's own windows as each of `zones` has them, as far around `now` as the windows of
  /// clients are known; sorted by zone.
  /// - Throws: ``WindowError`` as ``intervals(client:from:until:)``.
  package static func intervals(
    of window: MaintenanceWindow, zones: Set<String>, around now: Instant
  ) throws(WindowError) -> [ZoneWindows] {
    var found: [ZoneWindows] = []
    for zone in zones.sorted() {
      let bare = ClientConfig(name: ClientName(trusted: "any"), zone: zone, windows: [window])
      found.append(
        ZoneWindows(
          zone: zone,
          windows: try intervals(
            client: bare, from: now - Limits.windowPast, until: now + Limits.windowHorizon)))
    }
    return found
  }

  /// Whether two clients may ever be worked on at the same time in the next 400 days. So far that
  /// nothing is missed which comes once a year.
  /// - Throws: ``WindowError`` as ``intervals(client:from:until:)``.
  package static func meet(
    _ first: ClientConfig, _ second: ClientConfig, from now: Instant
  ) throws(WindowError) -> Bool {
    for days in [14, 60, 400] {
      let end = now + .seconds(days * WallTime.secondsPerDay)
      let own = try intervals(client: first, from: now, until: end)
      let left = subtract(own, freezes: try intervals(client: second, from: now, until: end))
      // What the other's windows take away is what both have.
      if left != own { return true }
    }
    return false
  }
}

extension WindowRule.Part {
  fileprivate func opens(after instant: Instant) -> Bool {
    guard case .recurring(let recurrence, let length, let zone) = self else { return true }
    let first = zone.wallTime(at: instant).day - length.longestDays
    return (0..<RecurrenceText.yearsAhead).contains { year in
      recurrence.starts(onDays: first + year * 366, through: first + year * 366 + 365).contains {
        let interval = length.interval(from: $0, zone)
        return !interval.isEmpty && interval.end > instant
      }
    }
  }
}

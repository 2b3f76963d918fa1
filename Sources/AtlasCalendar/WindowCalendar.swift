import AtlasModel

/// Turns what people wrote about a client's time into instants, outside the engine.
///
/// Every function is a pure function of its arguments and the zones of this Foundation.
package enum WindowCalendar {
  /// When `client` may be worked on between `from` and `until`: its windows, minus its freezes,
  /// merged, sorted and cut to that time, so that two neighbouring answers fit together.
  /// - Throws: ``WindowError`` for a rule that cannot be read, for more than
  ///   ``Limits/windowIntervals`` intervals, or for more than ten years at once.
  package static func intervals(
    client: ClientConfig, from: Instant, until: Instant
  ) throws(WindowError) -> [Interval] {
    guard from < until else { return [] }
    guard earliest <= from, until <= latest, until - from <= farthest else {
      throw .horizonTooFar
    }
    let span = Interval(start: from, end: until)
    var open: [Interval] = []
    for window in client.windows {
      let zone = Plant.windowInWrongZone.isOn ? "UTC" : client.zone
      let rule = try WindowRule(parsing: window.rule, zone: zone)
      open += try rule.intervals(overlapping: span)
    }
    let merged = merged(open.map { cut($0, to: span) }.filter { !$0.isEmpty })
    let freezes = Plant.freezesIgnored.isOn ? [] : client.freezes.map(\.interval)
    let allowed = subtract(merged, freezes: freezes)
    guard allowed.count <= Limits.windowIntervals else {
      throw .tooManyIntervals(limit: Limits.windowIntervals)
    }
    return allowed
  }

  /// The first moment at or after `from` at which a window of any client opens, within 400 days;
  /// nil when none does. Clients that are always open count only when no other window opens.
  /// - Throws: ``WindowError`` as ``intervals(client:from:until:)``.
  package static func firstOpening(
    of clients: [ClientConfig], from: Instant
  ) throws(WindowError) -> Instant? {
    var openNow = false
    for horizon in [Limits.windowHorizon, .seconds(400 * WallTime.secondsPerDay)] {
      // A moment earlier, to tell a window that opens at `from` from one that is open already.
      let before = from - .milliseconds(1)
      var first: Instant?
      for client in clients {
        let intervals = try intervals(client: client, from: before, until: from + horizon)
        openNow = openNow || intervals.contains { $0.contains(from) }
        guard let opening = intervals.first(where: { $0.start > before })?.start else { continue }
        first = min(first ?? opening, opening)
      }
      if let first { return first }
    }
    return openNow ? from : nil
  }

  /// Whether any of the clients may be worked on; windows that cannot be read are closed.
  package static func isOpen(_ clients: [ClientConfig], at instant: Instant) -> Bool {
    clients.contains { client in
      let around = try? intervals(
        client: client, from: instant, until: instant + .milliseconds(1))
      return around?.contains { $0.contains(instant) } ?? false
    }
  }

  private static let earliest = Instant(milliseconds: 0)
  /// 3000-01-01.
  private static let latest = Instant(milliseconds: 32_503_680_000_000)
  private static let farthest = Duration.seconds(3_660 * WallTime.secondsPerDay)
}

// MARK: - Sets of intervals

extension WindowCalendar {
  private static func cut(_ interval: Interval, to span: Interval) -> Interval {
    Interval(start: max(interval.start, span.start), end: min(interval.end, span.end))
  }

  /// Sorted, without empty, overlapping or touching intervals.
  private static func merged(_ intervals: [Interval]) -> [Interval] {
    var merged: [Interval] = []
    for interval in intervals.sorted(by: { $0.start < $1.start }) where !interval.isEmpty {
      if let last = merged.last, interval.start <= last.end {
        merged[merged.count - 1].end = max(last.end, interval.end)
      } else {
        merged.append(interval)
      }
    }
    return merged
  }

  /// What is left of sorted, separate intervals.
  static func subtract(_ intervals: [Interval], freezes: [Interval]) -> [Interval] {
    let freezes = merged(freezes)
    guard !freezes.isEmpty else { return intervals }
    return intervals.flatMap { interval in
      var left: [Interval] = []
      var start = interval.start
      for freeze in freezes where start < freeze.end && freeze.start < interval.end {
        left.append(Interval(start: start, end: freeze.start))
        start = freeze.end
      }
      left.append(Interval(start: start, end: interval.end))
      return left.filter { !$0.isEmpty }
    }
  }
}

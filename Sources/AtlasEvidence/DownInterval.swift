import AtlasModel

/// A stretch of time in which a server was down, or nobody could be sure that it was not.
package struct DownInterval: Hashable, Sendable {
  /// Why it was.
  package enum Cause: Hashable, Sendable {
    /// One of its own runs held a slot.
    case workedOn(run: RunName)
    /// A run of its host did.
    case guest(of: String, run: RunName)
    /// Its agent was away, and not by Atlas's order.
    case away

    /// Whether Atlas did it.
    package var isOwn: Bool {
      switch self {
      case .workedOn, .guest: true
      case .away: false
      }
    }
  }

  /// A stretch of a run's time with the slot, in words of the log.
  package struct Step: Hashable, Sendable {
    /// `IN_PROGRESS`, `PARKED` or `HELD`.
    package var state: String
    /// What is worked on, or is next for a parked run; empty for a held one.
    package var phase: String
    package var attempt: Int
    package var pass: Int
    package var start: Instant
    /// The end is not inside; nil when it is not over.
    package var end: Instant?

    package init(
      state: String, phase: String, attempt: Int, pass: Int, start: Instant, end: Instant? = nil
    ) {
      self.state = state
      self.phase = phase
      self.attempt = attempt
      self.pass = pass
      self.start = start
      self.end = end
    }
  }

  package var start: Instant
  /// The end is not inside; nil when it is not over.
  package var end: Instant?
  package var cause: Cause
  /// What was done meanwhile, by beginning; only for servers that were worked on.
  package var steps: [Step]

  package init(start: Instant, end: Instant?, cause: Cause, steps: [Step] = []) {
    self.start = start
    self.end = end
    self.cause = cause
    self.steps = steps
  }
}

/// A run, by campaign and number.
package struct RunName: Hashable, Sendable, CustomStringConvertible {
  package var campaign: String
  /// From 1.
  package var number: Int

  package init(campaign: String, number: Int) {
    self.campaign = campaign
    self.number = number
  }

  package var description: String { "run \(number) of \(campaign)" }
}

/// The largest number of servers that were down at once.
package struct Overlap: Hashable, Sendable {
  package var count = 0
  /// When so many were down for the first time; nil for none.
  package var at: Instant?
  /// Which, by name.
  package var servers: [String] = []

  package init() {}

  package init(count: Int, at: Instant?, servers: [String]) {
    self.count = count
    self.at = at
    self.servers = servers
  }
}

extension Overlap {
  /// - Parameters:
  ///   - servers: Each once, with all its intervals.
  ///   - until: Where those end that are not over.
  package init(of servers: [(name: String, intervals: [DownInterval])], until: Instant) {
    self.init()
    var edges: [(at: Instant, change: Int, server: String)] = []
    for (name, intervals) in servers {
      for stretch in intervals.stretches(until: until) {
        edges.append((stretch.start, 1, name))
        edges.append((stretch.end, -1, name))
      }
    }
    // Who ends goes first: the next server of a lane begins in the instant in which the last ends.
    edges.sort { ($0.at, $0.change, $0.server) < ($1.at, $1.change, $1.server) }
    var down: Set<String> = []
    for edge in edges {
      if edge.change < 0 {
        down.remove(edge.server)
      } else {
        down.insert(edge.server)
        if down.count > count { self.init(count: down.count, at: edge.at, servers: down.sorted()) }
      }
    }
  }
}

extension [DownInterval] {
  /// How long the server was down in all; what overlaps is counted once.
  package func downtime(until: Instant) -> Duration {
    stretches(until: until).reduce(.zero) { $0 + ($1.end - $1.start) }
  }

  /// The same times without overlaps, touching ones made one, and none that is empty.
  fileprivate func stretches(until: Instant) -> [(start: Instant, end: Instant)] {
    var found: [(start: Instant, end: Instant)] = []
    for interval in sorted(by: { $0.start < $1.start }) {
      let end = Swift.min(interval.end ?? until, until)
      guard interval.start < end else { continue }
      if let last = found.last, interval.start <= last.end {
        found[found.count - 1].end = Swift.max(last.end, end)
      } else {
        found.append((interval.start, end))
      }
    }
    return found
  }
}

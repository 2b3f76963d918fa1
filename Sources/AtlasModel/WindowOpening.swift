/// One time that a client's window opens, as its rule says and as the clocks really go.
///
/// Openings are those of the rules, one by one; where two overlap, a client is open through both.
package struct WindowOpening: Hashable, Sendable {
  /// The line of the client's windows that it comes from, without the others.
  package var rule: String
  /// When it opens and closes. Equal when the clocks leave the whole of it out: then it does not
  /// come that time.
  package var interval: Interval
  /// How far the clocks of the rule's zone are ahead of UTC then, in seconds.
  package var opensOffset: Int
  package var closesOffset: Int
  /// How long it is as written, by the clock on the wall; ``interval`` has its real length.
  package var nominal: Duration
  package var opensAt: ClockReading
  package var closesAt: ClockReading
  /// What people agreed to leave alone in it, in order.
  package var freezes: [Freeze]
  /// What remains; sorted, not touching each other. Empty when nothing does.
  package var usable: [Interval]

  /// Whether the clocks show the written time once, as on most days.
  package enum ClockReading: String, Hashable, Sendable, CaseIterable {
    case once
    /// They are turned forward over it: the moment at which they are stands for it.
    case skipped
    /// They are turned back over it, and it comes twice: the first is meant.
    case twice
  }

  package init(
    rule: String, interval: Interval, opensOffset: Int, closesOffset: Int, nominal: Duration,
    opensAt: ClockReading, closesAt: ClockReading, freezes: [Freeze], usable: [Interval]
  ) {
    self.rule = rule
    self.interval = interval
    self.opensOffset = opensOffset
    self.closesOffset = closesOffset
    self.nominal = nominal
    self.opensAt = opensAt
    self.closesAt = closesAt
    self.freezes = freezes
    self.usable = usable
  }

  package var real: Duration { interval.duration }
  /// What a change of the clocks takes from it (negative) or adds to it; zero on most days.
  package var clockChange: Duration { real - nominal }
  /// What freezes take from it.
  package var frozen: Duration { usable.reduce(real) { $0 - $1.duration } }
}

/// A client's next openings.
package struct WindowOpenings: Hashable, Sendable {
  /// It has a rule that says `always`; its openings are those of the other rules.
  package var isAlwaysOpen: Bool
  /// By the instant at which they open; one that is open already comes first.
  package var openings: [WindowOpening]

  package init(isAlwaysOpen: Bool, openings: [WindowOpening]) {
    self.isAlwaysOpen = isAlwaysOpen
    self.openings = openings
  }
}

import AtlasModel

/// How long a run has spent in each phase since it took its slot, for the history of its kinds.
package struct PhaseClock: Hashable, Sendable {
  /// What history keeps, in this order. DOWNLOAD holds no slot, and SOAK is as long as the policy
  /// says.
  package static let measured: [Phase] = [
    .preCheck, .snapshot, .update, .reboot, .postCheck, .finalize, .rollback, .verify,
  ]
  /// So many of the first of ``measured`` make an estimate: the way of a run that goes well.
  package static let ofEstimate = 6

  /// Position of a phase in ``measured``; nil for one that is not in it.
  static func place(of phase: Phase) -> Int? {
    let place = places[Int(phase.rawValue)]
    return place < 0 ? nil : place
  }

  private static let places = Phase.allCases.map { measured.firstIndex(of: $0) ?? -1 }

  /// The phase that is worked on, or that a hold has interrupted.
  package var phase: Phase?
  /// Since when; nil while nothing is worked on.
  package var since: Instant?
  /// By position in ``measured``, in milliseconds.
  package var totals = SIMD8<Int32>()
  /// By bit: it has ended at least once.
  package var ended: UInt8 = 0
  /// By bit: for some of it nobody knows how long it took.
  package var unknown: UInt8 = 0
  /// What the run was expected to take when it took its slot, and whether history said so.
  package var estimate = Duration.zero
  package var isFromHistory = false
  /// It has taken longer than that, and history had said it; told once.
  package var isLate = false

  package init() {}

  /// What a phase took in all; nil when it did not end, or nobody knows.
  func total(_ place: Int) -> Duration? {
    let bit = UInt8(1) << UInt8(place)
    guard ended & bit != 0, unknown & bit == 0 else { return nil }
    return .milliseconds(Int64(totals[place]))
  }

  mutating func enter(_ work: Work, now: Instant) {
    phase = work.phase
    since = work.phase == .update && work.step == .backoff ? nil : now
  }

  /// The phase has ended.
  mutating func end(now: Instant) {
    defer { since = nil }
    guard let since, let place = phase.flatMap(Self.place) else { return }
    ended |= 1 << UInt8(place)
    let sum = Int64(totals[place]) + max(0, (now - since).milliseconds)
    totals[place] = Int32(clamping: sum)
  }

  /// Nobody will know how long the phase took.
  mutating func lose() {
    since = nil
    guard let place = phase.flatMap(Self.place) else { return }
    unknown |= 1 << UInt8(place)
  }
}

extension ControlState {
  /// Follows a move of a run: which phase has ended, was cut off, or begins. A phase counts from
  /// the record that begins it to the one that ends it. What a stop cut off before its end does not
  /// count, nor does one during which contact was lost.
  mutating func keepTime(
    _ ref: RunRef, from: RunState, to: RunState, _ kind: RecordKind, now: Instant
  ) {
    guard !isVirtual, from.kind.holdsSlot || to.kind == .inProgress else { return }
    switch from {
    case .inProgress(let work): leavePhase(ref, work, to, now: now)
    case .held(let hold):
      if kind == .runBack, hold == .overdue { return }
      if case .held = to { return }
      self[ref].details.content.clock.lose()
    case .parked(let next) where kind == .runBack:
      self[ref].details.content.clock.phase = next
      self[ref].details.content.clock.lose()
    case .pending, .parked, .completed, .failed, .notAttempted, .skipped, .postponed: break
    }
    if case .inProgress(let work) = to { self[ref].details.content.clock.enter(work, now: now) }
    learn(from: ref, to, now: now)
  }

  private mutating func leavePhase(
    _ ref: RunRef, _ work: Work, _ to: RunState, now: Instant
  ) {
    switch to {
    case .held: break
    case .parked(let next) where next == work.phase:
      self[ref].details.content.clock.since = nil
    case .inProgress, .parked, .completed, .failed:
      self[ref].details.content.clock.end(now: now)
    case .pending, .notAttempted, .skipped, .postponed: break
    }
  }
}

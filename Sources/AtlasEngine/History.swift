import AtlasModel

/// How long servers of a kind took in each phase, in this fleet, over all campaigns.
package struct KindHistory: Hashable, Sendable {
  package let kind: ServerKind
  /// One for each of ``PhaseClock/measured``.
  package internal(set) var phases: [DurationHistogram]
  /// The sum of the 95th percentiles of the phases of a run that goes well, as it is used; nil
  /// until each of them has ``Limits/estimateSamples``.
  ///
  /// It follows what is measured upwards at once, and downwards only when that is an eighth lower:
  /// a plan must not be out of date after every server.
  package internal(set) var estimate: Duration?
  /// How often ``estimate`` has changed.
  package internal(set) var changes: UInt32 = 0

  package init(_ kind: ServerKind) {
    self.kind = kind
    phases = PhaseClock.measured.map { _ in DurationHistogram() }
  }

  /// As it was stored; see ``PhaseClock/measured`` for the order of `phases`.
  package init(
    kind: ServerKind, phases: [DurationHistogram], estimate: Duration?, changes: UInt32
  ) {
    self.kind = kind
    self.phases = phases
    self.estimate = estimate
    self.changes = changes
  }

  /// - Returns: Whether the estimate is another now.
  mutating func review() -> Bool {
    var fresh = Duration.zero
    for place in 0..<PhaseClock.ofEstimate {
      guard phases[place].samples >= Limits.estimateSamples else { return false }
      fresh += Plant.medianForEstimate.isOn ? phases[place].p50 : phases[place].p95
    }
    if let estimate, fresh <= estimate, fresh.milliseconds * 8 >= estimate.milliseconds * 7 {
      return false
    }
    estimate = fresh
    changes &+= 1
    return true
  }
}

/// Estimates from history: what a run is expected to take is the sum of the 95th percentiles of its
/// phases for its kind, the longest of them for a server with several roles. As long as one of its
/// kinds has too few samples in one phase, the policy's estimate holds: a sum of some measured
/// phases and a guess for the rest would be neither.
extension ControlState {
  /// How long a run is expected to hold its slot.
  package func estimate(of ref: RunRef) -> Duration {
    if let given = givenEstimate(of: ref) { return given }
    return learnedEstimate(of: ref) ?? policyEstimate(of: ref)
  }

  /// Says what the runs of a campaign take, by number, nil for those that history may say it of; in
  /// a state that is worked through in virtual time.
  package mutating func giveEstimates(_ campaign: CampaignID, _ byRun: [Duration?]) {
    precondition(isVirtual, "what is real is measured")
    givenEstimates = (campaign, byRun)
  }

  /// What history says about a run, with the soak of its policy; nil when it does not know enough.
  package func learnedEstimate(of ref: RunRef) -> Duration? {
    guard !histories.isEmpty else { return nil }
    var longest = Duration.zero
    for kind in profiles[Int(servers[Int(self[ref].server.index)].profile)].kinds {
      let place = historyOfKind[Int(kind)]
      guard place >= 0, let learned = histories[Int(place)].estimate else { return nil }
      longest = max(longest, learned)
    }
    return longest + rules(of: ref).serverSoak
  }

  /// In a replay, and in a plan of what could be, estimates are given.
  private func givenEstimate(of ref: RunRef) -> Duration? {
    guard isVirtual, let given = givenEstimates, given.campaign == ref.campaign,
      Int(ref.index) < given.byRun.count
    else { return nil }
    return given.byRun[Int(ref.index)]
  }

  /// The policy's estimate for servers of a kind, whatever history says.
  package func policyEstimate(of kind: ServerKind, in policy: Policy) -> Duration {
    policy.times(for: kind.role.map { [$0] } ?? []).estimate
  }

  /// Takes what a run took into the history of its server's kinds, once it has come to its end.
  /// Runs that changed nothing say nothing, unless they completed; those say nothing about UPDATE
  /// and REBOOT.
  mutating func learn(from ref: RunRef, _ end: RunState, now: Instant) {
    let hasChanged: Bool
    switch end {
    case .completed(let completion): hasChanged = completion != .noUpdates
    case .failed: hasChanged = true
    case .pending, .inProgress, .parked, .held, .notAttempted, .skipped, .postponed: return
    }
    var clock = self[ref].details.content.clock
    if hasChanged, end.kind == .completed { clock.countMissingBoot() }
    for number in profiles[Int(servers[self[ref].server].profile)].kinds {
      guard let place = history(ofKind: number) else { continue }
      for (index, phase) in PhaseClock.measured.enumerated() {
        if !hasChanged, phase == .update || phase == .reboot { continue }
        if let total = clock.total(index) { histories[place].phases[index].add(total) }
      }
      if histories[place].review() { estimatesVersion += 1 }
      emit(.save(.history(place)))
    }
  }

  /// Position of a kind's history, which is begun when there is room; nil when there is none.
  private mutating func history(ofKind number: Int32) -> Int? {
    let place = historyOfKind[Int(number)]
    if place >= 0 { return Int(place) }
    guard histories.count < Limits.measuredKinds else { return nil }
    historyOfKind[Int(number)] = Int32(histories.count)
    historyNumbers[kinds[Int(number)]] = Int32(histories.count)
    histories.append(KindHistory(kinds[Int(number)]))
    return histories.count - 1
  }

  /// Puts back what was stored; to be called before there are servers.
  mutating func load(_ stored: [KindHistory]) {
    histories = stored
    estimatesVersion = stored.reduce(0) { $0 + UInt64($1.changes) }
    for (index, history) in stored.enumerated() {
      historyNumbers[history.kind] = Int32(index)
    }
  }
}

extension PhaseClock {
  /// A run that completed without a boot took no time for one: without these, a kind that seldom
  /// boots would be estimated as if it always did.
  fileprivate mutating func countMissingBoot() {
    guard let update = Self.place(of: .update), let reboot = Self.place(of: .reboot),
      total(update) != nil, unknown & 1 << UInt8(reboot) == 0
    else { return }
    ended |= 1 << UInt8(reboot)
  }
}

/// A run that takes longer than history lets expect.
extension ControlState {
  /// Notes what the run is expected to take, and comes back when it should be done.
  mutating func expectEnd(_ ref: RunRef, now: Instant) {
    guard !isVirtual else { return }
    let learned = learnedEstimate(of: ref)
    self[ref].details.content.clock = PhaseClock()
    self[ref].details.content.clock.estimate = learned ?? policyEstimate(of: ref)
    self[ref].details.content.clock.isFromHistory = learned != nil
    armLate(ref, since: now)
  }

  /// When a run in progress is called late, as history has it now.
  mutating func armLate(_ ref: RunRef, since start: Instant) {
    guard let learned = learnedEstimate(of: ref), !self[ref].details.content.clock.isLate else {
      return
    }
    timers.add(.late(ref), at: start + learned)
  }

  mutating func lateFires(_ ref: RunRef, now: Instant) {
    guard case .inProgress = self[ref].state, !self[ref].details.content.clock.isLate,
      let start = self[ref].details.content.slotIntervals.last?.start,
      let learned = learnedEstimate(of: ref)
    else { return }
    // What is estimated may have changed, and the slot may have been given back in between.
    guard start + learned <= now else { return armLate(ref, since: start) }
    self[ref].details.content.clock.isLate = true
    warn(ref, lateText(ref, learned, now: now))
  }

  private func lateText(_ ref: RunRef, _ learned: Duration, now: Instant) -> String {
    let kinds = profiles[Int(servers[Int(self[ref].server.index)].profile)].kinds
      .map { "\(self.kinds[Int($0)])" }.joined(separator: " and ")
    let text = "it takes longer than \(learned.text), as 95 of 100 of \(kinds) do not"
    let left = misfits(of: ref, now: now)
    return left == 0
      ? text : "\(text); \(left) more of its lane may not fit into this window any more"
  }

  /// How many of the servers that wait in the lane of a run will not find room in the window that
  /// is open, if all that is in progress ended now.
  private func misfits(of ref: RunRef, now: Instant) -> Int {
    let lane = LaneRef(campaign: ref.campaign, lane: self[ref].lane)
    guard let end = windows(of: lane).open(at: now)?.end else { return 0 }
    let slots = max(1, slots(of: clientOf(ref), in: ref.campaign, now: now))
    var ahead = Duration.zero
    var count = 0
    for index in campaigns[Int(ref.campaign.index)].lanes[Int(lane.lane)].queue {
      let other = RunRef(campaign: ref.campaign, index: Int(index))
      if now + ahead / slots + timeNeeded(by: other) > end {
        count += 1
      } else {
        ahead += estimate(of: other)
      }
    }
    return count
  }
}

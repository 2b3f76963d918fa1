import AtlasModel

/// Gates: what opens the ring behind the next. A closed gate stops admissions and nothing else.
extension ControlState {
  /// Looks at the gate behind a ring, after something in the ring has changed.
  mutating func evaluateGate(_ id: CampaignID, _ ring: Ring, now: Instant) {
    guard campaigns[id].state.isRunning else { return }
    completeRing(id, ring, now: now)
    guard campaigns[id].state == .active, campaigns[id].leadsOn(ring) else { return }
    let before = campaigns[id].rings[Int(ring.number)].gate
    let after = judgeGate(id, ring, now: now)
    guard before != after else { return }
    campaigns[id].rings[Int(ring.number)].gate = after
    let kind: RecordKind
    switch after {
    case .open: kind = .gateOpened
    case .closed: kind = .gateClosed
    case .needsPerson: kind = .gateNeedsPerson
    }
    record(Record(kind, campaign: id, ring: ring, reason: gateReason(id, ring)))
    emit(.save(.campaign(id)))
    if after == .open { wakeLanes(of: id, above: ring) }
  }

  private mutating func wakeLanes(of id: CampaignID, above ring: Ring) {
    for lane in campaigns[id].lanes where lane.ring > ring && lane.open > 0 {
      markDirty(lane.client)
    }
  }

  mutating func completeRing(_ id: CampaignID, _ ring: Ring, now: Instant) {
    let progress = campaigns[id].rings[Int(ring.number)]
    let isDone = progress.counts.total > 0 && progress.counts.open == 0
    if isDone, progress.status != .completed {
      campaigns[id].rings[Int(ring.number)].status = .completed
      campaigns[id].rings[Int(ring.number)].completedAt = now
      record(Record(.ringCompleted, campaign: id, ring: ring))
      emit(.save(.campaign(id)))
    } else if !isDone, progress.status == .completed {
      // A run of the ring is tried again.
      campaigns[id].rings[Int(ring.number)].status = .active
      campaigns[id].rings[Int(ring.number)].completedAt = nil
      record(
        Record(
          .ringStarted, campaign: id, ring: ring, reason: "a server of the ring is tried again"))
      emit(.save(.campaign(id)))
    }
  }

  private mutating func judgeGate(
    _ id: CampaignID, _ ring: Ring, now: Instant
  ) -> RingProgress.Gate {
    let progress = campaigns[id].rings[Int(ring.number)]
    if progress.promoted { return .open }
    let rule = campaigns[id].gateRules[Int(ring.number)]
    let late = lateRuns(id, ring)
    guard progress.missing(rule, late: late) == nil else {
      if progress.soakingSince != nil {
        campaigns[id].rings[Int(ring.number)].soakingSince = nil
        emit(.save(.campaign(id)))
      }
      return progress.isStuck(late: late) ? .needsPerson : .closed
    }
    guard progress.soaked || soakIsOver(id, ring, rule, now: now) else { return .closed }
    if !progress.soaked {
      campaigns[id].rings[Int(ring.number)].soaked = true
      emit(.save(.campaign(id)))
    }
    switch rule.approval {
    case .auto: return .open
    case .manual: return progress.approved ? .open : .needsPerson
    }
  }

  /// Starts the soak when it is not running; says whether it is over.
  private mutating func soakIsOver(
    _ id: CampaignID, _ ring: Ring, _ rule: RingGate, now: Instant
  ) -> Bool {
    if Plant.gateSoakSkipped.isOn { return true }
    guard let since = campaigns[id].rings[Int(ring.number)].soakingSince else {
      guard rule.gateSoak > .zero else { return true }
      campaigns[id].rings[Int(ring.number)].soakingSince = now
      timers.add(.gate(id, ring), at: now + rule.gateSoak)
      emit(.save(.campaign(id)))
      return false
    }
    return now - since >= rule.gateSoak
  }

  mutating func promote(
    _ id: CampaignID, _ ring: Ring, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    try requireActive(id, to: "promote a ring of")
    guard ring > .canary, Int(ring.number) < campaigns[id].rings.count else {
      throw .notAllowed(
        code: .ringUnknown, message: "the campaign has no gate before ring \(ring)",
        hint: "its rings: 0 to \(campaigns[id].rings.count - 1)")
    }
    let kind: RecordKind = lacksOnlyApproval(id, ring) ? .ringApproved : .ringPromoted
    for index in 0..<Int(ring.number) {
      campaigns[id].rings[index].approved = true
      if kind == .ringPromoted { campaigns[id].rings[index].promoted = true }
    }
    record(Record(kind, campaign: id, ring: ring, reason: reason.bounded(), principal: by))
    emit(.save(.campaign(id)))
    for index in 0..<Int(ring.number) { markGate(id, campaigns[id].rings[index].ring) }
  }

  /// Whether the gates before a ring that are not open wait for nothing but a person's approval: that
  /// is given, and the gates go on watching what happens before them. Anything more is an override.
  private func lacksOnlyApproval(_ id: CampaignID, _ ring: Ring) -> Bool {
    let closed = campaigns[id].rings[..<Int(ring.number)].filter { $0.gate != .open }
    return !closed.isEmpty
      && closed.allSatisfy { progress in
        progress.soaked && campaigns[id].gateRules[Int(progress.ring.number)].approval == .manual
          && progress.missing(
            campaigns[id].gateRules[Int(progress.ring.number)], late: lateRuns(id, progress.ring))
            == nil
      }
  }

  /// Pending runs of a ring that carry Atlas, those of postponed clients aside, which are outside
  /// the gates already. They go after all rings, so that no gate waits for them.
  private func lateRuns(_ id: CampaignID, _ ring: Ring) -> Int {
    let campaign = Int(id.index)
    return campaigns[campaign].atlasRuns.count {
      let run = campaigns[campaign][run: $0]
      let lane = Int(run.lane)
      return run.state.kind == .pending && campaigns[campaign].lanes[lane].ring == ring
        && !clients[Int(campaigns[campaign].lanes[lane].client.index)].isPostponed
    }
  }

  /// What a gate waits for, for people; empty when it is open.
  package func gateWaitsFor(_ id: CampaignID, _ ring: Ring) -> String {
    campaigns[id].rings[Int(ring.number)].gate == .open ? "" : gateReason(id, ring)
  }

  /// Why a gate is as it is.
  private func gateReason(_ id: CampaignID, _ ring: Ring) -> String {
    let progress = campaigns[Int(id.index)].rings[Int(ring.number)]
    let rule = campaigns[Int(id.index)].gateRules[Int(ring.number)]
    if progress.gate == .open {
      if progress.promoted { return "promoted by a person" }
      return rule.approval == .manual && progress.approved ? "approved by a person" : ""
    }
    let late = lateRuns(id, ring)
    if let missing = progress.missing(rule, late: late) {
      return progress.text(missing, rule, late: late)
    }
    if !progress.soaked { return "soaking for \(rule.gateSoak.text)" }
    return "waits for approval"
  }
}

extension Campaign {
  /// Whether there is a server before the gate behind a ring and another behind it: no other gate
  /// has anything to decide, so that it stays open and nobody is asked about it.
  fileprivate func leadsOn(_ ring: Ring) -> Bool {
    Int(ring.number) + 1 < rings.count && rings[Int(ring.number)].counts.total > 0
  }

  /// Opens the gates that have nothing to decide.
  mutating func openIdleGates() {
    for index in rings.indices where !leadsOn(rings[index].ring) { rings[index].gate = .open }
  }
}

extension RingProgress {
  /// The runs that the gate looks at.
  private var judged: Counts {
    var judged = counts
    judged.remove(outside)
    return judged
  }

  /// Nothing of the ring can change the rate any more without a person.
  fileprivate func isStuck(late: Int) -> Bool {
    judged[.pending] == late && judged[.inProgress] == 0 && judged[.parked] == 0
  }

  /// The first condition of a gate that does not hold. Judged with every move of a run, so that the
  /// sentence for people is made apart.
  fileprivate enum Missing {
    case completed(needed: Int)
    case tooManyBad(Int)
    case rate
    case open
  }

  /// - Parameter late: Pending runs of the ring that go after all rings.
  fileprivate func missing(_ rule: RingGate, late: Int) -> Missing? {
    let judged = judged
    let open = judged.open - late
    let needed = min(rule.minCompleted, judged[.completed] + open)
    if judged[.completed] < needed { return .completed(needed: needed) }
    let bad = judged[.failed] + judged[.held] - (Plant.rateOffByOne.isOn ? 1 : 0)
    if judged.attempted < Self.enoughForARate {
      if bad > rule.maxFailed { return .tooManyBad(bad) }
    } else if judged[.completed] * 100 < judged.attempted * rule.successRate {
      return .rate
    }
    return rule.openAfter == .complete && open > 0 ? .open : nil
  }

  fileprivate func text(_ missing: Missing, _ rule: RingGate, late: Int) -> String {
    switch missing {
    case .completed(let needed): return "\(judged[.completed]) of \(needed) servers completed"
    case .tooManyBad(let bad): return "\(bad) failed or held; at most \(rule.maxFailed) may"
    case .rate:
      let rate = judged[.completed] * 100 / judged.attempted
      return "success rate \(rate) %, needs \(rule.successRate) %"
    case .open: return "\(judged.open - late) servers are not finished"
    }
  }

  /// Below this a rate says little.
  private static var enoughForARate: Int { 20 }
}

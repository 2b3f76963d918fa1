import AtlasModel

/// Breakers of a lane and of the campaign. What they stop goes on when a person says so, and then
/// only what happens afterwards counts.
extension ControlState {
  /// A run has come to an end, or is held, for the first time since it was started.
  mutating func noteOutcome(_ ref: RunRef, now: Instant) {
    guard self[ref].details.content.outcomeAt == nil else { return }
    self[ref].details.content.outcomeAt = now
    campaigns[ref.campaign].addOutcome(ref.index, at: now)
    if self[ref].state.kind.isBad { campaigns[ref.campaign].addTrouble(ref.index) }
  }

  /// It is started again: what it was before does not count any more.
  mutating func forgetOutcome(_ ref: RunRef) {
    guard self[ref].details.content.outcomeAt != nil else { return }
    self[ref].details.content.outcomeAt = nil
    campaigns[ref.campaign].sample.removeAll { $0.run == ref.index }
    campaigns[ref.campaign].lanes[Int(self[ref].lane)].troubled.removeAll { $0 == ref.index }
  }

  /// A server has just failed, or is held.
  mutating func judgeBreakers(_ ref: RunRef, now: Instant) {
    guard campaigns[ref.campaign].state == .active else { return }
    judgeLane(ref, now: now)
    // A replay is told what the breaker of the campaign did.
    if !isVirtual { judgeCampaign(ref.campaign, now: now) }
  }

  /// Other numbers hold from now on, and what was may be too much for them.
  mutating func judgeAllBreakers(_ id: CampaignID, now: Instant) {
    for lane in campaigns[id].lanes.indices {
      guard let last = campaigns[id].lanes[lane].troubled.last else { continue }
      judgeLane(RunRef(campaign: id, index: Int(last)), now: now)
    }
    if !isVirtual { judgeCampaign(id, now: now) }
  }

  private mutating func judgeLane(_ ref: RunRef, now: Instant) {
    let lane = Int(self[ref].lane)
    guard let most = campaigns[ref.campaign].policy.breakers.maxFailedPerClient,
      !Plant.laneBreakerOff.isOn,
      !campaigns[ref.campaign].lanes[lane].queue.isEmpty
    else { return }
    let bad = campaigns[ref.campaign].lanes[lane].troubled.count {
      campaigns[ref.campaign][run: $0].state.kind.isBad
    }
    guard bad >= most else { return }
    let reason = "\(bad) \(bad == 1 ? "server" : "servers") of the lane failed or are held"
    holdLane(of: ref, reason, detail: Self.breaker, now: now)
  }

  private mutating func judgeCampaign(_ id: CampaignID, now: Instant) {
    let breakers = campaigns[id].policy.breakers
    let bad = campaigns[id].sample.count { campaigns[id][run: $0.run].state.kind.isBad }
    guard breakers.isBroken(bad: bad), !Plant.rateBreakerOff.isOn,
      !campaigns[id].pauses.contains(where: { $0.scope == .all })
    else { return }
    let reason =
      "\(bad) of the last \(campaigns[id].sample.count) servers failed or are held: the rate falls "
      + "below \(breakers.successRate ?? 0) % of \(breakers.sample)"
    let latch = Latch(reason: reason, principal: Self.itself, since: now)
    campaigns[id].pauses.append(Pause(scope: .all, latch: latch))
    record(Record(.campaignPaused, campaign: id, detail: Self.breaker, reason: reason))
    emit(.save(.campaign(id)))
  }

  /// A lane waits for a person after a failure.
  mutating func holdLane(
    of ref: RunRef, _ reason: String, detail: String = "", now: Instant
  ) {
    let client = clientOf(ref)
    guard campaigns[ref.campaign].state == .active, !campaigns[ref.campaign].isHeld(client) else {
      return
    }
    let latch = Latch(reason: reason, principal: Self.itself, since: now)
    let place = campaigns[ref.campaign].heldLanes.firstPosition { $0.client > client }
    campaigns[ref.campaign].heldLanes.insert(HeldLane(client: client, latch: latch), at: place)
    record(
      Record(
        .laneHeld, campaign: ref.campaign, client: client, server: self[ref].server,
        detail: detail, reason: reason))
    emit(.save(.campaign(ref.campaign)))
  }

  /// A person lets a part of a campaign go on: what was before does not count any more.
  mutating func resetBreakers(_ id: CampaignID, _ scope: PauseScope, now: Instant) {
    switch scope {
    case .all:
      campaigns[id].safety.sampleSince = now
      campaigns[id].sample = []
    case .ring: break
    case .client(let client):
      campaigns[id].safety.laneResumes.removeAll { $0.client == client }
      let place = campaigns[id].safety.laneResumes.firstPosition { $0.client > client }
      campaigns[id].safety.laneResumes.insert(LaneResume(client: client, at: now), at: place)
      for lane in campaigns[id].lanes.indices where campaigns[id].lanes[lane].client == client {
        campaigns[id].lanes[lane].troubled = []
      }
    }
  }

  /// Said of what a breaker did, in records.
  package static var breaker: String { "breaker" }
  /// Who did what nobody asked for, in latches.
  package static var itself: String { "engine" }
}

/// A run whose outcome a campaign's breaker looks at.
package struct SampleEntry: Comparable, Hashable, Sendable {
  package let at: Instant
  package let run: Int32

  package static func < (left: SampleEntry, right: SampleEntry) -> Bool {
    left.at != right.at ? left.at < right.at : left.run < right.run
  }
}

extension Campaign {
  /// Takes a run into the sample, unless that is of an earlier time than it looks at.
  mutating func addOutcome(_ run: Int32, at: Instant) {
    guard policy.breakers.successRate != nil, safety.sampleSince.map({ $0 < at }) ?? true else {
      return
    }
    let entry = SampleEntry(at: at, run: run)
    sample.insert(entry, at: sample.firstPosition { $0 > entry })
    if sample.count > policy.breakers.sample { sample.removeFirst() }
  }

  /// Takes a run among those that may hold their lane.
  mutating func addTrouble(_ run: Int32) {
    let lane = Int(self[run: run].lane)
    let client = lanes[lane].client
    let since = safety.laneResumes.first { $0.client == client }?.at
    guard policy.breakers.maxFailedPerClient != nil,
      let at = self[run: run].details.content.outcomeAt, since.map({ $0 < at }) ?? true
    else { return }
    lanes[lane].troubled.append(run)
  }

  /// A run that is read back, of which an outcome is known.
  mutating func loadOutcome(_ run: Int32) {
    guard let at = self[run: run].details.content.outcomeAt else { return }
    addOutcome(run, at: at)
    if self[run: run].state.kind != .completed { addTrouble(run) }
  }
}

extension RunState.Kind {
  /// Counts against a breaker.
  package var isBad: Bool {
    switch self {
    case .held, .failed: true
    case .pending, .inProgress, .parked, .completed, .notAttempted, .skipped, .postponed: false
    }
  }

  /// Counts for a breaker, one way or the other.
  var isOutcome: Bool { isBad || self == .completed }
}

import AtlasModel

/// Caps of a campaign on what runs at once. A lane that could start a server waits in the
/// campaign's queue, so that a place that becomes free goes to the one that should be first.
extension ControlState {
  func hasCap(_ id: CampaignID) -> Bool {
    let index = Int(id.index)
    return campaigns[index].policy.maxInProgress != nil
      || campaigns[index].policy.maxActiveClients != nil
      || campaigns[index].policy.maxStartsPerMinute != nil
      || campaigns[index].policy.maxWaitingForPeople != nil
  }

  mutating func queueForCap(_ ref: LaneRef) {
    guard !campaigns[ref.campaign].lanes[Int(ref.lane)].isCapped else { return }
    campaigns[ref.campaign].lanes[Int(ref.lane)].isCapped = true
    let lane = campaigns[ref.campaign].lanes[Int(ref.lane)]
    let client = Int(lane.client.index)
    campaigns[ref.campaign].capped.insert(
      LaneQueue.Entry(
        started: hasBegun(ref), priority: clients[client].config.priority,
        remaining: lane.queue.count, name: clients[client].config.name, lane: ref.lane))
    markCapped(ref.campaign)
  }

  /// One client after the other: a client that has begun is worked on to its end.
  func hasBegun(_ lane: LaneRef) -> Bool {
    let campaign = Int(lane.campaign.index)
    return campaigns[campaign].policy.maxActiveClients != nil
      && campaigns[campaign].lanes[Int(lane.lane)].started
  }

  mutating func markCapped(_ id: CampaignID) {
    if hasCap(id), !dirtyCaps.contains(id) { dirtyCaps.append(id) }
  }

  /// Gives free places to the lanes that wait for them, in order.
  mutating func drainCapped(_ id: CampaignID, now: Instant) {
    var passedBy: [LaneQueue.Entry] = []
    while !capReached(id, now: now), let entry = campaigns[id].capped.first {
      let lane = LaneRef(campaign: id, lane: entry.lane)
      guard mayBeActive(lane) else {
        // No more clients: only those that are worked on may take another slot, and they come
        // before all that never started.
        guard entry.started else { break }
        _ = campaigns[id].capped.popFirst()
        passedBy.append(entry)
        continue
      }
      _ = campaigns[id].capped.popFirst()
      campaigns[id].lanes[Int(entry.lane)].isCapped = false
      startFirst(of: lane, now: now)
    }
    for entry in passedBy { campaigns[id].capped.insert(entry) }
    dirtyCaps.removeAll { $0 == id }
    markResources(awaitedBy: id)
  }

  /// A place is free for the lane; something else may have come in its way since it queued.
  private mutating func startFirst(of lane: LaneRef, now: Instant) {
    granted = lane
    defer { granted = nil }
    guard !isChecking(lane), laneWaits(lane, now: now) == nil,
      let run = nextRun(of: lane, now: now)
    else { return armLane(lane, now: now) }
    admit(run, now: now)
    // A hook may be asked first, and the place goes to another.
    if self[run].state.kind == .inProgress { countStart(lane.campaign, now: now) }
    markDirty(clientOf(run))
  }

  func capReached(_ id: CampaignID, now: Instant) -> Bool {
    let index = Int(id.index)
    if campaigns[index].isFullOfDown { return true }
    if let cap = campaigns[index].policy.maxInProgress,
      campaigns[index].counts.inFlight >= cap + (Plant.capOffByOne.isOn ? 1 : 0)
    {
      return true
    }
    return !mayStart(id, now: now)
  }

  /// Whether one more client may be worked on, or this one is already.
  func mayBeActive(_ lane: LaneRef) -> Bool {
    let index = Int(lane.campaign.index)
    guard let cap = campaigns[index].policy.maxActiveClients else { return true }
    return campaigns[index].activeLanes < cap
      || !campaigns[index].lanes[Int(lane.lane)].active.isEmpty
  }

  /// The cap that keeps a run with a slot from a start of its own: another attempt, or an update or boot
  /// that was parked. It has its place among those in progress already.
  func capWaits(_ id: CampaignID, now: Instant) -> Waiting? {
    if campaigns[Int(id.index)].isFullOfDown { return .people }
    return mayStart(id, now: now) ? nil : .cap
  }

  /// Whether `max_starts_per_minute` allows another start now.
  func mayStart(_ id: CampaignID, now: Instant) -> Bool {
    campaigns[Int(id.index)].nextStart.map { $0 <= now } ?? true
  }

  mutating func countStart(_ id: CampaignID, now: Instant) {
    guard let cap = campaigns[id].policy.maxStartsPerMinute else { return }
    let old = campaigns[id].recentStarts.firstPosition { now < $0 + Campaign.minute }
    if old > 0 { campaigns[id].recentStarts.removeFirst(old) }
    campaigns[id].recentStarts.append(now)
    let surplus = campaigns[id].recentStarts.count - max(1, cap)
    if surplus > 0 { campaigns[id].recentStarts.removeFirst(surplus) }
    armStarts(id, now: now)
  }

  /// Lanes that wait for the next start are looked at when it may be.
  mutating func armStarts(_ id: CampaignID, now: Instant) {
    guard let next = campaigns[id].nextStart, now < next else { return }
    timers.add(.starts(id), at: next)
  }

  /// After a start of the daemon the runs say what began just before it.
  mutating func recallStarts(_ id: CampaignID, now: Instant) {
    guard let cap = campaigns[id].policy.maxStartsPerMinute, !Plant.startsForgotten.isOn else {
      return
    }
    var starts: [Instant] = []
    for index in campaigns[id].runs.indices {
      let details = campaigns[id].runs[index].details.content
      for interval in details.slotIntervals
      where now < interval.start + Campaign.minute { starts.append(interval.start) }
      // What was parked, or is tried again: whether it was that, or simply its next phase, is not known
      // any more, and one start too many to wait for does no harm.
      if let since = details.clock.since, now < since + Campaign.minute { starts.append(since) }
    }
    campaigns[id].recentStarts = Array(starts.sorted().suffix(max(1, cap)))
    armStarts(id, now: now)
  }
}

extension Campaign {
  static var minute: Duration { .seconds(60) }

  /// When `max_starts_per_minute` allows the next start; nil while it allows one at once, or any.
  var nextStart: Instant? {
    guard let cap = policy.maxStartsPerMinute, recentStarts.count >= max(1, cap) else { return nil }
    return recentStarts[recentStarts.count - max(1, cap)] + Self.minute
  }
}

/// Servers that are down and wait for people: more of them than people can look after, and nothing
/// more is started.
extension ControlState {
  /// Keeps ``Campaign/down`` when a run comes to be held, or is held no more.
  mutating func recountDown(_ ref: RunRef, from: RunState.Kind) {
    let wasFull = campaigns[ref.campaign].isFullOfDown
    if from == .held { campaigns[ref.campaign].down.removeAll { $0 == ref.index } }
    if self[ref].isDown { campaigns[ref.campaign].down.append(ref.index) }
    guard wasFull, !campaigns[ref.campaign].isFullOfDown else { return }
    // What is parked in any lane may go on, and so may what waits for the cap.
    wakeLanes(of: ref.campaign)
    markCapped(ref.campaign)
  }
}

extension Campaign {
  /// Whether as many servers are down and wait for people as the policy allows. None being allowed
  /// means that the first is one too many.
  var isFullOfDown: Bool {
    if Plant.peopleCapIgnored.isOn { return false }
    return policy.maxWaitingForPeople.map { down.count >= max(1, $0) } ?? false
  }
}

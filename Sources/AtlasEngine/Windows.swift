import AtlasModel

extension Client {
  /// The window that contains `instant`.
  package func openWindow(at instant: Instant) -> Interval? { windows.open(at: instant) }
}

/// Windows of a client: sorted, not touching each other.
extension [Interval] {
  /// The one that contains `instant`.
  func open(at instant: Instant) -> Interval? {
    let index = firstPosition { $0.end > instant }
    guard index < count, self[index].contains(instant) else { return nil }
    return self[index]
  }

  /// The first that begins after `instant` and is at least `length` long.
  func next(after instant: Instant, atLeast length: Duration = .zero) -> Interval? {
    let index = firstPosition { $0.end > instant }
    return self[index...].first { $0.start > instant && $0.duration >= length }
  }

  /// What lies in one of these and in one of `others`, both sorted.
  func intersection(_ others: [Interval]) -> [Interval] {
    var common: [Interval] = []
    var (mine, theirs) = (0, 0)
    while mine < count, theirs < others.count {
      let both = Interval(
        start: Swift.max(self[mine].start, others[theirs].start),
        end: Swift.min(self[mine].end, others[theirs].end))
      if !both.isEmpty { common.append(both) }
      if self[mine].end < others[theirs].end { mine += 1 } else { theirs += 1 }
    }
    return common
  }

  /// Why what needs so much time may not begin now; nil when it may.
  func wait(for needed: Duration, now: Instant) -> Waiting? {
    guard let window = open(at: now) else {
      return .window(next: next(after: now, atLeast: needed)?.start)
    }
    guard now + needed > window.end else { return nil }
    return .windowTooShort(next: next(after: now, atLeast: needed)?.start)
  }

  /// The longest time that any of them leaves to what starts from `now` on and before `end`.
  func longest(between now: Instant, and end: Instant) -> Duration {
    self[firstPosition { $0.end > now }...].prefix { $0.start < end }
      .map { $0.end - Swift.max($0.start, now) }.max() ?? .zero
  }
}

extension Array {
  /// Position of the first element for which `isReached` holds; it holds for all that follow, too.
  /// ``count`` when it holds for none.
  func firstPosition(where isReached: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isReached(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension ControlState {
  /// Asks when a client may be worked on. An answer to an earlier question comes too late.
  mutating func askForWindows(of client: ClientID) {
    clients[client].windowsAsked &+= 1
    emit(.expandWindows(client, question: clients[client].windowsAsked))
  }

  mutating func windowsExpanded(
    _ client: ClientID, _ windows: [Interval], _ narrowed: [NarrowedWindows], until: Instant,
    question: UInt32, now: Instant
  ) {
    guard question == clients[client].windowsAsked || Plant.oldWindowsBelieved.isOn else { return }
    clients[client].windowsAreOld = false
    clients[client].windows = windows
    for own in narrowed {
      guard let lane = lane(of: client, in: own.campaign) else { continue }
      campaigns[own.campaign].lanes[lane].narrowed = windows.intersection(own.windows)
    }
    clients[client].windowsUntil = until
    armRefresh(of: client, now: now)
    markDirty(client)
  }

  /// Campaigns with windows of their own that may still work on a client, with those windows.
  package func ownWindows(for client: ClientID) -> [(CampaignID, MaintenanceWindow)] {
    campaigns.indices.compactMap { index in
      guard let windows = campaigns[index].policy.windows, !campaigns[index].state.isTerminal,
        lane(of: client, in: CampaignID(index)) != nil
      else { return nil }
      return (CampaignID(index), windows)
    }
  }

  /// Position of a client's lane in a campaign.
  private func lane(of client: ClientID, in campaign: CampaignID) -> Int? {
    guard campaigns.indices.contains(Int(campaign.index)) else { return nil }
    let index = Int(campaign.index)
    let place = campaigns[index].lanes.firstPosition { $0.client >= client }
    guard place < campaigns[index].lanes.count, campaigns[index].lanes[place].client == client
    else { return nil }
    return place
  }

  /// When a lane may be worked on; never while that is not known.
  func windows(of lane: LaneRef) -> [Interval] {
    let campaign = Int(lane.campaign.index)
    let index = Int(lane.lane)
    guard campaigns[campaign].hasOwnWindows, !Plant.ownWindowsIgnored.isOn else {
      return clients[Int(campaigns[campaign].lanes[index].client.index)].windows
    }
    return campaigns[campaign].lanes[index].narrowed ?? []
  }

  /// When the server of a run may be worked on in its campaign.
  func windows(of ref: RunRef) -> [Interval] {
    windows(of: LaneRef(campaign: ref.campaign, lane: self[ref].lane))
  }

  /// Windows are asked for again as soon as less is known than a campaign that starts then looks
  /// ahead, at most once a day: a campaign may be longer than any horizon.
  private mutating func armRefresh(of client: ClientID, now: Instant) {
    let until = clients[client].windowsUntil
    let refresh = min(until, max(now + .seconds(86_400), until - Self.defaultReach))
    clients[client].windowsRefresh = refresh > now ? refresh : nil
    if refresh > now { timers.add(.windows(client), at: refresh) }
  }

  /// Arms the timer at which a lane that waits for a window is looked at again.
  mutating func armLane(_ lane: LaneRef, now: Instant) {
    armLane(lane, at: laneWakes(lane, now: now))
  }

  mutating func armLane(_ lane: LaneRef, at: Instant?) {
    guard let at, !Plant.windowTimerForgotten.isOn else { return }
    guard campaigns[lane.campaign].lanes[Int(lane.lane)].wakeAt != at else { return }
    campaigns[lane.campaign].lanes[Int(lane.lane)].wakeAt = at
    timers.add(.lane(lane.campaign, lane.lane), at: at)
  }

  /// The first instant at which time alone may change what the lane waits for.
  private func laneWakes(_ lane: LaneRef, now: Instant) -> Instant? {
    let parked = parkedWakes(lane, now: now)
    if let waiting = laneWaits(lane, now: now) {
      guard case .window(let next) = waiting else { return parked }
      return earlier(next, parked)
    }
    var earliest = parked
    for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].queue {
      switch runWaits(RunRef(campaign: lane.campaign, index: Int(index)), now: now) {
      case .notBefore(let at): earliest = earlier(earliest, at)
      // What it needs may be less by the time any other opens.
      case .windowTooShort:
        earliest = earlier(
          earliest, nextWindow(for: RunRef(campaign: lane.campaign, index: Int(index)), now: now))
      case .window(let next): earliest = earlier(earliest, next)
      case _: break
      }
    }
    return earliest
  }

  private func earlier(_ left: Instant?, _ right: Instant?) -> Instant? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
  }
}

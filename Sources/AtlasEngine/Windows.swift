import AtlasModel

extension Client {
  /// The window that contains `instant`.
  package func openWindow(at instant: Instant) -> Interval? {
    let index = windows.firstPosition { $0.end > instant }
    guard index < windows.count, windows[index].contains(instant) else { return nil }
    return windows[index]
  }

  /// The first window that begins after `instant` and is at least `length` long.
  package func nextWindow(after instant: Instant, atLeast length: Duration = .zero) -> Interval? {
    let index = windows.firstPosition { $0.end > instant }
    return windows[index...].first { $0.start > instant && $0.duration >= length }
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
  mutating func windowsExpanded(
    _ client: ClientID, _ windows: [Interval], until: Instant, now: Instant
  ) {
    clients[client].windows = windows
    clients[client].windowsUntil = until
    armRefresh(of: client, now: now)
    markDirty(client)
  }

  /// Windows are expanded further when half of the horizon has passed, so that a campaign that is
  /// started at any time knows those of its whole length.
  private mutating func armRefresh(of client: ClientID, now: Instant) {
    let until = clients[client].windowsUntil
    let halfway = until - Limits.windowHorizon / 2
    let refresh = halfway > now ? halfway : until
    clients[client].windowsRefresh = refresh > now ? refresh : nil
    if refresh > now { timers.add(.windows(client), at: refresh) }
  }

  /// Arms the timer at which a lane that waits for a window is looked at again.
  mutating func armLane(_ lane: LaneRef, now: Instant) {
    armLane(lane, at: laneWakes(lane, now: now))
  }

  mutating func armLane(_ lane: LaneRef, at: Instant?) {
    guard let at else { return }
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
      case .windowTooShort(let next): earliest = earlier(earliest, next)
      case _: break
      }
    }
    return earliest
  }

  /// When the next window opens that a parked run of the lane waits for.
  func parkedWakes(_ lane: LaneRef, now: Instant) -> Instant? {
    var earliest: Instant?
    for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active {
      let ref = RunRef(campaign: lane.campaign, index: Int(index))
      guard case .parked(let next) = self[ref].state, mayGoOn(ref),
        !mayUnpark(ref, next, now: now)
      else { continue }
      let client = clientOf(ref)
      let window = clients[Int(client.index)].nextWindow(
        after: now, atLeast: timeNeeded(by: ref))
      earliest = earlier(earliest, window?.start)
    }
    return earliest
  }

  private func earlier(_ left: Instant?, _ right: Instant?) -> Instant? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
  }
}

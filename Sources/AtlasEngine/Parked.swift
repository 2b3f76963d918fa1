import AtlasModel

/// Runs that are parked: a stop has parked them, or a boot of theirs must wait. They keep their slot.
extension ControlState {
  /// Lets the parked runs of a lane go on, as far as stops, pauses and windows allow. UPDATE and
  /// REBOOT are starts; everything else may run outside a window.
  mutating func unparkAllowed(_ lane: LaneRef, now: Instant) {
    for index in campaigns[lane.campaign].lanes[Int(lane.lane)].active {
      let ref = RunRef(campaign: lane.campaign, index: Int(index))
      guard case .parked(let next) = self[ref].state else { continue }
      if skipUntouched(ref, now: now) { continue }
      if goingOnWaits(ref) == nil, endRounds(ref, now: now) { continue }
      if let waiting = parkedWaits(ref, next, now: now) {
        awaitAgent(ref, waiting, now: now)
        continue
      }
      self[ref].marks.subtract(.inDoubt.union(.ignoreWindow))
      proceed(ref, with: next, now: now)
    }
  }

  /// Nothing but its agent keeps a parked run where it is: as for any other run with a slot, it has
  /// the lock timeout to come back.
  private mutating func awaitAgent(_ ref: RunRef, _ waiting: Waiting, now: Instant) {
    guard waiting == .agent, !servers[self[ref].server].connected,
      self[ref].silenceDeadline == nil
    else { return }
    armSilence(ref, now: now)
  }

  /// The first condition that keeps a parked run where it is; nil when it goes on. UPDATE and REBOOT
  /// are starts, and wait for what other starts wait for.
  func parkedWaits(_ ref: RunRef, _ next: Phase, now: Instant) -> Waiting? {
    if let waiting = goingOnWaits(ref) { return waiting }
    guard next == .update || next == .reboot else { return nil }
    // What is being cancelled comes to its end, whatever is held.
    let isActive = campaigns[Int(ref.campaign.index)].state == .active
    if isActive, campaigns[Int(ref.campaign.index)].isHeld(clientOf(ref)) { return .laneHeld }
    if servers[Int(self[ref].server.index)].isLocked { return .locked }
    if let server = stranger(inPlaceOf: ref, now: now) { return .unexplained(server) }
    if let server = atlasServer(beside: ref) { return .alone(server) }
    if windowsAreOld(for: ref) { return .window(next: nil) }
    if isActive, next == .update, waitsForSource(ref, now: now) {
      let hold = sourceHold(over: clientOf(ref), in: ref.campaign)
      return .source(client: hold?.client != nil)
    }
    // A failed attempt that cannot be repeated now is rolled back, at any time.
    if self[ref].marks.contains(.retryDue) {
      return isActive ? retryDueWaits(ref, now: now) : nil
    }
    let needed = timeNeeded(by: ref)
    if let client = outageMissing(for: ref, needed, now: now) { return .outage(client) }
    if let waiting = parkedWindowWaits(ref, next, needed, now: now) { return waiting }
    if isActive, let waiting = capWaits(ref.campaign, now: now) { return waiting }
    if isActive, let held = heldSignature(ref) { return .signature(held.kind) }
    return servers[Int(self[ref].server.index)].connected ? nil : .agent
  }

  /// What another attempt that is due waits for besides; the one whose window is over is rolled back.
  private func retryDueWaits(_ ref: RunRef, now: Instant) -> Waiting? {
    if let held = heldSignature(ref) { return .signature(held.kind) }
    return capWaits(ref.campaign, now: now)
  }

  private func parkedWindowWaits(
    _ ref: RunRef, _ next: Phase, _ needed: Duration, now: Instant
  ) -> Waiting? {
    if next == .reboot, self[ref].marks.contains(.ignoreWindow) { return nil }
    if next == .reboot, Plant.parkedBootIgnoresWindow.isOn { return nil }
    return windowWaits(ref, needs: needed, now: now)
  }

  /// What people, lost contact, or a doubt about its command keep from going on, whatever is next.
  private func goingOnWaits(_ ref: RunRef) -> Waiting? {
    if Plant.parkedForGood.isOn { return .turn }
    let lane = LaneRef(campaign: ref.campaign, lane: self[ref].lane)
    if let stopped = stopped(lane) { return stopped }
    // A campaign that is being cancelled still ends what it has begun.
    let state = campaigns[Int(ref.campaign.index)].state
    guard state.isRunning else { return .campaign(state) }
    if let paused = paused(lane) { return paused }
    if isContactLost { return .contact(client: false) }
    if clients[Int(clientOf(ref).index)].isDark { return .contact(client: true) }
    if let waiting = guestsForbid(ref) { return waiting }
    return self[ref].command == nil ? nil : .agent
  }

  /// Ends a run that is parked before anything was changed, when its campaign is cancelled or over,
  /// or its server retired. That starts nothing, so that no stop or pause forbids it.
  mutating func skipUntouched(_ ref: RunRef, now: Instant) -> Bool {
    guard case .parked(let next) = self[ref].state, next == .update || next == .reboot,
      !isChanged(ref), self[ref].command == nil
    else { return false }
    if let skip = leaving(ref) {
      leaveOut(ref, skip, now: now)
    } else if campaigns[ref.campaign].isPastItsEnd(now) {
      // It has not begun: what becomes of those that are pending becomes of it.
      finalize(ref, .givenBack, reason: "the campaign has ended", now: now)
    } else {
      return false
    }
    return true
  }

  /// Why a run is left out as soon as nothing is in flight; nil when it is not.
  func leaving(_ ref: RunRef) -> Skip? {
    if self[ref].marks.contains(.retiring) { return .retired }
    return campaigns[Int(ref.campaign.index)].state == .cancelling ? .cancelled : nil
  }

  /// When the next window opens, if a parked run of the lane waits for one, as what it needs may be
  /// less by then; or when the next start may be, if one waits for that.
  func parkedWakes(_ lane: LaneRef, now: Instant) -> Instant? {
    var earliest: Instant?
    for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active {
      let ref = RunRef(campaign: lane.campaign, index: Int(index))
      guard case .parked(let next) = self[ref].state else { continue }
      switch parkedWaits(ref, next, now: now) {
      case .window, .windowTooShort:
        guard let opens = nextWindow(for: ref, now: now) else { continue }
        earliest = min(earliest ?? opens, opens)
      case .cap:
        guard let next = campaigns[Int(ref.campaign.index)].nextStart else { continue }
        earliest = min(earliest ?? next, next)
      case _: continue
      }
    }
    return earliest
  }
}

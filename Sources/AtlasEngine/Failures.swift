import AtlasModel

/// What happens when something goes wrong. Before the first install has begun it is a refusal:
/// nothing was changed, and the lane goes on. After it, it is a failure: the slot stays taken until
/// the server is proven healthy or a person accepts it.
extension ControlState {
  /// Ends a run before anything was changed.
  mutating func refuse(_ ref: RunRef, _ reason: Refused, _ message: String, now: Instant) {
    self[ref].details.content.lastError = message.bounded()
    leave(ref, .notAttempted(reason), now: now)
  }

  /// Goes to an ending that changed nothing; a snapshot that was taken is removed first, and
  /// maintenance left.
  mutating func leave(_ ref: RunRef, _ ending: Ending, now: Instant) {
    self[ref].command = nil
    let reason = self[ref].details.content.lastError
    if self[ref].details.content.snapshot != nil {
      finalize(ref, ending, reason: reason, now: now)
    } else if isInMaintenance(ref) {
      finalizeMaintenance(ref, ending, reason: reason, now: now)
    } else {
      end(ref, ending, now: now)
    }
  }

  /// Leaves a run out that nothing was changed for.
  mutating func leaveOut(_ ref: RunRef, _ skip: Skip, now: Instant) {
    self[ref].details.content.lastError = skip.text
    leave(ref, .skipped(skip), now: now)
  }

  /// A hook asks to come back later: to the end of the lane, within the policy's limit.
  mutating func deferRun(
    _ ref: RunRef, after: Duration?, _ reason: String, _ refused: Refused, now: Instant
  ) {
    let wait = max(after ?? .seconds(600), .seconds(1))
    let total = self[ref].details.content.deferred + wait
    let limit = rules(of: ref).deferLimit
    if total > limit {
      let message = "deferred for more than \(limit.text): \(reason)"
      return refuse(ref, refused, message, now: now)
    }
    self[ref].details.content.deferred = total
    self[ref].details.content.lastError = reason.bounded()
    moveBehindAll(ref)
    returnToLane(ref, .runDeferred, notBefore: now + wait, now: now)
  }

  mutating func moveBehindAll(_ ref: RunRef) {
    let lane = Int(self[ref].lane)
    let last = campaigns[ref.campaign].lanes[lane].queue.last
    let behind = last.map { campaigns[ref.campaign][run: $0].order + 1 } ?? 0
    self[ref].order = max(self[ref].order, behind)
  }

  /// Moves a pending run to the end of its lane.
  mutating func requeueBehindAll(_ ref: RunRef) {
    moveBehindAll(ref)
    campaigns[ref.campaign].lanes[Int(self[ref].lane)].dequeue(ref.index)
    enqueue(ref)
  }

  /// Gives the slot back and puts the run into its lane again. An attempt that changed nothing is
  /// not counted; one that was rolled back is.
  mutating func returnToLane(
    _ ref: RunRef, _ kind: RecordKind, notBefore: Instant?, now: Instant, by: String = ""
  ) {
    self[ref].command = nil
    self[ref].deadline = nil
    uncountUnchanged(ref)
    let skip = leaving(ref)
    guard skip == nil, !campaigns[ref.campaign].isPastItsEnd(now) else {
      return endOutsideLane(ref, skip, now: now)
    }
    let reason = self[ref].details.content.lastError
    move(ref, to: .pending(notBefore: notBefore), kind, now: now, reason: reason, by: by)
  }

  /// What changed nothing was no attempt.
  mutating func uncountUnchanged(_ ref: RunRef) {
    if !isChanged(ref) { self[ref].attempt -= min(1, self[ref].attempt) }
  }

  /// There is no lane to return to: the server is retired, or the campaign is cancelled or over.
  /// A snapshot that is still there could not be removed; trying it once more is a person's work.
  private mutating func endOutsideLane(_ ref: RunRef, _ skip: Skip?, now: Instant) {
    if isChanged(ref) { return end(ref, .failed(.rolledBack), now: now) }
    guard let skip else { return outlive(ref, now: now) }
    self[ref].details.content.lastError = skip.text
    endUnchanged(ref, as: .skipped(skip), .runSkipped, skip.text, now: now)
  }

  /// Ends a run whose newest attempt has changed nothing. What an attempt before it has changed was
  /// rolled back, and is a failure however the run ends: only such attempts are still counted.
  mutating func endUnchanged(
    _ ref: RunRef, as state: RunState, _ kind: RecordKind, _ reason: String, by: String = "",
    now: Instant
  ) {
    guard self[ref].attempt > 0 else {
      return move(ref, to: state, kind, now: now, reason: reason, by: by)
    }
    let before = "an earlier attempt was rolled back"
    let both = (reason.isEmpty ? before : "\(before); then: \(reason)").bounded()
    self[ref].details.content.lastError = both
    move(ref, to: .failed(.rolledBack), .runFailed, now: now, reason: both, by: by)
  }

  /// A stop takes a run back before anything was changed.
  mutating func giveBack(_ ref: RunRef, now: Instant) {
    giveBack(ref, "an emergency stop took it back", now: now)
  }

  /// Returns the slot before anything was changed; a snapshot is removed first, and maintenance
  /// left.
  mutating func giveBack(_ ref: RunRef, _ reason: String, now: Instant) {
    self[ref].command = nil
    self[ref].details.content.lastError = reason.bounded()
    leave(ref, .givenBack, now: now)
  }

  /// A server is not as it should be after its update: try again, put it back, or ask a person. If
  /// nothing was changed it is a refusal, and not our doing.
  mutating func fail(
    _ ref: RunRef, _ message: String, retryable: Bool, refusal: Refused = .environment,
    now: Instant
  ) {
    self[ref].details.content.lastError = message.bounded()
    self[ref].command = nil
    guard isChanged(ref) else { return failUnchanged(ref, message, refusal, now: now) }
    if retryable || Plant.permanentRetried.isOn, mayRetry(ref, now: now) {
      return backOff(ref, message, now: now)
    }
    rollBack(ref, message, now: now)
  }

  private mutating func failUnchanged(
    _ ref: RunRef, _ message: String, _ refusal: Refused, now: Instant
  ) {
    guard self[ref].marks.contains(.booted) else { return refuse(ref, refusal, message, now: now) }
    hold(ref, .unhealthy, "\(message); it was booted, and nothing was installed", now: now)
  }

  /// Whether the engine may grant another attempt by itself (S7): an attempt that a person granted
  /// is one attempt.
  private func mayRetry(_ ref: RunRef, now: Instant) -> Bool {
    self[ref].granted == 0
      && Int(self[ref].attempt)
        < (Plant.oneRetryTooMany.isOn ? 2 : 1) + rules(of: ref).maxRetries
      && !self[ref].marks.contains(.rolledBack)
      && servers[Int(self[ref].server.index)].connected && !attemptForbidden(ref)
      && fitsWindow(ref, after: backoff(of: ref), now: now)
  }

  /// Whether people want no other attempt. That contact to those who have guests on a host is lost is
  /// nobody's wish: the attempt waits for it.
  private func attemptForbidden(_ ref: RunRef) -> Bool {
    startsForbidden(ref) && !guestsAreDark(ref)
  }

  private func guestsAreDark(_ ref: RunRef) -> Bool {
    guard case .contact = guestsForbid(ref) else { return false }
    return forbidden(LaneRef(campaign: ref.campaign, lane: self[ref].lane)) == nil
  }

  private func fitsWindow(_ ref: RunRef, after wait: Duration, now: Instant) -> Bool {
    if Plant.retryOutsideWindow.isOn { return true }
    let needed = wait + timeNeeded(by: ref)
    return windowWaits(ref, needs: needed, now: now) == nil
      && outageMissing(for: ref, needed, now: now) == nil
  }

  /// The wait before the next attempt: doubles with each, at most a day.
  private func backoff(of ref: RunRef) -> Duration {
    let doublings = min(10, max(0, Int(self[ref].attempt) - 1))
    return min(rules(of: ref).retryBackoff * (1 << doublings), .seconds(86_400))
  }

  private mutating func backOff(_ ref: RunRef, _ message: String, now: Instant) {
    let wait = backoff(of: ref)
    move(
      ref, to: .inProgress(Work(.update, .backoff)), .runBackoff, now: now,
      reason: "\(message); again in \(wait.text)")
    arm(ref, at: now + wait)
  }

  /// The wait is over: another attempt from UPDATE, with the same slot and the same snapshot.
  mutating func retryAfterBackoff(_ ref: RunRef, now: Instant) {
    if windowsAreOld(for: ref) { return arm(ref, at: now + Limits.calendarPause) }
    guard !attemptForbidden(ref), fitsWindow(ref, after: .zero, now: now) else {
      let message = self[ref].details.content.lastError
      return rollBack(ref, message, now: now)
    }
    if let reason = retryWaits(ref, now: now) {
      return parkBetweenAttempts(ref, reason: reason, now: now)
    }
    // Only a run in its back-off comes here too early: one that is parked has waited for the cap.
    if let next = campaigns[ref.campaign].nextStart, now < next { return arm(ref, at: next) }
    noteProbe(ref)
    countStart(ref.campaign, now: now)
    self[ref].attempt += 1
    self[ref].pass = 1
    self[ref].marks.subtract([.rolledBack, .moreUpdates, .incomplete, .overdue, .quiet])
    self[ref].details.content.updates = []
    begin(
      .update, ref, as: .runRetried, reason: self[ref].details.content.lastError, now: now)
  }

  /// What another attempt waits for as every start does, in words; nil when it may be made.
  private func retryWaits(_ ref: RunRef, now: Instant) -> String? {
    if let server = stranger(inPlaceOf: ref, now: now) {
      return doubt(about: server, in: ref.campaign, now: now) ?? "a server is not explained"
    }
    let campaign = Int(ref.campaign.index)
    if servers[Int(self[ref].server.index)].isLocked { return "its server is locked" }
    if campaigns[campaign].isHeld(clientOf(ref)) { return "the lane of its client is held" }
    if waitsForSource(ref, now: now) { return "it waits until its update source answers" }
    if heldSignature(ref) != nil { return "servers of its kind are held" }
    if guestsAreDark(ref) { return "contact to a client with guests on it is lost" }
    return campaigns[campaign].isFullOfDown ? "too many servers wait for people" : nil
  }

  /// Puts a changed server back, by the means that its roles allow.
  mutating func rollBack(_ ref: RunRef, _ message: String, byPerson: Bool = false, now: Instant) {
    let means = rollbackMeans(of: ref)
    if !byPerson {
      noteSignature(ref, message, now: now)
      guard rules(of: ref).autoRollback else {
        return hold(ref, .unhealthy, "\(message); automatic rollback is off", now: now)
      }
      guard means != .hold else {
        return hold(ref, .unhealthy, "\(message); its role is not rolled back", now: now)
      }
    }
    guard !self[ref].marks.contains(.rolledBack) else {
      return hold(ref, .unhealthy, message, now: now)
    }
    self[ref].marks.formUnion([.rollback, .rolledBack])
    self[ref].command = nil
    move(
      ref, to: .inProgress(Work(.rollback, .hook(.rollback))), .runPhase, now: now,
      reason: message)
    startHook(ref, .rollback, now: now)
  }

  /// No rollback hook: by the agent, if it can.
  mutating func rollBackByAgent(_ ref: RunRef, now: Instant) {
    let holder = snapshotHolder(ref)
    let byHook = self[holder].marks.contains(.snapshotByHook)
    let needsSnapshot = agentMeans(of: ref) != .uninstall
    if needsSnapshot, byHook || self[holder].details.content.snapshot == nil {
      let why = byHook ? "a hook took the snapshot and none reverts it" : "there is no snapshot"
      if refusesUndo(ref) { return refuseUndo(ref, .hook, why, now: now) }
      let error = self[ref].details.content.lastError
      return hold(ref, .unhealthy, "\(error); no rollback: \(why)", now: now)
    }
    advance(ref, to: .agent)
    issue(ref, .rollback, now: now)
  }

  /// What the agent undoes a run with. `hold` is an instruction to the engine: when a person asks
  /// for a rollback all the same, it is the snapshot, or without one the uninstaller.
  func agentMeans(of ref: RunRef) -> RollbackMeans {
    let means = rollbackMeans(of: ref)
    guard means == .hold else { return means }
    let holder = snapshotHolder(ref)
    return self[holder].details.content.snapshot == nil ? .uninstall : .snapshot
  }

  mutating func beginVerify(_ ref: RunRef, now: Instant) {
    begin(.verify, ref, now: now)
  }

  /// The server is healthy again after a rollback.
  mutating func rollbackVerified(_ ref: RunRef, now: Instant) {
    setRebootPending(ref, false)
    let isPlanted = Plant.retryAfterRollback.isOn && !isUndo(ref)
    guard self[ref].marks.contains(.retryAfterRollback) || isPlanted else {
      return finalize(
        ref, isUndo(ref) ? .completed(.rolledBack) : .failed(.rolledBack), now: now)
    }
    self[ref].marks.subtract([.retryAfterRollback, .rollback, .rolledBack])
    self[ref].details.content.lastError = "rolled back; one more attempt was granted"
    finalize(ref, .givenBack, reason: self[ref].details.content.lastError, now: now)
  }

  /// POST_CHECK or VERIFY found the server not as it should be.
  mutating func checksFailed(
    _ ref: RunRef, _ phase: Phase, _ message: String, retryable: Bool, refusal: Refused,
    now: Instant
  ) {
    if Plant.rolledBackTwice.isOn { self[ref].marks.remove(.rolledBack) }
    guard phase == .postCheck || Plant.rolledBackTwice.isOn else {
      return hold(ref, .unhealthy, "after the rollback: \(message)", now: now)
    }
    fail(ref, message, retryable: retryable, refusal: refusal, now: now)
  }

  /// Waits for a person, or for the agent to come back; the slot stays taken.
  mutating func hold(_ ref: RunRef, _ hold: Hold, _ message: String, now: Instant) {
    switch self[ref].state {
    case .held(hold): return
    case .inProgress(let work):
      self[ref].details.content.heldIn = work
      self[ref].details.content.heldParked = false
    case .parked(let next):
      self[ref].details.content.heldIn = Work(next, .agent)
      self[ref].details.content.heldParked = true
    case .held: break
    case .pending, .completed, .failed, .notAttempted, .skipped, .postponed:
      preconditionFailure("only work that has begun can be held")
    }
    if hold == .overdue { noteSignature(ref, message, now: now) }
    self[ref].details.content.lastError = message.bounded()
    self[ref].details.content.heldSince = now
    self[ref].deadline = nil
    self[ref].silenceDeadline = nil
    if case .inProgress(let work) = self[ref].state, case .hook = work.step {
      emit(.cancelHook(ref, serial: self[ref].hookSerial))
    }
    move(ref, to: .held(hold), .runHeld, now: now, reason: message.bounded())
    if Plant.slotFreedWhenHeld.isOn { clients[clientOf(ref)].slotsInUse -= 1 }
    setHoldDeadline(ref, now: now)
  }
}

extension Skip {
  /// Why, for people; a person gives a reason of their own.
  fileprivate var text: String {
    switch self {
    case .cancelled: "the campaign was cancelled"
    case .retired: "the server was retired"
    case .person: ""
    }
  }
}

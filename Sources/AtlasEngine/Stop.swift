import AtlasModel

/// The emergency stop: latched, global or for one client. Work in flight goes to its next safe
/// point and parks; the table in `docs/states.md` says which that is.
extension ControlState {
  mutating func latchStop(_ client: ClientID?, reason: String, by: String, now: Instant) {
    let fence = drawFence()
    let latch = StopLatch(
      latch: Latch(reason: reason.bounded(), principal: by, since: now), fence: fence)
    if let client {
      // A second stop keeps who was first, and still tells the agents again.
      let since = clients[client].stop?.latch.explained(by: latch.latch)
      clients[client].stop = StopLatch(latch: since ?? latch.latch, fence: fence)
      clients[client].version += 1
      emit(.save(.client(client)))
    } else {
      let since = stop?.latch.explained(by: latch.latch)
      stop = StopLatch(latch: since ?? latch.latch, fence: fence)
      if Plant.stopNotLatched.isOn { isStopped = false }
      emit(.save(.control))
    }
    record(
      Record(
        .stopLatched, client: client, fence: fence, reason: reason.bounded(), principal: by))
    emit(.tellStop(client, fence))
    if let client { return stopRuns(of: client, now: now) }
    for index in clients.indices { stopRuns(of: ClientID(index), now: now) }
  }

  private mutating func stopRuns(of client: ClientID, now: Instant) {
    for lane in clients[client].lanes {
      stopDownload(lane)
      stopCheck(lane)
      for index in campaigns[lane.campaign].lanes[Int(lane.lane)].active {
        stopRun(RunRef(campaign: lane.campaign, index: Int(index)), now: now)
      }
    }
    for ref in clients[client].busyHosts where clientOf(ref) != client { stopRun(ref, now: now) }
  }

  private mutating func stopRun(_ ref: RunRef, now: Instant) {
    switch self[ref].state {
    case .inProgress(let work): stopWork(ref, work, now: now)
    case .held:
      takeLeaveBack(ref)
      stopHeld(ref)
    case .parked: takeLeaveBack(ref)
    case .pending, .completed, .failed, .notAttempted, .skipped, .postponed: break
    }
  }

  /// One row of the table.
  private mutating func stopWork(_ ref: RunRef, _ work: Work, now: Instant) {
    switch (work.phase, work.step) {
    case (.preCheck, .hook): takeBack(ref, work, now: now)
    case (.snapshot, .agent): if withdrawUnsent(ref) { notBegun(ref, .snapshot, now: now) }
    case (.update, .agent), (.reboot, .agent): stopCommand(ref, work.phase, now: now)
    case (.update, .backoff): parkBetweenAttempts(ref, now: now)
    case (.soak, .soak): park(ref, before: .soak, now: now)
    case (.snapshot, _), (.postCheck, _), (.rollback, _), (.verify, _), (.finalize, _): break
    case (.download, _), (.preCheck, _), (.update, _), (.reboot, _), (.soak, _):
      preconditionFailure("\(work.phase) has no step \(work.step)")
    }
  }

  /// Cancels the hook of a PRE_CHECK; the slot is returned once it has ended, whatever it says and
  /// whether or not the stop is still latched then.
  private mutating func takeBack(_ ref: RunRef, _ work: Work, now: Instant) {
    guard work.ending == nil else { return }
    self[ref].state = .inProgress(Work(work.phase, work.step, ending: .givenBack))
    emit(.cancelHook(ref, serial: self[ref].hookSerial))
    arm(ref, at: now + max(rules(of: ref).cancelGrace, floors.deadline))
    emit(.save(.run(ref)))
  }

  /// UPDATE and REBOOT: what was never sent is taken back, what may have arrived waits parked until
  /// the agent says, and what runs goes on.
  private mutating func stopCommand(_ ref: RunRef, _ phase: Phase, now: Instant) {
    if withdrawUnsent(ref) { return notBegun(ref, phase, now: now) }
    guard command(of: ref)?.delivery == .sent else { return }
    self[ref].marks.formUnion(.inDoubt)
    emitWithdraw(ref)
    park(ref, before: phase, now: now)
  }

  /// A held run stays held. When its agent is back it parks or is given back, also when the stop has
  /// been released by then.
  private mutating func stopHeld(_ ref: RunRef) {
    switch self[ref].details.content.heldIn {
    case let work? where work.isBeforeChange:
      self[ref].details.content.heldIn = Work(work.phase, work.step, ending: .givenBack)
      emit(.save(.run(ref)))
    case let work? where work.phase == .update && work.step == .backoff:
      self[ref].marks.insert(.retryDue)
      self[ref].details.content.heldIn = Work(.update, .agent)
      self[ref].details.content.heldParked = true
      emit(.save(.run(ref)))
    case _: takeBackOrder(ref, bringing: .inDoubt)
    }
  }

  /// Sees to it that an order to begin something does not reach an agent that is away. What may have
  /// reached it is settled when the agent is back.
  /// - Parameter doubt: What is to be known of the run until then.
  mutating func takeBackOrder(_ ref: RunRef, bringing doubt: Run.Marks = .reconciling) {
    guard let command = command(of: ref), command.kind.isStart,
      command.delivery != .acknowledged
    else { return }
    if !withdrawUnsent(ref) {
      self[ref].marks.formUnion(doubt)
      emitWithdraw(ref)
    }
    emit(.save(.run(ref)))
  }

  /// It is certain that the command of a phase has not begun and never will, and a stop keeps it
  /// from being given again.
  mutating func notBegun(_ ref: RunRef, _ phase: Phase, now: Instant) {
    self[ref].command = nil
    self[ref].marks.subtract(.inDoubt)
    switch phase {
    case .update where isChanged(ref), .reboot: park(ref, before: phase, now: now)
    case .update, .snapshot: giveBack(ref, now: now)
    case .download, .preCheck, .postCheck, .soak, .finalize, .rollback, .verify:
      preconditionFailure("a stop takes no \(phase.word) back")
    }
  }

  /// Takes a command that was never handed to a session out of the outbox.
  mutating func withdrawUnsent(_ ref: RunRef) -> Bool {
    guard command(of: ref)?.delivery == .queued, !Plant.stopLeavesOutbox.isOn else { return false }
    emitWithdraw(ref)
    self[ref].command = nil
    return true
  }

  private mutating func emitWithdraw(_ ref: RunRef) {
    if let command = command(of: ref) { emit(.withdraw(command.fence)) }
  }

  mutating func park(
    _ ref: RunRef, before next: Phase, reason: String = "", now: Instant
  ) {
    self[ref].deadline = nil
    self[ref].quietDeadline = nil
    self[ref].silenceDeadline = nil
    move(ref, to: .parked(next: next), .runParked, now: now, reason: reason)
    markDirty(clientOf(ref))
  }

  mutating func parkBetweenAttempts(_ ref: RunRef, reason: String = "", now: Instant) {
    self[ref].marks.insert(.retryDue)
    park(ref, before: .update, reason: reason, now: now)
  }

  mutating func releaseStop(
    _ client: ClientID?, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    guard !reason.isEmpty else {
      throw .invalid(field: "reason", message: "say why it is safe to go on")
    }
    let latched = client.map { clients[$0].stop } ?? stop
    guard let latched else {
      throw .notAllowed(
        code: .notStopped, message: "nothing is stopped here",
        hint: "`atlas stop status` lists what is")
    }
    let pause = Latch(
      reason: "stop released: \(reason)".bounded(), principal: by, since: now)
    record(
      Record(
        .stopReleased, client: client, fence: latched.fence, reason: reason.bounded(),
        principal: by))
    if let client {
      clients[client].stop = nil
      clients[client].version += 1
      if clients[client].paused == nil { clients[client].paused = pause }
      emit(.save(.client(client)))
      considerRemovals(at: client, now: now)
    } else {
      stop = nil
      pauseEveryRunningCampaign(pause)
      emit(.save(.control))
      for index in clients.indices { considerRemovals(at: ClientID(index), now: now) }
    }
  }

  /// What a stop had stopped stays paused until a person resumes it.
  private mutating func pauseEveryRunningCampaign(_ latch: Latch) {
    for index in campaigns.indices where campaigns[index].state.isRunning {
      guard !campaigns[index].pauses.contains(where: { $0.scope == .all }) else { continue }
      campaigns[index].pauses.append(Pause(scope: .all, latch: latch))
      record(
        Record(
          .campaignPaused, campaign: CampaignID(index), reason: latch.reason,
          principal: latch.principal))
      emit(.save(.campaign(CampaignID(index))))
    }
  }
}

extension Work {
  /// Whether it is a hook that is asked before anything is changed.
  fileprivate var isBeforeChange: Bool {
    guard case .hook(let point) = step else { return false }
    return phase == .preCheck || phase == .snapshot
      || phase == .rollback && point == .enterMaintenance
  }
}

extension CommandKind {
  /// Whether a stop keeps it from being given: it begins something that was not begun.
  var isStart: Bool {
    switch self {
    case .download, .snapshot, .update, .reboot: true
    case .health, .rollback, .removeSnapshot: false
    }
  }
}

extension Latch {
  /// The same with the reason of a later one, if it has none itself.
  fileprivate func explained(by later: Latch) -> Latch {
    var latch = self
    if latch.reason.isEmpty { latch.reason = later.reason }
    return latch
  }
}

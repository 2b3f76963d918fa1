import AtlasModel

extension ControlState {
  /// Does everything that is due. A timer that no longer fits what the state says is ignored.
  mutating func fireTimers(now: Instant) {
    while let entry = timers.pop(due: now) {
      switch entry.target {
      case .run(let ref): stepFires(ref, armedFor: entry.at, now: now)
      case .quiet(let ref): quietFires(ref, armedFor: entry.at)
      case .silence(let ref):
        if self[ref].silenceDeadline == entry.at { silenceExpired(ref, now: now) }
      case .late(let ref): lateFires(ref, now: now)
      case .hold(let ref): holdFires(ref, armedFor: entry.at)
      case .lane(let campaign, let lane):
        if campaigns[campaign].lanes[Int(lane)].wakeAt == entry.at {
          campaigns[campaign].lanes[Int(lane)].wakeAt = nil
          markDirty(campaigns[campaign].lanes[Int(lane)].client)
        }
      case .gate(let campaign, let ring): markGate(campaign, ring)
      case .starts(let campaign): markCapped(campaign)
      case .end(let campaign):
        if campaigns[campaign].endsAt == entry.at { campaignEnds(campaign, now: now) }
      case .lock(let server):
        if servers[server].locked?.until == entry.at { lockEnds(server) }
      case .outage(let client): outageFires(client, now: now)
      case .windows(let client):
        if clients[client].windowsRefresh == entry.at { askForWindows(of: client) }
      case .dark(let client): darkFires(client, now: now)
      case .contact(let client): contactFires(client, armedFor: entry.at, now: now)
      case .source(let campaign): if campaigns[campaign].state.isRunning { wakeLanes(of: campaign) }
      case .postponed(let client): postponedFires(client, armedFor: entry.at)
      }
    }
  }

  private mutating func stepFires(_ ref: RunRef, armedFor at: Instant, now: Instant) {
    guard self[ref].stepTimer == at else { return }
    self[ref].stepTimer = nil
    guard let deadline = self[ref].deadline, !standsStill(ref) else { return }
    if deadline > at { return arm(ref, at: deadline) }
    stepOverdue(ref, now: now)
  }

  /// Whether the time limits of a run in progress stand still: a timer that fires then is armed again
  /// when contact is back.
  private func standsStill(_ ref: RunRef) -> Bool {
    self[ref].state.kind == .inProgress && isFrozen(clientOf(ref))
  }

  private mutating func stepOverdue(_ ref: RunRef, now: Instant) {
    if waitsForItsAgent(ref, now: now) { return }
    self[ref].deadline = nil
    switch self[ref].state {
    case .pending:
      if self[ref].details.content.check?.point == nil { return turnOver(ref, now: now) }
      hookOverdue(ref, now: now)
    case .inProgress(let work):
      switch work.step {
      case .hook: hookOverdue(ref, now: now)
      case .agent: commandOverdue(ref, work, now: now)
      case .guests: guestsOverdue(ref, now: now)
      case .backoff where work.phase == .finalize: leaveAgain(ref, now: now)
      case .backoff: retryAfterBackoff(ref, now: now)
      case .soak: finalize(ref, completion(ref), now: now)
      }
    case .completed: keptSnapshotFires(ref, now: now)
    case .parked, .held, .failed, .notAttempted, .skipped, .postponed: break
    }
  }

  mutating func hookOverdue(_ ref: RunRef, now: Instant) {
    emit(.cancelHook(ref, serial: self[ref].hookSerial))
    let verdict = HookVerdict.timeout("the hook did not end in time")
    hookFinished(ref, serial: self[ref].hookSerial, verdict, now: now)
  }

  /// A wait is over while the agent is away: nothing can be tried again without it, and no server
  /// be called healthy. The run goes on when the agent is back, and is LOST if it stays away.
  private mutating func waitsForItsAgent(_ ref: RunRef, now: Instant) -> Bool {
    guard case .inProgress(let work) = self[ref].state, work.step.isWait, work.phase != .finalize,
      !servers[Int(self[ref].server.index)].connected
    else { return false }
    if self[ref].silenceDeadline == nil { armSilence(ref, now: now) }
    return true
  }

  /// Its agent did not come back within the grace that its turn gave it. When it is not its turn
  /// any more, because of a stop, a pause or the end of the window, its next turn gives it another.
  private mutating func turnOver(_ ref: RunRef, now: Instant) {
    guard self[ref].details.content.offlineSince != nil else { return }
    guard isItsTurn(ref, now: now) else {
      self[ref].details.content.offlineSince = nil
      return emit(.save(.run(ref)))
    }
    let known = !servers[self[ref].server].agentVersion.isEmpty
    let message =
      known ? "its agent was offline at its turn" : "no agent of this server has ever connected"
    self[ref].details.content.lastError = message
    endUnchanged(
      ref, as: .notAttempted(known ? .offline : .noAgent), .runNotAttempted, message, now: now)
  }

  /// Whether nothing but the agent keeps the run from starting, other servers of its lane aside.
  private func isItsTurn(_ ref: RunRef, now: Instant) -> Bool {
    switch laneWaits(campaign: ref.campaign, lane: Int(self[ref].lane), now: now) {
    case nil, .slot, .unexplained: runWaits(ref, now: now) == .agent
    case .some: false
    }
  }

  /// Time limits never kill an installer: the run waits for a person, and for its result.
  private mutating func commandOverdue(_ ref: RunRef, _ work: Work, now: Instant) {
    self[ref].marks.insert(.overdue)
    if work.phase == .finalize, let ending = work.ending {
      if let command = self[ref].command { emit(.withdraw(command.fence)) }
      warn(ref, "the agent did not remove the snapshot in time")
      return leaveMaintenance(ref, then: ending, now: now)
    }
    takeBackOrder(ref)
    hold(ref, .overdue, "\(work.phase.word) takes longer than its limit", now: now)
  }

  /// From now on an installer has the policy's time to report something.
  mutating func armQuiet(_ ref: RunRef, now: Instant) {
    armQuiet(ref, at: now + max(noProgress(of: ref), floors.deadline))
  }

  mutating func armQuiet(_ ref: RunRef, at deadline: Instant) {
    self[ref].quietDeadline = deadline
    // Progress comes often: the one entry that is there moves on when it fires.
    if let at = self[ref].quietTimer, at <= deadline { return }
    self[ref].quietTimer = deadline
    timers.add(.quiet(ref), at: deadline)
  }

  private mutating func quietFires(_ ref: RunRef, armedFor at: Instant) {
    guard self[ref].quietTimer == at else { return }
    self[ref].quietTimer = nil
    guard let deadline = self[ref].quietDeadline, !standsStill(ref) else { return }
    if deadline > at { return armQuiet(ref, at: deadline) }
    quiet(ref)
  }

  private mutating func quiet(_ ref: RunRef) {
    self[ref].quietDeadline = nil
    if case .pending = self[ref].state { return downloadOverdue(ref) }
    guard case .inProgress(let work) = self[ref].state, work.phase == .update else { return }
    guard !self[ref].marks.contains(.quiet) else { return }
    self[ref].marks.insert(.quiet)
    warn(ref, "the installer has reported no progress for \(noProgress(of: ref).text)")
  }

  private mutating func lockEnds(_ server: ServerID) {
    servers[server].locked = nil
    servers[server].version += 1
    record(
      Record(
        .serverUnlocked, client: servers[server].client, server: server,
        reason: "the lock ended"))
    emit(.save(.server(server)))
    markDirty(servers[server].client)
  }
}

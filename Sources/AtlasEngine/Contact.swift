import AtlasModel

/// Agents that go and come back. A silent server keeps its slot: time alone never frees it.
extension ControlState {
  mutating func agentSilent(_ server: ServerID, now: Instant) {
    guard servers[server].connected else { return }
    servers[server].connected = false
    noteDrop(server, now: now)
    servers[server].silentSince = now
    servers[server].awaitedSince = nil
    emit(.save(.server(server)))
    updateDoubt(server)
    guard let ref = servers[server].openRun, case .inProgress = self[ref].state else { return }
    armSilence(ref, now: now)
  }

  /// From now on the agent has the lock timeout to come back, however long it was gone before.
  mutating func armSilence(_ ref: RunRef, now: Instant) {
    let deadline = now + max(rules(of: ref).clientLockTimeout, floors.silence)
    self[ref].silenceDeadline = deadline
    timers.add(.silence(ref), at: deadline)
  }

  mutating func silenceExpired(_ ref: RunRef, now: Instant) {
    self[ref].silenceDeadline = nil
    guard !isFrozen(clientOf(ref)), !servers[Int(self[ref].server.index)].connected else { return }
    switch self[ref].state {
    // A server that boots, or that a hook puts back, goes away; the limit of the phase says for how
    // long.
    case .inProgress(let work): if work.isAway { return }
    // It may wait for something else by now.
    case .parked(let next): if parkedWaits(ref, next, now: now) != .agent { return }
    case .pending, .held, .completed, .failed, .notAttempted, .skipped, .postponed: return
    }
    if Plant.lostServerGivenUp.isOn { return end(ref, .notAttempted(.offline), now: now) }
    hold(ref, .lost, "no contact with the agent", now: now)
  }

  mutating func agentBack(_ server: ServerID, _ hello: Hello, now: Instant) {
    if let doubt = doubt(about: hello) { return turnAway(server, doubt) }
    servers[server].isTurnedAway = false
    let knowsMore = knowsMore(server, hello)
    recordAbsence(of: server, now: now)
    if !servers[server].connected { noteReturn(server) }
    noteContact(with: server, hello)
    if !Plant.counterNotLifted.isOn { fence = max(fence, hello.highestNamed) }
    // Below whatever is ordered from here on.
    let void = hello.command?.progress == .accepted ? drawFence() : .none
    let isTakenBack = isTakenBack(hello, of: server)
    for report in hello.reports { reported(server, report, now: now) }
    reconcileRemovals(of: server, hello, now: now)
    if let ref = servers[server].openRun {
      knowsMore ? forgotten(ref, hello, now: now) : reconcile(ref, hello, now: now)
    }
    servers[server].voidBelow = isVoid(hello, of: server, isTakenBack) ? void : .none
    if servers[server].voidBelow != .none { emit(.save(.server(server))) }
    explain(server, hello)
    guestChanged(server, now: now)
    returned(server, now: now)
    considerRemovals(of: server, now: now)
    markDirty(servers[server].client)
  }

  private mutating func noteContact(with server: ServerID, _ hello: Hello) {
    let isSaved =
      servers[server].silentSince == nil && servers[server].agentVersion == hello.agentVersion
    servers[server].connected = true
    servers[server].isHeard = true
    servers[server].silentSince = nil
    servers[server].awaitedSince = nil
    servers[server].countedSince = nil
    guard !isSaved else { return }
    servers[server].agentVersion = hello.agentVersion.bounded(to: 64)
    emit(.save(.server(server)))
  }

  /// What its Hello says about whose work the server does. A dismissal ends, unless it was given
  /// for the very order that the agent still works on.
  private mutating func explain(_ server: ServerID, _ hello: Hello) {
    let before = servers[server].foreign
    servers[server].foreign = foreignOrder(server, hello)
    if before == nil || servers[server].foreign != before {
      endDismissal(server, "its agent is back")
    }
    updateDoubt(server)
  }

  /// Why a Hello is not believed; nil when it is.
  ///
  /// A database that was restored must not use fences again, so that a Hello lifts the counter. One
  /// agent with a broken journal must not lift it to where nothing can be drawn any more.
  package func doubt(about hello: Hello) -> String? {
    let named = hello.highestNamed
    let bound = min(
      fence.number.addingReportingOverflow(Limits.fenceLead).partialValue, Limits.highestFence / 2)
    guard named > fence, named.number > bound else { return nil }
    return "its journal names fence \(named.number), which was never drawn: the highest here is "
      + "\(fence.number); clear the agent's journal"
  }

  /// The agent has no session. Said once, however often it tries again.
  private mutating func turnAway(_ server: ServerID, _ doubt: String) {
    guard !servers[server].isTurnedAway else { return }
    servers[server].isTurnedAway = true
    record(
      Record(.agentRefused, client: servers[server].client, server: server, reason: doubt))
  }

  /// The agent still holds an order that must not begin now: nobody waits for it, such as for that of
  /// a run that a person has accepted, or people want nothing more to begin. Its welcome says so, as
  /// no order may begin before it.
  private func isVoid(_ hello: Hello, of server: ServerID, _ isTakenBack: Bool) -> Bool {
    guard let known = hello.command, known.progress == .accepted,
      known.fence >= stopFence(for: server),
      !hello.reports.contains(where: { $0.fence == known.fence })
    else { return false }
    return isTakenBack || isUnwanted(known, of: server)
  }

  /// Whether the order that the agent still holds was to begin something, and was taken back while
  /// the agent was away. Asked before the Hello settles it.
  private func isTakenBack(_ hello: Hello, of server: ServerID) -> Bool {
    guard let known = hello.command, known.kind.isStart,
      let ref = servers[Int(server.index)].openRun
    else { return false }
    return command(of: ref)?.fence == known.fence && self[ref].marks.contains(.reconciling)
      && self[ref].state.kind != .parked
  }

  private func isUnwanted(_ known: CommandStatus, of server: ServerID) -> Bool {
    guard let ref = servers[Int(server.index)].openRun, command(of: ref)?.fence == known.fence
    else { return removal(of: server, awaiting: known.fence) == nil }
    return known.kind.isStart
      && (isStopped(ref) || !isChanged(ref) && leaving(ref) != nil)
  }

  /// Its agent has said that it has the order. What a stop has met meanwhile goes on to its next safe
  /// point only.
  mutating func settle(_ ref: RunRef) {
    guard self[ref].state.kind != .parked else { return }
    self[ref].marks.remove(.reconciling)
    if !startsForbidden(ref) { self[ref].marks.remove(.stopMet) }
  }

  /// Whether an agent that says Hello for the first time since the daemon started has had orders
  /// that the database does not know: it was restored, and somebody has worked on with the lost one.
  private func knowsMore(_ server: ServerID, _ hello: Hello) -> Bool {
    let index = Int(server.index)
    guard let loadedFence, !servers[index].connected, !servers[index].isHeard else {
      return false
    }
    return hello.highestNamed > loadedFence
  }

  /// What the database says about the run is of yesterday: people have to look.
  private mutating func forgotten(_ ref: RunRef, _ hello: Hello, now: Instant) {
    if case .pending = self[ref].state { return backAtItsTurn(ref, hello) }
    guard self[ref].state.kind.holdsSlot else { return }
    self[ref].silenceDeadline = nil
    if let command = command(of: ref) {
      if command.kind == .update { self[ref].marks.insert(.changed) }
      emit(.withdraw(command.fence))
      self[ref].command = nil
      self[ref].marks.subtract(.inDoubt)
    }
    emit(.save(.run(ref)))
    hold(
      ref, .agentStateLost, "the agent has had orders that this database does not know", now: now)
  }

  /// What the agent's journal says settles what was not known about the run.
  private mutating func reconcile(_ ref: RunRef, _ hello: Hello, now: Instant) {
    self[ref].silenceDeadline = nil
    if case .pending = self[ref].state { return backAtItsTurn(ref, hello) }
    if Plant.lostNotFound.isOn, self[ref].state == .held(.lost) { return }
    backToItsPlace(ref, now: now)
    guard let command = command(of: ref) else { return backWithoutOrder(ref, now: now) }
    if let known = hello.command, known.fence == command.fence {
      if known.changed { self[ref].marks.insert(.changed) }
      return known.progress == .done
        ? reportLost(ref, now: now) : commandKnown(ref, known, now: now)
    }
    if wentBackWithSnapshot(ref, command, hello) { return revertSeen(ref, command, now: now) }
    guard command.delivery == .acknowledged else {
      return neverArrived(ref, command, hello, now: now)
    }
    // Nobody knows what was installed: better one rollback too many.
    if command.kind == .update { self[ref].marks.insert(.changed) }
    hold(ref, .agentStateLost, "the agent lost the journal of its order", now: now)
  }

  private mutating func backWithoutOrder(_ ref: RunRef, now: Instant) {
    switch self[ref].state {
    case .held(.lost): backFromHold(ref, .lost, now: now)
    // It took too long to arrive, and was taken back.
    case .held(.overdue) where self[ref].details.content.heldIn?.step == .agent:
      backFromHold(ref, .overdue, now: now)
    case .inProgress(let work) where work.step.isWait:
      // Its wait may have ended meanwhile.
      guard let deadline = self[ref].deadline, deadline <= now else { return }
      arm(ref, at: now)
      emit(.save(.run(ref)))
    case .pending, .inProgress, .parked, .held, .completed, .failed, .notAttempted, .skipped,
      .postponed:
      break
    }
  }

  /// A server that is put back to its snapshot forgets that it was told to: its journal is the one
  /// of the snapshot, and ends before the order. Where the acknowledgement was lost as well, an order
  /// that has ended long ago and that it works on again tells of it.
  private func wentBackWithSnapshot(
    _ ref: RunRef, _ command: ActiveCommand, _ hello: Hello
  ) -> Bool {
    guard command.kind == .rollback, agentMeans(of: ref) == .snapshot,
      hello.highestFence > .none, hello.highestFence < command.fence
    else { return false }
    let worksOnOld = hello.command.map { $0.progress == .begun && $0.kind == .snapshot } ?? false
    return command.delivery == .acknowledged || command.delivery == .sent && worksOnOld
  }

  /// The rollback has happened; VERIFY says whether the server is well.
  private mutating func revertSeen(_ ref: RunRef, _ command: ActiveCommand, now: Instant) {
    if case .held(let hold) = self[ref].state { backFromHold(ref, hold, now: now) }
    emit(.withdraw(command.fence))
    self[ref].command = nil
    beginVerify(ref, now: now)
  }

  private mutating func backAtItsTurn(_ ref: RunRef, _ hello: Hello) {
    if let download = command(of: ref) {
      let isKnown = hello.command?.fence == download.fence
      let isDone = isKnown && hello.command?.progress == .done
      if isDone || !isKnown { clearDownload(ref, isDone: isDone) }
    }
    guard self[ref].details.content.offlineSince != nil else { return }
    self[ref].details.content.offlineSince = nil
    self[ref].deadline = nil
    emit(.save(.run(ref)))
  }

  /// The journal says done, and the report with the result is gone: only a daemon that forgot an
  /// acknowledgement, such as one restored from a backup, can see this.
  private mutating func reportLost(_ ref: RunRef, now: Instant) {
    emit(.save(.run(ref)))
    hold(ref, .agentStateLost, "the result of its order is lost", now: now)
  }

  private mutating func commandKnown(_ ref: RunRef, _ status: CommandStatus, now: Instant) {
    emit(.withdraw(status.fence))
    setDelivery(ref, .acknowledged)
    settle(ref)
    switch self[ref].state {
    case .held(.lost): backFromHold(ref, .lost, now: now)
    case .held(.agentStateLost): backFromHold(ref, .agentStateLost, now: now)
    case .parked(let next) where status.progress == .begun: unparkByAgent(ref, next, now: now)
    case _: emit(.save(.run(ref)))
    }
  }

  /// The order is not in the agent's journal and was never acknowledged. If its fence is still
  /// above the agent's, the outbox sends it again; if not, the agent would refuse it.
  private mutating func neverArrived(
    _ ref: RunRef, _ command: ActiveCommand, _ hello: Hello, now: Instant
  ) {
    if case .parked = self[ref].state { return settleParked(ref) }
    if case .held(let hold) = self[ref].state {
      let isTakenBack = hold == .overdue && self[ref].marks.contains(.reconciling)
      guard hold == .lost || isTakenBack else { return }
      backFromHold(ref, hold, now: now)
    }
    setDelivery(ref, .queued)
    let isTakenBack = self[ref].marks.contains(.reconciling)
    if isTakenBack
      || command.fence < stopFence(for: self[ref].server) && !Plant.stopLeavesOutbox.isOn
    {
      neverBegins(ref, command, now: now)
    } else if hello.highestFence >= command.fence || mayNotBegin(ref, command.kind, now: now) {
      reissue(ref, now: now)
    }
  }

  /// A run that was PARKED when its agent was lost is PARKED again: what has kept it there may do so
  /// still.
  mutating func backToItsPlace(_ ref: RunRef, now: Instant) {
    guard case .held(.lost) = self[ref].state, self[ref].details.content.heldParked,
      let work = self[ref].details.content.heldIn
    else { return }
    self[ref].details.content.heldIn = nil
    move(ref, to: .parked(next: work.phase), .runBack, now: now)
    markDirty(clientOf(ref))
  }

  /// A held run goes on where it was.
  mutating func backFromHold(_ ref: RunRef, _ hold: Hold, now: Instant) {
    guard let work = self[ref].details.content.heldIn else { return }
    self[ref].details.content.heldIn = nil
    move(ref, to: .inProgress(work), .runBack, now: now)
    goOn(ref, work, now: now)
  }

  /// Takes up again what the run was doing, as far as a stop allows.
  mutating func goOn(_ ref: RunRef, _ work: Work, now: Instant) {
    let stopped = isStopped(ref)
    switch work.step {
    case .hook(let point):
      let isTakenBack = work.phase != .finalize && work.ending == .givenBack
      if isTakenBack || stopped && (work.phase == .preCheck || work.phase == .snapshot) {
        return giveBack(ref, now: now)
      }
      startHook(ref, point, restarted: true, now: now)
    case .agent: goOnWithCommand(ref, work.phase, now: now)
    case .backoff:
      if work.phase == .finalize { return arm(ref, at: now) }
      if stopped { return parkBetweenAttempts(ref, now: now) }
      arm(ref, at: now)
    case .guests:
      arm(ref, at: now + max(limit(of: work.phase, ref) ?? .zero, floors.deadline))
      goOnWithGuests(ref, work.phase, now: now)
    case .soak:
      if stopped { return park(ref, before: .soak, now: now) }
      arm(ref, at: now + rules(of: ref).serverSoak)
    }
  }

  /// Its order was taken back while the run was held, by a stop, or because it took too long to
  /// arrive. It is given anew as a start of its own: not while people forbid that.
  private mutating func goOnWithCommand(_ ref: RunRef, _ phase: Phase, now: Instant) {
    guard self[ref].command == nil else { return armCommand(ref, now: now) }
    switch phase {
    case .snapshot, .update, .reboot:
      if startsForbidden(ref) { return notBegun(ref, phase, now: now) }
      let kind: CommandKind =
        phase == .snapshot ? .snapshot : phase == .update ? .update : .reboot
      orderAgain(ref, kind, now: now)
    case .download, .preCheck, .postCheck, .soak, .finalize, .rollback, .verify:
      preconditionFailure("a stop takes no \(phase.word) back")
    }
  }
}

extension Hello {
  /// The highest fence that the journal names anywhere.
  fileprivate var highestNamed: Fence {
    reports.reduce(max(highestFence, command?.fence ?? .none)) { max($0, $1.fence) }
  }
}

import AtlasModel

/// The way of a run through its phases, as long as nothing goes wrong.
extension ControlState {
  /// Begins a round of installing. The first one of an untouched server needs its evidence.
  mutating func beginUpdate(_ ref: RunRef, pass: Int, now: Instant) {
    if !isChanged(ref) {
      if let skip = leaving(ref) { return leaveOut(ref, skip, now: now) }
      if givesWay(ref, now: now) { return }
      if let (reason, text) = updateProblem(ref, now: now) {
        return refuse(ref, reason, text, now: now)
      }
      noteBasis(ref, now: now)
    }
    self[ref].pass = UInt8(clamping: pass)
    self[ref].marks.subtract([.moreUpdates, .overdue, .quiet])
    begin(.update, ref, now: now)
  }

  /// Enters a phase that is one command of the agent, and issues the command.
  mutating func begin(
    _ phase: Phase, _ ref: RunRef, as record: RecordKind = .runPhase, reason: String = "",
    now: Instant
  ) {
    let kind: CommandKind
    switch phase {
    case .update: kind = .update
    case .reboot: kind = .reboot
    case .postCheck, .verify: kind = .health
    case .snapshot: kind = .snapshot
    case .rollback: kind = .rollback
    case .finalize: kind = .removeSnapshot
    case .download, .preCheck, .soak: preconditionFailure("\(phase) has no command")
    }
    let command = draw(ref, kind)
    move(ref, to: .inProgress(Work(phase, .agent)), record, now: now, reason: reason)
    send(command, ref, now: now)
    watch(ref, now: now)
  }

  /// Issues a command within the phase that the run is in.
  mutating func issue(_ ref: RunRef, _ kind: CommandKind, now: Instant) {
    order(ref, kind, now: now)
    watch(ref, now: now)
  }

  /// Gives a command to the agent of a run, and watches over nothing.
  mutating func order(_ ref: RunRef, _ kind: CommandKind, now: Instant) {
    let command = draw(ref, kind)
    emit(.save(.run(ref)))
    send(command, ref, now: now)
  }

  /// Orders a pending run's updates to be fetched.
  mutating func orderDownload(_ ref: RunRef, now: Instant) {
    let command = draw(ref, .download)
    write(ref, .runPhase, phase: .download)
    send(command, ref, now: now)
  }

  /// Draws a fence and makes it the run's command.
  private mutating func draw(_ ref: RunRef, _ kind: CommandKind) -> CommandKind {
    settle(ref)
    self[ref].command = ActiveCommand(fence: drawFence(), kind: kind)
    return kind
  }

  private mutating func send(_ kind: CommandKind, _ ref: RunRef, now: Instant) {
    guard let fence = command(of: ref)?.fence else { preconditionFailure("a command was drawn") }
    let server = self[ref].server
    var notAfter: Instant?
    var means = RollbackMeans.snapshot
    var snapshotID = ""
    var afterRollback = false
    var backupTakenAt: Instant?
    switch kind {
    case .update:
      notAfter = updateNotAfter(ref, now: now)
      backupTakenAt = self[ref].details.content.backup?.takenAt
    case .reboot: notAfter = rebootNotAfter(ref, now: now)
    case .health: afterRollback = self[ref].marks.contains(.rollback)
    case .rollback:
      notAfter = undoNotAfter(ref, now: now)
      means = agentMeans(of: ref)
      snapshotID = self.snapshotID(of: ref)
    case .removeSnapshot: snapshotID = self.snapshotID(of: ref)
    case .download, .snapshot: break
    }
    emit(
      .command(
        ref, server,
        Command(
          fence: fence, kind: kind, server: servers[server].config.name,
          campaign: campaigns[ref.campaign].name,
          runKey: keptRunKey(kind.isAboutSnapshot ? snapshotHolder(ref) : ref),
          attempt: Int(self[ref].attempt), pass: Int(self[ref].pass), notAfter: notAfter,
          updateSet: kind.hasUpdates || means == .uninstall ? updateSet(of: ref) : UpdateSet(),
          rollbackMeans: means, snapshotID: snapshotID, afterRollback: afterRollback,
          backupTakenAt: backupTakenAt)))
  }

  private func updateSet(of ref: RunRef) -> UpdateSet {
    var updateSet = campaigns[Int(ref.campaign.index)].updateSet
    if Plant.exclusionIgnored.isOn { updateSet.exclude = [] }
    return updateSet
  }

  /// The snapshot that a run goes back to and removes; empty for none.
  package func snapshotID(of ref: RunRef) -> String {
    self[snapshotHolder(ref)].details.content.snapshot?.id ?? ""
  }

  /// How long the command that was just given may take, and its agent be silent.
  private mutating func watch(_ ref: RunRef, now: Instant) {
    armCommand(ref, now: now)
    if case .update = command(of: ref)?.kind { armQuiet(ref, now: now) }
    if !servers[self[ref].server].connected { armSilence(ref, now: now) }
  }

  /// When the command is overdue, or has been quiet for too long, whichever is first.
  mutating func armCommand(_ ref: RunRef, now: Instant) {
    guard let phase = self[ref].state.phase, let limit = limit(of: phase, ref) else {
      return
    }
    arm(ref, at: now + max(limit, floors.deadline))
  }

  /// `run.key`: the same for every attempt, so that a snapshot is found again.
  package func runKey(_ ref: RunRef) -> String {
    var key = campaigns[Int(ref.campaign.index)].name.text
    key += "/"
    key += servers[Int(self[ref].server.index)].config.name.text
    if self[ref].retryOf >= 0 { key += "/\(ref.index + 1)" }
    return key
  }

  /// The same, made once for all commands of the run.
  private mutating func keptRunKey(_ ref: RunRef) -> String {
    let server = Int(self[ref].server.index)
    guard servers[server].openRun == ref else { return runKey(ref) }
    if servers[server].openRunKey.isEmpty { servers[server].openRunKey = runKey(ref) }
    return servers[server].openRunKey
  }

  func rollbackMeans(of ref: RunRef) -> RollbackMeans {
    let config = servers[Int(self[ref].server.index)].config
    return policy(of: ref).rollbackMeans(for: config.roles, physical: config.physical)
  }

  /// UPDATE has ended well: on to the boot, the next round, or the checks.
  mutating func updateSucceeded(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    self[ref].marks.remove(.refusedLate)
    if result.rebootRequired, !isChanged(ref) { return bootWasPending(ref, now: now) }
    keepMore(ref, result.moreUpdates)
    if result.rebootRequired {
      setRebootPending(ref, true)
      if isStopped(ref) { return park(ref, before: .reboot, now: now) }
      if isTooLate(ref, now: now) {
        return park(ref, before: .reboot, reason: Self.tooLateForWindow, now: now)
      }
      return begin(.reboot, ref, now: now)
    }
    passEnded(ref, now: now)
  }

  /// Nothing was installed, and servicing wants a boot all the same: somebody owed it before Atlas
  /// came. It comes first, once, and counts as no pass.
  private mutating func bootWasPending(_ ref: RunRef, now: Instant) {
    if self[ref].marks.contains(.booted) {
      return refuse(ref, .busy, "a reboot is still pending after a boot", now: now)
    }
    if rules(of: ref).pendingReboot == .refuse {
      return refuse(ref, .busy, "a reboot was pending before the update", now: now)
    }
    let isOld = windowsAreOld(for: ref)
    if !isOld, isTooLate(ref, now: now) {
      return refuse(ref, .window, "the window closed before the boot could begin", now: now)
    }
    self[ref].pass = 0
    self[ref].marks.insert(.booted)
    if isStopped(ref) { return park(ref, before: .reboot, now: now) }
    if isOld { return park(ref, before: .reboot, reason: Self.windowsUnknown, now: now) }
    begin(.reboot, ref, reason: "a reboot was pending before the update", now: now)
  }

  mutating func rebootSucceeded(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    self[ref].marks.remove(.refusedLate)
    setRebootPending(ref, false)
    keepMore(ref, result.moreUpdates || self[ref].pass == 0)
    passEnded(ref, now: now)
  }

  /// On to the next round, or to the checks. Under a stop, and when it is too late for another round,
  /// the checks come first in any case: they are the next safe point.
  private mutating func passEnded(_ ref: RunRef, now: Instant) {
    if self[ref].marks.contains(.moreUpdates), !isStopped(ref), !isTooLate(ref, now: now) {
      return nextPass(ref, now: now)
    }
    if Plant.healthNotAsked.isOn { return finalize(ref, completion(ref), now: now) }
    begin(.postCheck, ref, now: now)
  }

  /// Whether an attempt that is under way has outlasted its window, or the outage of its guests, or
  /// people have closed it: what interrupts the server again has to wait for the next.
  func isTooLate(_ ref: RunRef, now: Instant) -> Bool {
    if Plant.windowOutlasted.isOn { return false }
    return windowsAreOld(for: ref) || windowWaits(ref, needs: .zero, now: now) != nil
      || outageMissing(for: ref, .zero, now: now) != nil
  }

  private mutating func keepMore(_ ref: RunRef, _ more: Bool) {
    if more { self[ref].marks.insert(.moreUpdates) } else { self[ref].marks.remove(.moreUpdates) }
  }

  func isChanged(_ ref: RunRef) -> Bool { self[ref].marks.contains(.changed) }

  private mutating func nextPass(_ ref: RunRef, now: Instant) {
    let passes = rules(of: ref).maxPasses
    guard Int(self[ref].pass) >= passes else {
      return beginUpdate(ref, pass: Int(self[ref].pass) + 1, now: now)
    }
    // Some updates are offered for ever.
    checkIncomplete(ref, "after \(passes) passes", now: now)
  }

  /// No further round is made: the server is checked, and keeps what it has.
  private mutating func checkIncomplete(_ ref: RunRef, _ why: String, now: Instant) {
    self[ref].marks.remove(.moreUpdates)
    self[ref].marks.insert(.incomplete)
    begin(.postCheck, ref, now: now)
    warn(ref, "updates of the set are still missing \(why)")
  }

  /// Ends what a changed run is parked before, when its campaign is cancelled or over, or its server
  /// retired: a further round is not made, nor another attempt.
  mutating func endRounds(_ ref: RunRef, now: Instant) -> Bool {
    guard self[ref].state == .parked(next: .update), isChanged(ref), self[ref].command == nil,
      !self[ref].marks.contains(.retryDue),
      leaving(ref) != nil || campaigns[ref.campaign].isPastItsEnd(now)
    else { return false }
    if self[ref].marks.contains(.moreUpdates) {
      checkIncomplete(ref, "at the end of the campaign", now: now)
    } else {
      rollBack(ref, self[ref].details.content.lastError, now: now)
    }
    return true
  }

  /// The agent says that the server is well: now the hook is asked.
  mutating func healthGood(_ ref: RunRef, now: Instant) {
    advance(ref, to: .hook(.postUpdate))
    startHook(ref, .postUpdate, now: now)
  }

  /// Both the agent and the hook are content.
  mutating func checksPassed(_ ref: RunRef, _ phase: Phase, now: Instant) {
    if awaitGuests(ref, phase, now: now) { return }
    guard phase == .postCheck else { return rollbackVerified(ref, now: now) }
    if self[ref].marks.contains(.moreUpdates) {
      if isStopped(ref) { return park(ref, before: .update, now: now) }
      return isTooLate(ref, now: now)
        ? park(ref, before: .update, reason: Self.tooLateForWindow, now: now)
        : nextPass(ref, now: now)
    }
    if let missing = requiredMissing(ref) {
      return fail(ref, "required update \(missing) is not installed", retryable: false, now: now)
    }
    let soak = rules(of: ref).serverSoak
    if isStopped(ref) {
      return park(ref, before: soak > .zero ? .soak : .finalize, now: now)
    }
    soak > .zero ? beginSoak(ref, soak, now: now) : finalize(ref, completion(ref), now: now)
  }

  private mutating func beginSoak(_ ref: RunRef, _ soak: Duration, now: Instant) {
    move(ref, to: .inProgress(Work(.soak, .soak)), .runPhase, now: now)
    arm(ref, at: now + soak)
  }

  /// A required update that is not installed; nil when there is none.
  private func requiredMissing(_ ref: RunRef) -> UpdateID? {
    let updateSet = campaigns[Int(ref.campaign.index)].updateSet
    guard !updateSet.required.isEmpty else { return nil }
    // What was excluded since the run began is no longer asked of it.
    let required = updateSet.required.filter { !updateSet.exclude.contains($0) }
    let isIncomplete = self[ref].marks.contains(.incomplete)
    let results = self[ref].details.content.updates
    return required.first { id in
      switch results.first(where: { $0.update == id })?.outcome {
      case .failed, .reverted: true
      case .installed, .notApplicable: false
      // Nobody spoke of it: it does not apply, unless updates are missing still.
      case nil: isIncomplete
      }
    }
  }

  func completion(_ ref: RunRef) -> Ending {
    let results = self[ref].details.content.updates
    let isException = results.contains { $0.outcome == .failed || $0.outcome == .reverted }
    if isException || self[ref].marks.contains(.incomplete) { return .completed(.withExceptions) }
    return .completed(isChanged(ref) ? .updated : .noUpdates)
  }

  /// Goes on with a parked run where it was stopped.
  mutating func proceed(_ ref: RunRef, with next: Phase, now: Instant) {
    switch next {
    case .update: proceedWithUpdate(ref, now: now)
    case .reboot:
      begin(.reboot, ref, now: now)
      countStart(ref.campaign, now: now)
    case .soak: beginSoak(ref, rules(of: ref).serverSoak, now: now)
    case .postCheck, .verify: begin(next, ref, now: now)
    case .finalize: finalize(ref, completion(ref), now: now)
    case .download, .preCheck, .snapshot, .rollback:
      preconditionFailure("nothing is parked before \(next)")
    }
  }
}

extension CommandKind {
  /// Whether its order says which updates it is about.
  fileprivate var hasUpdates: Bool {
    switch self {
    case .download, .update, .health: true
    case .snapshot, .reboot, .rollback, .removeSnapshot: false
    }
  }

  /// Whether its order names a snapshot that is there: then by the key of the run that took it.
  fileprivate var isAboutSnapshot: Bool {
    switch self {
    case .rollback, .removeSnapshot: true
    case .download, .snapshot, .update, .reboot, .health: false
    }
  }
}

extension ControlState {
  /// A run was parked before UPDATE between two attempts, between two passes, or with a command
  /// that never began: that pass is still to come.
  private mutating func proceedWithUpdate(_ ref: RunRef, now: Instant) {
    noteProbe(ref)
    if self[ref].marks.contains(.retryDue) {
      self[ref].marks.remove(.retryDue)
      return retryAfterBackoff(ref, now: now)
    }
    countStart(ref.campaign, now: now)
    if self[ref].marks.contains(.moreUpdates) { return nextPass(ref, now: now) }
    beginUpdate(ref, pass: max(1, Int(self[ref].pass)), now: now)
  }
}

/// Cleaning up, and the end of a run.
extension ControlState {
  /// FINALIZE: cleans up on the way to `ending`; the slot is returned when that is done.
  mutating func finalize(
    _ ref: RunRef, _ ending: Ending, reason: String = "", now: Instant
  ) {
    if keepsSnapshot(ref, ending), !Plant.snapshotNotKept.isOn {
      return finalizeKeeping(ref, ending, now: now)
    }
    self[ref].command = nil
    move(
      ref, to: .inProgress(Work(.finalize, .hook(.finalize), ending: ending)), .runPhase,
      now: now, reason: reason)
    startHook(ref, .finalize, now: now)
  }

  /// Asks the agent to remove the snapshot that it took, if it took one, before the run ends.
  mutating func removeAgentSnapshot(_ ref: RunRef, then ending: Ending, now: Instant) {
    let holder = snapshotHolder(ref)
    let byHook = self[holder].marks.contains(.snapshotByHook)
    guard !byHook, self[holder].details.content.snapshot != nil else {
      return leaveMaintenance(ref, then: ending, now: now)
    }
    advance(ref, to: .agent)
    issue(ref, .removeSnapshot, now: now)
  }

  mutating func snapshotRemoved(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    guard case .inProgress(let work) = self[ref].state, let ending = work.ending else {
      preconditionFailure("FINALIZE knows where it leads")
    }
    if result.status == .succeeded {
      forgetSnapshot(of: ref)
    } else {
      warn(ref, "the snapshot was not removed: \(result.text)")
    }
    leaveMaintenance(ref, then: ending, now: now)
  }

  mutating func end(_ ref: RunRef, _ ending: Ending, now: Instant) {
    self[ref].command = nil
    let error = self[ref].details.content.lastError
    switch ending {
    case .completed(let completion): complete(ref, completion, now: now)
    case .failed(let failure):
      move(ref, to: .failed(failure), .runFailed, now: now, reason: error)
      // What a person accepted need not be looked at by another.
      if failure == .rolledBack { holdLaneAfterFailure(ref, now: now) }
    case .notAttempted(let refused):
      uncountUnchanged(ref)
      endUnchanged(ref, as: .notAttempted(refused), .runNotAttempted, error, now: now)
    case .skipped(let skip):
      uncountUnchanged(ref)
      endUnchanged(ref, as: .skipped(skip), .runSkipped, error, now: now)
    case .givenBack: returnToLane(ref, .runGivenBack, notBefore: nil, now: now)
    }
  }

  /// `on_failure: hold`: the lane waits for a person after a failed server.
  private mutating func holdLaneAfterFailure(_ ref: RunRef, now: Instant) {
    guard rules(of: ref).onFailure == .hold, campaigns[ref.campaign].state == .active else {
      return
    }
    let reason = "a server of the lane failed and the policy says on_failure: hold"
    holdLane(of: ref, reason, now: now)
  }

  /// Notes something that is worth a look and changes nothing.
  mutating func warn(_ ref: RunRef, _ message: String) {
    write(ref, .runWarning, reason: message)
  }
}

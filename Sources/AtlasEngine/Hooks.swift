import AtlasModel

extension ControlState {
  /// How long a hook of a phase may take, campaign time; a rehearsal leaves it a real minimum.
  package func hookLimit(of phase: Phase, _ ref: RunRef) -> Duration {
    max(limit(of: phase, ref) ?? .zero, floors.deadline)
  }

  /// Starts a hook function for the phase that a run is in. When the function is not defined the
  /// answer says so at once, and the phase goes on without it.
  mutating func startHook(
    _ ref: RunRef, _ point: HookPoint, restarted: Bool = false, now: Instant
  ) {
    self[ref].hookSerial &+= 1
    let phase = point == .finalize ? .finalize : self[ref].state.phase ?? .preCheck
    let limit = hookLimit(of: phase, ref)
    let deadline = now + limit
    arm(ref, at: deadline + rules(of: ref).cancelGrace)
    emit(
      .startHook(
        HookStart(
          run: ref, point: point, serial: self[ref].hookSerial, deadline: deadline,
          restarted: restarted, expires: expiry(ref, point))))
    emit(.save(.run(ref)))
  }

  /// Sets the one deadline that a run's step has.
  mutating func arm(_ ref: RunRef, at deadline: Instant) {
    if self[ref].setDeadline(deadline) { timers.add(.run(ref), at: deadline) }
  }

  mutating func hookFinished(
    _ ref: RunRef, serial: UInt16, _ verdict: HookVerdict, now: Instant
  ) {
    guard ref.isIn(self), self[ref].hookSerial == serial else { return }
    if case .held = self[ref].state { return cancelledByHold(ref, verdict) }
    if case .completed = self[ref].state { return cleanUpFinished(ref, verdict, now: now) }
    if case .pending = self[ref].state {
      guard let point = self[ref].details.content.check?.point else { return }
      return checkAnswered(ref, point, verdict, now: now)
    }
    guard case .inProgress(let work) = self[ref].state, case .hook(let point) = work.step else {
      return
    }
    self[ref].deadline = nil
    if work.phase == .preCheck, work.ending == .givenBack { return giveBack(ref, now: now) }
    finished(ref, work, point, verdict.inProgress, now: now)
  }

  private mutating func finished(
    _ ref: RunRef, _ work: Work, _ point: HookPoint, _ verdict: HookVerdict, now: Instant
  ) {
    switch point {
    case .preUpdate: preUpdateFinished(ref, verdict, now: now)
    case .verifyBackup: verifyBackupFinished(ref, verdict, now: now)
    case .enterMaintenance: enterFinished(ref, verdict, now: now)
    case .leaveMaintenance: leaveFinished(ref, work, verdict, now: now)
    case .snapshot: snapshotHookFinished(ref, verdict, now: now)
    case .postUpdate: postUpdateFinished(ref, work, verdict, now: now)
    case .finalize: finalizeHookFinished(ref, work, verdict, now: now)
    case .rollback: rollbackHookFinished(ref, verdict, now: now)
    case .orderGroup, .peerCheck: preconditionFailure("it is asked of pending runs")
    }
  }

  /// The run came to be held while its hook ran, and the hook was cancelled. A snapshot that it
  /// took all the same is there, and must not be forgotten.
  private mutating func cancelledByHold(_ ref: RunRef, _ verdict: HookVerdict) {
    guard let work = self[ref].details.content.heldIn, work.phase == .snapshot,
      work.step == .hook(.snapshot), verdict.snapshot != nil
    else { return }
    keepSnapshot(ref, verdict)
    emit(.save(.run(ref)))
  }

  private mutating func preUpdateFinished(_ ref: RunRef, _ verdict: HookVerdict, now: Instant) {
    switch verdict {
    case .notDefined where movesGuests(self[ref].server):
      let message = "it has migrates_guests, and no hook pre_update that moves its guests away"
      refuse(ref, .hook, message, now: now)
    case .ok, .notDefined:
      takeBackup(ref, verdict)
      advance(ref, to: .hook(.verifyBackup))
      startHook(ref, .verifyBackup, now: now)
    case .skip(let message): refuse(ref, .hook, message, now: now)
    case .deferred(let after, let reason): deferRun(ref, after: after, reason, .busy, now: now)
    case .fail(let message, _), .error(let message), .timeout(let message):
      refuse(ref, .hook, message, now: now)
    case .cancelled: refuse(ref, .hook, "the hook was cancelled", now: now)
    case .next: preconditionFailure(HookVerdict.onlyOrderGroup)
    case .left(_, let verdict): preUpdateFinished(ref, verdict, now: now)
    }
  }

  private mutating func verifyBackupFinished(
    _ ref: RunRef, _ verdict: HookVerdict, now: Instant
  ) {
    switch verdict {
    case .ok, .notDefined:
      takeBackup(ref, verdict)
      if let problem = backupProblem(ref, now: now) {
        return refuse(ref, .backup, problem, now: now)
      }
      beginSnapshot(ref, now: now)
    case .deferred(let after, let reason): deferRun(ref, after: after, reason, .backup, now: now)
    case .skip(let message), .fail(let message, _), .error(let message), .timeout(let message):
      refuse(ref, .backup, message, now: now)
    case .cancelled: refuse(ref, .backup, "the hook was cancelled", now: now)
    case .next: preconditionFailure(HookVerdict.onlyOrderGroup)
    case .left(_, let verdict): verifyBackupFinished(ref, verdict, now: now)
    }
  }

  /// Keeps the evidence of a backup that a hook recorded. Only the snapshot hook's snapshot counts:
  /// a run that is deferred in PRE_CHECK must not leave one behind.
  private mutating func takeBackup(_ ref: RunRef, _ verdict: HookVerdict) {
    guard case .ok(let backup?, _) = verdict else { return }
    self[ref].details.content.backup = backup
  }

  private mutating func keepSnapshot(_ ref: RunRef, _ verdict: HookVerdict) {
    guard let snapshot = verdict.snapshot else { return }
    self[ref].details.content.snapshot = snapshot
    self[ref].marks.insert(.snapshotByHook)
  }

  private mutating func beginSnapshot(_ ref: RunRef, now: Instant) {
    if let skip = leaving(ref) { return leaveOut(ref, skip, now: now) }
    if givesWay(ref, now: now) { return }
    // A rollback campaign takes no snapshot: it goes back to one.
    let phase = isUndo(ref) ? Phase.rollback : .snapshot
    move(ref, to: .inProgress(Work(phase, .hook(.enterMaintenance))), .runPhase, now: now)
    enterMaintenance(ref, now: now)
  }

  private mutating func snapshotHookFinished(
    _ ref: RunRef, _ verdict: HookVerdict, now: Instant
  ) {
    let required = snapshotRequired(ref)
    keepSnapshot(ref, verdict)
    switch verdict {
    case .ok:
      takeBackup(ref, verdict)
      guard !required || self[ref].details.content.snapshot != nil else {
        return refuse(ref, .hook, "the snapshot hook recorded no snapshot", now: now)
      }
      snapshotDone(ref, now: now)
    case .notDefined where required:
      // A stop lets a snapshot that is being taken finish, and begins none.
      if isStopped(ref) { return giveBack(ref, now: now) }
      advance(ref, to: .agent)
      issue(ref, .snapshot, now: now)
    case .notDefined: snapshotDone(ref, now: now)
    case .skip(let message), .fail(let message, _), .error(let message), .timeout(let message):
      refuse(ref, .hook, message, now: now)
    case .deferred(_, let reason): refuse(ref, .hook, reason, now: now)
    case .cancelled: refuse(ref, .hook, "the hook was cancelled", now: now)
    case .next: preconditionFailure(HookVerdict.onlyOrderGroup)
    case .left(_, let verdict): snapshotHookFinished(ref, verdict, now: now)
    }
  }

  /// The snapshot is there, or is not asked for: UPDATE begins, unless a stop, the window or the
  /// age of the evidence forbid it.
  mutating func snapshotDone(_ ref: RunRef, now: Instant) {
    if isStopped(ref) { return giveBack(ref, now: now) }
    beginUpdate(ref, pass: 1, now: now)
  }

  private mutating func postUpdateFinished(
    _ ref: RunRef, _ work: Work, _ verdict: HookVerdict, now: Instant
  ) {
    switch verdict {
    case .ok, .notDefined: checksPassed(ref, work.phase, now: now)
    case .fail(let message, let retryable):
      checksFailed(ref, work.phase, message, retryable: retryable, refusal: .hook, now: now)
    case .timeout(let message):
      checksFailed(ref, work.phase, message, retryable: true, refusal: .hook, now: now)
    case .skip(let message), .deferred(_, let message), .error(let message):
      checksFailed(ref, work.phase, message, retryable: false, refusal: .hook, now: now)
    case .cancelled:
      let message = "the hook was cancelled"
      checksFailed(ref, work.phase, message, retryable: false, refusal: .hook, now: now)
    case .next: preconditionFailure(HookVerdict.onlyOrderGroup)
    case .left(_, let verdict): postUpdateFinished(ref, work, verdict, now: now)
    }
  }

  private mutating func finalizeHookFinished(
    _ ref: RunRef, _ work: Work, _ verdict: HookVerdict, now: Instant
  ) {
    switch verdict {
    case .ok: break
    case .notDefined:
      let holder = snapshotHolder(ref)
      if self[holder].marks.contains(.snapshotByHook),
        self[holder].details.content.snapshot != nil
      {
        warn(ref, "no finalize hook removes the snapshot that a hook took")
      }
    case .skip(let message), .deferred(_, let message), .fail(let message, _),
      .error(let message), .timeout(let message):
      warn(ref, "finalize: \(message)")
    case .cancelled: warn(ref, "finalize: the hook was cancelled")
    case .next: preconditionFailure(HookVerdict.onlyOrderGroup)
    case .left(_, let verdict): return finalizeHookFinished(ref, work, verdict, now: now)
    }
    guard let ending = work.ending else { preconditionFailure("FINALIZE knows where it leads") }
    if case .ok = verdict, self[snapshotHolder(ref)].marks.contains(.snapshotByHook) {
      forgetSnapshot(of: ref)
    }
    removeAgentSnapshot(ref, then: ending, now: now)
  }

  private mutating func rollbackHookFinished(
    _ ref: RunRef, _ verdict: HookVerdict, now: Instant
  ) {
    switch verdict {
    case .ok: beginVerify(ref, now: now)
    case .notDefined: rollBackByAgent(ref, now: now)
    case .skip(let message), .deferred(_, let message), .fail(let message, _),
      .error(let message), .timeout(let message):
      hold(ref, .rollbackFailed, message, now: now)
    case .cancelled: hold(ref, .rollbackFailed, "the hook was cancelled", now: now)
    case .next: preconditionFailure(HookVerdict.onlyOrderGroup)
    case .left(_, let verdict): rollbackHookFinished(ref, verdict, now: now)
    }
  }
}

extension HookVerdict {
  fileprivate static let onlyOrderGroup = "a server is named in PENDING only"

  /// What it says about a run that has begun: there a name is no answer.
  fileprivate var inProgress: HookVerdict {
    switch self {
    case .next(let name): .error("it names \(name), which only order_group may")
    case .left(let snapshot, let verdict): .left(snapshot, after: verdict.inProgress)
    case .ok, .skip, .deferred, .fail, .error, .timeout, .cancelled, .notDefined: self
    }
  }
}

extension RunRef {
  /// Whether there is such a run: what comes from outside may name anything.
  func isIn(_ state: ControlState) -> Bool {
    state.campaigns.indices.contains(Int(campaign.index))
      && state.campaigns[Int(campaign.index)].runs.indices.contains(Int(index))
  }
}

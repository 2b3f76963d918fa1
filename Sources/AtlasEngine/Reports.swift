import AtlasModel

/// What agents answer and report. Everything may come twice, late, or about a command that nobody
/// waits for any more: such news are acknowledged and change nothing (S11).
extension ControlState {
  mutating func commandSent(_ server: ServerID, _ fence: Fence) {
    guard let ref = removal(of: server, awaiting: fence) ?? run(of: server, awaiting: fence)
    else { return }
    if command(of: ref)?.delivery == .queued { setDelivery(ref, .sent) }
  }

  /// The open run of a server, if the command it waits for is this one.
  private func run(of server: ServerID, awaiting fence: Fence) -> RunRef? {
    guard servers.indices.contains(Int(server.index)),
      let ref = servers[Int(server.index)].openRun, let command = command(of: ref),
      command.fence == fence || Plant.reportAppliedTwice.isOn
    else { return nil }
    return ref
  }

  mutating func acknowledged(
    _ server: ServerID, _ answer: CommandAcknowledgement, now: Instant
  ) {
    emit(.withdraw(answer.fence))
    if let kept = removal(of: server, awaiting: answer.fence) {
      return removalAcknowledged(kept, answer, now: now)
    }
    guard let ref = run(of: server, awaiting: answer.fence) else { return }
    switch answer.verdict {
    case .accepted:
      setDelivery(ref, .acknowledged)
      settle(ref)
      if let recorded = answer.recorded, recorded.changed { self[ref].marks.insert(.changed) }
      emit(.save(.run(ref)))
    case .refused:
      let result = CommandResult(status: .refused, message: answer.message)
      ended(ref, result, now: now)
    case .stale: stale(ref, now: now)
    }
  }

  /// The agent has seen a higher fence. That is how a stop is meant to work, and a welcome that
  /// voids what another order has left; otherwise another daemon, or this one before it was restored from a backup, has given orders.
  private mutating func stale(_ ref: RunRef, now: Instant) {
    guard let command = command(of: ref) else { return }
    switch self[ref].state {
    case .pending: clearDownload(ref, isDone: true)
    case .parked: settleParked(ref)
    case .inProgress where command.fence < welcomeFence(for: self[ref].server):
      neverBegins(ref, command, now: now)
    case .inProgress, .held:
      hold(ref, .agentStateLost, "the agent knows orders that are not ours", now: now)
    case .completed, .failed, .notAttempted, .skipped, .postponed: break
    }
  }

  /// The command of a run in progress can never be carried out, because of a stop, or because it was
  /// taken back. What must not start now is not ordered again.
  mutating func neverBegins(_ ref: RunRef, _ command: ActiveCommand, now: Instant) {
    guard command.kind.isStart, startsForbidden(ref), let phase = self[ref].state.phase else {
      return reissue(ref, now: now)
    }
    emit(.withdraw(command.fence))
    notBegun(ref, phase, now: now)
  }

  /// Gives the order again under a new fence, because the old one can never be carried out. The
  /// time limit of the phase goes on, so that no agent can keep a run for ever.
  mutating func reissue(_ ref: RunRef, now: Instant) {
    guard let command = command(of: ref) else { return }
    emit(.withdraw(command.fence))
    self[ref].marks.subtract(.inDoubt)
    if Plant.fenceReused.isOn { fence = Fence(command.fence.number - 1) }
    orderAgain(ref, command.kind, now: now)
  }

  /// Whether an order that has not arrived must not be given as it is: its server is to be left out,
  /// or it has become too late for it.
  func mayNotBegin(_ ref: RunRef, _ kind: CommandKind, now: Instant) -> Bool {
    guard kind.isStart else { return false }
    if isChanged(ref) { return kind != .snapshot && isTooLate(ref, now: now) }
    return leaving(ref) != nil
  }

  /// An untouched server needs its evidence once more: time has passed since it was looked at.
  mutating func orderAgain(_ ref: RunRef, _ kind: CommandKind, now: Instant) {
    if mayNotBegin(ref, kind, now: now) { return beginNothing(ref, kind, now: now) }
    if kind == .update || kind == .snapshot, givesWay(ref, now: now) { return }
    if kind == .update, !isChanged(ref) {
      if let (reason, text) = updateProblem(ref, now: now) {
        return refuse(ref, reason, text, now: now)
      }
      noteBasis(ref, now: now)
    }
    order(ref, kind, now: now)
    if self[ref].deadline == nil { armCommand(ref, now: now) }
  }

  /// What may not begin any more is left out, where nothing was changed, and waits for its window
  /// otherwise; another attempt that cannot be made is rolled back.
  private mutating func beginNothing(_ ref: RunRef, _ kind: CommandKind, now: Instant) {
    self[ref].command = nil
    if !isChanged(ref), let skip = leaving(ref) { return leaveOut(ref, skip, now: now) }
    if kind == .update, self[ref].pass <= 1 {
      if windowsAreOld(for: ref) {
        // It is the attempt that was counted already.
        self[ref].attempt -= 1
        return parkBetweenAttempts(ref, reason: Self.windowsUnknown, now: now)
      }
      return rollBack(ref, self[ref].details.content.lastError, now: now)
    }
    park(ref, before: kind == .update ? .update : .reboot, reason: Self.tooLateForWindow, now: now)
  }

  /// Why a run is parked while its windows change.
  static var windowsUnknown: String { "its windows are being worked out" }

  /// Why a run is parked whose attempt has outlasted its window.
  static var tooLateForWindow: String { "its window, or the outage of its guests, is over" }

  /// It is certain now that the command of a parked run has not begun and never will.
  mutating func settleParked(_ ref: RunRef) {
    if let command = command(of: ref) { emit(.withdraw(command.fence)) }
    self[ref].command = nil
    self[ref].marks.subtract(.inDoubt)
    emit(.save(.run(ref)))
    markDirty(clientOf(ref))
  }

  mutating func reported(_ server: ServerID, _ report: CommandReport, now: Instant) {
    defer { emit(.acknowledge(server, report.fence, seq: report.seq)) }
    foreignReported(server, report)
    if let kept = removal(of: server, awaiting: report.fence) {
      return removalReported(kept, report, now: now)
    }
    guard let ref = run(of: server, awaiting: report.fence),
      var command = command(of: ref), command.lastSeq < report.seq
    else { return }
    if command.delivery != .acknowledged {
      emit(.withdraw(report.fence))
      emit(.save(.run(ref)))
    }
    command.delivery = .acknowledged
    command.lastSeq = report.seq
    self[ref].command = command
    switch report.event {
    case .progress(let progress): progressed(ref, progress, now: now)
    case .result(let result): ended(ref, result, now: now)
    }
  }

  private mutating func progressed(_ ref: RunRef, _ progress: ProgressReport, now: Instant) {
    if case .parked(let next) = self[ref].state { unparkByAgent(ref, next, now: now) }
    if self[ref].quietDeadline != nil, isUpdating(ref) { armQuiet(ref, now: now) }
    guard progress.changed, !isChanged(ref) else { return }
    self[ref].marks.insert(.changed)
    sourceAnswered(ref)
    emit(.save(.run(ref)))
  }

  private func isUpdating(_ ref: RunRef) -> Bool {
    command(of: ref)?.kind == .update
  }

  /// A command that was on its way when a stop came had begun after all: it goes on to the next
  /// safe point, as the stop's table says.
  mutating func unparkByAgent(_ ref: RunRef, _ next: Phase, now: Instant) {
    // Leave to boot at any hour was for this boot only.
    self[ref].marks.subtract([.reconciling, .ignoreWindow])
    move(
      ref, to: .inProgress(Work(next, .agent)), .runBack, now: now,
      reason: "the command had begun before the stop reached the agent")
    settle(ref)
    armCommand(ref, now: now)
  }

  /// The command of a run has ended.
  private mutating func ended(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    guard let command = command(of: ref) else { return }
    if result.changed { self[ref].marks.insert(.changed) }
    if case .pending = self[ref].state { return downloadEnded(ref, result) }
    backToItsPlace(ref, now: now)
    if case .parked(let next) = self[ref].state {
      if result.status == .cancelled { return settleParked(ref) }
      unparkByAgent(ref, next, now: now)
    }
    if case .held(let hold) = self[ref].state { backFromHold(ref, hold, now: now) }
    guard case .inProgress(let work) = self[ref].state, work.step == .agent else { return }
    if result.status == .cancelled, !command.kind.isStart { return reissue(ref, now: now) }
    emit(.withdraw(command.fence))
    self[ref].endCommand()
    if !result.updates.isEmpty { self[ref].details.content.merge(result.updates) }
    switch command.kind {
    case .snapshot: snapshotEnded(ref, result, now: now)
    case .update: updateEnded(ref, result, now: now)
    case .reboot: rebootEnded(ref, result, now: now)
    case .health: healthEnded(ref, work.phase, result, now: now)
    case .rollback: rollbackEnded(ref, result, now: now)
    case .removeSnapshot: snapshotRemoved(ref, result, now: now)
    case .download: preconditionFailure("a download is no command of a run in progress")
    }
  }

  private mutating func snapshotEnded(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    switch result.status {
    case .succeeded:
      guard let snapshot = result.snapshot else {
        return refuse(ref, .environment, "the agent named no snapshot", now: now)
      }
      self[ref].details.content.snapshot = snapshot
      snapshotDone(ref, now: now)
    case .failed, .refused, .environment:
      refuse(ref, refusalReason(result), "snapshot: \(result.text)", now: now)
    case .cancelled: giveBack(ref, now: now)
    }
  }

  private mutating func updateEnded(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    switch result.status {
    case .succeeded:
      sourceAnswered(ref)
      updateSucceeded(ref, result, now: now)
    case .cancelled: updateCancelled(ref, now: now)
    case .failed, .refused, .environment:
      guard isChanged(ref) else { return updateRefused(ref, result, now: now) }
      if result.status == .refused, refusalReason(result) == .window, self[ref].pass > 1 {
        return startedTooLate(ref, .update, result, now: now)
      }
      if result.isSourceFault, sourceFailed(ref, result.text, now: now) {
        return park(ref, before: .update, reason: Self.waitsForSource(result), now: now)
      }
      let retryable = result.retryable || result.isSourceFault
      fail(ref, result.text, retryable: retryable, now: now)
    }
  }

  private mutating func updateRefused(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    // Too late for what? The evidence or the window says so better than the agent can.
    if result.code == Self.tooLate, let (reason, text) = updateProblem(ref, now: now) {
      return refuse(ref, reason, text, now: now)
    }
    let reason = refusalReason(result)
    guard reason == .source, sourceFailed(ref, result.text, now: now) else {
      return refuse(ref, reason, result.text, now: now)
    }
    // The next to try is another: perhaps only this server is at fault.
    moveBehindAll(ref)
    giveBack(ref, Self.waitsForSource(result), now: now)
  }

  private static func waitsForSource(_ result: CommandResult) -> String {
    "\(result.text); it waits until its update source answers".bounded()
  }

  /// The agent would not begin a command after its latest time.
  private static var tooLate: String { "NOT_AFTER" }

  /// The agent dropped an update that it had not begun.
  private mutating func updateCancelled(_ ref: RunRef, now: Instant) {
    if isStopped(ref) || isChanged(ref) { return park(ref, before: .update, now: now) }
    giveBack(ref, now: now)
  }

  private mutating func rebootEnded(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    switch result.status {
    case .succeeded: rebootSucceeded(ref, result, now: now)
    case .cancelled: park(ref, before: .reboot, now: now)
    case .refused where !isChanged(ref):
      refuse(ref, refusalReason(result), "reboot: \(result.text)", now: now)
    case .refused where refusalReason(result) == .window:
      startedTooLate(ref, .reboot, result, now: now)
    case .failed, .refused, .environment:
      // A server that would not boot is not as it was, whether or not something was installed.
      self[ref].marks.insert(.changed)
      fail(ref, "reboot: \(result.text)", retryable: result.retryable, now: now)
    }
  }

  /// The agent did not begin a boot or a further pass any more. The order may be of the night before.
  /// Where it refuses a new one in an open window, the agent's clock is wrong, or its own hours are
  /// narrower: then nothing but a person can help.
  private mutating func startedTooLate(
    _ ref: RunRef, _ phase: Phase, _ result: CommandResult, now: Instant
  ) {
    let isFirst = result.code == Self.tooLate && !self[ref].marks.contains(.refusedLate)
    if isFirst { self[ref].marks.insert(.refusedLate) }
    guard !isFirst, !isStopped(ref), !isTooLate(ref, now: now) else {
      return park(ref, before: phase, reason: Self.tooLateForWindow, now: now)
    }
    let message = "its agent does not begin \(phase.word) any more, and its window is open"
    hold(ref, .unhealthy, "\(message): look at the server's clock, and at its own hours", now: now)
  }

  private mutating func healthEnded(
    _ ref: RunRef, _ phase: Phase, _ result: CommandResult, now: Instant
  ) {
    if result.status == .succeeded, let health = result.health, health.healthy {
      self[ref].details.content.build = health.build.bounded(to: 64)
      return healthGood(ref, now: now)
    }
    let problems = result.health?.problems.joined(separator: "; ") ?? ""
    let message = "not healthy: \(problems.isEmpty ? result.text : problems)"
    checksFailed(
      ref, phase, message, retryable: result.retryable, refusal: .environment, now: now)
  }

  private mutating func rollbackEnded(_ ref: RunRef, _ result: CommandResult, now: Instant) {
    guard result.status == .succeeded else {
      if result.status == .refused, refusesUndo(ref) {
        return refuseUndo(ref, refusalReason(result), "rollback: \(result.text)", now: now)
      }
      return hold(ref, .rollbackFailed, "rollback: \(result.text)", now: now)
    }
    beginVerify(ref, now: now)
  }

  /// Which refusal an agent's result means, by its status and the family of its code.
  private func refusalReason(_ result: CommandResult) -> Refused {
    if result.code.hasPrefix("E_DISK") { return .disk }
    if result.code.hasPrefix("E_BUSY") { return .busy }
    if result.code.hasPrefix("E_WINDOW") || result.code == Self.tooLate { return .window }
    return result.isSourceFault ? .source : .environment
  }
}

extension CommandResult {
  /// Something around the server is at fault: the agent says so, or the code of the update source
  /// does (0x8024xxxx).
  fileprivate var isSourceFault: Bool {
    status == .environment || code.lowercased().hasPrefix("0x8024")
  }

  /// Code and message in one line, for people.
  var text: String {
    switch (code.isEmpty, message.isEmpty) {
    case (true, true): status == .succeeded ? "no details" : "the agent gave no reason"
    case (true, false): message
    case (false, true): code
    case (false, false): "\(code): \(message)"
    }
  }
}

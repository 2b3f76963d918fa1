import AtlasModel

/// A snapshot that outlives its run, so that a rollback campaign can go back to it (§13).
package struct KeptSnapshot: Hashable, Sendable {
  /// It is removed then, or as soon afterwards as something allows.
  package let until: Instant
  package var removal = Removal.waiting
  /// Removals that failed; stays at 255. After the first nobody knows whether it is still there.
  package var tries: UInt8 = 0

  package init(until: Instant, removal: Removal = .waiting, tries: UInt8 = 0) {
    self.until = until
    self.removal = removal
    self.tries = tries
  }

  /// What is done to remove it.
  package enum Removal: UInt8, CaseIterable, Hashable, Sendable {
    /// Nothing: its time is not over, or something keeps it.
    case waiting
    /// The hook `finalize` runs.
    case hook
    /// Its agent has the order, or is to get it.
    case agent
    /// Nothing more: removing it is a person's work.
    case givenUp
  }
}

/// Snapshots of completed servers are kept for `snapshot_retention`, and with them all that FINALIZE
/// would clean up. Removing them takes no slot: a run that has ended does it, in the steps of
/// FINALIZE, and one at a time for each server.
extension ControlState {
  /// Whether the snapshot of a run that comes to this end is kept.
  func keepsSnapshot(_ ref: RunRef, _ ending: Ending) -> Bool {
    guard case .completed = ending, !isUndo(ref), isChanged(ref), !isVirtual,
      rules(of: ref).snapshotRetention > .zero, self[ref].details.content.snapshot != nil
    else { return false }
    return servers[Int(self[ref].server.index)].kept.count < Limits.snapshotsPerServer
  }

  /// FINALIZE of a run whose snapshot is kept: maintenance is left, and the rest is put off.
  mutating func finalizeKeeping(_ ref: RunRef, _ ending: Ending, now: Instant) {
    self[ref].command = nil
    move(
      ref, to: .inProgress(Work(.finalize, .hook(.leaveMaintenance), ending: ending)), .runPhase,
      now: now)
    leaveMaintenance(ref, then: ending, now: now)
  }

  mutating func complete(_ ref: RunRef, _ completion: Completion, now: Instant) {
    guard keepsSnapshot(ref, .completed(completion)) else {
      return move(ref, to: .completed(completion), .runCompleted, now: now)
    }
    let until = now + rules(of: ref).snapshotRetention
    move(
      ref, to: .completed(completion), .runCompleted, now: now,
      reason: "its snapshot is kept until \(until.words)")
    self[ref].details.content.kept = KeptSnapshot(until: until)
    servers[self[ref].server].kept.append(ref)
    arm(ref, at: until)
  }

  /// The snapshot that a run had, or went back to, is gone.
  mutating func forgetSnapshot(of ref: RunRef) {
    let holder = snapshotHolder(ref)
    self[holder].details.content.loseSnapshot()
    if holder != ref { emit(.save(.run(holder))) }
  }

  /// The time of a kept snapshot is over, or what it waited for; or its removal takes too long.
  mutating func keptSnapshotFires(_ ref: RunRef, now: Instant) {
    guard let kept = self[ref].details.content.kept else { return }
    emit(.save(.run(ref)))
    switch kept.removal {
    case .waiting: considerRemoval(ref, now: now)
    case .hook: hookOverdue(ref, now: now)
    case .agent: removalOverdue(ref, now: now)
    case .givenUp: break
    }
  }

  /// Something has changed for a server that the removal of its snapshots may have waited for.
  mutating func considerRemovals(of server: ServerID, now: Instant) {
    for ref in servers[server].kept { considerRemoval(ref, now: now) }
  }

  /// A stop of the client is over.
  mutating func considerRemovals(at client: ClientID, now: Instant) {
    for server in clients[client].servers where !servers[server].kept.isEmpty {
      considerRemovals(of: server, now: now)
    }
  }

  /// Begins to remove a kept snapshot, unless something keeps it; that says so when it is over.
  mutating func considerRemoval(_ ref: RunRef, now: Instant) {
    guard let kept = self[ref].details.content.kept, kept.removal == .waiting,
      self[ref].deadline == nil, !isVirtual
    else { return }
    let server = Int(self[ref].server.index)
    guard servers[server].client == clientOf(ref) else {
      return giveUpRemoval(ref, "its server belongs to another client now")
    }
    guard mayRemove(ref) else { return }
    if let run = servers[server].openRun, command(of: run) != nil {
      // Its agent is busy with a download, and would take this order only after that.
      return waitForRemoval(ref, Limits.removalWait, now: now)
    }
    self[ref].details.content.kept?.removal = .hook
    startHook(ref, .finalize, now: now)
  }

  /// Whether nothing keeps a snapshot whose time is over.
  private func mayRemove(_ ref: RunRef) -> Bool {
    if case .planned = self[ref].details.content.undo, !Plant.neededSnapshotRemoved.isOn {
      return false
    }
    let server = self[ref].server
    guard !isStopped(ref), !holdsSlot(server) else { return false }
    let isOtherRemoved = servers[Int(server.index)].kept.contains {
      $0 != ref && self[$0].details.content.kept?.isBeingRemoved ?? false
    }
    return !isOtherRemoved
      && (self[ref].marks.contains(.snapshotByHook) || servers[Int(server.index)].connected)
  }

  /// The hook `finalize` of a run that has completed says how it ended.
  mutating func cleanUpFinished(_ ref: RunRef, _ verdict: HookVerdict, now: Instant) {
    guard self[ref].details.content.kept?.removal == .hook else { return }
    self[ref].deadline = nil
    let isByHook = self[ref].marks.contains(.snapshotByHook)
    switch verdict {
    case .ok: isByHook ? keptSnapshotGone(ref, now: now) : orderRemoval(ref, now: now)
    case .notDefined:
      guard isByHook else { return orderRemoval(ref, now: now) }
      giveUpRemoval(ref, "no finalize hook removes the snapshot that a hook took")
    case .skip(let message), .deferred(_, let message), .fail(let message, _),
      .error(let message), .timeout(let message):
      removalFailed(ref, "finalize: \(message)", now: now)
    case .cancelled: removalFailed(ref, "finalize: the hook was cancelled", now: now)
    case .next(let name): removalFailed(ref, "finalize: it names \(name)", now: now)
    case .left(_, let verdict): cleanUpFinished(ref, verdict, now: now)
    }
  }

  private mutating func orderRemoval(_ ref: RunRef, now: Instant) {
    guard mayRemove(ref) else { return waitForRemoval(ref, Limits.removalWait, now: now) }
    self[ref].details.content.kept?.removal = .agent
    order(ref, .removeSnapshot, now: now)
    armRemoval(ref, now: now)
  }

  private mutating func armRemoval(_ ref: RunRef, now: Instant) {
    arm(ref, at: now + max(limit(of: .finalize, ref) ?? .zero, floors.deadline))
    emit(.save(.run(ref)))
  }

  private mutating func keptSnapshotGone(_ ref: RunRef, now: Instant) {
    let server = self[ref].server
    let id = snapshotID(of: ref)
    endRemovalOrder(ref)
    self[ref].details.content.loseSnapshot()
    self[ref].details.content.kept = nil
    servers[server].kept.removeAll { $0 == ref }
    write(ref, .runSnapshotRemoved, reason: "the snapshot \(id) is removed".bounded())
    considerRemovals(of: server, now: now)
  }

  /// It is tried again, and people are told once.
  private mutating func removalFailed(_ ref: RunRef, _ message: String, now: Instant) {
    let tries = self[ref].details.content.kept?.tries ?? 0
    self[ref].details.content.kept?.tries = tries == .max ? tries : tries + 1
    let wait = min(Limits.removalWait * (1 << min(10, Int(tries))), Limits.removalWaitLongest)
    waitForRemoval(ref, wait, now: now)
    if tries == 0 {
      warn(ref, "the kept snapshot was not removed, and that is tried again: \(message)".bounded())
    }
    considerRemovals(of: self[ref].server, now: now)
  }

  private mutating func waitForRemoval(_ ref: RunRef, _ wait: Duration, now: Instant) {
    endRemovalOrder(ref)
    self[ref].details.content.kept?.removal = .waiting
    arm(ref, at: now + wait)
    emit(.save(.run(ref)))
  }

  private mutating func giveUpRemoval(_ ref: RunRef, _ message: String) {
    endRemovalOrder(ref)
    self[ref].details.content.kept?.removal = .givenUp
    let tries = self[ref].details.content.kept?.tries ?? 0
    self[ref].details.content.kept?.tries = max(1, tries)
    warn(ref, "the kept snapshot remains: \(message)".bounded())
  }

  /// The snapshot of a run that has ended went with the end of another.
  mutating func forgetKept(_ ref: RunRef) {
    endRemovalOrder(ref)
    self[ref].details.content.kept = nil
    servers[self[ref].server].kept.removeAll { $0 == ref }
    emit(.save(.run(ref)))
  }

  private mutating func endRemovalOrder(_ ref: RunRef) {
    if let command = command(of: ref) { emit(.withdraw(command.fence)) }
    self[ref].endCommand()
  }
}

/// What agents say about the removal of snapshots of runs that have ended.
extension ControlState {
  /// The run of a server that waits for the end of this removal.
  func removal(of server: ServerID, awaiting fence: Fence) -> RunRef? {
    let index = Int(server.index)
    guard servers.indices.contains(index), !servers[index].kept.isEmpty else { return nil }
    return servers[index].kept.first { command(of: $0)?.fence == fence }
  }

  mutating func removalAcknowledged(
    _ ref: RunRef, _ answer: CommandAcknowledgement, now: Instant
  ) {
    switch answer.verdict {
    case .accepted:
      setDelivery(ref, .acknowledged)
      emit(.save(.run(ref)))
    case .refused: removalFailed(ref, answer.message, now: now)
    // The agent has seen a higher fence, such as that of a stop: it was not begun.
    case .stale: waitForRemoval(ref, Limits.removalWait, now: now)
    }
  }

  mutating func removalReported(_ ref: RunRef, _ report: CommandReport, now: Instant) {
    guard var command = command(of: ref), command.lastSeq < report.seq else { return }
    emit(.withdraw(report.fence))
    command.delivery = .acknowledged
    command.lastSeq = report.seq
    self[ref].command = command
    emit(.save(.run(ref)))
    guard case .result(let result) = report.event else { return }
    switch result.status {
    case .succeeded: keptSnapshotGone(ref, now: now)
    case .cancelled: waitForRemoval(ref, Limits.removalWait, now: now)
    case .failed, .refused, .environment: removalFailed(ref, result.text, now: now)
    }
  }

  /// An agent that is away has its time when it is back.
  private mutating func removalOverdue(_ ref: RunRef, now: Instant) {
    let server = self[ref].server
    guard servers[server].connected, let command = command(of: ref) else { return }
    emit(.cancelCommand(server, fence: drawFence(), command: command.fence))
    removalFailed(ref, "the agent did not remove it in time", now: now)
  }

  /// The agent is back: it knows its order, gets it again, or has lost it.
  mutating func reconcileRemovals(of server: ServerID, _ hello: Hello, now: Instant) {
    for ref in servers[server].kept {
      guard let command = command(of: ref) else { continue }
      if hello.command?.fence == command.fence {
        emit(.withdraw(command.fence))
        setDelivery(ref, .acknowledged)
        emit(.save(.run(ref)))
      } else if command.delivery == .acknowledged, hello.highestFence < command.fence {
        removalFailed(ref, "its agent has lost the order", now: now)
        continue
      }
      if self[ref].deadline == nil { armRemoval(ref, now: now) }
    }
  }
}

/// After a start of the daemon.
extension ControlState {
  mutating func loadKept(_ id: CampaignID) {
    guard !Plant.keptSnapshotForgotten.isOn else { return }
    for (index, run) in campaigns[id].runs.enumerated() where run.details.content.kept != nil {
      servers[run.server].kept.append(RunRef(campaign: id, index: index))
    }
  }

  mutating func wakeKept(of server: ServerID, now: Instant) {
    for ref in servers[server].kept {
      switch self[ref].details.content.kept?.removal {
      case .waiting?: wakeWaiting(ref, now: now)
      case .hook?: startHook(ref, .finalize, restarted: true, now: now)
      case .agent?: wakeRemoval(ref, now: now)
      case .givenUp?, nil: break
      }
    }
  }

  private mutating func wakeWaiting(_ ref: RunRef, now: Instant) {
    guard let deadline = self[ref].deadline else { return considerRemoval(ref, now: now) }
    arm(ref, at: max(deadline, now))
    emit(.save(.run(ref)))
  }

  private mutating func wakeRemoval(_ ref: RunRef, now: Instant) {
    // It may have been handed over just before the daemon died.
    if command(of: ref)?.delivery == .queued { setDelivery(ref, .sent) }
    armRemoval(ref, now: now)
  }
}

extension KeptSnapshot {
  /// A hook or its agent is at it.
  package var isBeingRemoved: Bool { removal == .hook || removal == .agent }
}

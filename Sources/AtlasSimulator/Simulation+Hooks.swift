import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel

/// A hook that runs.
struct HookRun {
  let order: HookOrder
  let number: Int
  var verdict: HookVerdict
}

/// Hooks: what operators' scripts answer, and when.
extension Simulation {
  func startHook(_ order: HookOrder) {
    guard let life = daemon?.life else { return }
    trace.mix(Int(order.ticket.serial))
    checker.hookStarted(
      client: order.client.text, server: order.server.text,
      texts: [order.key, order.snapshotID, order.campaign.text] + order.updates.map(\.update.text),
      point: order.point.rawValue, campaign: order.campaign.text)
    if order.restarted { sometimes.reach(.hookRestartedAfterCrash) }
    noteStart(order)
    nextHook += 1
    let (verdict, delay) = answer(order)
    let run = HookRun(order: order, number: nextHook, verdict: verdict)
    daemon?.hooks[order.ticket] = run
    // A hook that nobody wrote is nothing to tell of.
    if verdict != .notDefined { tell("hook \(order.point.rawValue) of \(order.server) runs") }
    see(.hook(order.point, order.server))
    if let delay { after(delay, .hookEnds(life: life, run)) }
  }

  func cancelHook(_ ticket: HookTicket) {
    guard let life = daemon?.life, var run = daemon?.hooks[ticket] else { return }
    sometimes.reach(.hookCancelled)
    // A hook that took a snapshot before it was cancelled says so.
    if run.order.point == .snapshot, case .ok(_, let snapshot?) = run.verdict,
      hookRandom.happens(300)
    {
      checker.snapshotTaken(of: run.order.server.text, for: run.order.key, isByHook: true)
      run.verdict = .left(snapshot, after: .cancelled)
    } else {
      run.verdict = .cancelled
    }
    daemon?.hooks[ticket] = run
    after(hookRandom.milliseconds(1...3_000), .hookEnds(life: life, run))
  }

  func endHook(_ run: HookRun) {
    let ticket = run.order.ticket
    // A hook that was cancelled ends once, however it would have ended.
    guard let current = daemon?.hooks[ticket], current.number == run.number else { return }
    daemon?.hooks[ticket] = nil
    let verdict = current.verdict
    if case .left = verdict { sometimes.reach(.hookLeftSnapshot) }
    if verdict != .notDefined {
      tell("hook \(run.order.point.rawValue) of \(run.order.server) ends: \(verdict.word)")
    }
    note(verdict, of: run.order)
    noteEnd(verdict, of: run.order)
    loseAgent(before: run.order)
    tellDaemon(.hookFinished(ticket, verdict, nil))
  }

  /// The agent is lost right before it would get an order, so that the order waits for it, and
  /// somebody may stop everything meanwhile.
  private func loseAgent(before order: HookOrder) {
    guard !faultsAreOver, order.point == .snapshot || order.point == .postUpdate,
      faultRandom.happens(plan.menu.fragile), let machine = machineOf[order.server],
      let link = machines[machine].link
    else { return }
    crashAgent(machine, back: faultRandom.seconds(60...400))
    breakLink(link, at: .daemon)
    if peopleRandom.happens(300) { somebodyStops(order.client, certainly: true) }
  }

  private func noteStart(_ order: HookOrder) {
    switch order.point {
    case .enterMaintenance: if !order.restarted { checker.entersMaintenance(order.key) }
    case .leaveMaintenance: noteLeave(order)
    case .orderGroup, .peerCheck, .preUpdate, .verifyBackup, .snapshot, .postUpdate, .finalize,
      .rollback:
      break
    }
  }

  private func noteLeave(_ order: HookOrder) {
    guard let state = daemon?.machine.state, let id = state.server(named: order.server),
      let run = state[server: id].openRun, case .inProgress(let work) = state[run].state
    else { return }
    if work.ending == .givenBack { sometimes.reach(.leaveAfterGivenBack) }
  }

  private func noteEnd(_ verdict: HookVerdict, of order: HookOrder) {
    let isGood: Bool
    switch verdict {
    case .ok: isGood = true
    case .skip, .deferred, .fail, .error, .timeout, .cancelled, .next, .notDefined, .left:
      isGood = false
    }
    switch order.point {
    case .enterMaintenance: if isGood { checker.enteredMaintenance(order.key) }
    case .leaveMaintenance:
      if isGood {
        checker.leftMaintenance(order.key, isRepeat: order.restarted)
      } else if order.restarted {
        checker.repeatedLeave(order.key)
      }
    case .peerCheck:
      checker.answeredAboutPeers(
        of: order.server.text, isWell: isGood || verdict == .notDefined)
    case .orderGroup:
      if case .next = verdict { sometimes.reach(.orderGroupChoseAnother) }
    case .postUpdate: checker.hookJudged(order.server.text, mayPass: verdict.mayPass)
    case .preUpdate, .verifyBackup, .snapshot, .finalize, .rollback: break
    }
  }

  /// What the checker may know: a backup that was shown, a snapshot that is there.
  private func note(_ verdict: HookVerdict, of order: HookOrder) {
    guard case .ok(let backup, let snapshot) = verdict else { return }
    if let backup {
      checker.showed(
        BackupEvidence(
          takenAt: backup.takenAt.milliseconds, verifiedAt: backup.verifiedAt?.milliseconds,
          lastJobAt: backup.lastJobAt?.milliseconds), for: order.key)
    }
    if snapshot != nil, order.point == .snapshot {
      checker.snapshotTaken(of: order.server.text, for: order.key, isByHook: true)
    }
    if order.point == .finalize {
      checker.snapshotRemoved(of: order.server.text, for: order.key)
    }
  }

  /// - Returns: The verdict, and when it comes; nil for a hook that hangs until it is cancelled.
  private func answer(_ order: HookOrder) -> (HookVerdict, Duration?) {
    let defined = clientConfigs[order.client]?.1.hooks.contains(order.point) ?? false
    guard defined else { return (.notDefined, hookRandom.milliseconds(0...5)) }
    let delay = hookRandom.milliseconds(50...30_000)
    if let written = writtenAnswer(order) {
      return (written ?? .cancelled, written.map { _ in delay })
    }
    if order.point == .leaveMaintenance, stuckMaintenance.contains(order.key) {
      return (.error("monitoring does not answer"), delay)
    }
    if putsOffForEver(order) {
      let wait = deferralRandom.minutes(5...40)
      return (.deferred(after: wait, reason: "its backup never ends"), delay)
    }
    guard hookRandom.happens(plan.menu.badHooks) else {
      return (good(order), delay + timeToRevert(order))
    }
    if order.point == .leaveMaintenance, hookRandom.happens(300) {
      stuckMaintenance.insert(order.key)
      return (.error("monitoring does not answer"), delay)
    }
    switch hookRandom.number(0...7) {
    case 0: return (.fail("not today", retryable: hookRandom.happens(500)), delay)
    case 1: return (.error("script error"), delay)
    case 2: return (.cancelled, nil)
    case 3 where order.point == .preUpdate:
      return (.skip("left out by its hook"), delay)
    case 3, 4:
      return (.deferred(after: hookRandom.minutes(5...90), reason: "a backup is running"), delay)
    case 5: return (.timeout("the hook did not end in time"), hookRandom.minutes(1...20))
    case 6 where order.point == .snapshot:
      checker.snapshotTaken(of: order.server.text, for: order.key, isByHook: true)
      let fact = SnapshotFact(id: order.key, takenAt: now)
      return (.left(fact, after: .error("after the snapshot")), delay)
    case _: return (bad(order), delay)
    }
  }

  /// In some seeds the hooks of some runs always ask to come back later.
  private func putsOffForEver(_ order: HookOrder) -> Bool {
    guard isOn(.hooksDeferForEver) else { return false }
    switch order.point {
    case .peerCheck, .preUpdate, .verifyBackup: break
    case .orderGroup, .enterMaintenance, .snapshot, .postUpdate, .finalize, .rollback,
      .leaveMaintenance:
      return false
    }
    if let known = putsOff[order.key] { return known }
    putsOff[order.key] = deferralRandom.happens(40)
    return putsOff[order.key] ?? false
  }

  private func good(_ order: HookOrder) -> HookVerdict {
    switch order.point {
    case .verifyBackup:
      let taken = now - backupAge(order)
      let backup = BackupFact(
        source: "nightly", takenAt: taken, verifiedAt: taken + .seconds(60),
        lastJobAt: taken - .seconds(30))
      return .ok(backup: backup, snapshot: nil)
    case .snapshot:
      return .ok(backup: nil, snapshot: SnapshotFact(id: order.key, takenAt: now))
    case .rollback:
      // The hypervisor puts the server back.
      if let machine = machineOf[order.server] { revertByHook(machine) }
      return .ok(backup: nil, snapshot: nil)
    case .postUpdate:
      // A hook sees what an agent lies about.
      guard let machine = machineOf[order.server], machines[machine].isBroken else {
        return .ok(backup: nil, snapshot: nil)
      }
      return .fail("the service does not answer", retryable: false)
    case .orderGroup:
      guard !order.peers.isEmpty, hookRandom.happens(400) else {
        return .ok(backup: nil, snapshot: nil)
      }
      return .next(hookRandom.pick(order.peers))
    case .preUpdate, .finalize, .peerCheck, .enterMaintenance, .leaveMaintenance:
      return .ok(backup: nil, snapshot: nil)
    }
  }

  /// Most backups are young; some are just young enough now, and too old when UPDATE begins.
  private func backupAge(_ order: HookOrder) -> Duration {
    let limits = [
      clientConfigs[order.client]?.0.maxBackupAge.longest,
      plan.campaigns.first { $0.name == order.campaign }?.policy.maxBackupAge?.longest,
      plan.rollbacks.first { $0.name == order.campaign }?.policy.maxBackupAge?.longest,
    ]
    guard let limit = limits.compactMap({ $0 }).min(), hookRandom.happens(250) else {
      return hookRandom.minutes(5...50)
    }
    return limit - hookRandom.seconds(0...900)
  }

  /// Evidence that must not count.
  private func bad(_ order: HookOrder) -> HookVerdict {
    guard order.point == .verifyBackup else { return .fail("no", retryable: true) }
    let age = hookRandom.pick([Duration.seconds(3 * 86_400), .seconds(-3_600), .seconds(600)])
    let taken = now - age
    let isVerified = hookRandom.happens(500)
    let backup = BackupFact(
      source: "nightly", takenAt: taken, verifiedAt: isVerified ? taken : nil,
      lastJobAt: hookRandom.happens(500) ? taken + .seconds(60) : taken)
    return .ok(backup: backup, snapshot: nil)
  }

  /// A server is down while its hypervisor puts it back, and its agent silent, some for longer than
  /// the lock timeout. Most hooks wait for it.
  private func timeToRevert(_ order: HookOrder) -> Duration {
    guard order.point == .rollback, plan.script == nil, let machine = machineOf[order.server],
      machines[machine].isUp
    else { return .zero }
    let takes =
      revertRandom.happens(300) ? revertRandom.minutes(5...20) : revertRandom.minutes(1...5)
    goDown(machine, for: takes)
    if takes > .seconds(300) { sometimes.reach(.putBackForLong) }
    return revertRandom.happens(700) ? takes : .zero
  }

  private func revertByHook(_ number: Int) {
    machines[number].installedPasses = 0
    machines[number].owesBoot = false
    machines[number].isBroken = false
    machines[number].hasReverted = false
  }
}

extension HookVerdict {
  /// Whether it is a failure that may pass; nil for a good verdict.
  fileprivate var mayPass: Bool? {
    switch self {
    case .ok, .notDefined: nil
    case .fail(_, let retryable): retryable
    case .timeout: true
    case .skip, .deferred, .error, .cancelled, .next: false
    case .left(_, let verdict): verdict.mayPass
    }
  }

  /// For the story.
  var word: String {
    switch self {
    case .ok: "ok"
    case .skip: "skip"
    case .deferred(let after, _): "defer \(after?.text ?? "")"
    case .fail(_, let retryable): retryable ? "fail, retryable" : "fail"
    case .error: "error"
    case .timeout: "timeout"
    case .cancelled: "cancelled"
    case .next(let server): "next is \(server)"
    case .notDefined: "not defined"
    case .left(_, let verdict): "left a snapshot, then \(verdict.word)"
    }
  }
}

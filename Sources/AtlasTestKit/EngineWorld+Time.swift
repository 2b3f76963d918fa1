import AtlasEngine
import AtlasModel

/// Letting time pass.
extension EngineWorld {
  /// The next instant at which something happens, in the world or in the engine.
  package var next: Instant? {
    switch (plan.first?.at, state.nextDeadline) {
    case (let left?, let right?): min(left, right)
    case (let left?, nil): left
    case (nil, let right): right
    }
  }

  /// Lets everything happen that is due by `duration` from now.
  package mutating func run(for duration: Duration) {
    let end = now + duration
    while let next, next <= end { happenNext(at: next) }
    now = end
  }

  /// Lets things happen until `condition` holds, at most for `limit`.
  /// - Returns: whether it does.
  @discardableResult
  package mutating func run(
    upTo limit: Duration = .seconds(4 * 86_400), until condition: (EngineWorld) -> Bool
  ) -> Bool {
    let end = now + limit
    while !condition(self) {
      guard let next, next <= end else { return false }
      happenNext(at: next)
    }
    return true
  }

  /// Lets things happen until a run works on a step of a phase.
  @discardableResult
  package mutating func run(
    until server: String, _ phase: Phase, _ step: Step? = nil, in campaign: CampaignID? = nil
  ) -> Bool {
    let ref = run(server, in: campaign ?? CampaignID(0))
    return run {
      guard case .inProgress(let work) = $0.state[ref].state else { return false }
      return work.phase == phase && step ?? work.step == work.step
    }
  }

  /// Lets things happen until every campaign is over or waits for a person.
  @discardableResult
  package mutating func settle(upTo limit: Duration = .seconds(4 * 86_400)) -> Bool {
    run(upTo: limit) { world in
      world.state.campaigns.indices.allSatisfy {
        world.state.isSettled(CampaignID($0), now: world.now)
      }
    }
  }

  private mutating func happenNext(at next: Instant) {
    now = max(now, next)
    if let first = plan.first, first.at <= now {
      plan.removeFirst()
      happen(first.happening)
    } else {
      step(.timePassed)
    }
  }

  private mutating func happen(_ happening: Happening) {
    switch happening {
    case .reaches(let server, let message): receive(server, message)
    case .says(let server, let message): say(server, message)
    case .changes(let server, let fence):
      if let report = agents[Int(server.index)].change(fence, now: now) {
        tell(server, .report(report))
      }
    case .finishes(let server, let fence): finish(server, fence)
    case .disconnects(let server): disconnect(server)
    case .connects(let server): connect(server)
    case .hookEnds(let ref, let serial, let says): endHook(ref, serial, says)
    }
  }
}

/// Hooks.
extension EngineWorld {
  mutating func startHook(_ start: HookStart) {
    let run = state[start.run]
    checker.noteStart(start)
    hooks[start.run] = RunningHook(serial: start.serial, point: start.point)
    let answer = script.answer(
      to: start.point, of: state[server: run.server].config.name, attempt: Int(run.attempt))
    let again = start.restarted ? " again" : ""
    if answer.says != .verdict(.notDefined) {
      trace.order("hook \(start.point.rawValue) \(name(run.server))\(again)", at: now)
    }
    guard let after = answer.after else { return }
    schedule(.hookEnds(start.run, serial: start.serial, answer.says), after: after)
  }

  /// The runtime ends a hook soon after it was told to.
  mutating func cancelHook(_ ref: RunRef, _ serial: UInt16) {
    guard let hook = hooks[ref], hook.serial == serial else { return }
    trace.order("cancel hook \(hook.point.rawValue) \(name(state[ref].server))", at: now)
    // Whatever the hook says from now on, its time was over.
    hooks[ref]?.isCancelled = true
    checker.heard(.timeout(""), from: ref)
    schedule(.hookEnds(ref, serial: serial, .verdict(.cancelled)), after: .seconds(5))
  }

  private mutating func endHook(_ ref: RunRef, _ serial: UInt16, _ says: HookAnswer.Says) {
    guard let hook = hooks[ref], hook.serial == serial else { return }
    hooks[ref] = nil
    let verdict: HookVerdict
    switch says {
    case .verdict(let said): verdict = said
    case .backup(let age, let isVerified, let jobAge):
      let taken = now - age
      let backup = BackupFact(
        source: "veeam/daily", takenAt: taken, verifiedAt: isVerified ? taken + .seconds(60) : nil,
        lastJobAt: jobAge.map { now - $0 })
      verdict = .ok(backup: backup, snapshot: nil)
    case .snapshot:
      let snapshot = SnapshotFact(id: state.runKey(ref), takenAt: now)
      verdict = .ok(backup: nil, snapshot: snapshot)
    case .snapshotThen(let said):
      verdict = .left(SnapshotFact(id: state.runKey(ref), takenAt: now), after: said)
    }
    if verdict != .notDefined {
      trace.answer(
        "hook \(hook.point.rawValue) \(name(state[ref].server)): \(verdict.words)", at: now)
    }
    if !hook.isCancelled {
      checker.heard(verdict, from: ref)
      checker.noteEnd(hook.point, verdict, of: ref)
      if hook.point == .peerCheck { checker.heardOfPeers(verdict, of: ref, now: now) }
    }
    step(.hookFinished(ref, serial: serial, verdict))
  }
}

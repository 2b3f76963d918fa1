import AtlasModel

/// Pausing, resuming, cancelling, and decisions about single runs.
extension ControlState {
  mutating func pause(
    _ id: CampaignID, _ scope: PauseScope, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    try requireActive(id, to: "pause")
    try checkScope(id, scope)
    guard !campaigns[id].pauses.contains(where: { $0.scope == scope }) else { return }
    let latch = Latch(reason: reason.bounded(), principal: by, since: now)
    campaigns[id].pauses.append(Pause(scope: scope, latch: latch))
    for lane in campaigns[id].lanes.indices where scope.covers(campaigns[id].lanes[lane]) {
      takeLeaveBack(id, lane)
    }
    recordScope(.campaignPaused, id, scope, reason: reason, by: by)
  }

  mutating func resume(
    _ id: CampaignID, _ scope: PauseScope, atOnce: Bool, by: String, now: Instant
  ) throws(Refusal) {
    guard campaigns[id].state.isRunning else {
      throw .notAllowed(
        code: .campaignState,
        message: "cannot resume a campaign that is \(campaigns[id].state.word)",
        hint: campaigns[id].state == .draft ? "start it first" : "it is over")
    }
    try checkScope(id, scope)
    guard stop == nil else {
      throw .notAllowed(
        code: .stopped, message: "an emergency stop is latched",
        hint: "release it first: atlas stop release --reason …")
    }
    let paused = campaigns[id].pauses.contains { $0.scope == scope }
    let held = campaigns[id].heldLanes.contains { .client($0.client) == scope }
    guard paused || held || atOnce || hasSourceHold(id, scope) else { throw notPaused(id) }
    campaigns[id].pauses.removeAll { $0.scope == scope }
    campaigns[id].heldLanes.removeAll { .client($0.client) == scope }
    resetBreakers(id, scope, now: now)
    resumeSources(id, scope, by: by)
    for index in campaigns[id].lanes.indices where scope.covers(campaigns[id].lanes[index]) {
      atOnce ? letBootNow(id, index) : takeLeaveBack(id, index)
      markDirty(campaigns[id].lanes[index].client)
    }
    recordScope(.campaignResumed, id, scope, reason: "", by: by)
  }

  private func notPaused(_ id: CampaignID) -> Refusal {
    let scopes = campaigns[Int(id.index)].pauses.map { describe($0.scope) }
    let hint =
      scopes.isEmpty
      ? "nothing of this campaign is paused" : "paused: " + scopes.joined(separator: ", ")
    return .notAllowed(code: .notPaused, message: "that part is not paused", hint: hint)
  }

  private mutating func letBootNow(_ id: CampaignID, _ lane: Int) {
    for index in campaigns[id].lanes[lane].active {
      guard case .parked(.reboot) = campaigns[id][run: index].state else { continue }
      campaigns[id][run: index].marks.insert(.ignoreWindow)
      emit(.save(.run(RunRef(campaign: id, index: Int(index)))))
    }
  }

  /// Leave to boot at once ends with the next stop or pause, and when people resume without it.
  private mutating func takeLeaveBack(_ id: CampaignID, _ lane: Int) {
    for index in campaigns[id].lanes[lane].active {
      takeLeaveBack(RunRef(campaign: id, index: Int(index)))
    }
  }

  mutating func takeLeaveBack(_ ref: RunRef) {
    guard self[ref].marks.contains(.ignoreWindow) else { return }
    self[ref].marks.remove(.ignoreWindow)
    emit(.save(.run(ref)))
  }

  package func describe(_ scope: PauseScope) -> String {
    switch scope {
    case .all: "campaign"
    case .ring(let ring): "ring \(ring)"
    case .client(let client): "client \(clients[Int(client.index)].config.name)"
    }
  }

  private mutating func recordScope(
    _ kind: RecordKind, _ id: CampaignID, _ scope: PauseScope, reason: String, by: String
  ) {
    var entry = Record(kind, campaign: id, reason: reason.bounded(), principal: by)
    switch scope {
    case .all: break
    case .ring(let ring):
      entry.ring = ring
      // Said in words as well: without it nobody sees that it is not the whole campaign.
      entry.detail = describe(scope)
    case .client(let client): entry.client = client
    }
    record(entry)
    emit(.save(.campaign(id)))
  }

  private func checkScope(_ id: CampaignID, _ scope: PauseScope) throws(Refusal) {
    guard campaigns[Int(id.index)].lanes.contains(where: { scope.covers($0) }) else {
      throw .invalid(field: "scope", message: "the campaign has no \(describe(scope))")
    }
  }

  func requireActive(_ id: CampaignID, to verb: String) throws(Refusal) {
    let state = campaigns[Int(id.index)].state
    guard state == .active else {
      throw .notAllowed(
        code: .campaignState, message: "cannot \(verb) a campaign that is \(state.word)",
        hint: state == .draft ? "start it first" : "only an ACTIVE campaign can be changed so")
    }
  }

  mutating func cancel(
    _ id: CampaignID, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    guard campaigns[id].state == .active || campaigns[id].state == .draft else {
      throw .notAllowed(
        code: .campaignState,
        message: "cannot cancel a campaign that is \(campaigns[id].state.word)",
        hint: "only a DRAFT or ACTIVE campaign can be cancelled")
    }
    campaigns[id].state = .cancelling
    record(Record(.campaignCancelling, campaign: id, reason: reason.bounded(), principal: by))
    emit(.save(.campaign(id)))
    for index in campaigns[id].runs.indices {
      let ref = RunRef(campaign: id, index: index)
      switch self[ref].state {
      case .pending:
        endUnchanged(ref, as: .skipped(.cancelled), .runSkipped, "", by: by, now: now)
      case .parked, .inProgress, .held: takeOut(ref, now: now)
      case .completed, .failed, .notAttempted, .skipped, .postponed: break
      }
    }
    for lane in campaigns[id].lanes { markDirty(lane.client) }
    endIfDone(id, now: now)
  }

  /// Its campaign is cancelled, or its server retired: an order that has not begun does not change
  /// an untouched server any more.
  private mutating func takeOut(_ ref: RunRef, now: Instant) {
    guard !isChanged(ref), let skip = leaving(ref), !skipUntouched(ref, now: now) else { return }
    switch self[ref].state {
    case .inProgress(let work) where work.step == .agent && work.ending == nil:
      if withdrawUnsent(ref) { return leaveOut(ref, skip, now: now) }
      takeBackOrder(ref)
    case .held: takeBackOrder(ref)
    case .pending, .inProgress, .parked, .completed, .failed, .notAttempted, .skipped, .postponed:
      break
    }
  }

  mutating func exclude(
    _ update: UpdateID, from id: CampaignID, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    guard !campaigns[id].state.isTerminal else {
      throw .notAllowed(
        code: .campaignState,
        message: "the campaign is \(campaigns[id].state.word)", hint: "it installs nothing more")
    }
    guard campaigns[id].rollbackOf == nil else {
      throw .notAllowed(
        code: .campaignState, message: "the campaign rolls another back, and installs nothing",
        hint: "exclude the update from the campaigns that install it")
    }
    guard !campaigns[id].updateSet.exclude.contains(update) else { return }
    guard campaigns[id].updateSet.exclude.count < Limits.updates else {
      throw .limit("an update set names at most \(Limits.updates) updates")
    }
    campaigns[id].updateSet.exclude.append(update)
    campaigns[id].version += 1
    record(
      Record(
        .campaignChanged, campaign: id, detail: "exclude_update",
        reason: "\(update): \(reason)".bounded(), principal: by))
    emit(.save(.campaign(id)))
    releaseSignatures(of: update, id, by: by)
    for lane in campaigns[id].lanes {
      for index in lane.active { renewUpdate(RunRef(campaign: id, index: Int(index)), now: now) }
    }
  }

  /// An order that no agent has seen yet is given anew, with the update set as it is now. What may
  /// have been seen is settled when the agent is back.
  private mutating func renewUpdate(_ ref: RunRef, now: Instant) {
    guard let command = self[ref].command, command.kind == .update,
      command.delivery != .acknowledged
    else { return }
    let kind = self[ref].state.kind
    guard kind == .inProgress || kind == .held else { return }
    if command.delivery == .queued, kind == .inProgress { return reissue(ref, now: now) }
    self[ref].marks.insert(.reconciling)
    emit(.withdraw(command.fence))
    emit(.save(.run(ref)))
  }

  mutating func skip(
    _ ref: RunRef, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    let kind = self[ref].state.kind
    guard kind == .pending || kind == .held && Plant.heldRunSkipped.isOn else {
      throw .notAllowed(
        code: .runState, message: "the run is \(kind.word)",
        hint: "only a PENDING run can be skipped")
    }
    endUnchanged(ref, as: .skipped(.person), .runSkipped, reason.bounded(), by: by, now: now)
  }

  /// A new run for a server whose run has ended, at the end of its lane.
  mutating func retry(
    _ ref: RunRef, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    try requireActive(ref.campaign, to: "retry a server of")
    let old = self[ref]
    guard !campaigns[ref.campaign].isPastItsEnd(now) else {
      throw .notAllowed(
        code: .campaignState, message: "the campaign has come to its end",
        hint: "make another campaign for the server")
    }
    guard old.state.kind.isTerminal else {
      throw .notAllowed(
        code: .runState, message: "the run is \(old.state.kind.word)",
        hint: old.state.kind == .held ? "resolve it" : "only a run that has ended is retried")
    }
    guard !servers[old.server].retired else {
      throw .notAllowed(code: .retired, message: "the server is retired", hint: "import it again")
    }
    guard servers[old.server].openRun == nil else {
      throw .notAllowed(
        code: .serverInOtherCampaign, message: "the server has an open run already",
        hint: "wait for it, or skip it")
    }
    let lane = Int(old.lane)
    guard servers[old.server].client == campaigns[ref.campaign].lanes[lane].client else {
      throw .changed(
        message: "the server belongs to another client now",
        hint: "make another campaign for the server")
    }
    guard !campaigns[ref.campaign].runs.contains(where: { $0.retryOf == ref.index }) else {
      throw .notAllowed(
        code: .runState, message: "the run was tried again already",
        hint: "retry the newest run of the server")
    }
    try checkUndoable(again: ref)
    renew(ref, reason: reason.bounded(), by: by)
  }

  /// Makes a new run in place of one that has ended, at the end of its lane.
  mutating func renew(_ ref: RunRef, reason: String, by: String) {
    let old = self[ref]
    let lane = Int(old.lane)
    let last = campaigns[ref.campaign].lanes[lane].queue.last
    let order = last.map { campaigns[ref.campaign][run: $0].order + 1 } ?? old.order
    var run = Run(
      server: old.server, lane: lane, order: Int(order), retryOf: Int(ref.index))
    run.undoes = old.undoes
    let new = RunRef(campaign: ref.campaign, index: campaigns[ref.campaign].runs.count)
    campaigns[ref.campaign].runs.append(run)
    campaigns[ref.campaign].add(run)
    servers[old.server].openRun = new
    if clients[Int(clientOf(new).index)].isPostponed {
      campaigns[ref.campaign].rings[Int(ringOf(new).number)].outside[.pending] += 1
    }
    countKinds(new, by: 1)
    noteAtlas(new)
    enlist(LaneRef(campaign: ref.campaign, lane: old.lane))
    enqueue(new)
    markGate(ref.campaign, campaigns[ref.campaign].lanes[lane].ring)
    write(new, .runCreated, reason: reason, by: by)
    planUndo(new)
  }

  /// A person's decision about a held run.
  mutating func resolve(
    _ ref: RunRef, _ decision: Decision, version: UInt32, reason: String, by: String,
    now: Instant
  ) throws(Refusal) {
    guard case .held = self[ref].state else {
      throw .notAllowed(
        code: .runState, message: "the run is \(self[ref].state.kind.word)",
        hint: "only a HELD run is resolved")
    }
    guard self[ref].version == version else {
      throw .changed(
        message: "the run has changed since you saw it", hint: "look at it again, then decide")
    }
    guard choices(ref).contains(decision) else {
      let offered = choices(ref).map(\.rawValue).joined(separator: ", ")
      throw .notAllowed(
        code: .decisionNotOffered, message: "“\(decision.rawValue)” is not possible now",
        hint: "possible: \(offered)")
    }
    write(ref, .runResolved, reason: "\(decision.rawValue): \(reason)".bounded(), by: by)
    takeBackCommand(ref)
    carryOut(decision, ref, by: by, now: now)
  }

  /// Whatever was ordered is not wanted any more: if it has not begun, it never will.
  private mutating func takeBackCommand(_ ref: RunRef) {
    guard let command = self[ref].command else { return }
    emit(.withdraw(command.fence))
    emit(.cancelCommand(self[ref].server, fence: drawFence(), command: command.fence))
    self[ref].command = nil
    self[ref].marks.subtract(.inDoubt)
  }

  private mutating func carryOut(
    _ decision: Decision, _ ref: RunRef, by: String, now: Instant
  ) {
    switch decision {
    case .accept:
      if let snapshot = self[ref].details.content.snapshot {
        warn(ref, "the snapshot \(snapshot.id) remains")
      }
      if isInMaintenance(ref) {
        finalizeMaintenance(ref, .failed(.accepted), now: now)
      } else {
        move(ref, to: .failed(.accepted), .runFailed, now: now, by: by)
      }
      dismissAccepted(ref, by: by, now: now)
    case .rollBack:
      self[ref].marks.subtract([.rolledBack, .retryAfterRollback])
      if isUndo(ref) { self[ref].marks.insert(.booted) }
      rollBack(ref, "asked for by \(by)", byPerson: true, now: now)
    case .retry:
      guard isChanged(ref) else {
        // Nothing was tried yet, so that nothing need be granted.
        if self[ref].details.content.snapshot != nil {
          return finalize(ref, .givenBack, now: now)
        }
        if isInMaintenance(ref) { return finalizeMaintenance(ref, .givenBack, now: now) }
        return returnToLane(ref, .runGivenBack, notBefore: nil, now: now, by: by)
      }
      self[ref].granted += 1
      self[ref].marks.remove(.rolledBack)
      self[ref].marks.insert(.retryAfterRollback)
      rollBack(ref, "retry asked for by \(by)", byPerson: true, now: now)
    }
  }

  /// What a person may decide about a held run now. While a command may still be carried out, or
  /// the agent is away, only accepting is possible; and in a campaign that is being cancelled
  /// nothing is tried again.
  package func choices(_ ref: RunRef) -> [Decision] {
    guard case .held(let hold) = self[ref].state else { return [] }
    let reachable = servers[Int(self[ref].server.index)].connected
    guard reachable, hold != .overdue else { return [.accept] }
    // Attempts are counted in a byte, and so are those that were granted.
    let mayRetry =
      campaigns[Int(ref.campaign.index)].state == .active && leaving(ref) == nil
      && self[ref].attempt < .max && self[ref].granted < .max
    if !isChanged(ref) { return mayRetry ? [.retry, .accept] : [.accept] }
    // The attempt that a rollback campaign makes is the rollback.
    if isUndo(ref) { return [.rollBack, .accept] }
    return mayRetry ? [.retry, .rollBack, .accept] : [.rollBack, .accept]
  }
}

/// What people do to clients and servers, in all campaigns.
extension ControlState {
  mutating func pauseClient(_ id: ClientID, reason: String, by: String, now: Instant) {
    guard clients[id].paused == nil else { return }
    clients[id].paused = Latch(reason: reason.bounded(), principal: by, since: now)
    clients[id].version += 1
    record(Record(.clientPaused, client: id, reason: reason.bounded(), principal: by))
    emit(.save(.client(id)))
    for lane in clients[id].lanes { takeLeaveBack(lane.campaign, Int(lane.lane)) }
  }

  mutating func resumeClient(_ id: ClientID, by: String, now: Instant) throws(Refusal) {
    let wasPostponed = clients[id].postponed != nil
    endPostponement(id, by: by)
    guard clients[id].paused != nil else {
      if wasPostponed { return }
      throw .notAllowed(
        code: .notPaused, message: "the client is neither paused nor postponed",
        hint: "a campaign may be: atlas campaign get NAME")
    }
    clients[id].paused = nil
    clients[id].version += 1
    record(Record(.clientResumed, client: id, principal: by))
    emit(.save(.client(id)))
    markDirty(id)
  }

  mutating func lock(_ id: ServerID, _ latch: Latch) {
    servers[id].locked = latch
    servers[id].version += 1
    if let until = latch.until { timers.add(.lock(id), at: until) }
    record(
      Record(
        .serverLocked, client: servers[id].client, server: id, detail: latch.ticket,
        reason: latch.reason, principal: latch.principal))
    emit(.save(.server(id)))
  }

  mutating func unlock(_ id: ServerID, by: String) throws(Refusal) {
    guard servers[id].locked != nil else {
      throw .notAllowed(
        code: .notPaused, message: "the server is not locked", hint: "there is nothing to unlock")
    }
    servers[id].locked = nil
    servers[id].version += 1
    record(
      Record(.serverUnlocked, client: servers[id].client, server: id, principal: by))
    emit(.save(.server(id)))
    markDirty(servers[id].client)
  }

  mutating func retire(
    _ id: ServerID, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    guard !servers[id].retired else {
      throw .notAllowed(
        code: .retired, message: "the server is retired already",
        hint: "importing it brings it back")
    }
    endAbsence(of: id, "it was retired", now: now)
    countRoles(of: id, -1)
    servers[id].retired = true
    servers[id].version += 1
    fleetVersion += 1
    updateDoubt(id)
    emit(.save(.control))
    record(
      Record(
        .serverRetired, client: servers[id].client, server: id, reason: reason.bounded(),
        principal: by))
    emit(.save(.server(id)))
    guestChanged(id, now: now)
    guard let ref = servers[id].openRun else { return }
    if case .pending = self[ref].state {
      return endUnchanged(ref, as: .skipped(.retired), .runSkipped, "", by: by, now: now)
    }
    self[ref].marks.insert(.retiring)
    emit(.save(.run(ref)))
    takeOut(ref, now: now)
  }
}

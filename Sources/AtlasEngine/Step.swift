import AtlasModel

extension ControlState {
  /// Takes one event and says what is to be done about it.
  ///
  /// The cost does not grow with the fleet: only what the event touches is looked at again.
  /// - Parameters:
  ///   - now: Campaign time; never earlier than at the step before.
  /// - Returns: Effects in the order in which they are to be carried out, once committed.
  /// - Throws: ``Refusal`` when a person asked for what is not allowed; then nothing has changed.
  package mutating func step(_ event: consuming Event, now: Instant) throws(Refusal) -> [Effect] {
    try take(event, now: now)
    settleDirty(now: now)
    return takeEffects()
  }

  /// The same, with the effects added to those of `list`: whoever steps often gives the same list
  /// again, and no step allocates one.
  package mutating func step(
    _ event: consuming Event, now: Instant, into list: inout [Effect]
  ) throws(Refusal) {
    swap(&effects, &list)
    defer { swap(&effects, &list) }
    try take(event, now: now)
    settleDirty(now: now)
  }

  /// Hands the effects out, and leaves room for the next.
  mutating func takeEffects() -> [Effect] {
    var taken: [Effect] = []
    swap(&taken, &effects)
    return taken
  }

  private mutating func take(_ event: consuming Event, now: Instant) throws(Refusal) {
    switch consume event {
    case .timePassed: fireTimers(now: now)
    case .agentBack(let server, let hello): agentBack(server, hello, now: now)
    case .agentSilent(let server): agentSilent(server, now: now)
    case .acknowledged(let server, let answer): acknowledged(server, answer, now: now)
    case .reported(let server, let report): reported(server, report, now: now)
    case .hookFinished(let run, let serial, let verdict):
      hookFinished(run, serial: serial, verdict, now: now)
    case .commandSent(let server, let fence): commandSent(server, fence)
    case .windowsExpanded(let client, let windows, let narrowed, let until, let question):
      windowsExpanded(client, windows, narrowed, until: until, question: question, now: now)
    case .fleetImported(let clients, let servers, let ringNames, let by):
      try importFleet(clients: clients, servers: servers, ringNames: ringNames, by: by, now: now)
    case .createCampaign(let draft, let by): try create(draft, by: by, now: now)
    case .startCampaign(let id, let etag, let hooks, let plan, let by):
      try start(id, ifMatch: etag, hookRevision: hooks, plan: plan, by: by, now: now)
    case .pauseCampaign(let id, let scope, let reason, let by):
      try pause(id, scope, reason: reason, by: by, now: now)
    case .resumeCampaign(let id, let scope, let atOnce, let by):
      try resume(id, scope, atOnce: atOnce, by: by, now: now)
    case .cancelCampaign(let id, let reason, let by):
      try cancel(id, reason: reason, by: by, now: now)
    case .editCampaign(let id, let edit, let by): try self.edit(id, edit, by: by, now: now)
    case .promoteRing(let id, let ring, let reason, let by):
      try promote(id, ring, reason: reason, by: by, now: now)
    case .excludeUpdate(let id, let update, let reason, let by):
      try exclude(update, from: id, reason: reason, by: by, now: now)
    case .releaseSignature(let id, let kind, let reason, let by):
      try releaseSignature(id, kind, reason: reason, by: by)
    case .waiveRepresentative(let id, let role, let system, let reason, let by):
      try waive(id, role, system, reason: reason, by: by, now: now)
    case .retryRun(let run, let reason, let by):
      try retry(run, reason: reason, by: by, now: now)
    case .skipRun(let run, let reason, let by): try skip(run, reason: reason, by: by, now: now)
    case .resolveRun(let run, let decision, let version, let reason, let by):
      try resolve(run, decision, version: version, reason: reason, by: by, now: now)
    case .claimRun(let run, let by): try claim(run, by: by)
    case .pauseClient(let id, let reason, let by):
      pauseClient(id, reason: reason, by: by, now: now)
    case .resumeClient(let id, let by): try resumeClient(id, by: by, now: now)
    case .postponeClient(let id, let until, let reason, let by):
      try postpone(id, until: until, reason: reason, by: by, now: now)
    case .lockServer(let id, let latch): lock(id, latch)
    case .unlockServer(let id, let by): try unlock(id, by: by)
    case .retireServer(let id, let reason, let by):
      try retire(id, reason: reason, by: by, now: now)
    case .approveRun(let run, let reason, let by):
      try approve(run, reason: reason, by: by, now: now)
    case .dismissServer(let id, let reason, let by):
      try dismiss(id, reason: reason, by: by, now: now)
    case .recallServer(let id, let by): try recall(id, by: by)
    case .declareOutage(let id, let outage): try declareOutage(id, outage, now: now)
    case .endOutage(let id, let by): try endOutage(id, by: by)
    case .stop(let client, let reason, let by): latchStop(client, reason: reason, by: by, now: now)
    case .releaseStop(let client, let reason, let by):
      try releaseStop(client, reason: reason, by: by, now: now)
    }
  }

  /// Looks at everything that the event may have let go on, until nothing more follows.
  mutating func settleDirty(now: Instant) {
    while true {
      if let gate = dirtyGates.popLast() {
        evaluateGate(gate.campaign, gate.ring, now: now)
      } else if let client = nextDirtyClient() {
        evaluateLanes(of: client, now: now)
      } else if let campaign = dirtyCaps.last {
        drainCapped(campaign, now: now)
      } else if let resource = dirtyResources.last {
        drainResource(resource, now: now)
      } else {
        return
      }
    }
  }

  private mutating func nextDirtyClient() -> ClientID? {
    guard nextDirty < dirty.count else {
      if dirty.isEmpty { return nil }
      dirty.removeAll(keepingCapacity: true)
      nextDirty = 0
      return nil
    }
    let client = dirty[nextDirty]
    nextDirty += 1
    clients[client].isDirty = false
    return client
  }

  mutating func markDirty(_ client: ClientID) {
    markAlone(client)
    // What it has to give may be what a host with guests of it waits for.
    for index in clients[client].hosters.indices { markAlone(clients[client].hosters[index]) }
  }

  private mutating func markAlone(_ client: ClientID) {
    guard !clients[client].isDirty else { return }
    clients[client].isDirty = true
    dirty.append(client)
  }

  mutating func markGate(_ campaign: CampaignID, _ ring: Ring) {
    let gate = DirtyGate(campaign: campaign, ring: ring)
    if dirtyGates.last != gate { dirtyGates.append(gate) }
  }

  mutating func emit(_ effect: Effect) {
    if effects.isEmpty { effects.reserveCapacity(Self.usualEffects) }
    effects.append(effect)
  }

  mutating func record(_ record: Record) { emit(.record(record)) }

  /// Most steps have no more: one allocation instead of one at every doubling, and one of a size
  /// that allocators keep at hand (below 1 KiB).
  private static var usualEffects: Int { 5 }

  mutating func drawFence() -> Fence {
    fence = Fence(fence.number + 1)
    return fence
  }
}

extension ControlState {
  /// Moves a run to another state: counts it, frees or takes its slot, records and saves it.
  ///
  /// The only place that changes a run's state (S8), and every call makes exactly one record (S9).
  mutating func move(
    _ ref: RunRef, to state: RunState, _ kind: RecordKind, now: Instant, reason: String = "",
    by principal: String = ""
  ) {
    let left = self[ref].state
    let from = left.kind
    let to = state.kind
    precondition(!from.isTerminal, "a terminal run does not move")
    self[ref].state = state
    campaigns[ref.campaign].lastMoveAt = now
    if from != to { recount(ref, from: from, to: to, now: now) }
    keepTime(ref, from: left, to: state, kind, now: now)
    if from == .held || to == .held { recountDown(ref, from: from) }
    if from == .held, to != .held { self[ref].details.content.care = nil }
    if to.isTerminal { self[ref].deadline = nil }
    if to.isOutcome { noteOutcome(ref, now: now) }
    if Plant.recordSkipped.isOn, to == .parked { return emit(.save(.run(ref))) }
    write(ref, kind, from: from, reason: reason, by: principal)
    if Plant.recordDoubled.isOn, to == .parked { write(ref, kind, from: from) }
    if to.isBad, !from.isBad { judgeBreakers(ref, now: now) }
    if to != .inProgress { endProbe(ref) }
    if to.isTerminal { closed(ref, now: now) }
  }

  /// Goes on to another step of the same phase. Not a transition: saved with what follows.
  mutating func advance(_ ref: RunRef, to step: Step) {
    guard case .inProgress(var work) = self[ref].state else {
      preconditionFailure("only a run in progress has steps")
    }
    work.step = step
    self[ref].state = .inProgress(work)
  }

  /// Records something about a run that is not a change of its state's kind, and saves it.
  mutating func write(
    _ ref: RunRef, _ kind: RecordKind, from: RunState.Kind? = nil, phase: Phase? = nil,
    reason: String = "", by principal: String = ""
  ) {
    self[ref].version &+= 1
    let lane = Int(self[ref].lane)
    let state = self[ref].state
    let fence = command(of: ref)?.fence
    emit(
      .record(
        Record(
          kind, run: ref, client: campaigns[ref.campaign].lanes[lane].client,
          server: self[ref].server, ring: campaigns[ref.campaign].lanes[lane].ring,
          from: from ?? state.kind, to: state.kind, phase: phase ?? state.phase,
          attempt: self[ref].attempt, pass: self[ref].pass, fence: fence, detail: state.detail,
          reason: reason, principal: principal)))
    emit(.save(.run(ref)))
  }

  private mutating func recount(
    _ ref: RunRef, from: RunState.Kind, to: RunState.Kind, now: Instant
  ) {
    let lane = Int(self[ref].lane)
    let ring = Int(campaigns[ref.campaign].lanes[lane].ring.number)
    campaigns[ref.campaign].count(from: from, to: to, ring: ring)
    // In a draft nobody is outside yet: they are counted when it starts.
    if campaigns[ref.campaign].state.isRunning,
      clients[Int(campaigns[ref.campaign].lanes[lane].client.index)].isPostponed
    {
      campaigns[ref.campaign].rings[ring].countOutside(from: from, to: to)
    }
    if from == .inProgress {
      countWorking(ref, by: -1)
      // What goes alone waits for this, also in other campaigns.
      if !atlasCampaigns.isEmpty, campaigns[ref.campaign].counts[.inProgress] == 0 { wakeAtlas() }
    }
    if to == .inProgress { countWorking(ref, by: 1) }
    if from == .pending {
      endDownload(ref)
      endCheck(ref)
    }
    switch (from.holdsSlot, to.holdsSlot) {
    case (false, true): takeSlot(ref, lane: lane, now: now)
    case (true, false): returnSlot(ref, lane: lane, now: now)
    case (true, true), (false, false): break
    }
    if to == .pending { enqueue(ref) }
    if to.isTerminal {
      noteKinds(ref, to)
      campaigns[ref.campaign].lanes[lane].open -= 1
      if from == .pending { campaigns[ref.campaign].lanes[lane].dequeue(ref.index) }
    }
    markGate(ref.campaign, campaigns[ref.campaign].lanes[lane].ring)
  }

  /// Puts a pending run into its lane, at the place that its order gives it.
  mutating func enqueue(_ ref: RunRef) {
    let lane = Int(self[ref].lane)
    let order = self[ref].order
    let place = campaigns[ref.campaign].lanes[lane].queue.lastIndex {
      campaigns[ref.campaign][run: $0].order <= order
    }
    campaigns[ref.campaign].lanes[lane].queue.insert(ref.index, at: place.map { $0 + 1 } ?? 0)
    markDirty(campaigns[ref.campaign].lanes[lane].client)
  }

  private mutating func takeSlot(_ ref: RunRef, lane: Int, now: Instant) {
    let client = campaigns[ref.campaign].lanes[lane].client
    self[ref].edition = campaigns[ref.campaign].edition
    clients[client].slotsInUse += 1
    campaigns[ref.campaign].lanes[lane].dequeue(ref.index)
    if campaigns[ref.campaign].lanes[lane].active.isEmpty {
      campaigns[ref.campaign].activeLanes += 1
    }
    campaigns[ref.campaign].lanes[lane].active.append(ref.index)
    campaigns[ref.campaign].lanes[lane].started = true
    takeResources(ref)
    takeGuests(ref, of: client)
    if self[ref].startedAt == nil { self[ref].startedAt = now }
    self[ref].details.content.takeSlot(now)
    expectEnd(ref, now: now)
  }

  private mutating func returnSlot(_ ref: RunRef, lane: Int, now: Instant) {
    let client = campaigns[ref.campaign].lanes[lane].client
    clients[client].slotsInUse -= 1
    campaigns[ref.campaign].lanes[lane].active.removeAll { $0 == ref.index }
    if campaigns[ref.campaign].lanes[lane].active.isEmpty {
      campaigns[ref.campaign].activeLanes -= 1
    }
    self[ref].endedAt = now
    self[ref].silenceDeadline = nil
    self[ref].details.content.returnSlot(now)
    returnResources(ref)
    setRebootPending(ref, false)
    returnGuests(ref, of: client)
    markDirty(client)
    markCapped(ref.campaign)
  }

  /// A run has reached its end: its server is free, and its campaign may be over.
  private mutating func closed(_ ref: RunRef, now: Instant) {
    let server = self[ref].server
    if servers[server].openRun == ref { servers[server].openRun = nil }
    markDirty(servers[server].client)
    undoEnded(ref, now: now)
    considerRemovals(of: server, now: now)
    wakeAtlas(after: ref)
    completeRing(ref.campaign, ringOf(ref), now: now)
    endIfDone(ref.campaign, now: now)
  }

  /// Keeps the count of servers that are installed and not rebooted.
  mutating func setRebootPending(_ ref: RunRef, _ pending: Bool) {
    guard self[ref].marks.contains(.rebootPending) != pending else { return }
    let ring = Int(campaigns[ref.campaign].lanes[Int(self[ref].lane)].ring.number)
    self[ref].marks.formSymmetricDifference(.rebootPending)
    campaigns[ref.campaign].counts.installedNotRebooted += pending ? 1 : -1
    campaigns[ref.campaign].rings[ring].counts.installedNotRebooted += pending ? 1 : -1
  }
}

extension Lane {
  /// Takes a run out of the queue; most often it is the first.
  mutating func dequeue(_ run: Int32) {
    guard let place = queue.firstIndex(of: run) else { return }
    queue.remove(at: place)
  }
}

extension RingProgress {
  /// The same for the runs that the gate does not look at.
  fileprivate mutating func countOutside(from: RunState.Kind, to: RunState.Kind) {
    if !from.isTerminal { outside[from] -= 1 }
    if !to.isTerminal { outside[to] += 1 }
  }
}

extension Campaign {
  mutating func count(from: RunState.Kind, to: RunState.Kind, ring: Int) {
    counts[from] -= 1
    counts[to] += 1
    rings[ring].counts[from] -= 1
    rings[ring].counts[to] += 1
  }
}

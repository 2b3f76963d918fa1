import AtlasModel

/// What the store keeps of the engine's state; everything else follows from it.
package struct StoredControl: Sendable {
  package var fence = Fence.none
  package var fleetVersion: UInt64 = 0
  package var stop: StopLatch?
  package var ringNames: [RingName] = []
  /// In the order of their numbers, without gaps.
  package var histories: [KindHistory] = []
  /// Contact that is lost to many servers; nil when it is not.
  package var contact: ContactHold?
  /// In the order of their numbers, without gaps.
  package var clients: [StoredClient] = []
  package var servers: [StoredServer] = []
  package var campaigns: [StoredCampaign] = []
  /// When it was written for the last time, by campaign time; nil when that is not known.
  package var writtenAt: Instant?
  /// Plans that campaigns started with.
  package var plans: [(campaign: CampaignID, plan: KeptPlan)] = []

  package init() {}
}

package struct StoredClient: Hashable, Sendable {
  package var config: ClientConfig
  package var paused: Latch?
  package var stop: StopLatch?
  package var outage: Outage?
  package var version: UInt32
  package var postponed: Postponement?
  /// Contact that is lost to all its servers; nil when it is not.
  package var dark: ContactHold?

  package init(
    config: ClientConfig, paused: Latch?, stop: StopLatch?, outage: Outage? = nil,
    version: UInt32, postponed: Postponement? = nil, dark: ContactHold? = nil
  ) {
    self.config = config
    self.paused = paused
    self.stop = stop
    self.outage = outage
    self.version = version
    self.postponed = postponed
    self.dark = dark
  }
}

package struct StoredServer: Hashable, Sendable {
  package var config: ServerConfig
  package var locked: Latch?
  package var retired: Bool
  package var dismissed: Latch?
  package var agentVersion: String
  package var version: UInt32
  /// Since when its agent is silent; nil when it is not, as far as the database knows.
  package var silentSince: Instant?
  package var awaitedSince: Instant?
  package var countedSince: Instant?

  package init(
    config: ServerConfig, locked: Latch?, retired: Bool, dismissed: Latch? = nil,
    agentVersion: String, version: UInt32, silentSince: Instant? = nil,
    awaitedSince: Instant? = nil, countedSince: Instant? = nil
  ) {
    self.silentSince = silentSince
    self.awaitedSince = awaitedSince
    self.countedSince = countedSince
    self.config = config
    self.locked = locked
    self.retired = retired
    self.dismissed = dismissed
    self.agentVersion = agentVersion
    self.version = version
  }
}

package struct StoredCampaign: Sendable {
  /// With its header only; runs, lanes and counts are put in from ``runs``.
  package var header: Campaign
  /// Client and ring of every lane, in order.
  package var lanes: [(client: ClientID, ring: Ring)]
  package var rings: [StoredRing]
  package var runs: [Run]

  package init(
    header: Campaign, lanes: [(client: ClientID, ring: Ring)], rings: [StoredRing], runs: [Run]
  ) {
    self.header = header
    self.lanes = lanes
    self.rings = rings
    self.runs = runs
  }
}

package struct StoredRing: Hashable, Sendable {
  package var status: RingProgress.Status
  package var gate: RingProgress.Gate
  package var startedAt: Instant?
  package var completedAt: Instant?
  package var soakingSince: Instant?
  package var soaked: Bool
  package var approved: Bool
  package var promoted: Bool

  package init(_ ring: RingProgress) {
    status = ring.status
    gate = ring.gate
    startedAt = ring.startedAt
    completedAt = ring.completedAt
    soakingSince = ring.soakingSince
    soaked = ring.soaked
    approved = ring.approved
    promoted = ring.promoted
  }

  package init(
    status: RingProgress.Status, gate: RingProgress.Gate, startedAt: Instant?,
    completedAt: Instant?, soakingSince: Instant?, soaked: Bool, approved: Bool,
    promoted: Bool
  ) {
    self.status = status
    self.gate = gate
    self.startedAt = startedAt
    self.completedAt = completedAt
    self.soakingSince = soakingSince
    self.soaked = soaked
    self.approved = approved
    self.promoted = promoted
  }

  func progress(_ ring: Ring) -> RingProgress {
    var progress = RingProgress(ring: ring)
    progress.status = status
    progress.gate = gate
    progress.startedAt = startedAt
    progress.completedAt = completedAt
    progress.soakingSince = soakingSince
    progress.soaked = soaked
    progress.approved = approved
    progress.promoted = promoted
    return progress
  }
}

extension ControlState {
  /// Rebuilds the state from what was stored. ``wake(now:)`` then sets it going.
  package init(stored: StoredControl, floors: Floors) {
    self.init(floors: floors)
    fence = stored.fence
    loadedFence = stored.fence
    writtenAt = stored.writtenAt
    fleetVersion = stored.fleetVersion
    stop = stored.stop
    isStopped = stop != nil
    ringNames = stored.ringNames
    contact = stored.contact?.restarted
    isContactLost = contact != nil
    for client in stored.clients {
      clientByName[client.config.name] = ClientID(clients.count)
      var value = Client(config: client.config)
      value.paused = client.paused
      value.stop = client.stop
      value.outage = client.outage
      value.version = client.version
      value.postponed = client.postponed
      value.dark = client.dark?.restarted
      clients.append(value)
    }
    load(stored.histories)
    for server in stored.servers { load(server) }
    for index in servers.indices { linkToHost(ServerID(index)) }
    for campaign in stored.campaigns { load(campaign) }
    for (campaign, plan) in stored.plans { campaigns[campaign].plan = plan }
  }

  private mutating func load(_ stored: StoredServer) {
    guard let client = clientByName[stored.config.client] else { return }
    let id = ServerID(servers.count)
    var server = Server(config: stored.config, client: client)
    server.locked = stored.locked
    server.retired = stored.retired
    server.dismissed = stored.dismissed
    server.agentVersion = stored.agentVersion
    server.silentSince = stored.silentSince
    server.awaitedSince = stored.awaitedSince
    server.countedSince = stored.countedSince
    server.version = stored.version
    server.profile = profile(of: server.config)
    servers.append(server)
    serverByName[stored.config.name] = id
    clients[client].servers.append(id)
    countRoles(of: id, 1)
    // Until its Hello nobody knows what it does, and how long it has been silent: it counts at
    // once.
    if server.isDoubtful { clients[client].doubtful.append(id) }
  }

  private mutating func load(_ stored: StoredCampaign) {
    let id = CampaignID(campaigns.count)
    var campaign = stored.header
    campaign.forgetRuns()
    campaign.lanes = stored.lanes.map { Lane(client: $0.client, ring: $0.ring) }
    campaign.rings = stored.rings.enumerated().compactMap { index, ring in
      Ring(index).map(ring.progress)
    }
    for run in stored.runs { campaign.load(run) }
    campaign.sortQueues()
    campaignByName[campaign.name] = id
    campaigns.append(campaign)
    for index in campaign.runs.indices { noteAtlas(RunRef(campaign: id, index: index)) }
    loadKept(id)
    guard campaign.state == .active || campaign.state == .cancelling else { return }
    for lane in campaign.lanes {
      clients[lane.client].slotsInUse += lane.active.count
      if lane.checking != nil { clients[lane.client].reserved += 1 }
      for index in lane.active {
        let ref = RunRef(campaign: id, index: Int(index))
        takeResources(ref)
        takeGuests(ref, of: lane.client)
        if self[ref].state.kind == .inProgress { countWorking(ref, by: 1) }
      }
    }
    leaveOutside(id)
  }

  /// Sets a loaded state going: timers are armed afresh, hooks that were running run again, and
  /// every agent gets the lock timeout to say Hello before it counts as lost.
  ///
  /// Windows are not stored: ``Effect/expandWindows(_:question:)`` must be answered before any other event,
  /// or a run that looks for its window finds none.
  package mutating func wake(now: Instant) -> [Effect] {
    wokenAt = now
    assumeSilence(now: now)
    for index in clients.indices {
      askForWindows(of: ClientID(index))
      armOutage(ClientID(index), now: now)
    }
    for index in servers.indices {
      if let until = servers[index].locked?.until { timers.add(.lock(ServerID(index)), at: until) }
    }
    for index in clients.indices {
      guard let until = clients[index].postponed?.until else { continue }
      timers.add(.postponed(ClientID(index)), at: until)
    }
    wakeContact()
    limitResources()
    let running = campaigns.indices.filter {
      campaigns[$0].state == .active || campaigns[$0].state == .cancelling
    }
    for index in running.sorted(by: { campaigns[$0].startNumber < campaigns[$1].startNumber }) {
      wake(CampaignID(index), now: now)
    }
    for index in servers.indices { wakeKept(of: ServerID(index), now: now) }
    keepEarlierPolicies()
    settleDirty(now: now)
    return takeEffects()
  }

  /// Rows of campaigns that an older Atlas wrote hold their earlier policies themselves, and will
  /// not any more when they are written again.
  private mutating func keepEarlierPolicies() {
    for index in campaigns.indices {
      for place in campaigns[index].earlier.indices {
        emit(.save(.earlierPolicy(CampaignID(index), place)))
      }
    }
  }

  private mutating func wake(_ id: CampaignID, now: Instant) {
    activate(id)
    if let end = campaigns[id].endsAt { timers.add(.end(id), at: end) }
    wakeSources(id)
    recallStarts(id, now: now)
    for ring in campaigns[id].rings {
      guard let since = ring.soakingSince else { continue }
      let soak = campaigns[id].gateRules[Int(ring.ring.number)].gateSoak
      timers.add(.gate(id, ring.ring), at: since + soak)
    }
    for index in campaigns[id].runs.indices {
      let ref = RunRef(campaign: id, index: index)
      switch self[ref].state {
      case .inProgress(let work): wake(ref, work, now: now)
      case .pending: wakePending(ref, now: now)
      case .held: armHold(ref)
      case .parked, .completed, .failed, .notAttempted, .skipped, .postponed: break
      }
      if command(of: ref)?.delivery == .queued {
        // It may have been handed over just before the daemon died.
        setDelivery(ref, .sent)
      }
    }
  }

  /// Its agent gets another grace at its next turn: no agent is connected yet.
  private mutating func wakePending(_ ref: RunRef, now: Instant) {
    if self[ref].command != nil { armDownload(ref, now: now) }
    if askAgain(ref, now: now) { return }
    guard self[ref].deadline != nil else { return }
    self[ref].deadline = nil
    self[ref].details.content.offlineSince = nil
    emit(.save(.run(ref)))
  }

  private mutating func wake(_ ref: RunRef, _ work: Work, now: Instant) {
    armSilence(ref, now: now)
    if let start = self[ref].details.content.slotIntervals.last?.start {
      armLate(ref, since: start)
    }
    switch work.step {
    case .hook(let point):
      if work.phase == .preCheck, work.ending == .givenBack { return giveBack(ref, now: now) }
      startHook(ref, point, restarted: true, now: now)
    case .agent:
      let grace = now + max(rules(of: ref).clientLockTimeout, floors.silence)
      arm(ref, at: max(self[ref].deadline ?? grace, grace))
      if work.phase == .update { armQuiet(ref, now: now) }
    case .guests: arm(ref, at: now + max(limit(of: work.phase, ref) ?? .zero, floors.deadline))
    case .backoff, .soak: arm(ref, at: max(self[ref].deadline ?? now, now))
    }
    emit(.save(.run(ref)))
  }
}

extension Campaign {
  /// What follows from the runs: a header that was copied from a running campaign has it still.
  fileprivate mutating func forgetRuns() {
    runs = []
    plan = nil
    counts = Counts()
    capped = LaneQueue()
    awaitedByCaps = []
    atlasRuns = []
    activeLanes = 0
    recentStarts = []
    sample = []
    down = []
    lastMoveAt = nil
  }

  fileprivate mutating func load(_ run: Run) {
    let index = Int32(runs.count)
    var run = run
    run.forgetTimers()
    runs.append(run)
    add(run)
    let lane = Int(run.lane)
    let kind = run.state.kind
    if kind == .pending {
      lanes[lane].queue.append(index)
      if run.command != nil { lanes[lane].downloading = index }
      if run.details.content.check?.point != nil { lanes[lane].checking = index }
    }
    if kind.holdsSlot {
      if lanes[lane].active.isEmpty { activeLanes += 1 }
      lanes[lane].active.append(index)
    }
    if run.isDown { down.append(index) }
    loadOutcome(index)
    if run.startedAt != nil { lanes[lane].started = true }
    for at in [run.startedAt, run.endedAt, run.details.content.heldSince] {
      if let at { lastMoveAt = max(lastMoveAt ?? at, at) }
    }
    if run.marks.contains(.rebootPending), kind.holdsSlot {
      counts.installedNotRebooted += 1
      rings[Int(lanes[lane].ring.number)].counts.installedNotRebooted += 1
    }
  }

  fileprivate mutating func sortQueues() {
    for lane in lanes.indices {
      let queue = lanes[lane].queue
      lanes[lane].queue = queue.sorted { self[run: $0].order < self[run: $1].order }
    }
  }
}

extension Run {
  /// Puts a run that is read back into the state it was stored in. Not a transition.
  package mutating func restore(state: RunState) { self.state = state }

  /// The same for what it undoes.
  package mutating func restore(undoes: Int) { self.undoes = Int32(truncatingIfNeeded: undoes) }

  /// The same for the policy that it goes by.
  package mutating func restore(edition: Int) { self.edition = UInt8(truncatingIfNeeded: edition) }

  /// The queue of a state that is loaded is empty, whatever run it is given.
  fileprivate mutating func forgetTimers() {
    stepTimer = nil
    quietTimer = nil
  }
}

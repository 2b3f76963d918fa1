import AtlasModel

/// Why a pending run does not start: the first of the conditions that it does not meet, in the
/// order in which they are looked at.
package enum Waiting: Hashable, Sendable {
  case stopped(client: Bool)
  /// The campaign is a draft, or is being cancelled.
  case campaign(CampaignState)
  case paused(PauseScope)
  case clientPaused
  case gate(Ring)
  case laneHeld
  case locked
  case changeReference
  /// All slots of the client are taken by runs.
  case slot
  /// Servers of the client that are down or unexplained, this one among them, take the rest of its
  /// slots; or the server itself works on what no run here has ordered.
  case unexplained(ServerID)
  /// A server that goes before it is not done.
  case after(ServerID)
  /// Another member of its group is in progress, held or unexplained.
  case group(ServerID)
  /// It is a guest of a host in progress.
  case host(ServerID)
  /// It is a host, and a guest of it has a slot.
  case guest(ServerID)
  /// It is a host whose guests go down with it: their client must agree to an outage that is long
  /// enough.
  case outage(ClientID)
  /// It carries Atlas, and a person must let it go.
  case approval
  /// It carries Atlas, and goes after all others of its campaign, and those in flight in others.
  case others
  /// A server is in progress that carries Atlas, and goes alone.
  case alone(ServerID)
  /// A hook is asked whether it may start.
  case check(HookPoint)
  /// Too many servers of a role are not available.
  case available(Role)
  /// Deferred; its wait is not over.
  case notBefore(Instant)
  /// No window is open; the next one that is known opens then.
  case window(next: Instant?)
  /// The window that is open ends too soon for it.
  case windowTooShort(next: Instant?)
  /// As many servers of the campaign as may be down wait for people.
  case people
  case cap
  case agent
  /// Its agent is older than the campaign asks for.
  case agentTooOld
  /// Its client is postponed until then.
  case postponed(Instant)
  /// Contact was lost to many servers of the fleet or of its client.
  case contact(client: Bool)
  /// The update source of the campaign or of its client does not answer; one server tries it.
  case source(client: Bool)
  /// No server of the kind has completed in an earlier ring. `mayCome` when one still may.
  case representative(ServerKind, mayCome: Bool)
  /// As many servers of its site as may be are in progress.
  case site
  /// Something that it shares with others is in use.
  case resource(ResourceName)
  /// Servers of the kind fail in the same way at several clients.
  case signature(ServerKind)
  /// Others of its lane go first.
  case turn

  /// Place in the order in which conditions are looked at, and told.
  var rank: Int {
    switch self {
    case .stopped: 1
    case .campaign, .paused, .clientPaused, .contact, .source: 2
    case .gate, .representative: 3
    case .laneHeld, .postponed: 4
    case .locked: 5
    case .changeReference: 6
    case .slot, .unexplained: 7
    case .notBefore, .available, .after, .group, .host, .guest, .outage, .approval, .others,
      .alone:
      8
    case .turn, .check: 9
    case .window, .windowTooShort: 10
    case .people, .cap, .site, .resource: 11
    case .signature: 12
    case .agent, .agentTooOld: 13
    }
  }

  /// Nothing but a person's decision lets it go on.
  package var needsPerson: Bool {
    switch self {
    case .stopped, .campaign, .paused, .clientPaused, .laneHeld, .changeReference, .people,
      .agentTooOld, .signature, .unexplained, .outage, .approval:
      true
    case .representative(_, let mayCome): !mayCome
    case .locked, .gate, .slot, .available, .after, .group, .host, .guest, .others, .alone, .check,
      .notBefore, .window, .windowTooShort, .cap, .agent, .turn, .postponed, .contact, .source,
      .site, .resource:
      false
    }
  }
}

extension ControlState {
  /// Looks at every lane of a client: lets parked runs go on, and starts what may start.
  mutating func evaluateLanes(of client: ClientID, now: Instant) {
    var position = 0
    while position < clients[client].lanes.count {
      let lane = clients[client].lanes[position]
      position += 1
      unparkAllowed(lane, now: now)
      admit(from: lane, now: now)
      considerDownload(lane, now: now)
    }
  }

  /// Starts runs of a lane until one condition or another says no.
  mutating func admit(from lane: LaneRef, now: Instant) {
    while !isChecking(lane), laneWaits(lane, now: now) == nil,
      let next = nextRun(of: lane, now: now)
    {
      guard !hasCap(lane.campaign) else {
        queueForCap(lane)
        return armLane(lane, at: parkedWakes(lane, now: now))
      }
      admit(next, now: now)
    }
    waitForAgents(of: lane, now: now)
    armLane(lane, now: now)
  }

  /// Whether a hook is asked about a run of the lane: it is the next to start, or not now.
  func isChecking(_ lane: LaneRef) -> Bool {
    campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].checking != nil
  }

  /// Silent servers whose turn it would be, if nobody were silent, have their grace to come back.
  /// Those behind as many that may start as there are slots have to wait for their turn.
  private mutating func waitForAgents(of lane: LaneRef, now: Instant) {
    let client = campaigns[lane.campaign].lanes[Int(lane.lane)].client
    guard !clients[client].doubtful.isEmpty, windows(of: lane).open(at: now) != nil,
      case .unexplained = laneWaits(lane, now: now)
    else { return }
    var free = freeSlots(for: lane, now: now)
    for index in campaigns[lane.campaign].lanes[Int(lane.lane)].queue where free > 0 {
      let ref = RunRef(campaign: lane.campaign, index: Int(index))
      switch runWaits(ref, now: now) {
      case nil: free -= 1
      case .agent: waitForAgent(ref, now: now)
      case .some: continue
      }
    }
  }

  /// The first condition of the whole lane that is not met; nil when a run may be looked for.
  package func laneWaits(campaign id: CampaignID, lane: Int, now: Instant) -> Waiting? {
    laneWaits(LaneRef(campaign: id, lane: Int32(lane)), now: now)
  }

  func laneWaits(_ ref: LaneRef, now: Instant) -> Waiting? {
    // Values are read where they are: copying a campaign or a lane costs more than the questions.
    let campaign = Int(ref.campaign.index)
    let id = campaigns[campaign].lanes[Int(ref.lane)].client
    let client = Int(id.index)
    if let waiting = forbidden(ref) { return waiting }
    if isContactLost || clients[client].isDark { return .contact(client: !isContactLost) }
    if !campaigns[campaign].safety.sourceHolds.isEmpty,
      waitsForSource(id, in: ref.campaign, now: now)
    {
      return .source(client: sourceHold(over: id, in: ref.campaign)?.client != nil)
    }
    if let ring = closedGate(campaign, before: campaigns[campaign].lanes[Int(ref.lane)].ring) {
      return .gate(ring)
    }
    if !campaigns[campaign].heldLanes.isEmpty, campaigns[campaign].isHeld(id) { return .laneHeld }
    if clients[client].config.requireChangeReference, campaigns[campaign].changeReference.isEmpty {
      return .changeReference
    }
    let free = freeSlots(for: ref, now: now)
    if free <= 0 { return .slot }
    if let server = unexplained(of: id, filling: free, in: ref.campaign, now: now) {
      return .unexplained(server)
    }
    if clients[client].windowsAreOld { return .window(next: nil) }
    let windows = self.windows(of: ref)
    guard windows.open(at: now) != nil else {
      return .window(next: windows.next(after: now)?.start)
    }
    return nil
  }

  /// Slots of the lane's client that no run has, and no other lane is asking about.
  private func freeSlots(for lane: LaneRef, now: Instant) -> Int {
    let id = campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].client
    let client = Int(id.index)
    // What other lanes have asked about keeps its slot.
    let reserved = clients[client].reserved - (isChecking(lane) ? 1 : 0)
    let slots =
      slots(of: id, in: lane.campaign, now: now) + (Plant.slotLimitOffByOne.isOn ? 1 : 0)
    return slots - clients[client].slotsInUse - reserved - guestsInUse(of: id, now: now)
  }

  /// Stops, pauses and the campaign's state: what forbids every start of a lane.
  func forbidden(_ lane: LaneRef) -> Waiting? {
    if let stopped = stopped(lane) { return stopped }
    let state = campaigns[Int(lane.campaign.index)].state
    return state == .active ? paused(lane) : .campaign(state)
  }

  func stopped(_ lane: LaneRef) -> Waiting? {
    if isStopped { return .stopped(client: false) }
    let client = campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].client
    guard clients[Int(client.index)].isStopped, !Plant.clientStopIgnored.isOn else { return nil }
    return .stopped(client: true)
  }

  func paused(_ lane: LaneRef) -> Waiting? {
    let campaign = Int(lane.campaign.index)
    for pause in campaigns[campaign].pauses
    where pause.scope.covers(campaigns[campaign].lanes[Int(lane.lane)]) {
      return .paused(pause.scope)
    }
    let client = Int(campaigns[campaign].lanes[Int(lane.lane)].client.index)
    if clients[client].isPaused { return .clientPaused }
    return clients[client].postponed.map { .postponed($0.until) }
  }

  /// Whether people or a stop forbid the run to start anything now.
  func startsForbidden(_ ref: RunRef) -> Bool {
    forbidden(LaneRef(campaign: ref.campaign, lane: self[ref].lane)) != nil
      || guestsForbid(ref) != nil
  }

  /// Whether a stop covers the run: one that is latched, or one that has met it while its agent was
  /// away, and was released, as long as nobody has resumed it.
  func isStopped(_ ref: RunRef) -> Bool {
    if isStopped || clients[Int(clientOf(ref).index)].isStopped { return true }
    if self[ref].marks.contains(.stopMet), startsForbidden(ref) { return true }
    guard !servers[Int(self[ref].server.index)].guests.isEmpty else { return false }
    return stopFence(for: self[ref].server) != .none
  }

  /// The newest stop that is latched for a server: of its client, and of those whose guests are on
  /// it while it is worked on. ``Fence/none`` when there is none.
  package func stopFence(for id: ServerID) -> Fence {
    let server = Int(id.index)
    let own = clients[Int(servers[server].client.index)].stop?.fence ?? .none
    var newest = max(stop?.fence ?? .none, own)
    guard !servers[server].guests.isEmpty, !Plant.guestsStopIgnored.isOn else { return newest }
    for client in clientsOnHost(id) {
      newest = max(newest, clients[Int(client.index)].stop?.fence ?? .none)
    }
    return newest
  }

  /// What has not begun below it must not begin any more on a server whose agent comes back.
  package func welcomeFence(for id: ServerID) -> Fence {
    max(stopFence(for: id), servers[Int(id.index)].voidBelow)
  }

  private func closedGate(_ campaign: Int, before ring: Ring) -> Ring? {
    let gates = Int(ring.number) - (Plant.gateOffByOne.isOn && ring > .canary ? 1 : 0)
    for index in 0..<gates where campaigns[campaign].rings[index].gate != .open {
      return campaigns[campaign].rings[index].ring
    }
    return nil
  }

  /// Slots of a client as a campaign sees them: an outage may change them, and the campaign may
  /// tighten them.
  package func slots(of client: ClientID, in campaign: CampaignID, now: Instant) -> Int {
    var own = clients[Int(client.index)].config.maxParallelServers
    if isOutage(of: client, now: now) {
      own = clients[Int(client.index)].outage?.parallel ?? own
    }
    return min(own, rules(for: client, in: campaign).maxParallelServers ?? own)
  }

  /// The first run of the lane that may start; those that wait for something of their own are
  /// passed by, and their wait is given a deadline.
  mutating func nextRun(of lane: LaneRef, now: Instant) -> RunRef? {
    for index in campaigns[lane.campaign].lanes[Int(lane.lane)].queue {
      let ref = RunRef(campaign: lane.campaign, index: Int(index))
      switch runWaits(ref, now: now) {
      case nil: return ref
      case .agent: waitForAgent(ref, now: now)
      case .resource(let name): wait(ref, for: name)
      case .representative:
        campaigns[lane.campaign].lanes[Int(lane.lane)].waitsForKind = true
      case .some: continue
      }
    }
    return nil
  }

  /// The first condition of the run itself that is not met, in the order of ``Waiting/rank``.
  package func runWaits(_ ref: RunRef, now: Instant) -> Waiting? {
    if let kind = missingRepresentative(ref) {
      return .representative(kind, mayCome: representativeMayCome(kind, for: ref))
    }
    let server = Int(self[ref].server.index)
    if servers[server].isLocked { return .locked }
    if servers[server].isDoubtful, servers[server].connected {
      return .unexplained(self[ref].server)
    }
    if case .pending(let notBefore?) = self[ref].state, notBefore > now {
      return .notBefore(notBefore)
    }
    if let waiting = orderWaits(ref, now: now) { return waiting }
    if let waiting = hostWaits(ref, now: now) { return waiting }
    if let waiting = atlasWaits(ref) { return waiting }
    if let role = roleUnavailable(ref, now: now) { return .available(role) }
    if let waiting = windowWaits(ref, now: now) { return waiting }
    if let waiting = capOfServer(ref) { return waiting }
    if let held = heldSignature(ref) { return .signature(held.kind) }
    if !servers[server].connected { return .agent }
    return isAgentTooOld(ref) ? .agentTooOld : nil
  }

  private func windowWaits(_ ref: RunRef, now: Instant) -> Waiting? {
    let windows = self.windows(of: ref)
    guard windows.open(at: now) != nil, !Plant.windowEndIgnored.isOn else { return nil }
    return windows.wait(for: timeNeeded(by: ref), now: now)
  }

  /// What a start of the run needs before the window ends: its estimate and the rollback reserve.
  func timeNeeded(by ref: RunRef) -> Duration {
    estimate(of: ref) + rules(of: ref).rollbackReserve
  }

  /// Its turn has come and its agent is away: it goes to the end of its lane, and has the grace of
  /// the policy to come back.
  private mutating func waitForAgent(_ ref: RunRef, now: Instant) {
    guard self[ref].details.content.offlineSince == nil else { return }
    self[ref].details.content.offlineSince = now
    requeueBehindAll(ref)
    let deadline = now + max(rules(of: ref).offlineGrace, floors.silence)
    arm(ref, at: deadline)
    emit(.save(.run(ref)))
  }

  /// Takes slot, attempt and the first step at once.
  mutating func start(_ ref: RunRef, now: Instant) {
    forgetOutcome(ref)
    self[ref].beginAttempt()
    startRing(of: ref, now: now)
    let evidence = outageEvidence(ref, now: now)
    move(
      ref, to: .inProgress(Work(.preCheck, .hook(.preUpdate))), .runStarted, now: now,
      reason: evidence)
    noteProbe(ref)
    startHook(ref, .preUpdate, now: now)
  }

  private mutating func startRing(of ref: RunRef, now: Instant) {
    let ring = Int(campaigns[ref.campaign].lanes[Int(self[ref].lane)].ring.number)
    guard campaigns[ref.campaign].rings[ring].status == .waiting else { return }
    campaigns[ref.campaign].rings[ring].status = .active
    campaigns[ref.campaign].rings[ring].startedAt = now
    record(
      Record(
        .ringStarted, campaign: ref.campaign, ring: campaigns[ref.campaign].rings[ring].ring))
    emit(.save(.campaign(ref.campaign)))
  }
}

extension PauseScope {
  /// Whether a lane belongs to the part.
  package func covers(_ lane: Lane) -> Bool {
    switch self {
    case .all: true
    case .ring(let ring): ring == lane.ring
    case .client(let client): client == lane.client
    }
  }
}

extension ControlState {
  @inline(__always)
  func ringOf(_ ref: RunRef) -> Ring {
    campaigns[Int(ref.campaign.index)].lanes[Int(self[ref].lane)].ring
  }

  @inline(__always)
  package func clientOf(_ ref: RunRef) -> ClientID {
    campaigns[Int(ref.campaign.index)].lanes[Int(self[ref].lane)].client
  }

}

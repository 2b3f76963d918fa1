import AtlasModel

/// How a campaign is made, started and ended.
extension ControlState {
  mutating func create(_ draft: CampaignDraft, by: String, now: Instant) throws(Refusal) {
    guard campaignByName[draft.name] == nil else {
      throw .alreadyExists(what: "campaign", name: draft.name.text)
    }
    guard campaigns.count < Limits.campaigns else {
      throw .limit("at most \(Limits.campaigns) campaigns are kept")
    }
    try checkEnd(draft.endsAt, now: now)
    if draft.rollbackOf == nil { try draft.updateSet.check(now: now) }
    let undoable = try undoable(by: draft)
    let chosen: [[ServerID]]
    if let undoable {
      chosen = undoable.servers
    } else {
      chosen = try selected(by: draft.selection)
    }
    var campaign = Campaign(
      name: draft.name, author: by, selection: draft.selection,
      updateSet: undoable?.updateSet ?? draft.updateSet,
      policy: draft.policy, overrides: draft.overrides.sorted { $0.client < $1.client },
      changeReference: draft.changeReference, createdAt: now, rollbackOf: draft.rollbackOf)
    campaign.endsAt = draft.endsAt
    select(chosen, into: &campaign)
    campaign.openIdleGates()
    let id = CampaignID(campaigns.count)
    campaigns.append(campaign)
    do throws(Refusal) {
      try checkUse(of: id, draft, now: now)
    } catch {
      campaigns.removeLast()
      throw error
    }
    campaignByName[draft.name] = id
    for index in campaigns[id].runs.indices { noteAtlas(RunRef(campaign: id, index: index)) }
    record(
      Record(.campaignCreated, campaign: id, reason: undoable?.summary ?? "", principal: by))
    if let undoable { planUndo(id, undoable) }
    emit(.save(.campaign(id)))
    for index in campaigns[id].runs.indices {
      emit(.save(.run(RunRef(campaign: id, index: index))))
    }
    guard campaigns[id].hasOwnWindows else { return }
    for lane in campaigns[id].lanes { askForWindows(of: lane.client) }
  }

  /// Refuses a campaign in which nothing could ever start.
  private func checkUse(
    of id: CampaignID, _ draft: CampaignDraft, now: Instant
  ) throws(Refusal) {
    let end = draft.endsAt ?? now + Self.defaultReach
    if let refusal = neverMeets(id, draft.ownWindows, end: end, now: now) { throw refusal }
    if let misfit = misfit(of: id, end: end, now: now, own: draft.ownWindows) { throw misfit }
    if draft.endsAt != nil { try checkSoaks(of: id, end: end, now: now) }
  }

  /// Freezes the selection: one lane for each client, its servers in their order.
  private func select(_ servers: [[ServerID]], into campaign: inout Campaign) {
    for (index, chosen) in servers.enumerated() where !chosen.isEmpty {
      let client = clients[index]
      let lane = campaign.lanes.count
      campaign.lanes.append(Lane(client: ClientID(index), ring: client.config.ring))
      campaign.addRings(upTo: client.config.ring)
      let ordered = chosen.sorted { laneOrder($0) < laneOrder($1) }
      for (place, server) in ordered.enumerated() {
        let run = Run(server: server, lane: lane, order: place)
        campaign.lanes[lane].queue.append(Int32(campaign.runs.count))
        campaign.runs.append(run)
        campaign.add(run)
      }
    }
  }

  private func laneOrder(_ id: ServerID) -> LaneOrder {
    LaneOrder(servers[Int(id.index)].config, hasGuests: !guests(of: id).isEmpty)
  }

  mutating func start(
    _ id: CampaignID, ifMatch etag: UInt64?, hookRevision: String, plan: KeptPlan?, by: String,
    now: Instant
  ) throws(Refusal) {
    guard campaigns[id].state == .draft else {
      throw .notAllowed(
        code: .campaignState, message: "the campaign is \(campaigns[id].state.word)",
        hint: "only a DRAFT can be started")
    }
    if let etag, etag != planVersion(id) {
      throw .changed(
        message: "the fleet or the campaign has changed since it was planned",
        hint: "plan it again: atlas campaign plan \(campaigns[id].name)")
    }
    try checkServersFree(id)
    try checkClients(id)
    try checkUndoable(id)
    let end = try endOfStarted(id, now: now)
    if !isVirtual, campaigns[id].endsAt != nil { try checkSoaks(of: id, end: end, now: now) }
    // A plan tells of every server that fits into no window.
    if !isVirtual, let misfit = misfit(of: id, end: end, now: now) { throw misfit }
    let promise = keep(plan, of: id, at: planVersion(id))
    campaigns[id].state = .active
    campaigns[id].startedAt = now
    campaigns[id].cutOff(at: now)
    campaigns[id].endsAt = end
    campaigns[id].hookRevision = hookRevision
    campaigns[id].startNumber = 1 + (campaigns.map(\.startNumber).max() ?? 0)
    campaigns[id].version += 1
    timers.add(.end(id), at: end)
    record(Record(.campaignStarted, campaign: id, reason: promise, principal: by))
    emit(.save(.campaign(id)))
    activate(id)
    limitResources()
    leaveOutside(id)
    skipRetired(id, now: now)
    warnOfMisfits(id, end: end, now: now)
    // People may have skipped every server of the draft.
    endIfDone(id, now: now)
  }

  /// When a campaign that starts now ends: when it says, or with the last window of its clients
  /// that opens in the next fourteen days.
  private func endOfStarted(_ id: CampaignID, now: Instant) throws(Refusal) -> Instant {
    if let end = campaigns[Int(id.index)].endsAt {
      guard end > now else {
        throw .notAllowed(
          code: .campaignState, message: "its end has passed already",
          hint: "make it again with a later ends_at, or without one")
      }
      return end
    }
    let horizon = now + Self.defaultReach
    // Right after its creation the windows of a campaign's own are not known yet.
    let ends = campaigns[Int(id.index)].lanes.compactMap { lane in
      (lane.narrowed ?? clients[Int(lane.client.index)].windows)
        .last { $0.start < horizon }?.end
    }
    guard let end = ends.max(), end > now else {
      throw .notAllowed(
        code: .noWindow, message: "no window of its clients opens in the next 14 days",
        hint: "`atlas client windows CLIENT` shows them")
    }
    return end
  }

  /// How far a campaign that does not say when it ends looks for the last window of its clients.
  static var defaultReach: Duration { .seconds(14 * 86_400) }

  /// The selection was frozen when the campaign was made; what was retired since is left out.
  private mutating func skipRetired(_ id: CampaignID, now: Instant) {
    for index in campaigns[id].runs.indices
    where servers[campaigns[id].runs[index].server].retired {
      let ref = RunRef(campaign: id, index: index)
      if case .pending = self[ref].state { leaveOut(ref, .retired, now: now) }
    }
  }

  /// A lane is one client's: a server that was moved to another since has no place in it.
  private func checkClients(_ id: CampaignID) throws(Refusal) {
    for run in campaigns[Int(id.index)].runs {
      let server = Int(run.server.index)
      guard servers[server].client != campaigns[Int(id.index)].lanes[Int(run.lane)].client else {
        continue
      }
      throw .changed(
        message: "\(servers[server].config.name) belongs to another client now",
        hint: "make the campaign again")
    }
  }

  /// Changes whenever a plan of the campaign would come out differently.
  package func planVersion(_ id: CampaignID) -> UInt64 {
    (fleetVersion + estimatesVersion) << 20 | UInt64(campaigns[Int(id.index)].version & 0xF_FFFF)
  }

  private func checkServersFree(_ id: CampaignID) throws(Refusal) {
    for run in campaigns[Int(id.index)].runs {
      let server = servers[Int(run.server.index)]
      guard let other = server.openRun else { continue }
      let name = campaigns[Int(other.campaign.index)].name
      throw .notAllowed(
        code: .serverInOtherCampaign,
        message: "\(server.config.name) is in the active campaign \(name)",
        hint: "wait for \(name) to end, or cancel it, or select other servers")
    }
  }

  /// Makes the lanes of a started campaign compete for their clients' slots.
  mutating func activate(_ id: CampaignID) {
    for index in campaigns[id].runs.indices {
      let server = campaigns[id].runs[index].server
      if !campaigns[id].runs[index].state.kind.isTerminal {
        servers[server].openRun = RunRef(campaign: id, index: index)
      }
    }
    for index in campaigns[id].lanes.indices where campaigns[id].lanes[index].open > 0 {
      enlist(LaneRef(campaign: id, lane: Int32(index)))
      markDirty(campaigns[id].lanes[index].client)
    }
    countKinds(id)
    for ring in campaigns[id].rings { markGate(id, ring.ring) }
  }

  /// Open runs of clients that are postponed are outside the gates of a campaign that begins.
  mutating func leaveOutside(_ id: CampaignID) {
    for index in campaigns[id].lanes.indices
    where clients[campaigns[id].lanes[index].client].isPostponed {
      let ring = Int(campaigns[id].lanes[index].ring.number)
      campaigns[id].rings[ring].outside.add(campaigns[id].openCounts(of: index))
    }
  }

  /// Adds a lane to those of its client, behind those of campaigns that were started earlier.
  mutating func enlist(_ lane: LaneRef) {
    let client = campaigns[lane.campaign].lanes[Int(lane.lane)].client
    guard !clients[client].lanes.contains(lane) else { return }
    let number = campaigns[lane.campaign].startNumber
    let place = clients[client].lanes.firstIndex {
      campaigns[$0.campaign].startNumber > number
    }
    clients[client].lanes.insert(lane, at: place ?? clients[client].lanes.endIndex)
  }

  /// Ends a campaign once every run of it has.
  mutating func endIfDone(_ id: CampaignID, now: Instant) {
    guard campaigns[id].counts.open == 0, campaigns[id].state.isRunning else { return }
    campaigns[id].state =
      campaigns[id].state == .cancelling
      ? .cancelled : campaigns[id].hasFailures ? .completedWithFailures : .completed
    campaigns[id].endedAt = now
    atlasCampaigns.removeAll { $0 == id }
    campaigns[id].pauses = []
    campaigns[id].safety.sourceHolds = []
    campaigns[id].version += 1
    limitResources()
    for lane in campaigns[id].lanes.indices {
      let client = campaigns[id].lanes[lane].client
      clients[client].lanes.removeAll { $0.campaign == id }
    }
    record(Record(.campaignEnded, campaign: id, detail: campaigns[id].state.word))
    emit(.save(.campaign(id)))
  }

  /// The campaign's time is up: what has not started is not attempted, or left for later.
  mutating func campaignEnds(_ id: CampaignID, now: Instant) {
    guard campaigns[id].state == .active else { return }
    for index in campaigns[id].runs.indices {
      let ref = RunRef(campaign: id, index: index)
      if skipUntouched(ref, now: now) { continue }
      guard case .pending = self[ref].state else { continue }
      if let hold = sourceHold(over: clientOf(ref), in: id) {
        outlive(ref, .source, hold.latch.reason, now: now)
      } else {
        let problem = agentProblem(ref)
        outlive(
          ref, problem == nil ? .window : .noAgent, problem ?? endProblem(ref, now: now), now: now)
      }
    }
  }

  /// What was in the way of a run to the end; empty for nothing but those before it.
  private func endProblem(_ ref: RunRef, now: Instant) -> String {
    let problem = personProblem(ref)
    guard problem.isEmpty, !clients[Int(clientOf(ref).index)].isPostponed,
      let waiting = waits(ref, now: now), waiting != .turn
    else { return problem }
    return "\(Self.outlived); it waited for: \(waiting.text)"
  }

  private static var outlived: String { "the campaign ended before its turn" }

  /// What a person might have done so that a run would have started; empty for nothing.
  private func personProblem(_ ref: RunRef) -> String {
    if atlasWaits(ref) == .approval { return "it carries Atlas, and nobody let it go" }
    if let held = heldSignature(ref) { return "\(held.kind) was held: \(held.latch.reason)" }
    guard let kind = missingRepresentative(ref) else { return "" }
    return "no \(kind) has completed in an earlier ring, and nobody waived that"
  }

  /// The campaign's time is up, and the run is not begun.
  mutating func outlive(
    _ ref: RunRef, _ refused: Refused = .window, _ problem: String = "", now: Instant
  ) {
    let isPostponed = clients[Int(clientOf(ref).index)].isPostponed
    let message =
      !problem.isEmpty
      ? problem
      : isPostponed ? "its client is postponed" : Self.outlived
    self[ref].details.content.lastError = message
    if campaigns[ref.campaign].policy.carryOver {
      let until = laterDate(ref, now: now)
      endUnchanged(ref, as: .postponed(until: until), .runPostponed, message, now: now)
    } else {
      endUnchanged(ref, as: .notAttempted(refused), .runNotAttempted, message, now: now)
    }
  }
}

extension Campaign {
  /// Whether a server is without its updates; a run that was tried again with success is not one.
  fileprivate var hasFailures: Bool {
    guard counts[.failed] + counts[.notAttempted] > 0 else { return false }
    var isRepeated = [Bool](repeating: false, count: runs.count)
    for run in runs where run.retryOf >= 0 { isRepeated[Int(run.retryOf)] = true }
    return runs.indices.contains {
      switch runs[$0].state {
      case .failed, .notAttempted: !isRepeated[$0]
      case .pending, .inProgress, .parked, .held, .completed, .skipped, .postponed: false
      }
    }
  }

  mutating func addRings(upTo ring: Ring) {
    while rings.count <= Int(ring.number) {
      guard let next = Ring(rings.count) else { return }
      rings.append(RingProgress(ring: next))
    }
  }

  /// A server counts once, by its newest run.
  private mutating func supersede(_ old: Int32, _ ring: Int) {
    guard old >= 0 else { return }
    let kind = self[run: old].state.kind
    counts[kind] -= 1
    rings[ring].counts[kind] -= 1
  }

  /// Counts a run that is new in the campaign.
  mutating func add(_ run: Run) {
    let kind = run.state.kind
    let ring = Int(lanes[Int(run.lane)].ring.number)
    counts[kind] += 1
    rings[ring].counts[kind] += 1
    if !kind.isTerminal { lanes[Int(run.lane)].open += 1 }
    supersede(run.retryOf, ring)
  }
}

extension Campaign {
  /// Later rings install what earlier ones have proved, and nothing newer: where nobody has said
  /// what is too new, that is what is published after the start.
  fileprivate mutating func cutOff(at start: Instant) {
    guard rollbackOf == nil, updateSet.cutOff == nil else { return }
    updateSet.cutOff = start
  }
}

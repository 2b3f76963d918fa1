import AtlasModel

/// Update sources that do not answer. One server that is refused for it is a server's misfortune;
/// several in a row, with none in between whose source worked, are a source that is down. So is one
/// that gave a server updates and then, before the next pass, does not answer: that is no failure of
/// the server, which is parked. Then the lane, or the campaign, waits, one server tries now and then,
/// and what was refused meanwhile is to be done again: a night is not lost because a source was away
/// for an hour.
extension ControlState {
  /// Whether the run that an unanswering source refuses waits for it: in its lane, instead of being
  /// left out, or parked, once something was changed, instead of failing. Told once for every such
  /// refusal.
  mutating func sourceFailed(_ ref: RunRef, _ message: String, now: Instant) -> Bool {
    guard campaigns[ref.campaign].state == .active, !isVirtual,
      !campaigns[ref.campaign].isPastItsEnd(now)
    else { return false }
    let client = clientOf(ref)
    if sourceHold(over: client, in: ref.campaign) != nil {
      triedInVain(ref, now: now)
      return true
    }
    let fault = SourceFault(at: now, client: client, run: ref.index)
    campaigns[ref.campaign].safety.note(fault)
    emit(.save(.campaign(ref.campaign)))
    let faults = campaigns[ref.campaign].safety.sourceFaults
    let breakers = campaigns[ref.campaign].policy.breakers
    let clients = Set(faults.filter { !$0.isAlone }.map(\.client)).count
    if let most = breakers.sourceClients, clients >= most {
      let text = "the update source does not answer at \(clients) clients: \(message)"
      beginSourceHold(ref, nil, text, now: now)
      return true
    }
    let mine = faults.filter { $0.client == client }
    let servers = Set(mine.map { campaigns[ref.campaign][run: $0.run].server }).count
    guard let most = breakers.sourceServers, servers >= most || isChanged(ref) else { return false }
    let place = servers == 1 ? "one server" : "\(servers) servers"
    let text = "the update source does not answer at \(place): \(message)"
    beginSourceHold(ref, client, text, now: now)
    return true
  }

  private mutating func beginSourceHold(
    _ ref: RunRef, _ client: ClientID?, _ reason: String, now: Instant
  ) {
    let id = ref.campaign
    let next = now + Limits.sourceBackoff
    let latch = Latch(reason: reason.bounded(), principal: Self.itself, since: now)
    // The campaign's takes the place of those of its lanes.
    if client == nil { campaigns[id].safety.sourceHolds = [] }
    campaigns[id].safety.sourceHolds.append(
      SourceHold(client: client, latch: latch, nextTry: next, tries: 0, probe: nil))
    timers.add(.source(id), at: next)
    record(
      Record(
        .environmentHeld, campaign: id, client: client, detail: Self.sourceDetail,
        reason: reason.bounded()))
    let episode = campaigns[id].safety.sourceFaults.filter {
      (client == nil || $0.client == client) && $0.run != ref.index
    }
    campaigns[id].safety.sourceFaults.removeAll { client == nil || $0.client == client }
    emit(.save(.campaign(id)))
    for fault in episode { takeBackRefusal(RunRef(campaign: id, index: Int(fault.run))) }
  }

  /// What was refused earlier in the episode is to be done again: as it stands, while its snapshot
  /// is still being removed, and else by a new run.
  private mutating func takeBackRefusal(_ ref: RunRef) {
    switch self[ref].state {
    case .inProgress(var work) where work.ending == .notAttempted(.source):
      // Not a transition: it is cleaning up, and still does.
      work.ending = .givenBack
      self[ref].state = .inProgress(work)
      emit(.save(.run(ref)))
    case .notAttempted(.source):
      let server = self[ref].server
      guard servers[server].openRun == nil, !servers[server].retired,
        servers[server].client == clientOf(ref)
      else { return }
      renew(ref, reason: "its update source did not answer, nor did others", by: "")
    case .pending, .inProgress, .parked, .held, .completed, .failed, .notAttempted, .skipped,
      .postponed:
      break
    }
  }

  /// The hold that keeps a lane from starting anything; nil when there is none.
  package func sourceHold(over client: ClientID, in id: CampaignID) -> SourceHold? {
    let index = Int(id.index)
    guard !campaigns[index].safety.sourceHolds.isEmpty else { return nil }
    return campaigns[index].safety.sourceHolds.first { $0.client == nil || $0.client == client }
  }

  /// Whether a source that is waited for keeps a lane from starting a server now.
  func waitsForSource(_ client: ClientID, in id: CampaignID, now: Instant) -> Bool {
    guard let hold = sourceHold(over: client, in: id), !Plant.sourceHoldIgnored.isOn else {
      return false
    }
    return hold.probe != nil || now < hold.nextTry
  }

  /// The same for a run that has a slot already, unless it is the one that tries.
  func waitsForSource(_ ref: RunRef, now: Instant) -> Bool {
    let client = clientOf(ref)
    return waitsForSource(client, in: ref.campaign, now: now)
      && sourceHold(over: client, in: ref.campaign)?.probe != ref.index
  }

  /// A run is started: if its lane waits for a source, it is the one that tries.
  mutating func noteProbe(_ ref: RunRef) {
    guard let place = probePlace(ref, startsIt: true) else { return }
    campaigns[ref.campaign].safety.sourceHolds[place].probe = ref.index
    emit(.save(.campaign(ref.campaign)))
  }

  private func probePlace(_ ref: RunRef, startsIt: Bool = false) -> Int? {
    let campaign = Int(ref.campaign.index)
    guard !campaigns[campaign].safety.sourceHolds.isEmpty else { return nil }
    let client = clientOf(ref)
    return campaigns[campaign].safety.sourceHolds.firstIndex {
      ($0.client == nil || $0.client == client) && (startsIt || $0.probe == ref.index)
    }
  }

  private mutating func triedInVain(_ ref: RunRef, now: Instant) {
    guard let place = probePlace(ref) else { return }
    let tries = campaigns[ref.campaign].safety.sourceHolds[place].tries + 1
    let wait = min(
      Limits.sourceBackoff * (1 << min(tries, 8)), Limits.sourceBackoffLongest)
    campaigns[ref.campaign].safety.sourceHolds[place].tries = tries
    campaigns[ref.campaign].safety.sourceHolds[place].probe = nil
    campaigns[ref.campaign].safety.sourceHolds[place].nextTry = now + wait
    timers.add(.source(ref.campaign), at: now + wait)
    emit(.save(.campaign(ref.campaign)))
  }

  /// A run no longer holds its slot, or waits for people: if it was to try a source, another may.
  mutating func endProbe(_ ref: RunRef) {
    guard let place = probePlace(ref) else { return }
    campaigns[ref.campaign].safety.sourceHolds[place].probe = nil
    emit(.save(.campaign(ref.campaign)))
    wakeLanes(of: ref.campaign)
  }

  /// A server gets its updates: its source answers, and so does the one that others wait for.
  mutating func sourceAnswered(_ ref: RunRef) {
    let id = ref.campaign
    let client = clientOf(ref)
    if !campaigns[id].safety.sourceHolds.isEmpty {
      endSourceHolds(id, "the update source answers again", by: "") {
        $0.client == nil || $0.client == client
      }
    }
    guard !campaigns[id].safety.sourceFaults.isEmpty else { return }
    if campaigns[id].safety.answered(client) { emit(.save(.campaign(id))) }
  }

  /// A person does not want to wait for a source any more.
  mutating func resumeSources(_ id: CampaignID, _ scope: PauseScope, by: String) {
    switch scope {
    case .all:
      campaigns[id].safety.sourceFaults = []
      endSourceHolds(id, "resumed", by: by) { $0.client == nil }
    case .ring: break
    case .client(let client):
      campaigns[id].safety.sourceFaults.removeAll { $0.client == client }
      endSourceHolds(id, "resumed", by: by) { $0.client == client }
    }
  }

  private mutating func endSourceHolds(
    _ id: CampaignID, _ reason: String, by: String, _ isMeant: (SourceHold) -> Bool
  ) {
    let ended = campaigns[id].safety.sourceHolds.filter(isMeant)
    guard !ended.isEmpty else { return }
    campaigns[id].safety.sourceHolds.removeAll(where: isMeant)
    for hold in ended {
      record(
        Record(
          .environmentResumed, campaign: id, client: hold.client, detail: Self.sourceDetail,
          reason: reason, principal: by))
    }
    emit(.save(.campaign(id)))
    wakeLanes(of: id)
  }

  /// Whether a scope waits for a source, so that a person may end that.
  func hasSourceHold(_ id: CampaignID, _ scope: PauseScope) -> Bool {
    campaigns[Int(id.index)].safety.sourceHolds.contains {
      switch scope {
      case .all: $0.client == nil
      case .ring: false
      case .client(let client): $0.client == client
      }
    }
  }

  /// Watches over the holds of a campaign that was loaded.
  mutating func wakeSources(_ id: CampaignID) {
    for hold in campaigns[id].safety.sourceHolds where hold.probe == nil {
      timers.add(.source(id), at: hold.nextTry)
    }
  }
}

extension CampaignSafety {
  /// Keeps a refusal in mind, and forgets those of earlier episodes.
  fileprivate mutating func note(_ fault: SourceFault) {
    sourceFaults.removeAll { fault.at - $0.at > Limits.sourceEpisode }
    if sourceFaults.count >= Limits.sourceFaults { sourceFaults.removeFirst() }
    sourceFaults.append(fault)
  }

  /// The source of a client has answered.
  /// - Returns: whether that changes anything.
  fileprivate mutating func answered(_ client: ClientID) -> Bool {
    let before = sourceFaults
    sourceFaults.removeAll { $0.client == client }
    for index in sourceFaults.indices { sourceFaults[index].isAlone = true }
    return sourceFaults != before
  }
}

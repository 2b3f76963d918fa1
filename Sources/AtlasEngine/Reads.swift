import AtlasModel

/// What people ask about the state; nothing here changes it.
extension ControlState {
  /// Why a pending run does not start now; nil for a run that is not pending.
  package func waits(_ ref: RunRef, now: Instant) -> Waiting? {
    if case .parked(let next) = self[ref].state { return parkedWaits(ref, next, now: now) }
    guard case .pending = self[ref].state else { return nil }
    let lane = LaneRef(campaign: ref.campaign, lane: self[ref].lane)
    let unmet = [
      laneWaits(lane, now: now), runWaits(ref, now: now), capWaits(lane),
      self[ref].details.content.check?.point.map { .check($0) },
      othersGoFirst(ref, lane, now: now) ? .turn : nil,
    ]
    return unmet.compactMap { $0 }.min { $0.rank < $1.rank } ?? .turn
  }

  private func capWaits(_ lane: LaneRef) -> Waiting? {
    let campaign = Int(lane.campaign.index)
    guard campaigns[campaign].lanes[Int(lane.lane)].isCapped else { return nil }
    return campaigns[campaign].isFullOfDown ? .people : .cap
  }

  /// Whether a server before it in the lane could go: those that wait for something of their own
  /// are passed by.
  private func othersGoFirst(_ ref: RunRef, _ lane: LaneRef, now: Instant) -> Bool {
    for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].queue {
      guard index != ref.index else { return false }
      switch runWaits(RunRef(campaign: ref.campaign, index: Int(index)), now: now) {
      case nil, .windowTooShort: return true
      case .some: continue
      }
    }
    return false
  }

  /// Whether nothing will happen in a campaign without a person: it is over, or every open run
  /// waits for a decision. Its end date does not count as something that happens.
  package func isSettled(_ id: CampaignID, now: Instant) -> Bool {
    let campaign = campaigns[Int(id.index)]
    switch campaign.state {
    case .draft: return false
    case .completed, .completedWithFailures, .cancelled: return true
    case .active, .cancelling: break
    }
    guard campaign.counts[.inProgress] == 0 else { return false }
    if campaign.rings.contains(where: { $0.soakingSince != nil && !$0.soaked }) { return false }
    return campaign.lanes.indices.allSatisfy { laneIsSettled(id, $0, now: now) }
  }

  private func laneIsSettled(_ id: CampaignID, _ index: Int, now: Instant) -> Bool {
    let lane = campaigns[Int(id.index)].lanes[index]
    guard lane.open > 0 else { return true }
    if parkedMayGoOn(id, lane, now: now) { return false }
    guard !lane.queue.isEmpty else { return true }
    switch laneWaits(campaign: id, lane: index, now: now) {
    case .slot: return slotsWaitForPeople(lane.client)
    case .unexplained:
      // Those whose own agents are away have their grace first, and an outage may be to come.
      return clients[Int(lane.client.index)].outage == nil
        && lane.queue.allSatisfy {
          self.campaign(id)[run: $0].details.content.offlineSince == nil
        }
    case .gate(let ring): return gateWaitsForPeople(id, upTo: ring)
    case .some(let waiting): return waiting.needsPerson
    case nil where lane.isCapped && campaign(id).isFullOfDown: return true
    case nil:
      return lane.queue.allSatisfy {
        let ref = RunRef(campaign: id, index: Int($0))
        let waiting = runWaits(ref, now: now)
        switch waiting {
        case .locked: return servers[Int(self[ref].server.index)].locked?.until == nil
        case .unexplained, .approval: return true
        case .others: return !isInFlight(beside: id)
        case .after(let other), .group(let other), .host(let other), .guest(let other),
          .alone(let other):
          return orderWaitsForPeople(other)
        case .outage(let client): return clients[Int(client.index)].outage == nil
        // Whether one may still come is told by the lane of that one.
        case .representative: return true
        case .site: return slotsWaitForPeople(lane.client)
        case .available:
          return ([lane.client] + clientsOfGuests(of: self[ref].server)).allSatisfy {
            slotsWaitForPeople($0)
          }
        // Of other clients that have guests on it.
        case .slot:
          return clientsOfGuests(of: self[ref].server).allSatisfy { slotsWaitForPeople($0) }
        case .resource(let name): return waitsForPeople(name)
        case _: return waiting?.needsPerson ?? false
        }
      }
    }
  }

  /// Whether a parked run of the lane goes on without a person: when its window opens, or its agent
  /// has said what became of its order.
  private func parkedMayGoOn(_ id: CampaignID, _ lane: Lane, now: Instant) -> Bool {
    lane.active.contains {
      let ref = RunRef(campaign: id, index: Int($0))
      guard case .parked(let next) = self[ref].state else { return false }
      switch parkedWaits(ref, next, now: now) {
      case nil: return true
      case .window(nil)?, .windowTooShort(nil)?:
        return windowsAreOld(for: ref)
      case .unexplained(let server)?:
        return clients[Int(servers[Int(server.index)].client.index)].outage != nil
      case .outage(let client)?: return clients[Int(client.index)].outage != nil
      case .locked?: return servers[Int(self[ref].server.index)].locked?.until != nil
      case let waiting?: return !waiting.needsPerson
      }
    }
  }

  /// Whether every slot of the client is taken by a run that waits for a person.
  private func slotsWaitForPeople(_ client: ClientID) -> Bool {
    let client = clients[Int(client.index)]
    return client.reserved == 0 && client.busyHosts.allSatisfy { isHeldOrParked($0) }
      && client.lanes.allSatisfy { lane in
        campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active.allSatisfy {
          isHeldOrParked(RunRef(campaign: lane.campaign, index: Int($0)))
        }
      }
  }

  private func isHeldOrParked(_ ref: RunRef) -> Bool {
    switch self[ref].state {
    case .held, .parked: true
    case .pending, .inProgress, .completed, .failed, .notAttempted, .skipped, .postponed: false
    }
  }

  /// A closed gate that nothing but a person can open: nothing moves in the rings before it.
  private func gateWaitsForPeople(_ id: CampaignID, upTo ring: Ring) -> Bool {
    let campaign = campaigns[Int(id.index)]
    return campaign.counts[.inProgress] == 0
      && campaign.rings.contains { $0.ring <= ring && $0.gate != .open }
  }

  private func campaign(_ id: CampaignID) -> Campaign { campaigns[Int(id.index)] }

  /// Clients with a server in progress, parked or held in the campaign.
  package func activeClients(_ id: CampaignID) -> Int {
    campaigns[Int(id.index)].activeLanes
  }

  /// The window state of a client: open now, and the windows that are known from `from` on.
  package func windows(of client: ClientID, from: Instant, count: Int) -> [Interval] {
    Array(clients[Int(client.index)].windows.drop { $0.end <= from }.prefix(count))
  }
}

extension Waiting {
  /// In words, for lists: “all slots of the client are taken”.
  package var text: String {
    switch self {
    case .stopped(let client): client ? "client is stopped" : "emergency stop"
    case .campaign(let state): "campaign is \(state.word)"
    case .paused(let scope):
      switch scope {
      case .all: "campaign is paused"
      case .ring(let ring): "ring \(ring) is paused"
      case .client: "client is paused in this campaign"
      }
    case .clientPaused: "client is paused"
    case .gate(let ring): "gate after ring \(ring)"
    case .laneHeld: "lane is held after a failure"
    case .locked: "server is locked"
    case .changeReference: "client requires a change reference"
    case .slot: "slot of the client"
    case .unexplained: "a server that is down or unexplained"
    case .after: "a server that goes before it"
    case .group: "another server of its group"
    case .host: "its host"
    case .guest: "a guest of it"
    case .outage: "an outage that is declared, because its guests go down with it"
    case .approval: "approval: it carries Atlas itself"
    case .others: "all others, because it carries Atlas itself"
    case .alone: "a server that carries Atlas itself, and goes alone"
    case .check(let point): "\(point.rawValue)"
    case .available(let role): "more servers of role \(role) to be available"
    case .notBefore: "deferred"
    case .window: "window"
    case .windowTooShort: "a window that is long enough"
    case .people: "people: too many servers are down"
    case .cap: "cap of the campaign"
    case .agent: "its agent"
    case .agentTooOld: "a newer agent"
    case .postponed: "client is postponed"
    case .contact(let client):
      client ? "contact to the servers of the client" : "contact to many servers"
    case .source(let client):
      client ? "the update source of the client" : "the update source of the campaign"
    case .representative(let kind, let mayCome):
      mayCome
        ? "a completed \(kind) in an earlier ring"
        : "a person: no \(kind) can complete in an earlier ring"
    case .site: "another server of its site"
    case .resource(let name): "a place at \(name)"
    case .signature(let kind): "a person: \(kind) fails alike at several clients"
    case .turn: "its turn"
    }
  }
}

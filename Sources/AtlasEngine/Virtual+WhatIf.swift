import AtlasModel

/// What a plan supposes, put into a state that is worked through in virtual time.
extension ControlState {
  /// Changes the state so that everything in the list is so for a campaign, and nothing else.
  package mutating func suppose(_ list: [WhatIf], of id: CampaignID, now: Instant) {
    precondition(isVirtual, "what is real is not supposed")
    for one in list { suppose(one, of: id, now: now) }
    for lane in campaigns[id].lanes { markDirty(lane.client) }
    for ring in campaigns[id].rings { markGate(id, ring.ring) }
    markCapped(id)
  }

  private mutating func suppose(_ one: WhatIf, of id: CampaignID, now: Instant) {
    switch one {
    case .maxParallelServers(let count):
      for lane in campaigns[id].lanes { clients[lane.client].config.maxParallelServers = count }
      campaigns[id].suppose { $0.maxParallelServers = nil }
    case .maxInProgress(let cap): campaigns[id].suppose { $0.maxInProgress = cap }
    case .maxActiveClients(let cap): campaigns[id].suppose { $0.maxActiveClients = cap }
    case .maxStartsPerMinute(let cap): campaigns[id].suppose { $0.maxStartsPerMinute = cap }
    case .perSite(let cap): campaigns[id].suppose { $0.perSite = cap }
    case .estimate(let time):
      giveEstimates(id, Array(repeating: time, count: campaigns[id].runs.count))
    case .rollbackReserve(let time): campaigns[id].suppose { $0.rollbackReserve = time }
    case .gateSoak(let time):
      campaigns[id].suppose { policy in
        policy.changeGates { $0.gateSoak = time }
      }
    case .gatesOpen:
      campaigns[id].suppose { policy in
        policy.changeGates { $0.representative = false }
      }
      for ring in campaigns[id].rings.indices { campaigns[id].rings[ring].promoted = true }
    case .windowsAlways: openWindows(of: id, now: now)
    // What becomes of single runs is the planner's to say.
    case .failureRate: break
    }
  }

  private mutating func openWindows(of id: CampaignID, now: Instant) {
    let always = Interval(start: now, end: now + .seconds(3_660 * 86_400))
    campaigns[id].suppose { $0.windows = nil }
    for lane in campaigns[id].lanes {
      clients[lane.client].windows = [always]
      clients[lane.client].windowsUntil = always.end
    }
  }

  /// How a run goes that fails after it was changed: to the end of its estimate, and then, where
  /// its policy rolls back, for as long as the policy keeps free for that; otherwise a person has
  /// to look, and nobody comes.
  package func virtualFailure(of ref: RunRef) -> (Duration, VirtualEnd) {
    let estimate = estimate(of: ref)
    guard rules(of: ref).autoRollback, rollbackMeans(of: ref) != .hold else {
      return (estimate, .held(.unhealthy))
    }
    return (estimate + rules(of: ref).rollbackReserve, .terminal(.failed(.rolledBack)))
  }
}

extension Policy {
  fileprivate mutating func changeGates(_ change: (inout RingGate) -> Void) {
    gates = (0...Int(Ring.last.number)).compactMap { Ring($0) }.map { ring in
      var gate = gate(after: ring)
      change(&gate)
      return gate
    }
  }
}

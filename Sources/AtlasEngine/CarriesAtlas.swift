import AtlasModel

/// `carries_atlas`: servers that the daemon itself depends on. They run last and alone, and a
/// person has to say so each time: who else would notice that Atlas does not come back? Alone means
/// in all campaigns: what another one has in flight would be left without Atlas as well.
extension ControlState {
  func atlasWaits(_ ref: RunRef) -> Waiting? {
    if let busy = atlasServer(beside: ref) { return .alone(busy) }
    guard servers[Int(self[ref].server.index)].config.carriesAtlas else { return nil }
    if self[ref].details.content.approval == nil, !isVirtual { return .approval }
    let campaign = Int(ref.campaign.index)
    let open = campaigns[campaign].atlasRuns.count {
      !campaigns[campaign][run: $0].state.kind.isTerminal
    }
    if campaigns[campaign].counts.open > open { return .others }
    return isInFlight(beside: ref.campaign) ? .others : nil
  }

  /// Another server that carries Atlas and is worked on, in any campaign; nil when there is none.
  func atlasServer(beside ref: RunRef) -> ServerID? {
    for id in atlasCampaigns {
      let campaign = Int(id.index)
      for index in campaigns[campaign].atlasRuns
      where campaigns[campaign][run: index].state.kind.holdsSlot {
        if RunRef(campaign: id, index: Int(index)) == ref { continue }
        return campaigns[campaign][run: index].server
      }
    }
    return nil
  }

  /// Whether something is in flight in another campaign.
  func isInFlight(beside id: CampaignID) -> Bool {
    for index in campaigns.indices
    where index != Int(id.index) && campaigns[index].counts[.inProgress] > 0 { return true }
    return false
  }

  /// Keeps ``Campaign/atlasRuns`` when a run is new, or its server's configuration is.
  mutating func noteAtlas(_ ref: RunRef) {
    let carries = servers[self[ref].server].config.carriesAtlas
    let place = campaigns[ref.campaign].atlasRuns.firstIndex(of: ref.index)
    switch (carries, place) {
    case (true, nil):
      campaigns[ref.campaign].atlasRuns.append(ref.index)
      guard !campaigns[ref.campaign].state.isTerminal else { return }
      if !atlasCampaigns.contains(ref.campaign) { atlasCampaigns.append(ref.campaign) }
    case (false, let place?): campaigns[ref.campaign].atlasRuns.remove(at: place)
    case (true, .some), (false, nil): break
    }
  }

  /// A run has ended: what waits for all others is looked at, and what waited for it alone.
  mutating func wakeAtlas(after ref: RunRef) {
    guard !atlasCampaigns.isEmpty else { return }
    if campaigns[ref.campaign].atlasRuns.contains(ref.index) {
      for index in clients.indices where !clients[index].lanes.isEmpty {
        markDirty(ClientID(index))
      }
    }
    wakeAtlas()
  }

  /// Looks at the servers that carry Atlas and have not started.
  mutating func wakeAtlas() {
    for id in atlasCampaigns {
      for index in campaigns[id].atlasRuns
      where campaigns[id][run: index].state.kind == .pending {
        markDirty(clientOf(RunRef(campaign: id, index: Int(index))))
      }
    }
  }

  /// A person says that the server may go, once.
  mutating func approve(
    _ ref: RunRef, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    let name = servers[self[ref].server].config.name
    guard case .pending = self[ref].state else {
      throw .notAllowed(
        code: .runState, message: "the run is \(self[ref].state.kind.word)",
        hint: "only a PENDING run is approved")
    }
    guard servers[self[ref].server].config.carriesAtlas else {
      throw .notAllowed(
        code: .noApproval, message: "\(name) needs no approval",
        hint: "only servers with carries_atlas do")
    }
    guard self[ref].details.content.approval == nil else { return }
    self[ref].details.content.approval = Latch(
      reason: reason.bounded(), principal: by, since: now)
    write(ref, .runApproved, reason: reason.bounded(), by: by)
    markDirty(clientOf(ref))
  }
}

import AtlasModel

/// `carries_atlas`: servers that the daemon itself depends on. They run last and alone, and a
/// person has to say so each time: who else would notice that Atlas does not come back?
extension ControlState {
  func atlasWaits(_ ref: RunRef) -> Waiting? {
    let campaign = Int(ref.campaign.index)
    guard !campaigns[campaign].atlasRuns.isEmpty else { return nil }
    let busy = campaigns[campaign].atlasRuns.first {
      $0 != ref.index && campaigns[campaign][run: $0].state.kind.holdsSlot
    }
    if let busy { return .alone(campaigns[campaign][run: busy].server) }
    guard servers[Int(self[ref].server.index)].config.carriesAtlas else { return nil }
    if self[ref].details.content.approval == nil, !isVirtual { return .approval }
    let open = campaigns[campaign].atlasRuns.count {
      !campaigns[campaign][run: $0].state.kind.isTerminal
    }
    return campaigns[campaign].counts.open > open ? .others : nil
  }

  /// Keeps ``Campaign/atlasRuns`` when a run is new, or its server's configuration is.
  mutating func noteAtlas(_ ref: RunRef) {
    let carries = servers[self[ref].server].config.carriesAtlas
    let place = campaigns[ref.campaign].atlasRuns.firstIndex(of: ref.index)
    switch (carries, place) {
    case (true, nil): campaigns[ref.campaign].atlasRuns.append(ref.index)
    case (false, let place?): campaigns[ref.campaign].atlasRuns.remove(at: place)
    case (true, .some), (false, nil): break
    }
  }

  /// A run has ended: what waits for all others is looked at, and what waited for it alone.
  mutating func wakeAtlas(after ref: RunRef) {
    guard !campaigns[ref.campaign].atlasRuns.isEmpty else { return }
    if campaigns[ref.campaign].atlasRuns.contains(ref.index) {
      for lane in campaigns[ref.campaign].lanes where lane.open > 0 { markDirty(lane.client) }
    }
    for index in campaigns[ref.campaign].atlasRuns
    where campaigns[ref.campaign][run: index].state.kind == .pending {
      markDirty(clientOf(RunRef(campaign: ref.campaign, index: Int(index))))
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

import AtlasModel

/// What an order between servers asks for before a run may start (§7).
extension ControlState {
  /// The first condition of the fleet's order that the run does not meet.
  func orderWaits(_ ref: RunRef, now: Instant) -> Waiting? {
    let server = Int(self[ref].server.index)
    if !servers[server].config.after.isEmpty, let first = predecessor(ref) { return .after(first) }
    let own = self[ref].server
    if let other = otherOfGroup(own, beside: ref, now: now) { return .group(other) }
    for guest in guestsGoingDown(with: own) {
      if let other = otherOfGroup(guest, beside: ref, now: now) { return .group(other) }
    }
    return nil
  }

  /// A server that the run's comes after, and whose run in the same campaign is still open. One
  /// that FAILED or was not attempted is out of the way; one that is HELD is not. What carries Atlas
  /// goes after all others: only such servers can come after it.
  private func predecessor(_ ref: RunRef) -> ServerID? {
    let server = Int(self[ref].server.index)
    if Plant.afterIgnored.isOn { return nil }
    for name in servers[server].config.after {
      guard let id = serverByName[name], let run = servers[Int(id.index)].openRun,
        run.campaign == ref.campaign,
        !servers[Int(id.index)].config.carriesAtlas || servers[server].config.carriesAtlas
      else { continue }
      return id
    }
    return nil
  }

  /// Another member of a server's group, of the same client, that has a slot in any campaign, is
  /// down with its host, or is unexplained. What goes down with the run's own server counts as one
  /// with it.
  private func otherOfGroup(_ member: ServerID, beside ref: RunRef, now: Instant) -> ServerID? {
    guard let group = servers[Int(member.index)].config.antiAffinity, !Plant.groupIgnored.isOn
    else {
      return nil
    }
    let client = servers[Int(member.index)].client
    for lane in clients[Int(client.index)].lanes {
      for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active {
        let server = campaigns[Int(lane.campaign.index)][run: index].server
        if servers[Int(server.index)].config.antiAffinity == group { return server }
      }
    }
    for guest in guestsDown(of: client)
    where servers[Int(guest.index)].config.antiAffinity == group && guest != member {
      return guest
    }
    let silence = silence(of: client, in: ref.campaign)
    let own = self[ref].server
    return clients[Int(client.index)].doubtful.first {
      servers[Int($0.index)].config.antiAffinity == group && $0 != own && host(of: $0) != own
        && isUnexplained($0, after: silence, now: now)
    }
  }

  /// Whether nothing but people can end what the fleet's order makes a run wait for. A predecessor
  /// that is pending is in the same lane, and is asked itself.
  func orderWaitsForPeople(_ other: ServerID) -> Bool {
    let host = host(of: other).flatMap { holdsSlot($0) ? $0 : nil }
    guard let ref = servers[Int((host ?? other).index)].openRun else { return true }
    switch self[ref].state {
    case .held, .parked, .pending: return true
    case .inProgress, .completed, .failed, .notAttempted, .skipped, .postponed: return false
    }
  }
}

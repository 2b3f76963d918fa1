import AtlasModel

/// `min_available`: how many servers of a role a client keeps while others are worked on.
extension ControlState {
  /// The role that would have too few servers left if the run started; nil when there is none.
  ///
  /// Of the servers of the client that share a role, no more than what the policy's share leaves
  /// may be in progress, held or unexplained at once; one may always go when none is.
  func roleUnavailable(_ ref: RunRef, now: Instant) -> Role? {
    guard let share = rules(of: ref).minAvailable, !Plant.minAvailableIgnored.isOn else {
      return nil
    }
    let client = clientOf(ref)
    for role in servers[Int(self[ref].server.index)].config.roles {
      let gone = unavailable(role, of: client, in: ref.campaign, now: now)
      let all = clients[Int(client.index)].roleCounts[role] ?? 1
      if gone > 0, gone + 1 > all * (100 - share) / 100 { return role }
    }
    return nil
  }

  private func unavailable(
    _ role: Role, of client: ClientID, in campaign: CampaignID, now: Instant
  ) -> Int {
    var count = 0
    for lane in clients[Int(client.index)].lanes {
      for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active {
        let server = campaigns[Int(lane.campaign.index)][run: index].server
        if servers[Int(server.index)].config.roles.contains(role) { count += 1 }
      }
    }
    let silence = silence(of: client, in: campaign)
    for id in clients[Int(client.index)].doubtful
    where servers[Int(id.index)].config.roles.contains(role)
      && isUnexplained(id, after: silence, now: now)
    {
      count += 1
    }
    return count
  }
}

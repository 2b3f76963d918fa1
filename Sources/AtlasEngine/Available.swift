import AtlasModel

/// `min_available`: how many servers of a role a client keeps while others are worked on.
extension ControlState {
  /// The role that would have too few servers left if the run started; nil when there is none.
  ///
  /// Of the servers of the client that share a role, no more than what the policy's share leaves
  /// may be in progress, held, unexplained or down with their host at once; one may always go when
  /// none is, and a host with all that go down with it.
  func roleUnavailable(_ ref: RunRef, now: Instant) -> Role? {
    let server = self[ref].server
    let guests = guestsGoingDown(with: server)
    if guests.isEmpty {
      guard rules(of: ref).minAvailable != nil else { return nil }
      return role(missing: [server], of: clientOf(ref), beside: ref, now: now)
    }
    var clients = clientsOfGuests(of: server)
    if !clients.contains(clientOf(ref)) { clients.append(clientOf(ref)) }
    for client in clients {
      let leaving = ([server] + guests).filter { servers[Int($0.index)].client == client }
      if let role = role(missing: leaving, of: client, beside: ref, now: now) { return role }
    }
    return nil
  }

  /// The first role of servers of one client that has too few when they go down together.
  private func role(
    missing leaving: [ServerID], of client: ClientID, beside ref: RunRef, now: Instant
  ) -> Role? {
    let rules = client == clientOf(ref) ? rules(of: ref) : rules(for: client, in: ref.campaign)
    guard let share = rules.minAvailable, !Plant.minAvailableIgnored.isOn else { return nil }
    for server in leaving {
      for role in servers[Int(server.index)].config.roles {
        let more = leaving.count { servers[Int($0.index)].config.roles.contains(role) }
        let gone = unavailable(role, of: client, beside: ref, now: now)
        let all = clients[Int(client.index)].roleCounts[role] ?? 1
        if gone > 0, gone + more > all * (100 - share) / 100 { return role }
      }
    }
    return nil
  }

  private func unavailable(
    _ role: Role, of client: ClientID, beside ref: RunRef, now: Instant
  ) -> Int {
    var count = 0
    for lane in clients[Int(client.index)].lanes {
      for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active {
        let server = campaigns[Int(lane.campaign.index)][run: index].server
        if servers[Int(server.index)].config.roles.contains(role) { count += 1 }
      }
    }
    count += guestsDown(of: client).count { servers[Int($0.index)].config.roles.contains(role) }
    let silence = silence(of: client, in: ref.campaign)
    let own = self[ref].server
    for id in clients[Int(client.index)].doubtful
    where servers[Int(id.index)].config.roles.contains(role) && host(of: id) != own
      && isUnexplained(id, after: silence, now: now)
    {
      count += 1
    }
    return count
  }
}

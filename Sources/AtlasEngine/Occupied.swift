import AtlasModel

/// S12: a server that is down or unexplained, and not by Atlas's order, takes a slot of its client
/// as a run does, until its agent is back or a person dismisses it.
extension ControlState {
  /// Keeps ``Client/doubtful`` after something about a server has changed.
  mutating func updateDoubt(_ id: ServerID) {
    let client = servers[id].client
    let place = clients[client].doubtful.firstIndex(of: id)
    switch (place, servers[id].isDoubtful) {
    case (nil, true): clients[client].doubtful.append(id)
    case (let place?, false): clients[client].doubtful.remove(at: place)
    case (nil, false), (.some, true): return
    }
    markDirty(client)
  }

  /// How long a server may be silent before it is unexplained to a campaign; nil stands for a
  /// campaign with the usual settings.
  func silence(of client: ClientID, in campaign: CampaignID?) -> Duration {
    let interval = campaign.map { rules(for: client, in: $0).checkInterval }
    return max((interval ?? Self.usualCheckInterval) * 2, floors.silence)
  }

  private static let usualCheckInterval = Policy().checkInterval

  /// Whether a server counts as down or unexplained: no run of it holds a slot, which would be
  /// counted already.
  func isUnexplained(_ id: ServerID, after silence: Duration, now: Instant) -> Bool {
    let server = Int(id.index)
    guard servers[server].isDoubtful, !holdsSlot(id) else { return false }
    // A guest of a host in progress is counted already. One that was moved away is not, and should
    // be well.
    if let host = host(of: id), holdsSlot(host), !servers[Int(host.index)].config.migratesGuests {
      return false
    }
    if servers[server].foreign != nil || !servers[server].isHeard { return true }
    return servers[server].silentSince.map { $0 + silence < now } ?? true
  }

  /// Whether a run of the server holds a slot.
  func holdsSlot(_ id: ServerID) -> Bool {
    servers[Int(id.index)].openRun.map { self[$0].state.kind.holdsSlot } ?? false
  }

  /// The server that makes the unexplained ones of a client fill `places`; nil while they do not.
  func unexplained(
    of client: ClientID, filling places: Int, in campaign: CampaignID?, now: Instant
  ) -> ServerID? {
    guard !clients[Int(client.index)].doubtful.isEmpty, !isOutage(of: client, now: now) else {
      return nil
    }
    if Plant.downServersNotCounted.isOn { return nil }
    let silence = silence(of: client, in: campaign)
    var left = places
    for id in clients[Int(client.index)].doubtful
    where isUnexplained(id, after: silence, now: now) {
      left -= 1
      if left <= 0 { return id }
    }
    return nil
  }

  /// The server that is down or unexplained and leaves no slot for what has one already and would
  /// begin something more (S12): of its client, or of those whose guests are on it.
  func stranger(inPlaceOf ref: RunRef, now: Instant) -> ServerID? {
    if let server = stranger(of: clientOf(ref), inPlaceOf: ref, now: now) { return server }
    for client in clientsOnHost(self[ref].server) where client != clientOf(ref) {
      if let server = stranger(of: client, inPlaceOf: ref, now: now) { return server }
    }
    return nil
  }

  private func stranger(
    of client: ClientID, inPlaceOf ref: RunRef, now: Instant
  ) -> ServerID? {
    guard !clients[Int(client.index)].doubtful.isEmpty else { return nil }
    let others =
      clients[Int(client.index)].slotsInUse + guestsInUse(of: client, now: now) - 1
    let free = slots(of: client, in: ref.campaign, now: now) - others
    return unexplained(of: client, filling: max(1, free), in: ref.campaign, now: now)
  }

  /// Gives the slot of an untouched run back, when a server of the client that nobody has heard of
  /// since the daemon started, or that works on an order of nobody's, may have none left for it: a
  /// database that was restored does not know who had the slot in the end.
  /// - Returns: whether it does.
  mutating func givesWay(_ ref: RunRef, now: Instant) -> Bool {
    guard !isChanged(ref), !self[ref].marks.contains(.booted),
      let other = stranger(beside: ref, now: now)
    else { return false }
    let doubt = doubt(about: other, in: ref.campaign, now: now) ?? ""
    giveBack(ref, "\(doubt); nothing is begun before that is explained", now: now)
    return true
  }

  private func stranger(beside ref: RunRef, now: Instant) -> ServerID? {
    let client = clientOf(ref)
    guard !clients[Int(client.index)].doubtful.isEmpty, !isOutage(of: client, now: now),
      !Plant.downServersNotCounted.isOn
    else { return nil }
    let silence = silence(of: client, in: ref.campaign)
    // Its own slot is in use already.
    var free =
      slots(of: client, in: ref.campaign, now: now) - clients[Int(client.index)].slotsInUse
      - guestsInUse(of: client, now: now)
    for id in clients[Int(client.index)].doubtful
    where isUnexplained(id, after: silence, now: now) {
      let server = Int(id.index)
      guard servers[server].foreign != nil || !servers[server].isHeard else { continue }
      free -= 1
      if free < 0 { return id }
    }
    return nil
  }

  /// Slots of a client that are taken as far as S12 counts: by runs, and by servers that are down
  /// or unexplained by the usual settings.
  package func occupied(of client: ClientID, now: Instant) -> Int {
    let unexplained = isOutage(of: client, now: now) ? [] : unexplained(of: client, now: now)
    return clients[Int(client.index)].slotsInUse + guestsInUse(of: client, now: now)
      + unexplained.count
  }

  /// Servers of a client that are down or unexplained now, by the usual settings; also in an
  /// outage, in which they do not count.
  package func unexplained(of client: ClientID, now: Instant) -> [ServerID] {
    let silence = silence(of: client, in: nil)
    return clients[Int(client.index)].doubtful.filter {
      isUnexplained($0, after: silence, now: now)
    }
  }

  /// Why a server counts as down or unexplained, in a sentence; nil when it does not. By the
  /// settings of `campaign`, or the usual ones.
  package func doubt(
    about id: ServerID, in campaign: CampaignID? = nil, now: Instant
  ) -> String? {
    let server = Int(id.index)
    let silence = silence(of: servers[server].client, in: campaign)
    guard isUnexplained(id, after: silence, now: now) else { return nil }
    let name = servers[server].config.name
    if servers[server].connected, let fence = servers[server].foreign {
      return "\(name) works on order \(fence.number), which no run here has given"
    }
    guard servers[server].isHeard, let since = servers[server].silentSince else {
      return "\(name) has said nothing since the daemon started"
    }
    return "\(name) has been silent since \(since.words)"
  }
}

/// What people say about such servers.
extension ControlState {
  mutating func dismiss(
    _ id: ServerID, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    guard !reason.isEmpty else {
      throw .invalid(field: "reason", message: "say why it need not be counted")
    }
    let name = servers[id].config.name
    guard !holdsSlot(id) else {
      throw .notAllowed(
        code: .inFlight, message: "a run of \(name) holds its slot",
        hint: "resolve the run; that frees the slot")
    }
    if servers[id].dismissed != nil { return }
    guard servers[id].isDoubtful else {
      throw .notAllowed(
        code: .notUnexplained, message: "\(name) \(explanation(of: id))",
        hint: "only a server that is silent, or works on an unknown order, is dismissed")
    }
    keepDismissal(id, reason: reason, by: by, now: now)
  }

  private func explanation(of id: ServerID) -> String {
    let server = servers[Int(id.index)]
    if server.retired { return "is retired, and counts for nothing" }
    if server.agentVersion.isEmpty { return "has never had an agent, and counts for nothing" }
    return "is connected"
  }

  private mutating func keepDismissal(
    _ id: ServerID, reason: String, by: String, now: Instant
  ) {
    servers[id].dismissed = Latch(reason: reason.bounded(), principal: by, since: now)
    servers[id].version += 1
    record(
      Record(
        .serverDismissed, client: servers[id].client, server: id, reason: reason.bounded(),
        principal: by))
    emit(.save(.server(id)))
    updateDoubt(id)
    guestChanged(id, now: now)
  }

  /// Whoever accepts a server as it is has explained why it is silent.
  mutating func dismissAccepted(_ ref: RunRef, by: String, now: Instant) {
    let server = self[ref].server
    guard servers[server].isDoubtful else { return }
    keepDismissal(server, reason: "its run was accepted", by: by, now: now)
  }

  mutating func recall(_ id: ServerID, by: String) throws(Refusal) {
    guard servers[id].dismissed != nil else {
      throw .notAllowed(
        code: .notUnexplained, message: "\(servers[id].config.name) is not dismissed",
        hint: "there is nothing to take back")
    }
    endDismissal(id, "", by: by)
  }

  /// The agent is back: whatever was said about its silence is over.
  mutating func endDismissal(_ id: ServerID, _ reason: String, by: String = "") {
    guard servers[id].dismissed != nil else { return }
    servers[id].dismissed = nil
    servers[id].version += 1
    record(
      Record(
        .serverRecalled, client: servers[id].client, server: id, reason: reason, principal: by))
    emit(.save(.server(id)))
    updateDoubt(id)
  }

  /// What the agent works on although no open run here has ordered it; nil when there is no such
  /// thing. A download changes nothing, and is none of anybody's business.
  func foreignOrder(_ server: ServerID, _ hello: Hello) -> Fence? {
    guard let known = hello.command, known.progress == .begun, known.kind != .download else {
      return nil
    }
    if let ref = servers[Int(server.index)].openRun, command(of: ref)?.fence == known.fence {
      return nil
    }
    if removal(of: server, awaiting: known.fence) != nil { return nil }
    return known.fence
  }

  /// The result of an order that nobody here waits for has come: the server is explained again.
  mutating func foreignReported(_ server: ServerID, _ report: CommandReport) {
    guard servers.indices.contains(Int(server.index)),
      servers[Int(server.index)].foreign == report.fence, case .result = report.event
    else { return }
    servers[server].foreign = nil
    updateDoubt(server)
  }
}

/// When faults have ended, things go on and come to an end (L1).
extension Checker {
  /// A moment in which every client that may be worked on has had time to get going: each lane has
  /// a run in progress, or a reason that anybody can see.
  ///
  /// - Parameter patience: How long a window must have been open and have room, in milliseconds.
  package mutating func judgeProgress(patience: Int64) {
    for (key, run) in log.runs.sorted(by: { $0.key < $1.key }) where run.state == "PENDING" {
      guard let campaign = campaign(key.campaign), let client = clients[run.client],
        log.campaigns[key.campaign]?.state == "ACTIVE",
        client.current.isOpen(at: now - patience),
        let end = client.current.openUntil(now),
        now + mostNeeded(run.server, campaign) <= end,
        client.versions.count == 1
      else { continue }
      if reasonToWait(key, run) == nil {
        fail(
          "L1",
          "\(run.server) has been waiting in \(key.campaign) for "
            + "\(patience / 60_000) min of an open window, and nothing says why")
      }
    }
  }

  /// Long after the campaigns' end: whatever is open waits for a person.
  package mutating func judgeSettled() {
    for (key, run) in log.runs.sorted(by: { $0.key < $1.key }) where !run.isTerminal {
      let name = "\(run.server) (run \(key.number) of \(key.campaign))"
      switch run.state {
      case "HELD": continue
      case "PARKED":
        if log.isStopped(run.client)
          || log.isPaused(run.client, ring: run.ring, in: key.campaign)
        {
          continue
        }
        // UPDATE and REBOOT wait for the next window.
        if ["UPDATE", "REBOOT"].contains(run.phase),
          clients[run.client]?.current.isOpen(at: now) != true
        {
          continue
        }
        fail("L1", "\(name) is PARKED, and nothing is stopped or paused")
      case _: fail("L1", "\(name) is \(run.state) long after the end of its campaign")
      }
    }
  }

  /// People have decided everything: nothing is open any more.
  package mutating func judgeEnded() {
    for (name, campaign) in log.campaigns.sorted(by: { $0.key < $1.key })
    where ["ACTIVE", "CANCELLING"].contains(campaign.state) {
      let open = log.runs.filter { $0.key.campaign == name && !$0.value.isTerminal }
        .map { "\($0.value.server) \($0.value.state) \($0.value.phase)" }.sorted()
      fail(
        "L1",
        "\(name) is \(campaign.state) after people decided everything: "
          + open.prefix(5).joined(separator: ", "))
    }
  }

  /// What keeps a pending run from starting, as the log and the sessions tell it; nil for nothing.
  private func reasonToWait(_ key: LogModel.RunKey, _ run: LogModel.RunModel) -> String? {
    if log.isStopped(run.client) { return "stopped" }
    if log.isPaused(run.client, ring: run.ring, in: key.campaign) { return "paused" }
    if log.lockedServers.contains(run.server) { return "locked" }
    if log.postponedClients.contains(run.client) { return "postponed" }
    if log.contactIsLost || log.darkClients.contains(run.client) { return "contact" }
    if let campaign = log.campaigns[key.campaign] {
      if !campaign.silentSources.isDisjoint(with: ["", run.client]) { return "source" }
      // Which servers are of a kind that is held, or without a representative, the log does not say.
      if !campaign.heldKinds.isEmpty { return "signature" }
    }
    if campaign(key.campaign)?.wantsRepresentative ?? false { return "representative" }
    if log.campaigns[key.campaign]?.heldLanes.contains(run.client) ?? false { return "held" }
    let isBehindGate = (0..<run.ring).contains {
      let gate = log.campaigns[key.campaign]?.gates[$0]
      return gate != nil && gate != "gate.opened" || gate == nil && hasRuns(key.campaign, ring: $0)
    }
    if isBehindGate { return "gate" }
    if !(log.slotsInUse[run.client] ?? []).isEmpty { return "slot" }
    return reasonOfOthers(key, run) ?? ownReason(key, run)
  }

  private func ownReason(_ key: LogModel.RunKey, _ run: LogModel.RunModel) -> String? {
    if servers[run.server]?.silentSince != nil { return "agent" }
    if run.hasWaited { return "deferred" }
    return capReached(in: key.campaign) ? "cap" : nil
  }

  /// What other servers have to do with it.
  private func reasonOfOthers(_ key: LogModel.RunKey, _ run: LogModel.RunModel) -> String? {
    guard let fact = servers[run.server]?.fact else { return nil }
    let isOneDown = servers.contains { name, server in
      server.client == run.client && server.knownSince != nil
        && !log.dismissedServers.contains(name) && !log.retiredServers.contains(name)
        && (server.silentSince != nil || server.strange != nil)
    }
    if isOneDown { return "unexplained" }
    if fact.after.contains(where: { isOpen($0, in: key.campaign) }) { return "after" }
    if busyServers.contains(fact.host) { return "host" }
    if fact.carriesAtlas { return "approval" }
    let guests = servers.values.filter { $0.fact.host == run.server }
    guard !guests.isEmpty else { return nil }
    let lacksOutage = guests.contains { log.outage(of: $0.client, at: now) == nil }
    if !fact.migratesGuests, lacksOutage { return "outage" }
    // Windows, slots and people of the other clients are looked at when it starts.
    return guests.contains { $0.client != run.client } ? "shared" : nil
  }

  private func capReached(in name: String) -> Bool {
    guard let campaign = campaign(name) else { return false }
    let inFlight = log.runs.filter { $0.key.campaign == name && $0.value.holdsSlot }
    let active = Set(inFlight.map(\.value.client)).count
    let held = inFlight.count { $0.value.state == "HELD" }
    return campaign.maxInProgress.map { inFlight.count >= $0 } ?? false
      || campaign.maxActiveClients.map { active >= $0 } ?? false
      || campaign.maxWaitingForPeople.map { held >= max(1, $0) } ?? false
  }

  private func hasRuns(_ campaign: String, ring: Int) -> Bool {
    log.runs.contains { $0.key.campaign == campaign && $0.value.ring == ring }
  }
}

extension LogModel.RunKey: Comparable {
  static func < (left: Self, right: Self) -> Bool {
    (left.campaign, left.number) < (right.campaign, right.number)
  }
}

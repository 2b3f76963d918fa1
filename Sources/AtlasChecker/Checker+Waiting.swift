/// What a run waits for, by the log, the sessions and what people configured: the first condition of
/// engine.md §5 that does not hold, or may not as far as anybody outside can tell.
extension Checker {
  /// Nil for nothing: then it must go on.
  func waitsFor(_ open: OpenRun, deferral: Int64) -> String? {
    switch open.run.state {
    case "HELD": return holdWaits(open)
    case "IN_PROGRESS":
      if let reason = contact(open) { return reason }
      return now - open.run.movedAt < longestPhase ? "its phase" : nil
    case "PARKED":
      return latches(open) ?? guestsForbid(open) ?? contact(open) ?? parkedWaits(open)
    case _:
      return latches(open) ?? contact(open) ?? ringWaits(open) ?? laneWaits(open)
        ?? serverWaits(open, deferral: deferral) ?? windowWaits(open) ?? capWaits(open)
        ?? ownWaits(open)
    }
  }

  /// What is held waits for a person, but for two kinds of it: a server that was lost goes on as
  /// soon as its agent is there, and what took too long when its result is.
  private func holdWaits(_ open: OpenRun) -> String? {
    let server = open.run.server
    guard !isAmbiguous(server), !forgotten.contains(server) else { return "a person" }
    switch open.run.hold {
    case "LOST": return servers[server]?.silentSince == nil ? nil : "its agent, or a person"
    case "OVERDUE": return hasResult(open.run) ? nil : "its result, or a person"
    case _: return "a person"
    }
  }

  /// Whether the order that a phase is about has begun, and its result is here.
  private func hasResult(_ run: LogModel.RunModel) -> Bool {
    guard let begun = lastBegun[run.server], begun.kind == run.heldIn, begun.at >= run.phaseSince
    else { return false }
    return failures[run.server]?.fence == begun.fence
  }

  /// No phase that anybody draws, with its hooks and repeats, goes on for longer.
  private var longestPhase: Int64 { 6 * 3_600_000 }

  private func rules(_ open: OpenRun) -> CampaignFact? {
    guard let number = open.number else {
      return campaign(open.campaign, for: open.run.client)
    }
    return campaign(of: LogModel.RunKey(campaign: open.campaign, number: number))
  }

  // MARK: - Conditions 1 to 4

  private func latches(_ open: OpenRun) -> String? {
    let (client, campaign) = (open.run.client, log.campaigns[open.campaign])
    if log.isStopped(client) { return "the release of a stop" }
    let mayGoOn = open.run.state == "PARKED" ? ["ACTIVE", "CANCELLING"] : ["ACTIVE"]
    if !mayGoOn.contains(campaign?.state ?? "") { return "its campaign" }
    if log.isPaused(client, ring: open.run.ring, in: open.campaign) { return "the end of a pause" }
    return log.postponedClients.contains(client) ? "the end of a postponement" : nil
  }

  /// What other clients with guests on a host keep it from.
  private func guestsForbid(_ open: OpenRun) -> String? {
    (log.guestClients[open.run.server] ?? []).subtracting([open.run.client]).sorted().first {
      log.isStopped($0) || log.pausedClients.contains($0) || log.postponedClients.contains($0)
        || log.darkClients.contains($0)
    }
  }

  private func contact(_ open: OpenRun) -> String? {
    if log.contactIsLost || log.darkClients.contains(open.run.client) { return "contact" }
    // What is parked between two passes asks its source for the next.
    guard open.run.state == "PENDING" || open.run.phase == "UPDATE" else { return nil }
    let sources = log.campaigns[open.campaign]?.silentSources ?? []
    return sources.isDisjoint(with: ["", open.run.client]) ? nil : "its update source"
  }

  private func ringWaits(_ open: OpenRun) -> String? {
    guard open.run.ring > 0, let models = rings[open.campaign],
      let campaign = campaign(open.campaign)
    else { return nil }
    for ring in 0..<min(open.run.ring, models.count) where models[ring].servers > 0 {
      if log.campaigns[open.campaign]?.gates[ring] != "gate.opened",
        !mustBeOpen(ring, of: open.campaign)
      {
        return "gate \(ring)"
      }
    }
    guard campaign.gates.indices.contains(open.run.ring - 1),
      campaign.gates[open.run.ring - 1].isRepresentative,
      models.prefix(open.run.ring).contains(where: { $0.servers > 0 })
    else { return nil }
    let missing = (log.kinds[open.run.server] ?? []).first { kind in
      !models.prefix(open.run.ring).contains {
        $0.completed.contains(kind) && !$0.ceased.contains(kind)
      }
        && log.campaigns[open.campaign]?.waives(kind) != true
    }
    return missing.map { "a representative of \($0)" }
  }

  private func heldWaits(_ open: OpenRun) -> String? {
    if log.campaigns[open.campaign]?.heldLanes.contains(open.run.client) ?? false {
      return "a person who lets its lane go on"
    }
    return log.lockedServers.contains(open.run.server) ? "the end of a lock" : nil
  }

  private func laneWaits(_ open: OpenRun) -> String? {
    if let held = heldWaits(open) { return held }
    guard let client = clients[open.run.client], let rules = rules(open) else { return nil }
    let outage = log.outage(of: open.run.client, at: now)
    let own = outage?.parallel ?? client.current.slots
    let slots = min(own, rules.maxParallel ?? own)
    let inUse = log.slotsInUse[open.run.client]?.count ?? 0
    if inUse >= slots { return "a slot" }
    guard outage == nil else { return nil }
    let occupied = occupied(of: open.run.client, rules, at: now)
    let others = occupied.count - occupied.down + silent(of: open.run.client).count
    return max(others, inUse) >= slots ? "what is down or unexplained" : nil
  }

  /// Servers that the daemon may take for down or unexplained.
  private func silent(of client: String) -> [String] {
    let busy = busyServers
    return servers.filter { name, server in
      server.client == client && server.knownSince != nil && !busy.contains(name)
        && !log.dismissedServers.contains(name) && !log.retiredServers.contains(name)
        && (server.silentSince != nil || server.strange != nil || !server.isSeen)
    }.keys.sorted()
  }

  // MARK: - Conditions 5 to 9

  private func serverWaits(_ open: OpenRun, deferral: Int64) -> String? {
    let run = open.run
    if let at = run.deferredAt, now <= at + deferral { return "the end of its deferral" }
    guard let fact = servers[run.server]?.fact else { return "its server" }
    if let other = fact.after.first(where: { isOpen($0, in: open.campaign) }) { return other }
    let busy = busyServers
    let together = downTogether(fact)
    for member in together where !member.group.isEmpty {
      let other = gone(of: member.client, beside: together).sorted().first {
        servers[$0]?.fact.group == member.group
      }
      if let other { return "\(other) of its group" }
    }
    if busy.contains(fact.host) { return "its host" }
    return guestsWait(open, busy) ?? carrierWaits(open, fact, busy)
      ?? availableWaits(open, together)
  }

  /// Servers that are worked on, silent, or down with a host; without those that are to go down.
  private func gone(of client: String, beside together: [ServerFact]) -> Set<String> {
    let busy = busyServers
    return busy.union(silent(of: client)).union(guestsDown(of: client, busy))
      .subtracting(together.map(\.name))
  }

  private func guests(of server: String) -> [ServerModel] {
    servers.values.filter {
      $0.fact.host == server && !log.retiredServers.contains($0.fact.name)
    }
  }

  private func guestsWait(_ open: OpenRun, _ busy: Set<String>) -> String? {
    let guests = guests(of: open.run.server)
    guard let rules = rules(open) else { return nil }
    if let guest = guests.first(where: { busy.contains($0.fact.name) }) { return guest.fact.name }
    let needed = mostNeeded(open.run.server, rules)
    for client in Set(guests.map(\.client)).sorted() {
      if let waits = guestsClientWaits(open, client, needed) { return waits }
      guard client != open.run.client, let model = clients[client] else { continue }
      let isFull = (log.slotsInUse[client] ?? []).count >= model.current.slots
      if isFull || !silent(of: client).isEmpty { return "a slot of \(client)" }
    }
    return nil
  }

  /// What a client asks for whose guests go down with a host, also of one that has its slot already.
  private func guestsClientWaits(_ open: OpenRun, _ client: String, _ needed: Int64) -> String? {
    let migrates = servers[open.run.server]?.fact.migratesGuests ?? false
    let outage = log.outage(of: client, at: now)
    if !migrates, outage.map({ now + needed <= $0.until }) != true {
      return "an outage of \(client)"
    }
    guard client != open.run.client, let model = clients[client] else { return nil }
    if log.isStopped(client) || log.pausedClients.contains(client) { return client }
    let end = model.current.openUntil(now)
    return end.map { now + needed <= $0 } == true ? nil : "a window of \(client)"
  }

  private func carrierWaits(
    _ open: OpenRun, _ fact: ServerFact, _ busy: Set<String>
  ) -> String? {
    if let carrier = carriers.sorted().first(where: busy.contains) { return carrier }
    guard fact.carriesAtlas else { return nil }
    if !open.run.isApproved { return "approval" }
    if log.runs.values.contains(where: { $0.state == "IN_PROGRESS" }) { return "what is in flight" }
    let others = campaign(open.campaign)?.servers ?? []
    return others.sorted().first {
      servers[$0]?.fact.carriesAtlas == false && isOpen($0, in: open.campaign)
    }
  }

  private func availableWaits(_ open: OpenRun, _ together: [ServerFact]) -> String? {
    for client in Set(together.map(\.client)).sorted() {
      guard let share = campaign(open.campaign, for: client)?.minAvailable else { continue }
      let leaving = together.filter { $0.client == client }
      let gone = gone(of: client, beside: together)
      let role = Set(leaving.flatMap(\.roles)).sorted().first { role in
        let same = servers.filter {
          $0.value.client == client && $0.value.fact.roles.contains(role)
        }
        let all = same.keys.count { !log.retiredServers.contains($0) }
        let away = same.keys.count(where: gone.contains)
        let stay = all - away - leaving.count { $0.roles.contains(role) }
        return away > 0 && stay * 100 < all * share
      }
      if let role { return "others of \(role)" }
    }
    return nil
  }

  // MARK: - Conditions 10 to 13

  private func windowWaits(_ open: OpenRun) -> String? {
    guard let rules = rules(open) else { return nil }
    let needed = mostNeeded(open.run.server, rules)
    let isOpen = windows(of: open.run.client, at: now).allSatisfy { version in
      openUntil(version, campaign(open.campaign)?.window, now).map { now + needed <= $0 } ?? false
    }
    return isOpen ? nil : "a window"
  }

  private func capWaits(_ open: OpenRun) -> String? {
    guard let campaign = campaign(open.campaign), let model = log.campaigns[open.campaign] else {
      return nil
    }
    let inFlight = model.tallies.values.reduce(0) { $0 + $1.inFlight }
    if campaign.maxInProgress.map({ inFlight >= $0 }) ?? false { return "max_in_progress" }
    let active = model.tallies.filter { $0.value.inFlight > 0 }.keys
    if campaign.maxActiveClients.map({ active.count >= $0 }) ?? false,
      !active.contains(open.run.client)
    {
      return "max_active_clients"
    }
    return peopleWait(open) ?? shareWaits(open)
  }

  private func peopleWait(_ open: OpenRun) -> String? {
    guard let most = campaign(open.campaign)?.maxWaitingForPeople else { return nil }
    return log.down(in: open.campaign) >= max(1, most) ? "people" : nil
  }

  private func shareWaits(_ open: OpenRun) -> String? {
    guard let fact = servers[open.run.server]?.fact else { return nil }
    if let most = rules(open)?.perSite,
      runsInFlight(of: open.run.client).count(where: {
        servers[$0.server]?.fact.site == fact.site
      }) >= most
    {
      return "its site"
    }
    return fact.resources.first { name in
      limit(of: name).map { users(of: name) >= $0 } ?? false
    }
  }

  private func ownWaits(_ open: OpenRun) -> String? {
    let held = log.campaigns[open.campaign]?.heldKinds ?? []
    if let kind = log.kinds[open.run.server]?.first(where: held.contains) { return kind }
    return servers[open.run.server]?.silentSince != nil ? "its agent" : nil
  }

  // MARK: - Parked

  /// UPDATE and REBOOT wait for a window and a place, and as long as they, or their lane or kind, are
  /// held; an order that may have begun, for the agent.
  private func parkedWaits(_ open: OpenRun) -> String? {
    if servers[open.run.server]?.silentSince != nil { return "its agent" }
    guard ["UPDATE", "REBOOT"].contains(open.run.phase), let rules = rules(open) else { return nil }
    if let held = heldWaits(open) ?? ownWaits(open) ?? peopleWait(open) { return held }
    let busy = busyServers.subtracting([open.run.server])
    if let carrier = carriers.sorted().first(where: busy.contains) { return carrier }
    if log.outage(of: open.run.client, at: now) == nil, !silent(of: open.run.client).isEmpty {
      return "what is down or unexplained"
    }
    let needed = mostNeeded(open.run.server, rules)
    for client in Set(guests(of: open.run.server).map(\.client)).sorted() {
      if let waits = guestsClientWaits(open, client, needed) { return waits }
    }
    let window = campaign(open.campaign)?.window
    let end = clients[open.run.client].flatMap { openUntil($0.current, window, now) }
    return end.map { now + needed <= $0 } ?? false ? nil : "a window"
  }
}

/// Who may start beside, before and after whom (S12 and the order of engine.md §7), and that what was
/// entered is left again (§10).
extension Checker {
  /// Servers of a client that must be counted as down or unexplained at `instant`, sorted: known to
  /// the daemon, not dismissed, without a slot, and certainly silent for longer than twice the check
  /// interval, not seen since the daemon started, or at work on an order that no durable run knows.
  ///
  /// What the daemon may not have taken in yet is not among them.
  func unexplained(
    of client: String, _ campaign: CampaignFact, at instant: Int64
  ) -> [String] {
    let busy = busyServers
    return servers.filter { name, server in
      guard server.client == client, let known = server.knownSince, known < instant - slack,
        !log.retiredServers.contains(name), !log.dismissedServers.contains(name),
        !busy.contains(name), !goesDownWithItsHost(server.fact, busy)
      else { return false }
      if !server.isSeen { return seesDaemonSince != nil }
      if let since = server.silentSince {
        return since + 2 * campaign.checkInterval + slack < instant
      }
      return server.strange.map { $0.since < instant - slack } ?? false
    }.keys.sorted()
  }

  /// A guest of a host in progress is counted with it, unless it was moved away before.
  private func goesDownWithItsHost(_ server: ServerFact, _ busy: Set<String>) -> Bool {
    busy.contains(server.host) && servers[server.host]?.fact.migratesGuests == false
  }

  /// What fills the slots of a client (S12): its own runs, guests of hosts in progress, each of them,
  /// and servers that are down or unexplained.
  func occupied(
    of client: String, _ campaign: CampaignFact, at instant: Int64
  ) -> (count: Int, down: Int, text: String) {
    let keys = log.slotsInUse[client] ?? []
    let own = keys.compactMap { log.runs[$0] }.filter { $0.client == client }.map(\.server)
    let guests = servers.filter { name, server in
      server.client == client && !log.retiredServers.contains(name)
        && keys.contains { log.runs[$0]?.server == server.fact.host }
        && servers[server.fact.host]?.fact.migratesGuests == false
    }
    let down = unexplained(of: client, campaign, at: instant)
    let names = (own + guests.keys).sorted() + down.map { "\($0) (down or unexplained)" }
    return (names.count, down.count, names.joined(separator: " and "))
  }

  /// Servers with a run that holds a slot.
  var busyServers: Set<String> {
    log.slotsInUse.values.reduce(into: []) { busy, keys in
      for key in keys { if let run = log.runs[key] { busy.insert(run.server) } }
    }
  }

  mutating func judgeOrder(_ record: RecordFact) {
    guard let server = servers[record.server],
      let campaign = campaign(record.campaign, for: record.client)
    else { return }
    for name in server.fact.after where isOpen(name, in: record.campaign) {
      if servers[name]?.fact.carriesAtlas ?? false, !server.fact.carriesAtlas { continue }
      fail("order", "\(record.server) is started before \(name) is done")
    }
    judgeGroup(record, server.fact, campaign)
    judgeHost(record, server.fact, campaign)
    judgePeers(record, server.fact, campaign)
    judgeAtlas(record, server.fact)
  }

  /// Whether a server has a run in a campaign that is not over. One that never moved has no record.
  func isOpen(_ server: String, in campaign: String) -> Bool {
    let runs = log.runs.filter { $0.key.campaign == campaign && $0.value.server == server }
    guard !runs.isEmpty else {
      return self.campaign(campaign)?.servers.contains(server) ?? false
    }
    return runs.contains { !$0.value.isTerminal }
  }

  /// A server that starts, and all that go down with it: they count as one.
  func downTogether(_ server: ServerFact) -> [ServerFact] {
    guard !server.migratesGuests else { return [server] }
    let guests = servers.values.map(\.fact).filter {
      $0.host == server.name && !log.retiredServers.contains($0.name)
    }
    return [server] + guests.sorted { $0.name < $1.name }
  }

  /// Guests of a client that are down with a host in progress.
  func guestsDown(of client: String, _ busy: Set<String>) -> Set<String> {
    Set(
      servers.values.map(\.fact).filter {
        servers[$0.name]?.client == client && !log.retiredServers.contains($0.name)
          && goesDownWithItsHost($0, busy)
      }.map(\.name))
  }

  private mutating func judgeGroup(
    _ record: RecordFact, _ server: ServerFact, _ campaign: CampaignFact
  ) {
    let together = downTogether(server)
    for member in together where !member.group.isEmpty {
      let busy = busyServers.subtracting([server.name])
      let gone = busy.union(unexplained(of: member.client, campaign, at: record.at))
        .union(guestsDown(of: member.client, busy)).subtracting(together.map(\.name))
      for other in gone.sorted() where servers[other]?.fact.group == member.group {
        guard servers[other]?.client == member.client else { continue }
        let what = member.name == server.name ? "" : " with its guest \(member.name)"
        fail("order", "\(server.name) is started\(what) beside \(other) of its group")
      }
    }
  }

  private mutating func judgeHost(
    _ record: RecordFact, _ server: ServerFact, _ campaign: CampaignFact
  ) {
    let busy = busyServers
    if busy.contains(server.host) {
      fail("order", "\(server.name) is started while its host \(server.host) is worked on")
    }
    let guests = servers.values.map(\.fact).filter {
      $0.host == server.name && !log.retiredServers.contains($0.name)
    }
    for guest in guests.sorted(by: { $0.name < $1.name }) {
      if busy.contains(guest.name) {
        fail("order", "\(server.name) is started while its guest \(guest.name) is worked on")
      }
      let needed = leastNeeded(record.server, campaign)
      let outage = log.outage(of: guest.client, at: record.at)
      if !server.migratesGuests, outage.map({ record.at + needed <= $0.until }) != true {
        fail(
          "order",
          "\(server.name) is started, and \(guest.client), whose \(guest.name) goes down with it, "
            + "has declared no outage that is long enough")
      }
      guard guest.client != server.client else { continue }
      judgeShared(record, guest.client, campaign)
    }
  }

  /// A client whose guests are on another's host has a slot and a window for it.
  private mutating func judgeShared(
    _ record: RecordFact, _ client: String, _ campaign: CampaignFact
  ) {
    guard let model = clients[client] else { return }
    let outage = log.outage(of: client, at: record.at)
    let own = outage?.parallel ?? model.current.slots
    if (log.slotsInUse[client] ?? []).count >= min(own, campaign.maxParallel ?? own) {
      fail("S1", "\(record.server) takes a slot that \(client) does not have")
    }
    if log.isStopped(client) {
      fail("S4", "\(record.server) is started under a stop of its guests")
    }
    let needed = leastNeeded(record.server, campaign)
    let fits = windows(of: client, at: record.at).contains {
      $0.openUntil(record.at).map { record.at + needed <= $0 } ?? false
    }
    if !fits { fail("S2", "\(record.server) is started outside the window of \(client)") }
  }

  private mutating func judgeAtlas(_ record: RecordFact, _ server: ServerFact) {
    for carrier in carriers.sorted() where carrier != server.name && busyServers.contains(carrier) {
      fail("order", "\(server.name) is started beside \(carrier), which carries Atlas")
    }
    guard server.carriesAtlas, let number = record.run else { return }
    let others = log.runs.values.filter { $0.state == "IN_PROGRESS" && $0.server != server.name }
    if let other = others.map(\.server).min() {
      fail("order", "\(server.name) carries Atlas, and is started beside \(other)")
    }
    let key = LogModel.RunKey(campaign: record.campaign, number: number)
    if log.runs[key]?.isApproved != true {
      fail("order", "\(server.name) carries Atlas, and is started without a person")
    }
    for other in campaign(record.campaign)?.servers.sorted() ?? []
    where servers[other]?.fact.carriesAtlas == false && isOpen(other, in: record.campaign) {
      return fail("order", "\(server.name) carries Atlas, and is started before \(other) is done")
    }
  }

  // MARK: - Peers

  /// The hook `peer_check` has said something about a server.
  package mutating func answeredAboutPeers(of server: String, isWell: Bool) {
    peerAnswers[server] = (isWell, now)
  }

  /// What a hook says counts for a minute; it may have waited behind a commit before.
  private mutating func judgePeers(
    _ record: RecordFact, _ server: ServerFact, _ campaign: CampaignFact
  ) {
    guard !server.group.isEmpty || server.roles.contains(where: campaign.peerCheck.contains) else {
      return
    }
    guard let answer = peerAnswers[server.name], answer.isWell,
      record.at - answer.at <= 60_000 + slack
    else {
      return fail("order", "\(server.name) is started, and nobody says that its peers are well")
    }
  }

  // MARK: - Maintenance

  struct MaintenanceModel {
    /// An enter has ended well, and no leave since.
    var isIn = false
    /// Leaves that have ended well since the last enter began.
    var leaves = 0
    /// A daemon that did not know how a leave had ended has called it again, and was put off: the
    /// calls that follow are repeats like that one.
    var isRepeated = false
  }

  /// The hook `enter_maintenance` has been called anew.
  package mutating func entersMaintenance(_ runKey: String) {
    if maintenance[runKey]?.isIn ?? false {
      fail("maintenance", "\(runKey) enters maintenance that it is in")
    }
    maintenance[runKey] = MaintenanceModel()
  }

  package mutating func enteredMaintenance(_ runKey: String) {
    maintenance[runKey, default: MaintenanceModel()].isIn = true
  }

  /// The hook `leave_maintenance` has ended well.
  ///
  /// - Parameter isRepeat: A daemon that did not know how the first call ended has called it.
  package mutating func leftMaintenance(_ runKey: String, isRepeat: Bool) {
    maintenance[runKey]?.isIn = false
    if isRepeat || maintenance[runKey]?.isRepeated ?? false { return }
    maintenance[runKey]?.leaves += 1
    if maintenance[runKey]?.leaves ?? 0 > 1 {
      fail("maintenance", "\(runKey) leaves maintenance twice")
    }
  }

  /// The hook `leave_maintenance` was called again for that reason, and has not ended well.
  package mutating func repeatedLeave(_ runKey: String) {
    maintenance[runKey]?.isRepeated = true
  }

  /// A run gives its slot back.
  mutating func judgeMaintenance(_ record: RecordFact, _ hasRemains: Bool) {
    let key = runKey(record)
    guard maintenance[key]?.isIn ?? false else { return }
    if !hasRemains {
      fail("maintenance", "\(record.server) is \(record.to), and has not left maintenance")
    } else if record.detail == "UPDATED" {
      fail("maintenance", "\(record.server) is simply completed, and maintenance remains")
    }
    maintenance[key] = nil
  }
}

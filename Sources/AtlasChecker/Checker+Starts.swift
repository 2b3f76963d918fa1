/// Records that let something begin that was not going on (S2, S4, S12).
extension Checker {
  /// Whether something begins that was not going on.
  func isStart(_ record: RecordFact, before run: LogModel.RunModel?) -> Bool {
    guard record.to == "IN_PROGRESS" || record.phase == "DOWNLOAD" else { return false }
    switch record.kind {
    case "run.started", "run.retried": return true
    case "run.phase":
      if run?.state == "PARKED" { return goesOn(record, after: run) }
      guard record.phase != run?.phase else { return false }
      if record.phase == "ROLLBACK" { return run?.phase == "PRE_CHECK" }
      return ["SNAPSHOT", "UPDATE", "REBOOT", "SOAK", "DOWNLOAD"].contains(record.phase)
    case _: return false
    }
  }

  /// Whether a parked run goes on where it was, and is not left out or rolled back instead, which
  /// starts nothing.
  private func goesOn(_ record: RecordFact, after run: LogModel.RunModel?) -> Bool {
    record.phase == run?.phase && record.phase != "ROLLBACK"
  }

  mutating func judgeStart(_ record: RecordFact, before run: LogModel.RunModel?) {
    if log.isStopped(record.client) {
      fail("S4", "\(record.server) begins \(record.phase) under a stop (\(record.kind))")
    }
    guard record.phase != "DOWNLOAD" else { return }
    judgeStopMet(record.server, "begins \(record.phase) (\(record.kind))", in: record.campaign)
    judgeGuestClients(record, before: run)
    if run?.state == "PARKED" { judgeUnparked(record, run) }
    if record.kind == "run.started" {
      judgePauses(record)
      judgeLatches(record)
      judgeAsked(record)
      judgeGates(of: record)
      judgeCaps(of: record)
      judgeWindow(record, fits: true)
    } else if record.kind == "run.retried" {
      if run?.state != "PARKED" { judgeHeld(record) }
      judgeFurtherStart(record)
      judgeWindow(record, fits: true)
    } else if record.phase == "ROLLBACK" {
      judgeWindow(record, fits: false)
    } else if record.phase == "UPDATE", record.pass ?? 1 <= 1, run?.state == "IN_PROGRESS" {
      judgeWindow(record, fits: false)
    }
  }

  /// A parked run goes on: nobody has paused it, and UPDATE and REBOOT are starts.
  private mutating func judgeUnparked(_ record: RecordFact, _ run: LogModel.RunModel?) {
    judgePauses(record)
    guard ["UPDATE", "REBOOT"].contains(record.phase), let campaign = campaign(about: record)
    else { return }
    judgePlace(record, campaign)
    if record.kind != "run.back" { judgeHeld(record) }
    if record.kind == "run.phase" { judgeFurtherStart(record) }
    if record.phase == "REBOOT", run?.bootsAtOnce ?? false { return }
    if record.kind == "run.phase" { judgeWindow(record, fits: true) }
  }

  /// S12: a parked run has its slot already, and what is down beside it may leave none for it.
  private mutating func judgePlace(_ record: RecordFact, _ campaign: CampaignFact) {
    guard let client = clients[record.client],
      log.outage(of: record.client, at: record.at) == nil
    else { return }
    let slots = min(client.current.slots, campaign.maxParallel ?? client.current.slots)
    let occupied = occupied(of: record.client, campaign, at: record.at)
    if occupied.down > 0, occupied.count - 1 >= slots {
      fail(
        "S12",
        "\(record.server) goes on to \(record.phase) with \(slots) slots, which \(occupied.text) "
          + "fill")
    }
  }

  /// Pauses, and what else keeps a client from being worked on.
  private mutating func judgePauses(_ record: RecordFact) {
    let verb = record.kind == "run.started" ? "is started" : "goes on to \(record.phase)"
    if log.isPaused(record.client, ring: record.ring ?? 0, in: record.campaign) {
      fail("S4", "\(record.server) \(verb) while it is paused")
    }
    if log.contactIsLost || log.darkClients.contains(record.client) {
      fail("S4", "\(record.server) \(verb) while contact is lost")
    }
    if log.postponedClients.contains(record.client) {
      fail("S4", "\(record.server) \(verb) while its client is postponed")
    }
  }

  private mutating func judgeLatches(_ record: RecordFact) {
    judgeHeld(record)
    if log.campaigns[record.campaign]?.state != "ACTIVE" {
      fail("S4", "\(record.server) is started, and \(record.campaign) is not ACTIVE")
    }
  }

  /// A server that is locked, or whose lane is held, begins nothing.
  private mutating func judgeHeld(_ record: RecordFact) {
    if log.lockedServers.contains(record.server) {
      fail("S4", "\(record.server) is started while it is locked")
    }
    // What is being cancelled comes to its end all the same.
    let campaign = log.campaigns[record.campaign]
    if campaign?.state == "ACTIVE", campaign?.heldLanes.contains(record.client) ?? false {
      fail("S4", "\(record.server) is started while its lane is held")
    }
  }

  // MARK: - Windows

  /// What a start needs before the window ends, at least: what its kinds took or, as long as nobody
  /// knows, what the policy says, and the reserve.
  func leastNeeded(_ server: String, _ campaign: CampaignFact) -> Int64 {
    let known = log.times.estimate(log.kinds[server] ?? [])
    return (known?.lowerBound ?? estimate(of: server, campaign)) + campaign.soak + campaign.reserve
  }

  /// The same, at most.
  func mostNeeded(_ server: String, _ campaign: CampaignFact) -> Int64 {
    let known = log.times.estimate(log.kinds[server] ?? [])
    return (known?.upperBound ?? estimate(of: server, campaign)) + campaign.soak + campaign.reserve
  }

  /// What the policy expects: the longest of what it says about the roles of the server.
  private func estimate(of server: String, _ campaign: CampaignFact) -> Int64 {
    (servers[server]?.fact.roles ?? []).compactMap { campaign.roleEstimates[$0] }.max()
      ?? campaign.estimate
  }

  private mutating func judgeWindow(_ record: RecordFact, fits: Bool) {
    guard let campaign = campaign(about: record) else { return }
    let needed = fits ? leastNeeded(record.server, campaign) : 0
    // What is in progress goes by the policy that it started under; its lane, by that of now.
    let own = [campaign.window, self.campaign(record.campaign)?.window]
    let allowed = windows(of: record.client, at: record.at).contains { version in
      own.contains { window in
        openUntil(version, window, record.at).map { record.at + needed <= $0 } ?? false
      }
    }
    if !allowed {
      let why = fits ? "outside its window, or with too little of it left" : "outside its window"
      fail("S2", "\(record.server) begins \(record.phase) \(why) (\(record.kind))")
    }
  }
}

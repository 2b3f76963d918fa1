/// Records that let something begin, or end (S1, S2, S4, S7, S12).
extension Checker {
  mutating func judgeBefore(_ record: RecordFact) {
    guard let number = record.run else { return }
    let key = LogModel.RunKey(campaign: record.campaign, number: number)
    let run = log.runs[key]
    let before = run?.state ?? "PENDING"
    if before == "PENDING", record.to == "IN_PROGRESS" { judgeAdmission(record) }
    if record.kind == "run.started" {
      judgeOrder(record)
      servers[record.server]?.startedInOutage =
        log.outage(of: record.client, at: record.at) != nil
      removedEarly.remove(runKey(record))
      changedRuns.remove(runKey(record))
    }
    judgeRollback(record, before: run)
    if run?.holdsSlot ?? false, !["IN_PROGRESS", "PARKED", "HELD"].contains(record.to) {
      judgeMaintenance(record, run?.hasRemains ?? false)
    }
    if record.kind == "run.started" {
      backups[runKey(record)] = nil
      // A daemon that died before it called the hook calls it as if it had.
      maintenance[runKey(record)]?.leaves = 0
    }
    if isStart(record, before: run) { judgeStart(record, before: run) }
    if run?.holdsSlot ?? false, !["IN_PROGRESS", "PARKED", "HELD"].contains(record.to) {
      judgeReturn(record, before: before)
    }
  }

  mutating func judgeAfter(_ record: RecordFact) {
    if record.kind == "run.started" { firstAttempts[runKey(record)] = record.attempt ?? 1 }
    noteKept(record)
    if ["server.dismissed", "server.retired"].contains(record.kind) {
      acceptWork(of: record.server)
    }
    guard record.kind == "run.retried", let number = record.run else { return }
    let key = LogModel.RunKey(campaign: record.campaign, number: number)
    guard let run = log.runs[key], let campaign = campaign(of: key) else { return }
    if run.attempt > 1 + campaign.maxRetries + run.granted {
      fail(
        "S7",
        "\(record.server) is at attempt \(run.attempt), and \(campaign.maxRetries) "
          + "retries were allowed and \(run.granted) granted")
    }
  }

  /// The name that hooks and orders know a run by: a repeat has its number behind it.
  func runKey(_ record: RecordFact) -> String {
    let number = record.run ?? 0
    let isRepeat = log.runs[LogModel.RunKey(campaign: record.campaign, number: number)]?.isRepeat
    let name = "\(record.campaign)/\(record.server)"
    return isRepeat ?? false ? "\(name)/\(number)" : name
  }

  /// S1 and S12: slots and servers that are down.
  private mutating func judgeAdmission(_ record: RecordFact) {
    guard let client = clients[record.client], let campaign = campaign(record.campaign) else {
      return fail("S10", "\(record.server) belongs to no client that anybody configured")
    }
    let inUse = log.slotsInUse[record.client]?.count ?? 0
    // A change of the limit and an admission may be in one commit: the wider one counts.
    let outage = log.outage(of: record.client, at: record.at)
    let recent = outage?.parallel ?? client.versions.suffix(2).map(\.slots).max() ?? 1
    let slots = min(recent, campaign.maxParallel ?? recent)
    if inUse >= slots {
      fail("S1", "\(record.server) is started with \(inUse) of \(slots) slots in use")
    }
    guard outage == nil else { return }
    let down = unexplained(of: record.client, campaign, at: record.at)
    if !down.isEmpty, inUse + down.count >= slots {
      fail(
        "S12",
        "\(record.server) is started with \(inUse) of \(slots) slots in use, while "
          + "\(down.joined(separator: " and ")) is down or unexplained")
    }
  }

  /// Whether something begins that was not going on.
  private func isStart(_ record: RecordFact, before run: LogModel.RunModel?) -> Bool {
    guard record.to == "IN_PROGRESS" || record.phase == "DOWNLOAD" else { return false }
    switch record.kind {
    case "run.started", "run.retried": return true
    case "run.phase":
      guard record.phase != run?.phase else { return false }
      if record.phase == "ROLLBACK" { return run?.phase == "PRE_CHECK" }
      return ["SNAPSHOT", "UPDATE", "REBOOT", "SOAK", "DOWNLOAD"].contains(record.phase)
    case _: return false
    }
  }

  private mutating func judgeStart(_ record: RecordFact, before run: LogModel.RunModel?) {
    if log.isStopped(record.client) {
      fail("S4", "\(record.server) begins \(record.phase) under a stop (\(record.kind))")
    }
    guard record.phase != "DOWNLOAD" else { return }
    if record.kind == "run.started" {
      judgePauses(record)
      judgeWindow(record, fits: true)
    } else if record.kind == "run.retried" {
      judgeWindow(record, fits: true)
    } else if record.phase == "ROLLBACK" {
      judgeWindow(record, fits: false)
    } else if record.phase == "UPDATE", record.pass ?? 1 <= 1, run?.state == "IN_PROGRESS" {
      judgeWindow(record, fits: false)
    }
  }

  private mutating func judgePauses(_ record: RecordFact) {
    if log.isPaused(record.client, ring: record.ring ?? 0, in: record.campaign) {
      fail("S4", "\(record.server) is started while it is paused")
    }
    if log.contactIsLost || log.darkClients.contains(record.client) {
      fail("S4", "\(record.server) is started while contact is lost")
    }
    if log.postponedClients.contains(record.client) {
      fail("S4", "\(record.server) is started while its client is postponed")
    }
    if log.lockedServers.contains(record.server) {
      fail("S4", "\(record.server) is started while it is locked")
    }
    if log.campaigns[record.campaign]?.heldLanes.contains(record.client) ?? false {
      fail("S4", "\(record.server) is started while its lane is held")
    }
    for ring in 0..<(record.ring ?? 0) {
      let gate = log.campaigns[record.campaign]?.gates[ring]
      if gate == "gate.closed" || gate == "gate.needs_person" {
        fail("S4", "\(record.server) is started behind the closed gate of ring \(ring)")
      }
    }
  }

  /// What a start needs before the window ends, at least: what its kinds took or, as long as nobody
  /// knows, what the policy says, and the reserve.
  func leastNeeded(_ server: String, _ campaign: CampaignFact) -> Int64 {
    let known = log.times.estimate(log.kinds[server] ?? [])
    return (known.map { $0.lowerBound + campaign.soak } ?? campaign.estimate) + campaign.reserve
  }

  /// The same, at most.
  func mostNeeded(_ server: String, _ campaign: CampaignFact) -> Int64 {
    let known = log.times.estimate(log.kinds[server] ?? [])
    return (known.map { $0.upperBound + campaign.soak } ?? campaign.estimate) + campaign.reserve
  }

  private mutating func judgeWindow(_ record: RecordFact, fits: Bool) {
    guard let client = clients[record.client], let campaign = campaign(about: record) else {
      return
    }
    let needed = fits ? leastNeeded(record.server, campaign) : 0
    // A change of windows and a start may be in one commit: either version counts.
    let allowed = client.versions.suffix(2).contains { version in
      version.openUntil(record.at).map { record.at + needed <= $0 } ?? false
    }
    if !allowed {
      let why = fits ? "outside its window, or with too little of it left" : "outside its window"
      fail("S2", "\(record.server) begins \(record.phase) \(why) (\(record.kind))")
    }
  }

  /// S1: a server that was changed keeps its slot until it is proven healthy, or accepted.
  private mutating func judgeReturn(_ record: RecordFact, before: String) {
    guard let server = servers[record.server] else { return }
    if record.detail == "ACCEPTED" {
      let key = LogModel.RunKey(campaign: record.campaign, number: record.run ?? 0)
      if record.principal.isEmpty, log.runs[key]?.resolvedBy.isEmpty ?? true {
        fail("S1", "\(record.server) is accepted by nobody")
      }
      servers[record.server]?.changedBy = nil
      acceptWork(of: record.server)
      return
    }
    // Of two machines of one name the untouched one may have answered.
    let isAmbiguous = machines.values.contains { $0.server == record.server && $0.isAmbiguous }
    guard !hasForgotten, !isAmbiguous else { return }
    if before == "HELD", record.to == "COMPLETED" {
      fail("S1", "\(record.server) is completed while it is held")
    }
    let mustBeProven = record.to == "COMPLETED" || record.detail == "ROLLED_BACK"
    guard mustBeProven || server.changedBy != nil else { return }
    if server.provenBy <= max(server.touchedBy, server.changedBy ?? 0) {
      fail(
        "S1",
        "\(record.server) gives its slot back as \(record.to) and was not proven healthy "
          + "since it was touched by fence \(server.touchedBy)")
    }
    servers[record.server]?.changedBy = nil
  }

  /// What still runs there runs by a person's decision.
  private mutating func acceptWork(of server: String) {
    for (number, machine) in machines where machine.server == server {
      machines[number]?.isAccepted = machine.running != nil
    }
  }
}

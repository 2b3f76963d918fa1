/// Records that admit a server, or end its run (S1, S7, S12).
extension Checker {
  mutating func judgeBefore(_ record: RecordFact) {
    if record.kind == "campaign.ended" { judgeEnd(record) }
    noteStop(record)
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
      updatedRuns.remove(runKey(record))
    }
    judgeRollback(record, before: run)
    noteLeave(record, before: run)
    judgeTurnedAway(record, before: run)
    if run?.holdsSlot ?? false, !["IN_PROGRESS", "PARKED", "HELD"].contains(record.to) {
      judgeMaintenance(record, run?.hasRemains ?? false)
    }
    if record.kind == "run.started" {
      backups[runKey(record)] = nil
      // A daemon that died before it called the hook calls it as if it had.
      maintenance[runKey(record)]?.leaves = 0
    }
    followStop(record)
    if isStart(record, before: run) { judgeStart(record, before: run) }
    if run?.holdsSlot ?? false, !["IN_PROGRESS", "PARKED", "HELD"].contains(record.to) {
      judgeReturn(record, before: before)
    }
  }

  mutating func judgeAfter(_ record: RecordFact) {
    if record.kind == "run.started" { noteStarted(record) }
    noteKept(record)
    noteFollowers(record)
    if ["server.dismissed", "server.retired"].contains(record.kind) {
      acceptWork(of: record.server)
    }
    judgeBackoff(record)
    judgeAttempts(record)
  }

  /// What was done before is not held against a run that starts now, and does not excuse it.
  private mutating func noteStarted(_ record: RecordFact) {
    let key = runKey(record)
    firstAttempts[key] = record.attempt ?? 1
    forgetClones(of: record.server)
    // A snapshot of a run that the database does not know is not this run's.
    if forgotten.remove(record.server) != nil { snapshots[record.server]?.remove(key) }
  }

  /// A campaign is over when all its runs are, and says truly whether servers are without updates: a
  /// server counts by its newest run.
  private mutating func judgeEnd(_ record: RecordFact) {
    if let open = openRuns.first(where: { $0.campaign == record.campaign }) {
      fail("S8", "\(record.campaign) ends while \(open.name) is \(open.run.state)")
    }
    guard record.detail.hasPrefix("COMPLETED"), let model = log.campaigns[record.campaign] else {
      return
    }
    let without = model.newest.values.compactMap { log.runs[$0] }
      .filter { ["FAILED", "NOT_ATTEMPTED"].contains($0.state) }.map(\.server).min()
    if (record.detail == "COMPLETED") != (without == nil) {
      let server = without.map { "\($0) is without its updates" } ?? "no server is without updates"
      fail("S8", "\(record.campaign) is \(record.detail), and \(server)")
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
    guard let client = clients[record.client],
      let campaign = campaign(record.campaign, for: record.client)
    else {
      return fail("S10", "\(record.server) belongs to no client that anybody configured")
    }
    let inUse = log.slotsInUse[record.client]?.count ?? 0
    let outage = log.outage(of: record.client, at: record.at)
    let own = outage?.parallel ?? client.current.slots
    let slots = min(own, campaign.maxParallel ?? own)
    servers[record.server]?.slotsAtStart = slots
    if inUse >= slots {
      fail("S1", "\(record.server) is started with \(inUse) of \(slots) slots in use")
    }
    guard outage == nil else { return }
    let occupied = occupied(of: record.client, campaign, at: record.at)
    if occupied.count >= slots, inUse < slots {
      fail(
        "S12",
        "\(record.server) is started with \(slots) slots, which \(occupied.text) fill")
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
    guard !forgotten.contains(record.server), !isAmbiguous(record.server) else { return }
    if before == "HELD", record.to == "COMPLETED" {
      fail("S1", "\(record.server) is completed while it is held")
    }
    let mustBeProven = record.to == "COMPLETED" || record.detail == "ROLLED_BACK"
    guard mustBeProven || server.changedBy != nil else { return }
    // After a rollback another attempt may have been refused: it changed nothing.
    let isRolledBack = record.to == "FAILED" && record.detail == "ROLLED_BACK"
    let touched = isRolledBack ? server.alteredBy : server.touchedBy
    if server.provenBy <= max(touched, server.changedBy ?? 0) {
      fail(
        "S1",
        "\(record.server) gives its slot back as \(record.to) and was not proven healthy "
          + "since it was touched by fence \(touched)")
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

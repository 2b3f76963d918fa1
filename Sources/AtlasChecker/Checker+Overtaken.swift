/// What people's words overtake: stops that meet a run while it is held, and orders on their way
/// when their campaign is cancelled, their server retired, or an update excluded (engine.md §2,
/// §8, S4).
extension Checker {
  // MARK: - Stops that are over, and not resumed

  static let pointsBeforeChange: Set<String> = [
    "pre_update", "verify_backup", "enter_maintenance", "snapshot",
  ]

  /// A stop is latched, and meets what is held; or people resume what it has left paused.
  mutating func noteStop(_ record: RecordFact) {
    switch record.kind {
    case "stop.latched":
      for (key, run) in log.runs where isMet(run, by: record.client) {
        stopsMet[key, default: []].insert(record.client)
      }
    case "client.resumed" where record.detail != "postponed":
      for key in stopsMet.keys { stopsMet[key]?.remove(record.client) }
    case "campaign.resumed" where LogModel.scope(record) == "campaign":
      for key in stopsMet.keys where key.campaign == record.campaign { stopsMet[key]?.remove("") }
    case _: break
    }
  }

  /// Lost before a change, with a hook, or with an order that nobody has acknowledged and that has
  /// not begun.
  private func isMet(_ run: LogModel.RunModel, by client: String) -> Bool {
    guard run.state == "HELD", run.hold == "LOST",
      client.isEmpty || run.client == client
        || (log.guestClients[run.server] ?? []).contains(client)
    else { return false }
    if run.heldIn == "PRE_CHECK" { return true }
    guard ["SNAPSHOT", "UPDATE", "REBOOT"].contains(run.heldIn),
      run.orderAtHold.map({ !acknowledged.contains($0) }) ?? true
    else { return false }
    return lastBegun[run.server].map { $0.kind != run.heldIn || $0.at < run.phaseSince } ?? true
  }

  /// A run that is back in its lane or parked waits like any other; a person's decision is one.
  mutating func followStop(_ record: RecordFact) {
    guard let number = record.run else { return }
    if record.kind == "run.resolved" || !["HELD", "IN_PROGRESS"].contains(record.to) {
      stopsMet[LogModel.RunKey(campaign: record.campaign, number: number)] = nil
    }
  }

  /// S4: what a stop has met while it was held begins nothing before somebody resumes it, also when
  /// its agent was away until the stop was released.
  mutating func judgeStopMet(_ server: String, _ what: String, in campaign: String) {
    guard let key = runAtWork(on: server, in: campaign), let stops = stopsMet[key] else { return }
    for client in stops.sorted() where isReleased(client, in: campaign) {
      let stop = client.isEmpty ? "the stop" : "the stop of \(client)"
      fail("S4", "\(server) \(what), and nobody has resumed it since \(stop) was released")
    }
  }

  private func isReleased(_ client: String, in campaign: String) -> Bool {
    client.isEmpty
      ? log.stop == nil && log.campaigns[campaign]?.pauses.contains("campaign") ?? false
      : log.clientStops[client] == nil && log.pausedClients.contains(client)
  }

  mutating func judgeStopMet(sent command: CommandFact) {
    guard ["SNAPSHOT", "UPDATE", "REBOOT"].contains(command.kind) else { return }
    judgeStopMet(command.server, "is told to begin \(command.kind)", in: command.campaign)
  }

  /// The run of a campaign that has a slot for a server.
  func runAtWork(on server: String, in campaign: String) -> LogModel.RunKey? {
    log.newest(server, in: campaign).flatMap { log.runs[$0]?.holdsSlot ?? false ? $0 : nil }
  }

  // MARK: - Orders on their way

  /// An agent has taken an order: it has it, whatever is sent again.
  package mutating func took(_ fence: UInt64) { taken.insert(fence) }

  /// The daemon hears that an agent has taken an order.
  package mutating func acknowledged(_ fence: UInt64) { acknowledged.insert(fence) }

  /// An UPDATE goes out, for the first time or again.
  mutating func noteOvertaken(_ command: CommandFact) {
    guard command.kind == "UPDATE", !taken.contains(command.fence) else { return }
    let campaign = log.campaigns[command.campaign]
    if !updatedRuns.contains(command.runKey) {
      if campaign?.state == "CANCELLING" {
        overtaken[command.fence] = "its campaign is cancelled"
      } else if log.retiredServers.contains(command.server) {
        overtaken[command.fence] = "it is retired"
      }
    }
    let excluded = (campaign?.excluded ?? [:]).keys.filter { !command.excluded.contains($0) }
    if let update = excluded.min() { overtaken[command.fence] = "\(update) is excluded" }
  }

  /// What was sent after that must not begin; what was on its way may have arrived.
  mutating func judgeOvertaken(_ command: CommandFact, on server: String) {
    lastBegun[server] = (command.kind, command.fence, now)
    if command.kind == "UPDATE" { updatedRuns.insert(command.runKey) }
    guard let why = overtaken[command.fence], !isAmbiguous(server) else { return }
    fail("order", "\(server) begins UPDATE, which was sent after \(why)")
  }
}

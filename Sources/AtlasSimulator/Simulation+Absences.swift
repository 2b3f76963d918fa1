import AtlasChecker
import AtlasControl
import AtlasModel

/// Where people meddle they also do so while an agent is away, or an order on its way: what they
/// have said by the time it is back must hold for what it meets.
extension Simulation {
  func meddle(duringAbsence record: RecordFact) {
    switch record.kind {
    case "run.held":
      if record.detail == "LOST", absenceRandom.happens(250) {
        stopBriefly(ClientName(trusted: record.client))
      }
    case "run.phase", "run.retried":
      guard record.phase == "UPDATE", record.to == "IN_PROGRESS",
        let machine = machineOf[ServerName(trusted: record.server)], machines[machine].link == nil
      else { return }
      giveUp(record)
    case _: break
    }
  }

  /// An update is ordered of a server whose agent is silent, and people want neither any more.
  private func giveUp(_ record: RecordFact) {
    let server = ServerName(trusted: record.server)
    let campaign = CampaignName(trusted: record.campaign)
    switch absenceRandom.number(0...9) {
    case 0...1: soon(.retireServer(server, reason: "it is silent"), "RetireServer")
    case 2...3: soon(.cancelCampaign(campaign, reason: "too much is silent"), "CancelCampaign")
    case 4...5: stopBriefly(ClientName(trusted: record.client))
    case 6...7: exclude(from: campaign)
    case _: break
    }
  }

  /// A stop that is over before whoever is away is back. What it has stopped stays paused for long.
  private func stopBriefly(_ name: ClientName) {
    let client = absenceRandom.happens(700) ? name : nil
    soon(.stop(client, reason: "what is it that is silent"), "EmergencyStop")
    later(20...240, .releaseStop(client, reason: "looked at"), "ReleaseStop")
    let pause = 3_600...14_400
    if let client { return later(pause, .resumeClient(client), "ResumeClient") }
    for campaign in plan.campaigns {
      later(pause, .resumeCampaign(campaign.name, .all, now: false), "ResumeCampaign")
    }
  }

  /// An update is ordered, and its order gets lost on its way, right when something that it would
  /// install turns out to be bad.
  func meddle(whileSending command: Command, on link: Int) {
    guard isOn(.peopleMeddle), !faultsAreOver, command.kind == .update, absenceRandom.happens(15)
    else { return }
    links[link].toAgentIsCut = true
    doom(link)
    exclude(from: command.campaign)
  }

  private func exclude(from campaign: CampaignName) {
    let update = UpdateID(trusted: "KB500\(absenceRandom.number(1...2))")
    soon(.excludeUpdate(campaign, update, reason: "it is bad"), "ExcludeUpdate")
  }

  /// Some agents end right when they have an UPDATE, and are away until its window is closed,
  /// perhaps.
  func mayStayAway(with command: Command, on number: Int) {
    guard !faultsAreOver, command.kind == .update, absenceRandom.happens(plan.menu.fragile / 4)
    else { return }
    crashAgent(number, back: absenceRandom.minutes(30...480))
  }

  /// Before a campaign starts somebody leaves servers out of it whose client is postponed.
  func meddle(withDraft name: CampaignName) {
    guard isOn(.peopleMeddle), draftRandom.happens(500),
      let planned = plan.campaigns.first(where: { $0.name == name })
    else { return }
    let first = draftRandom.pick(planned.servers)
    guard let client = serverConfigs[first]?.client else { return }
    ask(.postponeClient(client, until: nil, reason: "a fair"), "PostponeClient")
    let servers = planned.servers.filter { serverConfigs[$0]?.client == client }
    for server in servers.prefix(draftRandom.number(1...servers.count)) {
      ask(.skipRun(name, server, reason: "not before their fair"), "SkipServerRun")
    }
    after(
      draftRandom.minutes(60...1_800),
      .person(.changes(.resumeClient(client), method: "ResumeClient")))
  }

  private func soon(_ change: Change, _ method: String) { later(1...15, change, method) }

  private func later(_ seconds: ClosedRange<Int>, _ change: Change, _ method: String) {
    after(absenceRandom.seconds(seconds), .person(.changes(change, method: method)))
  }
}

/// How often people's words overtake something.
extension Simulation {
  func noteOvertaken(_ record: RecordFact) {
    switch record.kind {
    case "campaign.started": startedCampaigns.insert(record.campaign)
    case "stop.latched": stops[record.client] = (now, nil)
    case "stop.released": stops[record.client]?.released = now
    case "campaign.changed":
      if updatesOrdered.values.contains(record.campaign) { sometimes.reach(.excludedOnTheWay) }
    case "campaign.cancelling":
      if updatesOrdered.values.contains(record.campaign) { sometimes.reach(.cancelledOnTheWay) }
    case "server.retired":
      if updatesOrdered[record.server] != nil { sometimes.reach(.retiredOnTheWay) }
    case "run.skipped": noteSkipped(record)
    case _: break
    }
    if record.run != nil { followOrdered(record) }
  }

  private func followOrdered(_ record: RecordFact) {
    let run = "\(record.campaign) \(record.run ?? 0)"
    if record.kind == "run.held", record.detail == "LOST" { lostAt[run] = now }
    if record.kind == "run.back", record.from == "HELD" { noteBackAfterStop(record, run) }
    if ["run.phase", "run.retried"].contains(record.kind), record.phase == "UPDATE" {
      updatesOrdered[record.server] = record.campaign
    } else if record.phase != "UPDATE" || !["IN_PROGRESS", "HELD"].contains(record.to) {
      updatesOrdered[record.server] = nil
    }
  }

  private func noteBackAfterStop(_ record: RecordFact, _ run: String) {
    guard let lost = lostAt.removeValue(forKey: run) else { return }
    for client in ["", record.client] {
      guard let stop = stops[client], stop.latched > lost, stop.released != nil else { continue }
      sometimes.reach(.backAfterStop)
    }
  }

  private func noteSkipped(_ record: RecordFact) {
    guard let state = daemon?.machine.state,
      let client = state.client(named: ClientName(trusted: record.client)),
      state[client: client].postponed != nil, !startedCampaigns.contains(record.campaign)
    else { return }
    sometimes.reach(.skippedInDraftWhilePostponed)
  }
}

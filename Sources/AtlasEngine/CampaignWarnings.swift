import AtlasModel

/// Something about a campaign that is allowed, and that a person should look at before the night.
package struct CampaignWarning: Hashable, Sendable {
  /// Key of the setting that would have to be another.
  package var field: String
  package var message: String
  /// What would be right.
  package var hint: String

  package init(field: String, message: String, hint: String) {
    self.field = field
    self.message = message
    self.hint = hint
  }
}

/// What of a campaign cannot work while the rest of it can: refused is only what leaves nothing.
extension ControlState {
  /// What somebody should look at; empty for a campaign that nothing more starts in.
  /// - Parameter own: The campaign's own windows, where they are not worked out for its lanes yet.
  package func warnings(
    of id: CampaignID, own: [ZoneWindows] = [], now: Instant
  ) -> [CampaignWarning] {
    let campaign = campaigns[Int(id.index)]
    switch campaign.state {
    case .draft, .active: break
    case .cancelling, .completed, .completedWithFailures, .cancelled: return []
    }
    let end = campaign.endsAt ?? now + Self.defaultReach
    let lanes = campaign.lanes.filter { !$0.queue.isEmpty }
    return [
      closedClients(lanes, id, own, end, now), misfits(lanes, id, own, end, now),
      hostsBetweenWindows(lanes, id, own, end, now), oldAgents(lanes, id),
      idleOverrides(campaign), longSoaks(campaign, end, now),
    ].compactMap { $0 }
  }

  private func closedClients(
    _ lanes: [Lane], _ id: CampaignID, _ own: [ZoneWindows], _ end: Instant, _ now: Instant
  ) -> CampaignWarning? {
    let closed = lanes.filter {
      windows(of: $0, in: id, own, until: end)?.longest(between: now, and: end) == .zero
    }.map { clients[Int($0.client.index)].config.name.text }
    guard let first = closed.first else { return nil }
    let rule = campaigns[Int(id.index)].policy.windows.map { " together with “\($0.rule)”" } ?? ""
    return CampaignWarning(
      field: "windows",
      message: "no window opens before \(end.words)\(rule) at \(Self.list(closed)), so nothing "
        + "there starts",
      hint: "`atlas client windows \(first)` shows them")
  }

  /// Servers of clients that are open, and never for long enough.
  private func misfits(
    _ lanes: [Lane], _ id: CampaignID, _ own: [ZoneWindows], _ end: Instant, _ now: Instant
  ) -> CampaignWarning? {
    var names: [String] = []
    var example = ""
    for lane in lanes {
      guard let windows = windows(of: lane, in: id, own, until: end) else { continue }
      let longest = windows.longest(between: now, and: end)
      guard longest > .zero else { continue }
      for index in lane.queue {
        let ref = RunRef(campaign: id, index: Int(index))
        guard timeNeeded(by: ref) > longest else { continue }
        names.append(servers[Int(self[ref].server.index)].config.name.text)
        guard example.isEmpty else { continue }
        example =
          "\(names[0]) needs \(timeNeeded(by: ref).text), and its longest window leaves "
          + longest.text
      }
    }
    guard !names.isEmpty else { return nil }
    return CampaignWarning(
      field: "estimates",
      message: "no window is long enough for \(Self.list(names)): \(example)",
      hint: "widen the windows, or lower estimates or rollback_reserve")
  }

  /// A host goes only while its guests' clients are open, too.
  private func hostsBetweenWindows(
    _ lanes: [Lane], _ id: CampaignID, _ own: [ZoneWindows], _ end: Instant, _ now: Instant
  ) -> CampaignWarning? {
    var names: [String] = []
    for lane in lanes {
      guard let open = windows(of: lane, in: id, own, until: end),
        open.longest(between: now, and: end) > .zero
      else { continue }
      for index in lane.queue {
        let ref = RunRef(campaign: id, index: Int(index))
        let others = clientsOfGuests(of: self[ref].server).filter { $0 != lane.client }
        guard others.allSatisfy({ clients[Int($0.index)].windowsUntil >= end }) else { continue }
        let common = others.reduce(open) { $0.intersection(clients[Int($1.index)].windows) }
        guard !others.isEmpty, common.longest(between: now, and: end) < timeNeeded(by: ref) else {
          continue
        }
        names.append(servers[Int(self[ref].server.index)].config.name.text)
      }
    }
    guard !names.isEmpty else { return nil }
    return CampaignWarning(
      field: "host",
      message:
        "the windows of all who have guests on it are never open together for long enough, so "
        + "it does not start: \(Self.list(names))",
      hint: "give its client and those of its guests a common window, or leave it out")
  }

  /// Some may be updated before their turn; when all are older the version is mistyped, or nobody has
  /// thought of them.
  private func oldAgents(_ lanes: [Lane], _ id: CampaignID) -> CampaignWarning? {
    var newest: AgentVersion?
    var least: AgentVersion?
    for lane in lanes {
      for index in lane.queue {
        let ref = RunRef(campaign: id, index: Int(index))
        let server = Int(self[ref].server.index)
        guard !servers[server].agentVersion.isEmpty else { continue }
        guard let asked = rules(of: ref).minAgentVersion, let known = servers[server].readVersion,
          known < asked
        else { return nil }
        newest = AgentVersion.higher(newest, known)
        least = AgentVersion.higher(least, asked)
      }
    }
    guard let newest, let least else { return nil }
    return CampaignWarning(
      field: "min_agent_version",
      message: "\(least) is newer than every agent that its servers have, the newest being "
        + "\(newest), so nothing starts until they are updated",
      hint: "update the agents before the night, or write \(newest) or lower")
  }

  private func idleOverrides(_ campaign: Campaign) -> CampaignWarning? {
    let idle = campaign.overrides.filter { own in
      !campaign.lanes.contains { $0.client == own.client }
    }.map { clients[Int($0.client.index)].config.name.text }
    guard !idle.isEmpty else { return nil }
    return CampaignWarning(
      field: "clients",
      message: "settings of their own do nothing for clients without a server in the campaign: "
        + Self.list(idle),
      hint: "leave them out, or select servers of these clients")
  }

  /// Gates soak one after the other.
  private func longSoaks(
    _ campaign: Campaign, _ end: Instant, _ now: Instant
  ) -> CampaignWarning? {
    let soaks = campaign.rings.filter(\.isShut).reduce(Duration.zero) { sum, ring in
      sum + campaign.gateRules[Int(ring.ring.number)].gateSoak
    }
    guard soaks >= end - now else { return nil }
    return CampaignWarning(
      field: "gates",
      message:
        "its gates must be good for \(soaks.text) one after the other, and the campaign ends "
        + "in \((end - now).text), so its last ring does not start",
      hint: "shorten gate_soak, or give a later ends_at")
  }
}

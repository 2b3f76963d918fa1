/// What an admission must leave room for: caps of its campaign, of sites and of what servers share,
/// servers of a role that stay, and breakers (engine.md §5, §9).
extension Checker {
  mutating func judgeCaps(of record: RecordFact) {
    guard let campaign = campaign(record.campaign), let model = log.campaigns[record.campaign],
      let server = servers[record.server]?.fact
    else { return }
    let name = "\(record.server) is started"
    let inFlight = model.tallies.values.reduce(0) { $0 + $1.inFlight }
    if let most = campaign.maxInProgress, inFlight >= most {
      fail("cap", "\(name), and \(inFlight) of \(most) servers of the campaign are in progress")
    }
    let active = model.tallies.filter { $0.value.inFlight > 0 }.keys
    if let most = campaign.maxActiveClients, active.count >= most,
      !active.contains(record.client)
    {
      fail("cap", "\(name), and \(active.count) of \(most) clients are worked on")
    }
    judgeRate(record, campaign)
    judgeShared(record, server)
    judgeBreakers(record, campaign, model)
    guard let rules = self.campaign(record.campaign, for: record.client) else { return }
    judgeSite(record, server, rules)
    judgeAvailable(record, server)
  }

  /// Of any sixty seconds.
  mutating func judgeRate(_ record: RecordFact, _ campaign: CampaignFact) {
    guard let most = campaign.maxStartsPerMinute else {
      return starts[record.campaign, default: []].removeAll()
    }
    starts[record.campaign, default: []].removeAll { $0 + 60_000 <= record.at }
    let before = starts[record.campaign] ?? []
    if before.count >= max(1, most) {
      fail("cap", "\(record.server) is the start number \(before.count + 1) of a minute")
    }
    starts[record.campaign]?.append(record.at)
  }

  private mutating func judgeSite(
    _ record: RecordFact, _ server: ServerFact, _ rules: CampaignFact
  ) {
    guard let most = rules.perSite else { return }
    let there = runsInFlight(of: record.client).filter {
      servers[$0.server]?.fact.site == server.site
    }
    if there.count >= most {
      fail("cap", "\(record.server) is started beside \(there.count) of \(most) at \(server.site)")
    }
  }

  func runsInFlight(of client: String) -> [LogModel.RunModel] {
    (log.slotsInUse[client] ?? []).compactMap { log.runs[$0] }.filter { $0.client == client }
  }

  /// What a server shares with others is limited by the strictest of all running campaigns.
  private mutating func judgeShared(_ record: RecordFact, _ server: ServerFact) {
    for name in server.resources {
      guard let most = limit(of: name) else { continue }
      let users = users(of: name)
      if users >= most {
        fail("cap", "\(record.server) is started, and \(users) of \(most) use \(name)")
      }
    }
  }

  /// How many servers may use something at once; nil for any number.
  func limit(of resource: String) -> Int? {
    log.campaigns.filter { ["ACTIVE", "CANCELLING"].contains($0.value.state) }
      .compactMap { campaign($0.key)?.resources[resource] }.min()
  }

  /// How many servers with a slot use it.
  func users(of resource: String) -> Int {
    busyServers.count { servers[$0]?.fact.resources.contains(resource) ?? false }
  }

  /// Of the servers of a client that share a role a share stays; one may go when none is gone, and
  /// a host with all that go down with it.
  private mutating func judgeAvailable(_ record: RecordFact, _ server: ServerFact) {
    let together = downTogether(server)
    for client in Set(together.map(\.client)).sorted() {
      guard let rules = campaign(record.campaign, for: client), let share = rules.minAvailable
      else {
        continue
      }
      let busy = busyServers.subtracting([server.name])
      let gone = Set(runsInFlight(of: client).map(\.server))
        .union(unexplained(of: client, rules, at: record.at)).union(guestsDown(of: client, busy))
        .subtracting(together.map(\.name))
      let leaving = together.filter { $0.client == client }
      for role in Set(leaving.flatMap(\.roles)).sorted() {
        let away = gone.count { servers[$0]?.fact.roles.contains(role) ?? false }
        let all = servers.values.count {
          $0.client == client && $0.fact.roles.contains(role)
            && !log.retiredServers.contains($0.fact.name)
        }
        let stay = all - away - leaving.count { $0.roles.contains(role) }
        if away > 0, stay * 100 < all * share {
          fail("cap", "\(record.server) is started while \(away) of \(all) \(role) are not there")
        }
      }
    }
  }
}

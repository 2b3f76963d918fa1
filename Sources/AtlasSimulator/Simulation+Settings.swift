import AtlasCalendar
import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel

/// What people configure otherwise while campaigns run, and fleets that are imported again.
extension Simulation {
  func planSettings() {
    for at in plan.changes { agenda.plan(.person(.configures), at: plan.start + at) }
    for at in plan.imports { agenda.plan(.person(.importsAgain), at: plan.start + at) }
  }

  /// One of the settings that the seed has is changed.
  func configure() {
    guard daemon != nil, !faultsAreOver else { return }
    noteWaits()
    let campaign = settingsRandom.pick(plan.campaigns).name
    let busy = machines.filter { $0.job != nil }
    let somebody = settingsRandom.pick(plan.clients).config.name
    let client =
      busy.isEmpty ? somebody : settingsRandom.pick([somebody, settingsRandom.pick(busy).client])
    let kinds = SettingKind.allCases.filter { plan.settings.contains($0) && $0.isChanged }
    guard !kinds.isEmpty else { return }
    switch settingsRandom.pick(kinds) {
    case .freezes: changeFreezes(of: client)
    case .zoneChanges: moveToAnotherZone(client)
    case .ownWindows, .resources, .overrides, .roleTimes, .movedEnds: editSettings(of: campaign)
    case .imports, .earlyCalm: break
    }
  }

  private func changeFreezes(of name: ClientName) {
    guard let (known, planned) = clientConfigs[name] else { return }
    var config = known
    if !config.freezes.isEmpty, settingsRandom.happens(500) {
      config.freezes.removeLast()
    } else {
      let isNow = settingsRandom.happens(500)
      let earliest = isNow ? now - .seconds(24 * 3_600) : now
      config.freezes.append(SeedPlan.freeze(after: earliest, &settingsRandom))
    }
    change(name, to: config, planned)
  }

  private func moveToAnotherZone(_ name: ClientName) {
    guard var (config, planned) = clientConfigs[name] else { return }
    (config.zone, planned.zone) = settingsRandom.pick(PlannedClient.zones)
    change(name, to: config, planned)
  }

  /// The policy stays, but for what the seed has of settings.
  private func editSettings(of name: CampaignName) {
    guard let state = daemon?.machine.state, let id = state.campaign(named: name) else { return }
    var policy = state[campaign: id].policy
    if plan.settings.contains(.ownWindows), settingsRandom.happens(600) {
      policy.windows =
        settingsRandom.happens(250) ? nil : SeedPlan.ownWindow(&settingsRandom)
    }
    if plan.settings.contains(.resources), settingsRandom.happens(500) {
      policy.resources = SeedPlan.limits(&settingsRandom)
    }
    if plan.settings.contains(.roleTimes), settingsRandom.happens(500) {
      policy.roleTimes = SeedPlan.roleTimes(&settingsRandom)
    }
    var overrides: [ClientName: Policy] = [:]
    if plan.settings.contains(.overrides), settingsRandom.happens(700) {
      overrides = plan.overrides(of: policy, &settingsRandom)
    }
    var endsAt: Instant?
    if plan.settings.contains(.movedEnds), settingsRandom.happens(600) {
      let latest = plan.start + SeedPlan.campaignsEnd
      endsAt = min(latest, now + settingsRandom.minutes(60...36 * 60))
    }
    askForEdit(name, policy, overrides, endsAt)
  }

  /// Asks for another policy, and tells the checker what the words in the log will mean.
  func askForEdit(
    _ name: CampaignName, _ policy: Policy, _ overrides: [ClientName: Policy] = [:],
    _ endsAt: Instant? = nil, ifVersion: UInt32? = nil
  ) {
    let words = "edit \(calls.count)" + (endsAt == nil ? "" : ", ends_at")
    checker.asked(for: CampaignFact(name, policy, overrides), as: words)
    ask(
      .editCampaign(
        name,
        PolicyRequest(
          policy: policy, overrides: overrides, endsAt: endsAt, ifVersion: ifVersion,
          changes: words, reason: "not like this")), "EditCampaign")
  }

  // MARK: - Imports

  /// The list of servers comes again: some were moved, some have other roles, some are new, and some
  /// that were retired are in it still.
  func importAgain() {
    guard let state = daemon?.machine.state else { return }
    var servers: [ServerConfig] = []
    for machine in machines where !machine.isClone {
      guard var config = serverConfigs[machine.server] else { continue }
      let isRetired = state.server(named: machine.server).map { state[server: $0].retired } ?? false
      if isRetired, settingsRandom.happens(500) { continue }
      if settingsRandom.happens(150) {
        config.site = SiteName(trusted: settingsRandom.pick(["S1", "S2"]))
      }
      let isHost = config.roles == [Role(trusted: "HV")]
      if !isHost, settingsRandom.happens(80) {
        config.roles = [Role(trusted: settingsRandom.pick(["WEB", "APP", "FILE", "SQL"]))]
      }
      servers.append(config)
    }
    let count = faultsAreOver ? 0 : settingsRandom.number(0...3)
    let new = (0..<count).map { _ in newServer() }
    ask(
      .importFleet(
        clients: plan.clients.compactMap { clientConfigs[$0.config.name]?.0 },
        servers: servers + new.map(\.config)), "ImportFleet",
      configures: .importAgain(
        plan.clients.compactMap { client in
          clientConfigs[client.config.name].map { ClientFact($0.1, $0.0) }
        }, servers: servers + new.map(\.config)))
  }

  /// What an import changes of a server that is there already.
  private func noteImported(_ config: ServerConfig) {
    guard let state = daemon?.machine.state, let id = state.server(named: config.name),
      let known = importedServers[config.name]
    else { return }
    let run = state[server: id].openRun
    if known.site != config.site || known.roles != config.roles, run != nil {
      sometimes.reach(.serverMovedInFlight)
    }
    if checker.isRetired(config.name.text) { sometimes.reach(.retiredImportedAgain) }
  }

  private func newServer() -> PlannedServer {
    let client = settingsRandom.pick(plan.clients).config.name
    newServers += 1
    var server = PlannedServer(
      10 + newServers, of: client, FaultMenu(), &settingsRandom)
    server.config.name = ServerName(trusted: "\(client)-S2-NEW\(10 + newServers)")
    server.config.site = SiteName(trusted: "S2")
    return server
  }

  /// An import is durable.
  func noteImport(_ clients: [ClientFact], _ servers: [ServerConfig]) {
    for client in clients { checker.configured(client) }
    for server in servers {
      checker.added(ServerFact(server))
      noteImported(server)
      serverConfigs[server.name] = server
      importedServers[server.name] = server
      guard machineOf[server.name] == nil,
        let client = plan.clients.first(where: { $0.config.name == server.client })
      else { continue }
      sometimes.reach(.newServerImported)
      addMachine(PlannedServer(config: server), of: client)
    }
  }
}

extension SettingKind {
  /// Whether people change it while campaigns run.
  fileprivate var isChanged: Bool {
    switch self {
    case .ownWindows, .freezes, .zoneChanges, .resources, .overrides, .roleTimes, .movedEnds: true
    case .imports, .earlyCalm: false
    }
  }
}

/// Rare branches that settings lead to.
extension Simulation {
  func noteEdited(_ record: RecordFact) {
    sometimes.reach(.policyEditedInFlight)
    if record.detail.hasSuffix("ends_at") { sometimes.reach(.endMovedInFlight) }
    guard let state = daemon?.machine.state,
      let id = state.campaign(named: CampaignName(trusted: record.campaign)),
      let before = state[campaign: id].earlier.last?.policy.windows
    else { return }
    if before != state[campaign: id].policy.windows { sometimes.reach(.ownWindowsEditedInFlight) }
  }

  /// What is different about a client from now on, while servers of it are worked on.
  func noteChanged(_ record: RecordFact) {
    let name = ClientName(trusted: record.client)
    guard let state = daemon?.machine.state, let id = state.client(named: name) else { return }
    let config = state[client: id].config
    guard let before = durableClients.updateValue(config, forKey: name),
      record.detail == "changed", isRunning(record.client)
    else { return }
    if before.windows != config.windows { sometimes.reach(.windowEditedInFlight) }
    if before.zone != config.zone { sometimes.reach(.zoneChangedInFlight) }
    if before.maxParallelServers > config.maxParallelServers {
      sometimes.reach(.slotsLoweredInFlight)
    }
  }

  /// A lane waits for a window: because its client is frozen, or its campaign has windows of its
  /// own?
  func noteClosed(_ lane: Int, in id: CampaignID, _ state: ControlState) {
    var config = state[client: state[campaign: id].lanes[lane].client].config
    let isFrozen = config.freezes.contains { $0.interval.contains(now) }
    guard isFrozen || state[campaign: id].policy.windows != nil else { return }
    config.freezes = []
    guard WindowCalendar.isOpen([config], at: now) else { return }
    if isFrozen { return sometimes.reach(.freezeHeld) }
    guard let own = state[campaign: id].policy.windows else { return }
    config.windows = [own]
    if !WindowCalendar.isOpen([config], at: now) { sometimes.reach(.ownWindowClosed) }
  }

  /// A server is started by what its campaign says of its client or its roles.
  func noteOwnRules(_ record: RecordFact) {
    guard !plan.settings.isEmpty, let state = daemon?.machine.state,
      let id = state.campaign(named: CampaignName(trusted: record.campaign)),
      let client = state.client(named: ClientName(trusted: record.client))
    else { return }
    if state[campaign: id].overrides.contains(where: { $0.client == client }) {
      sometimes.reach(.startedByOverride)
    }
    let roles = serverConfigs[ServerName(trusted: record.server)]?.roles ?? []
    if state[campaign: id].policy.roleTimes.contains(where: { roles.contains($0.role) }) {
      sometimes.reach(.startedByRoleTimes)
    }
  }
}

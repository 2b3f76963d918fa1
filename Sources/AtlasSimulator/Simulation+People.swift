import AtlasCalendar
import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore

/// A request of a person, which is repeated under the same id until it is answered.
struct PersonCall {
  let request: ControlRequest
  let requestID: String
  let method: String
  let at: Instant
  /// What the checker must know once it is durable.
  var configures: Configures?
  /// Of a stop: where servers are when it is asked for.
  var meets: Set<Sometimes> = []
  var attempts = 0
  var ticket: RequestTicket?
  var isAnswered = false
  /// What follows an answer.
  var then: Then = .nothing

  enum Configures {
    case fleet([ClientFact], servers: [ServerFact])
    /// Which servers it has, its rows say.
    case campaign(CampaignFact)
    case importAgain([ClientFact], servers: [ServerConfig])
    /// Boots that are parked do not wait for their windows.
    case resumesAtOnce(CampaignName, ScopeRequest)
  }

  enum Then {
    case nothing
    case start(CampaignName)
    case rollback(PlannedRollback)
    /// - Parameter asked: Length of the log at that moment.
    case compare(CampaignName, asked: Int)
  }
}

extension Simulation {
  // MARK: - Asking

  func ask(
    _ change: Change, _ method: String, configures: PersonCall.Configures? = nil,
    then: PersonCall.Then = .nothing
  ) {
    let id = "request-\(calls.count)"
    let caller = Caller(
      principal: "operator", method: method, requestID: id, contentHash: Array(id.utf8))
    calls.append(
      PersonCall(
        request: .change(change, caller), requestID: id, method: method, at: now,
        configures: configures ?? Self.configures(change), then: then))
    submit(calls.count - 1)
  }

  private static func configures(_ change: Change) -> PersonCall.Configures? {
    guard case .resumeCampaign(let name, let scope, now: true) = change else { return nil }
    return .resumesAtOnce(name, scope)
  }

  func look(at campaign: CampaignName) {
    let read = Read.runs(campaign, RunFilter(), after: 0, limit: Limits.page)
    calls.append(
      PersonCall(
        request: .read(read), requestID: "", method: "ListServerRuns", at: now,
        then: .compare(campaign, asked: checker.logLength)))
    submit(calls.count - 1)
  }

  private func submit(_ number: Int) {
    calls[number].attempts += 1
    after(
      .seconds(60), .callerGivesUp(call: number, attempt: calls[number].attempts))
    guard daemon != nil else { return }
    nextTicket += 1
    calls[number].ticket = RequestTicket(nextTicket)
    if case .change(.stop(let client, _), _) = calls[number].request {
      calls[number].meets = whereabouts(of: client)
    }
    ticketOwner[nextTicket] = number
    tellDaemon(.request(RequestTicket(nextTicket), calls[number].request))
  }

  /// Nobody answered for a minute: the same request again.
  func giveUp(_ number: Int, attempt: Int) {
    guard !calls[number].isAnswered, calls[number].attempts == attempt else { return }
    submit(number)
  }

  func answered(_ ticket: RequestTicket, _ reply: ControlReply) {
    guard let number = ticketOwner.removeValue(forKey: ticket.number) else { return }
    calls[number].isAnswered = true
    let call = calls[number]
    switch reply {
    case .answer(let answer):
      if !call.requestID.isEmpty {
        checker.answered(call.requestID, Summary.of(call.method, answer))
      }
      if case .runs(let views, _) = answer, case .compare(let campaign, let asked) = call.then {
        checker.shown(
          campaign.text, runs: views.map { ($0.number, $0.run.state.kind.word) }, asked: asked)
      }
    case .repeated(let bytes):
      sometimes.reach(.requestRepeated)
      checker.answered(call.requestID, bytes)
    case .refused(let error):
      tell("\(call.method) is refused: \(error)")
      if case .refused(.notAllowed(.nothingToUndo, _, _)) = error {
        sometimes.reach(.nothingToUndo)
      }
      if case .requestIDReused = error {
        return sometimes.reach(.requestIDReused)
      }
      return checker.refused(call.requestID, "\(error)")
    }
    trace.mix(number)
    switch call.then {
    case .start(let name):
      meddle(withDraft: name)
      startCampaign(name)
    case .rollback(let rollback): goOn(with: rollback)
    case .nothing, .compare: break
    }
  }

  /// The configurations that a durable batch has brought.
  ///
  /// - Parameter rows: Among them those of what it made.
  func note(configuration requestID: String, rows: [StateRow]) {
    guard let number = calls.firstIndex(where: { $0.requestID == requestID }) else { return }
    for point in calls[number].meets { sometimes.reach(point) }
    calls[number].meets = []
    guard let configures = calls[number].configures else { return }
    calls[number].configures = nil
    switch configures {
    case .fleet(let clients, let servers):
      for client in clients { checker.configured(client) }
      for server in servers { checker.added(server) }
    case .campaign(var campaign):
      let number = rows.first { $0.key.table == .campaign && $0.name == campaign.name }?.key.number
      let runs = rows.filter { $0.key.table == .run && $0.key.owner == number }
      campaign.servers = Set(runs.map(\.name))
      checker.configured(campaign)
    case .importAgain(let clients, let servers): noteImport(clients, servers)
    case .resumesAtOnce(let campaign, let scope):
      checker.resumesAtOnce(campaign.text, scope: scope.words)
    }
  }

  // MARK: - The beginning of the weekend

  func planImport() {
    let facts = plan.clients.map { ClientFact($0, $0.config) }
    let servers = plan.clients.flatMap(\.servers).map { ServerFact($0.config) }
    ask(
      .importFleet(
        clients: plan.clients.map(\.config),
        servers: plan.clients.flatMap(\.servers).map(\.config)), "ImportFleet",
      configures: .fleet(facts, servers: servers))
  }

  private func createCampaign(_ campaign: PlannedCampaign) {
    let fact = CampaignFact(campaign.name, campaign.policy, campaign.overrides)
    // A campaign that names a retired server is refused; one that names none covers the whole fleet.
    let left = campaign.servers.filter { !checker.isRetired($0.text) }
    let servers = left.isEmpty ? campaign.servers : left
    ask(
      .createCampaign(
        CampaignRequest(
          name: campaign.name, selection: Selection(servers: servers),
          updateSet: campaign.updateSet, policy: campaign.policy, overrides: campaign.overrides,
          endsAt: campaign.endsAt)),
      "CreateCampaign",
      configures: .campaign(fact), then: .start(campaign.name))
  }

  private func rollBack(_ rollback: PlannedRollback) {
    var fact = CampaignFact(rollback.name, rollback.policy)
    fact.rollbackOf = rollback.of.text
    fact.needsSnapshots = rollback.policy.rollback == .snapshot
    ask(
      .createCampaign(
        CampaignRequest(
          name: rollback.name, selection: Selection(clients: rollback.clients),
          policy: rollback.policy, endsAt: rollback.endsAt, rollbackOf: rollback.of)),
      "CreateCampaign", configures: .campaign(fact), then: .rollback(rollback))
  }

  /// A rollback campaign is made: some wait for days, and some are never started.
  private func goOn(with rollback: PlannedRollback) {
    switch rollback.then {
    case .isStarted:
      let start = Change.startCampaign(rollback.name, ifMatch: "")
      after(rollback.wait, .person(.changes(start, method: "StartCampaign")))
    case .isCancelled:
      let cancel = Change.cancelCampaign(rollback.name, reason: "not needed")
      after(rollback.wait, .person(.changes(cancel, method: "CancelCampaign")))
    }
  }

  /// With the plan of this moment: it is kept when nothing has changed until the start.
  private func startCampaign(_ name: CampaignName) {
    let plan = snapshot.flatMap { try? $0.plan(name) }
    ask(.startCampaign(name, ifMatch: "", plan: plan?.kept), "StartCampaign")
  }

  /// Whoever is about to do something looks at a plan first, and at one in which many servers fail.
  /// They come out at any moment, whatever other campaigns are at, and change nothing.
  private func lookAtPlan(of name: CampaignName) {
    guard let snapshot else { return }
    for whatIf in [[], [WhatIf.failureRate(perTenThousand: 3_000)]] {
      guard let plan = try? snapshot.plan(name, whatIf: whatIf) else { return }
      precondition(plan.start <= plan.finish, "a plan ends before it begins")
    }
  }

  private var snapshot: ControlSnapshot? {
    daemon.map { ControlSnapshot(state: $0.machine.state, now: now, demoFactor: 1) }
  }

  // MARK: - Interventions

  func perform(_ act: PersonAct) {
    trace.mix(3)
    switch act {
    case .makesCampaign(let number): createCampaign(plan.campaigns[number])
    case .rollsBack(let number): rollBack(plan.rollbacks[number])
    case .intervenes: intervene()
    case .configures: configure()
    case .importsAgain: importAgain()
    case .lowersSlots(let client): lowerSlots(of: client)
    case .closesWindow(let client): closeWindow(of: client)
    case .changesMind(let client): changeMind(of: client)
    case .changes(let change, let method): ask(change, method)
    }
  }

  private func intervene() {
    guard daemon != nil, !faultsAreOver else { return }
    noteWaits()
    approveSome()
    let campaign = peopleRandom.pick(campaignNames)
    lookAtPlan(of: campaign)
    let client = peopleRandom.pick(plan.clients).config.name
    let busy = machines.filter { $0.job != nil }
    let isAtTheWorstMoment = !busy.isEmpty && peopleRandom.happens(500)
    let server = peopleRandom.pick(isAtTheWorstMoment ? busy : machines).server
    switch peopleRandom.number(0...37) {
    case 0, 28:
      ask(.stop(nil, reason: "drill"), "EmergencyStop")
      planRelease(nil)
    case 1, 2, 27:
      ask(.stop(client, reason: "the client called"), "EmergencyStop")
      planRelease(client)
    case 3:
      ask(.pauseCampaign(campaign, .all, reason: "look first"), "PauseCampaign")
      planResume(campaign, .all)
    case 4:
      ask(.pauseCampaign(campaign, .client(client), reason: "wait"), "PauseCampaign")
      planResume(campaign, .client(client))
    case 5:
      ask(.pauseCampaign(campaign, .ring(.standard), reason: "wait"), "PauseCampaign")
      planResume(campaign, .ring(.standard))
    case 6, 7:
      ask(.pauseClient(client, reason: "a demo"), "PauseClient")
      planLater(.resumeClient(client), "ResumeClient")
    case 8:
      ask(.lockServer(server, reason: "in use", until: nil, ticket: ""), "LockServer")
      planLater(.unlockServer(server), "UnlockServer")
    case 9:
      let end = now + peopleRandom.minutes(10...300)
      ask(.lockServer(server, reason: "in use", until: end, ticket: ""), "LockServer")
    case 10: ask(.skipRun(campaign, server, reason: "not this one"), "SkipServerRun")
    case 11, 12: ask(.retryRun(campaign, server, reason: "once more"), "RetryServerRun")
    case 13...18: resolveOne(campaign)
    case 19: ask(.retireServer(server, reason: "gone"), "RetireServer")
    case 20:
      let update = UpdateID(trusted: "KB500\(peopleRandom.number(1...3))")
      ask(.excludeUpdate(campaign, update, reason: "it is bad"), "ExcludeUpdate")
    case 21: ask(.promoteRing(campaign, .standard, reason: "it is fine"), "PromoteRing")
    case 22: changeClient(client)
    case 23:
      let owner = plan.clients.first { client in
        client.servers.contains { $0.config.name == server }
      }?.config.name
      closeWindow(of: isAtTheWorstMoment ? owner ?? client : client)
    case 29:
      let until = peopleRandom.happens(500) ? nil : now + peopleRandom.minutes(30...900)
      ask(.postponeClient(client, until: until, reason: "a fair"), "PostponeClient")
      if peopleRandom.happens(300) { planLater(.resumeClient(client), "ResumeClient") }
    case 30, 31: dismissOne(server)
    case 32: ask(.recallServer(server), "RecallServer")
    case 33, 34: declareOutage(of: client)
    case 35: ask(.endOutage(client), "EndOutage")
    case 36, 37: editPolicy(of: campaign)
    case 26 where peopleRandom.happens(500): releaseOneSignature(campaign)
    case 24 where peopleRandom.happens(200):
      ask(.cancelCampaign(campaign, reason: "enough"), "CancelCampaign")
    case 25: resumeAtOnce(campaign)
    case 24: reuseRequestID(campaign)
    case _: look(at: campaign)
    }
  }

  /// Somebody explains why a server is silent: one that is, mostly.
  private func dismissOne(_ server: ServerName) {
    guard let state = daemon?.machine.state else { return }
    let silent = state.clients.indices.flatMap { state.unexplained(of: ClientID($0), now: now) }
    let name =
      silent.isEmpty || peopleRandom.happens(200)
      ? server : state[server: peopleRandom.pick(silent)].config.name
    ask(.dismissServer(name, reason: "in the workshop"), "DismissServer")
    if peopleRandom.happens(200) { planLater(.recallServer(name), "RecallServer") }
  }

  /// Other settings in mid-campaign. How a rollback campaign goes back is not among them.
  private func editPolicy(of name: CampaignName) {
    guard let state = daemon?.machine.state, let id = state.campaign(named: name) else { return }
    let campaign = state[campaign: id]
    var policy = PlannedCampaign.policy(&peopleRandom)
    if campaign.rollbackOf != nil { policy.rollback = campaign.policy.rollback }
    if peopleRandom.happens(700) { policy.snapshotRetention = campaign.policy.snapshotRetention }
    askForEdit(name, policy, ifVersion: peopleRandom.happens(500) ? campaign.version : nil)
  }

  private func declareOutage(of client: ClientName) {
    let from = peopleRandom.happens(700) ? nil : now + peopleRandom.minutes(5...120)
    let outage = Change.declareOutage(
      client, from: from, until: (from ?? now) + peopleRandom.minutes(60...600),
      parallel: peopleRandom.pick([nil, nil, 1, 2, 3]), reason: "they are closed")
    ask(outage, "DeclareOutage")
    if peopleRandom.happens(300) { planLater(.endOutage(client), "EndOutage") }
  }

  /// What carries Atlas waits for a person, who comes now and then.
  private func approveSome() {
    guard peopleRandom.happens(300), let state = daemon?.machine.state else { return }
    for campaign in state.campaigns where campaign.state.isRunning {
      for run in campaign.runs
      where run.state.kind == .pending && state[server: run.server].config.carriesAtlas {
        let server = state[server: run.server].config.name
        ask(.approveRun(campaign.name, server, reason: "I watch it"), "ApproveServerRun")
      }
    }
  }

  private func releaseOneSignature(_ name: CampaignName) {
    guard let state = daemon?.machine.state, let id = state.campaign(named: name),
      let kind = state[campaign: id].safety.held.first?.kind
    else {
      let waiver = Change.waiveRepresentative(name, role: nil, system: nil, reason: "it is fine")
      return ask(waiver, "WaiveRepresentative")
    }
    ask(
      .releaseSignature(name, role: kind.role, system: kind.system, reason: "looked at"),
      "ReleaseSignature")
  }

  /// A program uses an id for the second time, for something else: it must not be carried out.
  private func reuseRequestID(_ campaign: CampaignName) {
    // Ids are kept for a day.
    guard
      let first = calls.last(where: {
        $0.isAnswered && !$0.requestID.isEmpty && now - $0.at < .seconds(12 * 3_600)
      })
    else { return }
    let caller = Caller(
      principal: "operator", method: first.method, requestID: first.requestID,
      contentHash: [1, 2, 3])
    let change = Change.cancelCampaign(campaign, reason: "by mistake")
    calls.append(
      PersonCall(
        request: .change(change, caller), requestID: first.requestID, method: first.method, at: now)
    )
    submit(calls.count - 1)
  }

  private func planLater(_ change: Change, _ method: String) {
    after(peopleRandom.minutes(5...180), .person(.changes(change, method: method)))
  }

  private func planRelease(_ client: ClientName?) {
    planLater(.releaseStop(client, reason: "looked at"), "ReleaseStop")
    if let client { return planLater(.resumeClient(client), "ResumeClient") }
    for name in campaignNames { planResume(name, .all) }
  }

  /// Rollback campaigns too, whether or not they were made.
  private var campaignNames: [CampaignName] {
    plan.campaigns.map(\.name) + plan.rollbacks.map(\.name)
  }

  private func planResume(_ campaign: CampaignName, _ scope: ScopeRequest) {
    planLater(.resumeCampaign(campaign, scope, now: false), "ResumeCampaign")
  }

  private func resumeAtOnce(_ campaign: CampaignName) {
    ask(.resumeCampaign(campaign, .all, now: true), "ResumeCampaign")
  }

  private func resolveOne(_ name: CampaignName) {
    guard let state = daemon?.machine.state, let id = state.campaign(named: name) else { return }
    let held = state[campaign: id].runs.indices.filter {
      state[campaign: id].runs[$0].state.kind == .held
    }
    guard !held.isEmpty else { return look(at: name) }
    resolve(RunRef(campaign: id, index: peopleRandom.pick(held)), in: state)
  }

  private func resolve(_ ref: RunRef, in state: ControlState) {
    let choices = state.choices(ref)
    guard !choices.isEmpty else { return }
    let run = state[ref]
    if peopleRandom.happens(100) {
      let server = state[server: run.server].config.name
      let campaign = state[campaign: ref.campaign].name
      return ask(.skipRun(campaign, server, reason: "not this one"), "SkipServerRun")
    }
    ask(
      .resolveRun(
        state[campaign: ref.campaign].name, state[server: run.server].config.name,
        peopleRandom.pick(choices), etag: String(run.version), reason: "decided"),
      "ResolveServerRun")
  }

  /// Windows, slots and evidence of a client change in mid-campaign.
  private func changeClient(_ name: ClientName) {
    guard let (known, planned) = clientConfigs[name] else { return }
    guard peopleRandom.happens(500) else {
      return changeWindows(of: name, to: peopleRandom.pick(plan.clients).weekly)
    }
    var config = known
    config.maxParallelServers = peopleRandom.number(1...3)
    change(name, to: config, planned)
  }

  /// A client wants no work at this hour any more, whatever is in progress.
  private func closeWindow(of name: ClientName) {
    let closed = plan.clients.map(\.weekly).filter { !isOpen($0, for: name) }
    guard !closed.isEmpty else { return changeClient(name) }
    changeWindows(of: name, to: peopleRandom.pick(closed))
  }

  /// Whether a client with these windows may be worked on now.
  func isOpen(_ weekly: [WeeklyWindow], for name: ClientName) -> Bool {
    guard var (config, _) = clientConfigs[name] else { return false }
    config.windows = weekly.map { MaintenanceWindow(rule: $0.text) }
    return WindowCalendar.isOpen([config], at: now)
  }

  func changeWindows(of name: ClientName, to weekly: [WeeklyWindow]) {
    guard var (config, planned) = clientConfigs[name] else { return }
    planned.weekly = weekly
    config.windows = weekly.map { MaintenanceWindow(rule: $0.text) }
    change(name, to: config, planned)
  }

  func change(_ name: ClientName, to config: ClientConfig, _ changed: PlannedClient) {
    guard let state = daemon?.machine.state, let id = state.client(named: name) else { return }
    clientConfigs[name] = (config, changed)
    ask(
      .updateClient(config, ifMatch: String(state[client: id].version)), "UpdateClient",
      configures: .fleet([ClientFact(changed, config)], servers: []))
  }

  // MARK: - The end of the weekend

  /// People decide whatever is open, until nothing is, or until they have tried for nine days: what
  /// is parked before UPDATE waits for the window of the next weekend.
  func decideEverything() {
    decisionRounds += 1
    guard let state = daemon?.machine.state else {
      return after(.seconds(600), .stage(.peopleDecide))
    }
    let running = state.campaigns.indices.filter { state.campaigns[$0].state.isRunning }
    let drafts = state.campaigns.filter { $0.state == .draft && $0.rollbackOf != nil }
    for draft in drafts { ask(.cancelCampaign(draft.name, reason: "not needed"), "CancelCampaign") }
    if running.isEmpty && drafts.isEmpty || decisionRounds > 200 {
      return after(.seconds(60), .stage(.endIsJudged))
    }
    if state.stop != nil { ask(.releaseStop(nil, reason: "it is over"), "ReleaseStop") }
    for client in state.clients {
      let name = client.config.name
      if client.stop != nil { ask(.releaseStop(name, reason: "it is over"), "ReleaseStop") }
      if client.paused != nil { ask(.resumeClient(name), "ResumeClient") }
    }
    for index in running { decide(CampaignID(index), in: state) }
    after(.seconds(decisionRounds < 100 ? 900 : 7_200), .stage(.peopleDecide))
  }

  /// What a parked run waits for, where that is a person's to give.
  private func letGoOn(_ ref: RunRef, in state: ControlState) {
    let campaign = state[campaign: ref.campaign].name
    let server = state[server: state[ref].server].config
    switch state.waits(ref, now: now) {
    case .outage(let client)?:
      let outage = Change.declareOutage(
        state[client: client].config.name, from: nil, until: now + .seconds(86_400), parallel: nil,
        reason: "agreed, for what is still to be booted")
      ask(outage, "DeclareOutage")
    case .laneHeld?:
      ask(.resumeCampaign(campaign, .client(server.client), now: true), "ResumeCampaign")
    case .locked?: ask(.unlockServer(server.name), "UnlockServer")
    case .signature(let kind)?:
      ask(
        .releaseSignature(
          campaign, role: kind.role, system: kind.system, reason: "it must be booted all the same"),
        "ReleaseSignature")
    case _: break
    }
  }

  private func decide(_ id: CampaignID, in state: ControlState) {
    let campaign = state[campaign: id]
    for pause in campaign.pauses {
      switch pause.scope {
      case .all: resumeAtOnce(campaign.name)
      case .ring(let ring):
        ask(.resumeCampaign(campaign.name, .ring(ring), now: true), "ResumeCampaign")
      case .client(let client):
        let name = state[client: client].config.name
        ask(.resumeCampaign(campaign.name, .client(name), now: true), "ResumeCampaign")
      }
    }
    for index in campaign.runs.indices where campaign.runs[index].state.kind == .held {
      resolve(RunRef(campaign: id, index: index), in: state)
    }
    for index in campaign.runs.indices where campaign.runs[index].state.kind == .parked {
      letGoOn(RunRef(campaign: id, index: index), in: state)
    }
    // A boot that is still owed does not wait for the next weekend.
    if campaign.counts[.parked] > 0 { resumeAtOnce(campaign.name) }
  }
}

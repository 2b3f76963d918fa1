import AtlasAgent
import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore

/// What the checker is told, and which rare branches were reached.
extension Simulation {
  func noteSession(of server: ServerName) {
    let isOpen = links.indices.reversed().prefix(400).contains {
      links[$0].isOpenAtDaemon && links[$0].hasSaidHello
        && machines[links[$0].machine].server == server && links[$0].daemonLife == daemonLife
    }
    checker.session(of: server.text, isOpen: isOpen && daemon != nil)
  }

  /// A message leaves the daemon.
  func watch(_ message: DaemonMessage, to machine: Int, on link: Int) {
    switch message {
    case .command(let command):
      trace.mix(command.fence.number)
      see(.sends(command.kind, machines[machine].server))
      checker.sent(CommandFact(command), to: machines[machine].server.text)
      if !sentFences.insert(command.fence).inserted { sometimes.reach(.commandSentTwice) }
      if command.kind == .download { downloads.insert(command.fence) }
      latestTimes[command.fence] = command.notAfter
      meddle(whileSending: command, on: link)
    case .cancel(_, let command):
      sometimes.reach(.commandTakenBack)
      if downloads.contains(command) { sometimes.reach(.downloadTakenBack) }
    case .reportAcknowledgement(let fence, let seq):
      takenReports.insert(
        TakenReport(server: machines[machine].server, fence: fence, seq: seq))
    case .welcome: checker.welcomed(session: link, of: machines[machine].server.text)
    case .stop, .probe: break
    }
  }

  /// A message reaches an agent.
  func watchArrival(_ message: DaemonMessage, at machine: Int, on link: Int) {
    switch message {
    case .stop(let fence):
      checker.sawStop(fence.number, on: machine, of: machines[machine].server.text)
    case .welcome(let welcome):
      // From now on the agent goes by the daemon's clock.
      machines[machine].clockError = welcome.campaignTime - now
      checker.heardWelcome(
        session: link, on: machine, of: machines[machine].server.text)
    case .command, .cancel, .reportAcknowledgement, .probe: break
    }
  }

  /// An agent says something.
  func noteSending(_ message: AgentMessage, of machine: Int) {
    guard case .acknowledgement(let answer) = message else { return }
    switch answer.verdict {
    case .stale: sometimes.reach(.staleFenceRefused)
    case .refused: sometimes.reach(.commandRefusedByAgent)
    case .accepted: break
    }
  }

  func noteHello(_ hello: Hello, on link: Int) {
    checker.saidVersion(hello.agentVersion, of: hello.server.text)
    let works = hello.command.flatMap { $0.progress == .begun && $0.kind != .download ? $0 : nil }
    let named = [hello.highestFence] + (hello.command.map { [$0.fence] } ?? [])
    let highest = (named + hello.reports.map(\.fence)).max() ?? .none
    checker.saidHello(
      hello.server.text, worksOn: works?.fence.number, named: (session: link, highest.number))
    guard let state = daemon?.machine.state, let server = state.server(named: hello.server),
      let known = hello.command, known.progress != .done
    else { return }
    if state[server: server].connected { sometimes.reach(.helloFromNewerSession) }
    let open = state[server: server].openRun.flatMap { state[$0].command?.fence }
    if open != known.fence { sometimes.reach(.helloWithUnknownOrder) }
  }

  /// A report reaches the daemon: a repeat must change nothing (S11), and proof is proof.
  func noteReport(_ report: CommandReport, of server: ServerName) {
    let key = TakenReport(server: server, fence: report.fence, seq: report.seq)
    guard daemon?.machine.isCommitting == false else {
      // It waits, and so may others before it: what it does is seen when it is taken.
      return noteProof(report, of: server)
    }
    if takenReports.contains(key) {
      sometimes.reach(.reportRepeated)
      checkRepeat(report, of: server)
    }
    noteProof(report, of: server)
  }

  private func noteProof(_ report: CommandReport, of server: ServerName) {
    guard case .result(let result) = report.event else { return }
    checker.workEnded(report.fence.number, of: server.text)
    checker.reported(report.fence.number, of: server.text, mayPass: result.mayPass)
    if result.code == "NOT_AFTER" { sometimes.reach(.notAfterPassed) }
    checker.reportCommitted(
      report.fence.number, of: server.text, provesHealthy: result.health?.healthy ?? false)
  }

  /// Steps a report that was taken before on a copy of the state.
  private func checkRepeat(_ report: CommandReport, of server: ServerName) {
    guard var copy = daemon?.machine.state, let id = copy.server(named: server),
      // The clone of a server says what the server has said, of work that only it still did.
      copy[server: id].foreign != report.fence,
      let effects = try? copy.step(.reported(id, report), now: now)
    else { return }
    let beyond = effects.filter {
      if case .acknowledge = $0 { false } else { true }
    }
    checker.repeated(
      report.fence.number, of: server.text, effects: beyond.map { "\($0)" })
  }

  func noteConfigurations(in batch: Batch) {
    for answer in batch.answers {
      note(configuration: answer.requestID, rows: batch.puts)
      checker.carriedOut(answer.requestID)
    }
  }

  // MARK: - Sometimes

  func note(_ record: RecordFact) {
    seeRecord(record)
    noteOvertaken(record)
    meddle(after: record)
    limitLife(after: record)
    switch record.kind {
    case "stop.latched": if !record.client.isEmpty { sometimes.reach(.stoppedClientOnly) }
    case "run.parked":
      if record.phase == "REBOOT" { sometimes.reach(.parkedBeforeReboot) }
    case "run.back": noteBack(record)
    case "run.held": noteHeld(record)
    case "run.resolved": noteResolved(record)
    case "run.retried":
      retriedRuns.insert(runName(record))
      noteEarlierPolicy(record)
    case "run.completed": noteCompleted(record)
    case "run.failed":
      if record.detail == "ROLLED_BACK" { sometimes.reach(.rolledBack) }
      if record.detail == "ACCEPTED" { sometimes.reach(.personAccepted) }
    case "run.not_attempted": noteRefused(record)
    case "run.snapshot_removed": sometimes.reach(.keptSnapshotRemoved)
    case "run.undone": noteUndone(record)
    case "run.deferred":
      deferrals[runName(record), default: 0] += 1
      if record.reason.hasPrefix("peer_check") { sometimes.reach(.peerCheckPutOff) }
    case "run.warning":
      if record.reason.hasPrefix("maintenance remains") { sometimes.reach(.maintenanceRemains) }
      if record.reason.hasPrefix("the kept snapshot was not removed") {
        sometimes.reach(.keptSnapshotNotRemoved)
      }
      if record.reason.hasPrefix("it takes longer than") { sometimes.reach(.laterThanHistory) }
    case "run.approved": sometimes.reach(.atlasApproved)
    case "server.dismissed": sometimes.reach(.serverDismissed)
    case "client.outage_declared": sometimes.reach(.outageDeclared)
    case "run.phase": notePhase(record)
    case "gate.closed":
      if openedGates.contains(gateName(record)) { sometimes.reach(.gateFellAfterOpening) }
    case "gate.opened": openedGates.insert(gateName(record))
    case "gate.needs_person": sometimes.reach(.gateNeededPerson)
    case "ring.promoted": sometimes.reach(.ringPromoted)
    case "client.dark": sometimes.reach(.clientDark)
    case "client.postponed": sometimes.reach(.clientPostponed)
    case "environment.held":
      sometimes.reach(record.campaign.isEmpty ? .contactLost : .sourceSilent)
    case "environment.resumed":
      sometimes.reach(record.campaign.isEmpty ? .contactIsBack : .sourceIsBack)
    case "signature.held": sometimes.reach(.signatureHeld)
    case "campaign.paused":
      if record.detail == "breaker" { sometimes.reach(.campaignPausedByBreaker) }
    case "lane.held": sometimes.reach(.laneHeld)
    case "campaign.started":
      if record.reason.hasPrefix("planned to take") { sometimes.reach(.planKept) }
    case "campaign.edited": if isInProgress(record) { noteEdited(record) }
    case "campaign.changed": if isInProgress(record) { sometimes.reach(.updateExcludedInFlight) }
    case "campaign.cancelling":
      if isInProgress(record) { sometimes.reach(.campaignCancelledInFlight) }
    case "client.paused":
      if isRunning(record.client) { sometimes.reach(.pausedClientInFlight) }
    case "client.imported": noteChanged(record)
    case "server.locked":
      if isPending(record.server) { sometimes.reach(.serverLockedWhilePending) }
    case "server.retired":
      if let machine = machineOf[ServerName(trusted: record.server)], machines[machine].job != nil {
        sometimes.reach(.serverRetiredInFlight)
      }
    case "run.started": noteStarted(record)
    case _: break
    }
  }

  private func runName(_ record: RecordFact) -> String { "\(record.campaign) \(record.run ?? 0)" }
  private func gateName(_ record: RecordFact) -> String {
    "\(record.campaign) \(record.ring ?? 0)"
  }

  /// Whether a server of the record's campaign is in progress.
  private func isInProgress(_ record: RecordFact) -> Bool {
    guard let state = daemon?.machine.state,
      let id = state.campaign(named: CampaignName(trusted: record.campaign))
    else { return false }
    return state[campaign: id].counts[.inProgress] > 0
  }

  func isRunning(_ client: String) -> Bool {
    machines.contains { $0.job != nil && $0.client.text == client }
  }

  private func isPending(_ server: String) -> Bool {
    guard let state = daemon?.machine.state,
      let id = state.server(named: ServerName(trusted: server)),
      let run = state[server: id].openRun
    else { return false }
    return state[run].state.kind == .pending
  }

  /// What lanes and hosts wait for now.
  func noteWaits() {
    guard let state = daemon?.machine.state else { return }
    for (index, campaign) in state.campaigns.enumerated() where campaign.state == .active {
      let id = CampaignID(index)
      for lane in campaign.lanes.indices where campaign.lanes[lane].open > 0 {
        noteWait(of: lane, in: id, state)
      }
      for (number, run) in campaign.runs.enumerated() {
        switch run.state {
        case .inProgress(let work): if work.step == .guests { sometimes.reach(.guestsAwaited) }
        case .pending: noteWait(of: RunRef(campaign: id, index: number), state)
        case .parked, .held, .completed, .failed, .notAttempted, .skipped, .postponed: break
        }
      }
    }
  }

  private func noteWait(of lane: Int, in id: CampaignID, _ state: ControlState) {
    let waiting = state.laneWaits(campaign: id, lane: lane, now: now)
    if case .unexplained = waiting { sometimes.reach(.unexplainedBlocked) }
    if case .window = waiting { noteClosed(lane, in: id, state) }
  }

  private func noteWait(of ref: RunRef, _ state: ControlState) {
    if case .cap = state.waits(ref, now: now) { sometimes.reach(.capReached) }
    if case .resource = state.runWaits(ref, now: now) { sometimes.reach(.resourceAwaited) }
  }

  /// Whether a server is started by what history says of its kinds.
  private func noteHistory(_ record: RecordFact) {
    guard let state = daemon?.machine.state, let number = record.run,
      let id = state.campaign(named: CampaignName(trusted: record.campaign)),
      state.learnedEstimate(of: RunRef(campaign: id, index: number - 1)) != nil
    else { return }
    sometimes.reach(.startedByHistory)
  }

  private func noteStarted(_ record: RecordFact) {
    noteHistory(record)
    noteOwnRules(record)
    if let config = serverConfigs[ServerName(trusted: record.server)], !config.migratesGuests,
      serverConfigs.values.contains(where: { $0.host == config.name })
    {
      sometimes.reach(.hostStartedInOutage)
    }
    if let other = campaignOfClient[record.client], other != record.campaign {
      sometimes.reach(.twoCampaignsOfOneClient)
    }
    campaignOfClient[record.client] = record.campaign
  }

  private func noteEarlierPolicy(_ record: RecordFact) {
    guard let state = daemon?.machine.state, let number = record.run,
      let id = state.campaign(named: CampaignName(trusted: record.campaign))
    else { return }
    let run = state[RunRef(campaign: id, index: number - 1)]
    if Int(run.edition) < state[campaign: id].earlier.count { sometimes.reach(.ranByEarlierPolicy) }
  }

  private func noteBack(_ record: RecordFact) {
    if record.from == "PARKED" { sometimes.reach(.parkedThenCarriedOn) }
    guard record.from == "HELD" else { return }
    switch heldFor[runName(record)] {
    case "OVERDUE": sometimes.reach(.overdueAndBack)
    case "LOST": sometimes.reach(.lostAndBack)
    case _: break
    }
  }

  private func noteUndone(_ record: RecordFact) {
    sometimes.reach(.serverUndone)
    guard let at = completedAt[runName(record)],
      let campaign = plan.campaigns.first(where: { $0.name.text == record.campaign }),
      now - at > campaign.policy.snapshotRetention
    else { return }
    sometimes.reach(.snapshotNeededLonger)
  }

  private func isRollback(_ campaign: String) -> Bool {
    plan.rollbacks.contains { $0.name.text == campaign }
  }

  private func noteHeld(_ record: RecordFact) {
    heldFor[runName(record)] = record.detail
    if isRollback(record.campaign) { sometimes.reach(.undoHeld) }
    switch record.detail {
    case "AGENT_STATE_LOST": sometimes.reach(.agentStateLost)
    case "ROLLBACK_FAILED": sometimes.reach(.rollbackFailed)
    case _: break
    }
  }

  private func noteResolved(_ record: RecordFact) {
    if heldFor[runName(record)] == "LOST" { sometimes.reach(.lostAndResolved) }
    if record.reason.hasPrefix("retry") { sometimes.reach(.personGrantedAttempt) }
  }

  private func noteCompleted(_ record: RecordFact) {
    completedAt[runName(record)] = now
    if retriedRuns.contains(runName(record)) { sometimes.reach(.retriedAndCompleted) }
    if deferrals[runName(record)] != nil { sometimes.reach(.deferredAndCompleted) }
    switch record.detail {
    case "WITH_EXCEPTIONS": sometimes.reach(.completedWithExceptions)
    case "NO_UPDATES": sometimes.reach(.completedWithoutUpdates)
    case _: break
    }
  }

  private func noteRefused(_ record: RecordFact) {
    if isRollback(record.campaign) { sometimes.reach(.undoRefused) }
    if record.reason.hasPrefix("deferred for more"), deferrals[runName(record)] ?? 0 > 1 {
      sometimes.reach(.deferLimitReached)
    }
    if record.reason.contains("did not end in time") { sometimes.reach(.hookTimedOut) }
    if record.reason.contains("window closed") { sometimes.reach(.windowClosedBeforeUpdate) }
    switch record.detail {
    case "backup": sometimes.reach(.refusedForBackup)
    case "hook": sometimes.reach(.refusedForHook)
    case "source": sometimes.reach(.refusedForSource)
    case "disk": sometimes.reach(.refusedForDisk)
    case "offline": sometimes.reach(.refusedOffline)
    case "window": sometimes.reach(.campaignOutlived)
    case _: break
    }
  }

  private func notePhase(_ record: RecordFact) {
    if record.from == "PARKED" { sometimes.reach(.parkedThenCarriedOn) }
    if record.reason.contains("was pending before") { sometimes.reach(.pendingRebootFirst) }
    if record.phase == "ROLLBACK", record.reason.contains("try again"), mightBeRepeated(record) {
      sometimes.reach(.attemptDidNotFitWindow)
    }
  }
}

extension CommandResult {
  /// Whether it is a failure that may pass; nil for a good result.
  fileprivate var mayPass: Bool? {
    guard status != .succeeded || health?.healthy == false else { return nil }
    return retryable || status == .environment || code.lowercased().hasPrefix("0x8024")
  }
}

extension Simulation {
  /// An agent begins an order: too late, but not by its own clock?
  func noteBegun(_ fence: Fence, by machine: Int) {
    guard let latest = latestTimes[fence], now > latest, believed(machine) <= latest else { return }
    sometimes.reach(.begunByWrongClock)
  }

  /// An agent says when it took a snapshot.
  func noteSnapshot(by machine: Int) {
    let error = machines[machine].clockError
    if max(error, .zero - error) > .seconds(600) { sometimes.reach(.snapshotByWrongClock) }
  }

  /// An update source does not answer a server, or none of its kind any more.
  func noteSilence(to command: Command) {
    guard isSourceSilent(for: serverConfigs[command.server]?.client ?? ClientName(trusted: "")),
      let state = daemon?.machine.state, let id = state.server(named: command.server),
      let run = state[server: id].openRun
    else { return }
    let isChanged = state[run].marks.contains(.changed)
    sometimes.reach(isChanged ? .sourceSilentAfterInstall : .sourceSilentBeforeInstall)
  }
}

/// What keeps a failed attempt from being repeated.
extension Simulation {
  /// Whether another attempt was left, the agent is there, and nobody has stopped or paused it:
  /// only the window, or an outage, can be in the way.
  private func mightBeRepeated(_ record: RecordFact) -> Bool {
    guard let state = daemon?.machine.state, let number = record.run,
      let id = state.campaign(named: CampaignName(trusted: record.campaign)),
      !isHost(ServerName(trusted: record.server))
    else { return false }
    let run = state[RunRef(campaign: id, index: number - 1)]
    guard run.granted == 0, Int(run.attempt) <= maxRetries(of: run, state[campaign: id]),
      state[server: run.server].connected
    else { return false }
    switch state.laneWaits(campaign: id, lane: Int(run.lane), now: now) {
    case .stopped, .campaign, .paused, .clientPaused, .postponed: return false
    case _: return true
    }
  }

  /// By the policy that the run started under.
  private func maxRetries(of run: Run, _ campaign: Campaign) -> Int {
    let isOld = Int(run.edition) < campaign.earlier.count
    let own = isOld ? campaign.earlier[Int(run.edition)].overrides : campaign.overrides
    let policy = isOld ? campaign.earlier[Int(run.edition)].policy : campaign.policy
    let client = campaign.lanes[Int(run.lane)].client
    return (own.first { $0.client == client }?.policy ?? policy).maxRetries
  }

  func isHost(_ server: ServerName) -> Bool {
    serverConfigs.values.contains { $0.host == server }
  }
}

/// What a stop meets.
extension Simulation {
  /// Where the servers of a client, or of all, are when somebody asks for a stop. Once it is
  /// durable those that can park are parked.
  func whereabouts(of client: ClientName?) -> Set<Sometimes> {
    guard let state = daemon?.machine.state else { return [] }
    let id = client.flatMap { state.client(named: $0) }
    var points: Set<Sometimes> = []
    for campaign in state.campaigns where campaign.state.isRunning {
      for run in campaign.runs {
        guard case .inProgress(let work) = run.state,
          id == nil || state[server: run.server].client == id
        else { continue }
        if let point = Self.point(of: work) { points.insert(point) }
      }
    }
    return points
  }

  private static func point(of work: Work) -> Sometimes? {
    switch work.phase {
    case .preCheck: .stopDuringPreCheck
    case .snapshot: .stopDuringSnapshot
    case .update: work.step == .backoff ? .stopDuringBackoff : .stopDuringUpdate
    case .reboot: .stopDuringReboot
    case .postCheck: .stopDuringPostCheck
    case .rollback, .verify: .stopDuringRollback
    case .download, .soak, .finalize: nil
    }
  }
}

extension CommandFact {
  init(_ command: Command) {
    self.init(
      fence: command.fence.number, kind: command.kind.word, server: command.server.text,
      campaign: command.campaign.text, runKey: command.runKey, attempt: command.attempt,
      pass: command.pass, notAfter: command.notAfter?.milliseconds,
      texts: [command.snapshotID] + command.updateSet.include.map(\.text)
        + command.updateSet.exclude.map(\.text))
    excluded = command.updateSet.exclude.map(\.text)
  }
}

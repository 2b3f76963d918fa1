import AtlasAgent
import AtlasModel

// The machines and their drivers.

extension AgentHost {
  /// Campaign time for the machines. Before the daemon has told it nothing depends on it: reports
  /// that made this early are rare, and get the beginning of time.
  private var now: Instant { moment.campaign ?? Instant(milliseconds: 0) }

  /// The agent's process starts, with what is on disk.
  func agentUp(_ agent: Int) throws {
    guard agents[agent].machine == nil else { return }
    if journal.needsCommit { try commit() }
    let driver = agents[agent].driver
    agents[agent].machine = AgentMachine(
      server: driver.server, version: configuration.version, rules: configuration.rules,
      journal: journal.state(of: driver.server))
    agents[agent].lastEntry = 0
    try step(agent, .started(bootID: driver.bootID))
    connectIfPossible(agent)
  }

  /// The agent's process ends.
  private func agentDown(_ agent: Int) throws {
    guard agents[agent].machine != nil else { return }
    agents[agent].machine = nil
    told.removeAll { $0.agent == agent }
    try breakSession(agent)
  }

  /// Gives the machine one input and does what it says.
  func step(_ agent: Int, _ input: AgentInput) throws {
    guard let actions = agents[agent].machine?.handle(input, now: now) else { return }
    for action in actions { try perform(action, agent) }
  }

  private func perform(_ action: AgentAction, _ agent: Int) throws {
    switch action {
    case .journal(let entry, let number):
      try write(entry, number: number, agent)
    case .send(let message):
      statistics.messagesOut += 1
      agents[agent].link?.send(message)
    case .startDriver(let command):
      statistics.commands += 1
      try drive(agent, .start(command))
    case .resumeDriver(let command, let changed, let interruption):
      try drive(agent, .resume(command, changed: changed, after: interruption))
    case .permitChange(let fence):
      try drive(agent, .permitChange(fence))
    case .cancelDriver(let fence):
      try drive(agent, .cancel(fence))
    case .probe(let probe):
      try drive(agent, .probe(probe))
    case .endSession(let fault):
      try breakSession(agent, reason: String(describing: fault))
    }
  }

  private func write(_ entry: JournalEntry, number: UInt64, _ agent: Int) throws {
    journal.append(entry, of: agents[agent].driver.server)
    agents[agent].lastEntry = number
    if !agents[agent].isWriting {
      agents[agent].isWriting = true
      writing.append(agent)
    }
    switch entry {
    case .accepted(let command): try observe(agent, .accepted(command))
    case .stop(let fence): try observe(agent, .stopped(fence))
    case .state, .booted, .refused, .begun, .changed, .report, .acknowledged, .cancel: break
    }
  }

  private func drive(_ agent: Int, _ event: DriverEvent<Driver.Wake>) throws {
    for action in agents[agent].driver.handle(event, now: now) {
      switch action {
      case .tell(let input): told.append((agent, input))
      case .wake(let wake, let after): set(wake, after: after, agent)
      case .note(let note): try observe(agent, .note(note))
      case .networkDown:
        agents[agent].isNetworkUp = false
        try breakSession(agent)
      case .networkUp:
        agents[agent].isNetworkUp = true
        connectIfPossible(agent)
      case .agentDown: try agentDown(agent)
      case .agentUp: try agentUp(agent)
      }
    }
  }

  private func set(_ wake: Driver.Wake, after duration: Duration, _ agent: Int) {
    guard let clock else {
      wakesBeforeClock.append((agent, wake, duration))
      return
    }
    timers.add(.driver(agent: agent, wake), at: moment.monotonic + clock.real(duration))
  }

  /// The daemon has said what time it is. What it says is late by the way it took, so of many the
  /// one that is most ahead is right; a clock that is far behind has stood still, and is right too.
  func setClock(_ welcome: Welcome) {
    let told = CampaignClock(
      campaignTime: welcome.campaignTime, factor: welcome.demoFactor, at: moment.monotonic)
    if let clock, clock.factor == told.factor, let known = moment.campaign {
      let behind = known - welcome.campaignTime
      guard behind < .zero || behind > KitLimits.clockSlack * told.factor else { return }
    }
    clock = told
    moment.campaign = welcome.campaignTime
    let wakes = wakesBeforeClock
    wakesBeforeClock = []
    for (agent, wake, duration) in wakes { set(wake, after: duration, agent) }
  }

  func fire(_ timer: HostTimer<Driver.Wake>) throws {
    switch timer {
    case .driver(let agent, let wake):
      try drive(agent, .wake(wake))
    case .connect(let agent):
      agents[agent].isBackingOff = false
      connectIfPossible(agent)
    case .welcome(let agent, let generation):
      guard agents[agent].generation == generation, !agents[agent].isWelcomed else { return }
      try breakSession(agent, reason: "the daemon did not welcome the agent")
    }
  }
}

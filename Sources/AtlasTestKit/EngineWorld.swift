import AtlasEngine
import AtlasModel

/// A world around the engine for its tests: virtual time, agents and hooks that follow a script, a
/// store, and checks after every step that share no code with the engine.
///
///     var world = EngineWorld(fleet)
///     let campaign = world.campaign("patch-11")
///     world.run(until: .done)
///     #expect(world.violations.isEmpty)
///
/// Every step is committed at once. What the engine orders is carried out in the order in which it
/// was decided; what the world answers comes at the time that the script says.
package struct EngineWorld: Sendable {
  package internal(set) var state: ControlState
  package internal(set) var now: Instant
  package var script = EngineScript()
  package internal(set) var agents: [EngineAgent] = []
  package internal(set) var store = EngineStore()
  package internal(set) var checker = EngineChecker()
  /// After how many steps the whole state is loaded from the store and compared; 0 for never. The
  /// other checks are made after every step.
  package var comparesEvery = 1
  private var stepsToComparison = 1
  var trace: EngineTrace
  /// What happens later, in order of time, then of planning.
  var plan: [Planned] = []
  /// Hooks that run, with their serial.
  var hooks: [RunRef: RunningHook] = [:]
  var windows: [[Interval]]
  /// When campaigns with windows of their own may work, whatever their rule says.
  package var ownWindows: [Interval] = []
  var isInStep = false
  var waiting: [Event] = []
  /// Time that a message takes, in either direction.
  package var latency = Duration.zero

  struct Planned: Sendable {
    var at: Instant
    var happening: Happening
  }

  struct RunningHook: Sendable {
    var serial: UInt16
    var point: HookPoint
    var isCancelled = false
  }

  /// Something that happens outside the engine.
  enum Happening: Sendable {
    case reaches(ServerID, DaemonMessage)
    case says(ServerID, AgentMessage)
    case changes(ServerID, Fence)
    case finishes(ServerID, Fence)
    case disconnects(ServerID)
    case connects(ServerID)
    case hookEnds(RunRef, serial: UInt16, HookAnswer.Says)
  }

  /// A fleet that was just imported, all agents connected.
  package init(
    _ fleet: EngineFleet, floors: ControlState.Floors = ControlState.Floors(),
    connected: Bool = true
  ) {
    now = EngineFleet.start
    state = ControlState(floors: floors)
    trace = EngineTrace(start: now)
    windows = fleet.windows
    // The import is the same in every story: it is not told.
    importFleet(fleet)
    for index in state.servers.indices {
      let id = ServerID(index)
      agents.append(EngineAgent(server: id, name: state[server: id].config.name))
      if connected { connect(id) }
    }
    trace = EngineTrace(start: now)
  }

  package mutating func importFleet(_ fleet: EngineFleet) {
    for (index, client) in fleet.clients.enumerated() {
      checker.know(client, at: state.client(named: client.name) ?? ClientID(index))
    }
    step(.fleetImported(clients: fleet.clients, servers: fleet.servers, by: "import"))
  }

  /// What the world saw so far, one line for each record, command, hook and answer.
  package var story: String { trace.lines.joined(separator: "\n") + "\n" }

  /// What was found wrong so far; empty when nothing was.
  package var violations: [String] { checker.violations }

  /// Adds what a test of its own found wrong.
  package mutating func complain(_ violation: String) { checker.report(violation) }

  /// Writes a line of the teller's own into the story.
  package mutating func tell(_ text: String) { trace.event(text, at: now) }

  package func server(_ name: String) -> ServerID {
    guard let id = state.server(named: ServerName(trusted: name)) else {
      preconditionFailure("the fleet of this test has no server \(name)")
    }
    return id
  }

  package func client(_ name: String) -> ClientID {
    guard let id = state.client(named: ClientName(trusted: name)) else {
      preconditionFailure("the fleet of this test has no client \(name)")
    }
    return id
  }

  /// The newest run of a server in a campaign.
  package func run(_ name: String, in campaign: CampaignID = CampaignID(0)) -> RunRef {
    let id = server(name)
    guard let index = state[campaign: campaign].runs.lastIndex(where: { $0.server == id }) else {
      preconditionFailure("the campaign of this test has no run of \(name)")
    }
    return RunRef(campaign: campaign, index: index)
  }
}

/// Stepping.
extension EngineWorld {
  /// Steps an event that cannot be refused, or that this test knows is allowed.
  package mutating func step(_ event: Event) {
    do { try obey(event) } catch {
      checker.report("refused: \(error)")
    }
  }

  /// Steps an event, and carries out what follows from it.
  package mutating func obey(_ event: Event) throws(Refusal) {
    precondition(!isInStep, "a step within a step")
    isInStep = true
    defer { isInStep = false }
    if case .resumeCampaign(let id, _, now: true, _) = event { allowBoots(of: id) }
    if case .declareOutage(let client, let outage) = event { checker.expect(outage, of: client) }
    let effects: [Effect]
    do {
      effects = try state.step(event, now: now)
    } catch {
      check(after: event)
      throw error
    }
    if case .fleetImported = event { learnFleet() }
    perform(effects)
    check(after: event)
    handOver()
  }

  /// A person says that parked boots do not wait for their windows.
  private mutating func allowBoots(of campaign: CampaignID) {
    for index in state[campaign: campaign].runs.indices {
      checker.allowBoot(of: RunRef(campaign: campaign, index: index))
    }
  }

  mutating func check(after event: Event) {
    checker.compare(with: state)
    stepsToComparison -= 1
    guard stepsToComparison <= 0, comparesEvery > 0 else { return }
    stepsToComparison = comparesEvery
    for difference in store.differences(from: state) {
      checker.report("after \(event): \(difference)")
    }
  }

  /// Commits the effects of a step, and lets them happen.
  mutating func perform(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .command(let ref, _, _): learn(ref)
      case .record(let record): if let ref = record.runRef { learn(ref) }
      case _: break
      }
    }
    checker.check(effects, now: now)
    let outgoing = store.outbox.map(\.command.fence)
    store.apply(effects, of: state)
    for effect in effects { carryOut(effect, outgoing) }
  }

  /// Servers are others after an import, perhaps in the middle of their runs.
  private mutating func learnFleet() {
    for server in state.servers { checker.know(server.config, of: server.client) }
    for server in state.servers { server.openRun.map { learn($0) } }
  }

  mutating func learn(_ ref: RunRef) {
    let server = state[server: state[ref].server]
    checker.know(
      ref, client: server.client, server: state[ref].server, roles: server.config.roles)
    let campaign = state[campaign: ref.campaign]
    let ring = campaign.lanes[Int(state[ref].lane)].ring
    checker.safety.know(
      ref, client: server.client, config: server.config, ring: ring,
      isLater: campaign.lanes.contains { $0.ring < ring })
  }

  private mutating func carryOut(_ effect: Effect, _ outgoing: [Fence]) {
    switch effect {
    case .record(let record): trace.record(record, in: state, at: now)
    case .command(_, let server, let command):
      trace.order("\(command.kind.word) \(name(server)) \(command.words)", at: now)
    case .withdraw(let fence):
      // Taking out what is acknowledged anyway is no news.
      if outgoing.contains(fence), !isAcknowledged(fence) {
        trace.order("withdraw #\(fence.number)", at: now)
      }
    case .cancelCommand(let server, let fence, let command):
      trace.order("cancel #\(command.number) \(name(server)) #\(fence.number)", at: now)
      send(server, .cancel(fence: fence, command: command))
    case .tellStop(let client, let fence):
      trace.order("stop \(client.map(name) ?? "everybody") #\(fence.number)", at: now)
      for server in state.servers.indices
      where client.map({ state.isConcerned(ServerID(server), by: $0) }) ?? true {
        send(ServerID(server), .stop(fence: fence))
      }
    case .acknowledge(let server, let fence, let seq):
      send(server, .reportAcknowledgement(fence: fence, seq: seq))
    case .startHook(let start): startHook(start)
    case .cancelHook(let ref, let serial): cancelHook(ref, serial)
    case .expandWindows(let client, let question):
      waiting.append(windowsEvent(client, question))
    case .save: break
    }
  }

  private func isAcknowledged(_ fence: Fence) -> Bool {
    agents.contains { $0.isConnected && $0.begun.contains(fence) }
  }

  func windowsEvent(_ client: ClientID, _ question: UInt32) -> Event {
    // What the calendar does: windows of the last day and of the horizon, no others.
    let until = now + Limits.windowHorizon
    let known = windows[Int(client.index)].filter {
      $0.end > now - .seconds(86_400) && $0.start < until
    }
    let narrowed = state.ownWindows(for: client).map { campaign, _ in
      NarrowedWindows(campaign: campaign, windows: ownWindows)
    }
    return .windowsExpanded(
      client, known, narrowed: narrowed, until: until, question: question)
  }

  func name(_ server: ServerID) -> String { state[server: server].config.name.text }
  func name(_ client: ClientID) -> String { state[client: client].config.name.text }

  /// What the shell does once the commit is done: windows are expanded, and commands handed over.
  mutating func handOver() {
    isInStep = false
    while !waiting.isEmpty {
      let event = waiting.removeFirst()
      if case .windowsExpanded(let client, let windows, _, _, _) = event {
        checker.know(windows, of: client)
      }
      step(event)
    }
    for index in agents.indices where agents[index].isConnected {
      deliver(to: ServerID(index))
    }
  }

  /// Sends what the outbox holds for a server and its session has not seen.
  mutating func deliver(to server: ServerID) {
    let fresh = store.outbox.filter { $0.server == server && !$0.isSent }
    for outgoing in fresh {
      store.markSent(outgoing.command.fence)
      send(server, .command(outgoing.command))
      step(.commandSent(server, outgoing.command.fence))
    }
  }

  private mutating func send(_ server: ServerID, _ message: DaemonMessage) {
    guard agents.indices.contains(Int(server.index)),
      agents[Int(server.index)].isConnected, !agents[Int(server.index)].isDeaf
    else { return }
    schedule(.reaches(server, message), after: latency)
  }

  mutating func schedule(_ happening: Happening, after wait: Duration) {
    let at = now + wait
    let place = plan.lastIndex { $0.at <= at }.map { $0 + 1 } ?? 0
    plan.insert(Planned(at: at, happening: happening), at: place)
  }
}

extension Command {
  fileprivate var words: String {
    var words = ["#\(fence.number)"]
    if kind == .rollback { words.append("by \(rollbackMeans.rawValue)") }
    if !updateSet.exclude.isEmpty, kind == .update {
      words.append("without \(updateSet.exclude.map(\.text).joined(separator: ", "))")
    }
    return words.joined(separator: " ")
  }
}

extension Record {
  fileprivate var runRef: RunRef? {
    guard let campaign, let run else { return nil }
    return RunRef(campaign: campaign, index: Int(run))
  }
}

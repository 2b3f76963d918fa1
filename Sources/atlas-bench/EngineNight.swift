import AtlasEngine
import AtlasModel

/// A fleet and a night on which everything goes well: every hook and every agent answers at once.
struct EngineNight {
  private(set) var state = ControlState()
  let fleet: ShapedFleet
  /// What the world says next, and what it does not say yet.
  private var coming: [Event] = []
  private var kept: [Event] = []
  /// Changes of runs, each with its record.
  private(set) var transitions = 0
  private var now = Self.begin

  static let campaign = CampaignID(0)
  static let name = "patch-11"
  static let begin = Instant(milliseconds: 1_795_298_400_000)
  private static let windows = [
    Interval(start: begin - .seconds(3_600), end: begin + .seconds(10 * 86_400))
  ]

  /// An imported fleet, without a campaign.
  /// - Parameter connected: Whether all agents are there.
  init(_ fleet: ShapedFleet, connected: Bool) {
    self.fleet = fleet
    step(fleet.imported)
    for index in state.clients.indices {
      let until = Self.begin + Limits.windowHorizon
      step(.windowsExpanded(ClientID(index), Self.windows, until: until, question: 1))
    }
    for client in fleet.outages { step(.declareOutage(client, Self.outage)) }
    guard connected else { return }
    for index in state.servers.indices {
      let name = state.servers[index].config.name
      let hello = Hello(server: name, agentVersion: "1.0.0", bootID: "boot-1")
      step(.agentBack(ServerID(index), hello))
    }
  }

  private static var outage: Outage {
    Outage(
      from: begin, until: begin + Limits.outage, reason: "bench", principal: "bench",
      declaredAt: begin)
  }

  mutating func create() {
    step(.createCampaign(fleet.draft(CampaignName(trusted: Self.name)), by: "bench"))
  }

  mutating func start() {
    answer(
      step(.startCampaign(Self.campaign, ifMatch: nil, hookRevision: "r1", by: "bench")))
  }

  /// What the engine has done, and the processor time that it took, without that of the world
  /// around it.
  struct Work {
    var taken = Duration.zero
    var events = 0
    /// Of the batch in which a gate opened; nil when none did.
    var opening: Duration?

    /// Nanoseconds for an event.
    var cost: Double { taken / .nanoseconds(1) / Double(max(1, events)) }
  }

  /// Works the campaign through, to its end or until the world has said so much.
  /// - Parameters:
  ///   - pace: How long everything takes; without it, time stands still.
  ///   - answers: Whether the world says anything about a run; what it does not say, it says in
  ///     the next call.
  @discardableResult
  mutating func work(
    upTo events: Int = .max, pace: Duration = .zero,
    answers: (Run) -> Bool = { _ in true }
  ) -> Work {
    var work = Work()
    var effects: [Effect] = []
    coming += kept
    kept = []
    while !coming.isEmpty, work.events < events {
      now = now + pace
      if let due = state.nextDeadline, due <= now { answer(step(.timePassed)) }
      var said: [Event] = []
      swap(&said, &coming)
      let isAnswered = said.map { run(of: $0).map { answers(state[$0]) } ?? true }
      kept += zip(said, isAnswered).filter { !$0.1 }.map(\.0)
      said = zip(said, isAnswered).filter(\.1).map(\.0)
      take(&said, into: &work, &effects)
    }
    return work
  }

  /// Forgets what the world would say next, so that only the engine's state takes memory.
  mutating func forgetWorld() {
    coming = []
    kept = []
  }

  /// As many at once as the control machine puts into one commit.
  private mutating func take(
    _ events: inout [Event], into work: inout Work, _ effects: inout [Effect]
  ) {
    for first in stride(from: 0, to: events.count, by: Limits.batch) {
      let last = min(first + Limits.batch, events.count)
      let begin = Machine.processorTime
      for index in first..<last {
        // Handed over, as the control machine hands over what it took from its queue.
        var event = Event.timePassed
        swap(&event, &events[index])
        step(event, into: &effects)
      }
      let taken = Machine.processorTime - begin
      work.taken += taken
      work.events += last - first
      if effects.contains(where: \.isGateOpened) { work.opening = taken }
      answer(effects)
      effects.removeAll(keepingCapacity: true)
    }
  }

  @discardableResult
  private mutating func step(_ event: Event) -> [Effect] {
    do { return try state.step(event, now: now) } catch {
      preconditionFailure("a good night refuses nothing: \(error)")
    }
  }

  private mutating func step(_ event: consuming Event, into effects: inout [Effect]) {
    do { try state.step(event, now: now, into: &effects) } catch {
      preconditionFailure("a good night refuses nothing: \(error)")
    }
  }

  private mutating func answer(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .record(let record): if record.run != nil { transitions += 1 }
      case .startHook(let start): coming.append(said(start))
      case .command(_, let server, let command):
        let accepted = CommandAcknowledgement(fence: command.fence, verdict: .accepted)
        coming.append(.commandSent(server, command.fence))
        coming.append(.acknowledged(server, accepted))
        coming.append(.reported(server, report(of: command, server)))
      case .save, .withdraw, .cancelCommand, .tellStop, .acknowledge, .cancelHook,
        .expandWindows:
        break
      }
    }
  }

  private func run(of event: Event) -> RunRef? {
    switch event {
    case .hookFinished(let run, _, _): run
    case .commandSent(let server, _), .acknowledged(let server, _), .reported(let server, _):
      state[server: server].openRun
    case _: nil
    }
  }

  private func said(_ start: HookStart) -> Event {
    let verdict: HookVerdict
    switch start.point {
    case .preUpdate, .postUpdate: verdict = .ok(backup: nil, snapshot: nil)
    case .verifyBackup:
      let taken = now - .seconds(3_600)
      let backup = BackupFact(source: "daily", takenAt: taken, verifiedAt: taken + .seconds(60))
      verdict = .ok(backup: backup, snapshot: nil)
    case .snapshot, .finalize, .rollback, .orderGroup, .peerCheck, .enterMaintenance,
      .leaveMaintenance:
      verdict = .notDefined
    }
    return .hookFinished(start.run, serial: start.serial, verdict)
  }

  private func report(of command: Command, _ server: ServerID) -> CommandReport {
    var result = CommandResult(status: .succeeded)
    switch command.kind {
    case .snapshot: result.snapshot = SnapshotFact(id: command.runKey, takenAt: now)
    case .update:
      result.changed = true
      result.rebootRequired = true
      result.updates = [UpdateResult(update: UpdateID(trusted: "KB5031364"), outcome: .installed)]
    case .health: result.health = HealthFact(healthy: !fleet.isIll(server), build: "20348.2113")
    case .reboot, .rollback, .removeSnapshot, .download: break
    }
    return CommandReport(fence: command.fence, seq: 1, at: now, event: .result(result))
  }
}

extension Effect {
  fileprivate var isGateOpened: Bool {
    if case .record(let record) = self { record.kind == .gateOpened } else { false }
  }
}

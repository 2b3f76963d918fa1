import AtlasEngine
import AtlasModel

/// A fleet and a night on which everything goes well: every hook and every agent answers at once.
struct EngineNight {
  private(set) var state = ControlState()
  /// What the world will say next.
  private var coming: [Event] = []
  /// Changes of runs, each with its record.
  private(set) var transitions = 0

  /// Events that the engine has taken in ``work(onlyServersBelow:)``.
  private(set) var events = 0
  /// The world answers only servers below this number; the others stay as they are.
  private var bound = Int.max

  static let campaign = CampaignID(0)
  static let name = "patch-11"
  static let now = Instant(milliseconds: 1_795_298_400_000)
  private static let windows = [
    Interval(start: now - .seconds(3_600), end: now + .seconds(10 * 86_400))
  ]

  /// An imported fleet, without a campaign.
  /// - Parameter connected: Whether all agents are there.
  init(clients: Int, servers: Int, connected: Bool) {
    step(Self.imported(clients, servers))
    for index in state.clients.indices {
      let until = Self.now + Limits.windowHorizon
      step(.windowsExpanded(ClientID(index), Self.windows, until: until, question: 1))
    }
    guard connected else { return }
    for index in state.servers.indices {
      let name = state.servers[index].config.name
      let hello = Hello(server: name, agentVersion: "1.0.0", bootID: "boot-1")
      step(.agentBack(ServerID(index), hello))
    }
  }

  private static func imported(_ clients: Int, _ servers: Int) -> Event {
    var configs: [ServerConfig] = []
    let names = (0..<clients).map { ClientName(trusted: "CLIENT\($0)") }
    for client in names {
      for number in 0..<servers {
        configs.append(
          ServerConfig(
            name: ServerName(trusted: "\(client)-PARIS-WEB\(number)"), client: client,
            site: SiteName(trusted: "PARIS"), roles: [Role(trusted: "WEB")], number: number))
      }
    }
    return .fleetImported(
      clients: names.map { ClientConfig(name: $0) }, servers: configs, by: "bench")
  }

  mutating func create() {
    let draft = CampaignDraft(name: CampaignName(trusted: Self.name))
    step(.createCampaign(draft, by: "bench"))
  }

  mutating func start() {
    answer(
      step(.startCampaign(Self.campaign, ifMatch: nil, hookRevision: "r1", by: "bench")))
  }

  /// Works the campaign through to its end.
  /// - Parameter bound: Only servers with a lower number go on.
  /// - Returns: processor time that the engine took, without that of the world around it.
  mutating func work(onlyServersBelow bound: Int = .max) -> Duration {
    self.bound = bound
    coming = coming.filter(isBelow)
    var taken = Duration.zero
    var effects: [Effect] = []
    while !coming.isEmpty {
      var events = coming
      coming.removeAll(keepingCapacity: true)
      // As many at once as the control machine puts into one commit.
      for first in stride(from: 0, to: events.count, by: Limits.batch) {
        let begin = Machine.processorTime
        for index in first..<min(first + Limits.batch, events.count) {
          // Handed over, as the control machine hands over what it took from its queue.
          var event = Event.timePassed
          swap(&event, &events[index])
          step(event, into: &effects)
        }
        taken += Machine.processorTime - begin
        self.events += min(Limits.batch, events.count - first)
        answer(effects)
        effects.removeAll(keepingCapacity: true)
      }
    }
    return taken
  }

  @discardableResult
  private mutating func step(_ event: Event) -> [Effect] {
    do { return try state.step(event, now: Self.now) } catch {
      preconditionFailure("a good night refuses nothing: \(error)")
    }
  }

  private mutating func step(_ event: consuming Event, into effects: inout [Effect]) {
    do { try state.step(event, now: Self.now, into: &effects) } catch {
      preconditionFailure("a good night refuses nothing: \(error)")
    }
  }

  private mutating func answer(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .record(let record): if record.run != nil { transitions += 1 }
      case .startHook(let start):
        if state[start.run].server.index < bound { coming.append(said(start)) }
      case .command(_, let server, let command):
        guard server.index < bound else { continue }
        let accepted = CommandAcknowledgement(fence: command.fence, verdict: .accepted)
        coming.append(.commandSent(server, command.fence))
        coming.append(.acknowledged(server, accepted))
        coming.append(.reported(server, report(of: command)))
      case .save, .withdraw, .cancelCommand, .tellStop, .acknowledge, .cancelHook,
        .expandWindows:
        break
      }
    }
  }

  private func isBelow(_ event: Event) -> Bool {
    switch event {
    case .hookFinished(let run, _, _): state[run].server.index < bound
    case .commandSent(let server, _), .acknowledged(let server, _), .reported(let server, _):
      server.index < bound
    case _: true
    }
  }

  private func said(_ start: HookStart) -> Event {
    let verdict: HookVerdict
    switch start.point {
    case .preUpdate, .postUpdate: verdict = .ok(backup: nil, snapshot: nil)
    case .verifyBackup:
      let taken = Self.now - .seconds(3_600)
      let backup = BackupFact(source: "daily", takenAt: taken, verifiedAt: taken + .seconds(60))
      verdict = .ok(backup: backup, snapshot: nil)
    case .snapshot, .finalize, .rollback, .orderGroup, .peerCheck, .enterMaintenance,
      .leaveMaintenance:
      verdict = .notDefined
    }
    return .hookFinished(start.run, serial: start.serial, verdict)
  }

  private func report(of command: Command) -> CommandReport {
    var result = CommandResult(status: .succeeded)
    switch command.kind {
    case .snapshot: result.snapshot = SnapshotFact(id: command.runKey, takenAt: Self.now)
    case .update:
      result.changed = true
      result.rebootRequired = true
      result.updates = [UpdateResult(update: UpdateID(trusted: "KB5031364"), outcome: .installed)]
    case .health: result.health = HealthFact(healthy: true, build: "20348.2113")
    case .reboot, .rollback, .removeSnapshot, .download: break
    }
    return CommandReport(fence: command.fence, seq: 1, at: Self.now, event: .result(result))
  }
}

/// How many transitions the engine makes in a second, on one core.
enum EngineSpeed {
  private static let rounds = 10

  /// The best of some rounds: what disturbs a round is not the engine.
  static func measure() -> Row {
    let best = (0..<rounds).map { _ in round() }.max() ?? 0
    return Row(
      name: "engine transitions", budget: "≥ 1,000,000/s (floor 500,000)",
      measured: "\(Int(best).grouped)/s")
  }

  private static func round() -> Double {
    var night = EngineNight(clients: 1_000, servers: 10, connected: true)
    night.create()
    night.start()
    let taken = night.work()
    precondition(night.state[campaign: EngineNight.campaign].state == .completed)
    return Double(night.transitions) / (taken / .seconds(1))
  }
}

/// What a run costs in memory.
enum EngineMemory {
  private static let runs = 1_000_000

  static func measure() -> Row {
    var night = EngineNight(clients: runs / 100, servers: 100, connected: false)
    let before = Machine.residentMemory
    night.create()
    let bytes = (Machine.residentMemory - before) / runs
    return Row(
      name: "memory of a pending run", budget: "≤ 300 bytes", measured: "\(bytes) bytes")
  }
}

extension Int {
  /// With a comma after every three digits: `1,000,000`.
  var grouped: String {
    let digits = Array(String(self))
    return digits.indices.map { index in
      let left = digits.count - index
      return (left % 3 == 0 && index > 0 ? "," : "") + String(digits[index])
    }.joined()
  }
}

import AtlasAgent
import AtlasModel
import AtlasWire

/// A server that exists only here: takes its time, installs, boots, fails as planned, and knows the
/// truth about itself.
///
/// A command becomes a list of steps. A step that takes time sets a wake; what is in the way of a
/// crash or a boot stays in the list until the agent is back and asks.
package struct SimulatedServer: ServerDriver {
  package enum Wake: Hashable, Sendable {
    /// The next step, if it is still the one with this number.
    case step(UInt32)
    case network
    /// The agent's process starts, after a boot of the server or without.
    case agent(booted: Bool)
  }

  /// What is worth writing down.
  package enum Note: Hashable, Sendable {
    case began(Command)
    case resumed(Command, after: Interruption)
    /// `healthy` is the truth, whatever the result says.
    case ended(Command, CommandResult, healthy: Bool)
    case poweredOff
    case booted
    /// The disk has changed.
    case save(SimulatedDisk)
  }

  package typealias Action = DriverAction<Wake, Note>

  package let server: ServerName
  package let client: String
  package let failure: FailureKind?
  let temper: Temper
  package internal(set) var disk: SimulatedDisk
  var work: Work?
  private var serial: UInt32 = 0

  /// - Parameters:
  ///   - scale: Of all durations, in thousandths.
  ///   - disk: What an earlier process left; nil for a new server.
  package init(
    server: ServerName, client: String, roles: [Role], seed: UInt64, scale: Int = 1_000,
    failure: FailureKind?, disk: SimulatedDisk? = nil
  ) {
    self.server = server
    self.client = client
    self.failure = failure
    temper = Temper(seed: seed, server: server, roles: roles, scale: scale, failure: failure)
    var fresh = SimulatedDisk()
    fresh.rebootPending = failure == .pendingReboot
    self.disk = disk ?? fresh
  }

  package var bootID: String { "boot-\(disk.boots)" }
  package var isConnected: Bool { failure != .offline && !disk.gone }

  /// The command that is worked on, and what is left to do.
  struct Work: Hashable, Sendable {
    var command: Command
    /// Next step last.
    var steps: [Step]
    var waitsForPermit = false
  }

  enum Step: Hashable, Sendable {
    case wait(Duration)
    case progress(Int)
    /// The first install follows.
    case askToChange
    /// The line breaks; nil is for good.
    case loseNetwork(Duration?)
    /// The agent's process dies and comes back.
    case crash(Duration)
    /// The server goes down and comes up again.
    case boot(Duration)
    case end(Ending)
  }

  /// How a command ends.
  enum Ending: Hashable, Sendable {
    /// With what the server's disk gives.
    case asItIs
    case failed(code: String, retryable: Bool)
    case environment(code: String)
    case refused(code: String, message: String)
    case cancelled
    /// A boot nobody ordered came in between.
    case interrupted
    /// The journal says begun, and the server knows nothing of it.
    case neverBegan
    /// It had ended before the agent's process did.
    case again
  }

  package mutating func handle(_ event: DriverEvent<Wake>, now: Instant) -> [Action] {
    switch event {
    case .start(let command): return start(command, now: now)
    case .resume(let command, _, let interruption):
      return resume(command, after: interruption, now: now)
    case .permitChange(let fence):
      guard let work, work.command.fence == fence, work.waitsForPermit else { return [] }
      self.work?.waitsForPermit = false
      return goOn(now: now)
    case .cancel(let fence):
      guard let work, work.command.fence == fence else { return [] }
      self.work?.steps = [.end(.cancelled)]
      return goOn(now: now)
    case .probe(let probe):
      return [.tell(.driverProbed(probe.number, facts(about: probe)))]
    case .wake(.step(let number)):
      return number == serial ? goOn(now: now) : []
    case .wake(.network):
      return [.networkUp]
    case .wake(.agent(let booted)):
      guard booted else { return [.agentUp] }
      disk.boots += 1
      return [.note(.booted), .note(.save(disk)), .agentUp]
    }
  }

  private mutating func start(_ command: Command, now: Instant) -> [Action] {
    disk.begunFence = command.fence.number
    work = Work(command: command, steps: script(for: command).reversed())
    return [.note(.save(disk)), .note(.began(command))] + goOn(now: now)
  }

  /// The agent is back and asks what became of the command.
  private mutating func resume(
    _ command: Command, after interruption: Interruption, now: Instant
  ) -> [Action] {
    if work?.command.fence != command.fence {
      work = Work(command: command, steps: stepsAfterRestart(command, interruption).reversed())
    } else if interruption == .unexpectedBoot, command.kind != .rollback {
      work?.steps = [.end(.interrupted), .wait(.seconds(60))]
    }
    work?.waitsForPermit = false
    return [.note(.resumed(command, after: interruption))] + goOn(now: now)
  }

  /// What there is left to do when the simulator itself has started again. Never without a wait:
  /// the time is not known before the first session.
  private func stepsAfterRestart(_ command: Command, _ interruption: Interruption) -> [Step] {
    let fence = command.fence.number
    if disk.endedFence == fence { return [.wait(.seconds(5)), .end(.again)] }
    if disk.begunFence != fence { return [.wait(.seconds(5)), .end(.neverBegan)] }
    switch interruption {
    case .agentRestarted: return [.wait(.seconds(5))] + script(for: command)
    case .orderedBoot: return [.wait(.seconds(30)), .end(.asItIs)]
    case .unexpectedBoot where command.kind == .rollback:
      return [.wait(.seconds(30)), .end(.asItIs)]
    case .unexpectedBoot: return [.wait(.seconds(30)), .end(.interrupted)]
    }
  }

  /// Takes steps until one takes time, or the command has ended.
  private mutating func goOn(now: Instant) -> [Action] {
    var actions: [Action] = []
    while let command = work?.command, let step = work?.steps.popLast() {
      serial &+= 1
      switch step {
      case .wait(let duration):
        return actions + [.wake(.step(serial), after: duration)]
      case .progress(let percent):
        actions.append(
          .tell(.driverProgress(command.fence, ProgressReport(percent: percent))))
      case .askToChange:
        work?.waitsForPermit = true
        return actions + [.tell(.driverWillChange(command.fence))]
      case .loseNetwork(let duration):
        actions += loseNetwork(for: duration)
      case .crash(let duration):
        return actions + [.agentDown, .wake(.agent(booted: false), after: duration)]
      case .boot(let duration):
        return actions + [
          .note(.poweredOff), .agentDown, .wake(.agent(booted: true), after: duration),
        ]
      case .end(let ending):
        return actions + end(command, ending, now: now)
      }
    }
    return actions
  }

  private mutating func loseNetwork(for duration: Duration?) -> [Action] {
    if let duration { return [.networkDown, .wake(.network, after: duration)] }
    disk.gone = true
    return [.note(.save(disk)), .networkDown]
  }

  private mutating func end(_ command: Command, _ ending: Ending, now: Instant) -> [Action] {
    work = nil
    let result = conclude(command, ending, now: now)
    disk.endedFence = command.fence.number
    disk.result = AtlasV1.Result(result).encode()
    return [
      .note(.save(disk)), .note(.ended(command, result, healthy: disk.healthy)),
      .tell(.driverFinished(command.fence, result)),
    ]
  }
}

import AtlasModel

extension AgentMachine {
  mutating func take(_ command: Command, now: Instant) -> [AgentAction] {
    let fence = command.fence
    guard command.server == server else {
      return answer(fence, .refused, message: "this is \(server), not \(command.server)", now: now)
    }
    if let known = journal[fence] {
      return answer(fence, .accepted, recorded: known.status, now: now)
    }
    if let refusal = journal.refusal, refusal.fence == fence {
      return answer(fence, .refused, message: refusal.message, now: now)
    }
    guard fence > journal.highestFence || Plant.fenceNotChecked.isOn else {
      return stale(fence, now: now)
    }
    if let reason = refusal(of: command, now: now) {
      return [record(.refused(fence, message: reason))]
        + answer(fence, .refused, message: reason, now: now)
    }
    return [record(.accepted(command))] + answer(fence, .accepted, now: now) + beginNext(now: now)
  }

  private func refusal(of command: Command, now: Instant) -> String? {
    guard journal.commands.count < AgentLimits.commands else {
      return "\(AgentLimits.commands) commands wait here already"
    }
    return rules.refusal(of: command, now: now)?.bounded()
  }

  /// Tells what the newest command is, so that the daemon sees what has overtaken it.
  private mutating func stale(_ fence: Fence, now: Instant) -> [AgentAction] {
    answer(fence, .stale, recorded: journal.commands.last?.status, now: now)
  }

  private mutating func answer(
    _ fence: Fence, _ verdict: CommandAcknowledgement.Verdict, message: String = "",
    recorded: CommandStatus? = nil, now: Instant
  ) -> [AgentAction] {
    let acknowledgement = CommandAcknowledgement(
      fence: fence, verdict: verdict, message: message, recorded: recorded)
    return tell(.acknowledgement(acknowledgement), now: now)
  }

  /// A cancel is a fence of its own. It is answered with what became of its command.
  mutating func takeBack(_ target: Fence, cancel fence: Fence, now: Instant) -> [AgentAction] {
    let isRepeat = journal.cancel == JournalCancel(fence: fence, command: target)
    guard isRepeat || fence > journal.highestFence else { return stale(fence, now: now) }
    var actions: [AgentAction] = []
    if !isRepeat {
      actions.append(record(.cancel(fence, command: target)))
      actions += withdraw([target], why: "cancelled before it began", now: now)
    }
    actions += answer(fence, .accepted, recorded: journal[target]?.status, now: now)
    return actions + beginNext(now: now)
  }

  /// Commands below the fence that have not begun never begin; a download stops. The caller
  /// answers the daemon.
  mutating func stop(_ fence: Fence, now: Instant) -> [AgentAction] {
    guard fence > journal.stopFence, !Plant.agentIgnoresStop.isOn else { return [] }
    let below = journal.commands.map(\.command.fence).filter { $0 < fence }
    return [record(.stop(fence))]
      + withdraw(below, why: "an emergency stop came before it began", now: now)
      + beginNext(now: now)
  }

  /// Ends those of `fences` that have not begun, and stops a download that has.
  private mutating func withdraw(
    _ fences: [Fence], why: String, now: Instant
  ) -> [AgentAction] {
    var actions: [AgentAction] = []
    for fence in fences {
      guard let command = journal[fence], command.progress != .done else { continue }
      if runningFence == fence {
        if command.command.kind == .download { actions.append(.cancelDriver(fence)) }
      } else {
        let result = CommandResult(status: .cancelled, message: why)
        actions += finish(fence, result, now: now)
      }
    }
    return actions
  }

  /// Begins the lowest fence that waits, if nothing runs. The driver starts when `begun` is on
  /// disk, and a REBOOT only while the session is live: a server that goes down must do so with
  /// the daemon's knowledge.
  mutating func beginNext(now: Instant) -> [AgentAction] {
    var actions: [AgentAction] = []
    while let candidate = nextToBegin() {
      let (command, onDisk) = candidate
      let fence = command.fence
      if let refusal = refusal(toBegin: command, now: now) {
        actions += finish(fence, refusal, now: now)
        continue
      }
      guard command.kind != .reboot || isLive else { break }
      if onDisk {
        running = .driving(Driving(fence: fence))
        actions.append(.startDriver(command))
      } else {
        running = .beginning(fence, onDisk: false)
        actions.append(record(.begun(fence)))
        actions += afterJournal(.begin(fence), now: now)
      }
    }
    return actions
  }

  /// What ends a command that may not begin at this time; nil when it may.
  private func refusal(toBegin command: Command, now: Instant) -> CommandResult? {
    if let notAfter = command.notAfter, now > notAfter, !Plant.notAfterIgnored.isOn {
      return CommandResult(
        status: .refused, code: "NOT_AFTER", message: "its latest time to begin has passed")
    }
    return rules.refusal(toBegin: command, now: now).map {
      CommandResult(status: .refused, code: "E_WINDOW", message: $0.bounded())
    }
  }

  /// The command whose turn it is, and whether its `begun` is on disk; nil while one runs, and
  /// before the first welcome.
  private func nextToBegin() -> (Command, onDisk: Bool)? {
    switch running {
    case .driving, .beginning(_, onDisk: false):
      return nil
    case .beginning(let fence, onDisk: true):
      return journal[fence].map { ($0.command, true) }
    case .nothing:
      guard wasWelcomed else { return nil }
      return journal.commands.first { $0.progress == .accepted }.map { ($0.command, false) }
    }
  }
}

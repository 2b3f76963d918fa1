import AtlasEngine
import AtlasModel

/// Agents, as the world moves them.
extension EngineWorld {
  /// A session begins: the agent says Hello, is welcomed, and gets what the outbox holds.
  package mutating func connect(_ server: ServerID) {
    let index = Int(server.index)
    agents[index].isConnected = true
    agents[index].isDeaf = false
    let hello = agents[index].hello
    trace.answer("hello \(name(server))\(hello.words)", at: now)
    checker.heard(hello, from: server)
    for report in hello.reports { hear(server, report) }
    for outgoing in store.outbox where outgoing.server == server {
      store.markSent(outgoing.command.fence, false)
    }
    step(.agentBack(server, hello))
    obeyStop(server, state.welcomeFence(for: server))
    beginNext(server)
  }

  /// A session begins, and ends before the agent is welcomed.
  package mutating func connectInVain(_ name: String) {
    let server = server(name)
    let hello = agents[Int(server.index)].hello
    trace.answer("hello \(name)\(hello.words), and silent again", at: now)
    checker.heard(hello, from: server)
    step(.agentBack(server, hello))
    checker.silent(server, now: now)
    step(.agentSilent(server))
  }

  /// The session ends; what is on its way in it is lost.
  package mutating func disconnect(_ server: ServerID) {
    guard agents[Int(server.index)].isConnected else { return }
    agents[Int(server.index)].isConnected = false
    plan.removeAll {
      switch $0.happening {
      case .reaches(server, _), .says(server, _): true
      case .reaches, .says, .changes, .finishes, .disconnects, .connects, .hookEnds: false
      }
    }
    trace.event("\(name(server)) is silent", at: now)
    checker.silent(server, now: now)
    step(.agentSilent(server))
  }

  package mutating func connect(_ name: String) { connect(server(name)) }
  package mutating func disconnect(_ name: String) { disconnect(server(name)) }

  /// Changes something about an agent that the engine does not see.
  package mutating func change(_ name: String, _ change: (inout EngineAgent) -> Void) {
    change(&agents[Int(server(name).index)])
  }

  /// Says the same report once more.
  package mutating func repeatReport(_ server: ServerID, _ report: CommandReport) {
    hear(server, report)
    step(.reported(server, report))
  }

  /// Something that the daemon sent has arrived.
  mutating func receive(_ server: ServerID, _ message: DaemonMessage) {
    let index = Int(server.index)
    switch message {
    case .command(let command):
      let answer = script.answer(to: command)
      let said = agents[index].take(command, answer: answer, now: now)
      tell(server, .acknowledgement(said))
      beginNext(server)
    case .cancel(let fence, let target):
      if let report = agents[index].cancel(target, by: fence, now: now) {
        tell(server, .report(report))
      }
      beginNext(server)
    case .stop(let fence): obeyStop(server, fence)
    case .reportAcknowledgement(let fence, let seq): agents[index].acknowledged(fence, seq: seq)
    case .welcome, .probe: break
    }
  }

  private mutating func obeyStop(_ server: ServerID, _ fence: Fence) {
    for report in agents[Int(server.index)].stop(below: fence, now: now) {
      tell(server, .report(report))
    }
    beginNext(server)
  }

  mutating func beginNext(_ server: ServerID) {
    guard let order = agents[Int(server.index)].beginNext() else { return }
    let fence = order.command.fence
    if agents[Int(server.index)].begun.count(where: { $0 == fence }) > 1 {
      checker.report("S5: #\(fence.number) is begun twice")
    }
    if let notAfter = order.command.notAfter, now > notAfter {
      return finishNow(
        server, fence, CommandResult(status: .refused, code: "NOT_AFTER", message: "too late"))
    }
    if let changed = order.answer.changedAfter {
      schedule(.changes(server, fence), after: changed)
    }
    guard let after = order.answer.after else { return }
    if order.command.kind == .reboot, order.answer.result.status == .succeeded {
      schedule(.disconnects(server), after: .seconds(5))
      schedule(.finishes(server, fence), after: after)
      schedule(.connects(server), after: after)
      bootGuests(of: server, after: after)
    } else {
      schedule(.finishes(server, fence), after: after)
    }
  }

  /// Guests go down with their host, and come back after it.
  private mutating func bootGuests(of server: ServerID, after: Duration) {
    guard let wait = script.guestsFollow else { return }
    for guest in state.guests(of: server) {
      schedule(.disconnects(guest), after: .seconds(5))
      schedule(.connects(guest), after: after + wait)
    }
  }

  package mutating func finish(_ server: ServerID, _ fence: Fence) {
    guard let order = agents[Int(server.index)][fence] else { return }
    var result = order.answer.result
    let isSnapshot = order.command.kind == .snapshot && result.status == .succeeded
    if isSnapshot, result.snapshot == nil {
      result.snapshot = SnapshotFact(id: order.command.runKey, takenAt: now)
    }
    if order.command.kind == .reboot, result.status == .succeeded {
      agents[Int(server.index)].boots += 1
    }
    finishNow(server, fence, result)
  }

  private mutating func finishNow(_ server: ServerID, _ fence: Fence, _ result: CommandResult) {
    guard let report = agents[Int(server.index)].finish(fence, result, now: now) else { return }
    tell(server, .report(report))
    beginNext(server)
  }

  /// Something that an agent says, if it has a session to say it in.
  mutating func tell(_ server: ServerID, _ message: AgentMessage) {
    guard agents[Int(server.index)].isConnected else { return }
    schedule(.says(server, message), after: latency)
  }

  /// What an agent said has arrived.
  mutating func say(_ server: ServerID, _ message: AgentMessage) {
    switch message {
    case .acknowledgement(let answer):
      if answer.verdict != .accepted {
        trace.answer("#\(answer.fence.number) \(name(server)): \(answer.words)", at: now)
      }
      step(.acknowledged(server, answer))
    case .report(let report):
      trace.answer("#\(report.fence.number) \(name(server)): \(report.words)", at: now)
      hear(server, report)
      step(.reported(server, report))
    case .hello, .probed: break
    }
  }

  /// The checker learns what is reported about the run that waits for it.
  private mutating func hear(_ server: ServerID, _ report: CommandReport) {
    checker.heard(report, from: server)
    guard case .result(let result) = report.event,
      let ref = state[server: server].openRun, state[ref].command?.fence == report.fence
    else { return }
    checker.heard(result, from: ref)
  }
}

extension Hello {
  fileprivate var words: String {
    var words: [String] = []
    if let command {
      words.append("#\(command.fence.number) \(command.kind.word) \(command.progress)")
    }
    for report in reports { words.append("#\(report.fence.number): \(report.words)") }
    return words.isEmpty ? "" : " (" + words.joined(separator: "; ") + ")"
  }
}

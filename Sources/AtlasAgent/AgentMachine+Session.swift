import AtlasModel

extension AgentMachine {
  mutating func sessionOpened(now: Instant) -> [AgentAction] {
    forgetSends()
    let hello = makeHello()
    session = .opening(told: Set(hello.reports.map { ReportKey(fence: $0.fence, seq: $0.seq) }))
    return afterJournal(.send(.hello(hello)), now: now)
  }

  mutating func sessionClosed() -> [AgentAction] {
    forgetSends()
    session = .closed
    return []
  }

  /// What was on its way in a session that is gone is told again in the next hello.
  private mutating func forgetSends() {
    waiting.removeAll { waiting in
      if case .send = waiting.step { true } else { false }
    }
  }

  /// What the agent would say about itself now. It carries as many reports as one message does,
  /// those of the newest command first: the daemon waits for them.
  package func makeHello() -> Hello {
    var reports: [CommandReport] = []
    var room = AgentLimits.helloReports
    for report in journal.commands.flatMap(\.reports).reversed() {
      room -= report.roughSize
      guard room >= 0 else { break }
      reports.append(report)
    }
    return Hello(
      server: server, agentVersion: version, bootID: journal.bootID,
      highestFence: journal.highestFence, command: journal.commands.last?.status,
      reports: reports.reversed())
  }

  mutating func received(_ message: DaemonMessage, now: Instant) -> [AgentAction] {
    switch (session, message) {
    case (.closed, _):
      // The rest of a session that has ended; the daemon sends it again in the next.
      return []
    case (.opening(let told), .welcome(let welcome)):
      return welcomed(welcome, told: told, now: now)
    case (.opening, .command), (.opening, .cancel), (.opening, .stop), (.opening, .probe),
      (.opening, .reportAcknowledgement):
      return end(.messageBeforeWelcome)
    case (.live, .welcome):
      return end(.secondWelcome)
    case (.live, .command(let command)):
      return take(command, now: now)
    case (.live, .cancel(let fence, let command)):
      return takeBack(command, cancel: fence, now: now)
    case (.live, .stop(let fence)):
      return stop(fence, now: now)
        + tell(.acknowledgement(CommandAcknowledgement(fence: fence, verdict: .accepted)), now: now)
    case (.live, .reportAcknowledgement(let fence, let seq)):
      return acknowledged(fence, seq: seq, now: now)
    case (.live, .probe(let probe)):
      return [.probe(probe)]
    }
  }

  /// What the driver found, and what this agent's own rules say. Nothing of it is on disk, so
  /// nothing has to be waited for.
  mutating func probed(_ number: UInt64, _ facts: ServerFacts) -> [AgentAction] {
    guard isLive else { return [] }
    var facts = facts
    facts.refusals = rules.refusals + facts.refusals
    return [.send(.probed(ProbeAnswer(number: number, facts: facts)))]
  }

  /// A stop that the agent has not seen comes first: nothing may begin below it.
  private mutating func welcomed(
    _ welcome: Welcome, told: Set<ReportKey>, now: Instant
  ) -> [AgentAction] {
    session = .live
    wasWelcomed = true
    let untold = journal.commands.flatMap(\.reports).filter {
      !told.contains(ReportKey(fence: $0.fence, seq: $0.seq))
    }
    var actions: [AgentAction] = []
    for report in untold { actions += tell(.report(report), now: now) }
    actions += stop(welcome.stopFence, now: now)
    return actions + beginNext(now: now)
  }

  private mutating func end(_ fault: SessionFault) -> [AgentAction] {
    sessionClosed() + [.endSession(fault)]
  }

  private mutating func acknowledged(
    _ fence: Fence, seq: UInt32, now: Instant
  ) -> [AgentAction] {
    guard let command = journal[fence], let oldest = command.reports.first, oldest.seq <= seq else {
      return []
    }
    let entry = record(.acknowledged(fence, seq: min(seq, command.lastSeq)))
    return [entry] + reportHeldProgress(now: now)
  }
}

extension CommandReport {
  /// About its size on the wire, never less.
  fileprivate var roughSize: Int {
    switch event {
    case .progress(let progress):
      return 64 + progress.message.utf8.count
    case .result(let result):
      let updates = result.updates.reduce(0) {
        $0 + 16 + $1.update.text.utf8.count + $1.code.utf8.count
      }
      let problems = result.health?.problems.reduce(0) { $0 + 8 + $1.utf8.count } ?? 0
      let texts = [
        result.code, result.message, result.snapshot?.id ?? "", result.health?.build ?? "",
      ]
      return 256 + updates + problems + texts.reduce(0) { $0 + $1.utf8.count }
    }
  }
}

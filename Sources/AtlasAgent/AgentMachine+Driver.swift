import AtlasModel

extension AgentMachine {
  /// Journals `changed` before anything is changed, and says so.
  mutating func driverWillChange(_ fence: Fence, now: Instant) -> [AgentAction] {
    guard case .driving(let driving) = running, driving.fence == fence, let command = journal[fence]
    else { return [] }
    var actions: [AgentAction] = []
    if !command.changed, !Plant.changeNotJournaled.isOn {
      actions.append(record(.changed(fence)))
      actions += report(ProgressReport(percent: driving.percent, changed: true), now: now)
    }
    return actions + afterJournal(.permit(fence), now: now)
  }

  mutating func driverProgress(
    _ fence: Fence, _ report: ProgressReport, now: Instant
  ) -> [AgentAction] {
    guard runningFence == fence, let command = journal[fence] else { return [] }
    // A driver that changes things without asking is wrong, but what it says is true.
    let entry = report.changed && !command.changed ? [record(.changed(fence))] : []
    return entry + self.report(report, now: now)
  }

  /// Reports progress of the running command, or holds it while an older one is unacknowledged.
  private mutating func report(_ report: ProgressReport, now: Instant) -> [AgentAction] {
    guard case .driving(var driving) = running, let command = journal[driving.fence] else {
      return []
    }
    driving.percent = min(max(report.percent, 0), 100)
    driving.held = ProgressReport(
      percent: driving.percent, message: report.message.bounded(),
      changed: report.changed || command.changed)
    running = .driving(driving)
    return reportHeldProgress(now: now)
  }

  /// Numbers the progress that waits, when its turn has come.
  mutating func reportHeldProgress(now: Instant) -> [AgentAction] {
    guard case .driving(var driving) = running, let held = driving.held,
      let command = journal[driving.fence], command.reports.isEmpty
    else { return [] }
    driving.held = nil
    running = .driving(driving)
    return add(.progress(held), to: command, now: now)
  }

  mutating func driverFinished(
    _ fence: Fence, _ result: CommandResult, now: Instant
  ) -> [AgentAction] {
    guard runningFence == fence else { return [] }
    return finish(fence, result, now: now) + beginNext(now: now)
  }

  /// Ends a command with its result, whether it ran or never will.
  mutating func finish(
    _ fence: Fence, _ result: CommandResult, now: Instant
  ) -> [AgentAction] {
    guard let command = journal[fence], command.progress != .done else { return [] }
    switch running {
    case .driving(let driving) where driving.fence == fence: running = .nothing
    case .beginning(fence, _): running = .nothing
    case .nothing, .beginning, .driving: break
    }
    var result = result.bounded()
    result.changed = result.changed || command.changed
    return add(.result(result), to: command, now: now)
  }

  private mutating func add(
    _ event: CommandReport.Event, to command: JournalCommand, now: Instant
  ) -> [AgentAction] {
    let report = CommandReport(
      fence: command.command.fence, seq: command.lastSeq + 1, at: now, event: event)
    return [record(.report(report))] + tell(.report(report), now: now)
  }
}

extension AgentMachine {
  /// After a start of the process: goes on where the journal says it was.
  mutating func started(bootID: String, now: Instant) -> [AgentAction] {
    let bootID = bootID.bounded(to: AgentLimits.bootID)
    let hasBooted = !journal.bootID.isEmpty && journal.bootID != bootID
    var actions: [AgentAction] = []
    if journal.bootID != bootID { actions.append(record(.booted(bootID: bootID))) }
    actions += withdrawAgain(now: now)
    if let interrupted = journal.commands.first(where: { $0.progress == .begun }) {
      let command = interrupted.command
      running = .driving(Driving(fence: command.fence))
      let interruption: Interruption =
        !hasBooted ? .agentRestarted : command.kind == .reboot ? .orderedBoot : .unexpectedBoot
      actions += afterJournal(.resume(command.fence, after: interruption), now: now)
    }
    return actions + beginNext(now: now)
  }

  /// A cancel or stop that was journaled, and the results it gave to its commands not yet.
  private mutating func withdrawAgain(now: Instant) -> [AgentAction] {
    let withdrawn = journal.commands.filter { $0.withdrawn && $0.progress == .accepted }
    return withdrawn.reduce(into: []) { actions, command in
      let result = CommandResult(status: .cancelled, message: "cancelled before it began")
      actions += finish(command.command.fence, result, now: now)
    }
  }

  func resume(_ fence: Fence, after interruption: Interruption) -> [AgentAction] {
    guard runningFence == fence, let command = journal[fence] else { return [] }
    let resume = AgentAction.resumeDriver(
      command.command, changed: command.changed, after: interruption)
    return command.withdrawn ? [resume, .cancelDriver(fence)] : [resume]
  }
}

extension CommandResult {
  /// This result, cut to what one report may carry.
  fileprivate func bounded() -> CommandResult {
    var result = self
    result.code = code.bounded(to: AgentLimits.code)
    result.message = message.bounded()
    result.updates = updates.prefix(Limits.updates).map { update in
      var update = update
      update.code = update.code.bounded(to: AgentLimits.code)
      return update
    }
    result.health?.problems = (health?.problems ?? []).prefix(AgentLimits.problems).map {
      $0.bounded(to: AgentLimits.problem)
    }
    result.health?.build = (health?.build ?? "").bounded(to: AgentLimits.code)
    return result
  }
}

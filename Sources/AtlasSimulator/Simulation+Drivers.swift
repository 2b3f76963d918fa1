import AtlasAgent
import AtlasChecker
import AtlasModel

/// What servers do with their orders.
extension Simulation {
  func startDriver(_ command: Command, on number: Int) {
    tell("\(machines[number].server) begins \(command.kind.word) (fence \(command.fence.number))")
    checker.began(CommandFact(command), on: number, of: machines[number].server.text)
    if command.kind == .update { updatesOrdered[command.server.text] = nil }
    begin(command, on: number, after: agentRandom.seconds(2...10))
    see(.begins(command.kind, machines[number].server))
  }

  private func begin(_ command: Command, on number: Int, after delay: Duration) {
    machines[number].nextJob += 1
    machines[number].job = Job(number: machines[number].nextJob, command: command)
    goOn(number, after: delay)
  }

  func goOn(_ number: Int, after delay: Duration) {
    after(delay, .driverGoesOn(machine: number, job: machines[number].nextJob))
  }

  func resumeDriver(
    _ command: Command, on number: Int, changed: Bool, after interruption: Interruption
  ) {
    tell("\(machines[number].server) takes up \(command.kind.word) again (\(interruption))")
    checker.resumed(CommandFact(command), on: number, of: machines[number].server.text)
    switch (command.kind, interruption) {
    case (.reboot, .orderedBoot):
      begin(command, on: number, after: agentRandom.seconds(5...60))
      conclude(number, bootResult(number))
    case (.update, .unexpectedBoot):
      sometimes.reach(.bootDuringInstall)
      begin(command, on: number, after: agentRandom.seconds(5...60))
      let message = changed ? "booted while installing" : "booted before it began"
      conclude(
        number,
        CommandResult(status: .failed, retryable: true, message: message, changed: changed))
    case (.update, _) where changed:
      // The installer went on meanwhile, or has ended: its result is what counts.
      if machines[number].job?.command.fence == command.fence { return }
      begin(command, on: number, after: agentRandom.seconds(30...300))
      conclude(number, installResult(command, number))
    case (.rollback, .unexpectedBoot) where machines[number].putBackBy == command.fence:
      begin(command, on: number, after: agentRandom.seconds(5...60))
      conclude(number, CommandResult(status: .succeeded))
    case (.download, _), (.snapshot, _), (.update, _), (.reboot, _), (.health, _),
      (.rollback, _), (.removeSnapshot, _):
      begin(command, on: number, after: agentRandom.seconds(2...10))
    }
  }

  func cancelDriver(_ fence: Fence, on number: Int) {
    guard machines[number].job?.command.fence == fence else { return }
    conclude(number, CommandResult(status: .cancelled, message: "cancelled"))
    goOn(number, after: agentRandom.seconds(1...20))
  }

  func permitChange(_ fence: Fence, on number: Int) {
    guard var job = machines[number].job, job.command.fence == fence else { return }
    checker.changes(
      CommandFact(job.command), on: number, of: machines[number].server.text)
    job.isPermitted = true
    job.step = .works
    job.progressLeft = agentRandom.number(1...4)
    if let long = machines[number].traits.installs {
      job.progressLeft = max(0, Int(long / Self.progressInterval) - 1)
    }
    machines[number].job = job
    goOn(number, after: installStep(number))
    meddle(whileChanging: number)
    maySilenceSource(whileChanging: number)
    see(.changes(machines[number].server))
  }

  func driverGoesOn(_ number: Int, job: Int) {
    guard let current = machines[number].job, current.number == job, machines[number].isUp else {
      return
    }
    if waitsForPause(number, .driverGoesOn(machine: number, job: job)) { return }
    switch current.step {
    case .begins: beginWork(current.command, on: number)
    case .asksForLeave: break
    case .works: goOnInstalling(current, on: number)
    case .goesDown: goDown(number, for: downTime(number))
    case .ends(let result): end(current, with: result, on: number)
    }
  }

  private func downTime(_ number: Int) -> Duration {
    if let long = machines[number].traits.boots { return long }
    return machines[number].ailments.contains(.bootHangs) && agentRandom.happens(500)
      ? agentRandom.minutes(20...120) : agentRandom.minutes(2...8)
  }

  private func beginWork(_ command: Command, on number: Int) {
    let result: CommandResult
    switch command.kind {
    case .download:
      result = CommandResult(status: agentRandom.happens(100) ? .failed : .succeeded)
      return finish(number, with: result, after: agentRandom.minutes(1...20))
    case .snapshot: return takeSnapshot(command, on: number)
    case .update: return beginInstalling(command, on: number)
    case .reboot:
      machines[number].job?.step = .goesDown
      return goOn(number, after: agentRandom.seconds(1...5))
    case .health: result = healthResult(command, number)
    case .rollback: return rollBack(command, on: number)
    case .removeSnapshot:
      machines[number].snapshots[command.snapshotID] = nil
      checker.snapshotRemoved(of: machines[number].server.text, for: command.runKey)
      result = CommandResult(status: .succeeded)
    }
    finish(number, with: result, after: agentRandom.seconds(3...30))
  }

  private func finish(_ number: Int, with result: CommandResult, after delay: Duration) {
    conclude(number, result)
    goOn(number, after: delay)
  }

  /// The job has nothing left to do but to say this. (As an argument, because whoever works it out
  /// looks at the machine.)
  private func conclude(_ number: Int, _ result: CommandResult) {
    machines[number].job?.step = .ends(result)
  }

  private func end(_ job: Job, with result: CommandResult, on number: Int) {
    // An installer that has ended while the agent is away keeps its result for it.
    guard machines[number].process != nil else {
      return goOn(number, after: .seconds(30))
    }
    machines[number].job = nil
    checker.ended(job.command.fence.number, on: number)
    tell("\(machines[number].server) ends \(job.command.kind.word): \(result.status)")
    tellAgent(number, .driverFinished(job.command.fence, result))
  }

  private func takeSnapshot(_ command: Command, on number: Int) {
    guard !machines[number].ailments.contains(.snapshotFails) else {
      return finish(
        number, with: CommandResult(status: .failed, message: "no space for a snapshot"),
        after: agentRandom.seconds(5...60))
    }
    let machine = machines[number]
    machines[number].snapshots[command.runKey] = Machine.Snapshot(
      installedPasses: machine.installedPasses, owesBoot: machine.owesBoot,
      journal: machine.journal)
    checker.snapshotTaken(of: machine.server.text, for: command.runKey)
    let fact = SnapshotFact(id: command.runKey, takenAt: believed(number))
    noteSnapshot(by: number)
    finish(
      number, with: CommandResult(status: .succeeded, snapshot: fact),
      after: agentRandom.seconds(5...90))
  }

  // MARK: - Installing

  private func beginInstalling(_ command: Command, on number: Int) {
    let machine = machines[number]
    let refusal: CommandResult?
    if machine.ailments.contains(.sourceUnreachable) || isSourceSilent(for: machine.client) {
      noteSilence(to: command)
      refusal = CommandResult(status: .environment, code: "0x8024402C", message: "no update source")
    } else if machine.ailments.contains(.diskFull) {
      refusal = CommandResult(status: .failed, code: "E_DISK_FULL", message: "the disk is full")
    } else if machine.owesBoot {
      refusal = CommandResult(status: .succeeded, rebootRequired: true)
    } else if machine.installedPasses >= machine.passesNeeded {
      refusal = CommandResult(
        status: .succeeded,
        updates: [UpdateResult(update: Self.update(1), outcome: .notApplicable)])
    } else {
      refusal = nil
    }
    if let refusal { return finish(number, with: refusal, after: agentRandom.seconds(5...60)) }
    machines[number].job?.step = .asksForLeave
    tellAgent(number, .driverWillChange(command.fence))
  }

  private func goOnInstalling(_ job: Job, on number: Int) {
    guard job.progressLeft > 0 else {
      let result = installResult(job.command, number)
      machines[number].job?.step = .ends(result)
      return end(job, with: result, on: number)
    }
    machines[number].job?.progressLeft -= 1
    if machines[number].ailments.contains(.bootsWhileInstalling), job.progressLeft == 1,
      agentRandom.happens(500)
    {
      return goDown(number, for: agentRandom.minutes(2...6))
    }
    tellAgent(
      number,
      .driverProgress(
        job.command.fence, ProgressReport(percent: 90 - 20 * job.progressLeft)))
    let hangs = machines[number].ailments.contains(.installHangs) && job.progressLeft == 1
    goOn(number, after: hangs ? agentRandom.minutes(30...180) : installStep(number))
  }

  /// Until an installer has something to say again.
  private func installStep(_ number: Int) -> Duration {
    machines[number].traits.installs == nil
      ? agentRandom.seconds(30...300) : Self.progressInterval
  }

  private static let progressInterval = Duration.seconds(600)

  /// The installer has ended: what is on the disk now, and what it says.
  private func installResult(_ command: Command, _ number: Int) -> CommandResult {
    let ailments = machines[number].ailments
    if ailments.contains(.installFails) {
      return CommandResult(
        status: .failed, code: "0x80070643", message: "the installer failed", changed: true,
        updates: [UpdateResult(update: Self.update(1), outcome: .failed, code: "0x80070643")])
    }
    if ailments.contains(.installFailsOnce), machines[number].failedInstalls == 0 {
      machines[number].failedInstalls = 1
      return CommandResult(
        status: .failed, retryable: true, code: "0x80070005", message: "try again", changed: true)
    }
    machines[number].installedPasses += 1
    machines[number].owesBoot =
      agentRandom.happens(700) && machines[number].traits.wantsBoot
      || ailments.contains(.updateReverted)
    if ailments.contains(.unhealthyAfterUpdate) || ailments.contains(.liesAboutHealth)
      || ailments.contains(.rollbackFails) || ailments.contains(.rollbackRefused)
      || breaks(command, number)
    {
      machines[number].isBroken = true
    }
    let more = machines[number].installedPasses < machines[number].passesNeeded
    if more { sometimes.reach(.threePasses) }
    return CommandResult(
      status: .succeeded, changed: true, updates: updateResults(number, command),
      rebootRequired: machines[number].owesBoot, moreUpdates: more)
  }

  private static func update(_ number: Int) -> UpdateID { UpdateID(trusted: "KB500\(number)") }

  private func breaks(_ command: Command, _ number: Int) -> Bool {
    guard let bad = machines[number].traits.badUpdate else { return false }
    return !command.updateSet.exclude.contains(bad)
  }

  /// The second update is the one that fails where one does.
  private func updateResults(_ number: Int, _ command: Command) -> [UpdateResult] {
    let fails = machines[number].ailments.contains(.optionalUpdateFails)
    return (1...machines[number].traits.updates).map(Self.update)
      .filter { !command.updateSet.exclude.contains($0) }
      .map {
        fails && $0 == Self.update(2)
          ? UpdateResult(update: $0, outcome: .failed, code: "0x80073712")
          : UpdateResult(update: $0, outcome: .installed)
      }
  }

  private func bootResult(_ number: Int) -> CommandResult {
    if machines[number].ailments.contains(.updateReverted), !machines[number].hasReverted {
      machines[number].hasReverted = true
    }
    let more = machines[number].installedPasses < machines[number].passesNeeded
    return CommandResult(status: .succeeded, moreUpdates: more)
  }

  private func healthResult(_ command: Command, _ number: Int) -> CommandResult {
    let machine = machines[number]
    let isWell = !machine.isBroken || machine.ailments.contains(.liesAboutHealth)
    var updates: [UpdateResult] = []
    if machine.hasReverted, !command.afterRollback {
      updates = [UpdateResult(update: Self.update(2), outcome: .reverted)]
    }
    let health = HealthFact(
      healthy: isWell, problems: isWell ? [] : ["a service does not run"], build: "20348.1")
    return CommandResult(status: .succeeded, updates: updates, health: health)
  }

  // MARK: - Rolling back

  private func rollBack(_ command: Command, on number: Int) {
    let machine = machines[number]
    if machine.ailments.contains(.rollbackRefused) {
      return finish(
        number, with: CommandResult(status: .refused, message: "not for this role"),
        after: agentRandom.seconds(3...20))
    }
    if machine.ailments.contains(.rollbackFails) {
      return finish(
        number, with: CommandResult(status: .failed, message: "the revert failed"),
        after: agentRandom.seconds(30...120))
    }
    guard command.rollbackMeans == .snapshot else {
      revert(number, to: nil)
      return finish(
        number, with: CommandResult(status: .succeeded), after: agentRandom.seconds(60...400))
    }
    guard let snapshot = machine.snapshots[command.snapshotID] else {
      return finish(
        number, with: CommandResult(status: .failed, message: "no such snapshot"),
        after: agentRandom.seconds(3...20))
    }
    goDown(number, for: agentRandom.minutes(2...6))
    machines[number].putBackBy = command.fence
    revert(number, to: snapshot)
    guard machine.ailments.contains(.journalIsRevertedToo) else { return }
    sometimes.reach(.journalRevertedWithServer)
    machines[number].journal = snapshot.journal
    checker.ended(command.fence.number, on: number)
  }

  private func revert(_ number: Int, to snapshot: Machine.Snapshot?) {
    machines[number].installedPasses = snapshot?.installedPasses ?? 0
    machines[number].owesBoot = snapshot?.owesBoot ?? false
    machines[number].isBroken = false
    machines[number].hasReverted = false
  }
}

import AtlasModel
import AtlasWire

// How commands end, and what that does to the server.

extension SimulatedServer {
  mutating func conclude(_ command: Command, _ ending: Ending, now: Instant) -> CommandResult {
    switch ending {
    case .asItIs: return succeed(command, now: now)
    case .failed(let code, let retryable): return fail(command, code, retryable: retryable)
    case .environment(let code):
      return CommandResult(
        status: .environment, retryable: true, code: code, message: "the update source is silent")
    case .refused(let code, let message):
      return CommandResult(status: .refused, code: code, message: message)
    case .cancelled:
      return CommandResult(status: .cancelled, message: "stopped by a cancel or an emergency stop")
    case .interrupted: return interrupt(command)
    case .neverBegan:
      return CommandResult(
        status: .failed, retryable: true, code: "E_NOT_BEGUN",
        message: "the agent's process ended before the command began")
    case .again: return earlierResult
    }
  }

  private var earlierResult: CommandResult {
    let result = try? CommandResult(AtlasV1.Result(decoding: disk.result))
    return result
      ?? CommandResult(
        status: .failed, retryable: true, code: "E_RESULT_LOST",
        message: "the server does not know its result any more")
  }

  private mutating func succeed(_ command: Command, now: Instant) -> CommandResult {
    switch command.kind {
    case .download: return CommandResult(status: .succeeded)
    case .snapshot: return takeSnapshot(command, now: now)
    case .update: return install(command)
    case .reboot: return boot()
    case .health:
      if command.afterRollback { takeRevertFromOutside() }
      return examine(command)
    case .rollback: return rollBack(command)
    case .removeSnapshot:
      if disk.snapshot?.id == command.snapshotID { disk.snapshot = nil }
      return CommandResult(status: .succeeded)
    }
  }

  /// A snapshot named after the run; taking it again finds the first.
  private mutating func takeSnapshot(_ command: Command, now: Instant) -> CommandResult {
    let id = "snap-\(command.runKey)"
    if disk.snapshot?.id != id {
      disk.snapshot = SimulatedDisk.Snapshot(
        id: id, takenAtMilliseconds: now.milliseconds, installed: disk.installed)
    }
    let takenAt = Instant(milliseconds: disk.snapshot?.takenAtMilliseconds ?? now.milliseconds)
    return CommandResult(status: .succeeded, snapshot: SnapshotFact(id: id, takenAt: takenAt))
  }

  // MARK: Installing

  /// What a pass would install now.
  func missing(_ set: UpdateSet) -> [String] {
    temper.plan(set).filter { update in
      guard let pass = update.pass else { return false }
      return pass <= disk.round + 1 && !disk.installed.contains(update.id)
        && disk.failed[update.id] == nil
    }.map(\.id)
  }

  private mutating func install(_ command: Command) -> CommandResult {
    if disk.rebootPending {
      return CommandResult(
        status: .succeeded, message: "a boot was pending", rebootRequired: true, moreUpdates: true)
    }
    if command.attempt <= 1, command.pass <= 1 {
      disk.round = 0
      disk.installedBefore = disk.installed
    }
    let missing = missing(command.updateSet)
    if failure == .optionalUpdateFails, disk.failures == 0,
      let update = missing.last(where: { !command.updateSet.required.map(\.text).contains($0) })
    {
      disk.failures += 1
      disk.failed[update] = "0x80070643"
    }
    let fresh = missing.filter { disk.failed[$0] == nil }
    let claimed = results(command.updateSet, claiming: fresh)
    if failure != .lies { add(fresh) }
    let needsBoot = temper.needsReboot && !missing.isEmpty
    disk.rebootPending = needsBoot
    if !needsBoot { disk.round += 1 }
    if isUnhealthyKind, !missing.isEmpty { disk.healthy = false }
    disk.moreToCome = failure != .lies && isMoreToCome(command.updateSet)
    return CommandResult(
      status: .succeeded, changed: !missing.isEmpty, updates: claimed, rebootRequired: needsBoot,
      moreUpdates: disk.moreToCome)
  }

  private var isUnhealthyKind: Bool {
    failure == .unhealthyAfterUpdate || failure == .rollbackRefused || failure == .rollbackFails
  }

  private mutating func add(_ updates: [String]) {
    disk.installed = Set(disk.installed).union(updates).sorted()
    disk.reverted.removeAll { updates.contains($0) }
  }

  /// Some update of the set is neither installed nor failed.
  private func isMoreToCome(_ set: UpdateSet) -> Bool {
    temper.plan(set).contains {
      $0.pass != nil && !disk.installed.contains($0.id) && disk.failed[$0.id] == nil
        && !disk.reverted.contains($0.id)
    }
  }

  /// What is known about each update of the set; `claiming` some are installed.
  private func results(_ set: UpdateSet, claiming claimed: [String] = []) -> [UpdateResult] {
    temper.plan(set).compactMap { update in
      let id = UpdateID(trusted: update.id)
      if update.pass == nil { return UpdateResult(update: id, outcome: .notApplicable) }
      if let code = disk.failed[update.id] {
        return UpdateResult(update: id, outcome: .failed, code: code)
      }
      if disk.reverted.contains(update.id) { return UpdateResult(update: id, outcome: .reverted) }
      let isThere = disk.installed.contains(update.id) || claimed.contains(update.id)
      return isThere ? UpdateResult(update: id, outcome: .installed) : nil
    }
  }

  /// Half of what was to do is done.
  private mutating func fail(
    _ command: Command, _ code: String, retryable: Bool
  ) -> CommandResult {
    disk.failures += 1
    guard command.kind == .update else {
      return CommandResult(
        status: .failed, retryable: retryable, code: code,
        message: "\(command.kind.word) failed", changed: command.kind == .rollback)
    }
    let missing = missing(command.updateSet)
    add(Array(missing.prefix(missing.count / 2)))
    var updates = results(command.updateSet)
    updates += missing.dropFirst(missing.count / 2).map {
      UpdateResult(update: UpdateID(trusted: $0), outcome: .failed, code: code)
    }
    return CommandResult(
      status: .failed, retryable: retryable, code: code, message: "the installer gave up",
      changed: true, updates: updates)
  }

  private mutating func interrupt(_ command: Command) -> CommandResult {
    disk.failures += 1
    let missing = command.kind == .update ? missing(command.updateSet) : []
    add(Array(missing.prefix(missing.count / 3)))
    return CommandResult(
      status: .failed, retryable: true, code: "E_INTERRUPTED",
      message: "the server booted in the middle of \(command.kind.word)", changed: !missing.isEmpty,
      updates: command.kind == .update ? results(command.updateSet) : [])
  }

  // MARK: Booting, looking, going back

  private mutating func boot() -> CommandResult {
    if disk.rebootPending {
      disk.rebootPending = false
      disk.round += 1
    }
    if failure == .rebootHangs { disk.failures += 1 }
    if failure == .updateRevertedAtBoot, disk.failures == 0, let update = disk.installed.last {
      disk.failures += 1
      disk.installed.removeLast()
      disk.reverted.append(update)
    }
    return CommandResult(status: .succeeded, moreUpdates: disk.moreToCome)
  }

  private func examine(_ command: Command) -> CommandResult {
    var updates = results(command.updateSet)
    if failure == .lies, !command.afterRollback {
      let known = Set(updates.map(\.update.text))
      updates += temper.plan(command.updateSet).filter { !known.contains($0.id) }.map {
        UpdateResult(update: UpdateID(trusted: $0.id), outcome: .reverted)
      }
    }
    let problems = disk.healthy ? [] : ["the service of this server does not answer"]
    return CommandResult(
      status: .succeeded, updates: command.afterRollback ? [] : updates,
      health: HealthFact(
        healthy: disk.healthy, problems: problems, build: "20348.\(2_000 + disk.installed.count)"))
  }

  private mutating func rollBack(_ command: Command) -> CommandResult {
    switch command.rollbackMeans {
    case .snapshot:
      guard !command.snapshotID.isEmpty else {
        return CommandResult(
          status: .failed, code: "E_NO_SNAPSHOT", message: "there is no snapshot to go back to")
      }
      // One that is not ours was taken from outside, by a hook.
      let isOurs = disk.snapshot?.id == command.snapshotID
      disk.installed = isOurs ? disk.snapshot?.installed ?? [] : disk.installedBefore
    case .uninstall, .hold:
      let set = Set(temper.plan(command.updateSet).map(\.id))
      disk.installed.removeAll { set.contains($0) }
    }
    cleanUp()
    return CommandResult(status: .succeeded, changed: true)
  }

  /// A hook that rolls back does it at the hypervisor: no command tells the server, which finds
  /// itself put back.
  private mutating func takeRevertFromOutside() {
    guard failure != .rollbackFails, failure != .rollbackRefused else { return }
    disk.installed = disk.installedBefore
    cleanUp()
  }

  /// Nothing is left of the attempt.
  private mutating func cleanUp() {
    disk.failed = [:]
    disk.reverted = []
    disk.healthy = true
    disk.round = 0
    disk.rebootPending = false
    disk.moreToCome = false
  }
}

import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Nights that chance seldom brings. Each leads to one row of the drawing in `docs/states.md`, so
/// that the comparison with it does not depend on luck; their names are those of their traces.
enum RareNight: String, CaseIterable {
  /// PARKED to IN_PROGRESS by run.retried.
  case stoppedBetweenAttempts = "stop-backoff"
  /// PARKED to IN_PROGRESS by run.back.
  case begunBeforeTheStop = "stop-update-begun"
  /// PARKED to HELD by run.held.
  case parkedJournalLost = "parked-journal-lost"
  /// PARKED to SKIPPED by run.skipped.
  case parkedSkipped = "parked-skipped"
  /// PARKED to NOT_ATTEMPTED by run.not_attempted.
  case parkedTooLong = "parked-too-long"
  /// PENDING to FAILED by run.failed.
  case failedBefore = "failed-before"
  /// PARKED to FAILED by run.failed.
  case failedBeforeAndParked = "failed-before-and-parked"
  /// IN_PROGRESS to POSTPONED by run.postponed.
  case deferredPastTheEnd = "deferred-past-end"
  /// HELD to HELD by run.held.
  case overdueJournalLost = "overdue-journal-lost"
  /// HELD to PENDING by run.given_back.
  case heldUntouched = "held-untouched"
  /// HELD to NOT_ATTEMPTED by run.not_attempted.
  case heldPastTheEnd = "held-past-end"
  /// HELD to POSTPONED by run.postponed.
  case heldPastTheEndAndCarriedOver = "held-past-end-carried-over"
  /// REBOOT to FINALIZE.
  case bootRefused = "pending-reboot-refused"
  /// POST_CHECK to POST_CHECK.
  case checkedTwice = "checked-twice"
  /// COMPLETED to COMPLETED by run.snapshot_removed.
  case snapshotKept = "kept"
  /// COMPLETED to COMPLETED by run.warning.
  case keptSnapshotNotRemoved = "kept-not-removed"
  /// COMPLETED to COMPLETED by run.undone; PRE_CHECK to ROLLBACK.
  case undone = "undone"
  /// ROLLBACK to FINALIZE.
  case undoRefused = "undo-refused"

  /// What the world looks like in the morning.
  var world: EngineWorld {
    switch self {
    case .stoppedBetweenAttempts: stopBetweenAttempts()
    case .begunBeforeTheStop: beginBeforeTheStop()
    case .parkedJournalLost: loseTheJournalOfAParkedServer()
    case .parkedSkipped: cancelWhileParked()
    case .parkedTooLong: parkUntilTheBackupIsTooOld()
    case .failedBefore: skipWhatWasRolledBack()
    case .failedBeforeAndParked: parkWhatWasRolledBack()
    case .deferredPastTheEnd: deferPastTheEnd()
    case .overdueJournalLost: loseTheJournalOfAnOverdueServer()
    case .heldUntouched: retryUntouched(.with { _ in })
    case .heldPastTheEnd: retryUntouched(.with { _ in }, end: .seconds(900))
    case .heldPastTheEndAndCarriedOver:
      retryUntouched(.with { $0.carryOver = true }, end: .seconds(900))
    case .bootRefused: refuseTheBoot()
    case .checkedTwice: checkTwice()
    case .snapshotKept: keepASnapshot()
    case .keptSnapshotNotRemoved: keepASnapshot(removal: .ends(.failed, "E_BUSY", "a backup runs"))
    case .undone: rollBackACampaign()
    case .undoRefused: rollBackACampaign(.refuses("not while the shop is open"))
    }
  }

  private var server: String { "LAA-PARIS-WEB01" }

  private func stopBetweenAttempts() -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    world.campaign("patch-11")
    world.run(until: server, .update, .backoff)
    world.stop()
    world.finishNight()
    return world
  }

  private func stopWhileTheOrderIsAcknowledged() -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    world.latency = .seconds(2)
    world.campaign("patch-11")
    world.run(until: server, .update)
    // The order has arrived; its acknowledgement meets the stop on the way.
    world.run(for: .seconds(3))
    world.stop()
    return world
  }

  private func beginBeforeTheStop() -> EngineWorld {
    var world = stopWhileTheOrderIsAcknowledged()
    world.finishNight()
    return world
  }

  private func loseTheJournalOfAParkedServer() -> EngineWorld {
    var world = stopWhileTheOrderIsAcknowledged()
    world.run(for: .seconds(20))
    world.disconnect(server)
    world.change(server) { $0.loseJournal() }
    world.run(for: .seconds(60))
    world.connect(server)
    world.run(for: .seconds(60))
    world.resolve(server, .rollBack)
    world.finishNight()
    return world
  }

  /// Parked without a snapshot, and its order never arrived.
  private func parkUntouched() -> EngineWorld {
    var world = EngineWorld(.laa([server], snapshots: false))
    world.script.answer(.verifyBackup, with: .backup(age: .seconds(23 * 3_600)))
    world.campaign("patch-11")
    world.run(until: server, .preCheck, .hook(.verifyBackup))
    world.change(server) { $0.isDeaf = true }
    world.run(until: server, .update)
    world.stop()
    return world
  }

  private func cancelWhileParked() -> EngineWorld {
    var world = parkUntouched()
    world.step(.cancelCampaign(CampaignID(0), reason: "not this week", by: "anna"))
    world.run(for: .seconds(60))
    world.disconnect(server)
    world.connect(server)
    world.finishNight()
    return world
  }

  private func parkUntilTheBackupIsTooOld() -> EngineWorld {
    var world = parkUntouched()
    world.disconnect(server)
    world.connect(server)
    world.finishNight(after: .seconds(2 * 3_600))
    return world
  }

  /// Its first attempt has failed and was rolled back, and a person has granted it another.
  private func rollBackOneAttempt() -> EngineWorld {
    var world = EngineWorld(.laa([server], snapshots: false))
    world.script.answer(.verifyBackup, with: .backup(age: .seconds(23 * 3_600)))
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    world.campaign(
      "patch-11",
      policy: .with {
        $0.autoRollback = false
        $0.rollback = .uninstall
      })
    world.settle()
    world.resolve(server, .retry)
    return world
  }

  private func skipWhatWasRolledBack() -> EngineWorld {
    var world = rollBackOneAttempt()
    world.step(.pauseCampaign(CampaignID(0), .all, reason: "enough", by: "anna"))
    world.run { $0.state[$0.run(server)].state.kind == .pending }
    world.step(.skipRun(world.run(server), reason: "not tonight", by: "anna"))
    world.settle()
    return world
  }

  private func parkWhatWasRolledBack() -> EngineWorld {
    var world = rollBackOneAttempt()
    world.run(until: server, .preCheck, .hook(.verifyBackup))
    world.change(server) { $0.isDeaf = true }
    world.run(until: server, .update)
    world.stop()
    world.disconnect(server)
    world.connect(server)
    world.finishNight(after: .seconds(2 * 3_600))
    return world
  }

  private func deferPastTheEnd() -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    world.script.answer(
      .preUpdate,
      with: HookAnswer(
        after: .seconds(600), .verdict(.deferred(after: nil, reason: "the backup runs"))))
    world.campaign(
      "patch-11", policy: .with { $0.carryOver = true }, endsAt: world.now + .seconds(300))
    world.settle()
    return world
  }

  private func loseTheJournalOfAnOverdueServer() -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.update, with: .hangs(changedAfter: .seconds(60)))
    world.campaign("patch-11")
    world.settle()
    world.disconnect(server)
    world.change(server) { $0.loseJournal() }
    world.connect(server)
    world.resolve(server, .rollBack)
    world.settle()
    return world
  }

  /// A server that loses its agent's journal in SNAPSHOT is held, and nothing was changed on it.
  private func retryUntouched(_ policy: Policy, end: Duration? = nil) -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.snapshot, with: .hangs())
    world.campaign("patch-11", policy: policy, endsAt: end.map { world.now + $0 })
    world.run(until: server, .snapshot, .agent)
    world.run(for: .seconds(30))
    world.disconnect(server)
    world.change(server) { $0.loseJournal() }
    world.connect(server)
    world.script.answer(.snapshot, with: .usual(.snapshot))
    world.run(for: .seconds(1_800))
    world.resolve(server, .retry)
    world.settle()
    return world
  }

  private func refuseTheBoot() -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    var pending = CommandAnswer.nothingToInstall
    pending.result.rebootRequired = true
    world.script.answer(.update, with: pending)
    world.script.answer(.reboot, with: .refuses("no boot before midnight"))
    world.campaign("patch-11")
    world.settle()
    return world
  }

  private func checkTwice() -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.reboot, with: .findsMoreAfterBoot)
    world.campaign("patch-11", policy: .with { $0.maxPasses = 1 })
    world.run(until: server, .reboot)
    world.stop()
    world.run(until: server, .postCheck)
    world.release()
    world.resume()
    world.settle()
    return world
  }
}

extension RareNight {
  private static let kept = Policy.with { $0.snapshotRetention = .seconds(6 * 3_600) }

  /// Its removal goes as it is told for an hour after its time, and then well.
  private func keepASnapshot(removal: CommandAnswer = .usual(.removeSnapshot)) -> EngineWorld {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.removeSnapshot, with: removal)
    world.campaign("patch-11", policy: Self.kept)
    world.settle()
    world.run(for: .seconds(7 * 3_600))
    world.script.answer(.removeSnapshot, with: .usual(.removeSnapshot))
    world.run(for: .seconds(3_600))
    return world
  }

  private func rollBackACampaign(
    _ rollback: CommandAnswer = .usual(.rollback)
  ) -> EngineWorld {
    var world = EngineWorld(.laa([server, "LAA-PARIS-DC01"]))
    world.script.answer(.rollback, with: rollback)
    world.script.answer(.enterMaintenance, with: .ok)
    world.script.answer(.leaveMaintenance, with: .ok)
    world.campaign("patch-11", policy: Self.kept)
    world.settle()
    world.campaign("undo-11", rollbackOf: CampaignID(0))
    world.settle()
    world.run(for: .seconds(7 * 3_600))
    return world
  }
}

@Suite struct `A rare night` {
  @Test(arguments: RareNight.allCases)
  func `tells its story`(night: RareNight) throws {
    try Golden.expect(night.world, tells: night.rawValue)
  }
}

extension EngineWorld {
  /// The rest of a night in which everything was stopped.
  mutating func finishNight(after wait: Duration = .seconds(3_600)) {
    run(for: wait)
    release()
    run(for: .seconds(60))
    if state.campaigns[0].state.isRunning { resume() }
    settle()
  }
}

import Testing

@testable import AtlasChecker

@Suite("The checker sees, about kept snapshots and rollback campaigns,")
struct SnapshotCheckerTests {
  private static let key = "night/C01-WEB01"
  private static let hour: Int64 = 3_600_000

  /// A night whose first server has completed; its snapshot is kept for four hours.
  private func night(isRemoved: Bool = false) -> Night {
    var night = Night()
    var campaign = CampaignFact(
      name: "night", maxRetries: 2, maxParallel: nil, estimate: 45 * 60_000,
      reserve: 15 * 60_000, checkInterval: 120_000, requiresBackup: false,
      requiresSnapshot: false, maxBackupAge: nil, maxInProgress: nil, maxActiveClients: nil,
      maxWaitingForPeople: nil)
    campaign.retention = 4 * Self.hour
    night.checker.configured(campaign)
    night.checker.session(of: "C01-WEB01", isOpen: true)
    night.start("WEB01", run: 1)
    show(&night, Self.key)
    night.checker.snapshotTaken(of: "C01-WEB01", for: Self.key)
    let order = night.order(5, "UPDATE", "C01-WEB01")
    night.checker.decidedToBegin(5, on: 1, believed: night.at)
    night.checker.began(order, on: 1, of: "C01-WEB01")
    night.checker.changes(order, on: 1, of: "C01-WEB01")
    night.checker.ended(5, on: 1)
    night.checker.reportCommitted(6, of: "C01-WEB01", provesHealthy: true)
    if isRemoved { night.checker.snapshotRemoved(of: "C01-WEB01", for: Self.key) }
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "COMPLETED", kind: "run.completed",
      detail: "UPDATED")
    return night
  }

  private func show(_ night: inout Night, _ key: String) {
    night.checker.showed(
      BackupEvidence(
        takenAt: night.at - 60_000, verifiedAt: night.at - 60_000, lastJobAt: nil), for: key)
  }

  /// A rollback campaign for the server is made.
  private func plan(_ night: inout Night) {
    var campaign = CampaignFact(
      name: "undo", maxRetries: 2, maxParallel: nil, estimate: 45 * 60_000,
      reserve: 15 * 60_000, checkInterval: 120_000, requiresBackup: false,
      requiresSnapshot: false, maxBackupAge: nil, maxInProgress: nil, maxActiveClients: nil,
      maxWaitingForPeople: nil, servers: ["C01-WEB01"])
    campaign.rollbackOf = "night"
    campaign.needsSnapshots = true
    night.checker.configured(campaign)
    night.record("campaign.created", campaign: "undo")
    night.record("campaign.started", campaign: "undo")
  }

  private func move(_ night: inout Night, _ phase: String, _ kind: String = "run.phase") {
    night.move(
      "WEB01", run: 1, from: kind == "run.started" ? "PENDING" : "IN_PROGRESS",
      to: "IN_PROGRESS", kind: kind, phase: phase, attempt: 1, in: "undo")
  }

  @Test("one that is removed before its time, or with the end of its run")
  func tooEarly() {
    var early = night()
    early.pass(3 * Self.hour)
    early.checker.snapshotRemoved(of: "C01-WEB01", for: Self.key)
    #expect(early.violations == ["kept"])
    #expect(night(isRemoved: true).violations == ["kept"])
  }

  @Test("nothing wrong with one that is removed in time", arguments: [4, 10] as [Int64])
  func inTime(hours: Int64) {
    var night = night()
    #expect(night.checker.lastSnapshotDue == night.at + 4 * Self.hour)
    night.pass(hours * Self.hour)
    night.checker.snapshotRemoved(of: "C01-WEB01", for: Self.key)
    night.checker.judgeSnapshots(patience: Self.hour)
    #expect(night.violations == [])
    #expect(night.checker.lastSnapshotDue == nil)
  }

  @Test("one that is there long after its time, unless its agent is away or it is stopped")
  func forgotten() {
    var night = night()
    night.pass(20 * Self.hour)
    var away = night
    away.checker.session(of: "C01-WEB01", isOpen: false)
    away.checker.judgeSnapshots(patience: Self.hour)
    #expect(away.violations == [])
    var stopped = night
    stopped.record("stop.latched", client: "C01", fence: 9)
    stopped.checker.judgeSnapshots(patience: Self.hour)
    #expect(stopped.violations == [])
    night.checker.judgeSnapshots(patience: Self.hour)
    #expect(night.violations == ["kept"])
  }

  @Test("one that is removed although a rollback campaign is to go back to it")
  func needed() {
    var night = night()
    plan(&night)
    night.pass(10 * Self.hour)
    night.checker.judgeSnapshots(patience: Self.hour)
    #expect(night.violations == [])
    night.checker.snapshotRemoved(of: "C01-WEB01", for: Self.key)
    #expect(night.violations == ["kept"])
  }

  @Test(
    "one that is given up although its agent could remove it, or that is there and is said not to be"
  )
  func givenUp() {
    for (kind, reason) in [
      ("run.warning", "the kept snapshot remains: no"), ("run.snapshot_removed", ""),
    ] {
      var night = night()
      night.record(
        kind, campaign: "night", client: "C01", server: "C01-WEB01", run: 1, from: "COMPLETED",
        to: "COMPLETED", reason: reason)
      #expect(night.violations == ["kept"])
    }
  }

  @Test("nothing wrong with a server that is undone, and its snapshot with it")
  func undone() {
    var night = night()
    plan(&night)
    move(&night, "PRE_CHECK", "run.started")
    show(&night, "undo/C01-WEB01")
    for phase in ["ROLLBACK", "VERIFY", "FINALIZE"] { move(&night, phase) }
    night.checker.snapshotRemoved(of: "C01-WEB01", for: Self.key)
    night.checker.reportCommitted(8, of: "C01-WEB01", provesHealthy: true)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "COMPLETED", kind: "run.completed",
      detail: "ROLLED_BACK", in: "undo")
    night.move("WEB01", run: 1, from: "COMPLETED", to: "COMPLETED", kind: "run.undone")
    #expect(night.violations == [])
  }

  @Test("a rollback without a backup (S3), or under a stop (S4), and an installation (S8)")
  func wrongRollbacks() {
    var backup = night()
    plan(&backup)
    move(&backup, "PRE_CHECK", "run.started")
    var stopped = backup
    move(&backup, "ROLLBACK")
    #expect(backup.violations == ["S3"])
    show(&stopped, "undo/C01-WEB01")
    var installs = stopped
    stopped.record("stop.latched", client: "C01", fence: 9)
    move(&stopped, "ROLLBACK")
    #expect(stopped.violations == ["S4"])
    move(&installs, "SNAPSHOT")
    #expect(installs.violations == ["S8"])
  }

  @Test(
    "a rollback with a backup that is too old, as it is decided or by the clock of the agent (S3)",
    arguments: [(0, 23, []), (0, 25, ["S3"]), (25, 25, ["S3", "S3"])]
      as [(Int64, Int64, [String])])
  func oldBackups(decided: Int64, begun: Int64, wrong: [String]) {
    var night = night()
    plan(&night)
    move(&night, "PRE_CHECK", "run.started")
    let taken = night.at - decided * Self.hour
    night.checker.showed(
      BackupEvidence(takenAt: taken, verifiedAt: taken, lastJobAt: nil), for: "undo/C01-WEB01")
    move(&night, "ROLLBACK")
    var order = night.order(7, "ROLLBACK", "C01-WEB01")
    order.campaign = "undo"
    order.notAfter = .max
    night.checker.decidedToBegin(7, on: 1, believed: taken + begun * Self.hour)
    night.checker.began(order, on: 1, of: "C01-WEB01")
    #expect(night.violations == wrong)
  }

  @Test("a rollback of a server on which nothing was installed (S8)")
  func rollbackAtOnce() {
    var night = Night()
    night.start("WEB01", run: 1)
    show(&night, Self.key)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase",
      phase: "ROLLBACK", attempt: 1)
    #expect(night.violations == ["S8"])
  }

  @Test("no second server that is worked on in one whose snapshot is only removed (S1)")
  func cleansUp() {
    var night = night()
    night.pass(5 * Self.hour)
    night.checker.began(night.order(7, "REMOVE_SNAPSHOT", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.began(night.order(8, "UPDATE", "C01-WEB02"), on: 2, of: "C01-WEB02")
    #expect(night.violations == [])
  }
}

extension Night {
  fileprivate mutating func pass(_ milliseconds: Int64) {
    at += milliseconds
    checker.now = at
  }
}

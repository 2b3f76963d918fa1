import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Which evidence of a backup counts.
@Suite struct `A backup` {
  /// Evidence as the hook finds it, what is asked for, and what is wrong; nil when it counts.
  struct Case: Sendable {
    var hours: Int
    var jobHours: Int?
    var isVerified = true
    var client: BackupAge
    var campaign: BackupAge?
    var problem: String?
  }

  private static let day = BackupAge.atMost(.seconds(86_400))

  private static let cases: [Case] = [
    Case(hours: 6, client: day),
    Case(hours: 30, client: day, problem: "is 1d6h old; at most 1d is allowed"),
    Case(hours: -1, client: day, problem: "is dated in the future"),
    Case(
      hours: 6, isVerified: false, client: day, problem: "was not verified after it was taken"),
    // However old it is, as long as no job came after it.
    Case(hours: 300, jobHours: 300, client: .sinceLastJob),
    Case(hours: 300, jobHours: 301, client: .sinceLastJob),
    Case(
      hours: 3, client: .sinceLastJob, problem: "does not say when the last backup job ran"),
    Case(
      hours: 30, jobHours: 6, client: .sinceLastJob,
      problem: "was taken 1d before the last backup job; it must come from that one"),
    Case(hours: -1, jobHours: 2, client: .sinceLastJob, problem: "is dated in the future"),
    Case(
      hours: 6, jobHours: 6, isVerified: false, client: .sinceLastJob,
      problem: "was not verified after it was taken"),
    // A campaign tightens, and never loosens.
    Case(hours: 6, jobHours: 6, client: day, campaign: .sinceLastJob),
    Case(
      hours: 6, jobHours: 3, client: day, campaign: .sinceLastJob,
      problem: "was taken 3h before the last backup job; it must come from that one"),
    Case(
      hours: 30, jobHours: 30, client: day, campaign: .sinceLastJob,
      problem: "is 1d6h old; at most 1d is allowed"),
    Case(
      hours: 13, jobHours: 13, client: .sinceLastJob, campaign: .atMost(.seconds(12 * 3_600)),
      problem: "is 13h old; at most 12h is allowed"),
    Case(
      hours: 6, client: .sinceLastJob, campaign: day,
      problem: "does not say when the last backup job ran"),
  ]

  private func world(_ row: Case) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-WEB01"]) { $0.maxBackupAge = row.client }
    var world = EngineWorld(fleet)
    world.script.answer(
      .verifyBackup,
      with: .backup(
        age: .seconds(row.hours * 3_600), isVerified: row.isVerified,
        jobAge: row.jobHours.map { .seconds($0 * 3_600) }))
    world.campaign("patch-11", policy: .with { $0.maxBackupAge = row.campaign })
    world.settle()
    return world
  }

  @Test(arguments: cases)
  func `counts when it is young enough, and the reason is told when it does not`(row: Case) {
    let world = world(row)
    let run = world.state[world.run("LAA-PARIS-WEB01")]
    guard let problem = row.problem else {
      #expect(run.state == .completed(.updated))
      return
    }
    #expect(run.state == .notAttempted(.backup))
    #expect(run.details.content.lastError == "the backup by veeam/daily \(problem)")
    #expect(world.violations == [])
  }

  @Test func `of the last job bounds the order by the window alone`() {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-WEB01"]) { $0.maxBackupAge = .sinceLastJob }
    var world = EngineWorld(fleet)
    world.script.answer(
      .verifyBackup, with: .backup(age: .seconds(30 * 3_600), jobAge: .seconds(30 * 3_600)))
    world.campaign("patch-11")
    world.run(until: "LAA-PARIS-WEB01", .update)
    #expect(world.store.lastCommand?.notAfter == EngineFleet.night().end)
    #expect(world.violations == [])
  }

  @Test(arguments: [
    ("1d", BackupAge.atMost(.seconds(86_400))), ("since_last_job", .sinceLastJob),
    ("since_last_job and 36h", .sinceLastJob.tightened(by: .atMost(.seconds(36 * 3_600)))),
  ])
  func `age is read as people write it, and written so that it reads back`(
    text: String, age: BackupAge
  ) throws {
    #expect(try BackupAge(text: text) == age)
    #expect(try BackupAge(text: age.text) == age)
  }

  @Test(arguments: ["", "24", "last_job", "since_last_job and", "since_last_job, 24h"])
  func `age that is none of these is refused`(text: String) {
    #expect(throws: DurationTextError.self) { try BackupAge(text: text) }
  }
}

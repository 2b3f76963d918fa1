import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("A preflight") struct PreflightTests {
  private static let good = ServerFacts(freeDisk: 50_000_000_000, neededDisk: 4_000_000_000)

  @Test("says of a server that has everything that it is ready, and nothing else")
  func ready() throws {
    let found = try judged(.answered(Self.good))
    #expect(
      found == PreflightServer(server: Desk.first, client: Desk.client, ring: .canary, findings: [])
    )
    #expect(found.verdict == .ready)
  }

  @Test(
    "says what an agent found that a run would not get past, and what a person must look at",
    arguments: [
      (
        ServerFacts(freeDisk: 1_500_000_000, neededDisk: 4_000_000_000), PreflightVerdict.refused,
        "disk: 1.5 GB are free, and the updates take 4 GB"
      ),
      (
        ServerFacts(rebootPending: true), .ready,
        "reboot: a boot is pending; the run begins with it"
      ),
      (
        ServerFacts(source: "wsus.laa.example", sourceProblem: "0x8024402C"), .refused,
        "source: wsus.laa.example: 0x8024402C"
      ),
      (
        ServerFacts(otherUpdaters: ["unattended-upgrades"]), .needsPerson,
        "updaters: unattended-upgrades installs updates here too"
      ),
      (
        ServerFacts(isServicing: true), .needsPerson,
        "servicing: something is being installed on it now"
      ),
      (
        ServerFacts(refusals: [
          ExpectedRefusal(kind: .update, reason: "no program for UPDATE is configured")
        ]), .refused,
        "rules: no program for UPDATE is configured"
      ),
      (
        ServerFacts(refusals: [
          ExpectedRefusal(kind: .download, reason: "no program for DOWNLOAD is configured")
        ]), .ready,
        "rules: no program for DOWNLOAD is configured"
      ),
      (
        ServerFacts(refusals: [
          ExpectedRefusal(
            kind: .update, atSomeHours: true,
            reason: "this server's own rules allow UPDATE at 22:00-06:00 UTC only")
        ]),
        .ready, "rules: this server's own rules allow UPDATE at 22:00-06:00 UTC only"
      ),
      (ServerFacts(notes: ["only disk was looked at"]), .ready, "agent: only disk was looked at"),
    ])
  func facts(facts: ServerFacts, verdict: PreflightVerdict, text: String) throws {
    let found = try judged(.answered(facts))
    #expect(found.verdict == verdict)
    #expect(found.findings.map { "\($0.check.rawValue): \($0.text)" } == [text])
  }

  @Test("refuses a pending boot where the policy does")
  func pendingReboot() throws {
    var policy = Policy()
    policy.pendingReboot = .refuse
    let found = try judged(.answered(ServerFacts(rebootPending: true)), policy: policy)
    #expect(found.verdict == .refused)
  }

  @Test(
    "says of an agent that is away that it will be refused, of a silent one that somebody must look",
    arguments: [
      (ProbeOutcome.notConnected, PreflightVerdict.refused), (.silent, .needsPerson),
    ])
  func unreached(outcome: ProbeOutcome, verdict: PreflightVerdict) throws {
    let found = try judged(outcome)
    #expect(found.findings.map(\.check) == [.agent])
    #expect(found.verdict == verdict)
  }

  @Test(
    "judges backups as the night will: by their age, and by whether anything shows them",
    arguments: [
      (HookVerdict.notDefined, "a backup is required, and no hook shows one"),
      (.ok(backup: nil, snapshot: nil), "verify_backup shows no backup"),
      (.fail("job failed", retryable: true), "verify_backup refuses it: job failed"),
      (
        .error("default.lua:3: script: nil"), "verify_backup refuses it: default.lua:3: script: nil"
      ),
      (
        .ok(backup: backup(hoursAgo: 30, verified: true), snapshot: nil),
        "the backup by job 7 is 1d6h old; at most 1d is allowed"
      ),
      (
        .ok(backup: backup(hoursAgo: 2, verified: false), snapshot: nil),
        "the backup by job 7 was not verified after it was taken"
      ),
    ])
  func backups(verdict: HookVerdict, text: String) throws {
    let found = try judged(
      .answered(Self.good), hooks: [.preUpdate: .notDefined, .verifyBackup: verdict],
      requireBackup: true)
    #expect(found.findings.map(\.text) == [text])
    #expect(found.verdict == .refused)
  }

  @Test("takes a backup that counts for ready, and none for ready where none is required")
  func goodBackup() throws {
    let hooks: [HookPoint: HookVerdict] = [
      .preUpdate: .ok(backup: nil, snapshot: nil),
      .verifyBackup: .ok(backup: Self.backup(hoursAgo: 2, verified: true), snapshot: nil),
    ]
    let found = try judged(.answered(Self.good), hooks: hooks, requireBackup: true)
    #expect(found.findings.isEmpty)
    let needless = try judged(.answered(Self.good), hooks: [.verifyBackup: .notDefined])
    #expect(needless.findings.isEmpty)
  }

  @Test(
    "says what pre_update would do",
    arguments: [
      (HookVerdict.skip("a demo"), PreflightVerdict.refused, "pre_update leaves it out: a demo"),
      (.fail("no", retryable: false), .refused, "pre_update refuses it: no"),
      (
        .deferred(after: nil, reason: "a job runs"), .ready,
        "pre_update would put it off now: a job runs"
      ),
    ])
  func preUpdate(verdict: HookVerdict, worst: PreflightVerdict, text: String) throws {
    let found = try judged(.answered(Self.good), hooks: [.preUpdate: verdict])
    #expect(found.findings.map(\.text) == [text])
    #expect(found.verdict == worst)
  }

  @Test("puts the worst first, and a locked server before a person")
  func order() throws {
    var desk = try Self.desk()
    desk.ask(.lockServer(Desk.first, reason: "a new disk", until: nil, ticket: ""))
    _ = desk.commitAll()
    let subjects = try desk.snapshot.preflight(Desk.campaign)
    #expect(subjects.map(\.server) == [Desk.first, Desk.second])
    let found = subjects[0].judged(
      .answered(ServerFacts(rebootPending: true, sourceProblem: "silent")), hooks: [:],
      hasSnapshotHook: false)
    #expect(found.findings.map(\.check) == [.state, .source, .reboot])
    #expect(found.findings[0].text == "locked: a new disk")
    #expect(found.verdict == .needsPerson)
  }

  @Test("asks hooks as the night would, and changes nothing")
  func orders() throws {
    let desk = try Self.desk()
    let before = desk.snapshot.state
    let subject = try desk.snapshot.preflight(Desk.campaign)[0]
    #expect(subject.hooks.map(\.point) == [.preUpdate, .verifyBackup])
    #expect(subject.hooks.allSatisfy { $0.server == Desk.first && $0.phase == .preCheck })
    #expect(desk.snapshot.state.campaign(named: Desk.campaign) != nil)
    #expect(
      before[campaign: CampaignID(0)].runs == desk.snapshot.state[campaign: CampaignID(0)].runs)
  }

  @Test("of a campaign that is not there is refused")
  func unknown() throws {
    let desk = try Self.desk()
    #expect(throws: ControlError.notFound(kind: "campaign", name: "other")) {
      try desk.snapshot.preflight(CampaignName(trusted: "other"))
    }
  }

  // MARK: -

  /// The time of ``Desk`` is the beginning of 1970; a backup of the past needs a later one.
  private static let now = Instant(milliseconds: 400_000_000)

  private static func backup(hoursAgo: Int, verified: Bool) -> BackupFact {
    let taken = now - .seconds(hoursAgo * 3_600)
    return BackupFact(source: "job 7", takenAt: taken, verifiedAt: verified ? taken : nil)
  }

  private static func desk(policy: Policy = Policy()) throws -> Desk {
    var desk = try Desk()
    desk.now = now
    _ = desk.importFleet()
    for (number, server) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(number + 1)), Desk.hello(server)))
    }
    _ = desk.commitAll()
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign, policy: policy)))
    _ = desk.commitAll()
    return desk
  }

  private func judged(
    _ probe: ProbeOutcome, hooks: [HookPoint: HookVerdict] = [:], policy: Policy = Policy(),
    requireBackup: Bool = false
  ) throws -> PreflightServer {
    var policy = policy
    policy.requireBackup = requireBackup
    let subjects = try Self.desk(policy: policy).snapshot.preflight(Desk.campaign)
    return subjects[0].judged(probe, hooks: hooks, hasSnapshotHook: false)
  }
}

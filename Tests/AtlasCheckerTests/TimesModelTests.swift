import Testing

@testable import AtlasChecker

/// What the log says about how long servers take, by the checker's own reckoning.
@Suite("Times from the log")
struct TimesModelTests {
  private static let kind = "WEB on windows-2022"

  /// A night told record by record; seconds from its beginning.
  private struct Night {
    var model = TimesModel()
    private var run = 0
    private var state = "PENDING"
    private var second: Int64 = 0

    /// - Parameter steps: What follows `run.started`: after how many seconds which record leads
    ///   where.
    mutating func visit(
      _ steps: [(after: Int64, record: String, to: String, phase: String)], detail: String = "",
      kinds: [String] = [kind]
    ) {
      run += 1
      state = "PENDING"
      let all = [(Int64(0), "run.started", "IN_PROGRESS", "PRE_CHECK")] + steps
      for (after, record, to, phase) in all {
        second += after
        model.apply(
          TimesModel.Entry(
            run: "night/\(run)", kinds: kinds, record: record, from: state, to: to, phase: phase,
            detail: to == "HELD" || !["IN_PROGRESS", "PARKED"].contains(to) ? detail : "",
            at: second * 1_000))
        state = to
      }
    }

    /// All goes well: 30 s, 60 s, `update`, 200 s, 70 s and 50 s.
    mutating func good(update: Int64 = 1_000, detail: String = "UPDATED") {
      visit(
        [
          (30, "run.phase", "IN_PROGRESS", "SNAPSHOT"), (60, "run.phase", "IN_PROGRESS", "UPDATE"),
          (update, "run.phase", "IN_PROGRESS", "REBOOT"),
          (200, "run.phase", "IN_PROGRESS", "POST_CHECK"),
          (70, "run.phase", "IN_PROGRESS", "FINALIZE"), (50, "run.completed", "COMPLETED", ""),
        ], detail: detail)
    }
  }

  private static let kinds = [kind]

  @Test("say nothing before each phase was seen twenty times, and the exact sum then")
  func least() {
    var night = Night()
    for _ in 1...19 { night.good() }
    #expect(night.model.estimate(Self.kinds) == nil)
    night.good()
    #expect(night.model.estimate(Self.kinds)?.lowerBound == 1_410_000)
    #expect(night.model.estimate(Self.kinds + ["SQL on windows-2022"]) == nil)
    #expect(night.model.estimate([]) == nil)
  }

  @Test("go by the slowest of twenty but one")
  func percentile() {
    var night = Night()
    for _ in 1...18 { night.good() }
    night.good(update: 2_000)
    night.good(update: 9_000)
    #expect(night.model.estimate(Self.kinds)?.lowerBound == 2_410_000)
  }

  @Test("of UPDATE are none where nothing was to be installed")
  func noUpdates() {
    var night = Night()
    for _ in 1...40 { night.good(update: 5, detail: "NO_UPDATES") }
    #expect(night.model.estimate(Self.kinds) == nil)
  }

  @Test("do not count what a stop cut off, nor what a server was held in, unless it was overdue")
  func interrupted() {
    let phases: [(Int64, String, String, String)] = [
      (200, "run.phase", "IN_PROGRESS", "POST_CHECK"),
      (70, "run.phase", "IN_PROGRESS", "FINALIZE"), (50, "run.completed", "COMPLETED", ""),
    ]
    let begin: [(Int64, String, String, String)] = [
      (30, "run.phase", "IN_PROGRESS", "SNAPSHOT"), (60, "run.phase", "IN_PROGRESS", "UPDATE"),
    ]
    let reboot = (Int64(1_000), "run.phase", "IN_PROGRESS", "REBOOT")
    // Parked before UPDATE after 500 s, and begun anew an hour later.
    let parked = [
      (Int64(500), "run.parked", "PARKED", "UPDATE"),
      (3_600, "run.phase", "IN_PROGRESS", "UPDATE"), reboot,
    ]
    // Held for an hour, and back.
    let held = [
      (Int64(500), "run.held", "HELD", ""), (3_600, "run.back", "IN_PROGRESS", "UPDATE"), reboot,
    ]
    for (middle, detail, least) in [
      (parked, "", Int64?(1_410_000)), (held, "LOST", nil), (held, "OVERDUE", 5_510_000),
    ] {
      var night = Night()
      for _ in 1...20 { night.visit(begin + middle + phases, detail: detail) }
      #expect(night.model.estimate(Self.kinds)?.lowerBound == least, "\(detail)")
    }
  }

  @Test("of a run that changed nothing do not count")
  func refused() {
    var night = Night()
    for _ in 1...40 {
      night.visit([
        (30, "run.phase", "IN_PROGRESS", "SNAPSHOT"), (60, "run.phase", "IN_PROGRESS", "FINALIZE"),
        (50, "run.not_attempted", "NOT_ATTEMPTED", ""),
      ])
    }
    for _ in 1...19 { night.good() }
    #expect(night.model.estimate(Self.kinds) == nil)
  }

  @Test("decide what a start needs of its window (S2)")
  func decides() {
    var night = Night()
    for _ in 1...20 { night.good(update: 7_200) }
    var checker = Checker()
    checker.added(ServerFact(name: "WEB01", client: "C01", roles: ["WEB"], system: "windows-2022"))
    checker.log.times = night.model
    let campaign = CampaignFact(
      name: "night", maxRetries: 2, maxParallel: nil, estimate: 45 * 60_000, soak: 60_000,
      reserve: 15 * 60_000, checkInterval: 120_000, requiresBackup: false,
      requiresSnapshot: false, maxBackupAge: nil, maxInProgress: nil, maxActiveClients: nil,
      maxWaitingForPeople: nil)
    #expect(checker.leastNeeded("WEB01", campaign) == (7_200 + 410 + 60 + 900) * 1_000)
    #expect(checker.mostNeeded("WEB01", campaign) > checker.leastNeeded("WEB01", campaign))
    #expect(checker.leastNeeded("SQL01", campaign) == (45 + 1 + 15) * 60_000)
  }
}

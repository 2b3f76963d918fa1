@testable import AtlasChecker

/// A client with two servers, one slot and a window from Saturday 22:00 to 06:00 UTC.
struct Night {
  /// 2026-06-13T22:00Z, a Saturday.
  static let saturday22: Int64 = 1_781_388_000_000
  static let client = ClientFact(
    name: "C01", slots: 1, zone: .fixed(0),
    windows: [WeeklyWindow(weekday: 5, startMinute: 1_320, endMinute: 1_800)], freezes: [],
    requiresBackup: true, requiresSnapshot: true, maxBackupAge: 86_400_000)

  static let campaign = CampaignFact(
    name: "night", maxRetries: 2, maxParallel: nil, estimate: 45 * 60_000,
    reserve: 15 * 60_000, checkInterval: 120_000, requiresBackup: false,
    requiresSnapshot: false, maxBackupAge: nil, maxInProgress: nil, maxActiveClients: nil,
    maxWaitingForPeople: nil)

  var checker = Checker()
  var at: Int64
  var lastHash = [UInt8](repeating: 0, count: 32)
  var hashes: [[UInt8]] = []

  init(at: Int64 = saturday22 + 3_600_000) {
    // The campaign is made a day before.
    self.at = Self.saturday22 - 86_400_000
    checker.configured(Self.client)
    var other = Self.client
    other.name = "C02"
    checker.configured(other)
    for name in ["C01-WEB01", "C01-WEB02"] { checker.added(ServerFact(name: name, client: "C01")) }
    checker.added(ServerFact(name: "C02-WEB01", client: "C02"))
    checker.configured(Self.campaign)
    record("campaign.created", campaign: "night")
    record("campaign.started", campaign: "night")
    self.at = at
    checker.now = at
  }

  var violations: [String] { checker.violations.map(\.invariant) }

  func order(_ fence: UInt64, _ kind: String, _ server: String) -> CommandFact {
    CommandFact(
      fence: fence, kind: kind, server: server, campaign: "night", runKey: "night/\(server)",
      attempt: 1, pass: 1, notAfter: nil, texts: [])
  }

  mutating func start(_ server: String, run: Int) {
    move(
      server, run: run, from: "PENDING", to: "IN_PROGRESS", kind: "run.started",
      phase: "PRE_CHECK", attempt: 1)
  }

  mutating func move(
    _ server: String, run: Int, from: String, to: String, kind: String, phase: String = "",
    attempt: Int? = nil, detail: String = "", in campaign: String = "night"
  ) {
    record(
      kind, campaign: campaign, client: "C01", server: "C01-\(server)", run: run, from: from,
      to: to, phase: phase, attempt: attempt, detail: detail)
  }

  mutating func record(
    _ kind: String, campaign: String = "", client: String = "", server: String = "",
    run: Int? = nil, from: String = "", to: String = "", phase: String = "",
    attempt: Int? = nil, fence: UInt64? = nil, detail: String = "", reason: String = "",
    principal: String = "", ring: Int? = nil
  ) {
    checker.now = at
    let hash = [UInt8(hashes.count + 1)]
    let record = RecordFact(
      seq: UInt64(hashes.count + 1), at: at, kind: kind, campaign: campaign, client: client,
      server: server, ring: ring ?? run.map { _ in 2 }, run: run, from: from, to: to, phase: phase,
      attempt: attempt, pass: nil, fence: fence, detail: detail, reason: reason,
      principal: principal,
      previousHash: lastHash, hash: hash)
    lastHash = hash
    hashes.append(hash)
    checker.committed([record], rows: [], orders: [])
  }
}

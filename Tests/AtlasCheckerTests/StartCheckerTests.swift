import Testing

@testable import AtlasChecker

@Suite("The checker sees, about what begins,")
struct StartCheckerTests {
  /// A server that is parked before a boot or an update.
  private func parked(
    before phase: String, at: Int64 = Night.saturday22 + 3_600_000
  ) -> Night {
    var night = Night(at: at)
    night.start("WEB01", run: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "PARKED", kind: "run.parked", phase: phase)
    return night
  }

  private func goOn(_ night: inout Night, with phase: String) {
    night.move(
      "WEB01", run: 1, from: "PARKED", to: "IN_PROGRESS", kind: "run.phase", phase: phase)
  }

  @Test(
    "a parked boot or update that goes on outside the window, or with too little of it left (S2)",
    arguments: ["REBOOT", "UPDATE"], [(60, false), (421, true), (500, true)])
  func unparkedWindow(phase: String, when: (minutesIn: Int, isWrong: Bool)) {
    var night = parked(before: phase)
    night.at = Night.saturday22 + Int64(when.minutesIn) * 60_000
    goOn(&night, with: phase)
    #expect(night.violations == (when.isWrong ? ["S2"] : []))
  }

  @Test(
    "that what is left after an update may go on at any time", arguments: ["POST_CHECK", "SOAK"])
  func afterTheUpdate(phase: String) {
    var night = parked(before: phase)
    night.at = Night.saturday22 + 500 * 60_000
    goOn(&night, with: phase)
    #expect(night.violations == [])
  }

  @Test(
    "a parked boot that goes on outside the window because a person said so, once",
    arguments: ["campaign", "ring 2", "client C01", "client C02"])
  func atOnce(scope: String) {
    var night = parked(before: "REBOOT")
    night.at = Night.saturday22 + 500 * 60_000
    night.checker.resumesAtOnce("night", scope: scope)
    let words = scope.split(separator: " ")
    night.record(
      "campaign.resumed", campaign: "night",
      client: words[0] == "client" ? String(words[1]) : "", ring: words[0] == "ring" ? 2 : nil)
    goOn(&night, with: "REBOOT")
    let first = scope == "client C02" ? ["S2"] : []
    #expect(night.violations == first)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "PARKED", kind: "run.parked", phase: "REBOOT")
    goOn(&night, with: "REBOOT")
    #expect(night.violations == first + ["S2"])
  }

  @Test(
    "that leave to boot at once ends with the next stop, pause or plain resume (S2)",
    arguments: [
      (["campaign.resumed"], ["S2"]), (["campaign.paused", "campaign.resumed"], ["S2"]),
      (["client.paused", "client.resumed"], ["S2"]),
      (["stop.latched", "stop.released", "client.resumed"], ["S2"]), (["server.locked"], []),
    ])
  func leaveEnds(records: [String], wrong: [String]) {
    var night = parked(before: "REBOOT")
    night.at = Night.saturday22 + 500 * 60_000
    night.checker.resumesAtOnce("night", scope: "campaign")
    night.record("campaign.resumed", campaign: "night")
    for record in records {
      let isCampaigns = record.hasPrefix("campaign")
      night.record(
        record, campaign: isCampaigns ? "night" : "", client: isCampaigns ? "" : "C01",
        server: record == "server.locked" ? "C01-WEB02" : "", fence: 9)
    }
    goOn(&night, with: "REBOOT")
    #expect(night.violations == wrong)
  }

  @Test(
    "a parked run that goes on although something keeps it (S4)",
    arguments: [
      "stop.latched", "client.paused", "campaign.paused", "client.postponed", "client.dark",
      "environment.held",
    ], ["REBOOT", "POST_CHECK"])
  func unparkedUnder(latch: String, phase: String) {
    var night = parked(before: phase)
    let isCampaigns = latch == "campaign.paused"
    let isOfAll = isCampaigns || latch == "environment.held"
    night.record(
      latch, campaign: isCampaigns ? "night" : "", client: isOfAll ? "" : "C01", fence: 9)
    goOn(&night, with: phase)
    #expect(night.violations == ["S4"])
  }

  @Test("nothing wrong when it is left out, or had begun before the stop was there")
  func startsNothing() {
    var night = parked(before: "UPDATE")
    night.record("stop.latched", client: "C01", fence: 9)
    goOn(&night, with: "FINALIZE")
    #expect(night.violations == [])
    var begun = parked(before: "REBOOT")
    begun.record("stop.latched", client: "C01", fence: 9)
    begun.move(
      "WEB01", run: 1, from: "PARKED", to: "IN_PROGRESS", kind: "run.back", phase: "REBOOT")
    #expect(begun.violations == [])
  }

  @Test(
    "a parked boot beside a server that is down (S12)", arguments: [false, true])
  func unparkedBesideOneDown(isInOutage: Bool) {
    var night = Night()
    night.checker.daemonStarted()
    night.checker.session(of: "C01-WEB02", isOpen: true)
    night.at += 3_600_000
    night.start("WEB01", run: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "PARKED", kind: "run.parked", phase: "REBOOT")
    night.checker.session(of: "C01-WEB02", isOpen: false)
    night.at += 600_000
    if isInOutage {
      night.record(
        "client.outage_declared", client: "C01", detail: "\(night.at)/\(night.at + 7_200_000)/0")
    }
    goOn(&night, with: "REBOOT")
    #expect(night.violations == (isInOutage ? [] : ["S12"]))
  }

  // MARK: - What was configured before

  @Test("a start by the slots that a client had before they were changed (S1)")
  func slotsOfBefore() {
    var night = Night()
    var client = Night.client
    client.slots = 2
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    night.start("WEB01", run: 1)
    client.slots = 1
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    night.start("WEB02", run: 2)
    #expect(night.violations == ["S1"])
  }

  @Test(
    "a start in the window of before, once the new one must be known (S2)",
    arguments: [(1, false), (99, false), (101, true), (100_000, true)])
  func windowsOfBefore(seconds: Int, isWrong: Bool) {
    var night = Night(at: Night.saturday22)
    var client = Night.client
    client.windows = []
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    night.at += Int64(seconds) * 1_000
    night.start("WEB01", run: 1)
    let isBeyond = seconds > 7 * 3_600
    #expect(night.violations == (isWrong || isBeyond ? ["S2"] : []))
  }

  @Test(
    "two servers that are worked on at once, one of which started when there were two slots (S1)")
  func slotsAtStart() {
    var night = Night()
    var client = Night.client
    client.slots = 2
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    client.slots = 1
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    night.start("WEB01", run: 1)
    night.checker.began(night.order(5, "UPDATE", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.began(night.order(6, "UPDATE", "C01-WEB02"), on: 2, of: "C01-WEB02")
    #expect(night.violations == ["S1"])
  }

  // MARK: - What a campaign says of time

  @Test(
    "a start outside the windows of the campaign, or with too little left of them (S2)",
    arguments: [(0, true), (119, true), (120, false), (300, false), (301, true)])
  func ownWindows(minutesIn: Int, isWrong: Bool) {
    // Sun 00:00-04:00, and a run needs an hour.
    var night = Night(at: Night.saturday22 + Int64(minutesIn) * 60_000)
    var campaign = Night.campaign
    campaign.window = WeeklyWindow(weekday: 6, startMinute: 0, endMinute: 240)
    night.checker.configured(campaign)
    night.start("WEB01", run: 1)
    #expect(night.violations == (isWrong ? ["S2"] : []))
  }

  @Test("a start in a freeze, also in one that came in the middle of the window (S2)")
  func freezes() {
    var night = Night()
    var client = Night.client
    client.freezes = [Night.saturday22..<Night.saturday22 + 7_200_000]
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    night.at += 101_000
    night.start("WEB01", run: 1)
    #expect(night.violations == ["S2"])
  }

  @Test(
    "a start with too little left of the window for its role, the longest of all (S2)",
    arguments: [(["WEB"], 421, true), (["SQL"], 301, true), (["SQL", "WEB"], 300, false)])
  func roleEstimates(roles: [String], minutesIn: Int, isWrong: Bool) {
    var night = Night(at: Night.saturday22 + Int64(minutesIn) * 60_000)
    var campaign = Night.campaign
    campaign.roleEstimates = ["SQL": 165 * 60_000, "DB": 300 * 60_000]
    night.checker.configured(campaign)
    night.checker.added(ServerFact(name: "C01-WEB01", client: "C01", roles: roles), isAnew: true)
    night.start("WEB01", run: 1)
    #expect(night.violations == (isWrong ? ["S2"] : []))
  }

  @Test("that a server is what it was imported as, from the record on")
  func importedAgain() {
    var night = Night()
    var campaign = Night.campaign
    campaign.perSite = 1
    night.checker.configured(campaign)
    var client = Night.client
    client.slots = 2
    night.checker.configuredAnew(client)
    var moved = ServerFact(name: "C01-WEB02", client: "C01")
    moved.site = "LYON"
    night.checker.added(moved)
    night.record("server.imported", client: "C01", server: "C01-WEB02", detail: "changed")
    night.start("WEB01", run: 1)
    night.start("WEB02", run: 2)
    #expect(night.violations == [])
    moved.site = ""
    night.checker.added(moved)
    night.record("server.imported", client: "C01", server: "C01-WEB02", detail: "changed")
    night.move("WEB02", run: 2, from: "IN_PROGRESS", to: "PENDING", kind: "run.given_back")
    night.start("WEB02", run: 2)
    #expect(night.violations == ["cap"])
  }

  // MARK: - Guests

  @Test(
    "a start while guests of a host in progress fill the slots, each of them (S12)",
    arguments: [(2, false, true), (2, true, false), (1, false, false)])
  func guests(count: Int, migrates: Bool, isWrong: Bool) {
    var night = Night()
    var client = Night.client
    client.slots = 3
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    night.checker.added(
      ServerFact(name: "C01-HV01", client: "C01", migratesGuests: migrates))
    for number in 1...count {
      night.checker.added(
        ServerFact(name: "C01-VM0\(number)", client: "C01", host: "C01-HV01"))
    }
    night.record(
      "client.outage_declared", client: "C01", detail: "\(night.at)/\(night.at + 7_200_000)/0")
    night.move(
      "HV01", run: 3, from: "PENDING", to: "IN_PROGRESS", kind: "run.started", phase: "PRE_CHECK",
      attempt: 1)
    night.record("client.outage_ended", client: "C01")
    night.start("WEB01", run: 1)
    #expect(night.violations == (isWrong ? ["S12"] : []))
  }
}

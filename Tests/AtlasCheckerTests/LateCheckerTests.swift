import Testing

@testable import AtlasChecker

@Suite("The checker sees, about what really begins on a server,")
struct LateCheckerTests {
  private static let server = "C01-WEB01"

  /// A server whose UPDATE began at 23:00, an hour after its window opened.
  private func updating() -> Night {
    var night = Night()
    night.start("WEB01", run: 1)
    go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "SNAPSHOT")
    go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "UPDATE")
    draw(&night, 5)
    begin(&night, 5, "UPDATE")
    return night
  }

  private func go(
    _ night: inout Night, _ from: String, _ to: String, _ kind: String, _ phase: String
  ) {
    night.move("WEB01", run: 1, from: from, to: to, kind: kind, phase: phase)
  }

  private func draw(_ night: inout Night, _ fence: UInt64) {
    night.checker.now = night.at
    night.checker.committed([], rows: [], orders: [fence])
  }

  private func begin(
    _ night: inout Night, _ fence: UInt64, _ kind: String, pass: Int = 1, after seconds: Int64 = 0
  ) {
    night.at += seconds * 1_000
    night.checker.now = night.at
    var order = night.order(fence, kind, Self.server)
    order.pass = pass
    night.checker.began(order, on: 1, of: Self.server)
    night.checker.ended(fence, on: 1)
  }

  private func until(_ night: inout Night, minutesIn: Int64) {
    night.at = Night.saturday22 + minutesIn * 60_000
  }

  @Test(
    "an UPDATE of any pass after the end of the window, whatever its order says (S2)",
    arguments: [1, 2], [(479, false), (480, false), (481, true)] as [(Int64, Bool)])
  func update(pass: Int, when: (minutesIn: Int64, isWrong: Bool)) {
    var night = updating()
    draw(&night, 6)
    until(&night, minutesIn: when.minutesIn)
    begin(&night, 6, "UPDATE", pass: pass)
    #expect(night.violations == (when.isWrong ? ["S2"] : []))
  }

  @Test(
    "a boot that begins outside the window, however its attempt came there (S2)",
    arguments: ["IN_PROGRESS", "HELD", "PARKED"], [(450, false), (500, true)] as [(Int64, Bool)])
  func boot(state: String, when: (minutesIn: Int64, isWrong: Bool)) {
    var night = updating()
    if state != "IN_PROGRESS" {
      go(&night, "IN_PROGRESS", state, state == "HELD" ? "run.held" : "run.parked", "UPDATE")
      until(&night, minutesIn: 400)
      go(&night, state, "IN_PROGRESS", "run.back", "UPDATE")
    }
    go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "REBOOT")
    draw(&night, 6)
    until(&night, minutesIn: when.minutesIn)
    begin(&night, 6, "REBOOT")
    #expect(night.violations == (when.isWrong ? ["S2"] : []))
  }

  @Test("that a boot which a person has let go does not wait for its window")
  func atOnce() {
    var night = updating()
    go(&night, "IN_PROGRESS", "PARKED", "run.parked", "REBOOT")
    until(&night, minutesIn: 500)
    night.checker.resumesAtOnce("night", scope: "campaign")
    night.record("campaign.resumed", campaign: "night")
    go(&night, "PARKED", "IN_PROGRESS", "run.phase", "REBOOT")
    draw(&night, 6)
    begin(&night, 6, "REBOOT")
    #expect(night.violations == [])
  }

  @Test(
    "an order in a window that was closed since, but not one that was on its way then (S2)",
    arguments: [false, true])
  func closedSince(isOnItsWay: Bool) {
    var night = updating()
    if isOnItsWay { draw(&night, 6) }
    var client = Night.client
    client.windows = []
    night.checker.configured(client)
    night.record("client.imported", client: "C01", detail: "changed")
    night.at += 600_000
    if !isOnItsWay { draw(&night, 6) }
    begin(&night, 6, "UPDATE", pass: 2)
    #expect(night.violations == (isOnItsWay ? [] : ["S2"]))
  }

  @Test("an UPDATE outside the windows of its campaign, and one in those of before an edit (S2)")
  func ownWindows() {
    // Sun 00:00-04:00.
    var narrowed = Night.campaign
    narrowed.window = WeeklyWindow(weekday: 6, startMinute: 0, endMinute: 240)
    var night = updating()
    night.checker.asked(for: narrowed, as: "narrower")
    draw(&night, 6)
    night.record("campaign.edited", campaign: "night", detail: "narrower")
    draw(&night, 7)
    begin(&night, 6, "UPDATE", pass: 2)
    night.at += 200_000
    draw(&night, 8)
    #expect(night.violations == [])
    until(&night, minutesIn: 361)
    begin(&night, 8, "UPDATE", pass: 2)
    #expect(night.violations == [])
  }

  @Test(
    "an UPDATE of a host after the outage or the window of a client with guests on it (S2)",
    arguments: [(90, false), (150, true)] as [(Int64, Bool)], ["outage", "window"])
  func guests(when: (minutesIn: Int64, isWrong: Bool), ends: String) {
    var night = Night()
    var other = Night.client
    other.name = "C02"
    let windowEnds = ends == "window" ? 1_320 + 120 : 1_800
    other.windows = [WeeklyWindow(weekday: 5, startMinute: 1_320, endMinute: windowEnds)]
    night.checker.configuredAnew(other)
    night.checker.added(
      ServerFact(name: "C02-WEB01", client: "C02", host: Self.server), isAnew: true)
    let outageEnds = Night.saturday22 + (ends == "outage" ? 120 : 600) * 60_000
    night.record(
      "client.outage_declared", client: "C02", detail: "\(Night.saturday22)/\(outageEnds)/0")
    until(&night, minutesIn: 80)
    draw(&night, 6)
    until(&night, minutesIn: when.minutesIn)
    begin(&night, 6, "UPDATE")
    #expect(night.violations == (when.isWrong ? ["S2"] : []))
  }

  @Test(
    "a server that is turned away for its window although that is open",
    arguments: [(60, true), (479, false), (490, false)] as [(Int64, Bool)],
    ["FINALIZE", "NOT_ATTEMPTED"])
  func turnedAway(when: (minutesIn: Int64, isWrong: Bool), goes: String) {
    var night = Night()
    night.start("WEB01", run: 1)
    go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "SNAPSHOT")
    until(&night, minutesIn: when.minutesIn)
    let isOver = goes == "NOT_ATTEMPTED"
    night.record(
      isOver ? "run.not_attempted" : "run.phase", campaign: "night", client: "C01",
      server: Self.server, run: 1, from: "IN_PROGRESS", to: isOver ? goes : "IN_PROGRESS",
      phase: isOver ? "" : goes, detail: isOver ? "window" : "",
      reason: "the window closed before the update could begin")
    #expect(night.violations == (when.isWrong ? ["window"] : []))
  }

  @Test("that the clock of a machine is its own, and a database of before excuses what it forgot")
  func excused() {
    var night = updating()
    draw(&night, 6)
    until(&night, minutesIn: 500)
    night.checker.decidedToBegin(6, on: 1, believed: Night.saturday22 + 470 * 60_000)
    begin(&night, 6, "UPDATE", pass: 2)
    night.checker.restored(to: 2, copiedAt: night.at)
    begin(&night, 7, "UPDATE", pass: 2)
    #expect(night.violations == [])
  }
}

import Testing

@testable import AtlasChecker

@Suite("The checker sees, about a host with guests of another client,")
struct GuestClientCheckerTests {
  /// A host of C01 in progress, with a guest of C02, in an outage of C02.
  private func host(migrates: Bool = false) -> Night {
    var night = Night()
    var other = Night.client
    other.name = "C02"
    other.slots = 3
    night.checker.configuredAnew(other)
    night.checker.added(
      ServerFact(name: "C01-HV01", client: "C01", migratesGuests: migrates))
    night.checker.added(
      ServerFact(name: "C02-WEB01", client: "C02", host: "C01-HV01"), isAnew: true)
    declare(&night)
    move(&night, "PENDING", "IN_PROGRESS", "run.started", "PRE_CHECK")
    return night
  }

  private func declare(_ night: inout Night) {
    night.record(
      "client.outage_declared", client: "C02", detail: "\(night.at)/\(night.at + 86_400_000)/0")
  }

  private func move(
    _ night: inout Night, _ from: String, _ to: String, _ kind: String, _ phase: String
  ) {
    night.move("HV01", run: 9, from: from, to: to, kind: kind, phase: phase, attempt: 1)
  }

  /// What begins on the host: another attempt, a boot that was parked, or the first one.
  private func begin(_ night: inout Night, _ what: String) {
    switch what {
    case "retry": move(&night, "IN_PROGRESS", "IN_PROGRESS", "run.retried", "UPDATE")
    case "boot": move(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "REBOOT")
    case _: move(&night, "PARKED", "IN_PROGRESS", "run.phase", "REBOOT")
    }
  }

  private func prepare(_ night: inout Night, for what: String) {
    if what != "parked boot" {
      move(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "SNAPSHOT")
      move(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "UPDATE")
    } else {
      move(&night, "IN_PROGRESS", "PARKED", "run.parked", "REBOOT")
    }
  }

  @Test(
    "that nothing is wrong while its client agrees", arguments: ["retry", "boot", "parked boot"])
  func agreed(what: String) {
    var night = host()
    prepare(&night, for: what)
    begin(&night, what)
    #expect(night.violations == [])
  }

  @Test(
    "what begins on it under a stop of that client (S4)",
    arguments: ["retry", "boot", "parked boot"], [false, true])
  func stopped(what: String, migrates: Bool) {
    var night = host(migrates: migrates)
    prepare(&night, for: what)
    night.record("stop.latched", client: "C02", fence: 9)
    begin(&night, what)
    #expect(night.violations == (migrates ? [] : ["S4"]))
  }

  @Test(
    "what begins on it while that client is paused or postponed, but for what is in progress (S4)",
    arguments: ["retry", "boot", "parked boot"], ["client.paused", "client.postponed"])
  func paused(what: String, latch: String) {
    var night = host()
    prepare(&night, for: what)
    night.record(latch, client: "C02")
    begin(&night, what)
    #expect(night.violations == (what == "boot" ? [] : ["S4"]))
  }

  @Test(
    "what begins on it after the end of the outage (order)",
    arguments: ["retry", "boot", "parked boot"])
  func afterTheOutage(what: String) {
    var night = host()
    prepare(&night, for: what)
    night.record("client.outage_ended", client: "C02")
    begin(&night, what)
    #expect(night.violations == (what == "boot" ? [] : ["order"]))
  }

  @Test(
    "what begins on it outside the window of that client (S2)",
    arguments: ["retry", "boot", "parked boot"])
  func windows(what: String) {
    var night = host()
    prepare(&night, for: what)
    var closed = Night.client
    closed.name = "C02"
    closed.windows = []
    night.checker.configuredAnew(closed)
    begin(&night, what)
    #expect(night.violations == (what == "boot" ? [] : ["S2"]))
  }

  @Test("an order to boot that leaves after a stop of that client (S4)", arguments: [false, true])
  func ordered(isStopped: Bool) {
    var night = host()
    night.checker.committed([], rows: [], orders: [5])
    if isStopped { night.record("stop.latched", client: "C02", fence: 9) }
    night.checker.sent(night.order(5, "REBOOT", "C01-HV01"), to: "C01-HV01")
    #expect(night.violations == (isStopped ? ["S4"] : []))
  }
}

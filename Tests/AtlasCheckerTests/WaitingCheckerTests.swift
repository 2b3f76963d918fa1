import Testing

@testable import AtlasChecker

@Suite("When faults have ended, the checker sees")
struct WaitingCheckerTests {
  /// A server whose run has never moved, on a night in which nothing keeps it.
  private func calm(_ change: (inout CampaignFact) -> Void = { _ in }) -> Night {
    var night = Night(at: Night.saturday22)
    var campaign = Night.campaign
    campaign.servers = ["C01-WEB01"]
    change(&campaign)
    night.checker.configured(campaign)
    night.checker.daemonStarted()
    for name in ["C01-WEB01", "C01-WEB02"] { night.checker.session(of: name, isOpen: true) }
    return night
  }

  private func judge(_ night: inout Night, minutes: [Int64]) {
    for minute in minutes {
      night.checker.now = Night.saturday22 + minute * 60_000
      night.checker.judgeProgress(patience: 90 * 60_000, deferral: 90 * 60_000)
    }
  }

  @Test("a run that never moved, and waits for nothing (L1)")
  func neverMoved() {
    var night = calm()
    judge(&night, minutes: [30, 60, 90])
    #expect(night.violations == [])
    judge(&night, minutes: [120])
    #expect(night.violations == ["L1"])
  }

  @Test("that it waited for nothing only for a while")
  func inBetween() {
    var night = calm()
    judge(&night, minutes: [30, 60])
    night.at = Night.saturday22 + 80 * 60_000
    night.record("server.locked", client: "C01", server: "C01-WEB01")
    judge(&night, minutes: [90])
    night.record("server.unlocked", client: "C01", server: "C01-WEB01")
    judge(&night, minutes: [120, 150, 180])
    #expect(night.violations == [])
    judge(&night, minutes: [210])
    #expect(night.violations == ["L1"])
  }

  @Test(
    "what a run waits for",
    arguments: [
      ("stop.latched", "the release of a stop"), ("client.paused", "the end of a pause"),
      ("client.postponed", "the end of a postponement"), ("client.dark", "contact"),
      ("server.locked", "the end of a lock"), ("client.back", "nothing"),
    ])
  func reasons(record: String, reason: String) {
    var night = calm()
    night.record(
      record, client: "C01", server: record.hasPrefix("server") ? "C01-WEB01" : "", fence: 9)
    #expect(
      night.checker.openDecisions(deferral: 0) == ["C01-WEB01 of night: \(reason)"])
  }

  @Test("what a run of a campaign waits for")
  func reasonsOfCampaigns() {
    var night = calm()
    night.record("environment.held", campaign: "night")
    #expect(night.checker.openDecisions(deferral: 0) == ["C01-WEB01 of night: its update source"])
    var held = calm()
    held.record("lane.held", campaign: "night", client: "C01")
    #expect(
      held.checker.openDecisions(deferral: 0)
        == ["C01-WEB01 of night: a person who lets its lane go on"])
    var kind = calm()
    kind.record("signature.held", campaign: "night", detail: "no role on an unknown system")
    #expect(
      kind.checker.openDecisions(deferral: 0)
        == ["C01-WEB01 of night: no role on an unknown system"])
  }

  @Test("that a slot, a window or an agent is missing")
  func reasonsOfItsOwn() {
    var night = calm()
    night.start("WEB02", run: 2)
    night.checker.now = night.at + 60_000
    #expect(
      night.checker.openDecisions(deferral: 0)
        == ["C01-WEB02 (run 2 of night): its phase", "C01-WEB01 of night: a slot"])
    var late = calm()
    late.checker.now = Night.saturday22 + 421 * 60_000
    #expect(late.checker.openDecisions(deferral: 0) == ["C01-WEB01 of night: a window"])
    var away = calm()
    away.checker.session(of: "C01-WEB01", isOpen: false)
    // It is known, and counts against its own client.
    #expect(
      away.checker.openDecisions(deferral: 0)
        == ["C01-WEB01 of night: what is down or unexplained"])
  }

  @Test("a deferral that is over, and one that is not")
  func deferral() {
    var night = calm()
    night.move("WEB01", run: 1, from: "PENDING", to: "PENDING", kind: "run.deferred")
    let hour: Int64 = 3_600_000
    #expect(
      night.checker.openDecisions(deferral: hour)
        == ["C01-WEB01 (run 1 of night): the end of its deferral"])
    night.checker.now += 2 * hour
    #expect(
      night.checker.openDecisions(deferral: hour) == ["C01-WEB01 (run 1 of night): nothing"])
  }

  @Test("a run that is still going on long after its campaign's end (L1)")
  func settled() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.judgeSettled()
    #expect(night.violations == ["L1"])
  }

  @Test(
    "a server that is held as lost although its agent is there (L1)", arguments: [true, false])
  func lost(isThere: Bool) {
    var night = held(as: "LOST", in: "UPDATE")
    night.checker.session(of: "C01-WEB01", isOpen: isThere)
    judge(&night, minutes: [120, 180, 240])
    night.checker.judgeSettled()
    #expect(night.violations == (isThere ? ["L1", "L1"] : []))
  }

  @Test(
    "a server that is held as overdue although its result is here (L1)",
    arguments: [(5, true), (4, false)] as [(UInt64, Bool)])
  func overdue(reported: (fence: UInt64, isIts: Bool)) {
    var night = held(as: "OVERDUE", in: "UPDATE")
    night.checker.reported(reported.fence, of: "C01-WEB01", mayPass: nil)
    judge(&night, minutes: [120, 180, 240])
    #expect(night.violations == (reported.isIts ? ["L1"] : []))
  }

  /// A server whose order has begun, and that came to be held.
  private func held(as hold: String, in phase: String) -> Night {
    var night = calm()
    night.start("WEB01", run: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase", phase: "SNAPSHOT")
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase", phase: phase)
    night.checker.began(night.order(5, phase, "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "HELD", kind: "run.held", phase: phase,
      detail: hold)
    return night
  }

  @Test("that a parked host waits for clients with guests on it, whatever is next")
  func parkedHost() {
    var night = calm()
    night.checker.added(
      ServerFact(name: "C02-WEB01", client: "C02", host: "C01-WEB01"), isAnew: true)
    night.start("WEB01", run: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "PARKED", kind: "run.parked", phase: "FINALIZE")
    night.record("client.paused", client: "C02")
    #expect(
      night.checker.openDecisions(deferral: 0).contains("C01-WEB01 (run 1 of night): C02"))
  }

  @Test(
    "a parked run that nothing keeps, and one that waits for its window (L1)",
    arguments: [
      (60, ["L1"]), (500, []),
    ])
  func parked(minutesIn: Int, wrong: [String]) {
    var night = calm()
    night.start("WEB01", run: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "PARKED", kind: "run.parked", phase: "REBOOT")
    night.checker.now = Night.saturday22 + Int64(minutesIn) * 60_000
    night.checker.judgeSettled()
    #expect(night.violations == wrong)
  }
}

import Testing

@testable import AtlasChecker

@Suite("The checker sees, about what people's words overtake,")
struct OvertakenCheckerTests {
  private static let server = "C01-WEB01"

  private func go(
    _ night: inout Night, _ from: String, _ to: String, _ kind: String, _ phase: String,
    detail: String = ""
  ) {
    night.move("WEB01", run: 1, from: from, to: to, kind: kind, phase: phase, detail: detail)
  }

  // MARK: - Stops

  /// A server that is lost in a phase, and met by a stop that is released before it is back.
  private func met(in phase: String, hasBegun: Bool = false, hold: String = "LOST") -> Night {
    var night = Night()
    night.start("WEB01", run: 1)
    if phase != "PRE_CHECK" { go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "SNAPSHOT") }
    if phase == "UPDATE" { go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "UPDATE") }
    if hasBegun {
      night.checker.began(night.order(5, phase, Self.server), on: 1, of: Self.server)
      night.checker.ended(5, on: 1)
    }
    go(&night, "IN_PROGRESS", "HELD", "run.held", phase, detail: hold)
    night.record("stop.latched", client: "C01", fence: 9)
    night.record("stop.released", client: "C01")
    go(&night, "HELD", "IN_PROGRESS", "run.back", phase)
    return night
  }

  private func order(_ night: inout Night, _ kind: String) {
    night.checker.committed([], rows: [], orders: [20])
    night.checker.sent(night.order(20, kind, Self.server), to: Self.server)
  }

  private func callHook(_ night: inout Night, _ point: String) {
    night.checker.hookStarted(
      client: "C01", server: Self.server, texts: [], point: point, campaign: "night")
  }

  @Test("an order that a stop had taken back and that is given before anybody resumes (S4)")
  func order() {
    var night = met(in: "UPDATE")
    order(&night, "UPDATE")
    #expect(night.violations == ["S4"])
    var resumed = met(in: "UPDATE")
    resumed.record("client.resumed", client: "C01")
    order(&resumed, "UPDATE")
    #expect(resumed.violations == [])
  }

  @Test("that an order which the agent has acknowledged is its own affair")
  func acknowledged() {
    var night = Night()
    night.start("WEB01", run: 1)
    for phase in ["SNAPSHOT", "UPDATE"] {
      go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", phase)
    }
    night.checker.acknowledged(5)
    night.record(
      "run.held", campaign: "night", client: "C01", server: Self.server, run: 1,
      from: "IN_PROGRESS", to: "HELD", phase: "UPDATE", fence: 5, detail: "LOST")
    night.record("stop.latched", client: "C01", fence: 9)
    night.record("stop.released", client: "C01")
    go(&night, "HELD", "IN_PROGRESS", "run.back", "UPDATE")
    order(&night, "REBOOT")
    #expect(night.violations == [])
  }

  @Test("that what had begun, or is held for another reason, goes on", arguments: [false, true])
  func begun(hasBegun: Bool) {
    var night = met(in: "UPDATE", hasBegun: hasBegun, hold: hasBegun ? "LOST" : "OVERDUE")
    order(&night, "REBOOT")
    #expect(night.violations == [])
  }

  @Test(
    "a hook that is called again before a change (S4)",
    arguments: [("PRE_CHECK", "verify_backup", true), ("SNAPSHOT", "snapshot", true)]
      + [("SNAPSHOT", "leave_maintenance", false)])
  func hooks(phase: String, point: String, isWrong: Bool) {
    var night = met(in: phase)
    callHook(&night, point)
    #expect(night.violations == (isWrong ? ["S4"] : []))
  }

  @Test("that a run which was parked after that waits for its resume, and for no stop any more")
  func parkedAgain() {
    var night = met(in: "UPDATE")
    go(&night, "IN_PROGRESS", "PARKED", "run.parked", "UPDATE")
    night.record("client.resumed", client: "C01")
    night.record("client.paused", client: "C01")
    order(&night, "UPDATE")
    #expect(night.violations == [])
  }

  @Test("a stop of everything, whose campaigns are paused when it is released (S4)")
  func stopOfAll() {
    var night = Night()
    night.start("WEB01", run: 1)
    go(&night, "IN_PROGRESS", "HELD", "run.held", "PRE_CHECK", detail: "LOST")
    night.record("stop.latched", fence: 9)
    night.record("stop.released")
    night.record("campaign.paused", campaign: "night")
    go(&night, "HELD", "IN_PROGRESS", "run.back", "PRE_CHECK")
    callHook(&night, "pre_update")
    #expect(night.violations == ["S4"])
    night.record("campaign.resumed", campaign: "night")
    callHook(&night, "pre_update")
    #expect(night.violations == ["S4"])
  }

  // MARK: - Orders on their way

  private func updating() -> Night {
    var night = Night()
    night.start("WEB01", run: 1)
    go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "SNAPSHOT")
    go(&night, "IN_PROGRESS", "IN_PROGRESS", "run.phase", "UPDATE")
    night.checker.committed([], rows: [], orders: [5, 6])
    return night
  }

  private func say(_ what: String, in night: inout Night) {
    switch what {
    case "cancel": night.record("campaign.cancelling", campaign: "night")
    case "retire": night.record("server.retired", client: "C01", server: Self.server)
    case _:
      night.record(
        "campaign.changed", campaign: "night", detail: "exclude_update", reason: "KB1: it is bad")
    }
  }

  @Test(
    "an UPDATE that is sent after a cancellation, a retirement or an exclusion, and begins",
    arguments: ["cancel", "retire", "exclude"])
  func overtaken(what: String) {
    var night = updating()
    let order = night.order(5, "UPDATE", Self.server)
    night.checker.sent(order, to: Self.server)
    say(what, in: &night)
    night.checker.sent(order, to: Self.server)
    #expect(night.violations == [])
    night.checker.began(order, on: 1, of: Self.server)
    #expect(night.violations == ["order"])
  }

  @Test(
    "nothing wrong with what was on its way, or with the agent already",
    arguments: ["cancel", "retire", "exclude"], [false, true])
  func onItsWay(what: String, isTaken: Bool) {
    var night = updating()
    let order = night.order(5, "UPDATE", Self.server)
    night.checker.sent(order, to: Self.server)
    if isTaken { night.checker.took(5) }
    say(what, in: &night)
    if isTaken { night.checker.sent(order, to: Self.server) }
    night.checker.began(order, on: 1, of: Self.server)
    #expect(night.violations == [])
  }

  @Test("that a server whose update has begun is finished, whatever is cancelled")
  func finished() {
    var night = updating()
    night.checker.began(night.order(5, "UPDATE", Self.server), on: 1, of: Self.server)
    night.checker.ended(5, on: 1)
    say("cancel", in: &night)
    let next = night.order(6, "UPDATE", Self.server)
    night.checker.sent(next, to: Self.server)
    night.checker.began(next, on: 1, of: Self.server)
    #expect(night.violations == [])
  }
}

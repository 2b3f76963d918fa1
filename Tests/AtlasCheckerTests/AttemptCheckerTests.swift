import Testing

@testable import AtlasChecker

@Suite("The checker sees, about attempts,")
struct AttemptCheckerTests {
  private static let server = "C01-WEB01"

  /// A server whose update has been ordered.
  private func updating() -> Night {
    var night = Night()
    night.start("WEB01", run: 1)
    for phase in ["SNAPSHOT", "UPDATE"] { phases(&night, phase) }
    return night
  }

  private func phases(_ night: inout Night, _ phase: String, _ kind: String = "run.phase") {
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: kind, phase: phase, attempt: 1)
  }

  @Test(
    "another one after a failure for good (S7)",
    arguments: [(false, true), (true, false), (nil, false)] as [(Bool?, Bool)])
  func permanent(mayPass: Bool?, isWrong: Bool) {
    var night = updating()
    night.checker.reported(5, of: Self.server, mayPass: mayPass)
    phases(&night, "UPDATE", "run.backoff")
    #expect(night.violations == (isWrong ? ["S7"] : []))
  }

  @Test("that an old report that comes again says nothing new")
  func oldReports() {
    var night = updating()
    night.checker.reported(7, of: Self.server, mayPass: false)
    night.checker.reported(5, of: Self.server, mayPass: true)
    night.checker.reported(7, of: Self.server, mayPass: true)
    phases(&night, "UPDATE", "run.backoff")
    #expect(night.violations == ["S7"])
  }

  @Test("another one after a hook has said that it is of no use (S7)", arguments: [false, true])
  func hooks(mayPass: Bool) {
    var night = updating()
    phases(&night, "POST_CHECK")
    night.checker.reported(7, of: Self.server, mayPass: nil)
    night.checker.hookJudged(Self.server, mayPass: mayPass)
    phases(&night, "UPDATE", "run.backoff")
    #expect(night.violations == (mayPass ? [] : ["S7"]))
  }

  @Test("nothing about a server of which there are two")
  func clones() {
    var night = updating()
    night.checker.cloned(1, as: 2, of: Self.server)
    night.checker.reported(5, of: Self.server, mayPass: false)
    phases(&night, "UPDATE", "run.backoff")
    #expect(night.violations == [])
  }

  @Test("a second rollback in one attempt (S7)", arguments: [false, true])
  func twice(isAskedFor: Bool) {
    var night = updating()
    for phase in ["ROLLBACK", "VERIFY"] { phases(&night, phase) }
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "HELD", kind: "run.held")
    if isAskedFor { resolve(&night, "roll back") }
    night.move(
      "WEB01", run: 1, from: "HELD", to: "IN_PROGRESS", kind: "run.phase", phase: "ROLLBACK",
      attempt: 1)
    #expect(night.violations == (isAskedFor ? [] : ["S7"]))
  }

  @Test("another one after a rollback, in place or from the lane (S7)", arguments: [false, true])
  func afterRollback(isInPlace: Bool) {
    var night = updating()
    phases(&night, "ROLLBACK")
    if isInPlace {
      night.move(
        "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.retried",
        phase: "VERIFY", attempt: 2)
    } else {
      giveBack(&night)
    }
    #expect(night.violations == ["S7"])
  }

  @Test("nothing wrong with one after a rollback that a person asked for")
  func granted() {
    var night = updating()
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "HELD", kind: "run.held")
    resolve(&night, "retry")
    night.move(
      "WEB01", run: 1, from: "HELD", to: "IN_PROGRESS", kind: "run.phase", phase: "ROLLBACK",
      attempt: 1)
    giveBack(&night)
    #expect(night.violations == [])
  }

  @Test("nothing wrong with a rollback campaign that puts a server off before it goes back")
  func undo() {
    var night = Night()
    var campaign = Night.campaign
    campaign.rollbackOf = "day"
    night.checker.configured(campaign)
    var client = Night.client
    client.requiresBackup = false
    night.checker.configuredAnew(client)
    night.start("WEB01", run: 1)
    phases(&night, "ROLLBACK")
    giveBack(&night)
    #expect(night.violations == [])
  }

  private func resolve(_ night: inout Night, _ decision: String) {
    night.record(
      "run.resolved", campaign: "night", client: "C01", server: Self.server, run: 1, from: "HELD",
      to: "HELD", reason: decision, principal: "ada")
  }

  private func giveBack(_ night: inout Night) {
    night.checker.reportCommitted(9, of: Self.server, provesHealthy: true)
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "PENDING", kind: "run.given_back")
  }
}

import Testing

@testable import AtlasChecker

@Suite("The checker sees, about what stops by itself,")
struct BreakerCheckerTests {
  /// A night with nine servers and as many slots.
  private func night(_ change: (inout CampaignFact) -> Void) -> Night {
    var night = Night()
    var client = Night.client
    client.slots = 9
    night.checker.configuredAnew(client)
    for number in 1...9 {
      night.checker.added(ServerFact(name: "C01-S\(number)", client: "C01"))
    }
    var campaign = Night.campaign
    change(&campaign)
    night.checker.configured(campaign)
    return night
  }

  private func end(
    _ night: inout Night, _ run: Int, as state: String, _ detail: String = "", reason: String = ""
  ) {
    night.record(
      "run.ended", campaign: "night", client: "C01", server: "C01-S\(run)", run: run,
      from: "IN_PROGRESS", to: state, detail: detail, reason: reason)
  }

  @Test(
    "a start while as many servers are down and held as people can look after",
    arguments: [
      ("LOST", "UPDATE", 1, true), ("UNHEALTHY", "POST_CHECK", 1, true),
      ("ROLLBACK_FAILED", "ROLLBACK", 1, true), ("AGENT_STATE_LOST", "UPDATE", 1, false),
      ("OVERDUE", "UPDATE", 1, false), ("OVERDUE", "REBOOT", 1, true), ("LOST", "UPDATE", 2, false),
      ("LOST", "UPDATE", 0, true),
    ])
  func people(hold: String, phase: String, most: Int, isWrong: Bool) {
    var night = night { $0.maxWaitingForPeople = most }
    night.start("S1", run: 1)
    night.move(
      "S1", run: 1, from: "IN_PROGRESS", to: "PARKED", kind: "run.parked", phase: phase)
    night.move("S1", run: 1, from: "PARKED", to: "HELD", kind: "run.held", detail: hold)
    night.start("S2", run: 2)
    #expect(night.violations == (isWrong ? ["cap"] : []))
    night.move("S1", run: 1, from: "HELD", to: "IN_PROGRESS", kind: "run.back", phase: phase)
    night.start("S3", run: 3)
    #expect(night.violations.count == (isWrong ? 1 : 0))
  }

  @Test(
    "a start when too many of the last servers have failed or are held",
    arguments: [("b", false), ("bb", true), ("bgggb", true), ("bggggb", false), ("bbg", true)])
  func rate(outcomes: String, isWrong: Bool) {
    var night = night {
      $0.breakers.successRate = 80
      $0.breakers.sample = 5
    }
    for run in 1...outcomes.count { night.start("S\(run)", run: run) }
    for (index, outcome) in outcomes.enumerated() {
      night.at += 1_000
      night.checker.reportCommitted(9, of: "C01-S\(index + 1)", provesHealthy: true)
      end(&night, index + 1, as: outcome == "b" ? "HELD" : "COMPLETED")
    }
    #expect(night.violations == [])
    var resumed = night
    night.start("S9", run: 9)
    #expect(night.violations == (isWrong ? ["breaker"] : []))
    resumed.record("campaign.resumed", campaign: "night")
    resumed.start("S9", run: 9)
    #expect(resumed.violations == [])
  }

  // MARK: - Update sources

  private static let minute: Int64 = 60_000

  @Test(
    "a start before a source that is silent is to be tried, for the client or the campaign",
    arguments: ["", "C01"], [(0, true), (299, true), (300, false)])
  func firstTry(client: String, when: (seconds: Int, isWrong: Bool)) {
    var night = night { _ in }
    night.record("environment.held", campaign: "night", client: client, detail: "source")
    night.at += Int64(when.seconds) * 1_000
    night.start("S1", run: 1)
    #expect(night.violations == (when.isWrong ? ["breaker"] : []))
  }

  @Test("a second server that tries a source beside another")
  func secondProbe() {
    var night = night { _ in }
    night.record("environment.held", campaign: "night", client: "C01", detail: "source")
    night.at += 5 * Self.minute
    night.start("S1", run: 1)
    var answered = night
    var over = night
    night.start("S2", run: 2)
    #expect(night.violations == ["breaker"])
    answered.record("environment.resumed", campaign: "night", client: "C01", detail: "source")
    answered.start("S2", run: 2)
    #expect(answered.violations == [])
    end(&over, 1, as: "NOT_ATTEMPTED", "hook")
    over.start("S2", run: 2)
    #expect(over.violations == [])
  }

  @Test("a try too soon after one in vain", arguments: [(9, true), (10, false)] as [(Int64, Bool)])
  func nextTry(minutes: Int64, isWrong: Bool) {
    var night = night { _ in }
    night.record("environment.held", campaign: "night", detail: "source")
    night.at += 5 * Self.minute
    night.start("S1", run: 1)
    end(
      &night, 1, as: "PENDING", reason: "no answer; it waits until its update source answers")
    night.at += minutes * Self.minute
    night.start("S2", run: 2)
    #expect(night.violations == (isWrong ? ["breaker"] : []))
  }

  @Test("nothing wrong with a start of a client whose source is not the silent one")
  func otherSource() {
    var night = night { _ in }
    night.record("environment.held", campaign: "night", client: "C02", detail: "source")
    night.start("S1", run: 1)
    #expect(night.violations == [])
  }

  // MARK: - Lanes and kinds

  @Test("a start of a kind that is held", arguments: [false, true])
  func kinds(isReleased: Bool) {
    var night = night { _ in }
    let kind = "no role on an unknown system"
    night.record("signature.held", campaign: "night", detail: kind)
    if isReleased { night.record("signature.released", campaign: "night", detail: kind) }
    night.start("S1", run: 1)
    #expect(night.violations == (isReleased ? [] : ["breaker"]))
  }
}

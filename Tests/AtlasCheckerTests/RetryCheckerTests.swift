import Testing

@testable import AtlasChecker

@Suite("The checker sees, about another attempt,")
struct RetryCheckerTests {
  /// A server that waits between two attempts, beside one that is down.
  private func waiting() -> Night {
    var night = Night()
    var client = Night.client
    client.slots = 2
    night.checker.configuredAnew(client)
    var campaign = Night.campaign
    campaign.maxWaitingForPeople = 2
    night.checker.configured(campaign)
    night.start("WEB02", run: 2)
    night.start("WEB01", run: 1)
    for phase in ["SNAPSHOT", "UPDATE"] {
      night.move(
        "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase", phase: phase)
    }
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.backoff", phase: "UPDATE")
    return night
  }

  private func tryAgain(_ night: inout Night) {
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.retried",
      phase: "UPDATE", attempt: 2)
  }

  @Test(
    "that it begins although its server is locked, or its lane or kind held",
    arguments: [
      ("server.locked", ["S4"]), ("lane.held", ["S4"]), ("signature.held", ["breaker"]),
      ("server.unlocked", []),
    ])
  func kept(record: String, wrong: [String]) {
    var night = waiting()
    let isServer = record.hasPrefix("server")
    night.record(
      record, campaign: isServer ? "" : "night", client: "C01",
      server: isServer ? "C01-WEB01" : "",
      detail: record == "signature.held" ? "no role on an unknown system" : "")
    tryAgain(&night)
    #expect(night.violations == wrong)
  }

  @Test(
    "that it begins although as many servers as may be down wait for people",
    arguments: [(1, ["cap"]), (2, [])])
  func people(most: Int, wrong: [String]) {
    var night = waiting()
    night.move(
      "WEB02", run: 2, from: "IN_PROGRESS", to: "HELD", kind: "run.held", phase: "PRE_CHECK",
      detail: "LOST")
    var campaign = Night.campaign
    campaign.maxWaitingForPeople = most
    night.checker.asked(for: campaign, as: "fewer")
    night.record("campaign.edited", campaign: "night", detail: "fewer")
    tryAgain(&night)
    #expect(night.violations == wrong)
  }
}

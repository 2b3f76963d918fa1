import Testing

@testable import AtlasChecker

@Suite("The checker sees, about what reaches servers,")
struct ServerCheckerTests {
  private static let server = "C01-WEB01"

  @Test("an order that begins while another runs (S5)", arguments: [false, true])
  func running(hasEnded: Bool) {
    var night = Night()
    night.checker.began(night.order(5, "UPDATE", Self.server), on: 1, of: Self.server)
    if hasEnded { night.checker.ended(5, on: 1) }
    night.checker.began(night.order(6, "HEALTH", Self.server), on: 1, of: Self.server)
    #expect(night.violations == (hasEnded ? [] : ["S5"]))
  }

  @Test("a fence that is drawn twice (S5)")
  func drawnTwice() {
    var night = Night()
    night.checker.committed([], rows: [], orders: [5])
    night.checker.committed([], rows: [], orders: [6])
    #expect(night.violations == [])
    night.checker.committed([], rows: [], orders: [5])
    #expect(night.violations == ["S5"])
  }

  @Test(
    "a fence at or below one that an agent has named, once the daemon has taken that in (S5)",
    arguments: [(8, false), (7, true), (6, true)] as [(UInt64, Bool)],
    ["hello", "welcome", "other welcome", "death"])
  func named(fence: (number: UInt64, isBelow: Bool), upTo: String) {
    var night = Night()
    night.checker.saidHello(Self.server, worksOn: nil, named: (session: 3, fence: 7))
    if upTo != "hello" {
      night.checker.welcomed(session: upTo == "other welcome" ? 2 : 3, of: Self.server)
    }
    if upTo == "death" { night.checker.daemonDied() }
    night.checker.committed([], rows: [], orders: [fence.number])
    #expect(night.violations == (fence.isBelow && upTo == "welcome" ? ["S5"] : []))
  }

  @Test("that a database of before draws fences again, and not those that agents have named")
  func restored() {
    var night = Night()
    night.checker.committed([], rows: [], orders: [5, 6])
    night.checker.restored(to: 2, copiedAt: night.at)
    night.checker.committed([], rows: [], orders: [5])
    #expect(night.violations == [])
    night.checker.saidHello(Self.server, worksOn: nil, named: (session: 3, fence: 6))
    night.checker.welcomed(session: 3, of: Self.server)
    night.checker.committed([], rows: [], orders: [6])
    #expect(night.violations == ["S5"])
  }

  @Test(
    "what is sent to start something under a stop (S4)",
    arguments: [("UPDATE", ["S4"]), ("REBOOT", ["S4"]), ("HEALTH", []), ("ROLLBACK", [])])
  func stopped(kind: String, wrong: [String]) {
    var night = Night()
    night.checker.committed([], rows: [], orders: [5])
    night.record("stop.latched", client: "C01", fence: 9)
    night.checker.sent(night.order(5, kind, Self.server), to: Self.server)
    #expect(night.violations == wrong)
  }

  @Test("an order that is sent to, or begun by, another server (S10)")
  func astray() {
    var night = Night()
    night.checker.committed([], rows: [], orders: [5])
    night.checker.sent(night.order(5, "HEALTH", Self.server), to: "C01-WEB02")
    night.checker.began(night.order(5, "HEALTH", Self.server), on: 2, of: "C01-WEB02")
    #expect(night.violations == ["S10", "S10"])
  }

  @Test("a server of a client that nobody configured (S10)")
  func unknownClient() {
    var night = Night()
    night.record(
      "run.started", campaign: "night", client: "C09", server: "C09-WEB01", run: 1,
      from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK", attempt: 1)
    #expect(night.violations.contains("S10"))
  }

  @Test(
    "a start although something keeps its server, its client or its campaign (S4)",
    arguments: [
      "client.paused", "campaign.paused", "client.postponed", "client.dark", "environment.held",
      "server.locked", "lane.held", "campaign.cancelling",
    ])
  func kept(latch: String) {
    var night = Night()
    let isOfCampaign = latch.hasPrefix("campaign.") || latch == "lane.held"
    let isOfAll = latch.hasPrefix("campaign.") || latch == "environment.held"
    night.record(
      latch, campaign: isOfCampaign ? "night" : "", client: isOfAll ? "" : "C01",
      server: latch == "server.locked" ? Self.server : "")
    night.start("WEB01", run: 1)
    #expect(night.violations == ["S4"])
  }

  // MARK: - Maintenance

  @Test("maintenance that is entered twice")
  func enteredTwice() {
    var night = Night()
    night.checker.entersMaintenance("night/C01-WEB01")
    night.checker.entersMaintenance("night/C01-WEB01")
    #expect(night.violations == [])
    night.checker.enteredMaintenance("night/C01-WEB01")
    night.checker.entersMaintenance("night/C01-WEB01")
    #expect(night.violations == ["maintenance"])
  }

  @Test(
    "a server that is simply completed although its maintenance remains",
    arguments: [("UPDATED", ["maintenance"]), ("WITH_EXCEPTIONS", [])])
  func remains(detail: String, wrong: [String]) {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.entersMaintenance("night/C01-WEB01")
    night.checker.enteredMaintenance("night/C01-WEB01")
    night.checker.reportCommitted(9, of: Self.server, provesHealthy: true)
    night.record(
      "run.warning", campaign: "night", client: "C01", server: Self.server, run: 1,
      from: "IN_PROGRESS", to: "IN_PROGRESS", phase: "FINALIZE", reason: "maintenance remains")
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "COMPLETED", kind: "run.completed", detail: detail)
    #expect(night.violations == wrong)
  }
}

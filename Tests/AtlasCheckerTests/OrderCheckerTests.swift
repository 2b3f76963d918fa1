import Testing

@testable import AtlasChecker

@Suite("The checker sees, about who starts beside, before and after whom,")
struct OrderCheckerTests {
  /// A night in which the client has three slots, and its servers are these.
  private func night(_ servers: [ServerFact], servers names: Set<String> = []) -> Night {
    var night = Night()
    var client = Night.client
    client.slots = 3
    night.checker.configuredAnew(client)
    for server in servers { night.checker.added(server, isAnew: true) }
    var campaign = Night.campaign
    campaign.servers = names
    night.checker.configured(campaign)
    return night
  }

  private static let carrier = ServerFact(name: "C01-WEB01", client: "C01", carriesAtlas: true)

  private func approve(_ night: inout Night) {
    night.record(
      "run.approved", campaign: "night", client: "C01", server: "C01-WEB01", run: 1,
      from: "PENDING", to: "PENDING")
  }

  @Test("a second member of a group")
  func groups() {
    var night = night(
      ["C01-WEB01", "C01-WEB02"].map { ServerFact(name: $0, client: "C01", group: "nodes") })
    for name in ["C01-WEB01", "C01-WEB02"] {
      night.checker.answeredAboutPeers(of: name, isWell: true)
    }
    night.start("WEB01", run: 1)
    #expect(night.violations == [])
    night.start("WEB02", run: 2)
    #expect(night.violations == ["order"])
  }

  @Test(
    "a server whose peers are not said to be well, or not lately",
    arguments: [(true, 0, false), (false, 0, true), (nil, 0, true), (true, 121, true)]
      as [(Bool?, Int64, Bool)])
  func peers(answer: Bool?, seconds: Int64, isWrong: Bool) {
    var night = night([ServerFact(name: "C01-WEB01", client: "C01", group: "nodes")])
    if let answer { night.checker.answeredAboutPeers(of: "C01-WEB01", isWell: answer) }
    night.at += seconds * 1_000
    night.start("WEB01", run: 1)
    #expect(night.violations == (isWrong ? ["order"] : []))
  }

  @Test("a guest and its host at once", arguments: [false, true])
  func hosts(isHostFirst: Bool) {
    var night = night([
      ServerFact(name: "C01-WEB01", client: "C01", migratesGuests: true),
      ServerFact(name: "C01-WEB02", client: "C01", host: "C01-WEB01"),
    ])
    night.start(isHostFirst ? "WEB01" : "WEB02", run: 1)
    #expect(night.violations == [])
    night.start(isHostFirst ? "WEB02" : "WEB01", run: 2)
    #expect(night.violations == ["order"])
  }

  @Test(
    "a host that starts without a slot, a window, or the leave of a client whose guests it takes",
    arguments: [("", []), ("slot", ["S1"]), ("window", ["S2"]), ("stop", ["S4"])])
  func guestClients(missing: String, wrong: [String]) {
    var night = night([
      ServerFact(name: "C01-WEB01", client: "C01"),
      ServerFact(name: "C02-WEB01", client: "C02", host: "C01-WEB01"),
    ])
    var other = Night.client
    other.name = "C02"
    if missing == "slot" { other.slots = 0 }
    if missing == "window" { other.windows = [] }
    night.checker.configuredAnew(other)
    night.record(
      "client.outage_declared", client: "C02", detail: "\(night.at)/\(night.at + 86_400_000)/0")
    if missing == "stop" { night.record("stop.latched", client: "C02", fence: 9) }
    night.start("WEB01", run: 1)
    #expect(Set(night.violations) == Set(wrong))
  }

  // MARK: - Servers that carry Atlas

  @Test("one that carries Atlas and starts without a person", arguments: [false, true])
  func carriers(isApproved: Bool) {
    var night = night([Self.carrier])
    if isApproved { approve(&night) }
    night.start("WEB01", run: 1)
    #expect(night.violations == (isApproved ? [] : ["order"]))
  }

  @Test("one that carries Atlas and starts before another, or beside it")
  func carriersLast() {
    var before = night([Self.carrier], servers: ["C01-WEB01", "C01-WEB02"])
    approve(&before)
    before.start("WEB01", run: 1)
    #expect(before.violations == ["order"])
    var beside = night([Self.carrier])
    beside.start("WEB02", run: 2)
    approve(&beside)
    beside.start("WEB01", run: 1)
    // It is not done, either, but is not of this campaign's list.
    #expect(Set(beside.violations) == ["order"])
  }

  @Test("one that starts beside a server that carries Atlas")
  func besideCarriers() {
    var night = night([Self.carrier])
    approve(&night)
    night.start("WEB01", run: 1)
    night.start("WEB02", run: 2)
    #expect(night.violations == ["order"])
  }

  // MARK: - What is asked for

  @Test("a start without a change reference", arguments: [false, true], [false, true])
  func changeReference(isAskedFor: Bool, isThere: Bool) {
    var night = Night()
    var client = Night.client
    client.requiresChangeReference = isAskedFor
    night.checker.configuredAnew(client)
    var campaign = Night.campaign
    campaign.hasChangeReference = isThere
    night.checker.configured(campaign)
    night.start("WEB01", run: 1)
    #expect(night.violations == (isAskedFor && !isThere ? ["order"] : []))
  }

  @Test(
    "a start with an agent that is too old",
    arguments: [
      ("1.4", "1.4", false), ("1.4.0", "1.4", false), ("1.10", "1.9", false),
      ("1.3.9", "1.4", true),
      ("", "1.4", true), ("1.4-beta", "1.4", true), ("0.1", "", false),
    ])
  func agents(version: String, least: String, isWrong: Bool) {
    var night = Night()
    var campaign = Night.campaign
    campaign.leastAgent = least
    night.checker.configured(campaign)
    night.checker.saidVersion(version, of: "C01-WEB01")
    night.start("WEB01", run: 1)
    #expect(night.violations == (isWrong ? ["order"] : []))
  }

  @Test(
    "an order that installs what was excluded before its run came to UPDATE",
    arguments: [true, false], [[], ["KB2"], ["KB1"]])
  func exclusions(isBefore: Bool, excluded: [String]) {
    var night = Night()
    night.start("WEB01", run: 1)
    if isBefore { exclude(&night) }
    for phase in ["SNAPSHOT", "UPDATE"] {
      night.move(
        "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase", phase: phase,
        attempt: 1)
    }
    if !isBefore { exclude(&night) }
    night.checker.committed([], rows: [], orders: [5])
    var order = night.order(5, "UPDATE", "C01-WEB01")
    order.excluded = excluded
    night.checker.sent(order, to: "C01-WEB01")
    #expect(night.violations == (isBefore && excluded != ["KB1"] ? ["order"] : []))
  }

  private func exclude(_ night: inout Night) {
    night.record(
      "campaign.changed", campaign: "night", detail: "exclude_update", reason: "KB1: it is bad")
  }
}

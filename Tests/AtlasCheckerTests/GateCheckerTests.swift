import Testing

@testable import AtlasChecker

@Suite("The checker sees, about gates and caps,")
struct GateCheckerTests {
  private static let rule = GateFact(
    isComplete: false, minCompleted: 2, successRate: 95, maxFailed: 0, soak: 600_000,
    needsApproval: false, isRepresentative: false)

  /// Three servers in ring 0 and one behind the gate.
  private func rings(
    _ rule: GateFact = rule, _ change: (inout CampaignFact) -> Void = { _ in }
  ) -> Night {
    var night = Night()
    var canary = Night.client
    canary.name = "C00"
    canary.ring = 0
    canary.slots = 3
    night.checker.configured(canary)
    var pilot = Night.client
    pilot.ring = 1
    night.checker.configuredAnew(pilot)
    for number in 1...3 {
      night.checker.added(
        ServerFact(name: "C00-WEB0\(number)", client: "C00", roles: ["WEB"], system: "linux"))
    }
    night.checker.added(
      ServerFact(name: "C01-WEB01", client: "C01", roles: ["WEB"], system: "linux"), isAnew: true)
    var campaign = Night.campaign
    campaign.gates = [rule]
    campaign.servers = ["C00-WEB01", "C00-WEB02", "C00-WEB03", "C01-WEB01"]
    change(&campaign)
    night.checker.configured(campaign)
    night.record("campaign.edited", campaign: "night")
    return night
  }

  private func canary(_ number: Int, _ night: inout Night, becomes state: String) {
    let detail = state == "NOT_ATTEMPTED" ? "hook" : ""
    for (from, to, kind) in [
      ("PENDING", "IN_PROGRESS", "run.started"),
      ("IN_PROGRESS", state, "run.\(state.lowercased())"),
    ] {
      night.record(
        kind, campaign: "night", client: "C00", server: "C00-WEB0\(number)", run: number,
        from: from, to: to, phase: from == "PENDING" ? "PRE_CHECK" : "", attempt: 1,
        detail: detail, ring: 0)
    }
    // That it was proven healthy is another matter.
    night.checker.reportCommitted(
      UInt64(night.hashes.count), of: "C00-WEB0\(number)", provesHealthy: true)
  }

  private func prove(_ night: inout Night) {
    for number in 1...3 {
      night.checker.reportCommitted(99, of: "C00-WEB0\(number)", provesHealthy: true)
    }
  }

  private func open(_ night: inout Night) {
    night.record("gate.opened", campaign: "night", ring: 0)
  }

  private func startBehind(_ night: inout Night) {
    night.record(
      "run.started", campaign: "night", client: "C01", server: "C01-WEB01", run: 4,
      from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK", attempt: 1, ring: 1)
  }

  @Test(
    "whether a run still waits for a gate: not when its conditions have held for the soak (L1)",
    arguments: [(1, 700, true), (2, 300, true), (2, 700, false)])
  func waits(completed: Int, seconds: Int, isWaiting: Bool) {
    var night = rings()
    for number in 1...completed { canary(number, &night, becomes: "COMPLETED") }
    night.at += Int64(seconds) * 1_000
    night.checker.now = night.at
    let decisions = night.checker.openDecisions(deferral: 0)
    #expect(decisions.contains("C01-WEB01 of night: gate 0") == isWaiting)
  }

  @Test("a gate that opens before its soak is over", arguments: [(599, true), (600, false)])
  func soak(seconds: Int, isWrong: Bool) {
    var night = rings()
    prove(&night)
    canary(1, &night, becomes: "COMPLETED")
    canary(2, &night, becomes: "COMPLETED")
    night.at += Int64(seconds) * 1_000
    open(&night)
    startBehind(&night)
    #expect(night.violations == (isWrong ? ["gate"] : []))
  }

  @Test("a soak that did not begin anew after a fall, and one that needs to only once")
  func fall() {
    var night = rings()
    prove(&night)
    canary(1, &night, becomes: "COMPLETED")
    canary(2, &night, becomes: "COMPLETED")
    night.at += 300_000
    canary(3, &night, becomes: "HELD")
    night.at += 1_000
    night.record(
      "run.back", campaign: "night", client: "C00", server: "C00-WEB03", run: 3, from: "HELD",
      to: "IN_PROGRESS", phase: "PRE_CHECK", attempt: 1, ring: 0)
    night.at += 300_000
    open(&night)
    #expect(night.violations == ["gate"])
    night.at += 1_000_000
    night.record("gate.closed", campaign: "night", ring: 0)
    open(&night)
    #expect(night.violations == ["gate"])
  }

  @Test(
    "a gate that opens with too few, too many failed, or some that are not over",
    arguments: [
      (states: ["COMPLETED"], isComplete: false, wrong: ["gate"]),
      (states: ["COMPLETED", "COMPLETED"], isComplete: false, wrong: []),
      (states: ["COMPLETED", "COMPLETED"], isComplete: true, wrong: ["gate"]),
      (states: ["COMPLETED", "COMPLETED", "HELD"], isComplete: false, wrong: ["gate"]),
      (states: ["COMPLETED", "NOT_ATTEMPTED", "NOT_ATTEMPTED"], isComplete: true, wrong: []),
    ])
  func conditions(states: [String], isComplete: Bool, wrong: [String]) {
    var rule = Self.rule
    rule.isComplete = isComplete
    rule.soak = 0
    var night = rings(rule)
    prove(&night)
    for (index, state) in states.enumerated() { canary(index + 1, &night, becomes: state) }
    open(&night)
    #expect(night.violations == wrong)
  }

  @Test(
    "a gate that opens without approval, unless a person has given it or has promoted the ring",
    arguments: [nil, "ring.approved", "ring.promoted"])
  func approval(decision: String?) {
    var rule = Self.rule
    rule.needsApproval = true
    rule.soak = 0
    rule.minCompleted = 0
    var night = rings(rule)
    if let decision { night.record(decision, campaign: "night", ring: 1) }
    open(&night)
    #expect(night.violations == (decision == nil ? ["gate"] : []))
  }

  @Test(
    "a start behind a gate that has fallen, unless a person has promoted the ring",
    arguments: ["ring.approved", "ring.promoted"])
  func fallen(decision: String) {
    var rule = Self.rule
    rule.needsApproval = true
    rule.soak = 0
    rule.minCompleted = 0
    var night = rings(rule)
    prove(&night)
    night.record(decision, campaign: "night", ring: 1)
    open(&night)
    canary(1, &night, becomes: "HELD")
    startBehind(&night)
    #expect(night.violations == (decision == "ring.approved" ? ["gate"] : []))
  }

  @Test("a start behind a gate that never opened, or that has fallen since")
  func behind() {
    var night = rings()
    startBehind(&night)
    #expect(night.violations == ["gate"])
    var rule = Self.rule
    rule.soak = 0
    rule.minCompleted = 0
    var fallen = rings(rule)
    open(&fallen)
    canary(1, &fallen, becomes: "HELD")
    startBehind(&fallen)
    #expect(fallen.violations == ["gate"])
  }

  @Test(
    "a kind of servers that nobody has tried in an earlier ring",
    arguments: ["", "WEB on linux", "any role on linux", "WEB on any system", "SQL on linux"])
  func representative(waiver: String) {
    var rule = Self.rule
    rule.soak = 0
    rule.minCompleted = 0
    rule.isRepresentative = true
    var night = rings(rule)
    open(&night)
    if !waiver.isEmpty {
      night.record("representative.waived", campaign: "night", detail: waiver)
    }
    startBehind(&night)
    let isWaived = !["", "SQL on linux"].contains(waiver)
    #expect(night.violations == (isWaived ? [] : ["gate"]))
  }

  // MARK: - Caps

  private static let open = GateFact(
    isComplete: false, minCompleted: 0, successRate: 0, maxFailed: 9, soak: 0,
    needsApproval: false, isRepresentative: false)

  private func begin(_ number: Int, _ night: inout Night) {
    night.record(
      "run.started", campaign: "night", client: "C00", server: "C00-WEB0\(number)", run: number,
      from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK", attempt: 1, ring: 0)
  }

  @Test(
    "a start beyond a cap",
    arguments: [
      ("max_in_progress", ["cap"]), ("max_active_clients", []), ("per_site", ["cap"]),
      ("max_starts_per_minute", ["cap"]), ("resources", ["cap"]), ("min_available", ["cap"]),
      ("none", []),
    ])
  func caps(cap: String, wrong: [String]) {
    var night = rings(Self.open) { campaign in
      switch cap {
      case "max_in_progress": campaign.maxInProgress = 1
      case "max_active_clients": campaign.maxActiveClients = 1
      case "per_site": campaign.perSite = 1
      case "max_starts_per_minute": campaign.maxStartsPerMinute = 1
      case "resources": campaign.resources = ["SAN": 1]
      case "min_available": campaign.minAvailable = 34
      case _: break
      }
    }
    for number in 1...2 {
      var server = ServerFact(
        name: "C00-WEB0\(number)", client: "C00", roles: ["WEB"], system: "linux")
      server.site = "LYON"
      server.resources = ["SAN"]
      night.checker.added(server, isAnew: true)
      begin(number, &night)
    }
    #expect(night.violations == wrong)
  }

  @Test("one more client than may be worked on")
  func activeClients() {
    var night = rings(Self.open) { $0.maxActiveClients = 1 }
    begin(1, &night)
    open(&night)
    startBehind(&night)
    #expect(night.violations == ["cap"])
  }

  @Test("that a client may have caps of its own")
  func ownCaps() {
    var night = rings(Self.open) { campaign in
      campaign.perSite = 1
      var own = campaign
      own.perSite = 2
      campaign.overrides = ["C00": own]
    }
    begin(1, &night)
    begin(2, &night)
    #expect(night.violations == [])
    begin(3, &night)
    #expect(night.violations == ["cap"])
  }

  @Test("a start in a lane of which too many have failed, until a person lets it go on")
  func laneBreaker() {
    var night = rings(Self.open) { $0.breakers.maxFailedPerClient = 1 }
    canary(1, &night, becomes: "HELD")
    begin(2, &night)
    #expect(night.violations == ["breaker"])
    night.record("campaign.resumed", campaign: "night", client: "C00")
    begin(3, &night)
    #expect(night.violations == ["breaker"])
  }

  @Test("nothing wrong with a lane that had nothing left to start when it broke")
  func emptyLane() {
    var night = rings(Self.open) { campaign in
      campaign.breakers.maxFailedPerClient = 1
      campaign.servers = ["C00-WEB01", "C00-WEB02", "C01-WEB01"]
    }
    begin(2, &night)
    canary(1, &night, becomes: "HELD")
    night.record(
      "run.given_back", campaign: "night", client: "C00", server: "C00-WEB02", run: 2,
      from: "IN_PROGRESS", to: "PENDING", ring: 0)
    begin(2, &night)
    #expect(night.violations == [])
  }

  @Test("a start of a kind of servers that is held")
  func signature() {
    var night = rings(Self.open)
    night.record("signature.held", campaign: "night", detail: "WEB on linux")
    begin(1, &night)
    #expect(night.violations == ["breaker"])
    night.record("signature.released", campaign: "night", detail: "WEB on linux")
    begin(2, &night)
    #expect(night.violations == ["breaker"])
  }
}

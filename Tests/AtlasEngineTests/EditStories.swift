import AtlasModel
import AtlasTestKit
import Testing

@testable import AtlasEngine

/// People who change the policy of a campaign while it runs: what has not started goes by the new
/// one, and what has started by its own.
@Suite struct `An edit of a policy` {
  private static let first = "LAA-PARIS-APP01"
  private static let second = "LAA-PARIS-APP02"
  private static let fails = CommandAnswer.failsToInstall(
    "0x80070005", "access is denied", retryable: true)

  private static func world(_ servers: [String] = [first, second], slots: Int = 1) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", slots: slots, servers: servers)
    return EngineWorld(fleet)
  }

  @Test func `leaves a server in progress its retries, and takes those of the next away`() {
    var world = Self.world()
    for server in [Self.first, Self.second] {
      world.script.answer(.update, of: server, with: Self.fails)
    }
    world.campaign(
      "patch-11",
      policy: .with {
        $0.maxRetries = 2; $0.breakers = .off
      })
    world.run(until: Self.first, .update)
    world.edit(
      to: .with {
        $0.maxRetries = 0; $0.breakers = .off
      })
    world.settle()
    let runs = world.state.campaigns[0].runs
    #expect(runs.map(\.attempt) == [3, 1])
    #expect(runs.map(\.state) == [.failed(.rolledBack), .failed(.rolledBack)])
    #expect(world.violations == [])
  }

  @Test func `is known again after a crash, with the policy before it`() {
    var world = Self.world()
    for server in [Self.first, Self.second] {
      world.script.answer(.update, of: server, with: Self.fails)
    }
    world.campaign(
      "patch-11",
      policy: .with {
        $0.maxRetries = 1; $0.breakers = .off
      })
    world.run(until: Self.first, .update)
    world.edit(
      to: .with {
        $0.maxRetries = 0; $0.breakers = .off
      })
    world.crash()
    for server in [Self.first, Self.second] { world.connect(server) }
    #expect(world.state.campaigns[0].earlier.map(\.policy.maxRetries) == [1])
    world.settle()
    #expect(world.state.campaigns[0].runs.map(\.attempt) == [2, 1])
    #expect(world.violations == [])
  }

  @Test func `lifts a cap that lanes wait for, and puts one in their way`() {
    var fleet = EngineFleet()
    for client in ["AAA", "BBB", "CCC"] { fleet.add(client, servers: ["\(client)-PARIS-APP01"]) }
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: .with { $0.maxInProgress = 1 })
    world.run(until: "AAA-PARIS-APP01", .update)
    #expect(world.state.campaigns[0].counts[.inProgress] == 1)
    world.edit(to: Policy())
    #expect(world.state.campaigns[0].counts[.inProgress] == 3)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])

    world = EngineWorld(fleet)
    world.draft("patch-11")
    world.edit(to: .with { $0.maxInProgress = 2 })
    world.step(.startCampaign(CampaignID(0), ifMatch: nil, hookRevision: "r1", by: "anna"))
    #expect(world.state.campaigns[0].counts[.inProgress] == 2)
    #expect(world.state.campaigns[0].earlier.isEmpty)
  }

  @Test func `of starts per minute waits for the next minute, and no longer`() {
    var fleet = EngineFleet()
    let clients = (1...9).map { "AA\($0)" }
    for client in clients { fleet.add(client, servers: ["\(client)-PARIS-APP01"]) }
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: .with { $0.maxStartsPerMinute = 5 })
    #expect(world.state.campaigns[0].counts[.inProgress] == 5)
    world.edit(to: .with { $0.maxStartsPerMinute = 2 })
    world.run(for: .seconds(61))
    #expect(world.state.campaigns[0].counts[.inProgress] == 7)
    world.run(for: .seconds(60))
    #expect(world.state.campaigns[0].counts[.inProgress] == 9)
  }

  @Test func `of starts per minute counts what began before the daemon's death`() {
    var fleet = EngineFleet()
    let servers = (1...4).map { "AA\($0)-PARIS-APP01" }
    for (number, server) in servers.enumerated() { fleet.add("AA\(number + 1)", servers: [server]) }
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: .with { $0.maxStartsPerMinute = 2 })
    world.run(for: .seconds(20))
    world.crash()
    for server in servers { world.connect(server) }
    world.run(for: .seconds(39))
    #expect(world.state.campaigns[0].counts[.inProgress] == 2)
    world.run(for: .seconds(2))
    #expect(world.state.campaigns[0].counts[.inProgress] == 4)
    #expect(world.violations == [])
  }

  @Test func `of a breaker is judged at once by what was`() {
    var world = Self.world((1...4).map { "LAA-PARIS-APP0\($0)" })
    for server in [Self.first, Self.second] {
      world.script.answer(.update, of: server, with: Self.fails)
    }
    func policy(_ most: Int) -> Policy {
      .with {
        $0.maxRetries = 0
        $0.breakers = .off
        $0.breakers.maxFailedPerClient = most
      }
    }
    world.campaign("patch-11", policy: policy(5))
    world.run { $0.state.campaigns[0].counts[.failed] == 2 }
    world.edit(to: policy(2))
    #expect(world.state.campaigns[0].heldLanes.map(\.client) == [ClientID(0)])
    #expect(world.violations == [])
  }

  @Test func `closes a gate that was open, and opens one at once`() {
    var fleet = EngineFleet()
    fleet.add("AAA", ring: .canary, servers: ["AAA-PARIS-APP01", "AAA-PARIS-APP02"])
    fleet.add("BBB", ring: .pilot, servers: ["BBB-PARIS-APP01", "BBB-PARIS-APP02"])
    func gate(_ completed: Int, soak: Duration) -> Policy {
      .with {
        $0.gates = [
          RingGate(
            ring: .canary, minCompleted: completed, gateSoak: soak, representative: false)
        ]
      }
    }
    var world = EngineWorld(fleet)
    world.campaign("patch-11", policy: gate(2, soak: .seconds(36_000)))
    world.run(until: "AAA-PARIS-APP02", .update)
    #expect(world.state.campaigns[0].rings[0].gate == .closed)
    world.edit(to: gate(1, soak: .zero))
    #expect(world.state.campaigns[0].rings[0].gate == .open)
    #expect(world.state[world.run("BBB-PARIS-APP01")].state.kind == .inProgress)
    world.edit(to: gate(2, soak: .seconds(600)))
    #expect(world.state.campaigns[0].rings[0].gate == .closed)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `moves the end of a campaign`() {
    var world = Self.world()
    world.campaign("patch-11", endsAt: world.now + .seconds(3_600))
    world.run(until: Self.first, .update)
    world.edit(to: Policy(), endsAt: world.now + .seconds(7 * 86_400))
    world.settle()
    #expect(
      world.state.campaigns[0].runs.map(\.state)
        == [.completed(.updated), .completed(.updated)])
    #expect(world.violations == [])
  }

  @Test func `asks for the windows again, and starts nothing before they are known`() {
    var world = Self.world()
    world.ownWindows = [
      Interval(
        start: EngineFleet.night(1).start, end: EngineFleet.night(1).start + .seconds(28_800))
    ]
    world.campaign("patch-11")
    world.run(until: Self.first, .update)
    world.edit(to: .with { $0.windows = MaintenanceWindow(rule: "as the world says") })
    // The boot of the first waits for the new window as well.
    world.run { $0.state[$0.run(Self.first)].state == .parked(next: .reboot) }
    world.settle()
    let second = world.state[world.run(Self.second)]
    #expect(second.startedAt.map { $0 > EngineFleet.night(1).start } == true)
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `is in the log, once, with what changed, why, and by whom`() throws {
    var world = Self.world()
    world.campaign("patch-11")
    let edit = CampaignEdit(
      policy: .with { $0.maxRetries = 0 }, changes: "max_retries: 2 → 0", reason: "slower")
    var state = world.state
    func records() throws -> [Record] {
      let event = Event.editCampaign(CampaignID(0), edit, by: "anna")
      return try state.step(event, now: world.now).compactMap {
        if case .record(let record) = $0 { record } else { nil }
      }
    }
    #expect(
      try records() == [
        Record(
          .campaignEdited, campaign: CampaignID(0), detail: "max_retries: 2 → 0",
          reason: "slower", principal: "anna")
      ])
    #expect(try records() == [])
  }

  @Test(
    arguments: [
      (
        "version",
        Refusal.changed(
          message: "the campaign was changed by another in the meantime",
          hint: "look at what would change again, then edit it")
      ),
      ("past", .past(field: "ends_at", EngineFleet.night().start, now: EngineFleet.night().start)),
      (
        "over",
        .notAllowed(
          code: .campaignState, message: "cannot edit a campaign that is COMPLETED",
          hint: "nothing more starts in it")
      ),
      ("often", .limit("a campaign is edited at most 64 times")),
    ])
  func `is refused`(what: String, refusal: Refusal) {
    var world = Self.world()
    world.campaign("patch-11")
    var edit = CampaignEdit(policy: .with { $0.maxRetries = 7 }, changes: "")
    switch what {
    case "version": edit.ifVersion = 999
    case "past": edit.endsAt = world.now
    case "over": world.settle()
    case _:
      for number in 1...64 { world.edit(to: .with { $0.rollbackReserve = .seconds(number) }) }
    }
    #expect(throws: refusal) { try world.obey(.editCampaign(CampaignID(0), edit, by: "anna")) }
  }

  @Test func `cannot change how a rollback campaign goes back`() {
    var world = Self.world()
    let kept = Policy.with { $0.snapshotRetention = .seconds(7 * 86_400) }
    world.campaign("patch-11", policy: kept)
    world.settle()
    let undo = world.draft("undo-11", rollbackOf: CampaignID(0))
    let edit = CampaignEdit(policy: .with { $0.rollback = .uninstall }, changes: "")
    #expect(
      throws: Refusal.invalid(
        field: "rollback",
        message: "a rollback campaign goes back as it was made to; make another one instead")
    ) { try world.obey(.editCampaign(undo, edit, by: "anna")) }
  }
}

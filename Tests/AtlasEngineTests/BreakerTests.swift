import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Lanes, campaigns and kinds of servers that stop by themselves when servers fail.
@Suite struct `A breaker` {
  private static let fails = CommandAnswer.failsToInstall(
    "0x800F0922", "servicing of component 17 failed", retryable: false)

  /// Clients `A` to the given letter, each with the same servers.
  private static func world(
    _ clients: [String], _ servers: [String], slots: Int = 1
  ) -> EngineWorld {
    var fleet = EngineFleet()
    for client in clients {
      fleet.add(client, slots: slots, servers: servers.map { "\(client)-PARIS-\($0)" })
    }
    return EngineWorld(fleet)
  }

  private static func policy(_ change: @escaping (inout Breakers) -> Void) -> Policy {
    .with {
      $0.breakers = .off
      change(&$0.breakers)
    }
  }

  private func kinds(_ world: EngineWorld) -> [RunState.Kind] {
    world.state.campaigns[0].runs.map(\.state.kind)
  }

  @Test func `holds a lane after as many failures as it says, until a person resumes it`() throws {
    var world = Self.world(["LAA", "MRB"], ["APP01", "APP02", "APP03", "APP04", "APP05"])
    for number in [1, 2, 3] {
      world.script.answer(.update, of: "LAA-PARIS-APP0\(number)", with: Self.fails)
    }
    world.campaign("patch-11", policy: Self.policy { $0.maxFailedPerClient = 2 })
    world.settle()
    let latch = Latch(
      reason: "2 servers of the lane failed or are held", principal: "engine",
      since: world.state[world.run("LAA-PARIS-APP02")].endedAt ?? world.now)
    #expect(
      world.state.campaigns[0].heldLanes == [HeldLane(client: ClientID(0), latch: latch)])
    #expect(world.state.waits(world.run("LAA-PARIS-APP03"), now: world.now) == .laneHeld)
    world.crash()
    for index in world.agents.indices { world.connect(ServerID(index)) }
    world.settle()
    #expect(world.state.campaigns[0].heldLanes.count == 1)
    // One more failure is one of two again.
    world.resume(CampaignID(0), .client(ClientID(0)))
    world.settle()
    let done = Array(repeating: RunState.Kind.completed, count: 2)
    let failed = Array(repeating: RunState.Kind.failed, count: 3)
    #expect(kinds(world) == failed + done + Array(repeating: .completed, count: 5))
    #expect(world.violations == [])
  }

  @Test func `does not hold a lane in which nothing waits`() {
    var world = Self.world(["LAA"], ["APP01", "APP02"])
    world.script.answer(.update, with: Self.fails)
    world.campaign("patch-11", policy: Self.policy { $0.maxFailedPerClient = 2 })
    world.settle()
    #expect(world.state.campaigns[0].heldLanes == [])
    #expect(world.state.campaigns[0].state == .completedWithFailures)
  }

  @Test func `pauses the campaign below its rate, and counts anew when it is resumed`() throws {
    let clients = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
    var world = Self.world(clients, ["APP01", "APP02"])
    for client in clients.prefix(4) {
      world.script.answer(.update, of: "\(client)-PARIS-APP01", with: Self.fails)
    }
    world.script.answer(.update, of: "AAA-PARIS-APP02", with: Self.fails)
    world.campaign(
      "patch-11",
      policy: Self.policy {
        $0.successRate = 50
        $0.sample = 4
      })
    world.settle()
    let pauses = world.state.campaigns[0].pauses
    #expect(pauses.map(\.scope) == [.all])
    #expect(pauses.map(\.latch.principal) == ["engine"])
    let reason = "3 of the last 3 servers failed or are held: the rate falls below 50 % of 4"
    #expect(pauses.map(\.latch.reason) == [reason])
    world.crash()
    for index in world.agents.indices { world.connect(ServerID(index)) }
    world.run(for: .seconds(3_600))
    #expect(world.state.campaigns[0].pauses.count == 1)
    world.resume()
    world.settle()
    #expect(world.state.campaigns[0].pauses == [])
    #expect(world.state.campaigns[0].counts[.failed] == 5)
    #expect(world.state.campaigns[0].state == .completedWithFailures)
    #expect(world.violations == [])
  }

  @Test(arguments: [(50, 2, false), (50, 3, true), (80, 0, false), (80, 1, true), (100, 1, true)])
  func `judges the rate of a whole sample`(rate: Int, bad: Int, isBroken: Bool) {
    var breakers = Breakers()
    breakers.successRate = rate
    breakers.sample = 4
    #expect(breakers.isBroken(bad: bad) == isBroken)
    breakers.successRate = nil
    #expect(!breakers.isBroken(bad: bad))
  }

  @Test func `holds a kind of servers that fails alike at several clients, no other`() throws {
    var world = Self.world(["AAA", "BBB", "CCC", "DDD"], ["APP01", "SQL01", "SQL02"])
    for client in ["AAA", "BBB", "CCC", "DDD"] {
      world.script.answer(
        .update, of: "\(client)-PARIS-SQL01",
        with: .failsToInstall(
          "0x800F0922", "component \(client.utf8.first ?? 0) on \(client)-PARIS-SQL01",
          retryable: false))
    }
    world.campaign(
      "patch-11",
      policy: .with {
        $0.breakers = .off
        $0.breakers.signatureClients = 3
        $0.roleRollback = []
      })
    // The last client is late, so that its SQL servers find their kind held.
    world.disconnect("DDD-PARIS-APP01")
    world.settle()
    let held = try #require(world.state.campaigns[0].safety.held.first)
    #expect(held.kind == ServerKind(role: Role(trusted: "SQL"), system: "windows-2022"))
    #expect(held.phase == .update)
    #expect(held.cause == "0x800f0922: component # on #")
    #expect(held.update == nil)
    let waiting = world.state.waits(world.run("AAA-PARIS-SQL02"), now: world.now)
    #expect(waiting == .signature(held.kind))
    #expect(waiting?.needsPerson == true)
    #expect(world.state.isSettled(CampaignID(0), now: world.now))
    #expect(world.state[world.run("CCC-PARIS-APP01")].state == .completed(.updated))
    world.step(
      .releaseSignature(CampaignID(0), held.kind, reason: "a known fault of SQL01", by: "anna"))
    #expect(world.state.campaigns[0].safety.signatures == [])
    world.settle()
    #expect(world.state[world.run("AAA-PARIS-SQL02")].state == .completed(.updated))
    try Golden.expect(world, tells: "signature")
  }

  @Test func `offers the update that fails for exclusion, and lets go when it is excluded`() {
    let update = UpdateID(trusted: "KB5031364")
    var world = Self.world(["AAA", "BBB"], ["APP01", "APP02"])
    var answer = Self.fails
    answer.result.updates = [UpdateResult(update: update, outcome: .failed, code: "0x800F0922")]
    for client in ["AAA", "BBB"] {
      world.script.answer(.update, of: "\(client)-PARIS-APP01", with: answer)
    }
    world.campaign("patch-11", policy: Self.policy { $0.signatureClients = 2 })
    world.settle()
    #expect(world.state.campaigns[0].safety.held.map(\.update) == [update])
    #expect(world.state.campaigns[0].safety.held.map(\.cause) == [update.text])
    world.step(.excludeUpdate(CampaignID(0), update, reason: "bad", by: "anna"))
    #expect(world.state.campaigns[0].safety.held == [])
    world.settle()
    #expect(kinds(world) == [.failed, .completed, .failed, .completed])
    #expect(world.violations == [])
  }

  @Test func `counts servers that do not come back in time as failing alike`() {
    var world = Self.world(["AAA", "BBB"], ["APP01", "APP02"], slots: 1)
    world.script.answer(.reboot, with: .hangs())
    world.campaign("patch-11", policy: Self.policy { $0.signatureClients = 2 })
    world.settle()
    #expect(world.state.campaigns[0].safety.held.map(\.phase) == [.reboot])
    #expect(world.violations == [])
  }

  @Test func `releases only what is held`() {
    var world = Self.world(["AAA"], ["APP01"])
    let id = world.campaign("patch-11")
    let kind = ServerKind(role: nil, system: "windows-2022")
    let refusal = #expect(throws: Refusal.self) {
      try world.obey(.releaseSignature(id, kind, reason: "x", by: "anna"))
    }
    #expect(
      refusal
        == .notAllowed(
          code: .notHeld, message: "no role on windows-2022 is not held in this campaign",
          hint: "no kind of servers is"))
    #expect(world.violations == [])
  }

  @Test(arguments: [
    ("0x80070643: the installer failed", "0x80070643: the installer failed"),
    ("0x80070643: Failed (code 17) on LAA-WEB01", "0x80070643: failed (code # on #"),
    ("not healthy: service 'Spooler' is down", "not healthy: service … is down"),
    ("can't open “C:\\a b.log” at 0x7ffe12345678", "can't open … at #"),
    ("0x12345678: deadbeefcafe failed", "# # failed"),
    ("reboot: E_BOOT: no answer", "reboot: e_boot: no answer"),
    ("required update KB5031364 is not installed", "required update # is not installed"),
  ])
  func `knows an error again without what differs from server to server`(
    message: String, normal: String
  ) {
    #expect(ErrorText.normalised(message) == normal)
  }

  @Test func `keeps a bounded number of signatures, the newest`() {
    var world = Self.world(["AAA"], (1...3).map { "APP0\($0)" })
    for number in 1...3 {
      let word = ["one", "two", "three"][number - 1]
      world.script.answer(
        .update, of: "AAA-PARIS-APP0\(number)",
        with: .failsToInstall("", "\(word) failed", retryable: false))
    }
    world.campaign("patch-11", policy: Self.policy { $0.signatureClients = 3 })
    world.settle()
    let causes = world.state.campaigns[0].safety.signatures.map(\.cause)
    #expect(causes == ["one failed", "two failed", "three failed"])
    #expect(causes.count <= Limits.signatures)
    #expect(world.violations == [])
  }
}

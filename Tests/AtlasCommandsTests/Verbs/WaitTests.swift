import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("atlas campaign wait", .timeLimit(.minutes(10)))
struct WaitTests {
  private static func campaign(
    _ state: AtlasV1.CampaignState, settled: Bool = false, held: Int32 = 0, failed: Int32 = 0,
    stopped scope: String? = nil, paused part: String? = nil
  ) -> AtlasV1.Campaign {
    AtlasV1.Campaign(
      name: "x", state: state, servers: .init(total: 9, pending: 4, held: held, failed: failed),
      flags: (scope.map { [.init(kind: "stopped", scope: $0, reason: "fire")] } ?? [])
        + (part.map { [.init(kind: "paused", scope: $0, reason: "payroll")] } ?? []),
      settled: settled)
  }

  @Test(
    "ends when the goal is reached, and when it no longer can be",
    arguments: [
      // A draft is waited for, even if nothing happens in it.
      (campaign(.draft, settled: true), ".", ".", "."),
      (campaign(.active), ".", ".", "."),
      (campaign(.cancelling), ".", ".", "."),
      (campaign(.completed, settled: true), "ok", "ok", "ok"),
      (
        campaign(.completedWithFailures, settled: true, failed: 2),
        "completed with failures: 2 failed",
        "completed with failures: 2 failed", "completed with failures: 2 failed"
      ),
      (campaign(.cancelled, settled: true), "was cancelled", "was cancelled", "was cancelled"),
      // A gate that waits for a person is no failure.
      (campaign(.active, settled: true), "ok", ".", "waits for people: 4 pending"),
      (
        campaign(.active, settled: true, held: 1), "has settled with 1 held", ".",
        "waits for people: 1 held"
      ),
      (
        campaign(.active, stopped: "fleet"), "is stopped: fire", "is stopped: fire",
        "is stopped: fire"
      ),
      (
        campaign(.active, settled: true, paused: "campaign"), "is paused: payroll", ".",
        "is paused: payroll"
      ),
      // What it has in flight goes on.
      (campaign(.active, paused: "campaign"), ".", ".", "."),
      (
        campaign(.active, settled: true, paused: "ring 2"), "ok", ".", "waits for people: 4 pending"
      ),
      // Other clients go on.
      (campaign(.active, stopped: "client LAA"), ".", ".", "."),
    ])
  func verdicts(campaign: AtlasV1.Campaign, settled: String, terminal: String, completed: String) {
    for (goal, expected) in [
      (WaitGoal.settled, settled), (.terminal, terminal), (.completed, completed),
    ] {
      let verdict: WaitVerdict =
        expected == "." ? .goOn : expected == "ok" ? .reached : .failed(expected)
      #expect(WaitVerdict(of: campaign, for: goal) == verdict)
    }
  }

  @Test("looks once a second until it is done")
  func reaches() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      var terminal = terminal
      terminal.time = VirtualTime { count in
        if count == 3 { atlas.change { $0.campaigns[0].state = .completed } }
      }
      expect(
        await terminal.run("campaign", "wait", "november", "--for", "completed"),
        is: Outcome(
          status: .ok, output: "november: COMPLETED\n", errors: "november: ACTIVE\n"))
      #expect(terminal.time.pauses == [.seconds(1), .seconds(1), .seconds(1)])
    }
  }

  @Test("exits with 2 when servers failed")
  func fails() async throws {
    var world = World.november(clients: 1, servers: 2)
    world.campaigns[0].settled = true
    world.campaigns[0].decisions = ["LAA-PARIS-WEB01 is HELD (LOST): retry"]
    _ = try world.change(run: "LAA-PARIS-WEB01", of: "november") { $0.state = .held }
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("campaign", "wait", "november"),
        is: Outcome(
          status: .campaignFailed, output: "november: ACTIVE, waits for people\n",
          errors: """
            error: november has settled with 1 held
              LAA-PARIS-WEB01 is HELD (LOST): retry
            hint: atlas campaign runs november --state held,parked,failed -o wide

            """))
    }
  }

  @Test("exits with 6 when its time is up, which is not that of a call")
  func timeout() async throws {
    try await FakeAtlas.serving { _, terminal in
      let outcome = await terminal.run("campaign", "wait", "november", "--timeout", "1m")
      #expect(
        outcome
          == Outcome(
            status: .timeout, output: "",
            errors: """
              november: ACTIVE
              error: november is not settled after 1m
              hint: atlas watch november

              """))
      #expect(terminal.time.pauses.count == 59)
    }
  }

  @Test("goes on while the daemon is away, once it has been there")
  func survives() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      var terminal = terminal
      terminal.time = VirtualTime { count in
        if count == 1 {
          for _ in 0..<12 { atlas.fail("GetCampaign", WireStatus(.unavailable, "restart")) }
        }
        if count == 20 { atlas.change { $0.campaigns[0].state = .completed } }
      }
      expect(await terminal.run("campaign", "wait", "november"), ends: .ok)
    }
    try await FakeAtlas.serving { atlas, terminal in
      for _ in 0..<100 { atlas.fail("GetCampaign", WireStatus(.unavailable, "down")) }
      expect(await terminal.run("campaign", "wait", "november"), ends: .unreachable)
    }
  }
}

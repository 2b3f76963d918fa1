import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("Plans, estimates and rollback campaigns", .timeLimit(.minutes(10)))
struct PlansTests {
  @Test("a plan of what could be stands beside the plan that is")
  func whatIf() async throws {
    var world = World.november(clients: 1, servers: 2)
    world.plan.makespan = .init(seconds: 27_000)
    world.supposed = world.plan
    world.supposed?.makespan = .init(seconds: 14_400)
    world.supposed?.mostDown = 2
    world.supposed?.failed = 3
    try await FakeAtlas.serving(world) { atlas, terminal in
      let words = ["campaign", "plan", "november", "--what-if", "max_parallel_servers=2"]
      let output = await terminal.run(words).output
      #expect(output.contains("With max_parallel_servers=2:\n"))
      #expect(output.contains("Makespan         7h30m        4h\n"))
      #expect(output.contains("Failed               0         3\n"))
      #expect(
        atlas.requests(AtlasV1.PlanCampaignRequest.self) == [
          .init(campaign: "november", whatIf: "max_parallel_servers=2")
        ])
    }
  }

  @Test("several suppositions are one; the daemon refuses one that is there twice")
  func severalWhatIfs() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let words = ["--what-if", "max_parallel_servers=2", "--what-if", "failure_rate=3%"]
      _ = await terminal.run(["campaign", "plan", "november"] + words)
      #expect(
        atlas.requests(AtlasV1.PlanCampaignRequest.self).map(\.whatIf)
          == ["max_parallel_servers=2,failure_rate=3%"])
    }
  }

  @Test(
    "a plan compares itself with one by one where that says something",
    arguments: [
      (27_000, "", "One by one   31d6h, 100 times longer\n"), (2_700_000, "", nil),
      (27_000_000, "", nil), (27_000, "october", nil),
    ] as [(Int64, String, String?)])
  func comparison(makespan: Int64, rollbackOf: String, line: String?) async throws {
    var world = World.november(clients: 1, servers: 2)
    world.plan.makespan = .init(seconds: makespan)
    world.plan.sequential = .init(seconds: 2_700_000)
    world.plan.lowerBound = .init(seconds: 27_000)
    world.campaigns[0].rollbackOf = rollbackOf
    try await FakeAtlas.serving(world) { _, terminal in
      let output = await terminal.run("campaign", "plan", "november").output
      if let line { #expect(output.contains(line)) }
      #expect(output.contains("One by one") == (line != nil))
    }
  }

  @Test("a campaign that was undone says by which, in lists, alone, in its report and its servers")
  func undone() async throws {
    var world = World.november(clients: 1, servers: 2)
    var undo = world.campaigns[0]
    undo.name = "undo"
    undo.rollbackOf = "november"
    undo.state = .completed
    world.campaigns.append(undo)
    world.runs["undo"] = [
      .init(server: "A", state: .completed), .init(server: "B", state: .completed),
    ]
    try await FakeAtlas.serving(world) { _, terminal in
      for verb in [["list"], ["get", "november"], ["report", "november"]] {
        let output = await terminal.run(["campaign"] + verb).output
        #expect(output.contains(", 2 undone by undo"), "\(verb)")
      }
    }
    let run = AtlasV1.ServerRun(state: .completed, undoneBy: "undo")
    #expect(run.note == "undone by undo")
  }

  @Test(
    "a rollback that has not done anything undoes nothing yet",
    arguments: [
      (AtlasV1.CampaignState.draft, ""), (.active, "being undone by undo"), (.cancelled, ""),
    ])
  func notUndone(state: AtlasV1.CampaignState, text: String) {
    let undo = AtlasV1.Campaign(name: "undo", state: state, rollbackOf: "november")
    #expect(Undoings([undo]).text("november") == text)
    #expect(Undoings([undo]).text("undo") == "")
  }

  @Test("estimates say what is expected, and whether history or the policy says so")
  func estimates() async throws {
    var world = World.november(clients: 1, servers: 1)
    world.estimates = [
      .init(
        role: "SQL", system: "windows-2022", estimate: .init(seconds: 3_900),
        policyEstimate: .init(seconds: 2_700),
        phases: [
          .init(phase: .update, samples: 41, p50: .init(seconds: 1_500), p95: .init(seconds: 2_400))
        ]
      ),
      .init(policyEstimate: .init(seconds: 2_700), phases: [.init(phase: .update, samples: 3)]),
    ]
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("campaign", "estimates"),
        prints: """
          KIND                    EXPECTED  BY       SERVERS  UPDATE  REBOOT
          SQL on windows-2022         1h5m  history       41     40m       -
          servers without a role       45m  policy         3       -       -

          """)
    }
  }

  @Test("a rollback campaign says what it leaves as it is")
  func rollback() async throws {
    var world = World.november(clients: 1, servers: 1)
    world.notUndoable = [
      .init(
        server: "LAA-PARIS-DC01", client: "LAA", reason: "is a domain controller: a person decides")
    ]
    try await FakeAtlas.serving(world) { atlas, terminal in
      let output = await terminal.run(
        "campaign", "create", "undo", "--rollback-of", "november", "--client", "LAA"
      ).output
      #expect(
        output.hasSuffix(
          "Left as they are:\n  LAA-PARIS-DC01 is a domain controller: a person decides\n"))
      #expect(
        atlas.requests(AtlasV1.CreateCampaignRequest.self).map(\.rollbackOf) == ["november"])
    }
  }

  @Test("a report puts the plan beside what happened")
  func report() async throws {
    var world = World.november(clients: 1, servers: 1)
    let start = GoogleProtobuf.Timestamp(seconds: 1_796_000_000)
    world.campaigns[0].startedAt = start
    world.report.planned = .init(
      plannedFinish: .init(seconds: 1_796_027_000), finish: .init(seconds: 1_796_030_000),
      rings: [.init(ring: 0, name: "own", plannedOpens: start, opens: start)],
      servers: [
        .init(
          server: "LAA-PARIS-SQL01", client: "LAA", plannedLength: .init(seconds: 2_700),
          length: .init(seconds: 5_700), off: .init(seconds: 3_000), reason: "2 attempts")
      ])
    world.report.estimates = .init(attempts: 40, covered: 38)
    try await FakeAtlas.serving(world) { _, terminal in
      let output = await terminal.run("campaign", "report", "november").output
      #expect(output.contains("Planned      7h30m\n"))
      #expect(output.contains("95 % of the servers took at most what was expected of them\n"))
      #expect(output.contains("Plan and reality\n"))
      #expect(output.contains("LAA-PARIS-SQL01     50m      45m  1h35m  2 attempts\n"))
    }
  }
}

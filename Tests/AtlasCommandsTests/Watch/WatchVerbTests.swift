import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("atlas watch", .timeLimit(.minutes(10)))
struct WatchVerbTests {
  @Test("prints lines where there is no terminal, and ends when the campaign has settled")
  func plain() async throws {
    try await FakeAtlas.serving(.november(clients: 2, servers: 2)) { atlas, terminal in
      var terminal = terminal
      let numbers = NumberBox()
      terminal.time = VirtualTime { count in
        if count % 10 == 0 { atlas.change { numbers.pass(&$0) } }
      }
      let outcome = await terminal.run("watch")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      #expect(lines.first?.contains("/4 done  ") == true)
      #expect(lines.contains { $0.contains("gate.opened") })
      #expect(lines.suffix(2).first?.hasPrefix("november ") == true)
      #expect(lines.last?.hasPrefix("4 in all: ") == true)
      let campaign = try atlas.world.campaign("november")
      #expect(outcome.status == (campaign.state == .completed ? .ok : .campaignFailed))
    }
  }

  @Test("takes the screen over, and gives it back")
  func screen() async throws {
    try await FakeAtlas.serving { _, terminal in
      var terminal = terminal
      let screen = FakeScreen()
      terminal.size = screen.size
      terminal.screen = screen
      terminal.environment["NO_COLOR"] = "1"
      terminal.time = VirtualTime { _ in
        if screen.frames.last?.contains(where: { $0.contains("LAA") }) == true {
          screen.press(.key("q"))
        }
      }
      let outcome = await terminal.run("watch", "november")
      #expect(outcome.status == .ok)
      #expect(
        outcome.output == """
          november ACTIVE after 0s
          12 in all: 12 pending

          """)
      #expect(screen.entries == 1)
      #expect(!screen.isEntered)
    }
  }

  @Test("gives the screen back when the campaign is gone")
  func failure() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      var terminal = terminal
      let screen = FakeScreen()
      terminal.size = screen.size
      terminal.screen = screen
      terminal.environment["NO_COLOR"] = "1"
      terminal.time = VirtualTime { count in
        if count == 5 { atlas.change { $0.campaigns = [] } }
      }
      let outcome = await terminal.run("watch", "november")
      #expect(outcome.status == .error)
      #expect(outcome.errors.hasPrefix("error: there is no campaign “november”\n"))
      #expect(!screen.isEntered)
    }
  }

  @Test("stands still on demand, sorts on demand, and follows the size of the terminal")
  func keys() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      var terminal = terminal
      let screen = FakeScreen()
      terminal.size = screen.size
      terminal.screen = screen
      terminal.environment["NO_COLOR"] = "1"
      let script = KeyScript(screen: screen, atlas: atlas)
      terminal.time = VirtualTime { _ in script.step() }
      expect(await terminal.run("watch"), ends: .ok)
      #expect(script.isDone)
    }
  }

  @Test("without a name needs a campaign that runs, and only one")
  func choosing() async throws {
    try await FakeAtlas.serving(World()) { atlas, terminal in
      expect(
        await terminal.run("watch"),
        says: "error: no campaign is running\nhint: atlas campaign list\n")
      atlas.change { $0.campaigns = ["a", "b"].map { .init(name: $0, state: .active) } }
      expect(
        await terminal.run("watch"),
        is: Outcome(
          status: .usage, output: "",
          errors: "error: 2 campaigns are running: a, b\nhint: atlas watch a\n"))
    }
  }

  @Test("top prints the clients once where there is no terminal")
  func top() async throws {
    try await FakeAtlas.serving(.november(clients: 2, servers: 2)) { atlas, terminal in
      _ = try atlas.change { world in
        try world.change(run: "KBB-PARIS-WEB01", of: "november") { $0.state = .held }
      }
      expect(
        await terminal.run("top"),
        prints: """
          CLIENT  RING  DONE  ACTIVE  PARKED  HELD  FAILED  LEFT OUT  DOWN  AGENTS  STATE
          KBB        2   0/2       0       0     1       0         0     0     2/2  -
          LAA        0   0/2       0       0     0       0         0     0     2/2  -

          """)
    }
  }

  @Test("top on a screen shows who needs somebody, and ends with q")
  func topScreen() async throws {
    try await FakeAtlas.serving { _, terminal in
      var terminal = terminal
      let screen = FakeScreen(TerminalSize(columns: 80, rows: 6))
      terminal.size = screen.size
      terminal.screen = screen
      terminal.environment["NO_COLOR"] = "1"
      terminal.time = VirtualTime { count in if count == 3 { screen.press(.key("q")) } }
      expect(await terminal.run("top"), ends: .ok)
      #expect(
        screen.frames.first == [
          "all campaigns  2026-11-22T02:00:00Z", "12 in all: 12 pending",
          "CLIENT  RING  DONE  ACTIVE  PARKED  HELD  FAILED  LEFT OUT  DOWN  AGENTS  STATE",
          "KBB        1   0/4       0       0     0       0         0     0     4/4  -",
          "and 2 more clients", "q quit  s sort: attention  p pause the view",
        ])
      #expect(!screen.isEntered)
    }
  }
}

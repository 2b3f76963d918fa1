import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("atlas campaign release", .timeLimit(.minutes(10)))
struct ReleaseTests {
  private static func world(_ kinds: [(role: String, system: String)]) -> World {
    var world = World.november(clients: 1, servers: 1)
    world.campaigns[0].heldKinds = kinds.map { .init(role: $0.role, system: $0.system) }
    return world
  }

  @Test("without saying what is released names what is held, with a command")
  func example() async throws {
    let kinds = [("SQL", "windows-2022"), ("MX", "debian-12")]
    try await FakeAtlas.serving(Self.world(kinds)) { atlas, terminal in
      expect(
        await terminal.run("campaign", "release", "november", "--reason", "x"),
        is: Outcome(
          status: .usage, output: "",
          errors: """
            error: say what is released, with --role, --system, or both
            hint: atlas campaign release november --role SQL --system windows-2022 --reason TEXT

            """))
      #expect(atlas.requests(AtlasV1.ReleaseSignatureRequest.self).isEmpty)
    }
  }

  @Test("without saying what is released says so when nothing is held")
  func nothing() async throws {
    try await FakeAtlas.serving { _, terminal in
      expect(
        await terminal.run("campaign", "release", "november", "--reason", "x"),
        is: Outcome(
          status: .notAllowed, output: "",
          errors: """
            error: no role and system is held in november: there is nothing to release
            hint: atlas campaign kinds november

            """))
    }
  }

  @Test("means servers without a role where it names none, and all that they have where it does")
  func words() async throws {
    let kinds = [("", ""), ("SQL", ""), ("", "windows-2022")]
    try await FakeAtlas.serving(Self.world(kinds)) { _, terminal in
      let words = ["campaign", "release", "november", "--reason", "x"]
      for (options, text) in [
        ([], "what has no role goes on in november\n"),
        (["--role", "SQL"], "SQL goes on in november\n"),
        (["--system", "windows-2022"], "what has no role on windows-2022 goes on in november\n"),
      ] {
        expect(await terminal.run(words + options), prints: text)
      }
      let next = await terminal.run("campaign", "kinds", "november").output
      #expect(next.contains("atlas campaign release november --role SQL\n"))
      #expect(next.contains("atlas campaign release november --system windows-2022\n"))
    }
  }
}

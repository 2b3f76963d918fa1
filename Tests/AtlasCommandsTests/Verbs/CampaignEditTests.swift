import AtlasWire
import FoundationEssentials
import Testing

@testable import AtlasCommands

@Suite("atlas campaign edit", .timeLimit(.minutes(10)))
struct CampaignEditTests {
  @Test("edit shows what is different, asks, and changes what was shown")
  func edit() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try Data("max_in_progress: 20\n".utf8).write(to: file)
    try await FakeAtlas.serving(World.november(clients: 2, servers: 3)) { atlas, terminal in
      var terminal = terminal
      terminal.answers = ["yes"]
      let words = ["campaign", "edit", "november", "-f", file.path(), "--reason", "slower"]
      #expect(
        await terminal.run(words)
          == Outcome(
            status: .ok, output: "november is edited\n",
            errors: """
                max_in_progress: unlimited → 20
                LAA: max_retries: (not set) → 0
              Change these 2 settings of november? 3 servers in progress finish by the old ones. \
              [y/N] \

              """.trimmingLastNewline))
      var expected = AtlasV1.EditCampaignRequest(
        campaign: "november",
        policy: .init(name: file.path(), content: Array("max_in_progress: 20\n".utf8)),
        reason: "slower", dryRun: true)
      var requests = [expected]
      expected.requestID = "id-1"
      expected.dryRun = false
      expected.ifMatch = "7"
      requests.append(expected)
      #expect(atlas.requests(AtlasV1.EditCampaignRequest.self) == requests)
    }
  }

  @Test(
    "edit says when nothing is different, and what would be",
    arguments: [
      (["--ends-at", "2026-12-01"], "november has these settings already\n"),
      (
        ["-f", "/proc/self/cmdline", "--dry-run"],
        """
        november would be edited
          max_in_progress: unlimited → 20
          LAA: max_retries: (not set) → 0

        """
      ),
    ])
  func editOfNothing(words: [String], output: String) async throws {
    try await FakeAtlas.serving(World.november(clients: 2, servers: 3)) { atlas, terminal in
      expect(
        await terminal.run(["campaign", "edit", "november"] + words),
        is: Outcome(status: .ok, output: output, errors: ""))
      #expect(atlas.requests(AtlasV1.EditCampaignRequest.self).map(\.dryRun) == [true])
    }
  }

  @Test("edit wants to know what is to be different")
  func editWithout() async throws {
    try await FakeAtlas.serving(World.november(clients: 2, servers: 3)) { _, terminal in
      let outcome = await terminal.run("campaign", "edit", "november")
      #expect(outcome.status == .usage)
      #expect(
        outcome.errors.contains("say what is to be different: -f FILE, --ends-at TIME, or both"))
    }
  }
}

import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("What comes out", .timeLimit(.minutes(10)))
struct FormatTests {
  /// Verbs that show something, with the names they print.
  private static let verbs: [(words: [String], names: String)] = [
    (["status"], "november\n"),
    (["top"], "KBB\nLAA\n"),
    (["campaign", "list"], "november\n"),
    (["campaign", "get", "november"], "november\n"),
    (["campaign", "rings", "november"], "0\n1\n2\n3\n"),
    (["campaign", "runs", "november"], "LAA-PARIS-WEB01\nKBB-PARIS-WEB01\n"),
    (["campaign", "events", "november"], "1\n"),
    (["campaign", "plan", "november"], "november\n"),
    (["campaign", "report", "november"], "november\n"),
    (["client", "list"], "LAA\nKBB\n"),
    (["client", "get", "LAA"], "LAA\n"),
    (["server", "list"], "LAA-PARIS-WEB01\nKBB-PARIS-WEB01\n"),
    (["server", "get", "LAA-PARIS-WEB01"], "LAA-PARIS-WEB01\n"),
    (["stop", "status"], "KBB\n"),
    (["audit", "list"], "1\n"),
    (["metrics", "get", "november"], "november\n"),
  ]

  private var world: World {
    var world = World.november(clients: 2, servers: 1, factor: 1000)
    world.stops = [.init(client: "KBB", since: world.time())]
    return world
  }

  @Test("is names alone, one a line, with -o name")
  func names() async throws {
    try await FakeAtlas.serving(world) { _, terminal in
      for (words, names) in Self.verbs {
        expect(
          await terminal.run(words + ["-o", "name"]),
          is: Outcome(status: .ok, output: names, errors: ""))
      }
    }
  }

  @Test("is JSON as one document and as lines, and YAML, with nothing beside it")
  func documents() async throws {
    try await FakeAtlas.serving(world) { _, terminal in
      for (words, _) in Self.verbs {
        let json = await terminal.run(words + ["-o", "json"])
        #expect(throws: Never.self, "\(words)") { try JSONValue(parsing: Array(json.output.utf8)) }
        let lines = await terminal.run(words + ["-o", "jsonl"])
        for line in lines.output.split(separator: "\n") {
          #expect(throws: Never.self, "\(words)") { try JSONValue(parsing: Array(line.utf8)) }
        }
        let yaml = await terminal.run(words + ["-o", "yaml"])
        #expect(yaml.output.contains(":"), "\(words)")
        #expect(json.errors + lines.errors + yaml.errors == "", "\(words)")
      }
    }
  }

  @Test("says that it is a rehearsal, wherever a person reads it")
  func rehearsal() async throws {
    try await FakeAtlas.serving(world) { _, terminal in
      for (words, _) in Self.verbs {
        for format in ["table", "wide"] {
          let outcome = await terminal.run(words + ["-o", format])
          let mentions = (outcome.output + outcome.errors).ranges(of: "REHEARSAL ×1000").count
          #expect(mentions == 1, "\(words)")
        }
      }
    }
  }

  @Test("is more with -o wide")
  func wide() async throws {
    try await FakeAtlas.serving(.november(clients: 1, servers: 1)) { _, terminal in
      expect(
        await terminal.run("campaign", "list", "-o", "wide"),
        prints: """
          NAME      STATE   DONE  IN PROGRESS  HELD  FAILED  LEFT OUT  CLIENTS  STARTED  ENDED  AUTHOR  \
          CREATED  ENDS AT  CHANGE  HOOKS         ETAG
          november  ACTIVE   0/1            0     0       0         0        1  now      -      anna    \
          2h ago   in 1d    -       9f2c1e77aa01  7

          """)
    }
  }
}

@Suite("A daemon that does not serve everything", .timeLimit(.minutes(10)))
struct UnservedTests {
  /// What grpc-swift says when nobody registered the method.
  private let unknown = WireStatus(
    .unimplemented, "Requested RPC isn't implemented by this server.")

  @Test("is told from one that refuses: the call has a name")
  func unserved() async throws {
    try await FakeAtlas.serving { [unknown] atlas, terminal in
      atlas.fail("ListHooks", unknown)
      let hint =
        "hint: atlasd is older than this program, 0.1.0, or was started without that part\n"
      expect(
        await terminal.run("hook", "list"),
        is: Outcome(
          status: .error, output: "",
          errors: "error: the daemon at \(terminal.address ?? "") does not serve this: "
            + "HookService.ListHooks\n" + hint))
      atlas.fail("GetStop", WireStatus(.unimplemented, "not in this build"))
      expect(
        await terminal.run("stop", "status"),
        says: "error: the daemon at \(terminal.address ?? "") does not serve this: "
          + "SafetyService.GetStop: not in this build\n" + hint)
    }
  }

  @Test("is no failure for doctor, which goes on")
  func doctor() async throws {
    try await FakeAtlas.serving { [unknown] atlas, terminal in
      atlas.fail("Check", unknown)
      atlas.fail("CheckHooks", unknown)
      atlas.fail("ServerReflectionInfo", unknown)
      let outcome = await terminal.run("doctor")
      #expect(outcome.status == .ok)
      #expect(
        outcome.output == """
          ok    address    \(terminal.address ?? ""), from ATLAS_ADDRESS
          warn  daemon     reachable; it has no health service
          warn  version    atlas 0.1.0; the daemon does not list its services
          ok    clock      2026-11-22T02:00:00Z
          ok    stop       nothing is stopped
          warn  hooks      the daemon at \(terminal.address ?? "") does not serve this: HookService.CheckHooks
          ok    agents     12 of 12 connected
          ok    campaigns  1 running

          """)
    }
  }

  @Test("may run without hooks")
  func withoutHooks() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      atlas.fail("CheckHooks", WireStatus(.failedPrecondition, "the daemon runs without hooks"))
      let outcome = await terminal.run("doctor")
      #expect(outcome.status == .ok)
      #expect(outcome.output.contains("warn  hooks      the daemon runs without hooks\n"))
    }
  }
}

import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("A call", .timeLimit(.minutes(10)))
struct CallTests {
  private let away = WireStatus(.unavailable, "the daemon is starting")

  @Test("that changes something is repeated under the same id while the daemon is away")
  func sameID() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      atlas.fail("EmergencyStop", away)
      atlas.fail("EmergencyStop", away)
      let outcome = await terminal.run("stop", "--reason", "fire")
      #expect(outcome.status == .ok)
      #expect(
        outcome.errors.hasPrefix("cannot reach \(terminal.address ?? "") yet; trying for 10m\n"))
      #expect(atlas.calls.map(\.method) == ["EmergencyStop", "EmergencyStop", "EmergencyStop"])
      #expect(terminal.time.pauses == [.milliseconds(100), .milliseconds(200)])
      #expect(
        atlas.requests(AtlasV1.EmergencyStopRequest.self)
          == [.init(requestID: "id-1", reason: "fire")])
    }
  }

  @Test("takes as long as ATLAS_TIMEOUT says, which must be a duration")
  func environmentTimeout() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      var terminal = terminal
      terminal.environment["ATLAS_TIMEOUT"] = "soon"
      expect(
        await terminal.run("stop", "status"),
        is: Outcome(
          status: .usage, output: "",
          errors: "error: ATLAS_TIMEOUT is “soon”\nhint: write 90s, 30m or 1h30m\n"))
      terminal.environment["ATLAS_TIMEOUT"] = "60s"
      for _ in 0..<100 { atlas.fail("EmergencyStop", away) }
      #expect(await terminal.run("stop").status == .unreachable)
      #expect(terminal.time.pauses.reduce(.zero, +) < .seconds(60))
    }
  }

  @Test("is not repeated for ever")
  func deadline() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      for _ in 0..<100 { atlas.fail("EmergencyStop", away) }
      let outcome = await terminal.run("stop", "--timeout", "60s")
      #expect(outcome.status == .unreachable)
      #expect(
        outcome.errors.hasSuffix(
          """
          error: the daemon at \(terminal.address ?? "") is not available: the daemon is starting
          hint: is atlasd running? atlas context show tells where the address comes from, \
          --address HOST:PORT takes another

          """))
      #expect(terminal.time.pauses.reduce(.zero, +) < .seconds(60))
    }
  }

  @Test("is repeated only when the daemon is away, and never in the name of somebody else")
  func otherErrors() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      atlas.fail("EmergencyStop", WireStatus(.permissionDenied, "not you"))
      let outcome = await terminal.run("stop")
      #expect(outcome == Outcome(status: .notAllowed, output: "", errors: "error: not you\n"))
      #expect(atlas.calls == [.init(method: "EmergencyStop", user: "anna")])
    }
  }

  @Test("that only reads gives up sooner")
  func reads() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      for _ in 0..<100 { atlas.fail("GetStop", away) }
      expect(await terminal.run("stop", "status"), ends: .unreachable)
      #expect(terminal.time.pauses.reduce(.zero, +) < .seconds(2))
    }
  }

  @Test("has a deadline")
  func timeout() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      atlas.hold("GetStop")
      let outcome = await terminal.run("stop", "status", "--timeout", "50ms")
      #expect(outcome.status == .timeout)
      #expect(
        outcome.errors.hasPrefix("error: no answer from \(terminal.address ?? "") within 50ms\n"))
    }
  }

  @Test("to a port that nobody listens on says so")
  func refused() async throws {
    let address = try await FakeAtlas(World()).serve { $0 }
    let outcome = await Terminal(address: address).run("campaign", "list")
    #expect(outcome.status == .unreachable)
    #expect(
      outcome.errors == """
        error: cannot reach the daemon at \(address)
          Connection refused
        hint: is atlasd running? atlas context show tells where the address comes from, \
        --address HOST:PORT takes another

        """)
  }

  @Test("for a list gets all pages, and smaller ones when they do not fit")
  func pages() async throws {
    let world = World.november(clients: 45, servers: 10)
    try await FakeAtlas.serving(world) { atlas, terminal in
      atlas.fail("ListServerRuns", WireStatus(.resourceExhausted, "too large"))
      let outcome = await terminal.run("campaign", "runs", "november", "-o", "name")
      #expect(outcome.output.split(separator: "\n").count == 450)
      let sizes = atlas.requests(AtlasV1.ListServerRunsRequest.self).map(\.pageSize)
      #expect(sizes == [100, 100, 100, 100, 100])
    }
  }

  @Test("for a list with a limit asks for no more")
  func limit() async throws {
    try await FakeAtlas.serving(.november(clients: 1, servers: 1)) { atlas, terminal in
      atlas.change { world in for _ in 0..<500 { world.note("gate.opened") } }
      let outcome = await terminal.run("audit", "list", "--limit", "250", "-o", "name")
      #expect(outcome.output.split(separator: "\n").first == "501")
      #expect(outcome.output.split(separator: "\n").count == 250)
      let sizes = atlas.requests(AtlasV1.ListAuditRecordsRequest.self).map(\.pageSize)
      #expect(sizes == [200, 50])
    }
  }
}

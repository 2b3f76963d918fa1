import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("Outages and servers that are down", .timeLimit(.minutes(10)))
struct OccupiedTests {
  @Test("declare-outage says from when to when, and for how many servers")
  func declare() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      expect(
        await terminal.run(
          "client", "declare-outage", "LAA", "--from", "2026-12-05T22:00:00Z", "--until",
          "2026-12-05T23:30:00Z", "--parallel", "3", "--reason", "agreed with Ms Renard",
          "--time", "iso"),
        prints: "LAA is in an outage from 2026-12-05T22:00:00Z to 2026-12-05T23:30:00Z, "
          + "3 servers at once\n")
      #expect(
        atlas.requests(AtlasV1.DeclareOutageRequest.self) == [
          .init(
            requestID: "id-1", client: "LAA", from: .init(seconds: 1_796_508_000),
            until: .init(seconds: 1_796_513_400), parallel: 3, reason: "agreed with Ms Renard")
        ])
      #expect(await terminal.run("client", "end-outage", "LAA").output.hasPrefix("LAA is in no"))
    }
  }

  @Test("an outage without an end, and one without a reason, are refused before anything is asked")
  func incomplete() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let endless = await terminal.run("client", "declare-outage", "LAA", "--reason", "x")
      #expect(endless.status == .usage && endless.errors.contains("--until"))
      let silent = await terminal.run(
        "client", "declare-outage", "LAA", "--until", "2026-12-05T23:30:00Z")
      #expect(silent.status == .usage && silent.errors.contains("--reason"))
      #expect(atlas.calls.isEmpty)
    }
  }

  @Test("a dismissed server is not counted, and a recalled one is, with why")
  func dismiss() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let server = atlas.world.servers[0].name
      expect(
        await terminal.run("server", "dismiss", server, "--reason", "switched off"),
        prints: "\(server) is not counted until its agent is back\n")
      expect(
        await terminal.run("server", "recall", server),
        prints: "\(server) is counted again: no contact since 22:10\n")
      #expect(
        atlas.requests(AtlasV1.DismissServerRequest.self) == [
          .init(requestID: "id-1", server: server, reason: "switched off")
        ])
    }
  }

  @Test("a client and a server show what takes slots, and why")
  func shown() async throws {
    var world = World.november(clients: 1, servers: 2)
    world.clients[0].maxParallelServers = 1
    world.clients[0].occupied = 2
    world.clients[0].unexplained = ["LAA-PARIS-WEB02"]
    world.servers[0].unexplained = "no contact since 22:10"
    world.servers[0].host = "LAA-PARIS-HV01"
    let (client, server) = (world.clients[0].name, world.servers[0].name)
    try await FakeAtlas.serving(world) { _, terminal in
      let seen = await terminal.run("client", "get", client).output
      #expect(seen.contains("0 of 1 in use, 2 taken by guests or by servers that are down"))
      #expect(seen.contains("LAA-PARIS-WEB02: atlas server dismiss, when it is no matter"))
      let one = await terminal.run("server", "get", server).output
      #expect(one.contains("no contact since 22:10") && one.contains("LAA-PARIS-HV01"))
    }
  }

  @Test(
    "slots above the limit are explained by the outage that allows them",
    arguments: [
      (3, "3 of 3 in use in the declared outage, otherwise 1\n", "3/3", "in an outage"),
      (2, "3 of 1 in use, begun when more were allowed: nothing else starts\n", "3/1", "-"),
    ] as [(Int32, String, String, String)])
  func outage(parallel: Int32, slots: String, short: String, state: String) async throws {
    var world = World.november(clients: 1, servers: 3)
    world.clients[0].maxParallelServers = 1
    world.clients[0].occupied = 3
    world.clients[0].slotsInUse = 3
    world.clients[0].outage = .init(
      from: world.time(-60), until: world.time(600), parallel: parallel, reason: "agreed")
    let client = world.clients[0].name
    try await FakeAtlas.serving(world) { _, terminal in
      #expect(await terminal.run("client", "get", client).output.contains(slots))
      let row = await terminal.run("client", "list").output.split(separator: "\n").last ?? ""
      #expect(row.contains("  \(short)  \(state) "))
    }
  }

  @Test("approve lets a server start that carries Atlas")
  func approve() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let server = atlas.world.servers[0].name
      expect(
        await terminal.run(
          "campaign", "approve", "november", server, "--reason", "console is open"),
        prints: "\(server) may start\n")
      #expect(
        atlas.requests(AtlasV1.ApproveServerRunRequest.self) == [
          .init(
            requestID: "id-1", campaign: "november", server: server, reason: "console is open")
        ])
    }
  }
}

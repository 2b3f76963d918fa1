import AtlasWire
import FoundationEssentials
import Testing

@testable import AtlasCommands

@Suite("atlas fleet", .timeLimit(.minutes(10)))
struct FleetTests {
  private func withFile(
    _ bytes: [UInt8], _ body: @Sendable (String) async throws -> Void
  ) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).csv")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(bytes).write(to: file)
    try await body(file.path())
  }

  private var world: World {
    var world = World.november(clients: 1, servers: 2)
    world.importAnswer = AtlasV1.ImportFleetResponse(
      diagnostics: [
        .init(
          file: "clients.yaml", line: 12, field: "MaintenanceWindow", message: "no such day",
          hint: "write MO, TU, WE, TH, FR, SA or SU", client: "KBB"),
        .init(file: "servers.csv", line: 3, message: "the server has no site", warning: true),
      ],
      changes: [
        .init(kind: .added, client: "NORD"),
        .init(kind: .added, client: "NORD", server: "NORD-A-DC01"),
        .init(
          kind: .changed, client: "LAA", field: "max_parallel_servers", before: "1", after: "2"),
      ], clientsAdded: 1, clientsChanged: 1, clientsRefused: 1, serversAdded: 1,
      serversUnmentioned: 7)
    return world
  }

  @Test("import shows errors and changes, asks, and then applies")
  func imports() async throws {
    try await withFile(Array("a,b\n".utf8)) { [world] file in
      try await FakeAtlas.serving(world) { atlas, terminal in
        var terminal = terminal
        terminal.answers = ["y"]
        expect(
          await terminal.run("fleet", "import", file),
          is: Outcome(
            status: .error,
            output: "imported 1 new client, 1 changed client, 1 new server\n",
            errors: """
              error: clients.yaml:12: MaintenanceWindow: no such day
                hint: write MO, TU, WE, TH, FR, SA or SU
              warning: servers.csv:3: the server has no site
              + client NORD
              + NORD-A-DC01
              ~ client LAA max_parallel_servers: 1 → 2
              1 new client, 1 changed client, 1 new server
              1 client refused
              7 servers of the fleet not named in the files; left as is
              Import 1 new client, 1 changed client, 1 new server? [y/N] \
              error: 1 error in the files; 1 client refused

              """))
        #expect(
          atlas.requests(AtlasV1.ImportFleetRequest.self) == [
            .init(payload: .options(.init(requestID: "id-1", dryRun: true))),
            .init(payload: .piece(.init(name: file, content: Array("a,b\n".utf8)))),
            .init(payload: .options(.init(requestID: "id-2"))),
            .init(payload: .piece(.init(name: file, content: Array("a,b\n".utf8)))),
          ])
      }
    }
  }

  @Test("import of nothing new does not ask")
  func nothing() async throws {
    try await withFile([1]) { file in
      try await FakeAtlas.serving { atlas, terminal in
        let outcome = await terminal.run("fleet", "import", file)
        #expect(outcome.status == .ok)
        #expect(outcome.output == "nothing new\n")
        #expect(atlas.calls.count == 1)
      }
    }
  }

  @Test("diff changes nothing, and fails when a file has an error")
  func diff() async throws {
    try await withFile([1]) { [world] file in
      try await FakeAtlas.serving(world) { atlas, terminal in
        let outcome = await terminal.run("fleet", "diff", file)
        #expect(outcome.status == .error)
        #expect(outcome.output.hasPrefix("+ client NORD\n+ NORD-A-DC01\n"))
        #expect(atlas.calls.count == 1)
      }
    }
  }

  @Test("a long diff is summed up for each client, unless everything is wanted")
  func longDiff() async throws {
    var world = World()
    world.importAnswer.changes = (0..<60).flatMap { client in
      (0..<2).map { .init(kind: .added, client: "C\(client)", server: "C\(client)-\($0)") }
    }
    world.importAnswer.serversAdded = 120
    try await withFile([1]) { [world] file in
      try await FakeAtlas.serving(world) { _, terminal in
        let short = await terminal.run("fleet", "diff", file).output.split(separator: "\n")
        #expect(short.first == "C0: 2 added, 0 changed")
        #expect(
          short.suffix(3) == [
            "… and 20 more clients", "-o wide lists them one by one", "120 new servers",
          ])
        let long = await terminal.run("fleet", "diff", file, "-o", "wide").output
        #expect(long.split(separator: "\n").count == 121)
      }
    }
  }

  @Test("documents go in pieces that fit into messages")
  func pieces() async throws {
    let content = [UInt8](repeating: 65, count: 300_000)
    try await withFile(content) { file in
      let pieces = try FleetDocuments([file]).pieces
      #expect(pieces.map(\.content.count) == [131_072, 131_072, 37_856])
      #expect(pieces.flatMap(\.content) == content)
      #expect(Set(pieces.map(\.name)) == [file])
      #expect(throws: Failure.usage("\(file) is named twice")) { try FleetDocuments([file, file]) }
    }
  }

  @Test("a directory stands for the files that make up a fleet, and for nothing else in it")
  func directory() throws {
    let manager = FileManager.default
    let directory = manager.temporaryDirectory.appending(path: UUID().uuidString)
    try manager.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? manager.removeItem(at: directory) }
    let path = directory.path()
    #expect(
      throws: Failure.usage(
        "\(path) has no servers.csv and no clients.yaml", hint: "name the files one by one")
    ) { try FleetDocuments([path]) }
    for name in ["policy.yaml", "clients.yaml", "servers.csv"] {
      try Data("x".utf8).write(to: directory.appending(path: name))
    }
    #expect(
      try FleetDocuments([path]).pieces.map(\.name)
        == ["\(path)/servers.csv", "\(path)/clients.yaml"])
  }

  @Test("settings of the fleet itself are changes like others")
  func fleetSettings() async throws {
    var world = World()
    world.importAnswer.changes = [
      .init(kind: .changed, field: "rings.0", before: "canary", after: "own")
    ]
    try await withFile([1]) { [world] file in
      try await FakeAtlas.serving(world) { _, terminal in
        expect(
          await terminal.run("fleet", "import", file, "--yes"),
          is: Outcome(
            status: .ok, output: "imported 1 changed fleet setting\n",
            errors: "~ fleet rings.0: canary → own\n1 changed fleet setting\n"))
      }
    }
  }

  @Test("an empty file is refused")
  func emptyFile() async throws {
    try await withFile([]) { file in
      #expect(throws: Failure.usage("\(file) is empty")) { try FleetDocuments([file]) }
    }
  }

  @Test("export writes what it gets")
  func export() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let outcome = await terminal.run(
        "fleet", "export", "--kind", "orchestration", "--campaign", "november", "--json")
      #expect(outcome.output.hasPrefix("LAA,LAA-PARIS-WEB01\nLAA,LAA-PARIS-WEB02\n"))
      #expect(
        atlas.requests(AtlasV1.ExportFleetRequest.self)
          == [.init(kind: .orchestration, campaign: "november", json: true)])
    }
  }
}

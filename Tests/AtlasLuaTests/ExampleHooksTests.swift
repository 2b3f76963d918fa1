import AtlasHooks
import AtlasModel
import Foundation
import Testing

@testable import AtlasLua

@Suite("The example hooks, against the example service")
struct ExampleHooksTests {
  @Test("The examples pass the check")
  func check() async throws {
    let hooks = Rehearsal.examples.appending(path: "hooks").path
    let sources = try HookSources(directory: hooks)
    let world = await World(sources.files.mapValues { String(decoding: $0, as: UTF8.self) })
    #expect(world.revision.findings == [])
    #expect(
      world.revision.files.map(\.path) == [
        "clients/LAA.lua", "clients/NOR.lua", "clients/ROM.lua", "clients/ZWO.lua",
        "default.lua", "lib/backup_api.lua", "lib/evidence.lua", "lib/services.lua",
      ])
    let points: [HookPoint] = [
      .preUpdate, .verifyBackup, .snapshot, .postUpdate, .finalize, .rollback,
    ]
    for point in points {
      #expect(world.runner.defines(point, client: ClientName(trusted: "ANY")))
    }
  }

  @Test("Servers of the scenario and clients of the hooks are in the example fleet")
  func names() throws {
    struct Scenario: Decodable {
      struct Case: Decodable {}
      var servers: [String: Case]
    }
    let list = try String(
      contentsOf: Rehearsal.examples.appending(path: "msp-100x10/servers.csv"), encoding: .utf8)
    let servers = Set(list.split(separator: "\n").map { String($0.prefix { $0 != "," }) })
    let scenario = try JSONDecoder().decode(
      Scenario.self, from: Data(contentsOf: URL(filePath: Rehearsal.scenario)))
    #expect(Set(scenario.servers.keys).subtracting(servers) == [])
    let clients = Set(servers.map { String($0.prefix { $0 != "-" }) })
    for client in ["LAA", "NOR", "ROM", "ZWO"] { #expect(clients.contains(client)) }
  }

  @Test(
    "Every function of every example ends with an outcome, and records what it should",
    arguments: [
      ("LBX-GLASGOW-WEB01", [:]),
      (
        "LAA-PARIS-DC01",
        [
          .verifyBackup: "clients/LAA.lua ok backup", .postUpdate: "clients/LAA.lua ok",
        ]
      ),
      ("NOR-GHENT-SQL01", [.verifyBackup: "clients/NOR.lua ok backup"]),
      ("ROM-PARIS-MX01", [.finalize: "clients/ROM.lua ok"]),
      ("ZWO-LEEDS-FS01", [.verifyBackup: "clients/ZWO.lua ok"]),
    ] as [(String, [HookPoint: String])])
  func functions(server: String, own: [HookPoint: String]) async throws {
    let usual: [HookPoint: String] = [
      .preUpdate: "default.lua ok", .verifyBackup: "default.lua ok backup",
      .snapshot: "default.lua ok snapshot", .postUpdate: "default.lua ok",
      .rollback: "default.lua ok", .finalize: "default.lua ok",
    ]
    try await Rehearsal.with { rehearsal in
      let server = Rehearsal.Server(server)
      var lines: [HookPoint: String] = [:]
      var snapshot = ""
      for point: HookPoint in [
        .preUpdate, .verifyBackup, .snapshot, .postUpdate, .rollback, .finalize,
      ] {
        let report = await rehearsal.run(point, server) { $0.snapshotID = snapshot }
        snapshot = report.snapshotID.isEmpty ? snapshot : report.snapshotID
        lines[point] = report.line
      }
      #expect(lines == usual.merging(own) { $1 })
    }
  }

  @Test("A hundred clients at once, one server after the other, with exact requests")
  func fleet() async throws {
    try await Rehearsal.with { rehearsal in
      await withTaskGroup(of: Void.self) { group in
        for client in 100..<200 {
          group.addTask {
            for number in 0..<10 {
              let server = Rehearsal.Server("C\(client)-PARIS-WEB\(number)")
              let lines = await rehearsal.wholeRun(server).map(\.line)
              #expect(
                lines == [
                  "default.lua ok", "default.lua ok backup", "default.lua ok snapshot",
                  "default.lua ok", "default.lua ok",
                ])
            }
          }
        }
      }
      let stats = try await rehearsal.stats()
      #expect(
        stats
          == Rehearsal.Stats(
            total: 7_000,
            routes: [
              "GET /v1/jobs": 2_000, "GET /v1/servers/NAME/services": 2_000,
              "GET /v1/snapshots": 1_000, "POST /v1/snapshots": 1_000,
              "DELETE /v1/snapshots/ID": 1_000,
            ],
            statuses: ["200": 5_000, "201": 1_000, "204": 1_000],
            snapshots: ["present": 0, "made": 1_000]))
      #expect(rehearsal.keyValue.contents == [])
    }
  }

  @Test("A hook that runs again after a crash finds its snapshot by the key of the run")
  func restarted() async throws {
    try await Rehearsal.with { rehearsal in
      let server = Rehearsal.Server("LBX-GLASGOW-WEB01")
      let first = await rehearsal.run(.snapshot, server)
      let second = await rehearsal.run(.snapshot, server) { $0.restarted = true }
      #expect(first.outcome == ok("snapshot snap-1"))
      #expect(second.outcome == ok("snapshot snap-1"))
      let stats = try await rehearsal.stats()
      #expect(stats.routes["POST /v1/snapshots"] == 1)
      let rollback = await rehearsal.run(.rollback, server)
      #expect(rollback.outcome == ok("reverted to snap-1"))
      let missing = await rehearsal.run(.rollback, Rehearsal.Server("LBX-GLASGOW-WEB02"))
      #expect(
        missing.outcome
          == .fail(message: "there is no snapshot to go back to", retryable: false))
    }
  }

  @Test("A service that is slow and fails now and then does not stop the hooks")
  func flaky() async throws {
    let options = ["--failure-rate", "0.2", "--slow-rate", "0.1", "--slow-ms", "20"]
    try await Rehearsal.with(options: options) { rehearsal in
      for number in 1...20 {
        let server = Rehearsal.Server("C1-PARIS-DC\(number)")
        for report in await rehearsal.wholeRun(server) {
          // One in 125 questions fails three times in a row, and is then retryable or put off.
          switch report.outcome {
          case .ok, .deferred, .fail(_, retryable: true): break
          case let other: Issue.record("\(server.name): \(other)")
          }
        }
      }
      let stats = try await rehearsal.stats()
      #expect(stats.statuses["503"] ?? 0 > 0)
    }
  }

  @Test("A client may keep snapshots for a day, and removes them when they are due")
  func kept() async throws {
    try await Rehearsal.with { rehearsal in
      let server = Rehearsal.Server("ROM-PARIS-MX02")
      for day in 1...3 {
        let key = "night-\(day)"
        let snapshot = await rehearsal.run(.snapshot, server) { $0.key = key }
        let report = await rehearsal.run(.finalize, server) {
          $0.key = key
          $0.snapshotID = snapshot.snapshotID
        }
        #expect(report.outcome == ok("1 snapshots kept"))
        rehearsal.clock.jump(by: .seconds(86_400))
      }
      let stats = try await rehearsal.stats()
      #expect(stats.snapshots == ["present": 1, "made": 3])
    }
  }
}

@Suite("The planted cases of the example scenario")
struct ExampleScenarioTests {
  /// Runs `body` with a service that plays the scenario.
  private func with(_ body: (Rehearsal) async throws -> Void) async throws {
    try await Rehearsal.with(options: ["--scenario", Rehearsal.scenario], body)
  }

  @Test("What is wrong with a backup is recorded as it is, for the daemon to refuse")
  func evidence() async throws {
    try await with { rehearsal in
      let old = await rehearsal.run(.verifyBackup, Rehearsal.Server("LOR-NANTES-SQL01"))
      #expect(old.line == "default.lua ok backup")
      #expect(old.backupAges?.taken == .seconds(30 * 3_600))

      let unverified = await rehearsal.run(.verifyBackup, Rehearsal.Server("MER-NANTES-FS01"))
      #expect(unverified.line == "default.lua ok backup")
      #expect(unverified.backupAges.map { $0.verified == nil } == true)

      // The newest restore point is not consistent; the one before is a day older.
      let older = await rehearsal.run(.verifyBackup, Rehearsal.Server("NOR-GHENT-FS01"))
      #expect(older.line == "clients/NOR.lua ok backup")
      #expect(older.backupAges.map { $0.taken > .seconds(24 * 3_600) } == true)
    }
  }

  @Test("A hook that says ok and records nothing has no evidence in its report")
  func noEvidence() async throws {
    try await with { rehearsal in
      let report = await rehearsal.run(.verifyBackup, Rehearsal.Server("ZWO-LEEDS-FS01"))
      #expect(report.outcome == ok("they said it was backed up"))
      #expect(report.evidence == [])
    }
  }

  @Test("Where there is no backup, and where nothing can be frozen, the hook says no")
  func refusals() async throws {
    try await with { rehearsal in
      let none = await rehearsal.run(.verifyBackup, Rehearsal.Server("TAL-MUNICH-WEB01"))
      #expect(none.outcome == no("no backup of TAL-MUNICH-WEB01 ended well"))
      let full = await rehearsal.run(.snapshot, Rehearsal.Server("ROM-PARIS-APP01"))
      #expect(full.outcome == no("the backup API says 409: ROM-PARIS-APP01: the datastore is full"))
      let controller = Rehearsal.Server("LAA-LYON-DC02")
      #expect(await rehearsal.run(.snapshot, controller).outcome == ok("snapshot snap-1"))
      #expect(
        await rehearsal.run(.rollback, controller).outcome
          == no("the backup API says 409: LAA-LYON-DC02: it must not go back in time"))
    }
  }

  private func no(_ message: String) -> HookOutcome { .fail(message: message, retryable: false) }

  @Test("What may pass is put off")
  func deferrals() async throws {
    try await with { rehearsal in
      let server = Rehearsal.Server("OAK-LONDON-MX01")
      var words: [String] = []
      for _ in 1...3 { words.append(await rehearsal.run(.preUpdate, server).outcome.word) }
      #expect(words == ["defer", "defer", "ok"])
      let broken = await rehearsal.run(.preUpdate, Rehearsal.Server("PIN-GRAZ-APP01"))
      #expect(
        broken.outcome
          == .deferred(
            after: .seconds(600),
            reason: "the backup API says 500: PIN-GRAZ-APP01: as the scenario says"))
    }
  }

  @Test("Services that start late are waited for; those that were down before are not")
  func services() async throws {
    try await with { rehearsal in
      let late = Rehearsal.Server("SAN-NANTES-FS01")
      _ = await rehearsal.run(.preUpdate, late)
      _ = await rehearsal.run(.snapshot, late)
      let before = rehearsal.clock.now()
      let report = await rehearsal.run(.postUpdate, late)
      #expect(report.outcome == ok("all services run"))
      #expect(rehearsal.clock.now() - before == .seconds(30))

      let down = Rehearsal.Server("ROM-PARIS-MX01")
      _ = await rehearsal.run(.preUpdate, down)
      #expect(await rehearsal.run(.postUpdate, down).outcome == ok("all services run"))
    }
  }
}

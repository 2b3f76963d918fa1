import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("atlas status and its neighbours", .timeLimit(.minutes(10)))
struct StatusTests {
  @Test("status shows the daemon, its clock, and what runs")
  func status() async throws {
    var world = World.november(clients: 2, servers: 3, factor: 1000)
    world.clients[1].agentsConnected = 1
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("status"),
        prints: """
          Daemon     \(terminal.address ?? ""), from ATLAS_ADDRESS
          Clock      2026-11-22T02:00:00Z  REHEARSAL ×1000
          Stop       nothing is stopped
          Agents     4 of 6 connected; missing: 2 at KBB
          Campaigns  1 running

          CAMPAIGN  STATE   DONE  IN PROGRESS  HELD  FAILED  LEFT OUT  SUCCESS  ELAPSED  LEFT
          november  ACTIVE   0/6            0     0       0         0        -       0s     -

          """)
    }
  }

  @Test("status in JSON is one document")
  func statusJSON() async throws {
    try await FakeAtlas.serving { _, terminal in
      let outcome = await terminal.run("status", "-o", "json")
      let document = try JSONValue(parsing: Array(outcome.output.utf8))
      #expect(document["clock"]?["factor"] == .number("1"))
      #expect(document["agents"]?["connected"] == .number("12"))
      guard case .array(let campaigns)? = document["campaigns"] else {
        Issue.record("there are no campaigns")
        return
      }
      #expect(campaigns.map { $0["campaign"]?["name"] } == [.string("november")])
    }
  }

  @Test("stop never asks, and says what comes next")
  func stop() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      _ = try atlas.change { world in
        try world.change(run: "LAA-PARIS-WEB01", of: "november") {
          $0.state = .inProgress
          $0.phase = .update
        }
      }
      expect(
        await terminal.run("stop", "--client", "LAA", "--reason", "fire"),
        is: Outcome(
          status: .ok, output: "STOPPED client LAA; 1 server in flight park at a safe point\n",
          errors: "hint: atlas stop status; later atlas stop release --client LAA --reason TEXT\n"))
      expect(
        await terminal.run("stop", "status"),
        prints: """
          STOPPED client LAA, now by anna: fire
          servers: 1 on the way to a safe point, 0 parked, 0 installed, not rebooted

          """)
      expect(
        await terminal.run("stop", "release", "--client", "LAA", "--reason", "water", "--yes"),
        is: Outcome(
          status: .ok, output: "the stop of client LAA is released; paused: november\n",
          errors: """
            hint: atlas campaign resume november
            hint: LAA stays paused: atlas client resume LAA

            """))
      expect(await terminal.run("stop", "status"), prints: "nothing is stopped\n")
      expect(
        await terminal.run("stop", "release", "--reason", "x", "--yes"),
        says: "error: nothing is stopped\n")
    }
  }

  @Test("doctor finds nothing wrong where nothing is")
  func healthy() async throws {
    try await FakeAtlas.serving { _, terminal in
      expect(
        await terminal.run("doctor"),
        is: Outcome(
          status: .ok,
          output: """
            ok    address    \(terminal.address ?? ""), from ATLAS_ADDRESS
            ok    daemon     serving
            ok    version    atlas 0.1.0; the daemon serves all it calls
            ok    clock      2026-11-22T02:00:00Z
            ok    stop       nothing is stopped
            ok    hooks      0 files, no errors
            ok    agents     12 of 12 connected
            ok    campaigns  1 running

            """, errors: ""))
    }
  }

  @Test("doctor has a next command for what is wrong")
  func sick() async throws {
    var world = World.november(clients: 2, servers: 3)
    world.now += 90_000
    world.clients[0].agentsConnected = 0
    world.stops = [.init(client: "KBB")]
    world.hooks.files = [.init(path: "default.lua")]
    world.hookDiagnostics = [.init(file: "default.lua", line: 3, message: "unexpected symbol")]
    world.health = .notServing
    _ = try world.change(run: "LAA-PARIS-WEB01", of: "november") { $0.state = .held }
    try await FakeAtlas.serving(world) { _, terminal in
      let outcome = await terminal.run("doctor")
      #expect(outcome.status == .error)
      #expect(outcome.errors == "error: 2 checks failed\n")
      #expect(
        outcome.output == """
          ok    address    \(terminal.address ?? ""), from ATLAS_ADDRESS
          fail  daemon     reachable, but NOT_SERVING
                           hint: look at the daemon's own log
          ok    version    atlas 0.1.0; the daemon serves all it calls
          warn  clock      2026-11-22T02:01:30Z, 1m30s from the clock of this machine
                           hint: compare the time synchronisation of both machines
          warn  stop       stopped: client KBB
                           hint: atlas stop status
          fail  hooks      1 file, 1 error
                           hint: atlas hook check
          warn  agents     3 of 6 connected; missing: 3 at LAA
                           hint: atlas server list --client LAA --missing
          warn  campaigns  november waits for people: 1 held
                           hint: atlas campaign runs november --state held,parked -o wide

          """)
    }
  }

  @Test("doctor ends at a daemon that cannot be reached")
  func unreachable() async throws {
    let address = try await FakeAtlas(World()).serve { $0 }
    let outcome = await Terminal(address: address).run("doctor", "-o", "name")
    #expect(
      outcome
        == Outcome(
          status: .unreachable, output: "daemon\n",
          errors: "error: cannot reach the daemon at \(address)\n"))
  }

  @Test("doctor looks at the address first")
  func badAddress() async {
    let outcome = await Terminal().run("doctor", "--address", "x:y")
    #expect(outcome.status == .usage)
    #expect(outcome.output.hasPrefix("fail  address    the address “x:y” has no port"))
  }
}

@Suite("The verbs about clients, servers, hooks and the log", .timeLimit(.minutes(10)))
struct OtherVerbTests {
  @Test("client list shows what keeps a client from being worked on")
  func clients() async throws {
    var world = World.november(clients: 2, servers: 3)
    world.clients[0].paused = .init(reason: "month end", principal: "anna", since: world.time(-60))
    world.clients[1].stopped = .init(reason: "fire", since: world.time(-60))
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("client", "list"),
        prints: """
          NAME  RING  SERVERS  AGENTS  SLOTS  STATE    PRIORITY  ZONE          WINDOWS
          LAA      0        3       3    0/1  paused        100  Europe/Paris  FREQ=DAILY 22:00 8h
          KBB      2        3       3    0/1  stopped       100  Europe/Paris  FREQ=DAILY 22:00 8h

          """)
      #expect(
        await terminal.run("client", "get", "LAA").output.contains(
          "Paused     1m ago by anna: month end\n"))
      expect(
        await terminal.run("client", "get", "XXX"),
        says: "error: there is no client “XXX”\nhint: atlas client list shows what there is\n")
    }
  }

  @Test("client windows shows when, and how long")
  func windows() async throws {
    var world = World.november(clients: 1, servers: 1)
    let usual = AtlasV1.Interval(start: world.time(-3_600), end: world.time(25_200))
    let short = AtlasV1.Interval(start: world.time(601_200), end: world.time(626_400))
    world.windows = .init(
      zone: "Europe/Paris", openNow: true,
      openings: [
        .init(interval: usual, nominal: .init(seconds: 28_800)),
        .init(
          interval: short, nominal: .init(seconds: 28_800),
          freezes: [.init(interval: short, reason: "month end")]),
        .init(
          interval: .init(start: world.time(700_000), end: world.time(700_000)),
          nominal: .init(seconds: 1_800)),
        .init(interval: usual, nominal: .init(seconds: 25_200)),
      ])
    try await FakeAtlas.serving(world) { atlas, terminal in
      expect(
        await terminal.run("client", "windows", "LAA", "--count", "3"),
        prints: """
          LAA, zone Europe/Paris, open now
          START                 END                   LENGTH            NOTE
          2026-11-22T01:00:00Z  2026-11-22T09:00:00Z      8h  1h ago    -
          2026-11-29T01:00:00Z  2026-11-29T08:00:00Z      7h  in 6d23h  1h lost: the clocks go forward; \
          frozen (month end), nothing is left
          2026-11-30T04:26:40Z  2026-11-30T04:26:40Z      0s  in 8d2h   left out: the clocks go forward \
          over it
          2026-11-22T01:00:00Z  2026-11-22T09:00:00Z      8h  1h ago    1h longer: the clocks go back

          """)
      #expect(
        atlas.requests(AtlasV1.ListWindowsRequest.self) == [.init(client: "LAA", count: 3)])
    }
  }

  @Test("server list can show only those whose agent is missing")
  func servers() async throws {
    var world = World.november(clients: 1, servers: 2)
    world.servers[1].agentConnected = false
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("server", "list", "--missing"),
        prints: """
          NAME             CLIENT  ROLES  SYSTEM               AGENT    CAMPAIGN  RUN      LOCKED
          LAA-PARIS-WEB02  LAA     WEB    Windows Server 2022  missing  november  PENDING  -

          """)
    }
  }

  @Test("server lock sends reason, end and ticket")
  func lock() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      expect(
        await terminal.run(
          "server", "lock", "LAA-PARIS-WEB01", "--reason", "disk", "--until", "2026-12-01",
          "--ticket", "OPS-1"
        ),
        prints: "LAA-PARIS-WEB01 is locked until 2026-12-01T00:00:00Z\n")
      #expect(
        atlas.requests(AtlasV1.LockServerRequest.self) == [
          .init(
            requestID: "id-1", server: "LAA-PARIS-WEB01", reason: "disk",
            until: .init(seconds: 1_796_083_200, nanos: 0), ticket: "OPS-1")
        ])
    }
  }

  @Test("server history shows the newest records first")
  func history() async throws {
    var world = World.november(clients: 1, servers: 1)
    world.now += 60_000
    _ = try world.change(run: "LAA-PARIS-WEB01", of: "november") {
      $0.state = .inProgress
      $0.phase = .preCheck
    }
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("server", "history", "LAA-PARIS-WEB01"),
        prints: """
          SEQ  TIME  KIND       CAMPAIGN  ABOUT            CHANGE                           NOTE  BY
            2  now   run.state  november  LAA-PARIS-WEB01  PENDING → IN_PROGRESS PRE_CHECK  -     -

          """)
    }
  }

  @Test("hook check lists errors with file and line, and fails")
  func hooks() async throws {
    var world = World()
    world.hooks.files = [.init(path: "default.lua", functions: ["pre_update"])]
    world.hookDiagnostics = [
      .init(file: "clients/LAA.lua", line: 7, message: "unknown global “os”", hint: "use time.now")
    ]
    try await FakeAtlas.serving(world) { _, terminal in
      let outcome = await terminal.run("hook", "check")
      #expect(outcome.status == .error)
      #expect(
        outcome.output == """
          error: clients/LAA.lua:7: unknown global “os”
            hint: use time.now
          1 file, 1 error

          """)
      expect(await terminal.run("hook", "reload"), ends: .error)
      #expect(await terminal.run("hook", "list").output.hasSuffix("default.lua  pre_update\n"))
    }
  }

  @Test("hook runs and logs show what hooks did")
  func hookRuns() async throws {
    var world = World()
    world.hookRuns = [
      .init(
        id: 4, server: "LAA-PARIS-DC01", point: "verify_backup", outcome: "error",
        message: "backup is 31 hours old", errorKind: "script", file: "default.lua", line: 12,
        startedAt: world.time(-5), took: .init(milliseconds: 1_250))
    ]
    world.hookLogs = [
      .init(
        campaignTime: world.time(), client: "LAA", server: "LAA-PARIS-DC01", point: "snapshot",
        level: "warn", message: "slow\u{1B}[2J", fields: ["b": "2", "a": "1"])
    ]
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("hook", "runs"),
        prints: """
          STARTED  SERVER          POINT          OUTCOME  TOOK  MESSAGE
          5s ago   LAA-PARIS-DC01  verify_backup  error    1.3s  script: backup is 31 hours old

          """)
      expect(
        await terminal.run("hook", "logs"),
        prints: "2026-11-22T02:00:00Z  warn   LAA-PARIS-DC01 snapshot  slow�[2J a=1 b=2\n")
    }
  }

  @Test("hook runs begin with the newest, and say when there are more")
  func newestHookRuns() async throws {
    var world = World()
    world.hookRuns = (1...3).map { .init(id: UInt64($0), server: "LAA-PARIS-DC0\($0)") }
    try await FakeAtlas.serving(world) { atlas, terminal in
      let newest = await terminal.run("hook", "runs", "--limit", "2", "-o", "name")
      #expect(newest.output == "3\n2\n")
      #expect(
        await terminal.run("hook", "runs", "--oldest-first", "-o", "name").output == "1\n2\n3\n")
      #expect(
        await terminal.run("hook", "runs", "--limit", "2").errors
          == "hint: there are more; --limit N shows them\n")
      expect(await terminal.run("hook", "runs", "--limit", "0"), ends: .usage)
      #expect(atlas.requests(AtlasV1.ListHookRunsRequest.self).first?.descending == true)
    }
  }

  @Test("audit verify fails when the log is broken")
  func audit() async throws {
    var world = World()
    world.audit = .init(intact: true, records: 12_345, lastHash: [0xAB, 0x01])
    try await FakeAtlas.serving(world) { atlas, terminal in
      expect(
        await terminal.run("audit", "verify"),
        prints: "intact: 12,345 records\nlast hash ab01\n")
      atlas.change { $0.audit = .init(firstBadSeq: 7, problem: "its hash does not fit") }
      let broken = await terminal.run("audit", "verify")
      #expect(broken.status == .error)
      #expect(
        broken.errors.hasPrefix("error: the log is broken at record 7: its hash does not fit\n"))
    }
  }

  @Test("metrics stream prints a line for every message")
  func metrics() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let outcome = await terminal.run("metrics", "get", "november")
      #expect(
        outcome.output == """
          Campaign  november
          Clock     2026-11-22T02:00:00Z
          Servers   12 in all: 12 pending
          Clients   0 of 3 active
          Elapsed   0s
          Success   -
          Agents    12 connected

          """)
      atlas.fail("StreamMetrics", WireStatus(.notFound, "there is no campaign “x”"))
      expect(await terminal.run("metrics", "stream", "x", "--interval", "500ms"), ends: .error)
    }
  }
}

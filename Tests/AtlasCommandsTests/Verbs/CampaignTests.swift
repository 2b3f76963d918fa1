import AtlasWire
import FoundationEssentials
import Testing

@testable import AtlasCommands

@Suite("atlas campaign", .timeLimit(.minutes(10)))
struct CampaignTests {
  /// A small campaign in which something of everything has happened.
  private var world: World {
    get throws {
      var world = World.november(clients: 2, servers: 3)
      world.now += 3_600_000
      let time = world.time(-600)
      let now = world.time()
      _ = try world.change(run: "LAA-PARIS-WEB01", of: "november") {
        $0.state = .completed
        $0.detail = "UPDATED"
        $0.startedAt = time
        $0.endedAt = now
      }
      _ = try world.change(run: "LAA-PARIS-WEB02", of: "november") {
        $0.state = .held
        $0.detail = "UNHEALTHY"
        $0.phase = .postCheck
        $0.attempt = 2
        $0.lastError = "MSExchangeTransport does not start"
        $0.holdClass = .down
        $0.choices = ["retry", "rollback", "accept"]
        $0.startedAt = time
      }
      return world
    }
  }

  @Test("list shows every campaign")
  func list() async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      expect(
        await terminal.run("campaign", "list"),
        prints: """
          NAME      STATE   DONE  IN PROGRESS  HELD  FAILED  LEFT OUT  CLIENTS  STARTED  ENDED  AUTHOR
          november  ACTIVE   1/6            0     1       0         0        2  1h ago   -      anna

          """)
      expect(await terminal.run("campaign", "list", "-o", "name"), prints: "november\n")
    }
  }

  @Test("get describes one")
  func get() async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      expect(
        await terminal.run("campaign", "get", "november"),
        prints: """
          Name       november
          State      ACTIVE
          Servers    6 in all: 1 completed, 1 held, 4 pending
          Clients    2
          Selection  the whole fleet
          Updates    every class
          Cut-off    2026-11-21T02:00:00Z
          Author     anna
          Created    3h ago
          Started    1h ago
          Ends at    in 23h
          Hooks      9f2c1e77aa01
          Etag       7
          Settings:
            max_retries: 2

          """)
    }
  }

  @Test("get in JSON is the response with all its fields; YAML says the same")
  func json() async throws {
    try await FakeAtlas.serving(try world) { atlas, terminal in
      let outcome = await terminal.run("campaign", "get", "november", "-o", "json")
      let read = try AtlasV1.GetCampaignResponse(jsonString: outcome.output)
      #expect(read.campaign == (try atlas.world.campaign("november")))
      #expect(outcome.output.contains("\"failed\": 0"))
      let yaml = await terminal.run("campaign", "get", "november", "-o", "yaml")
      #expect(yaml.output.contains("\n  servers:\n    total: 6\n"))
    }
  }

  @Test("lists in JSON lines have a row a line")
  func jsonLines() async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      let outcome = await terminal.run("campaign", "runs", "november", "-o", "jsonl")
      let rows = try outcome.output.split(separator: "\n").map {
        try AtlasV1.ServerRun(jsonString: String($0)).server
      }
      #expect(
        rows == [
          "LAA-PARIS-WEB01", "LAA-PARIS-WEB02", "LAA-PARIS-APP03", "KBB-PARIS-WEB01",
          "KBB-PARIS-WEB02", "KBB-PARIS-APP03",
        ])
    }
  }

  @Test("runs shows the servers that are asked for")
  func runs() async throws {
    try await FakeAtlas.serving(try world) { atlas, terminal in
      expect(
        await terminal.run("campaign", "runs", "november", "--state", "held,completed"),
        prints: """
          SERVER           STATE                PHASE           RING  STARTED  ENDED  NOTE
          LAA-PARIS-WEB01  COMPLETED (UPDATED)  -                  0  10m ago  now    -
          LAA-PARIS-WEB02  HELD (UNHEALTHY)     POST_CHECK 2.1     0  10m ago  -      MSExchangeTransport does not start

          """)
      expect(
        await terminal.run("campaign", "runs", "november", "--state", "hold"),
        says: "error: “hold” is no state of a server\nhint: atlas campaign runs --help lists them\n"
      )
      _ = await terminal.run("campaign", "runs", "november", "--ring", "2", "--client", "LAA")
      #expect(
        atlas.requests(AtlasV1.ListServerRunsRequest.self).last
          == .init(campaign: "november", pageSize: 200, client: "LAA", ring: 2))
    }
  }

  @Test("rings shows what gates wait for")
  func rings() async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      expect(
        await terminal.run("campaign", "rings", "november"),
        prints: """
          RING  NAME      STATUS   DONE  IN PROGRESS  HELD  FAILED  LEFT OUT  SUCCESS  GATE    GATE WAITS FOR
             0  canary    ACTIVE    1/3            0     1       0         0        -  CLOSED  3 completed, 30m of soak
             1  pilot     WAITING   0/0            0     0       0         0        -  CLOSED  3 completed, 30m of soak
             2  standard  WAITING   0/3            0     0       0         0        -  CLOSED  3 completed, 30m of soak
             3  critical  WAITING   0/0            0     0       0         0        -  CLOSED  3 completed, 30m of soak

          """)
    }
  }

  @Test("events lists what happened")
  func events() async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      expect(
        await terminal.run("campaign", "events", "november"),
        prints: """
          2026-11-22T02:00:00Z  campaign.started                          by anna
          2026-11-22T03:00:00Z  run.state           LAA-PARIS-WEB01       PENDING → COMPLETED
          2026-11-22T03:00:00Z  run.state           LAA-PARIS-WEB02       PENDING → HELD POST_CHECK  \
          MSExchangeTransport does not start

          """)
    }
  }

  @Test("events --from goes on where a token says, and through a break of the connection")
  func follow() async throws {
    var world = try world
    world.campaigns[0].settled = true
    try await FakeAtlas.serving(world) { atlas, terminal in
      let outcome = await terminal.run(
        "campaign", "events", "november", "--from", "1", "--until-settled", "-o", "jsonl")
      let tokens = try outcome.output.split(separator: "\n").map {
        try AtlasV1.WatchCampaignResponse(jsonString: String($0)).resumeToken
      }
      #expect(tokens == ["2", "3"])
      #expect(
        atlas.requests(AtlasV1.WatchCampaignRequest.self)
          == [.init(campaign: "november", resumeToken: "1", untilSettled: true)])
    }
  }

  @Test("create sends what the flags and the file say")
  func create() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try Data("max_retries: 1\n".utf8).write(to: file)
    try await FakeAtlas.serving { atlas, terminal in
      let outcome = await terminal.run(
        "campaign", "create", "december", "-f", file.path(), "--client", "LAA,KBB", "--client",
        "NORD", "--ring", "0,1", "--role", "DC", "--include", "security", "--exclude", "KB1",
        "--require", "KB2", "--cut-off", "2026-11-14", "--ends-at", "2026-12-01T06:00:00+01:00",
        "--change-reference", "CHG-1")
      #expect(
        outcome
          == Outcome(
            status: .ok, output: "december is a draft: 0 servers at 3 clients\n",
            errors: """
              warning: \(file.path()):3: unusual
              hint: atlas campaign plan december

              """))
      #expect(
        atlas.requests(AtlasV1.CreateCampaignRequest.self) == [
          .init(
            requestID: "id-1", name: "december",
            selection: .init(clients: ["LAA", "KBB", "NORD"], rings: [0, 1], roles: ["DC"]),
            updateSet: .init(
              include: ["security"], exclude: ["KB1"], required: ["KB2"],
              cutOff: .init(seconds: 1_794_614_400, nanos: 0)),
            policy: .init(name: file.path(), content: Array("max_retries: 1\n".utf8)),
            endsAt: .init(seconds: 1_796_101_200, nanos: 0), changeReference: "CHG-1")
        ])
    }
  }

  @Test("create refuses a file that is not there before it asks the daemon")
  func missingFile() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let outcome = await terminal.run("campaign", "create", "x", "-f", "/nonexistent/policy.yaml")
      #expect(
        outcome
          == Outcome(
            status: .usage, output: "",
            errors: "error: cannot read /nonexistent/policy.yaml: there is no such file\n"))
      #expect(atlas.calls.isEmpty)
    }
  }

  private var plan: AtlasV1.Plan {
    let world = World()
    return AtlasV1.Plan(
      etag: "12", start: world.time(), finish: world.time(27_000), makespan: .init(seconds: 27_000),
      sequential: .init(seconds: 2_700_000), lowerBound: .init(seconds: 26_000), servers: 1_000,
      clients: 100,
      misses: [.init(server: "KBB-PARIS-SQL08", client: "KBB", reason: "no window is 4h long")],
      timeline: [
        .init(
          client: "LAA", ring: 0, servers: 10, firstStart: world.time(), lastEnd: world.time(27_000)
        )
      ],
      rings: [
        .init(
          ring: 0, name: "canary", servers: 1_000, opens: world.time(),
          completes: world.time(27_000))
      ], missed: 3)
  }

  @Test("plan shows what a start would do")
  func showPlan() async throws {
    var world = try world
    world.campaigns[0].state = .draft
    world.plan = plan
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("campaign", "plan", "november", "--details"),
        is: Outcome(
          status: .ok,
          output: """
            Campaign     november
            Servers      1,000 at 100 clients
            Start        2026-11-22T02:00:00Z
            Finish       2026-11-22T09:30:00Z, after 7h30m
            One by one   31d6h, 100 times longer
            Lower bound  7h13m
            Missed       3 servers not begun before the end
            Etag         12

            RING  NAME    SERVERS  OPENS  COMPLETES
               0  canary     1000  now    in 7h30m

            CLIENT  RING  SERVERS  FIRST START  LAST END
            LAA        0       10  now          in 7h30m

            Not begun before the campaign ends:
              KBB-PARIS-SQL08: no window is 4h long
              and 2 more; -o wide shows more

            """, errors: "hint: atlas campaign start november --if-match 12\n"))
    }
  }

  @Test("start shows the plan, asks, and starts what was shown")
  func start() async throws {
    var world = try world
    world.plan = plan
    try await FakeAtlas.serving(world) { atlas, terminal in
      var terminal = terminal
      terminal.answers = ["y"]
      let outcome = await terminal.run("campaign", "start", "november")
      #expect(outcome.status == .ok)
      #expect(outcome.output == "november is started: 6 servers at 2 clients\n")
      #expect(
        outcome.errors.contains(
          "Start november: 1,000 servers at 100 clients, done in 7h30m; 3 not begun before it ends? [y/N] "
        ))
      #expect(
        atlas.requests(AtlasV1.StartCampaignRequest.self)
          == [.init(requestID: "id-1", campaign: "november", ifMatch: "12")])
    }
  }

  @Test("start of something else than was planned is refused")
  func staleStart() async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      let outcome = await terminal.run("campaign", "start", "november", "--if-match", "3", "--yes")
      #expect(
        outcome
          == Outcome(
            status: .guarded, output: "",
            errors: """
              error: the fleet has changed since the plan
              hint: look at it again, then repeat the command

              """))
    }
  }

  @Test(
    "asks before what cannot be undone",
    arguments: [
      ["campaign", "start", "november"], ["campaign", "cancel", "november"],
      ["campaign", "promote", "november", "2", "--reason", "x"],
      ["campaign", "resolve", "november", "LAA-PARIS-WEB02", "accept", "--reason", "x"],
      ["campaign", "exclude-update", "november", "KB1", "--reason", "x"],
      ["campaign", "edit", "november", "-f", "Package.swift"],
      ["stop", "release", "--reason", "x"],
      ["server", "retire", "LAA-PARIS-WEB01", "--reason", "x"],
      ["fleet", "import", "Package.swift"],
    ])
  func asking(words: [String]) async throws {
    var world = try world
    world.stops = [.init()]
    world.importAnswer.serversAdded = 1
    try await FakeAtlas.serving(world) { atlas, terminal in
      // Any file will do: the fake daemon does not read it.
      let words = words.map { $0 == "Package.swift" ? "/proc/self/cmdline" : $0 }
      let silent = await terminal.run(words)
      #expect(silent.status == .usage)
      #expect(silent.errors.hasSuffix("hint: add --yes to do it without asking\n"))
      var terminal = terminal
      terminal.answers = ["n"]
      let declined = await terminal.run(words)
      #expect(declined.status == .error)
      #expect(declined.errors.hasSuffix("error: nothing was done: you did not say yes\n"))
      let methods = Set(atlas.calls.map(\.method))
      #expect(
        methods.isDisjoint(with: [
          "StartCampaign", "CancelCampaign", "PromoteRing", "ResolveServerRun", "ExcludeUpdate",
          "ReleaseStop", "RetireServer",
        ]))
      expect(await terminal.run(words + ["--yes"]), ends: .ok)
    }
  }

  @Test("create selects by tag, by pattern of names, and by what failed in another campaign")
  func selections() async throws {
    try await FakeAtlas.serving(try world) { atlas, terminal in
      let outcome = await terminal.run(
        "campaign", "create", "again", "--tag", "print,legacy", "--name-pattern", "*-SQL*",
        "--failed-in", "november")
      expect(outcome, ends: .ok)
      let request = try #require(atlas.requests(AtlasV1.CreateCampaignRequest.self).last)
      #expect(request.selection?.tags == ["print", "legacy"])
      #expect(request.selection?.namePatterns == ["*-SQL*"])
      #expect(request.selection?.failedIn == "november")
    }
  }

  @Test("kinds says which roles and systems wait, why, and what to do")
  func kinds() async throws {
    var world = try world
    world.campaigns[0].heldKinds = [
      .init(
        role: "SQL", system: "windows-2022", phase: .update, cause: "KB5031234",
        clients: ["LAA", "KBB", "NORD"], waiting: 41, update: "KB5031234")
    ]
    try await FakeAtlas.serving(world) { _, terminal in
      let outcome = await terminal.run("campaign", "kinds", "november")
      expect(
        outcome,
        is: Outcome(
          status: .ok,
          output: """
            ROLE  SYSTEM        WAITING  WHY                                   NEXT
            SQL   windows-2022       41  fails in UPDATE: KB5031234            \
            atlas campaign exclude-update november KB5031234
            HV    windows-2022        3  none can complete in an earlier ring  \
            atlas campaign waive november --role HV --system windows-2022

            """, errors: ""))
    }
  }

  @Test(
    "release and waive name the role and system that they mean",
    arguments: [
      ("release", "SQL on windows-2022 goes on in november\n"),
      ("waive", "SQL on windows-2022 needs no representative in november\n"),
    ])
  func kindDecisions(verb: String, output: String) async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      let words = ["--role", "SQL", "--system", "windows-2022", "--reason", "fixed"]
      expect(
        await terminal.run(["campaign", verb, "november"] + words),
        is: Outcome(status: .ok, output: output, errors: ""))
    }
  }

  @Test("resolve shows the server, and decides about that state of it")
  func resolve() async throws {
    try await FakeAtlas.serving(try world) { atlas, terminal in
      var terminal = terminal
      terminal.answers = ["yes"]
      let outcome = await terminal.run(
        "campaign", "resolve", "november", "LAA-PARIS-WEB02", "rollback", "--reason", "mail is down"
      )
      #expect(
        outcome
          == Outcome(
            status: .ok, output: "LAA-PARIS-WEB02: IN_PROGRESS\n",
            errors: """
              Server      LAA-PARIS-WEB02
              Client      LAA
              State       HELD (UNHEALTHY)
              Phase       POST_CHECK 2.1
              Attempt     2
              Started     10m ago
              Waits for   slot
              Last error  MSExchangeTransport does not start
              Class       down: page somebody
              Owner       nobody: atlas campaign claim
              Choices     retry, rollback, accept
              Roll LAA-PARIS-WEB02 back? [y/N] \

              """.trimmingLastNewline))
      #expect(
        atlas.requests(AtlasV1.ResolveServerRunRequest.self) == [
          .init(
            requestID: "id-1", campaign: "november", server: "LAA-PARIS-WEB02",
            decision: .rollBack, etag: "2", reason: "mail is down")
        ])
    }
  }

  @Test("claim says who looks after a held server")
  func claim() async throws {
    try await FakeAtlas.serving(try world) { atlas, terminal in
      expect(
        await terminal.run("campaign", "claim", "november", "LAA-PARIS-WEB02"),
        prints: "LAA-PARIS-WEB02 is looked after by anna\n")
      #expect(
        atlas.requests(AtlasV1.ResolveServerRunRequest.self) == [
          .init(
            requestID: "id-1", campaign: "november", server: "LAA-PARIS-WEB02",
            decision: .claim, etag: "2")
        ])
    }
  }

  @Test("pause and resume have a scope")
  func pause() async throws {
    try await FakeAtlas.serving(try world) { atlas, terminal in
      expect(
        await terminal.run("campaign", "pause", "november", "--client", "LAA", "--reason", "slow"),
        is: Outcome(
          status: .ok, output: "november client LAA is paused\n",
          errors: "hint: atlas campaign resume november --client LAA\n"))
      #expect(
        await terminal.run("campaign", "get", "november").output.contains(
          "\npaused client LAA, now by anna: slow\n"))
      expect(
        await terminal.run("campaign", "resume", "november", "--client", "LAA", "--now"),
        prints: "november client LAA goes on: ACTIVE\n")
      #expect(
        atlas.requests(AtlasV1.ResumeCampaignRequest.self)
          == [
            .init(
              requestID: "id-1", campaign: "november", scope: .init(part: .client("LAA")), now: true
            )
          ])
    }
  }

  @Test("skip of what has started tells what can be done instead")
  func skip() async throws {
    try await FakeAtlas.serving(try world) { _, terminal in
      expect(
        await terminal.run("campaign", "skip", "november", "LAA-PARIS-WEB02", "--reason", "x"),
        is: Outcome(
          status: .notAllowed, output: "",
          errors: """
            error: “LAA-PARIS-WEB02” has started
            hint: atlas campaign resolve november LAA-PARIS-WEB02 accept

            """))
    }
  }

  @Test("tells how to find a name that does not exist")
  func notFound() async throws {
    try await FakeAtlas.serving { _, terminal in
      expect(
        await terminal.run("campaign", "get", "novembre"),
        is: Outcome(
          status: .error, output: "",
          errors: """
            error: there is no campaign “novembre”
            hint: atlas campaign list shows what there is

            """))
    }
  }

  @Test("report has what needs somebody first, and figures last")
  func report() async throws {
    var world = try world
    world.campaigns[0].settled = true
    let held = try world.run("LAA-PARIS-WEB02", of: "november")
    world.report = AtlasV1.Report(
      affectedNow: [held], updates: [.init(update: "KB5031234", installed: 990, failed: 2)],
      downtimeMean: .init(seconds: 300), downtimeLongest: .init(seconds: 1_260),
      largestDownPerClient: 1, makespan: .init(seconds: 27_120), lowerBound: .init(seconds: 26_640),
      ratio: 1.018,
      gains: [
        .init(way: "sequential", time: .init(seconds: 2_700_000), serversPerHour: 1.333, factor: 1),
        .init(
          way: "this campaign", time: .init(seconds: 27_120), serversPerHour: 132.7, factor: 99.6),
      ], saved: .init(seconds: 2_672_880), decisionsByPeople: 2,
      gateCosts: [.init(name: "ring 0 to 1", duration: .init(seconds: 1_800))], hookRuns: 4_000,
      truncated: true)
    try await FakeAtlas.serving(world) { _, terminal in
      expect(
        await terminal.run("campaign", "report", "november"),
        prints: """
          Campaign      november
          State         ACTIVE, waits for people
          Servers       6 in all: 1 completed, 1 held, 4 pending
          Started       2026-11-22T02:00:00Z
          Took          7h32m
          Lower bound   7h24m, took 1.018 times that
          Downtime      5m a server, 21m at most
          Down at once  1 server of a client
          Decisions     2 by people

          Affected now: 1
          SERVER           STATE             PHASE           NOTE
          LAA-PARIS-WEB02  HELD (UNHEALTHY)  POST_CHECK 2.1  MSExchangeTransport does not start

          Updates
          UPDATE     INSTALLED  FAILED  NOT APPLICABLE  REVERTED
          KB5031234        990       2               0         0

          Gains
          WAY             TIME  SERVERS/H  FACTOR
          sequential     31d6h        1.3       1
          this campaign  7h32m      132.7    99.6
          Saved: 30d22h

          4,000 hook runs

          """)
    }
  }
}

extension String {
  /// A multi-line literal that ends where a question ends.
  var trimmingLastNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}

import AtlasModel
import AtlasWire
import Testing

/// The agent protocol to the wire and back.
@Suite struct AgentProtocolWireTests {
  private static let server = ServerName(trusted: "LAA-PARIS-SQL01")
  private static let status = CommandStatus(
    fence: Fence(7), kind: .removeSnapshot, progress: .done, changed: true)
  private static let result = CommandResult(
    status: .environment, retryable: true, code: "0x8024402C", message: "silent", changed: true,
    updates: [UpdateResult(update: UpdateID(trusted: "KB1"), outcome: .reverted, code: "x")],
    rebootRequired: true, moreUpdates: true,
    snapshot: SnapshotFact(id: "snap", takenAt: Instant(milliseconds: 5)),
    health: HealthFact(healthy: false, problems: ["a"], build: "20348"))
  private static let facts = ServerFacts(
    freeDisk: 0, neededDisk: 1 << 40, rebootPending: true, source: "wsus",
    sourceProblem: "0x8024402C", otherUpdaters: ["a", "b"], isServicing: true, missingUpdates: 0,
    refusals: [ExpectedRefusal(kind: .reboot, atSomeHours: true, reason: "no")], notes: ["half"])
  private static let reports = [
    CommandReport(
      fence: Fence(7), seq: 1, at: Instant(milliseconds: -1),
      event: .progress(ProgressReport(percent: 40, message: "half", changed: true))),
    CommandReport(
      fence: Fence(7), seq: 2, at: Instant(milliseconds: 1_800_000_000_123), event: .result(result)),
  ]

  @Test(
    arguments: [
      .hello(
        Hello(
          server: server, agentVersion: "1.0.0", bootID: "b", highestFence: Fence(9),
          command: status, reports: reports)),
      .hello(Hello(server: server, agentVersion: "", bootID: "")),
      .acknowledgement(
        CommandAcknowledgement(fence: Fence(7), verdict: .refused, message: "no", recorded: status)),
      .acknowledgement(CommandAcknowledgement(fence: Fence(7), verdict: .stale)),
      .report(reports[0]), .report(reports[1]),
      .probed(ProbeAnswer(number: 3, facts: facts)),
      .probed(ProbeAnswer(number: 4, facts: ServerFacts())),
    ] as [AgentMessage])
  func `what an agent says arrives unchanged`(message: AgentMessage) throws {
    let bytes = AtlasV1.SessionRequest(message).encode()
    #expect(try AgentMessage(AtlasV1.SessionRequest(decoding: bytes)) == message)
  }

  @Test(
    arguments: [
      .welcome(
        Welcome(
          daemonVersion: "1", campaignTime: Instant(milliseconds: 7), demoFactor: 1_000,
          checkInterval: .milliseconds(2_500), stopFence: Fence(3))),
      .cancel(fence: Fence(9), command: Fence(8)), .stop(fence: Fence(10)),
      .reportAcknowledgement(fence: Fence(7), seq: 2),
      .probe(
        Probe(number: 3, updateSet: UpdateSet(include: [UpdateID(trusted: "KB1")]))),
      .command(
        Command(
          fence: Fence(.max), kind: .rollback, server: server,
          campaign: CampaignName(trusted: "patch"), runKey: "patch/1", attempt: 2, pass: 3,
          notAfter: Instant(milliseconds: 99),
          updateSet: UpdateSet(
            include: [UpdateID(trusted: "KB1")], exclude: [UpdateID(trusted: "KB2")],
            required: [UpdateID(trusted: "KB3")], cutOff: Instant(milliseconds: 4)),
          rollbackMeans: .uninstall, snapshotID: "snap", afterRollback: true)),
    ] as [DaemonMessage])
  func `what the daemon says arrives unchanged`(message: DaemonMessage) throws {
    let bytes = AtlasV1.SessionResponse(message).encode()
    #expect(try DaemonMessage(AtlasV1.SessionResponse(decoding: bytes)) == message)
  }

  @Test(arguments: CommandKind.allCases)
  func `every kind of command arrives`(kind: CommandKind) throws {
    let command = Command(
      fence: Fence(1), kind: kind, server: Self.server, campaign: CampaignName(trusted: "c"),
      runKey: "k", attempt: 1, pass: 1)
    #expect(
      try DaemonMessage(AtlasV1.SessionResponse(.command(command))) == .command(command))
  }

  private static func hello(_ change: (inout AtlasV1.Hello) -> Void) -> AtlasV1.SessionRequest {
    var hello = AtlasV1.Hello(server: "LAA-PARIS-SQL01", bootID: "b")
    change(&hello)
    return .init(payload: .hello(hello))
  }

  @Test(arguments: [
    (AtlasV1.SessionRequest(), "payload: is missing"),
    (hello { $0.server = "" }, "hello.server: a server name is empty"),
    (
      hello { $0.bootID = String(repeating: "b", count: 65) },
      "hello.boot_id: is longer than 64 bytes"
    ),
    (
      hello { $0.command = .init(fence: 1, kind: .unrecognized(99), progress: .done) },
      "hello.command.kind: 99 is not known here"
    ),
    (
      hello { $0.reports = [.init(fence: 1, seq: 1, at: .init())] },
      "hello.reports[0].event: is missing"
    ),
    (
      hello {
        $0.reports = [
          .init(
            fence: 1, seq: 1, at: .init(),
            event: .result(
              .init(status: .failed, updates: [.init(update: "KB 1", outcome: .failed)])))
        ]
      },
      "hello.reports[0].result.updates[0].update: “KB 1” is not a update name"
    ),
    (
      .init(payload: .report(.init(fence: 1, seq: 0, at: .init(), event: .progress(.init())))),
      "report.seq: counts from 1"
    ),
    (
      .init(payload: .report(.init(fence: 1, seq: 1, event: .progress(.init())))),
      "report.at: is missing"
    ),
    (
      .init(payload: .commandAck(.init(fence: 0, verdict: .stale))), "command_ack.fence: is missing"
    ),
  ])
  func `what is wrong is named by its field`(wire: AtlasV1.SessionRequest, message: String) {
    do {
      _ = try AgentMessage(wire)
      Issue.record("read")
    } catch {
      #expect(error.description.hasPrefix("atlas.v1.SessionRequest." + message))
    }
  }

  @Test func `a rollback without means is refused, another command does not need them`() throws {
    var wire = AtlasV1.Command(
      fence: 1, kind: .rollback, server: "A", campaign: "c", runKey: "k", attempt: 1, pass: 1)
    #expect(throws: WireError.self) { try Command(wire) }
    wire.kind = .health
    #expect(try Command(wire).kind == .health)
  }

  @Test func `texts for people are cut and cleaned, never refused`() throws {
    let long = String(repeating: "é", count: 2_000) + "\u{1B}[31m"
    let wire = AtlasV1.Result(
      status: .failed, code: long, message: long,
      health: .init(problems: Array(repeating: long, count: 100)))
    let result = try CommandResult(wire)
    #expect(result.message.utf8.count == Limits.message)
    #expect(result.code.utf8.count == 64)
    #expect(result.health?.problems.count == 32)
  }
}

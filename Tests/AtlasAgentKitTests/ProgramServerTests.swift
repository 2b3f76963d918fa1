import AtlasAgent
import AtlasModel
import Foundation
import Testing

@testable import AtlasAgentKit

/// Programs that carry out commands on a real server.
@Suite struct ProgramServerTests {
  private static let fence = Fence(7)
  private static let command = Command(
    fence: fence, kind: .update, server: ServerName(trusted: "LAA-PARIS-SQL01"),
    campaign: CampaignName(trusted: "patch"), runKey: "patch/1", attempt: 2, pass: 1)

  /// Runs a shell script as the program for UPDATE; answers each wish to change with a permit.
  private static func run(
    _ script: String, _ events: DriverEvent<ProgramServer.Wake>..., cancels: Bool = false
  ) async -> [AgentInput] {
    let (inputs, deliver) = AsyncStream<AgentInput>.makeStream()
    var server = ProgramServer(
      server: command.server, bootID: "b",
      programs: [.update: ["/bin/sh", "-c", script]], deliver: { deliver.yield($0) })
    for event in events {
      for case .tell(let input) in server.handle(event, now: Instant(milliseconds: 0)) {
        deliver.yield(input)
      }
    }
    var heard: [AgentInput] = []
    for await input in inputs {
      heard.append(input)
      if case .driverFinished = input { break }
      if case .driverWillChange(let fence) = input {
        let event: DriverEvent<ProgramServer.Wake> = cancels ? .cancel(fence) : .permitChange(fence)
        _ = server.handle(event, now: Instant(milliseconds: 0))
      }
    }
    return heard
  }

  @Test func `a program reads its command, asks, goes on and tells its result`() async {
    let script = """
      read command
      case "$command" in *'"runKey":"patch/1"'*) ;; *) exit 9 ;; esac
      echo '{"progress": {"percent": 10, "message": "scanning"}}'
      echo 'a line of the installer'
      echo '{"will_change": true}'
      read answer
      echo '{"result": {"status": "RESULT_STATUS_SUCCEEDED", "message": "'$answer'"}}'
      echo '{"result": {"status": "RESULT_STATUS_FAILED"}}'
      """
    #expect(
      await Self.run(script, .start(Self.command)) == [
        .driverProgress(Self.fence, ProgressReport(percent: 10, message: "scanning")),
        .driverWillChange(Self.fence),
        .driverFinished(Self.fence, CommandResult(status: .succeeded, message: "go")),
      ])
  }

  @Test(arguments: [
    ("exit 3", "the program ended with status 3 and gave no result"),
    ("kill -9 $$", "the program was killed by signal 9 and gave no result"),
    ("echo '{\"result\": {\"status\": 99}}'", "the program ended with status 0 and gave no result"),
  ])
  func `a program that gives no result has failed`(script: String, message: String) async {
    #expect(
      await Self.run(script, .start(Self.command)) == [
        .driverFinished(
          Self.fence, CommandResult(status: .failed, code: "E_NO_RESULT", message: message))
      ])
  }

  @Test func `a program that is cancelled ends as cancelled`() async {
    let heard = await Self.run(
      "read command; echo '{\"will_change\": true}'; read answer; sleep 600",
      .start(Self.command), cancels: true)
    guard case .driverFinished(_, let result) = heard.last else {
      Issue.record("no end")
      return
    }
    #expect(result.status == .cancelled)
  }

  @Test(arguments: Interruption.allCases)
  func `a program that is started again knows why`(interruption: Interruption) async {
    let script = """
      echo '{"result": {"status": "RESULT_STATUS_SUCCEEDED",
      "message": "'$ATLAS_RESUME $ATLAS_CHANGED'"}}' | tr -d '\\n'; echo
      """
    let words: [Interruption: String] = [
      .agentRestarted: "agent_restarted", .orderedBoot: "ordered_boot",
      .unexpectedBoot: "unexpected_boot",
    ]
    let message = "\(words[interruption] ?? "") 1"
    #expect(
      await Self.run(script, .resume(Self.command, changed: true, after: interruption)) == [
        .driverFinished(Self.fence, CommandResult(status: .succeeded, message: message))
      ])
  }

  @Test func `a kind without a program, and a program that is not there, are refused`() async {
    var server = ProgramServer(
      server: Self.command.server, bootID: "b", programs: [.update: ["/no/such/program"]],
      deliver: { _ in })
    var health = Self.command
    health.kind = .health
    for (command, code) in [(Self.command, "E_PROGRAM"), (health, "E_NO_PROGRAM")] {
      let told = server.handle(.start(command), now: Instant(milliseconds: 0)).compactMap {
        action -> String? in
        guard case .tell(.driverFinished(_, let result)) = action else { return nil }
        return result.code
      }
      #expect(told == [code])
    }
  }

  @Test(arguments: [
    (
      "read probe; echo '{\"facts\": {\"freeDisk\": \"5\", \"otherUpdaters\": [\"dnf\"]}}'",
      ServerFacts(freeDisk: 5, otherUpdaters: ["dnf"])
    ),
    ("exit 3", ServerFacts(notes: ["/bin/sh ended without saying what it found"])),
    (
      "echo nonsense; echo '{\"facts\": 3}'",
      ServerFacts(notes: ["/bin/sh ended without saying what it found"])
    ),
  ])
  func `a probe is answered by its own program`(script: String, facts: ServerFacts) async {
    #expect(await Self.probed(["/bin/sh", "-c", script]) == facts)
  }

  @Test func `a server without a probe program knows its disk, and says that it knows no more`()
    async
  {
    let facts = await Self.probed(nil)
    #expect((facts?.freeDisk ?? 0) > 0 && facts?.neededDisk == nil)
    #expect(facts?.notes == ["only disk and boot were looked at: no probe is configured"])
  }

  /// What is found; what is said of missing programs, which is the same for all, is taken out.
  private static func probed(_ prober: [String]?) async -> ServerFacts? {
    let (inputs, deliver) = AsyncStream<AgentInput>.makeStream()
    var server = ProgramServer(
      server: command.server, bootID: "b", programs: [.update: ["/bin/true"]], prober: prober,
      deliver: { deliver.yield($0) })
    let probe = Probe(number: 9, updateSet: UpdateSet())
    _ = server.handle(.probe(probe), now: Instant(milliseconds: 0))
    for await input in inputs {
      guard case .driverProbed(9, var facts) = input else { return nil }
      let missing = CommandKind.allCases.count - 1
      #expect(facts.refusals.suffix(missing).allSatisfy { $0.reason.hasPrefix("no program for ") })
      facts.refusals.removeLast(missing)
      return facts
    }
    return nil
  }

  @Test func `a stream is cut into lines, wherever it is cut`() {
    let text = Array("one\n\ntwo\nthree".utf8)
    for cut in text.indices {
      var buffer = LineBuffer()
      let lines = buffer.add(text[..<cut]) + buffer.add(text[cut...])
      #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["one", "two"])
    }
    var buffer = LineBuffer()
    let long = Array(repeating: UInt8(ascii: "x"), count: 300_000) + Array("\nok\n".utf8)
    #expect(buffer.add(long) == [Array("ok".utf8)])
  }
}

/// The configuration of a real agent.
@Suite struct AgentConfigurationTests {
  private static func read(_ more: String) throws -> AgentConfiguration {
    try AgentConfiguration(
      json: Array(
        """
        {"server": "LAA-PARIS-SQL01", "address": "127.0.0.1:7443", "state_dir": "/s"\(more)}
        """.utf8))
  }

  @Test func `everything but server, address and directory may be left out`() throws {
    let configuration = try Self.read("")
    #expect(configuration.prober == nil)
    #expect(try Self.read(#", "probe": ["/p", "-x"]"#).prober == ["/p", "-x"])
    #expect(throws: AgentConfigurationError.self) { try Self.read(#", "probe": ["p"]"#) }
    #expect(configuration.programs == [:])
    #expect(configuration.rules == AgentRules())
    #expect(configuration.security == .plaintext)
  }

  @Test func `programs, hours and what is forbidden are read`() throws {
    let configuration = try Self.read(
      #", "programs": {"UPDATE": ["/u", "-x"]}, "allowed_hours_utc": ["22:00-06:30"], "#
        + #""forbidden": ["ROLLBACK"], "backup_within": "1d6h""#)
    #expect(configuration.programs == [.update: ["/u", "-x"]])
    #expect(
      configuration.rules
        == AgentRules(
          hours: [DailyHours(startMinute: 1_320, endMinute: 390)], forbidden: [.rollback],
          backupWithin: .seconds(30 * 3_600)))
  }

  @Test(arguments: [
    (
      #", "programs": {"INSTALL": ["/u"]}"#,
      "programs: “INSTALL” is not one of DOWNLOAD, SNAPSHOT, UPDATE, REBOOT, HEALTH, ROLLBACK, "
        + "REMOVE_SNAPSHOT"
    ),
    (#", "programs": {"UPDATE": ["u"]}"#, "programs.UPDATE: must begin with an absolute path"),
    (#", "backup_within": "0s""#, "backup_within: must be more than 0"),
    (
      #", "backup_within": "24""#,
      "backup_within: “24” is not a duration; write a number with a unit, such as 90s, 45m, 1h30m "
        + "or 2d"
    ),
    (#", "allowed_hours_utc": ["22-6"]"#, "allowed_hours_utc: “22-6” is not like 22:00-06:00"),
  ])
  func `a mistake is named`(more: String, message: String) {
    #expect(throws: AgentConfigurationError(message)) { try Self.read(more) }
  }

  @Test(arguments: [
    (#"{"server": "A"}"#, "address: is missing"), (#"{"server": 3}"#, "server: is not a text"),
  ])
  func `a field that is missing or of another kind is named`(json: String, message: String) {
    #expect(throws: AgentConfigurationError(message)) {
      try AgentConfiguration(json: Array(json.utf8))
    }
  }

  @Test func `a daemon on another machine needs TLS`() {
    let json = #"{"server": "A", "address": "atlas:7443", "state_dir": "/s"}"#
    #expect(
      throws: AgentConfigurationError("tls: is missing, and atlas:7443 is another machine")
    ) { try AgentConfiguration(json: Array(json.utf8)) }
  }
}

import Foundation
import Testing

/// A daemon, a backup service and a simulated fleet, all real, in a directory of their own.
final class Stage {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  /// Where the programs lie: beside the tests.
  static let programs = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path

  let directory: String
  let fleet: StageFleet
  private(set) var address = ""
  private(set) var daemon: Program?
  private var agents: Program?
  private var backups: Program?
  private var backupPort = 0

  init(_ fleet: StageFleet) throws {
    self.fleet = fleet
    directory =
      FileManager.default.temporaryDirectory
      .appending(path: "atlas-stage-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    try write(fleet.servers, to: "servers.csv")
    try write(fleet.clients, to: "clients.yaml")
    try write(fleet.policy, to: "policy.yaml")
    try write(fleet.agentScenario, to: "agents.json")
    try write(fleet.backupScenario, to: "backups.json")
  }

  deinit {
    for program in [agents, daemon, backups] { program?.signal(SIGKILL) }
    try? FileManager.default.removeItem(atPath: directory)
  }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  private func write(_ text: String, to name: String) throws {
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
  }

  func text(_ name: String) -> String {
    (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? ""
  }

  // MARK: Programs

  /// The example's backup service, and its hooks with those of the fleet.
  func startBackups() async throws {
    backups = try Program(
      "python3",
      [
        "\(Self.root)/examples/services/backup_api.py", "--listen", "127.0.0.1:0",
        "--port-file", path("backups.port"), "--scenario", path("backups.json"),
      ], output: path("backups.log"))
    backupPort = try await port("backups.port", of: backups, log: "backups.log")
    let files = FileManager.default
    try files.copyItem(atPath: "\(Self.root)/examples/hooks", toPath: path("hooks"))
    for (name, source) in fleet.hooks { try write(source, to: "hooks/clients/\(name).lua") }
    for name in try files.subpathsOfDirectory(atPath: path("hooks")) where name.hasSuffix(".lua") {
      let source = text("hooks/\(name)")
        .replacing("127.0.0.1:8090", with: "127.0.0.1:\(backupPort)")
      try write(source, to: "hooks/\(name)")
    }
  }

  /// Starts the daemon; once more on the same port, when it ran before.
  /// - Parameters:
  ///   - tracer: A program and its arguments, under which it runs.
  ///   - options: More options for the daemon.
  func startDaemon(
    tracer: [String] = [], environment: [String: String] = [:], options: [String] = []
  ) async throws {
    try? FileManager.default.removeItem(atPath: path("daemon.port"))
    let command =
      tracer + [
        "\(Self.programs)/atlasd", "--data-dir", path("data"),
        "--listen", address.isEmpty ? "127.0.0.1:0" : address,
        "--port-file", path("daemon.port"), "--demo-clock", "1000",
      ]
      + (backups == nil
        ? [] : ["--hooks", path("hooks"), "--hook-host", "127.0.0.1:\(backupPort)"])
      + options
    daemon = try Program(
      command[0], Array(command.dropFirst()), output: path("daemon.log"),
      environment: environment)
    address = "127.0.0.1:\(try await port("daemon.port", of: daemon, log: "daemon.log"))"
  }

  func startAgents() throws {
    agents = try Program(
      "\(Self.programs)/atlas-agent",
      [
        "simulate", "--address", address, "--seed", "7", "--state-dir", path("agents"),
        "--scenario", path("agents.json"),
      ], output: path("agents.log"))
  }

  func killAgents() async { await agents?.kill9() }

  func stopAgents() async {
    agents?.signal(SIGTERM)
    await agents?.wait()
  }

  /// Waits for a program to write down the port it serves.
  private func port(_ file: String, of program: Program?, log: String) async throws -> Int {
    var port: Int?
    try await until("\(file) is there") {
      if program?.isRunning == false {
        throw ProgramError(description: "it ended at once: \(text(log).suffix(2_000))")
      }
      port = Int(text(file).trimmingCharacters(in: .whitespacesAndNewlines))
      return port != nil
    }
    return try #require(port)
  }

  /// Looks again and again until something holds. A process has no event to wait for; what bounds
  /// the wait is far beyond what it may take.
  func until(
    _ what: String, limit: Duration = .seconds(120), _ holds: () async throws -> Bool
  ) async throws {
    let end = ContinuousClock.now + limit
    while try await !holds() {
      guard ContinuousClock.now < end else {
        throw ProgramError(
          description: "waited \(limit) until \(what); the daemon's log ends with\n"
            + text("daemon.log").suffix(2_000))
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  // MARK: The command line

  struct Output {
    var status: Int32
    var text: String
    var errors: String
  }

  private var commands = 0

  /// Runs a program to its end.
  func run(_ executable: String, _ arguments: [String]) async throws -> Output {
    commands += 1
    let (out, err) = (path("out.\(commands)"), path("err.\(commands)"))
    let program = try Program(
      executable, arguments, output: out, errors: err, environment: ["ATLAS_ADDRESS": address])
    let status = await program.wait()
    defer { for file in [out, err] { try? FileManager.default.removeItem(atPath: file) } }
    return Output(
      status: status, text: (try? String(contentsOfFile: out, encoding: .utf8)) ?? "",
      errors: (try? String(contentsOfFile: err, encoding: .utf8)) ?? "")
  }

  /// `atlas` with some words, whatever it says.
  func ask(_ words: String...) async throws -> Output {
    try await run("\(Self.programs)/atlas", words)
  }

  /// `atlas` with some words that must succeed.
  @discardableResult
  func atlas(_ words: String...) async throws -> String {
    let output = try await run("\(Self.programs)/atlas", words)
    guard output.status == 0 else {
      throw ProgramError(
        description: "atlas \(words.joined(separator: " ")) ended with \(output.status): "
          + output.errors)
    }
    return output.text
  }

  func json(_ words: String...) async throws -> [String: Any] {
    let output = try await run("\(Self.programs)/atlas", words + ["-o", "json"])
    let object = try JSONSerialization.jsonObject(with: Data(output.text.utf8))
    return try #require(object as? [String: Any], "\(output)")
  }

  func rows(_ words: String...) async throws -> [[String: Any]] {
    let output = try await run("\(Self.programs)/atlas", words + ["-o", "jsonl"])
    return try output.text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return try #require(object as? [String: Any])
    }
  }

  // MARK: The night

  /// Brings everything up, and starts a campaign over the whole fleet.
  func begin(campaign: String = "night") async throws {
    try await prepare(campaign: campaign)
    try await atlas("campaign", "start", campaign, "--yes")
  }

  /// Everything up to a campaign that only has to be started.
  func prepare(campaign: String = "night") async throws {
    try await startBackups()
    try await startDaemon()
    try await atlas("fleet", "import", path("servers.csv"), path("clients.yaml"), "--yes")
    try startAgents()
    try await allConnected()
    try await atlas("campaign", "create", campaign, "--policy", path("policy.yaml"))
  }

  func allConnected() async throws {
    try await until("all agents are connected") { try await connected() == fleet.names.count }
  }

  func connected() async throws -> Int {
    let agents = try await json("status")["agents"] as? [String: Any]
    return agents?["connected"] as? Int ?? 0
  }

  /// Names of servers by the state and the detail of their runs, such as `COMPLETED UPDATED`.
  func outcomes(_ campaign: String = "night") async throws -> [String: [String]] {
    var groups: [String: [String]] = [:]
    for run in try await rows("campaign", "runs", campaign) {
      let state = try #require(run["state"] as? String).replacing("RUN_STATE_", with: "")
      let detail = try #require(run["detail"] as? String)
      let server = try #require(run["server"] as? String)
      groups[detail.isEmpty ? state : "\(state) \(detail)", default: []].append(server)
    }
    return groups.mapValues { $0.sorted() }
  }

  /// What the fleet's own ledger says, judged by a program that shares no code with the daemon.
  func ledger(_ options: String...) async throws -> [String: Any] {
    let output = try await run(
      "python3", ["\(Self.root)/scripts/check-ledger", path("agents/ledger.jsonl")] + options)
    let object = try JSONSerialization.jsonObject(with: Data(output.text.utf8))
    return try #require(object as? [String: Any], "\(output)")
  }

  /// How many requests the backup service has counted.
  func requestsServed() async throws -> Int {
    let url = try #require(URL(string: "http://127.0.0.1:\(backupPort)/v1/stats"))
    let output = try await run("curl", ["-s", url.absoluteString])
    let object = try JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any]
    return try #require(object?["total"] as? Int)
  }
}

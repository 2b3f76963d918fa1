import AtlasHooks
import AtlasModel
import Foundation
import NIOPosix
import Synchronization
import Testing

@testable import AtlasLua

/// Campaign time that jumps over short pauses, so that nobody waits for them.
final class JumpingClock: HookClock {
  private let time = Mutex(Instant(milliseconds: 1_800_000_000_000))

  func now() -> Instant { time.withLock { $0 } }

  func jump(by duration: Duration) { time.withLock { $0 = $0 + duration } }

  /// Deadlines lie further off than any pause of the examples; they are only waited for.
  func sleep(until instant: Instant) async throws {
    let isPause = time.withLock { now in
      guard instant - now <= .seconds(600) else { return false }
      now = max(now, instant)
      return true
    }
    if !isPause { try await Task.sleep(for: .seconds(86_400)) }
  }
}

/// The example hooks with the example service behind them.
struct Rehearsal {
  struct Server {
    let client: String
    let site: String
    let role: String
    let name: String

    /// - Parameter name: Such as `LAA-PARIS-DC01`.
    init(_ name: String) {
      let parts = name.split(separator: "-").map(String.init)
      (client, site, role) = (parts[0], parts[1], String(parts[2].prefix { $0.isLetter }))
      self.name = name
    }
  }

  /// What the service has counted.
  struct Stats: Decodable, Equatable {
    var total: Int
    var routes: [String: Int]
    var statuses: [String: Int]
    var snapshots: [String: Int]
  }

  static let examples = URL(filePath: #filePath)
    .deletingLastPathComponent().appending(path: "../../examples").standardizedFileURL

  static var scenario: String { examples.appending(path: "services/scenario.json").path }

  let clock = JumpingClock()
  let keyValue = MemoryKeyValue()
  let http: AsyncHTTPHookClient
  let runner: LuaHookRunner
  let revision: HookRevision
  private let port: Int
  private let calls = Calls()

  /// Host calls that the runner has counted, over all reports.
  private final class Calls: Sendable {
    let http = Mutex(0)
  }

  /// Runs `body` with a service of its own, and checks at the end that the service has seen exactly
  /// the requests that the reports of the hook runs tell of.
  static func with(
    options: [String] = [], _ body: (Rehearsal) async throws -> Void
  ) async throws {
    let service = try ExampleService(options)
    defer { service.stop() }
    let http = AsyncHTTPHookClient(
      rules: try HookHostRules(everyClient: ["127.0.0.1:\(service.port)"]),
      group: MultiThreadedEventLoopGroup.singleton)
    let rehearsal: Rehearsal
    let result: Result<Void, any Error>
    do {
      rehearsal = try await Rehearsal(service, http)
      try await body(rehearsal)
      let stats = try await rehearsal.stats()
      #expect(stats.total == rehearsal.calls.http.withLock { $0 })
      result = .success(())
    } catch { result = .failure(error) }
    try await http.shutdown()
    try result.get()
  }

  private init(_ service: ExampleService, _ http: AsyncHTTPHookClient) async throws {
    self.http = http
    port = service.port
    runner = LuaHookRunner(
      ports: HookPorts(clock: clock, keyValue: keyValue, http: http, log: CollectedLog()),
      sha256: fakeHash)
    var sources = try HookSources(directory: Self.examples.appending(path: "hooks").path)
    let api = try #require(sources.files["lib/backup_api.lua"])
    let text = String(decoding: api, as: UTF8.self)
    try #require(text.contains("127.0.0.1:8090"))
    sources.files["lib/backup_api.lua"] = Array(
      text.replacing("127.0.0.1:8090", with: "127.0.0.1:\(port)").utf8)
    revision = await runner.check(sources)
    runner.install(revision)
  }

  func run(
    _ point: HookPoint, _ server: Server, change: (inout HookInvocation) -> Void = { _ in }
  ) async -> HookReport {
    var invocation = HookInvocation(
      point: point, key: "april/\(server.name)", client: ClientName(trusted: server.client),
      site: SiteName(trusted: server.site), server: ServerName(trusted: server.name),
      roles: [Role(trusted: server.role)], campaign: CampaignName(trusted: "april"),
      phase: .preCheck, deadline: clock.now() + .seconds(3_600), revision: revision.id)
    change(&invocation)
    let report = await runner.run(invocation)
    let requests = report.usage.calls
      .filter { [.httpGet, .httpPost, .httpRequest].contains($0.call) }.map(\.count).reduce(0, +)
    calls.http.withLock { $0 += requests }
    return report
  }

  /// Every hook of a run that goes well.
  func wholeRun(_ server: Server) async -> [HookReport] {
    var reports = [await run(.preUpdate, server), await run(.verifyBackup, server)]
    let snapshot = await run(.snapshot, server)
    reports.append(snapshot)
    reports.append(await run(.postUpdate, server))
    reports.append(await run(.finalize, server) { $0.snapshotID = snapshot.snapshotID })
    return reports
  }

  func stats() async throws -> Stats {
    let answer = try await http.send(
      HookHTTPRequest(
        client: ClientName(trusted: "ANY"), method: "GET",
        url: "http://127.0.0.1:\(port)/v1/stats", timeout: .seconds(30)))
    return try JSONDecoder().decode(Stats.self, from: Data(answer.body))
  }
}

extension HookReport {
  /// The id of the snapshot it recorded; empty when there is none.
  var snapshotID: String {
    if case .snapshot(let id, _)? = evidence.last { id } else { "" }
  }

  /// The backup it recorded: age when it was taken and when it was verified, at the run's end.
  var backupAges: (taken: Duration, verified: Duration?)? {
    guard case .backup(_, let taken, let verified, _, _)? = evidence.last else { return nil }
    return (endedAt - taken, verified.map { endedAt - $0 })
  }

  /// `FILE OUTCOME`, and the kinds of facts it recorded.
  var line: String {
    let facts = evidence.map { fact in
      switch fact {
      case .backup: "backup"
      case .snapshot: "snapshot"
      }
    }
    return ([file ?? "-", outcome.word] + facts).joined(separator: " ")
  }
}

/// The double of the backup product, as a process of its own on a free port of the loopback. It
/// ends when its standard input does: with the tests, however they end.
private final class ExampleService {
  let port: Int
  private let process = Process()
  private let input = Pipe()

  init(_ options: [String]) throws {
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      [
        "python3", Rehearsal.examples.appending(path: "services/backup_api.py").path,
        "--listen", "127.0.0.1:0", "--seed", "7", "--until-eof",
      ] + options
    process.standardOutput = output
    process.standardInput = input
    try process.run()
    // "backup_api: listening on http://127.0.0.1:PORT"
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let number = line.split(whereSeparator: { $0 == ":" || $0 == "\n" }).last.flatMap { Int($0) }
    guard let number else {
      try? input.fileHandleForWriting.close()
      throw CocoaError(.fileReadCorruptFile)
    }
    port = number
  }

  /// It is gone when this returns.
  func stop() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}

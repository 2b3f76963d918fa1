import AtlasHooks
import AtlasModel
import Synchronization

@testable import AtlasLua

/// Campaign time that moves when a test says so.
final class ManualClock: HookClock {
  private struct Sleeper {
    var id: UInt64
    var until: Instant
    var continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var now = Instant(milliseconds: 1_800_000_000_000)
    var nextID: UInt64 = 0
    var sleepers: [Sleeper] = []
    var cancelled: Set<UInt64> = []
    var watchers: [Watcher] = []

    /// Tasks that sleep at most so long.
    func sleepers(within duration: Duration) -> Int {
      sleepers.count { $0.until <= now + duration }
    }
  }

  private struct Watcher {
    var count: Int
    var within: Duration
    var continuation: CheckedContinuation<Void, Never>
  }

  private let state = Mutex(State())

  func now() -> Instant { state.withLock(\.now) }

  func sleep(until instant: Instant) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let slept = await withTaskCancellationHandler {
      await withCheckedContinuation { add(Sleeper(id: id, until: instant, continuation: $0)) }
    } onCancel: {
      cancel(id)
    }
    if !slept { throw CancellationError() }
  }

  /// Moves time and wakes who waited for it.
  func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now = state.now + duration
      let now = state.now
      let due = state.sleepers.filter { $0.until <= now }
      state.sleepers.removeAll { $0.until <= now }
      return due
    }
    for sleeper in due { sleeper.continuation.resume(returning: true) }
  }

  /// Returns when at least `count` tasks sleep, for at most `duration`: those that wait for the
  /// deadline of a run, after 900 seconds, do not count.
  func sleepers(_ count: Int, within duration: Duration = .seconds(100)) async {
    await withCheckedContinuation { continuation in
      let reached = state.withLock { state in
        if state.sleepers(within: duration) >= count { return true }
        state.watchers.append(
          Watcher(count: count, within: duration, continuation: continuation))
        return false
      }
      if reached { continuation.resume() }
    }
  }

  private func add(_ sleeper: Sleeper) {
    let (answer, watchers) = state.withLock {
      state -> (Bool?, [CheckedContinuation<Void, Never>]) in
      if state.cancelled.remove(sleeper.id) != nil { return (false, []) }
      if sleeper.until <= state.now { return (true, []) }
      state.sleepers.append(sleeper)
      let current = state
      let isReached = { (watcher: Watcher) in
        current.sleepers(within: watcher.within) >= watcher.count
      }
      state.watchers.removeAll(where: isReached)
      return (nil, current.watchers.filter(isReached).map(\.continuation))
    }
    if let answer { sleeper.continuation.resume(returning: answer) }
    for watcher in watchers { watcher.resume() }
  }

  private func cancel(_ id: UInt64) {
    let sleeper = state.withLock { state -> Sleeper? in
      guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
        state.cancelled.insert(id)
        return nil
      }
      return state.sleepers.remove(at: index)
    }
    sleeper?.continuation.resume(returning: false)
  }
}

/// Values in memory; can be told to fail.
final class MemoryKeyValue: HookKeyValue {
  private struct Key: Hashable {
    var client: ClientName
    var key: String
  }

  private let values = Mutex<[Key: [UInt8]]>([:])
  let failure = Mutex<HookFault?>(nil)

  private func check() throws(HookFault) {
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  func get(client: ClientName, key: String) async throws(HookFault) -> [UInt8]? {
    try check()
    return values.withLock { $0[Key(client: client, key: key)] }
  }

  func set(client: ClientName, key: String, to value: [UInt8]) async throws(HookFault) {
    try check()
    values.withLock { $0[Key(client: client, key: key)] = value }
  }

  func compareAndSet(
    client: ClientName, key: String, expected: [UInt8]?, to value: [UInt8]
  ) async throws(HookFault) -> Bool {
    try check()
    return values.withLock { values in
      guard values[Key(client: client, key: key)] == expected else { return false }
      values[Key(client: client, key: key)] = value
      return true
    }
  }

  func delete(client: ClientName, key: String) async throws(HookFault) {
    try check()
    values.withLock { $0[Key(client: client, key: key)] = nil }
  }

  /// Everything that is stored, as `CLIENT key = JSON`, sorted.
  var contents: [String] {
    values.withLock { values in
      values.map { "\($0.key.client) \($0.key.key) = \(String(decoding: $0.value, as: UTF8.self))" }
        .sorted()
    }
  }
}

/// Answers requests with a function, and remembers them.
final class ScriptedHTTP: HookHTTP {
  typealias Script = @Sendable (HookHTTPRequest) async throws(HookFault) -> HookHTTPResponse

  private let script: Script
  private let seen = Mutex<[HookHTTPRequest]>([])

  init(_ script: @escaping Script) { self.script = script }

  convenience init() {
    self.init { _ in HookHTTPResponse(status: 200, body: Array(#"{"good":true}"#.utf8)) }
  }

  var requests: [HookHTTPRequest] { seen.withLock { $0 } }

  func send(_ request: HookHTTPRequest) async throws(HookFault) -> HookHTTPResponse {
    seen.withLock { $0.append(request) }
    return try await script(request)
  }
}

/// Keeps every line.
final class CollectedLog: HookLog {
  private let records = Mutex<[HookLogRecord]>([])

  var all: [HookLogRecord] { records.withLock { $0 } }

  /// `level message name=value …`, a line each.
  var lines: [String] {
    all.map { record in
      ([record.level.rawValue, record.message] + record.fields.map { "\($0.name)=\($0.value)" })
        .joined(separator: " ")
    }
  }

  func write(_ record: HookLogRecord) { records.withLock { $0.append(record) } }
}

/// A runner with fakes around it, and hooks given as text.
struct World {
  let clock = ManualClock()
  let keyValue = MemoryKeyValue()
  let log = CollectedLog()
  let http: ScriptedHTTP
  let runner: LuaHookRunner
  let revision: HookRevision

  init(
    _ sources: [String: String], http: ScriptedHTTP = ScriptedHTTP(),
    limits: HookLimits = HookLimits()
  ) async {
    self.http = http
    runner = LuaHookRunner(
      limits: limits,
      ports: HookPorts(clock: clock, keyValue: keyValue, http: http, log: log), sha256: fakeHash)
    revision = await runner.check(HookSources(sources))
    runner.install(revision)
  }

  /// `default.lua` with a `pre_update` whose body this is.
  init(_ body: String) async { await self.init(.preUpdate, body) }

  /// `default.lua` with one function whose body this is.
  init(
    _ point: HookPoint, _ body: String, http: ScriptedHTTP = ScriptedHTTP(),
    limits: HookLimits = HookLimits()
  ) async {
    await self.init(
      ["default.lua": "return {api = 1, \(point.rawValue) = function(run) \(body)\nend}"],
      http: http, limits: limits)
  }

  func invocation(
    _ point: HookPoint = .preUpdate, client: String = "LAA", key: String = "c1/LAA-PARIS-DC01/1",
    timeout: Duration = .seconds(900)
  ) -> HookInvocation {
    HookInvocation(
      point: point, key: key, client: ClientName(trusted: client),
      site: SiteName(trusted: "PARIS"), server: ServerName(trusted: "\(client)-PARIS-DC01"),
      roles: [Role(trusted: "DC")], campaign: CampaignName(trusted: "april"), phase: .preCheck,
      deadline: clock.now() + timeout, revision: revision.id)
  }

  func run(
    _ point: HookPoint = .preUpdate, client: String = "LAA", key: String = "c1/LAA-PARIS-DC01/1",
    change: (inout HookInvocation) -> Void = { _ in }
  ) async -> HookReport {
    var invocation = invocation(point, client: client, key: key)
    change(&invocation)
    return await runner.run(invocation)
  }
}

/// Runs a body and returns how it ended.
func outcome(
  _ point: HookPoint, _ body: String, http: ScriptedHTTP = ScriptedHTTP()
) async -> HookOutcome {
  await World(point, body, http: http).run(point).outcome
}

/// Stands in for SHA-256: 32 bytes that differ for different input (FNV-1a, four times).
let fakeHash: @Sendable ([UInt8]) -> [UInt8] = { bytes in
  (0..<4).flatMap { salt -> [UInt8] in
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 &+ UInt64(salt)) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return withUnsafeBytes(of: hash.bigEndian) { Array($0) }
  }
}

func ok(_ message: String, data: String? = nil) -> HookOutcome {
  .ok(message: message, data: data.map { Array($0.utf8) })
}

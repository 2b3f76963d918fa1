import AtlasHooks
import AtlasModel
import Synchronization

/// What hook runs need of the daemon.
package struct HookPorts: Sendable {
  package var clock: any HookClock
  package var keyValue: any HookKeyValue
  package var http: any HookHTTP
  package var log: any HookLog

  package init(
    clock: any HookClock, keyValue: any HookKeyValue, http: any HookHTTP, log: any HookLog
  ) {
    self.clock = clock
    self.keyValue = keyValue
    self.http = http
    self.log = log
  }
}

/// Runs hooks written in Lua: a state and a task for each run, on threads of their own.
///
/// Revisions are immutable and kept by id, so that a campaign goes on with the one it pinned while
/// later ones get another.
package final class LuaHookRunner: HookRunner {
  private struct Revisions {
    var byID: [HookRevisionID: HookRevision] = [:]
    var current: HookRevision?
  }

  private let limits: HookLimits
  private let ports: HookPorts
  private let checker: HookChecker
  private let executor: LuaExecutor
  private let slots: RunSlots
  private let revisions = Mutex(Revisions())
  private let running = RunningHooks()
  private let deadlines: DeadlineWatch

  /// - Parameter sha256: Names revisions; injected, so that this target needs no crypto library.
  package init(
    limits: HookLimits = HookLimits(), ports: HookPorts, executor: LuaExecutor = LuaExecutor(),
    sha256: @escaping @Sendable ([UInt8]) -> [UInt8]
  ) {
    self.limits = limits
    self.ports = ports
    self.executor = executor
    checker = HookChecker(limits: limits, sha256: sha256)
    slots = RunSlots(limits.concurrentRuns)
    deadlines = DeadlineWatch(clock: ports.clock)
  }

  // MARK: Revisions

  /// Checks files and makes a revision of them, without putting it to use.
  package func check(_ sources: HookSources) async -> HookRevision {
    await Task(executorPreference: executor) { [checker] in checker.revision(of: sources) }.value
  }

  /// Makes a revision current: campaigns that start from now on pin it.
  package func install(_ revision: HookRevision) {
    revisions.withLock {
      $0.byID[revision.id] = revision
      $0.current = revision
    }
  }

  /// Makes a revision known for campaigns that pinned it before; the current one stays.
  package func keep(_ revision: HookRevision) {
    revisions.withLock { $0.byID[revision.id] = revision }
  }

  /// Forgets all revisions but the current one and those that are still pinned.
  package func forgetAll(except pinned: Set<HookRevisionID>) {
    revisions.withLock { state in
      let current = state.current?.id
      state.byID = state.byID.filter { $0.key == current || pinned.contains($0.key) }
    }
  }

  package func revision(_ id: HookRevisionID) -> HookRevision? {
    revisions.withLock { $0.byID[id] }
  }

  package var currentRevision: HookRevisionID? { revisions.withLock { $0.current?.id } }

  package func defines(_ point: HookPoint, client: ClientName) -> Bool {
    let current = revisions.withLock(\.current)
    return current?.file(for: point, client: client) != nil
  }

  // MARK: Runs

  /// Hook runs at this moment, those that wait for their turn included.
  package var runningCount: Int { running.count }

  package func run(_ invocation: HookInvocation) async -> HookReport {
    let startedAt = ports.clock.now()
    guard let revision = revision(invocation.revision) else {
      let message = "the hook revision \(invocation.revision) is not loaded"
      return report(invocation, .error(HookError(kind: .engine, message: message)), startedAt)
    }
    guard let file = revision.file(for: invocation.point, client: invocation.client) else {
      return report(invocation, .notDefined, startedAt)
    }
    let handle = RunHandle()
    let ticket = running.add(handle, key: invocation.key)
    defer { running.remove(ticket, key: invocation.key) }
    let watched = deadlines.add(handle, at: invocation.deadline)
    defer { deadlines.remove(watched) }
    let setup = HookRun.Setup(
      invocation: invocation, revision: revision, file: file, limits: limits, ports: ports,
      handle: handle, startedAt: startedAt)
    return await withTaskCancellationHandler {
      let task = Task(executorPreference: executor) { [slots] in
        guard await slots.take() else { return HookRun(setup).neverStarted() }
        defer { slots.giveBack() }
        return await HookRun(setup).drive()
      }
      handle.attach(task)
      return await task.value
    } onCancel: {
      handle.stop(.cancelled)
    }
  }

  package func cancel(key: String) {
    for handle in running.handles(key: key) { handle.stop(.cancelled) }
  }

  private func report(
    _ invocation: HookInvocation, _ outcome: HookOutcome, _ startedAt: Instant
  ) -> HookReport {
    HookReport(
      key: invocation.key, outcome: outcome, startedAt: startedAt, endedAt: startedAt,
      revision: invocation.revision)
  }
}

/// The runs that can be cancelled, by key. More than one may have the same key: the end of one and
/// the start of the next cross.
private final class RunningHooks: Sendable {
  private struct State {
    var next: UInt64 = 0
    var handles: [String: [(ticket: UInt64, handle: RunHandle)]] = [:]
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.handles.values.reduce(0) { $0 + $1.count } } }

  func add(_ handle: RunHandle, key: String) -> UInt64 {
    state.withLock { state in
      state.next += 1
      state.handles[key, default: []].append((state.next, handle))
      return state.next
    }
  }

  func remove(_ ticket: UInt64, key: String) {
    state.withLock { state in
      state.handles[key]?.removeAll { $0.ticket == ticket }
      if state.handles[key]?.isEmpty == true { state.handles[key] = nil }
    }
  }

  func handles(key: String) -> [RunHandle] {
    state.withLock { $0.handles[key]?.map(\.handle) ?? [] }
  }
}

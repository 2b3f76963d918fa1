import AtlasControl
import AtlasEngine
import AtlasHooks
import AtlasModel
import AtlasStore
import Synchronization

/// Brings the pump's orders to the hook runtime, and what hooks say back to the engine's words.
package final class HookGateway: HookPort {
  private let runner: any HookRunner
  private let runs = Mutex<[HookTicket: Progress]>([:])

  /// Where a run is. It is known before its task begins, so that no cancel comes too early.
  private enum Progress {
    case announced
    case cancelled
    case running(Task<HookReport, Never>)
  }

  package init(_ runner: any HookRunner) { self.runner = runner }

  package func announce(_ ticket: HookTicket) { runs.withLock { $0[ticket] = .announced } }

  package func run(_ order: HookOrder) async -> (HookVerdict, HookRunRow?) {
    defer { runs.withLock { $0[order.ticket] = nil } }
    // A campaign that was started without hooks has none, whatever was loaded since.
    guard !order.revision.isEmpty else { return (.notDefined, nil) }
    guard let task = begin(HookInvocation(order), order.ticket) else { return (.cancelled, nil) }
    let report = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    guard report.outcome != .notDefined else { return (.notDefined, nil) }
    return (HookVerdict(report, order.point), HookRunRow(report, order))
  }

  package func defines(_ point: HookPoint, client: ClientName) -> Bool {
    runner.defines(point, client: client)
  }

  package func dryRun(_ order: HookOrder) async -> HookVerdict {
    var invocation = HookInvocation(order)
    if order.revision.isEmpty {
      guard let current = runner.currentRevision else { return .notDefined }
      invocation.revision = current
    }
    invocation.dryRun = true
    return HookVerdict(await runner.run(invocation), order.point)
  }

  /// Begins a run in the same moment in which it becomes known as running.
  /// - Returns: nil when it was cancelled before.
  private func begin(
    _ invocation: HookInvocation, _ ticket: HookTicket
  ) -> Task<HookReport, Never>? {
    runs.withLock { runs in
      if case .cancelled = runs[ticket] { return nil }
      let task = Task { [runner] in await runner.run(invocation) }
      runs[ticket] = .running(task)
      return task
    }
  }

  package func cancel(_ ticket: HookTicket) {
    let task: Task<HookReport, Never>? = runs.withLock { runs in
      switch runs[ticket] {
      case .announced:
        runs[ticket] = .cancelled
        return nil
      case .running(let task): return task
      case .cancelled, nil: return nil
      }
    }
    task?.cancel()
  }
}

extension HookInvocation {
  fileprivate init(_ order: HookOrder) {
    self.init(
      point: order.point, key: order.key, client: order.client, site: order.site,
      server: order.server, roles: order.roles, ring: order.ring, campaign: order.campaign,
      attempt: order.attempt, pass: order.pass, phase: order.phase, deadline: order.deadline,
      restarted: order.restarted, rollback: order.rollback, snapshotID: order.snapshotID,
      group: order.group, peers: order.peers, expires: order.expires, updates: order.updates,
      revision: HookRevisionID(order.revision))
  }
}

extension HookVerdict {
  fileprivate init(_ report: HookReport, _ point: HookPoint) {
    let snapshot = report.evidence.compactMap(\.snapshot).last
    if case .ok(let message, _) = report.outcome {
      if point == .orderGroup, !message.isEmpty {
        self = Self.next(named: message)
        return
      }
      self = .ok(backup: report.evidence.compactMap(\.backup).last, snapshot: snapshot)
      return
    }
    let verdict = HookVerdict(unfinished: report.outcome)
    // A snapshot that was recorded is there, whatever happened next.
    self = snapshot.map { .left($0, after: verdict) } ?? verdict
  }

  /// `ok("LAA-PARIS-SQL02")` of `order_group` names the next member; `ok()` leaves it to the lane.
  private static func next(named text: String) -> HookVerdict {
    do {
      return .next(try ServerName(text))
    } catch {
      return .error(error.description)
    }
  }

  private init(unfinished outcome: HookOutcome) {
    switch outcome {
    case .ok: self = .ok(backup: nil, snapshot: nil)
    case .skip(let message): self = .skip(message)
    case .deferred(let after, let reason): self = .deferred(after: after, reason: reason)
    case .fail(let message, let retryable): self = .fail(message, retryable: retryable)
    case .error(let error):
      switch error.kind {
      case .cancelled: self = .cancelled
      case .deadline: self = .timeout(error.text)
      case .script, .host, .limitCPU, .limitMemory, .limitInstructions, .engine:
        self = .error(error.text)
      }
    case .notDefined: self = .notDefined
    }
  }
}

extension HookEvidence {
  fileprivate var backup: BackupFact? {
    guard case .backup(let source, let taken, let verified, let tested, let lastJob) = self else {
      return nil
    }
    return BackupFact(
      source: source, takenAt: taken, verifiedAt: verified, restoreTestedAt: tested,
      lastJobAt: lastJob)
  }

  fileprivate var snapshot: SnapshotFact? {
    guard case .snapshot(let id, let taken) = self else { return nil }
    return SnapshotFact(id: id, takenAt: taken)
  }
}

extension HookError {
  /// Where and what, in one line.
  fileprivate var text: String {
    guard let file else { return "\(kind.rawValue): \(message)" }
    return "\(file):\(line ?? 0): \(kind.rawValue): \(message)"
  }
}

extension HookRunRow {
  fileprivate init(_ report: HookReport, _ order: HookOrder) {
    var message = ""
    var failure: HookError?
    switch report.outcome {
    case .ok(let text, _), .skip(let text), .fail(let text, _): message = text
    case .deferred(_, let reason): message = reason
    case .error(let error):
      message = error.message
      failure = error
    case .notDefined: break
    }
    self.init(
      key: report.key, campaign: order.campaign.text, client: order.client.text,
      server: order.server.text, point: order.point.rawValue, attempt: order.attempt,
      outcome: report.outcome.word, message: message.bounded(),
      errorKind: failure?.kind.rawValue ?? "", file: failure?.file ?? report.file ?? "",
      line: failure?.line ?? 0, traceback: (failure?.traceback ?? "").bounded(to: 4_096),
      revision: report.revision.text, startedAt: report.startedAt,
      tookMilliseconds: (report.endedAt - report.startedAt).milliseconds,
      cpuMicroseconds: report.usage.cpu.components.attoseconds / 1_000_000_000_000
        + report.usage.cpu.components.seconds * 1_000_000,
      peakMemoryBytes: Int64(report.usage.peakMemoryBytes),
      calls: report.usage.calls.filter { $0.count > 0 }
        .map { "\($0.call.rawValue) \($0.count) \($0.errors)" }.joined(separator: "\n"))
  }
}

/// Campaign time for hooks.
package struct HookCampaignClock: HookClock {
  private let clock: CampaignClock

  package init(_ clock: CampaignClock) { self.clock = clock }

  package func now() -> Instant { clock.now }

  package func sleep(until instant: Instant) async throws {
    try await Task.sleep(for: clock.realDelay(until: instant))
  }
}

/// The values that hooks keep, in the store: durable before the call returns.
package struct StoreKeyValue: HookKeyValue {
  private let store: any Store

  package init(_ store: any Store) { self.store = store }

  package func get(client: ClientName, key: String) async throws(HookFault) -> [UInt8]? {
    do { return try await store.keyValue(client: client.text, key: key) } catch {
      throw HookFault(error)
    }
  }

  package func set(
    client: ClientName, key: String, to value: [UInt8]
  ) async throws(HookFault) {
    _ = try await put(client, key, value, if: .always)
  }

  package func compareAndSet(
    client: ClientName, key: String, expected: [UInt8]?, to value: [UInt8]
  ) async throws(HookFault) -> Bool {
    try await put(client, key, value, if: expected.map { .equals($0) } ?? .absent)
  }

  package func delete(client: ClientName, key: String) async throws(HookFault) {
    _ = try await put(client, key, nil, if: .always)
  }

  private func put(
    _ client: ClientName, _ key: String, _ value: [UInt8]?, if condition: KeyValueCondition
  ) async throws(HookFault) -> Bool {
    do {
      return try await store.setKeyValue(
        client: client.text, key: key, to: value, if: condition)
    } catch {
      throw HookFault(error)
    }
  }
}

extension HookFault {
  fileprivate init(_ error: StoreError) {
    switch error {
    case .full(let message): self.init(code: "kv.full", message: message, retryable: false)
    case .inUse, .format, .outOfOrder, .failed, .outcomeUnknown, .closed:
      self.init(code: "kv.store", message: "\(error)", retryable: true)
    }
  }
}

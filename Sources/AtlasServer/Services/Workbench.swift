import AtlasModel
import AtlasWire
import Dispatch
import Synchronization

/// Works out what takes long - plans, reports, comparisons of fleets - on a thread of its own, one
/// after the other, so that neither the control machine nor Swift's few threads stand still for it.
final class Workbench: Sendable {
  private let queue = DispatchQueue(label: "atlas.workbench", qos: .utility)
  private let waiting = Atomic<Int>(0)

  /// - Throws: RESOURCE_EXHAUSTED while ``Limits/waitingWork`` others wait: each of them keeps a
  ///   copy of the state alive.
  func work<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value
  ) async throws(WireStatus) -> Value {
    defer { waiting.subtract(1, ordering: .relaxed) }
    guard waiting.add(1, ordering: .relaxed).newValue <= Limits.waitingWork else {
      throw WireStatus(
        .resourceExhausted, "too many plans, reports and imports wait already",
        reason: "OVERLOADED", retryDelay: .seconds(1))
    }
    let caller = Caller()
    let result: Value? = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async { continuation.resume(returning: caller.isThere ? body() : nil) }
      }
    } onCancel: {
      caller.leave()
    }
    guard let result else { throw WireStatus(.cancelled, "the caller has gone") }
    return result
  }

  /// Who waits for a piece of work; nothing is begun for one who has gone.
  private final class Caller: Sendable {
    private let hasLeft = Atomic<Bool>(false)
    var isThere: Bool { !hasLeft.load(ordering: .relaxed) }
    func leave() { hasLeft.store(true, ordering: .relaxed) }
  }
}

import Dispatch

/// Works out what takes long - plans, reports, comparisons of fleets - on a thread of its own, one
/// after the other, so that neither the control machine nor Swift's few threads stand still for it.
struct Workbench: Sendable {
  private let queue = DispatchQueue(label: "atlas.workbench", qos: .utility)

  func work<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: body()) }
    }
  }

  /// The same for work that fails with a typed error.
  func work<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await work {
      do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

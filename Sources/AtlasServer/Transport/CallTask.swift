import GRPCCore

/// The call was cancelled: by its client, its deadline, or because the daemon goes down.
struct CallCancelled: Error {}

/// Runs `body` in a task that is cancelled when the call is.
///
/// gRPC itself only raises a flag: a handler that waits for something else, such as the next change
/// for a watcher who has left, would wait for ever.
///
/// - Parameter heeds: asked when the call is cancelled; false leaves the task alone.
/// - Throws: what `body` throws, or ``CallCancelled``; in both cases `body` has ended.
func cancelledWithCall<Result: Sendable>(
  heeds: @escaping @Sendable () -> Bool = { true },
  _ body: @Sendable () async throws -> Result
) async throws -> Result {
  let hasFinished = OneShot<Bool>()
  return try await withRPCCancellationHandler {
    async let result = {
      defer { hasFinished.set(true) }
      return try await body()
    }()
    // Leaving this scope before the result is there cancels its task and waits for it.
    guard await hasFinished.value() else { throw CallCancelled() }
    return try await result
  } onCancelRPC: {
    if heeds() { hasFinished.set(false) }
  }
}

import Synchronization

/// Wakes those who follow the log when it has grown.
package final class LogTail: Sendable {
  private let state: Mutex<State>

  private struct State {
    var position: UInt64
    var isClosed = false
    var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var nextNumber: UInt64 = 0
  }

  package init(position: UInt64) {
    state = Mutex(State(position: position))
  }

  package var position: UInt64 { state.withLock { $0.position } }

  /// Returns once the log is longer than `position`, the tail is closed, or the task is
  /// cancelled.
  /// - Returns: whether there is more, or may be.
  package func grown(beyond position: UInt64) async -> Bool {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          let isReady = state.position > position || state.isClosed || Task.isCancelled
          if !isReady { state.waiting[number] = continuation }
          return isReady
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
    }
    return state.withLock { !$0.isClosed } && !Task.isCancelled
  }

  func grow(to position: UInt64) {
    wakeAll { $0.position = max($0.position, position) }
  }

  func close() {
    wakeAll { $0.isClosed = true }
  }

  private func wakeAll(_ change: (inout State) -> Void) {
    let waiting = state.withLock { state in
      change(&state)
      defer { state.waiting = [:] }
      return state.waiting
    }
    for continuation in waiting.values { continuation.resume() }
  }
}

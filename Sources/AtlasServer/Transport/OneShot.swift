import Synchronization

/// Set once, by whoever comes first; one task waits for it.
///
/// The wait heeds no cancellation: whoever can be cancelled says what that sets.
final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    /// → waiting, set
    case empty
    /// → set
    case waiting(CheckedContinuation<Value, Never>)
    case set(Value)
  }

  private let state = Mutex(State.empty)

  /// The value, if it is set.
  var current: Value? {
    state.withLock { state in
      guard case .set(let value) = state else { return nil }
      return value
    }
  }

  /// Sets the value; does nothing if it is set.
  func set(_ value: Value) {
    let waiter: CheckedContinuation<Value, Never>? = state.withLock { state in
      switch state {
      case .empty:
        state = .set(value)
        return nil
      case .waiting(let continuation):
        state = .set(value)
        return continuation
      case .set: return nil
      }
    }
    waiter?.resume(returning: value)
  }

  /// The value, once it is set.
  func value() async -> Value {
    await withCheckedContinuation { continuation in
      let value: Value? = state.withLock { state in
        switch state {
        case .empty:
          state = .waiting(continuation)
          return nil
        case .set(let value): return value
        case .waiting: preconditionFailure("only one task waits")
        }
      }
      if let value { continuation.resume(returning: value) }
    }
  }
}

extension OneShot where Value == Void {
  func set() { set(()) }
}

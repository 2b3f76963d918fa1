import Synchronization

/// How far a stream has come: across breaks of the connection.
final class StreamProgress: Sendable {
  private struct State {
    var hasDelivered = false
    var hasDeliveredSinceAsked = false
    var token: String
  }

  private let state: Mutex<State>

  /// - Parameter token: where to begin; empty for the beginning.
  init(token: String = "") {
    state = Mutex(State(token: token))
  }

  /// A message came; `token` is where to go on after it.
  func delivered(token: String = "") {
    state.withLock {
      $0.hasDelivered = true
      $0.hasDeliveredSinceAsked = true
      $0.token = token
    }
  }

  /// Where to go on.
  var token: String { state.withLock { $0.token } }

  /// Whether a message ever came.
  var hasDelivered: Bool { state.withLock { $0.hasDelivered } }

  /// Whether a message came since the last call.
  func takeDelivered() -> Bool {
    state.withLock { state in
      defer { state.hasDeliveredSinceAsked = false }
      return state.hasDeliveredSinceAsked
    }
  }
}

import NIOCore
import Synchronization

/// The connections of one listener, so that it can be ended in good order.
///
/// Order matters: a listener that is closed or cancelled while it still takes in a connection drops
/// it unfinished, and that is a trap in NIO (`NIOAsyncWriter`). So the listener first stops to
/// accept, and is closed when every connection that it took in has arrived.
final class OpenConnections: Sendable {
  private struct State {
    var isStopped = false
    /// Accepted, but not yet in the hands of the transport.
    var arriving: [ObjectIdentifier: any Channel] = [:]
    var open: [ObjectIdentifier: any Channel] = [:]
    var waiting: [Waiter] = []

    /// Takes out those whose wait is over.
    mutating func takeReady() -> [Waiter] {
      let isEmpty = open.isEmpty
      guard arriving.isEmpty, !waiting.isEmpty else { return [] }
      defer { waiting.removeAll { isEmpty || !$0.forAll } }
      return waiting.filter { isEmpty || !$0.forAll }
    }
  }

  private struct Waiter {
    /// For all connections to end, or for none to arrive any more.
    let forAll: Bool
    let continuation: CheckedContinuation<Void, Never>
  }

  private let state = Mutex(State())

  /// Takes in a connection.
  ///
  /// - Returns: false if the listener has stopped to accept; then close it.
  func accept(_ connection: any Channel) -> Bool {
    let isAccepted = state.withLock { state in
      if !state.isStopped { state.arriving[ObjectIdentifier(connection)] = connection }
      return !state.isStopped
    }
    if isAccepted { connection.closeFuture.whenComplete { _ in self.ended(connection) } }
    return isAccepted
  }

  /// The connection has become active, and so has passed through the listener.
  func arrived(_ connection: any Channel) {
    change { state in
      let id = ObjectIdentifier(connection)
      guard let channel = state.arriving.removeValue(forKey: id) else { return }
      state.open[id] = channel
    }
  }

  private func ended(_ connection: any Channel) {
    change { state in
      state.arriving[ObjectIdentifier(connection)] = nil
      state.open[ObjectIdentifier(connection)] = nil
    }
  }

  /// Accepts no more.
  func stop() { state.withLock { $0.isStopped = true } }

  /// Returns when no connection arrives any more. Call it after ``stop()``.
  func settle() async { await wait(forAll: false) }

  /// Closes all connections; returns when they are closed. Call it after ``settle()``.
  func closeAll() async {
    let connections = state.withLock { Array($0.arriving.values) + Array($0.open.values) }
    for connection in connections { connection.close(promise: nil) }
    await wait(forAll: true)
  }

  private func wait(forAll: Bool) async {
    await withCheckedContinuation { continuation in
      change { $0.waiting.append(Waiter(forAll: forAll, continuation: continuation)) }
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let ready = state.withLock { state in
      body(&state)
      return state.takeReady()
    }
    for waiter in ready { waiter.continuation.resume() }
  }
}

import AtlasControl
import AtlasModel
import Synchronization

/// What waits to be sent to one agent's session. Whoever sends never waits: an agent that reads
/// nothing is cut off, and gets what it missed from the outbox when it comes back.
package struct AgentChannel: Sendable {
  /// Messages in order; ends with the session. An end with a reason throws
  /// ``AgentSessionEnded``.
  package let messages: AsyncThrowingStream<DaemonMessage, any Error>
  private let continuation: AsyncThrowingStream<DaemonMessage, any Error>.Continuation

  init() {
    (messages, continuation) = AsyncThrowingStream.makeStream(
      bufferingPolicy: .bufferingOldest(Limits.waitingForAgent))
  }

  func send(_ message: DaemonMessage) {
    if case .dropped = continuation.yield(message) {
      end("it has not read the last \(Limits.waitingForAgent) messages")
    }
  }

  func end(_ reason: String) {
    continuation.finish(throwing: AgentSessionEnded(reason: reason))
  }
}

/// The daemon ends an agent's session, and says why.
package struct AgentSessionEnded: Error, Hashable, Sendable {
  package let reason: String
}

/// The sessions that are open now.
final class AgentChannels: Sendable {
  private let channels = Mutex<[SessionID: AgentChannel]>([:])

  func open(_ session: SessionID) -> AgentChannel {
    let channel = AgentChannel()
    channels.withLock { $0[session] = channel }
    return channel
  }

  func send(_ message: DaemonMessage, to session: SessionID) {
    channels.withLock { $0[session] }?.send(message)
  }

  func end(_ session: SessionID, reason: String) {
    channels.withLock { $0.removeValue(forKey: session) }?.end(reason)
  }

  func endAll(reason: String) {
    let all = channels.withLock { channels in
      defer { channels = [:] }
      return channels
    }
    for channel in all.values { channel.end(reason) }
  }

  func forget(_ session: SessionID) {
    _ = channels.withLock { $0.removeValue(forKey: session) }
  }

  var count: Int { channels.withLock { $0.count } }
}

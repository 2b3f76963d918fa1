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
  private struct Channel {
    var channel: AgentChannel
    var server: ServerName
    var isWelcomed = false
  }

  private struct Channels {
    var all: [SessionID: Channel] = [:]
    /// The newest session of each server.
    var newest: [ServerName: SessionID] = [:]

    mutating func remove(_ session: SessionID) -> AgentChannel? {
      guard let removed = all.removeValue(forKey: session) else { return nil }
      if newest[removed.server] == session { newest[removed.server] = nil }
      return removed.channel
    }
  }

  private let channels = Mutex(Channels())

  func open(_ session: SessionID, of server: ServerName) -> AgentChannel {
    let channel = AgentChannel()
    channels.withLock { channels in
      channels.all[session] = Channel(channel: channel, server: server)
    }
    return channel
  }

  /// The session of a server that has been welcomed; an agent hears nothing before that.
  func session(of server: ServerName) -> SessionID? { channels.withLock { $0.newest[server] } }

  func send(_ message: DaemonMessage, to session: SessionID) {
    let channel: AgentChannel? = channels.withLock { channels in
      guard var known = channels.all[session] else { return nil }
      if case .welcome = message, !known.isWelcomed {
        known.isWelcomed = true
        channels.all[session] = known
        channels.newest[known.server] = session
      }
      return known.channel
    }
    channel?.send(message)
  }

  func end(_ session: SessionID, reason: String) {
    channels.withLock { $0.remove(session) }?.end(reason)
  }

  func endAll(reason: String) {
    let all = channels.withLock { channels in
      defer { channels = Channels() }
      return channels.all.values.map(\.channel)
    }
    for channel in all { channel.end(reason) }
  }

  func forget(_ session: SessionID) {
    _ = channels.withLock { $0.remove(session) }
  }

  var count: Int { channels.withLock { $0.all.count } }
}

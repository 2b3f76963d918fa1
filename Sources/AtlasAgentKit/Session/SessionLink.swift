import AtlasModel

/// The host's end of one session: what goes out, and the means to break it.
package final class SessionLink: Sendable {
  /// Index of the agent in its host.
  package let agent: Int
  /// Tells this session from the agent's earlier and later ones.
  package let generation: UInt32
  let outbound: AsyncThrowingStream<AgentMessage, any Error>
  private let continuation: AsyncThrowingStream<AgentMessage, any Error>.Continuation

  init(agent: Int, generation: UInt32) {
    self.agent = agent
    self.generation = generation
    (outbound, continuation) = AsyncThrowingStream.makeStream(
      bufferingPolicy: .bufferingOldest(KitLimits.waitingForDaemon))
  }

  /// Sends after everything sent before; breaks the session when the daemon does not read.
  func send(_ message: AgentMessage) {
    if case .dropped = continuation.yield(message) { abort() }
  }

  /// Breaks the session: the daemon sees its stream reset.
  func abort() { continuation.finish(throwing: SessionAborted()) }
}

/// The agent's side broke the session.
struct SessionAborted: Error {}

/// What a session tells its host.
package enum SessionEvent: Sendable {
  /// The stream is open; nothing was sent.
  case opened
  case message(DaemonMessage)
  /// It is over, and why, for people.
  case ended(reason: String)
}

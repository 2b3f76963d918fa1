import Dispatch

/// Puts a host on its thread and its sessions on the network.
final class HostRunner<Driver: ServerDriver>: Sendable {
  private let mailbox = Mailbox<AgentHost<Driver>.Post>()
  private let pool: SessionPool

  init(
    address: DaemonAddress, connections: Int, security: SessionSecurity = .plaintext
  ) throws {
    let mailbox = mailbox
    pool = try SessionPool(address: address, connections: connections, security: security) {
      let waiting = mailbox.post(
        .session(agent: $0.agent, generation: $0.generation, $1))
      // A daemon that talks faster than the disk writes is interrupted; nothing gets lost by it.
      if waiting > KitLimits.waitingForHost { $0.abort() }
    }
  }

  /// Runs `life` on a thread of its own, and sessions as long as it lasts. It makes the host and
  /// runs it, with the mailbox and the way to open sessions that it is given.
  func run<Value: Sendable>(
    _ life:
      @escaping @Sendable (
        Mailbox<AgentHost<Driver>.Post>, @escaping (SessionLink) -> Void
      ) throws -> Value
  ) async throws -> Value {
    let (mailbox, pool) = (mailbox, pool)
    async let sessions: Void = pool.run()
    let outcome = await withCheckedContinuation { continuation in
      DispatchQueue(label: "atlas.agents").async {
        continuation.resume(returning: Result { try life(mailbox) { pool.open($0) } })
      }
    }
    pool.shutDown()
    await sessions
    return try outcome.get()
  }

  /// Ends the host.
  func stop() { mailbox.post(.stop) }
}

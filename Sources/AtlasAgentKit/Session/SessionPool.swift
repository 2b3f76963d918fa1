import AtlasModel
import AtlasWire
import GRPCCore
import GRPCNIOTransportHTTP2

/// Opens sessions over a bounded number of HTTP/2 connections. Every session is a stream of its
/// own; a connection is shared by those whose agents have the same number, modulo the connections.
package final class SessionPool: Sendable {
  package typealias Transport = HTTP2ClientTransport.Posix

  private let clients: [GRPCClient<Transport>]
  private let requests: AsyncStream<SessionLink>
  private let requested: AsyncStream<SessionLink>.Continuation
  private let deliver: @Sendable (SessionLink, SessionEvent) -> Void

  /// - Parameter deliver: Takes what happens in a session, in its order; must not block.
  package init(
    address: DaemonAddress, connections: Int, security: SessionSecurity = .plaintext,
    deliver: @escaping @Sendable (SessionLink, SessionEvent) -> Void
  ) throws {
    clients = try (0..<max(connections, 1)).map { _ in try address.makeClient(security) }
    (requests, requested) = AsyncStream.makeStream()
    self.deliver = deliver
  }

  /// Asks for the session of `link`; what becomes of it is delivered.
  package func open(_ link: SessionLink) { requested.yield(link) }

  /// Serves sessions until ``shutDown()`` or cancellation.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for client in clients {
        group.addTask { try? await client.runConnections() }
      }
      await withDiscardingTaskGroup { sessions in
        for await link in requests {
          sessions.addTask { await self.serve(link) }
        }
        sessions.cancelAll()
      }
      for client in clients { client.beginGracefulShutdown() }
    }
  }

  package func shutDown() { requested.finish() }

  private func serve(_ link: SessionLink) async {
    let service = AtlasV1.AgentService.Client(wrapping: clients[link.agent % clients.count])
    let deliver = deliver
    do {
      try await service.session { writer in
        deliver(link, .opened)
        for try await message in link.outbound {
          try await writer.write(AtlasV1.SessionRequest(message))
        }
      } receive: { responses in
        for try await response in responses {
          deliver(link, .message(try DaemonMessage(response)))
        }
      }
      deliver(link, .ended(reason: "the daemon closed the session"))
    } catch {
      deliver(link, .ended(reason: SessionPool.words(for: error)))
    }
  }

  private static func words(for error: any Error) -> String {
    guard let error = error as? RPCError else { return String(describing: error) }
    return error.message.isEmpty ? String(describing: error.code) : error.message
  }
}

import AtlasControl
import AtlasModel
import AtlasRuntime
import AtlasWire
import GRPCCore

/// `atlas.v1.AgentService`: one session for every agent, from its Hello to its end.
package struct AgentSessions: AtlasV1.AgentService.Server {
  private let core: ServiceCore

  package init(_ core: ServiceCore) { self.core = core }

  package func session(
    _ requests: RPCAsyncSequence<AtlasV1.SessionRequest, any Error>,
    responses: RPCWriter<AtlasV1.SessionResponse>, context: ServerContext
  ) async throws {
    let (opened, open) = AsyncStream<AgentChannel>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await receive(requests) { open.yield($0) } }
      group.addTask {
        for await channel in opened { try await Self.send(channel, to: responses) }
      }
      // The agent closes its half, or the daemon ends the session: either is the end of both.
      try await group.next()
      group.cancelAll()
    }
  }

  /// Takes what the agent says, from its Hello to its end.
  private func receive(
    _ requests: RPCAsyncSequence<AtlasV1.SessionRequest, any Error>,
    opened: (AgentChannel) -> Void
  ) async throws {
    var session: SessionID?
    defer { if let session { core.pump.closeSession(session) } }
    for try await request in requests {
      let message = try Self.read(request)
      if let session {
        core.pump.received(message, from: session)
      } else if case .hello(let hello) = message {
        let (new, channel) = core.pump.openSession(hello)
        session = new
        opened(channel)
      } else {
        break
      }
    }
    guard session != nil else {
      throw WireStatus(.invalidArgument, "a session begins with Hello", reason: "NO_HELLO")
    }
  }

  private static func send(
    _ channel: AgentChannel, to responses: RPCWriter<AtlasV1.SessionResponse>
  ) async throws {
    do {
      for try await message in channel.messages {
        try await responses.write(AtlasV1.SessionResponse(message))
      }
    } catch let end as AgentSessionEnded {
      throw WireStatus(.unavailable, end.reason, reason: "SESSION_ENDED")
    }
  }

  private static func read(_ request: AtlasV1.SessionRequest) throws(WireStatus) -> AgentMessage {
    do { return try AgentMessage(request) } catch { throw WireStatus(error) }
  }

  package func report(
    _ request: AtlasV1.ReportRequest, context: ServerContext
  ) async throws -> AtlasV1.ReportResponse {
    let server: ServerName = try Field.name(request.server, "server")
    var reports: [CommandReport] = []
    for wire in request.reports {
      do { reports.append(try CommandReport(wire)) } catch { throw WireStatus(error) }
    }
    try await core.report(reports, from: server)
    return AtlasV1.ReportResponse(
      acks: reports.map { AtlasV1.ReportAck(fence: $0.fence.number, seq: $0.seq) })
  }
}

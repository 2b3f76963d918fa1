import AtlasWire
import GRPCCore
import Testing

@testable import AtlasServer

/// Real sockets. Time is measured by what happens, never by a clock: a raw peer that is cut off has
/// been silent for as long as the server allows.
@Suite(.timeLimit(.minutes(10))) struct TransportServerTests {
  typealias Health = GRPCHealthV1.Health

  @Test func `a peer that connects and says nothing is closed`() async throws {
    let timing = TransportTiming.patient.with { $0.handshake = .milliseconds(100) }
    try await TestServer(timing: timing).run { server in
      try await RawPeer.connect(to: server.port).closed()
      #expect(server.connections.figures.closedInHandshake == 1)
    }
  }

  @Test func `a peer that says half of the preface is closed`() async throws {
    let timing = TransportTiming.patient.with { $0.handshake = .milliseconds(100) }
    try await TestServer(timing: timing).run { server in
      let peer = try await RawPeer.connect(to: server.port)
      await peer.say(Array("PRI * HT".utf8))
      try await peer.closed()
      #expect(server.connections.figures.closedInHandshake == 1)
    }
  }

  /// Everybody is silent for as long as the server bears from a peer that does not answer its
  /// pings: a minute in production, and here as little as a busy machine lets a client answer in.
  @Test func `a silent agent and a silent watcher live, a mute peer does not`() async throws {
    let timing = TransportTiming.patient.with {
      $0.handshake = .seconds(10)
      $0.silence = .seconds(10)
      $0.pingAfter = .milliseconds(250)
    }
    try await TestServer([EchoingSessions()], timing: timing).run { server in
      let welcomed = Signal()
      let goOn = Signal()
      try await server.withClient { agent in
        try await server.withClient { watcher in
          async let welcomes = Self.quietSession(agent, welcomed: welcomed, goOn: goOn)
          let statuses = try await Self.statuses(watcher) {
            await welcomed.wait()
            try await Self.outlastMutePeers(of: server)
            goOn.raise()
            server.health.set(.serving)
          }
          #expect(statuses == [.notServing, .serving])
          let count = try await welcomes
          #expect(count == 2)
        }
      }
      #expect(server.connections.figures.closedSilent == 1)
      #expect(server.connections.figures.closedInHandshake == 1)
      // One connection each for agent and watcher, from their first to their last word.
      #expect(server.connections.figures.accepted == 4)
    }
  }

  /// Returns when a peer that greeted and one that did not have been closed.
  private static func outlastMutePeers(of server: TestServer) async throws {
    let mute = try await RawPeer.connect(to: server.port)
    let greeted = try await RawPeer.connect(to: server.port)
    await greeted.say(RawPeer.greeting)
    try await mute.closed()
    try await greeted.closed()
  }

  /// An agent that says Hello, then nothing until `goOn`, then Hello again.
  ///
  /// - Returns: how many answers it got.
  private static func quietSession(
    _ client: TestClient, welcomed: Signal, goOn: Signal
  ) async throws -> Int {
    let agent = AtlasV1.AgentService.Client(wrapping: client)
    return try await agent.session { requests in
      try await requests.write(.init(payload: .hello(.init())))
      await goOn.wait()
      try await requests.write(.init(payload: .hello(.init())))
    } receive: { responses in
      // Whatever goes wrong, nobody waits for ever.
      defer { welcomed.raise() }
      return try await responses.reduce(into: 0) { count, _ in
        count += 1
        welcomed.raise()
      }
    }
  }

  /// The first two statuses that a watcher sees; `between` happens between them.
  private static func statuses(
    _ client: TestClient, between: @escaping @Sendable () async throws -> Void
  ) async throws -> [HealthService.Status] {
    try await Health.Client(wrapping: client).watch(.init()) { responses in
      var statuses = [HealthService.Status]()
      for try await response in responses {
        statuses.append(response.status)
        if statuses.count == 2 { break }
        try await between()
      }
      return statuses
    }
  }

  @Test func `connections beyond the cap are closed, and those before are not`() async throws {
    let ledger = ConnectionLedger(caps: ConnectionCaps(loopback: 2))
    let server = try TestServer(connections: ledger)
    try await server.run { server in
      let peers = [
        try await RawPeer.connect(to: server.port), try await RawPeer.connect(to: server.port),
      ]
      for peer in peers {
        await peer.say(RawPeer.greeting)
        await peer.heard()
      }
      try await RawPeer.connect(to: server.port).closed()
      #expect(ledger.figures.refusedFull == 1)
      #expect(ledger.figures.openLoopback == 2)
      #expect(server.log.entries.contains { $0.message == "refused connections" })
    }
  }

  @Test func `an address in use is an error in words`() async throws {
    try await TestServer().run { first in
      let port = try await first.port
      let second = try TestServer(listen: ListenConfiguration(host: "127.0.0.1", port: port))
      let error = await #expect(throws: ListenError.self) { try await second.server.run() }
      #expect(
        error?.description == "cannot listen on 127.0.0.1:\(port): Address already in use")
    }
  }

  @Test func `a message too big for the transport ends its call only`() async throws {
    try await TestServer().run { server in
      server.health.set(.serving)
      try await server.withClient { client in
        let health = Health.Client(wrapping: client)
        let long = String(repeating: "x", count: TransportLimits.messageBytes)
        await #expect(throws: RPCError.self) { try await health.check(.init(service: long)) }
        let medium = String(repeating: "x", count: WireLimits.standard.messageBytes)
        let error = await #expect(throws: RPCError.self) {
          try await health.check(.init(service: medium))
        }
        #expect(error?.code == .resourceExhausted)
        let status = try await health.check(.init()).status
        #expect(status == .serving)
      }
      #expect(server.connections.figures.accepted == 1)
    }
  }

  @Test func `more streams than the usual hundred run on one connection`() async throws {
    let streams = 110
    try await TestServer().run { server in
      try await server.withClient { client in
        let health = Health.Client(wrapping: client)
        let opened = Signal()
        await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<streams {
            group.addTask {
              try await health.watch(.init()) { responses in
                for try await _ in responses { opened.raise() }
              }
            }
          }
          for _ in 0..<streams { await opened.wait() }
          #expect(server.calls.figures.open == streams)
          group.cancelAll()
        }
      }
      #expect(server.connections.figures.accepted == 1)
    }
  }
}

import AtlasWire
import GRPCCore
import GRPCNIOTransportHTTP2
import Testing

@testable import AtlasServer

@Suite(.timeLimit(.minutes(10))) struct TransportTLSTests {
  private typealias Security = HTTP2ClientTransport.Posix.TransportSecurity

  private let certificates: TestCertificates

  init() throws { certificates = try TestCertificates() }

  private func server(
    clientAuthority: String? = nil, timing: TransportTiming = .patient
  ) throws -> TestServer {
    var tls = certificates.server
    tls.clientAuthority = clientAuthority
    let server = try TestServer(
      timing: timing, listen: ListenConfiguration(host: "127.0.0.1", port: 0, tls: tls))
    server.health.set(.serving)
    return server
  }

  private var trusting: Security {
    .tls { $0.trustRoots = .certificates([.file(path: certificates.authority, format: .pem)]) }
  }

  private var agent: Security {
    .mTLS(
      certificateChain: [.file(path: certificates.agent.certificateChain, format: .pem)],
      privateKey: .file(path: certificates.agent.privateKey, format: .pem)
    ) { $0.trustRoots = .certificates([.file(path: certificates.authority, format: .pem)]) }
  }

  private func check(
    _ server: TestServer, _ security: Security, timeout: Duration? = nil
  ) async throws -> HealthService.Status {
    try await server.withClient(security: security) { client in
      var options = CallOptions.defaults
      options.waitForReady = false
      options.timeout = timeout
      return try await GRPCHealthV1.Health.Client(wrapping: client)
        .check(.init(), options: options).status
    }
  }

  @Test func `with TLS the client knows whom it talks to`() async throws {
    try await server().run { server in
      let status = try await check(server, trusting)
      #expect(status == .serving)
    }
  }

  @Test func `a client that trusts others only is not served`() async throws {
    try await server().run { server in
      await #expect(throws: RPCError.self) { try await check(server, .tls) }
      #expect(server.calls.figures.finished == [])
    }
  }

  @Test func `with an authority for clients only those that it signed get in`() async throws {
    try await server(clientAuthority: certificates.authority).run { server in
      let status = try await check(server, agent)
      #expect(status == .serving)
      // In TLS 1.3 a client believes it is connected before the server has looked at it, and tries
      // again and again.
      await #expect(throws: RPCError.self) {
        try await check(server, trusting, timeout: .seconds(1))
      }
      #expect(server.calls.figures.finished.map(\.count) == [1])
    }
  }

  @Test func `a handshake that stands still is given up`() async throws {
    let timing = TransportTiming.patient.with { $0.handshake = .milliseconds(100) }
    try await server(timing: timing).run { server in
      let peer = try await RawPeer.connect(to: server.port)
      // The first bytes of a ClientHello, and no more.
      await peer.say([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
      try await peer.closed()
      #expect(server.connections.figures.closedInHandshake == 1)
    }
  }
}

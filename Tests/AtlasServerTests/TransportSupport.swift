import AtlasWire
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import InMemoryLogging
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AtlasServer

typealias HTTP2Client = HTTP2ClientTransport.Posix
typealias TestClient = GRPCClient<HTTP2Client>

extension TransportTiming {
  /// So long that nothing ever happens because of it; tests shorten what they are about.
  static let patient = TransportTiming(
    handshake: .seconds(600), silence: .seconds(600), pingAfter: .seconds(600),
    pingAnswer: .seconds(600), clientPing: .seconds(5), goAway: .seconds(600),
    unaryDeadline: .seconds(600), longestDeadline: .seconds(3_600), shutdown: .seconds(600))

  func with(_ change: (inout TransportTiming) -> Void) -> TransportTiming {
    var timing = self
    change(&timing)
    return timing
  }
}

/// An `atlas.v1.MetricsService` that does what a test says.
struct ScriptedService: AtlasV1.MetricsService.Server {
  var unary: @Sendable () async throws -> Void = {}
  var stream: @Sendable (RPCWriter<AtlasV1.StreamMetricsResponse>) async throws -> Void = { _ in }

  func getMetrics(
    _ request: AtlasV1.GetMetricsRequest, context: ServerContext
  ) async throws -> AtlasV1.GetMetricsResponse {
    try await unary()
    return AtlasV1.GetMetricsResponse()
  }

  func streamMetrics(
    _ request: AtlasV1.StreamMetricsRequest,
    responses: RPCWriter<AtlasV1.StreamMetricsResponse>, context: ServerContext
  ) async throws {
    try await stream(responses)
  }
}

/// An `atlas.v1.AgentService` that welcomes an agent as often as it says something.
struct EchoingSessions: AtlasV1.AgentService.Server {
  func session(
    _ requests: RPCAsyncSequence<AtlasV1.SessionRequest, any Error>,
    responses: RPCWriter<AtlasV1.SessionResponse>, context: ServerContext
  ) async throws {
    for try await _ in requests { try await responses.write(.init(payload: .welcome(.init()))) }
  }

  func report(
    _ request: AtlasV1.ReportRequest, context: ServerContext
  ) async throws -> AtlasV1.ReportResponse { .init() }
}

/// A server of the API on loopback, and what it counted and logged.
struct TestServer: Sendable {
  let server: APIServer
  let health: HealthService
  let connections: ConnectionLedger
  let calls: CallLedger
  let log = InMemoryLogHandler()

  init(
    _ services: [any RegistrableRPCService] = [], timing: TransportTiming = .patient,
    listen: ListenConfiguration = ListenConfiguration(host: "127.0.0.1", port: 0),
    health: HealthService = HealthService(), connections: ConnectionLedger = ConnectionLedger(),
    calls: CallLedger = CallLedger()
  ) throws {
    self.health = health
    self.connections = connections
    self.calls = calls
    var log = log
    log.logLevel = .debug
    server = try APIServer(
      listen, services: services, health: health, connections: connections, calls: calls,
      timing: timing, user: { $0[stringValues: "atlas-user"].first { _ in true } ?? "nobody" },
      logger: Logger(label: "test") { [log] _ in log })
  }

  /// Runs it until `body` has ended.
  func run<Result: Sendable>(_ body: @Sendable (TestServer) async throws -> Result) async throws
    -> Result
  {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      let result = try await body(self)
      group.cancelAll()
      return result
    }
  }

  var port: Int {
    get async throws {
      let address = try await server.address
      return try #require(address.split(separator: ":").last.flatMap { Int($0) })
    }
  }

  /// Runs a client of it until `body` has ended.
  func withClient<Result: Sendable>(
    security: HTTP2ClientTransport.Posix.TransportSecurity = .plaintext,
    _ body: @Sendable (TestClient) async throws -> Result
  ) async throws -> Result {
    let transport = try await HTTP2ClientTransport.Posix(
      target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: security)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      let client = GRPCClient(transport: transport)
      group.addTask { try await client.runConnections() }
      let result = try await body(client)
      group.cancelAll()
      return result
    }
  }

  /// What was logged about finished calls.
  var callEntries: [InMemoryLogHandler.Entry] { log.entries.filter { $0.message == "call" } }

  /// The same, each as `method code user level`.
  var callLines: [String] {
    callEntries.map { entry in
      let words = ["method", "code", "user"].map { "\(entry.metadata[$0] ?? "?")" }
      return (words + ["\(entry.level)"]).joined(separator: " ")
    }
  }
}

/// Waits for something that another task brings about.
final class Signal: Sendable {
  private let (stream, continuation) = AsyncStream<Void>.makeStream()

  func raise() { continuation.yield() }

  /// - Returns: false if the task was cancelled first.
  @discardableResult
  func wait() async -> Bool {
    for await _ in stream { return true }
    return false
  }
}

/// Suspends until the task is cancelled, and throws then.
func forever() async throws {
  let (stream, continuation) = AsyncStream<Void>.makeStream()
  await withTaskCancellationHandler {
    for await _ in stream {}
  } onCancel: {
    continuation.finish()
  }
  throw CancellationError()
}

/// A TCP connection that says only what a test makes it say.
struct RawPeer: Sendable {
  private let channel: any Channel
  private let received: ReceivedBytes

  static func connect(to port: Int) async throws -> RawPeer {
    let received = ReceivedBytes()
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ReceivingHandler(received))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return RawPeer(channel: channel, received: received)
  }

  /// What a client of HTTP/2 says first: the preface and empty SETTINGS.
  static let greeting =
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

  /// Says something, if anybody still listens.
  func say(_ bytes: [UInt8]) async {
    try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  /// Returns when the connection has been closed.
  func closed() async throws { try await channel.closeFuture.get() }

  /// Returns when the server has said something.
  func heard() async { await received.first.wait() }

  func close() async throws { try await channel.close().get() }
}

final class ReceivedBytes: Sendable {
  let first = Signal()
}

private final class ReceivingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let received: ReceivedBytes

  init(_ received: ReceivedBytes) { self.received = received }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { received.first.raise() }
}

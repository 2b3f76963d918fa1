import AtlasWire
import Foundation
import GRPCCore
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import AtlasServer

private typealias Metrics = AtlasV1.MetricsService

@Suite(.timeLimit(.minutes(10))) struct TransportShutdownTests {
  @Test func `streams are told why they end`() async throws {
    let ended = Signal()
    let service = ScriptedService(stream: { responses in
      defer { ended.raise() }
      try await responses.write(.init())
      try await forever()
    })
    let server = try TestServer([service])
    try await withServing(server) { client in
      let error = await #expect(throws: RPCError.self) {
        try await Metrics.Client(wrapping: client).streamMetrics(.init()) { responses in
          for try await _ in responses { server.server.goDown() }
        }
      }
      #expect(error.map { WireStatus($0) } == Self.goingDown)
      await ended.wait()
    }
    #expect(
      server.callLines == ["atlas.v1.MetricsService/StreamMetrics UNAVAILABLE nobody info"])
  }

  @Test func `agents are told why their session ends`() async throws {
    let server = try TestServer([EchoingSessions()])
    let agentLeft = Signal()
    try await withServing(server) { client in
      let agent = AtlasV1.AgentService.Client(wrapping: client)
      let error = await #expect(throws: RPCError.self) {
        try await agent.session { requests in
          try await requests.write(.init(payload: .hello(.init())))
          await agentLeft.wait()
        } receive: { responses in
          defer { agentLeft.raise() }
          for try await _ in responses { server.server.goDown() }
        }
      }
      #expect(error.map { WireStatus($0) } == Self.goingDown)
    }
    #expect(server.callLines == ["atlas.v1.AgentService/Session UNAVAILABLE nobody debug"])
  }

  @Test func `unary calls finish`() async throws {
    let started = Signal()
    let release = Signal()
    let service = ScriptedService(unary: {
      started.raise()
      guard await release.wait() else { throw CancellationError() }
    })
    let server = try TestServer([service])
    try await withServing(server) { client in
      async let answer = Metrics.Client(wrapping: client).getMetrics(.init())
      await started.wait()
      server.server.goDown()
      release.raise()
      _ = try await answer
    }
    #expect(server.callLines == ["atlas.v1.MetricsService/GetMetrics OK nobody info"])
  }

  @Test func `nobody new gets in`() async throws {
    let started = Signal()
    let release = Signal()
    let service = ScriptedService(unary: {
      started.raise()
      await release.wait()
    })
    let server = try TestServer([service])
    try await withServing(server) { client in
      let port = try await server.port
      async let answer = Metrics.Client(wrapping: client).getMetrics(.init())
      await started.wait()
      server.server.goDown()
      #expect(server.calls.begin(always: true) == .goingDown)
      let error = await #expect(throws: (any Error).self) {
        // Until the socket is closed the kernel may still take connections; they are not served.
        while true { try await RawPeer.connect(to: port).closed() }
      }
      #expect(error != nil)
      release.raise()
      _ = try await answer
    }
  }

  @Test func `a call that does not end is cut off after a while`() async throws {
    let started = Signal()
    let ended = Signal()
    let service = ScriptedService(unary: {
      defer { ended.raise() }
      started.raise()
      try await forever()
    })
    let timing = TransportTiming.patient.with { $0.shutdown = .milliseconds(50) }
    let server = try TestServer([service], timing: timing)
    try await withServing(server) { client in
      let metrics = Metrics.Client(wrapping: client)
      async let answer = Result(catching: { try await metrics.getMetrics(.init()) })
      await started.wait()
      server.server.goDown()
      await ended.wait()
      let outcome = await answer
      #expect(throws: RPCError.self) { try outcome.get() }
    }
    #expect(server.log.entries.contains { $0.message == "calls are cut off" })
  }

  @Test func `a peer that says nothing does not hold it up`() async throws {
    let timing = TransportTiming.patient.with { $0.shutdown = .milliseconds(50) }
    let server = try TestServer(timing: timing)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.server.run() }
      let mute = try await RawPeer.connect(to: server.port)
      await mute.say(RawPeer.greeting)
      await mute.heard()
      server.server.goDown()
      try await mute.closed()
      try await group.waitForAll()
    }
    #expect(server.connections.figures.openLoopback == 0)
  }

  @Test func `health says so`() async throws {
    let server = try TestServer()
    server.health.set(.serving)
    server.server.goDown()
    server.health.set(.serving)
    let response = try await server.health.check(.init(), context: .unused)
    #expect(response.status == .notServing)
  }

  @Test func `who asks again does not wait for calls`() async throws {
    let started = Signal()
    let ended = Signal()
    let service = ScriptedService(unary: {
      defer { ended.raise() }
      started.raise()
      try await forever()
    })
    let server = try TestServer([service])
    try await withServing(server) { client in
      let metrics = Metrics.Client(wrapping: client)
      async let answer = Result(catching: { try await metrics.getMetrics(.init()) })
      await started.wait()
      server.server.goDown()
      server.server.cutOff()
      await ended.wait()
      let outcome = await answer
      #expect(throws: RPCError.self) { try outcome.get() }
    }
    #expect(server.log.entries.contains { $0.message == "calls are cut off" })
  }

  @Test func `told to go down before it begins, it does not begin`() async throws {
    let server = try TestServer()
    server.server.goDown()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.server.run() }
      _ = try? await server.server.address
      try await group.waitForAll()
    }
    #expect(server.calls.isGoingDown)
  }

  @Test func `a service group ends it before what its calls need`() async throws {
    let events = Mutex<[String]>([])
    let started = Signal()
    let release = Signal()
    let service = ScriptedService(unary: {
      started.raise()
      await release.wait()
      events.withLock { $0.append("the call has ended") }
    })
    let server = try TestServer([service])
    let store = Store { events.withLock { $0.append("the store is flushed") } }
    let group = ServiceGroup(
      configuration: .init(
        services: [store, server.server],
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await server.withClient { client in
        async let answer = Metrics.Client(wrapping: client).getMetrics(.init())
        await started.wait()
        await group.triggerGracefulShutdown()
        release.raise()
        _ = try await answer
      }
      try await tasks.waitForAll()
    }
    #expect(events.withLock { $0 } == ["the call has ended", "the store is flushed"])
  }

  /// What calls need: ends when its group says so.
  private struct Store: Service {
    let flush: @Sendable () -> Void

    func run() async throws {
      try await gracefulShutdown()
      flush()
    }
  }

  @Test func `every signal after the first is heard`() async throws {
    let heard = Signal()
    let signals = StopSignals([SIGUSR2]) { heard.raise() }
    let ready = Signal()
    signals.listen { ready.raise() }
    await ready.wait()
    for _ in 0..<2 {
      kill(getpid(), SIGUSR2)
      await heard.wait()
    }
    withExtendedLifetime(signals) {}
  }

  private static let goingDown = WireStatus(
    .unavailable, "the daemon is shutting down", reason: "SHUTTING_DOWN", retryDelay: .seconds(1))

  /// Runs the server until `body` has brought it down.
  private func withServing(
    _ server: TestServer, _ body: @Sendable (TestClient) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.server.run() }
      try await server.withClient { try await body($0) }
      try await group.waitForAll()
    }
  }
}

extension Result where Failure == any Error {
  /// What `body` returns or throws.
  init(catching body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

extension ServerContext {
  /// For services that look at nothing in it.
  static var unused: ServerContext {
    ServerContext(
      descriptor: GRPCHealthV1.Health.Method.check, remotePeer: "", localPeer: "",
      cancellation: .init())
  }
}

import AtlasWire
import GRPCCore
import Testing

@testable import AtlasServer

private typealias Metrics = AtlasV1.MetricsService

@Suite(.timeLimit(.minutes(10))) struct TransportCallTests {
  private let unary = "atlas.v1.MetricsService/GetMetrics"
  private let stream = "atlas.v1.MetricsService/StreamMetrics"

  private func run(
    _ service: ScriptedService, timing: TransportTiming = .patient,
    calls: CallLedger = CallLedger(),
    _ body: @Sendable (TestServer, Metrics.Client<HTTP2Client>) async throws -> Void
  ) async throws -> TestServer {
    try await TestServer([service], timing: timing, calls: calls).run { server in
      try await server.withClient { client in
        try await body(server, Metrics.Client(wrapping: client))
      }
      return server
    }
  }

  // MARK: Deadlines

  @Test func `a unary call without a deadline gets the server's`() async throws {
    let timing = TransportTiming.patient.with { $0.unaryDeadline = .milliseconds(50) }
    let server = try await run(ScriptedService(unary: forever), timing: timing) { _, client in
      let error = await #expect(throws: RPCError.self) { try await client.getMetrics(.init()) }
      #expect(error?.code == .deadlineExceeded)
      #expect(error.map { WireStatus($0).reason } == "DEADLINE")
    }
    #expect(server.callLines == ["\(unary) DEADLINE_EXCEEDED nobody info"])
  }

  @Test func `a unary call with a deadline gets that one, within reason`() async throws {
    let timing = TransportTiming.patient.with {
      $0.unaryDeadline = .zero
      $0.longestDeadline = .milliseconds(50)
    }
    let ended = Signal()
    let service = ScriptedService(unary: {
      defer { ended.raise() }
      try await forever()
    })
    let server = try await run(service, timing: timing) { _, client in
      var options = CallOptions.defaults
      options.timeout = .seconds(600)
      let error = await #expect(throws: RPCError.self) {
        try await client.getMetrics(.init(), options: options)
      }
      #expect(error?.code == .deadlineExceeded)
      #expect(error?.message == "the call took longer than 0.05 seconds")
      await ended.wait()
    }
    #expect(server.callLines == ["\(unary) DEADLINE_EXCEEDED nobody info"])
  }

  @Test func `a stream has no deadline`() async throws {
    let timing = TransportTiming.patient.with { $0.unaryDeadline = .zero }
    let service = ScriptedService(stream: { try await $0.write(.init(snapshot: true)) })
    let server = try await run(service, timing: timing) { _, client in
      let responses = try await client.streamMetrics(.init()) { responses in
        try await responses.reduce(into: [AtlasV1.StreamMetricsResponse]()) { $0.append($1) }
      }
      #expect(responses == [AtlasV1.StreamMetricsResponse(snapshot: true)])
    }
    #expect(server.callLines == ["\(stream) OK nobody info"])
  }

  @Test(arguments: [
    ("30S", Duration.seconds(30)), ("1H", .seconds(3_600)), ("2M", .seconds(120)),
    ("15m", .milliseconds(15)), ("7u", .microseconds(7)), ("99999999n", .nanoseconds(99_999_999)),
    ("", nil), ("S", nil), ("30", nil), ("30s", nil), ("-1S", nil), ("+1S", nil),
    ("999999999S", nil), ("1 S", nil), ("٣S", nil),
  ])
  func `a deadline is read as gRPC writes it`(text: String, expected: Duration?) {
    #expect(CallDeadline.asked(in: ["grpc-timeout": .string(text)]) == expected)
    #expect(CallDeadline.asked(in: [:]) == nil)
  }

  // MARK: Ends

  @Test func `a handler that waits for something else ends when its client leaves`() async throws {
    let ended = Signal()
    let service = ScriptedService(stream: { responses in
      defer { ended.raise() }
      try await responses.write(.init())
      try await forever()
    })
    let server = try await run(service) { server, client in
      try await client.streamMetrics(.init()) { responses in
        for try await _ in responses { break }
      }
      await ended.wait()
    }
    #expect(server.callLines == ["\(stream) CANCELLED nobody info"])
    #expect(server.calls.figures.open == 0)
  }

  @Test func `an error of a service reaches the client with its details`() async throws {
    let refusal = WireStatus(
      .failedPrecondition, "the run is not held", reason: "RUN_NOT_HELD",
      metadata: ["run": "LAA-PARIS-DC01"])
    let service = ScriptedService(unary: { throw refusal }, stream: { _ in throw refusal })
    let server = try await run(service) { _, client in
      let first = await #expect(throws: RPCError.self) { try await client.getMetrics(.init()) }
      let second = await #expect(throws: RPCError.self) {
        try await client.streamMetrics(.init()) { responses in
          for try await _ in responses {}
        }
      }
      #expect([first, second].map { $0.map { WireStatus($0) } } == [refusal, refusal])
    }
    #expect(
      server.callLines == [
        "\(unary) FAILED_PRECONDITION nobody info", "\(stream) FAILED_PRECONDITION nobody info",
      ])
  }

  @Test func `what a service should not throw is for the log, not for the client`() async throws {
    struct Mistake: Error {}
    let service = ScriptedService(unary: { throw Mistake() }, stream: { _ in throw Mistake() })
    let server = try await run(service) { _, client in
      let error = await #expect(throws: RPCError.self) { try await client.getMetrics(.init()) }
      #expect(error?.code == .internalError)
      #expect(error?.message == "the daemon made a mistake; its log says more")
      await #expect(throws: RPCError.self) {
        try await client.streamMetrics(.init()) { responses in
          for try await _ in responses {}
        }
      }
    }
    #expect(
      server.callLines == ["\(unary) INTERNAL nobody error", "\(stream) INTERNAL nobody error"])
    #expect(server.callEntries.map(\.metadata["error"]) == ["Mistake()", "Mistake()"])
  }

  // MARK: The log and the count

  @Test func `every call leaves one line, without its content`() async throws {
    let server = try await run(ScriptedService()) { _, client in
      _ = try await client.getMetrics(
        .init(campaign: "winter"), metadata: ["atlas-user": "maria"])
    }
    let line = try #require(server.callEntries.first)
    #expect(Set(line.metadata.keys) == ["method", "code", "duration_ms", "peer", "user"])
    #expect(server.callLines == ["\(unary) OK maria info"])
    #expect("\(line.metadata["peer"] ?? "")".hasPrefix("ipv4:127.0.0.1:"))
    #expect(Int("\(line.metadata["duration_ms"] ?? "")") != nil)
  }

  @Test func `calls are counted by method and end`() async throws {
    struct Odd: Error {}
    let service = ScriptedService(stream: { _ in throw WireStatus(.notFound, "gone") })
    let server = try await run(service) { _, client in
      for _ in 0..<3 { _ = try await client.getMetrics(.init()) }
      for _ in 0..<2 {
        await #expect(throws: RPCError.self) {
          try await client.streamMetrics(.init()) { for try await _ in $0 {} }
        }
      }
    }
    let finished = server.calls.figures.finished
    #expect(finished.map(\.method) == [unary, stream])
    #expect(finished.map(\.code) == ["OK", "NOT_FOUND"])
    #expect(finished.map(\.count) == [3, 2])
    #expect(server.calls.figures.open == 0)
  }

  @Test func `more calls than there may be are refused, but not the emergency stop`() async throws {
    let release = Signal()
    let started = Signal()
    let service = ScriptedService(unary: {
      started.raise()
      await release.wait()
    })
    let calls = CallLedger(cap: 1)
    let server = try TestServer([service, StopService()], calls: calls)
    try await server.run { server in
      try await server.withClient { client in
        let metrics = Metrics.Client(wrapping: client)
        async let first = metrics.getMetrics(.init())
        await started.wait()
        let error = await #expect(throws: RPCError.self) { try await metrics.getMetrics(.init()) }
        #expect(error?.code == .resourceExhausted)
        #expect(error.map { WireStatus($0).reason } == "OVERLOADED")
        let safety = AtlasV1.SafetyService.Client(wrapping: client)
        _ = try await safety.emergencyStop(.init())
        release.raise()
        _ = try await first
      }
    }
    #expect(calls.figures.refused == 1)
    #expect(calls.figures.open == 0)
  }

  /// Answers everything with nothing.
  private struct StopService: AtlasV1.SafetyService.Server {
    func emergencyStop(
      _ request: AtlasV1.EmergencyStopRequest, context: ServerContext
    ) async throws -> AtlasV1.EmergencyStopResponse { .init() }

    func releaseStop(
      _ request: AtlasV1.ReleaseStopRequest, context: ServerContext
    ) async throws -> AtlasV1.ReleaseStopResponse { .init() }

    func getStop(
      _ request: AtlasV1.GetStopRequest, context: ServerContext
    ) async throws -> AtlasV1.GetStopResponse { .init() }
  }
}

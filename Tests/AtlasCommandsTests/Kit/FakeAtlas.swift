import AtlasWire
import GRPCCore
import GRPCNIOTransportHTTP2
import Synchronization

/// A daemon in this process, served over real gRPC on a port of its own: it answers from a ``World``
/// that the test sets, notes every call, and fails when it is told to.
final class FakeAtlas: Sendable {
  /// One call that arrived.
  struct Call: Sendable, Hashable {
    /// Such as `StartCampaign`.
    var method: String
    /// Metadata `atlas-user`.
    var user: String
  }

  private struct State {
    var world: World
    var calls: [Call] = []
    /// Every message that arrived, oldest first.
    var requests: [any WireMessage] = []
    /// What the next calls of a method fail with.
    var failures: [String: [WireStatus]] = [:]
    /// Methods that never answer.
    var held: Set<String> = []
    var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
    var nextListener = 0
    /// Serving has ended: no stream waits any more.
    var isClosed = false
  }

  private let state: Mutex<State>

  init(_ world: World) { state = Mutex(State(world: world)) }

  // MARK: For tests

  var world: World { state.withLock { $0.world } }

  /// Changes the world, and wakes the streams.
  @discardableResult
  func change<Result>(_ change: (inout World) throws -> Result) rethrows -> Result {
    let (result, listeners) = try state.withLock { state in
      (try change(&state.world), Array(state.listeners.values))
    }
    for listener in listeners { listener.yield() }
    return result
  }

  /// The next call of `method` fails; several add up.
  func fail(_ method: String, _ status: WireStatus) {
    state.withLock { $0.failures[method, default: []].append(status) }
  }

  /// Calls of `method` get no answer.
  func hold(_ method: String) { state.withLock { _ = $0.held.insert(method) } }

  var calls: [Call] { state.withLock { $0.calls } }

  /// The requests of this type, oldest first.
  func requests<Request: WireMessage>(_: Request.Type) -> [Request] {
    state.withLock { $0.requests.compactMap { $0 as? Request } }
  }

  // MARK: For services

  func note(_ request: any WireMessage) { state.withLock { $0.requests.append(request) } }

  fileprivate func enter(_ call: Call) async throws {
    if state.withLock({ $0.held.contains(call.method) }) {
      // The end of serving ends it: the caller's deadline does not always.
      for await _ in changes() {}
    }
    let failure: WireStatus? = state.withLock { state in
      state.calls.append(call)
      guard var failures = state.failures[call.method], !failures.isEmpty else { return nil }
      defer { state.failures[call.method] = failures }
      return failures.removeFirst()
    }
    if let failure { throw failure.rpcError }
  }

  /// Wakes whenever the world has changed.
  func changes() -> AsyncStream<Void> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let id = state.withLock { state in
        state.nextListener += 1
        if !state.isClosed { state.listeners[state.nextListener] = continuation }
        return state.isClosed ? 0 : state.nextListener
      }
      if id == 0 { continuation.finish() }
      continuation.onTermination = { _ in
        self.state.withLock { $0.listeners[id] = nil }
      }
    }
  }

  // MARK: Serving

  /// Serves on a port of its own while `body` runs, which is told the address.
  func serve<Result: Sendable>(
    port: Int = 0, _ body: @Sendable (String) async throws -> Result
  ) async throws -> Result {
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext)
    let services: [any RegistrableRPCService] = [
      FakeCampaigns(atlas: self), FakeFleet(atlas: self), FakeSafety(atlas: self),
      FakeMetrics(atlas: self), FakeHooks(atlas: self), FakeAudit(atlas: self),
      FakeHealth(atlas: self), FakeReflection(),
    ]
    return try await withGRPCServer(
      transport: transport, services: services, interceptors: [Doorkeeper(atlas: self)]
    ) { server in
      let address = try await server.listeningAddress
      // A server ends when its calls have; these do not notice that nobody reads them any more.
      defer { close() }
      return try await body("127.0.0.1:\(address?.ipv4?.port ?? 0)")
    }
  }

  /// Ends every stream that waits for a change.
  private func close() {
    let listeners = state.withLock { state in
      state.isClosed = true
      return state.listeners.values
    }
    for listener in listeners { listener.finish() }
  }
}

/// Sees every call first.
private struct Doorkeeper: ServerInterceptor {
  let atlas: FakeAtlas

  func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next:
      @Sendable (StreamingServerRequest<Input>, ServerContext) async throws
      -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    let user = request.metadata[stringValues: "atlas-user"].first { _ in true }
    try await atlas.enter(.init(method: context.descriptor.method, user: user ?? ""))
    return try await next(request, context)
  }
}

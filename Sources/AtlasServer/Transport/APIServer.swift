import AtlasWire
import GRPCCore
import GRPCNIOTransportHTTP2
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The API of the daemon: listens, serves, and goes down in good order.
///
/// Put it last into the service group. The group ends services from the last to the first, so that
/// the calls which run now still find everything behind them.
package final class APIServer: Service {
  private let listen: ListenConfiguration
  private let server: GRPCServer<HTTP2ServerTransport.Posix>
  private let health: HealthService
  private let place: ConnectionPlace
  private let calls: CallLedger
  private let timing: TransportTiming
  private let logger: Logger
  /// It is to go down.
  private let down = OneShot<Void>()
  /// The calls have ended, or have had their time.
  private let graceOver = OneShot<Void>()
  /// How it ended, or nothing to add when it does not.
  private let over = OneShot<Result<Void, ListenError>>()

  /// A server that does not listen yet.
  ///
  /// - Parameters:
  ///   - services: those of the API. Health and reflection are added, and know them.
  ///   - health: set by the caller to what is true; set to NOT_SERVING when the server goes down.
  ///   - interceptors: run before ``RequestLimits``, which this adds.
  ///   - user: who calls, from what the client sent; for the log.
  /// - Throws: ``ListenError``.
  package init(
    _ listen: ListenConfiguration, services: [any RegistrableRPCService], health: HealthService,
    interceptors: [any ServerInterceptor] = [], connections: ConnectionLedger, calls: CallLedger,
    timing: TransportTiming = .standard, user: @escaping @Sendable (Metadata) -> String,
    logger: Logger
  ) throws(ListenError) {
    self.listen = listen
    self.health = health
    self.calls = calls
    self.timing = timing
    self.logger = logger
    place = ConnectionPlace(ledger: connections, logger: logger)
    let transport = try DaemonTransport.make(listen, timing: timing, place: place)
    let limits = RequestLimits(calls: calls, timing: timing, user: user, logger: logger)
    let router = Self.router(
      services: services, health: health, interceptors: interceptors + [limits])
    server = GRPCServer(transport: transport, router: router)
  }

  private static func router(
    services: [any RegistrableRPCService], health: HealthService,
    interceptors: [any ServerInterceptor]
  ) -> RPCRouter<HTTP2ServerTransport.Posix> {
    var router = RPCRouter<HTTP2ServerTransport.Posix>()
    for service in services { service.registerMethods(with: &router) }
    health.registerMethods(with: &router)
    let names =
      Set(router.methods.map(\.service.fullyQualifiedService)).union(ReflectionService.names)
    health.cover(names)
    let reflection = ReflectionService(services: names.sorted())
    reflection.registerMethods(with: &router)
    reflection.older.registerMethods(with: &router)
    router.registerInterceptors(pipeline: interceptors.map { .apply($0, to: .all) })
    return router
  }

  /// `HOST:PORT` that it listens on, once it does.
  ///
  /// - Throws: if it does not come to that, or is over.
  package var address: String {
    get async throws {
      let address = try await server.transport.listeningAddress
      if let v6 = address.ipv6 { return "[\(v6.host)]:\(v6.port)" }
      guard let v4 = address.ipv4 else { return listen.text }
      return "\(v4.host):\(v4.port)"
    }
  }

  /// Serves until it is told to go down, then waits for the calls that run, but not for long.
  /// Cancelled, it does not wait.
  ///
  /// - Throws: ``ListenError`` if it cannot listen.
  package func run() async throws {
    // No child: cancellation must not reach it before its connections have been closed.
    let serving = Task {
      over.set(await outcome)
      down.set()
      graceOver.set()
    }
    await withGracefulShutdownHandler {
      await withTaskCancellationHandler {
        await endInOrder(serving)
      } onCancel: {
        cutOff()
      }
    } onGracefulShutdown: {
      self.goDown()
    }
    try await over.value().get()
  }

  private var outcome: Result<Void, ListenError> {
    get async {
      do {
        return .success(try await server.serve())
      } catch {
        // Cut off, it may end with an error, which is no news.
        return calls.isGoingDown
          ? .success(()) : .failure(.failed(listen.text, reason: error.rootCause))
      }
    }
  }

  /// Begins to go down; ``run()`` returns when it is done. Health is NOT_SERVING, nobody new gets
  /// in, streams end with UNAVAILABLE, unary calls finish.
  package func goDown() {
    health.goDown()
    calls.goDown()
    place.open.stop()
    down.set()
  }

  /// Goes down without waiting for anybody: calls that still run are cut off.
  package func cutOff() {
    down.set()
    graceOver.set()
  }

  /// Waits until it is time, and ends `serving` in the order that ``OpenConnections`` asks for.
  private func endInOrder(_ serving: Task<Void, Never>) async {
    await down.value()
    goDown()
    // A server of gRPC that is told to end before it has begun never says where it listens, and
    // lets those who asked wait for ever.
    _ = try? await server.transport.listeningAddress
    await place.open.settle()
    // Asks every client to go away, and cancels every call; those know by now what it means.
    server.beginGracefulShutdown()
    await wait(for: graceOver, atMost: timing.shutdown) { [graceOver] in graceOver.set() }
    if over.current != nil { return }
    let open = calls.figures.open
    if open > 0 { logger.warning("calls are cut off", metadata: ["open": "\(open)"]) }
    await place.open.closeAll()
    serving.cancel()
    await wait(for: over, atMost: timing.shutdown) { [over] in over.set(.success(())) }
  }

  /// - Parameter set: sets `shot` when the time is over.
  private func wait<Value>(
    for shot: OneShot<Value>, atMost limit: Duration, set: @escaping @Sendable () -> Void
  ) async {
    let timer = MultiThreadedEventLoopGroup.singleton.any()
      .scheduleTask(in: TimeAmount(limit), set)
    defer { timer.cancel() }
    _ = await shot.value()
  }
}

import AtlasWire
import GRPCCore
import Synchronization

/// `grpc.health.v1.Health`: says whether the daemon serves, as a whole and service by service.
///
/// Starts with NOT_SERVING: the daemon says when it has loaded its state.
package final class HealthService: GRPCHealthV1.Health.Server {
  package typealias Status = GRPCHealthV1.HealthCheckResponse.ServingStatus

  private let board = Mutex(HealthBoard())

  package init() {}

  /// Sets the status of the daemon and all its services. After ``goDown()`` it stays as it is.
  package func set(_ status: Status) { board.withLock { $0.set(status) } }

  /// Sets the status of one service, by its full name.
  package func set(_ status: Status, for service: String) {
    board.withLock { $0.set(status, for: service) }
  }

  /// NOT_SERVING from here on.
  package func goDown() { board.withLock { $0.goDown() } }

  /// Adds services, by their full names, with the status of the whole daemon.
  func cover(_ services: some Sequence<String>) { board.withLock { $0.cover(services) } }

  package func check(
    _ request: GRPCHealthV1.HealthCheckRequest, context: ServerContext
  ) async throws -> GRPCHealthV1.HealthCheckResponse {
    guard let status = board.withLock({ $0.status(of: request.service) }) else {
      throw WireStatus(
        .notFound, "there is no service “\(request.service)”", reason: "NOT_FOUND",
        metadata: ["kind": "service", "name": request.service])
    }
    return GRPCHealthV1.HealthCheckResponse(status: status)
  }

  package func watch(
    _ request: GRPCHealthV1.HealthCheckRequest,
    responses: RPCWriter<GRPCHealthV1.HealthCheckResponse>, context: ServerContext
  ) async throws {
    let (watcher, statuses) = board.withLock { $0.watch(request.service) }
    defer { board.withLock { $0.unwatch(watcher) } }
    var last: Status?
    for await status in statuses where status != last {
      try await responses.write(GRPCHealthV1.HealthCheckResponse(status: status))
      last = status
    }
  }
}

/// The statuses, and who watches them.
private struct HealthBoard {
  typealias Status = HealthService.Status

  private struct Watcher {
    let service: String
    /// A slow watcher gets the newest status, not those in between.
    let statuses: AsyncStream<Status>.Continuation
  }

  /// By full service name; the empty one is the whole daemon.
  private var statuses: [String: Status] = ["": .notServing]
  private var watchers: [Int: Watcher] = [:]
  private var nextWatcher = 0
  private var isGoingDown = false

  func status(of service: String) -> Status? { statuses[service] }

  mutating func set(_ status: Status) {
    for service in statuses.keys { set(status, for: service) }
  }

  mutating func set(_ status: Status, for service: String) {
    if isGoingDown || statuses[service] == status { return }
    statuses[service] = status
    for watcher in watchers.values where watcher.service == service {
      watcher.statuses.yield(status)
    }
  }

  mutating func goDown() {
    set(.notServing)
    isGoingDown = true
  }

  mutating func cover(_ services: some Sequence<String>) {
    for service in services where statuses[service] == nil {
      set(statuses[""] ?? .notServing, for: service)
    }
  }

  /// A watcher of a service that is not there (yet) waits for it, as the protocol asks.
  mutating func watch(_ service: String) -> (watcher: Int, statuses: AsyncStream<Status>) {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Status.self, bufferingPolicy: .bufferingNewest(1))
    continuation.yield(statuses[service] ?? .serviceUnknown)
    nextWatcher += 1
    watchers[nextWatcher] = Watcher(service: service, statuses: continuation)
    return (nextWatcher, stream)
  }

  mutating func unwatch(_ watcher: Int) { watchers[watcher] = nil }
}

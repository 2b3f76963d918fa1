import AtlasModel
import AtlasWire
import GRPCCore
import GRPCNIOTransportHTTP2
import Synchronization

@testable import AtlasAgentKit

/// A daemon's ear and mouth, over real gRPC on loopback: welcomes, acknowledges reports, remembers
/// everything, and sends what a test tells it to.
final class FakeDaemon: AtlasV1.AgentService.Server, Sendable {
  /// What agents did, in order of arrival.
  enum Happening: Hashable, Sendable {
    case said(ServerName, AgentMessage)
    case left(ServerName)
  }

  private struct State {
    var sessions: [ServerName: (number: Int, send: AsyncStream<DaemonMessage>.Continuation)] = [:]
    var opened = 0
    var happenings: [Happening] = []
    var waiters: [Waiter] = []
    var isMute = false
    var stopFence = Fence.none
  }

  private struct Waiter {
    var isEnough: ([Happening]) -> Bool
    var continuation: CheckedContinuation<Void, Never>
  }

  private let state = Mutex(State())
  let factor: Int
  private let started = ContinuousClock.now
  private let onMessage: @Sendable (FakeDaemon, ServerName, AgentMessage) -> Void

  /// - Parameter onMessage: Also told of every message, in each session's order.
  init(
    factor: Int = 1_000,
    onMessage: @escaping @Sendable (FakeDaemon, ServerName, AgentMessage) -> Void = { _, _, _ in }
  ) {
    self.factor = factor
    self.onMessage = onMessage
  }

  var campaignTime: Instant {
    CampaignClock(
      campaignTime: Instant(milliseconds: 1_800_000_000_000), factor: factor, at: started
    ).instant(at: .now)
  }

  // MARK: For tests

  func send(_ message: DaemonMessage, to server: ServerName) {
    _ = state.withLock { $0.sessions[server]?.send.yield(message) }
  }

  func stopAll(_ fence: Fence) {
    state.withLock { state in
      state.stopFence = fence
      for session in state.sessions.values { session.send.yield(.stop(fence: fence)) }
    }
  }

  /// Ends the session of `server` from this side.
  func hangUp(_ server: ServerName) {
    state.withLock { $0.sessions[server]?.send.finish() }
  }

  /// From now on reports are not acknowledged.
  func mute(_ isMute: Bool) { state.withLock { $0.isMute = isMute } }

  var happenings: [Happening] { state.withLock { $0.happenings } }

  var connected: Int { state.withLock { $0.sessions.count } }

  /// Returns once what has happened is enough.
  func wait(until isEnough: @escaping @Sendable ([Happening]) -> Bool) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if isEnough(state.happenings) { return true }
        state.waiters.append(Waiter(isEnough: isEnough, continuation: continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// The result of `fence`, when it comes.
  func result(of fence: UInt64) async -> CommandResult? {
    await wait { happenings in happenings.contains { $0.result(of: fence) != nil } }
    return happenings.lazy.compactMap { $0.result(of: fence) }.first
  }

  /// Serves on a free port of loopback while `body` runs.
  @discardableResult
  func serve<Value: Sendable>(
    port: Int = 0, _ body: (DaemonAddress) async throws -> Value
  ) async throws -> Value {
    let server = GRPCServer(
      transport: HTTP2ServerTransport.Posix(
        address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext,
        config: .defaults { $0.http2.maxConcurrentStreams = 20_000 }),
      services: [self, FleetPages()])
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.serve() }
      defer { group.cancelAll() }
      let port = try await server.listeningAddress?.ipv4?.port
      guard let address = DaemonAddress("127.0.0.1:\(port ?? 0)") else {
        throw RPCError(code: .internalError, message: "no port")
      }
      return try await body(address)
    }
  }

  // MARK: The service

  func session(
    _ requests: RPCAsyncSequence<AtlasV1.SessionRequest, any Error>,
    responses: RPCWriter<AtlasV1.SessionResponse>, context: ServerContext
  ) async throws {
    let (outbound, send) = AsyncStream<DaemonMessage>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await message in outbound { try await responses.write(.init(message)) }
        throw RPCError(code: .aborted, message: "the daemon hangs up")
      }
      group.addTask { try await self.listen(to: requests, send) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func listen(
    to requests: RPCAsyncSequence<AtlasV1.SessionRequest, any Error>,
    _ send: AsyncStream<DaemonMessage>.Continuation
  ) async throws {
    var session: (server: ServerName, number: Int)?
    defer { if let session { left(session.server, number: session.number) } }
    for try await request in requests {
      let message = try AgentMessage(request)
      if case .hello(let hello) = message { session = (hello.server, welcome(hello, send)) }
      guard let session else { throw RPCError(code: .failedPrecondition, message: "no hello") }
      heard(message, from: session.server)
    }
  }

  private func welcome(
    _ hello: Hello, _ send: AsyncStream<DaemonMessage>.Continuation
  ) -> Int {
    let time = campaignTime
    return state.withLock { state in
      state.opened += 1
      state.sessions[hello.server] = (state.opened, send)
      send.yield(
        .welcome(
          Welcome(
            daemonVersion: "1.0.0", campaignTime: time, demoFactor: factor,
            checkInterval: .seconds(2), stopFence: state.stopFence)))
      return state.opened
    }
  }

  private func heard(_ message: AgentMessage, from server: ServerName) {
    let reports: [CommandReport] =
      switch message {
      case .hello(let hello): hello.reports
      case .report(let report): [report]
      case .acknowledgement, .probed: []
      }
    add(.said(server, message)) { state in
      guard !state.isMute else { return }
      for report in reports {
        state.sessions[server]?.send.yield(
          .reportAcknowledgement(fence: report.fence, seq: report.seq))
      }
    }
    onMessage(self, server, message)
  }

  private func left(_ server: ServerName, number: Int) {
    add(.left(server)) { state in
      if state.sessions[server]?.number == number { state.sessions[server] = nil }
    }
  }

  private func add(_ happening: Happening, _ also: (inout State) -> Void) {
    let ready = state.withLock { state in
      state.happenings.append(happening)
      also(&state)
      let ready = state.waiters.filter { $0.isEnough(state.happenings) }
      state.waiters.removeAll { $0.isEnough(state.happenings) }
      return ready
    }
    ready.forEach { $0.continuation.resume() }
  }

  func report(
    _ request: AtlasV1.ReportRequest, context: ServerContext
  ) async throws -> AtlasV1.ReportResponse {
    throw RPCError(code: .unimplemented, message: "reports come in sessions here")
  }
}

extension FakeDaemon.Happening {
  func result(of fence: UInt64) -> CommandResult? {
    switch self {
    case .left, .said(_, .acknowledgement), .said(_, .probed): nil
    case .said(_, .report(let report)): report.result(of: fence)
    case .said(_, .hello(let hello)): hello.reports.lazy.compactMap { $0.result(of: fence) }.first
    }
  }
}

extension CommandReport {
  fileprivate func result(of fence: UInt64) -> CommandResult? {
    guard self.fence.number == fence, case .result(let result) = event else { return nil }
    return result
  }
}

/// The daemon's list of servers, in pages of two.
struct FleetPages: RegistrableRPCService {
  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    router.registerHandler(
      forMethod: AtlasV1.FleetService.Method.listServers,
      deserializer: WireDeserializer<AtlasV1.ListServersRequest>(),
      serializer: WireSerializer<AtlasV1.ListServersResponse>()
    ) { request, _ in
      let single = try await ServerRequest(stream: request)
      return StreamingServerResponse(
        single: ServerResponse(message: Self.page(from: Int(single.message.pageToken) ?? 0)))
    }
  }

  private static let servers: [AtlasV1.ServerInfo] = [
    .init(name: "ZEN-LYON-WEB01", client: "ZEN", site: "LYON", roles: ["WEB"]),
    .init(name: "LAA-PARIS-DC01", client: "LAA", site: "PARIS", roles: ["DC", "DNS"]),
    .init(name: "LAA-PARIS-OLD01", client: "LAA", site: "PARIS", retired: true),
  ]

  private static func page(from start: Int) -> AtlasV1.ListServersResponse {
    let end = min(start + 2, servers.count)
    return .init(
      servers: Array(servers[start..<end]), nextPageToken: end < servers.count ? "\(end)" : "")
  }
}

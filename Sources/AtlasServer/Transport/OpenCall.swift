import AtlasWire
import GRPCCore
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A call from its first to its last moment: its deadline, its place in the count, its line in the
/// log.
///
/// It ends when somebody says how, or at the latest when nobody holds it any more: gRPC drops a
/// response without a word when its client has gone before the first byte was sent.
final class OpenCall: Sendable {
  private let ledger: CallLedger
  private let logger: Logger
  private let context: ServerContext
  private let user: String
  private let started = ContinuousClock.now
  private let deadline: Duration?
  private let timer: Scheduled<Void>?
  private let hasEnded = Atomic(false)

  /// - Parameter deadline: after which the call is cancelled; nil for none.
  init(
    _ context: ServerContext, user: String, deadline: Duration?, ledger: CallLedger, logger: Logger
  ) {
    self.context = context
    self.user = user
    self.deadline = deadline
    self.ledger = ledger
    self.logger = logger
    // A timer of an event loop, and not a sleeping task: it costs less, and nothing once cancelled.
    timer = deadline.map { deadline in
      MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(deadline)) {
        context.cancellation.cancel()
      }
    }
  }

  deinit { _ = end(CallCancelled()) }

  /// Runs a part of the call, cancelled with it.
  func run<Result: Sendable>(
    _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    // gRPC cancels every call when the daemon goes down. Unary ones may finish, streams would not.
    let mayFinish = context.descriptor.type == .unary
    return try await cancelledWithCall(heeds: { [ledger] in !(mayFinish && ledger.isGoingDown) }) {
      try await body()
    }
  }

  /// The call ended well.
  func end() { end(code: "OK", error: nil) }

  /// The call ended with an error.
  ///
  /// - Returns: what the client is told.
  func end(_ error: any Error) -> RPCError {
    let told = translate(error)
    end(code: told.code.text, error: told.code.isFault ? error : nil)
    return told
  }

  // MARK: How it ended

  private func translate(_ error: any Error) -> RPCError {
    switch error {
    case is CallCancelled, is CancellationError: return cancelled
    case let error as RPCError: return error
    case let error as any RPCErrorConvertible: return RPCError(error)
    // Writing to a client that has left fails in many ways.
    case _ where context.cancellation.isCancelled: return cancelled
    default:
      return WireStatus(
        .internalError, "the daemon made a mistake; its log says more", reason: "INTERNAL"
      ).rpcError
    }
  }

  private var cancelled: RPCError {
    if ledger.isGoingDown { return .goingDown }
    if let deadline, started.duration(to: .now) >= deadline - Self.timerSlack {
      return WireStatus(
        .deadlineExceeded, "the call took longer than \(deadline)", reason: "DEADLINE"
      ).rpcError
    }
    return RPCError(code: .cancelled, message: "the client has left")
  }

  /// A deadline that the client sent is also kept by gRPC, which began to count a little earlier.
  private static let timerSlack = Duration.milliseconds(20)

  private func end(code: String, error: (any Error)?) {
    guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
    timer?.cancel()
    let duration = started.duration(to: .now)
    ledger.end(method: context.descriptor.fullyQualifiedMethod, code: code, after: duration)
    log(code: code, duration: duration, error: error)
  }

  private func log(code: String, duration: Duration, error: (any Error)?) {
    var metadata: Logger.Metadata = [
      "method": "\(context.descriptor.fullyQualifiedMethod)", "code": "\(code)",
      "duration_ms": "\(duration.milliseconds)", "peer": "\(context.remotePeer)",
      "user": "\(user)",
    ]
    if let error { metadata["error"] = "\(error)" }
    logger.log(level: level(error), "call", metadata: metadata)
  }

  /// Machines call all the time; people are worth a line.
  private func level(_ error: (any Error)?) -> Logger.Level {
    if error != nil { return .error }
    return Self.quiet.contains(context.descriptor.service) ? .debug : .info
  }

  private static let quiet: Set<ServiceDescriptor> = [
    AtlasV1.AgentService.descriptor, GRPCHealthV1.Health.descriptor,
  ]
}

extension RPCError {
  /// What streams are told, and calls that come too late.
  static var goingDown: RPCError {
    WireStatus(
      .unavailable, "the daemon is shutting down", reason: "SHUTTING_DOWN",
      retryDelay: .seconds(1)
    ).rpcError
  }
}

extension RPCError.Code {
  /// As gRPC writes it: `NOT_FOUND`.
  var text: String {
    Self.texts.indices.contains(rawValue) ? Self.texts[rawValue] : "UNKNOWN"
  }

  /// The daemon's or the world's, not the caller's: somebody should look.
  var isFault: Bool { self == .internalError || self == .unknown || self == .dataLoss }

  /// By number: https://grpc.io/docs/guides/status-codes
  private static let texts = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]
}

extension Duration {
  /// Whole milliseconds, rounded down.
  fileprivate var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}

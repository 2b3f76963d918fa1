import AtlasWire
import GRPCCore
import Logging

/// What holds for every call: a deadline for unary ones, a number that run at once, an end when the
/// client leaves or the daemon goes down, and a line in the log.
///
/// Make it the last interceptor: it sees errors as services throw them.
package struct RequestLimits: ServerInterceptor {
  private let calls: CallLedger
  private let timing: TransportTiming
  private let user: @Sendable (Metadata) -> String
  private let logger: Logger

  /// - Parameter user: who calls, from what the client sent; for the log.
  package init(
    calls: CallLedger, timing: TransportTiming = .standard,
    user: @escaping @Sendable (Metadata) -> String, logger: Logger
  ) {
    self.calls = calls
    self.timing = timing
    self.user = user
    self.logger = logger
  }

  package func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next:
      @Sendable (StreamingServerRequest<Input>, ServerContext) async throws
      -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    let call = try begin(request.metadata, context)
    do {
      let response = try await call.run { try await next(request, context) }
      return Self.finishing(call, response)
    } catch {
      throw call.end(error)
    }
  }

  private func begin(_ metadata: Metadata, _ context: ServerContext) throws -> OpenCall {
    let method = context.descriptor.fullyQualifiedMethod
    switch calls.begin(always: Self.always.contains(method)) {
    case .admitted:
      return OpenCall(
        context, user: user(metadata), deadline: deadline(metadata, context), ledger: calls,
        logger: logger)
    case .full:
      throw WireStatus(
        .resourceExhausted, "too many calls run at once", reason: "OVERLOADED",
        retryDelay: .seconds(1)
      ).rpcError
    case .goingDown: throw RPCError.goingDown
    }
  }

  /// Streams last as long as their client wants them to.
  private func deadline(_ metadata: Metadata, _ context: ServerContext) -> Duration? {
    let asked = CallDeadline.asked(in: metadata)
    guard context.descriptor.type == .unary else { return asked }
    return min(asked ?? timing.unaryDeadline, timing.longestDeadline)
  }

  /// The response's messages are produced after the interceptors have returned.
  private static func finishing<Output: Sendable>(
    _ call: OpenCall, _ response: StreamingServerResponse<Output>
  ) -> StreamingServerResponse<Output> {
    switch response.accepted {
    case .failure(let error):
      return StreamingServerResponse(error: call.end(error))
    case .success(let contents):
      return StreamingServerResponse(metadata: contents.metadata) { writer in
        do {
          let trailers = try await call.run { try await contents.producer(writer) }
          call.end()
          return trailers
        } catch {
          throw call.end(error)
        }
      }
    }
  }

  /// Let in however many calls there are: what somebody needs who tries to stop them.
  private static let always: Set<String> = Set(
    (AtlasV1.SafetyService.Method.all + [GRPCHealthV1.Health.Method.check])
      .map(\.fullyQualifiedMethod))
}

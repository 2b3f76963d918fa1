import AtlasWire
import GRPCCore

/// Names the method in the error of a daemon that does not serve it: the transport's own words do not
/// say which call it was.
struct MethodNames: ClientInterceptor {
  func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingClientRequest<Input>, context: ClientContext,
    next: (StreamingClientRequest<Input>, ClientContext) async throws
      -> StreamingClientResponse<Output>
  ) async throws -> StreamingClientResponse<Output> {
    var response = try await next(request, context)
    if case .failure(let error) = response.accepted, error.code == .unimplemented {
      response.accepted = .failure(Self.named(error, context.descriptor))
    }
    return response
  }

  /// `HookService.ListHooks`, and why not, where the daemon has its own words for it.
  private static func named(_ error: RPCError, _ method: MethodDescriptor) -> RPCError {
    let service = method.service.fullyQualifiedService.split(separator: ".").last ?? ""
    let isOwn = WireStatus(error).message != unknownMethod
    let reason = isOwn && !error.message.isEmpty ? ": \(WireStatus(error).message)" : ""
    return RPCError(code: .unimplemented, message: "\(service).\(method.method)\(reason)")
  }

  /// What a server of grpc-swift says about a method that nobody registered.
  private static let unknownMethod = "Requested RPC isn't implemented by this server."
}

internal import GRPCCore

/// What generated services call to register their methods, one function a kind of RPC.
extension RPCRouter {
  /// One request, one response.
  mutating func unary<Input: WireMessage, Output: WireMessage>(
    _ method: MethodDescriptor,
    _ handler: @escaping @Sendable (Input, ServerContext) async throws -> Output
  ) {
    register(method) { request, context in
      let single = try await ServerRequest<Input>(stream: request)
      let message = try await handler(single.message, context)
      return StreamingServerResponse(single: ServerResponse(message: message))
    }
  }

  /// Many requests, one response.
  mutating func clientStreaming<Input: WireMessage, Output: WireMessage>(
    _ method: MethodDescriptor,
    _ handler:
      @escaping @Sendable (RPCAsyncSequence<Input, any Error>, ServerContext) async throws -> Output
  ) {
    register(method) { request, context in
      let message = try await handler(request.messages, context)
      return StreamingServerResponse(single: ServerResponse(message: message))
    }
  }

  /// One request, many responses.
  mutating func serverStreaming<Input: WireMessage, Output: WireMessage>(
    _ method: MethodDescriptor,
    _ handler:
      @escaping @Sendable (Input, RPCWriter<Output>, ServerContext) async throws -> Void
  ) {
    register(method) { request, context in
      let single = try await ServerRequest<Input>(stream: request)
      return StreamingServerResponse { responses in
        try await handler(single.message, responses, context)
        return [:]
      }
    }
  }

  /// Many requests, many responses.
  mutating func bidirectionalStreaming<Input: WireMessage, Output: WireMessage>(
    _ method: MethodDescriptor,
    _ handler:
      @escaping @Sendable (
        RPCAsyncSequence<Input, any Error>, RPCWriter<Output>, ServerContext
      ) async throws -> Void
  ) {
    register(method) { request, context in
      StreamingServerResponse { responses in
        try await handler(request.messages, responses, context)
        return [:]
      }
    }
  }

  private mutating func register<Input: WireMessage, Output: WireMessage>(
    _ method: MethodDescriptor,
    _ handler:
      @escaping @Sendable (StreamingServerRequest<Input>, ServerContext) async throws
      -> StreamingServerResponse<Output>
  ) {
    registerHandler(
      forMethod: method, deserializer: WireDeserializer<Input>(.server),
      serializer: WireSerializer<Output>(), handler: handler)
  }
}

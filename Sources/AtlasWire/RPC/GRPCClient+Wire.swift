internal import GRPCCore

/// What generated clients call, one function a kind of RPC.
extension GRPCClient {
  /// One request, one response.
  func unaryCall<Input: WireMessage, Output: WireMessage>(
    _ method: MethodDescriptor, _ request: Input, metadata: Metadata, options: CallOptions
  ) async throws -> Output {
    try await unary(
      request: ClientRequest(message: request, metadata: metadata), descriptor: method,
      serializer: WireSerializer<Input>(), deserializer: WireDeserializer<Output>(.client),
      options: options
    ) { response in try response.message }
  }

  /// Many requests, one response.
  func clientStreamingCall<Input: WireMessage, Output: WireMessage>(
    _ method: MethodDescriptor, metadata: Metadata, options: CallOptions,
    send: @escaping @Sendable (RPCWriter<Input>) async throws -> Void
  ) async throws -> Output {
    try await clientStreaming(
      request: StreamingClientRequest(metadata: metadata, producer: send), descriptor: method,
      serializer: WireSerializer<Input>(), deserializer: WireDeserializer<Output>(.client),
      options: options
    ) { response in try response.message }
  }

  /// One request, many responses. Returning from `receive` ends the call.
  func serverStreamingCall<Input: WireMessage, Output: WireMessage, Result: Sendable>(
    _ method: MethodDescriptor, _ request: Input, metadata: Metadata, options: CallOptions,
    receive: @escaping @Sendable (RPCAsyncSequence<Output, any Error>) async throws -> Result
  ) async throws -> Result {
    try await serverStreaming(
      request: ClientRequest(message: request, metadata: metadata), descriptor: method,
      serializer: WireSerializer<Input>(), deserializer: WireDeserializer<Output>(.client),
      options: options
    ) { response in try await receive(response.messages) }
  }

  /// Many requests, many responses. Returning from `receive` ends the call.
  func bidirectionalStreamingCall<Input: WireMessage, Output: WireMessage, Result: Sendable>(
    _ method: MethodDescriptor, metadata: Metadata, options: CallOptions,
    send: @escaping @Sendable (RPCWriter<Input>) async throws -> Void,
    receive: @escaping @Sendable (RPCAsyncSequence<Output, any Error>) async throws -> Result
  ) async throws -> Result {
    try await bidirectionalStreaming(
      request: StreamingClientRequest(metadata: metadata, producer: send), descriptor: method,
      serializer: WireSerializer<Input>(), deserializer: WireDeserializer<Output>(.client),
      options: options
    ) { response in try await receive(response.messages) }
  }
}

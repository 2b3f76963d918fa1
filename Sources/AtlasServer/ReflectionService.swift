import AtlasWire
import GRPCCore

/// `grpc.reflection.v1.ServerReflection`: lets clients that have no `.proto` files ask for them.
package struct ReflectionService: GRPCReflectionV1.ServerReflection.Server {
  private let files: FileDescriptorIndex
  private let services: [String]

  /// - Parameters:
  ///   - services: the full names of what is served, in the order in which they are listed.
  ///   - files: the descriptors, also of what is not served.
  package init(services: [String], files: FileDescriptorIndex = .atlas) {
    self.services = services
    self.files = files
  }

  /// The names under which reflection itself is served.
  package static let names = [
    GRPCReflectionV1.ServerReflection.descriptor.fullyQualifiedService,
    GRPCReflectionV1Alpha.ServerReflection.descriptor.fullyQualifiedService,
  ]

  /// The same under its older name, which most clients still try.
  package var older: OlderReflectionService { OlderReflectionService(self) }

  package func serverReflectionInfo(
    _ requests: RPCAsyncSequence<GRPCReflectionV1.ServerReflectionRequest, any Error>,
    responses: RPCWriter<GRPCReflectionV1.ServerReflectionResponse>, context: ServerContext
  ) async throws {
    for try await request in requests { try await responses.write(answer(request)) }
  }

  /// An answer to every request: what is not found is an error inside it, and the stream goes on.
  func answer(
    _ request: GRPCReflectionV1.ServerReflectionRequest
  ) -> GRPCReflectionV1.ServerReflectionResponse {
    GRPCReflectionV1.ServerReflectionResponse(
      validHost: request.host, originalRequest: request,
      messageResponse: request.messageRequest.map(answer)
        ?? Self.error(.invalidArgument, "the request asks for nothing"))
  }

  private func answer(_ question: Question) -> Answer {
    switch question {
    case .fileByFilename(let name): Self.files(files.files(named: name), "file “\(name)”")
    case .fileContainingSymbol(let symbol):
      Self.files(files.files(declaring: symbol), "symbol “\(symbol)”")
    case .fileContainingExtension(let field):
      Self.files(
        files.files(extending: field.containingType, number: field.extensionNumber),
        "extension \(field.extensionNumber) of “\(field.containingType)”")
    case .allExtensionNumbersOfType(let type): numbers(ofExtensionsOf: type)
    case .listServices:
      .listServicesResponse(.init(service: services.map { .init(name: $0) }))
    }
  }

  private typealias Question = GRPCReflectionV1.ServerReflectionRequest.MessageRequest
  private typealias Answer = GRPCReflectionV1.ServerReflectionResponse.MessageResponse

  private func numbers(ofExtensionsOf type: String) -> Answer {
    guard let numbers = files.extensionNumbers(of: type) else {
      return Self.error(.notFound, "there is no message “\(type)”")
    }
    return .allExtensionNumbersResponse(.init(baseTypeName: type, extensionNumber: numbers))
  }

  private static func files(_ files: [[UInt8]]?, _ what: String) -> Answer {
    guard let files else { return error(.notFound, "there is no \(what)") }
    return .fileDescriptorResponse(.init(fileDescriptorProto: files))
  }

  private static func error(_ code: RPCError.Code, _ message: String) -> Answer {
    .errorResponse(.init(errorCode: Int32(code.rawValue), errorMessage: message))
  }
}

/// `grpc.reflection.v1alpha.ServerReflection`: its messages are those of v1 under other names, with
/// the same fields under the same numbers, so the same bytes mean the same.
package struct OlderReflectionService: GRPCReflectionV1Alpha.ServerReflection.Server {
  private let reflection: ReflectionService

  fileprivate init(_ reflection: ReflectionService) { self.reflection = reflection }

  package func serverReflectionInfo(
    _ requests: RPCAsyncSequence<GRPCReflectionV1Alpha.ServerReflectionRequest, any Error>,
    responses: RPCWriter<GRPCReflectionV1Alpha.ServerReflectionResponse>, context: ServerContext
  ) async throws {
    for try await request in requests { try await responses.write(answer(request)) }
  }

  func answer(
    _ request: GRPCReflectionV1Alpha.ServerReflectionRequest
  ) throws -> GRPCReflectionV1Alpha.ServerReflectionResponse {
    let answer = reflection.answer(
      try GRPCReflectionV1.ServerReflectionRequest(decoding: request.encode()))
    return try GRPCReflectionV1Alpha.ServerReflectionResponse(
      decoding: answer.encode(), limits: Self.ownBytes)
  }

  /// Our own bytes, and as many as there are files: what holds for a peer's would be in the way.
  private static let ownBytes: WireLimits = {
    var limits = WireLimits.standard
    limits.messageBytes = .max
    limits.memoryPerByte = 128
    return limits
  }()
}

import SwiftProtobufPluginLibrary

/// Writes one service: its descriptors, the protocol a server implements, and a client.
struct ServiceEmitter {
  let service: ServiceDescriptor
  private let swiftType: String

  init(_ service: ServiceDescriptor) {
    self.service = service
    swiftType = SwiftNames.namespace(service.file.package) + "." + service.name
  }

  private enum Kind: String {
    case unary, clientStreaming, serverStreaming, bidirectionalStreaming

    init(_ method: MethodDescriptor) {
      self =
        switch (method.clientStreaming, method.serverStreaming) {
        case (false, false): .unary
        case (true, false): .clientStreaming
        case (false, true): .serverStreaming
        case (true, true): .bidirectionalStreaming
        }
    }
  }

  func emit(to out: inout CodePrinter) {
    out.print("")
    out.block("extension \(SwiftNames.namespace(service.file.package))") { out in
      out.printLines(
        Documentation.lines(of: service, otherwise: "The service `\(service.fullName)`."))
      out.block("package enum \(service.name)") { out in
        emitDescriptors(to: &out)
        emitServerProtocol(to: &out)
        emitClient(to: &out)
      }
    }
    emitRegistration(to: &out)
  }

  private func emitDescriptors(to out: inout CodePrinter) {
    out.print("/// The service's name on the wire.")
    out.print("package static let descriptor = GRPCCore.ServiceDescriptor(")
    out.print("  fullyQualifiedService: \"\(service.fullName)\")")
    out.print("")
    out.print("/// The methods, as interceptors and routers see them.")
    out.block("package enum Method") { out in
      for method in service.methods {
        out.print("/// `\(method.name)`.")
        out.print("package static let \(property(method)) = GRPCCore.MethodDescriptor(")
        out.print(
          "  service: \(service.name).descriptor, method: \"\(method.name)\", "
            + "type: .\(Kind(method).rawValue))")
      }
      out.print("")
      out.print("/// All of them, in the order of the `.proto` file.")
      out.print("package static let all: [GRPCCore.MethodDescriptor] = [")
      for method in service.methods { out.print("  \(property(method)),") }
      out.print("]")
    }
  }

  private func property(_ method: MethodDescriptor) -> String {
    SwiftNames.quoted(SwiftNames.function(method))
  }

  // MARK: Server

  private func emitServerProtocol(to out: inout CodePrinter) {
    out.print("")
    out.print("/// What a server implements. Throw an `RPCError` (see ``WireStatus``) to refuse.")
    out.block("package protocol Server: GRPCCore.RegistrableRPCService") { out in
      for (index, method) in service.methods.enumerated() {
        if index > 0 { out.print("") }
        out.printLines(Documentation.lines(of: method, otherwise: "`\(method.name)`."))
        emitRequirement(method, to: &out)
      }
    }
  }

  private func emitRequirement(_ method: MethodDescriptor, to out: inout CodePrinter) {
    let input = SwiftNames.type(method.inputType)
    let output = SwiftNames.type(method.outputType)
    let stream = "GRPCCore.RPCAsyncSequence<\(input), any Error>"
    out.print("func \(property(method))(")
    switch Kind(method) {
    case .unary:
      out.print("  _ request: \(input), context: GRPCCore.ServerContext")
      out.print(") async throws -> \(output)")
    case .clientStreaming:
      out.print("  _ requests: \(stream), context: GRPCCore.ServerContext")
      out.print(") async throws -> \(output)")
    case .serverStreaming:
      out.print("  _ request: \(input), responses: GRPCCore.RPCWriter<\(output)>,")
      out.print("  context: GRPCCore.ServerContext")
      out.print(") async throws")
    case .bidirectionalStreaming:
      out.print("  _ requests: \(stream),")
      out.print("  responses: GRPCCore.RPCWriter<\(output)>, context: GRPCCore.ServerContext")
      out.print(") async throws")
    }
  }

  private func emitRegistration(to out: inout CodePrinter) {
    out.print("")
    out.block("extension \(swiftType).Server") { out in
      out.print("/// Registers every method of `\(service.fullName)`.")
      out.print("package func registerMethods<Transport: GRPCCore.ServerTransport>(")
      out.print("  with router: inout GRPCCore.RPCRouter<Transport>")
      out.block(")") { out in
        for method in service.methods { emitRegistration(of: method, to: &out) }
      }
    }
  }

  private func emitRegistration(of method: MethodDescriptor, to out: inout CodePrinter) {
    let descriptor = "\(swiftType).Method.\(property(method))"
    let call = "self.\(SwiftNames.function(method))"
    switch Kind(method) {
    case .unary, .clientStreaming:
      out.print("router.\(Kind(method).rawValue)(\(descriptor)) {")
      out.print("  try await \(call)($0, context: $1)")
    case .serverStreaming, .bidirectionalStreaming:
      out.print("router.\(Kind(method).rawValue)(\(descriptor)) {")
      out.print("  try await \(call)($0, responses: $1, context: $2)")
    }
    out.print("}")
  }

  // MARK: Client

  private func emitClient(to out: inout CodePrinter) {
    out.print("")
    out.print("/// Calls the service over a connection that its owner runs.")
    out.block("package struct Client<Transport: GRPCCore.ClientTransport>: Sendable") { out in
      out.print("private let client: GRPCCore.GRPCClient<Transport>")
      out.print("")
      out.print("/// A client over `client`, which somebody else runs and shuts down.")
      out.block("package init(wrapping client: GRPCCore.GRPCClient<Transport>)") { out in
        out.print("self.client = client")
      }
      for method in service.methods {
        out.print("")
        out.printLines(Documentation.lines(of: method, otherwise: "`\(method.name)`."))
        emitCall(method, to: &out)
      }
    }
  }

  private func emitCall(_ method: MethodDescriptor, to out: inout CodePrinter) {
    let input = SwiftNames.type(method.inputType)
    let output = SwiftNames.type(method.outputType)
    let kind = Kind(method)
    let streamsOut = kind == .serverStreaming || kind == .bidirectionalStreaming
    let streamsIn = kind == .clientStreaming || kind == .bidirectionalStreaming
    let result = streamsOut ? "Result" : output
    let generics = streamsOut ? "<Result: Sendable>" : ""

    out.print("package func \(property(method))\(generics)(")
    if !streamsIn { out.print("  _ request: \(input),") }
    out.print("  metadata: GRPCCore.Metadata = [:],")
    out.print("  options: GRPCCore.CallOptions = .defaults" + (streamsIn || streamsOut ? "," : ""))
    if streamsIn {
      out.print(
        "  send: @escaping @Sendable (GRPCCore.RPCWriter<\(input)>) async throws -> Void"
          + (streamsOut ? "," : ""))
    }
    if streamsOut {
      out.print("  receive: @escaping @Sendable (")
      out.print("    GRPCCore.RPCAsyncSequence<\(output), any Error>")
      out.print("  ) async throws -> Result")
    }
    out.block(") async throws -> \(result)") { out in
      out.print("try await client.\(kind.rawValue)Call(")
      out.print("  \(service.name).Method.\(property(method)),")
      if !streamsIn { out.print("  request,") }
      out.print(
        "  metadata: metadata, options: options"
          + (streamsIn ? ", send: send" : "") + (streamsOut ? ", receive: receive" : "") + ")")
    }
  }
}

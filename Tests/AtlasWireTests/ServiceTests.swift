internal import GRPCCore
internal import GRPCInProcessTransport
import Testing

@testable import AtlasWire

private typealias Choices = WireFixturesV1.Choices
private typealias Leaf = WireFixturesV1.Leaf
private typealias Repeats = WireFixturesV1.Repeats

/// Answers in ways that the tests ask for by the content of the request.
private struct ShapeServer: WireFixturesV1.ShapeService.Server {
  func echo(_ request: Choices, context: ServerContext) async throws -> Choices {
    if case .text("refuse")? = request.payload {
      throw WireStatus(
        .failedPrecondition, "the run is not held", reason: "RUN_NOT_HELD",
        metadata: ["run": "LAA-PARIS-DC01"])
    }
    return request
  }

  func count(
    _ request: Leaf, responses: RPCWriter<Leaf>, context: ServerContext
  ) async throws {
    for number in 0..<request.number { try await responses.write(Leaf(number: number)) }
  }

  func collect(
    _ requests: RPCAsyncSequence<Leaf, any Error>, context: ServerContext
  ) async throws -> Repeats {
    var collected = Repeats()
    for try await request in requests { collected.strings.append(request.name) }
    return collected
  }

  func chat(
    _ requests: RPCAsyncSequence<Leaf, any Error>, responses: RPCWriter<Leaf>,
    context: ServerContext
  ) async throws {
    for try await request in requests {
      try await responses.write(Leaf(name: request.name.uppercased()))
    }
  }
}

@Suite("A generated service", .timeLimit(.minutes(10)))
struct ServiceTests {
  private typealias Client = WireFixturesV1.ShapeService.Client<InProcessTransport.Client>

  private func withClient(
    _ body: (Client, GRPCClient<InProcessTransport.Client>) async throws -> Void
  )
    async throws
  {
    let transport = InProcessTransport()
    try await withGRPCServer(transport: transport.server, services: [ShapeServer()]) { _ in
      try await withGRPCClient(transport: transport.client) { client in
        try await body(Client(wrapping: client), client)
      }
    }
  }

  @Test("answers one request with one response")
  func unary() async throws {
    try await withClient { client, _ in
      let request = Choices(payload: .text("hello"), serverID: "LAA-PARIS-DC01")
      let response = try await client.echo(request)
      #expect(response == request)
    }
  }

  @Test("answers one request with many responses")
  func serverStreaming() async throws {
    try await withClient { client, _ in
      let numbers = try await client.count(Leaf(number: 3)) { responses in
        var numbers: [Int32] = []
        for try await response in responses { numbers.append(response.number) }
        return numbers
      }
      #expect(numbers == [0, 1, 2])
    }
  }

  @Test("answers many requests with one response")
  func clientStreaming() async throws {
    try await withClient { client, _ in
      let collected = try await client.collect { requests in
        for name in ["a", "b"] { try await requests.write(Leaf(name: name)) }
      }
      #expect(collected.strings == ["a", "b"])
    }
  }

  @Test("answers many requests with many responses")
  func bidirectionalStreaming() async throws {
    try await withClient { client, _ in
      let names = try await client.chat { requests in
        for name in ["a", "b"] { try await requests.write(Leaf(name: name)) }
      } receive: { responses in
        try await responses.reduce(into: [String]()) { $0.append($1.name) }
      }
      #expect(names == ["A", "B"])
    }
  }

  @Test("refuses with the details that the client can read")
  func refusal() async throws {
    try await withClient { client, _ in
      let error = await #expect(throws: RPCError.self) {
        try await client.echo(Choices(payload: .text("refuse")))
      }
      let expected = WireStatus(
        .failedPrecondition, "the run is not held", reason: "RUN_NOT_HELD",
        metadata: ["run": "LAA-PARIS-DC01"])
      #expect(error.map { WireStatus($0) } == expected)
    }
  }

  @Test("blames the client for bad bytes, by field")
  func badRequest() async throws {
    try await withClient { _, client in
      let bad = WireBytes.chunk(9, [0xFF])
      let error = await #expect(throws: RPCError.self) {
        try await Self.send(bad, over: client)
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message == "wire_fixtures.v1.Choices.server: not UTF-8 at byte 0")
    }
  }

  @Test("refuses a request beyond the limits as RESOURCE_EXHAUSTED")
  func bigRequest() async throws {
    try await withClient { _, client in
      let big = WireBytes.chunk(2, [UInt8](repeating: 1, count: 300_000))
      let error = await #expect(throws: RPCError.self) {
        try await Self.send(big, over: client)
      }
      #expect(error?.code == .resourceExhausted)
    }
  }

  /// Calls Echo with bytes that no generated client would send.
  private static func send(
    _ bytes: [UInt8], over client: GRPCClient<InProcessTransport.Client>
  ) async throws -> Choices {
    try await client.unary(
      request: ClientRequest(message: bytes),
      descriptor: WireFixturesV1.ShapeService.Method.echo, serializer: RawSerializer(),
      deserializer: WireDeserializer<Choices>(.client), options: .defaults
    ) { response in try response.message }
  }

  private struct RawSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) -> Bytes { Bytes(message) }
  }

  @Test("blames the server for a bad response")
  func badResponse() {
    let error = #expect(throws: RPCError.self) {
      try WireDeserializer<Leaf>(.client).deserialize([0xFF] as [UInt8])
    }
    #expect(error?.code == .internalError)
    #expect(error?.message == "wire_fixtures.v1.Leaf: malformed protobuf bytes")
  }

  @Test("knows its methods and their kinds")
  func descriptors() {
    let methods = WireFixturesV1.ShapeService.Method.all
    #expect(
      methods.map(\.fullyQualifiedMethod) == [
        "wire_fixtures.v1.ShapeService/Echo", "wire_fixtures.v1.ShapeService/Count",
        "wire_fixtures.v1.ShapeService/Collect", "wire_fixtures.v1.ShapeService/Chat",
      ])
    #expect(
      methods.map(\.type) == [
        .unary, .serverStreaming, .clientStreaming, .bidirectionalStreaming,
      ])
  }
}

@Suite("A status")
struct WireStatusTests {
  static let statuses: [WireStatus] = [
    WireStatus(.notFound, "no such campaign"),
    WireStatus(.notFound, "no such campaign", reason: "CAMPAIGN_NOT_FOUND"),
    WireStatus(.aborted, "étag", reason: "ETAG_MISMATCH", metadata: ["campaign": "märz"]),
    WireStatus(
      .invalidArgument, "two fields are wrong",
      fieldViolations: [
        .init(field: "page_size", description: "must be at most 500", reason: "OUT_OF_RANGE"),
        .init(field: "selection.rings[2]", description: "no such ring"),
      ]),
    WireStatus(
      .failedPrecondition, "not now",
      preconditionViolations: [.init(type: "WINDOW", subject: "LAA", description: "closed")],
      retryDelay: .milliseconds(1500)),
  ]

  @Test("comes back from the error it became", arguments: statuses)
  func roundTrip(_ status: WireStatus) {
    #expect(WireStatus(status.rpcError) == status)
    #expect(status.rpcError.code == status.code)
    #expect(status.rpcError.message == status.message)
  }

  @Test("without details adds no trailer")
  func noTrailer() {
    #expect(WireStatus(.notFound, "gone").rpcError.metadata.isEmpty)
  }

  @Test("names the domain and the standard types")
  func standardForm() throws {
    let error = WireStatus(.aborted, "m", reason: "R").rpcError
    let bytes = try #require(
      error.metadata[binaryValues: "grpc-status-details-bin"].first { _ in true })
    let status = try GoogleRPC.Status(decoding: bytes)
    #expect(status.code == 10)
    #expect(status.details.map(\.typeURL) == ["type.googleapis.com/google.rpc.ErrorInfo"])
    #expect(
      try status.details.first?.unpack(as: GoogleRPC.ErrorInfo.self)
        == GoogleRPC.ErrorInfo(reason: "R", domain: "atlas"))
    #expect(try status.details.first?.unpack(as: GoogleRPC.BadRequest.self) == nil)
  }

  @Test("is cut down until it fits into trailers, the reason stays")
  func tooBig() throws {
    let violations = (0..<1000).map {
      GoogleRPC.BadRequest.FieldViolation(field: "servers[\($0)]", description: "bad")
    }
    let status = WireStatus(
      .invalidArgument, String(repeating: "ü", count: 5000), reason: "BAD_FLEET",
      metadata: ["file": String(repeating: "x", count: 10_000)], fieldViolations: violations)
    let error = status.rpcError
    let bytes = try #require(
      error.metadata[binaryValues: WireStatus.trailer].first { _ in true })
    #expect(bytes.count <= WireStatus.detailBytes)
    #expect(error.message == String(repeating: "ü", count: 512))
    #expect(WireStatus(error).reason == "BAD_FLEET")
  }

  @Test("reads what it can from an error with a broken trailer")
  func brokenTrailer() {
    var error = RPCError(code: .aborted, message: "m")
    error.metadata.addBinary([0xFF, 0xFF], forKey: WireStatus.trailer)
    #expect(WireStatus(error) == WireStatus(.aborted, "m"))
  }
}

import AtlasWire
import GRPCCore
import GRPCInProcessTransport
import Testing

@testable import AtlasServer

@Suite(.timeLimit(.minutes(10))) struct ReflectionServiceTests {
  typealias Request = GRPCReflectionV1.ServerReflectionRequest
  typealias Response = GRPCReflectionV1.ServerReflectionResponse

  private let index = FileDescriptorIndex.atlas
  private let reflection = ReflectionService(services: ["a.A", "b.B"])

  private func answer(_ question: Request.MessageRequest?) -> Response.MessageResponse? {
    let request = Request(host: "atlas", messageRequest: question)
    let response = reflection.answer(request)
    #expect(response.validHost == "atlas")
    #expect(response.originalRequest == request)
    return response.messageResponse
  }

  @Test func `lists what is served`() {
    #expect(
      answer(.listServices(""))
        == .listServicesResponse(
          .init(service: [.init(name: "a.A"), .init(name: "b.B")])))
  }

  @Test(arguments: [
    "atlas.v1.CampaignService", "atlas.v1.CampaignService.StartCampaign", "atlas.v1.Command",
    "grpc.health.v1.Health",
  ])
  func `finds the files of a name, with all that they import`(symbol: String) throws {
    let files = try #require(index.files(declaring: symbol))
    #expect(
      answer(.fileContainingSymbol(symbol))
        == .fileDescriptorResponse(.init(fileDescriptorProto: files)))
  }

  @Test func `finds a file by its own name`() throws {
    let files = try #require(index.files(named: "atlas/v1/common.proto"))
    #expect(
      answer(.fileByFilename("atlas/v1/common.proto"))
        == .fileDescriptorResponse(.init(fileDescriptorProto: files)))
  }

  @Test func `knows that its messages have no extensions`() {
    #expect(
      answer(.allExtensionNumbersOfType("atlas.v1.Command"))
        == .allExtensionNumbersResponse(.init(baseTypeName: "atlas.v1.Command")))
  }

  @Test(arguments: [
    (Request.MessageRequest.fileByFilename("x.proto"), "there is no file “x.proto”"),
    (.fileContainingSymbol("x.Y"), "there is no symbol “x.Y”"),
    (
      .fileContainingExtension(.init(containingType: "x.Y", extensionNumber: 7)),
      "there is no extension 7 of “x.Y”"
    ),
    (.allExtensionNumbersOfType("x.Y"), "there is no message “x.Y”"),
  ])
  func `what is not there is an answer, not the end`(
    question: Request.MessageRequest, message: String
  ) {
    #expect(answer(question) == .errorResponse(.init(errorCode: 5, errorMessage: message)))
  }

  @Test func `a request that asks for nothing is told so`() {
    #expect(
      answer(nil)
        == .errorResponse(.init(errorCode: 3, errorMessage: "the request asks for nothing")))
  }

  @Test func `answers one request after the other on a stream`() async throws {
    let transport = InProcessTransport()
    try await withGRPCServer(transport: transport.server, services: [reflection]) { _ in
      try await withGRPCClient(transport: transport.client) { client in
        let reflection = GRPCReflectionV1.ServerReflection.Client(wrapping: client)
        let requests = [
          Request(messageRequest: .fileContainingSymbol("x.Y")),
          Request(messageRequest: .listServices("")),
        ]
        let answers = try await reflection.serverReflectionInfo { writer in
          for request in requests { try await writer.write(request) }
        } receive: { responses in
          try await responses.reduce(into: [Response]()) { $0.append($1) }
        }
        #expect(answers.map(\.originalRequest) == requests)
      }
    }
  }

  @Test func `the older name gives the same bytes`() throws {
    let questions: [Request.MessageRequest] = [
      .listServices(""), .fileContainingSymbol("atlas.v1.CampaignService"),
      .fileContainingSymbol("x.Y"), .allExtensionNumbersOfType("atlas.v1.Command"),
    ]
    for question in questions {
      let request = Request(host: "h", messageRequest: question)
      let older = try GRPCReflectionV1Alpha.ServerReflectionRequest(decoding: request.encode())
      #expect(try reflection.older.answer(older).encode() == reflection.answer(request).encode())
    }
  }
}

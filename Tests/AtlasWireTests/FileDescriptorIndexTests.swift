import Testing

@testable import AtlasWire

@Suite("The file descriptor index")
struct FileDescriptorIndexTests {
  private let index = FileDescriptorIndex.atlas

  /// The name in a serialized `FileDescriptorProto`.
  private func name(of file: [UInt8]) throws -> String {
    for field in try ProtoWalker.fields(of: file, in: 0..<file.count) where field.number == 1 {
      if case .bytes(let range) = field.value {
        return String(decoding: file[range], as: UTF8.self)
      }
    }
    return ""
  }

  private func names(_ files: [[UInt8]]?) throws -> [String]? {
    try files?.map(name)
  }

  @Test("lists the services of the API and the standard ones")
  func services() {
    #expect(
      index.services == [
        "atlas.v1.AgentService", "atlas.v1.AuditService", "atlas.v1.CampaignService",
        "atlas.v1.FleetService", "atlas.v1.HookService", "atlas.v1.MetricsService",
        "atlas.v1.SafetyService", "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
      ])
  }

  @Test("gives a file and all that it imports, the file first, each once")
  func filesByName() throws {
    let names = try #require(try names(index.files(named: "atlas/v1/campaign.proto")))
    #expect(names.first == "atlas/v1/campaign.proto")
    #expect(names.contains("google/protobuf/timestamp.proto"))
    #expect(names.count == Set(names).count)
    #expect(index.files(named: "atlas/v1/nonsense.proto") == nil)
  }

  @Test(
    "finds the file that declares a name of any kind",
    arguments: [
      ("atlas.v1.AgentService", "atlas/v1/agent.proto"),
      ("atlas.v1.AgentService.Session", "atlas/v1/agent.proto"),
      ("atlas.v1.Command", "atlas/v1/agent.proto"),
      ("atlas.v1.Command.fence", "atlas/v1/agent.proto"),
      ("atlas.v1.SessionRequest.payload", "atlas/v1/agent.proto"),
      ("atlas.v1.RunState", "atlas/v1/common.proto"),
      ("atlas.v1.RUN_STATE_PENDING", "atlas/v1/common.proto"),
      ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
      ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
      ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
    ])
  func filesBySymbol(_ symbol: String, _ file: String) throws {
    #expect(try names(index.files(declaring: symbol))?.first == file)
  }

  @Test("knows what it does not have")
  func unknown() {
    #expect(index.files(declaring: "atlas.v1.Nonsense") == nil)
    #expect(index.files(declaring: "") == nil)
    #expect(index.files(extending: "atlas.v1.Command", number: 1) == nil)
    #expect(index.extensionNumbers(of: "atlas.v1.Command") == [])
    #expect(index.extensionNumbers(of: "atlas.v1.Nonsense") == nil)
  }

  @Test("finds extensions")
  func extensions() throws {
    let field =
      WireBytes.text(1, "note") + WireBytes.text(2, ".p.Target") + WireBytes.number(3, 1000)
    let file =
      WireBytes.text(1, "p.proto") + WireBytes.text(2, "p")
      + WireBytes.chunk(4, WireBytes.text(1, "Target")) + WireBytes.chunk(7, field)
    let index = try FileDescriptorIndex(descriptorSet: WireBytes.chunk(1, file))
    #expect(index.extensionNumbers(of: "p.Target") == [1000])
    #expect(index.files(extending: "p.Target", number: 1000) == [file])
    #expect(index.files(declaring: "p.note") == [file])
  }

  @Test("hands out the files as they are in the descriptor set")
  func untouched() throws {
    let set = FileDescriptorIndex.embeddedDescriptorSet
    let files = try ProtoWalker.fields(of: set, in: 0..<set.count).map { field in
      guard case .bytes(let range) = field.value else { return [UInt8]() }
      return Array(set[range])
    }
    #expect(files.count >= 15)
    for file in files {
      let name = try name(of: file)
      #expect(index.files(named: name)?.first == file)
    }
  }

  @Test("refuses a broken descriptor set, wherever it is cut")
  func broken() {
    let set = Fixtures.descriptorSet
    for count in stride(from: 1, to: set.count, by: 7) {
      _ = try? FileDescriptorIndex(descriptorSet: Array(set[..<count]))
    }
    #expect(throws: WireError.self) { try FileDescriptorIndex(descriptorSet: [0x0A, 0xFF]) }
    #expect(throws: WireError.self) { try FileDescriptorIndex(descriptorSet: [0x0B]) }
  }
}

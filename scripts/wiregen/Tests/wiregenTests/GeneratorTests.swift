import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@testable import wiregen

/// A `.proto` file of messages, each with its fields as (name, message type).
private func file(
  _ messages: [(name: String, fields: [(name: String, type: String)])]
) -> Google_Protobuf_FileDescriptorProto {
  var file = Google_Protobuf_FileDescriptorProto()
  file.name = "p.proto"
  file.package = "p"
  file.syntax = "proto3"
  file.messageType = messages.map { message in
    var descriptor = Google_Protobuf_DescriptorProto()
    descriptor.name = message.name
    descriptor.field = message.fields.enumerated().map { index, field in
      var descriptor = Google_Protobuf_FieldDescriptorProto()
      descriptor.name = field.name
      descriptor.jsonName = field.name
      descriptor.number = Int32(index + 1)
      descriptor.label = .optional
      descriptor.type = .message
      descriptor.typeName = ".p.\(field.type)"
      return descriptor
    }
    return descriptor
  }
  return file
}

@Suite("The recursion check")
struct RecursionCheckTests {
  @Test("passes messages that are shared but not recursive")
  func diamond() throws {
    let file = file([
      ("Top", [("left", "Left"), ("right", "Right")]), ("Left", [("leaf", "Leaf")]),
      ("Right", [("leaf", "Leaf")]), ("Leaf", []),
    ])
    let all = DescriptorSet(protos: [file])
    try RecursionCheck.check(all.files[0].messages)
  }

  @Test("names a message that contains itself")
  func direct() {
    let all = DescriptorSet(protos: [file([("Node", [("child", "Node")])])])
    let error = #expect(throws: GenerationError.self) {
      try RecursionCheck.check(all.files[0].messages)
    }
    #expect(error?.description.hasPrefix("recursive message: p.Node.child -> p.Node. ") == true)
  }

  @Test("names a cycle, without the way to it")
  func mutual() {
    let all = DescriptorSet(protos: [
      file([("Top", [("a", "A")]), ("A", [("b", "B")]), ("B", [("again", "A")])])
    ])
    let error = #expect(throws: GenerationError.self) {
      try RecursionCheck.check(all.files[0].messages)
    }
    #expect(
      error?.description.hasPrefix("recursive message: p.A.b -> p.B.again -> p.A. ") == true)
  }
}

@Suite("The descriptors for C")
struct DescriptorsForCTests {
  @Test("have bytes for strings, no proto3 optional, and the synthetic oneof")
  func fields() {
    var field = Google_Protobuf_FieldDescriptorProto()
    field.name = "name"
    field.number = 1
    field.type = .string
    field.proto3Optional = true
    field.oneofIndex = 0
    var message = Google_Protobuf_DescriptorProto()
    message.field = [field]
    message.oneofDecl = [.with { $0.name = "_name" }]
    var set = Google_Protobuf_FileDescriptorSet()
    set.file = [.with { $0.messageType = [message] }]

    DescriptorsForC.rewrite(&set)

    var expected = set
    expected.file[0].messageType[0].field = [
      .with {
        $0.name = "name"
        $0.number = 1
        $0.type = .bytes
        $0.oneofIndex = 0
      }
    ]
    #expect(set == expected)
    #expect(set.file[0].messageType[0].oneofDecl.map(\.name) == ["_name"])
  }

  @Test("turn map entries into messages whose scalars have presence")
  func maps() {
    var entry = Google_Protobuf_DescriptorProto()
    entry.name = "LabelsEntry"
    entry.options.mapEntry = true
    entry.field = [
      .with {
        $0.name = "key"
        $0.number = 1
        $0.type = .string
      },
      .with {
        $0.name = "value"
        $0.number = 2
        $0.type = .message
      },
    ]
    var set = Google_Protobuf_FileDescriptorSet()
    set.file = [.with { $0.messageType = [.with { $0.nestedType = [entry] }] }]

    DescriptorsForC.rewrite(&set)

    let rewritten = set.file[0].messageType[0].nestedType[0]
    #expect(!rewritten.options.hasMapEntry)
    #expect(rewritten.oneofDecl.map(\.name) == ["_key"])
    #expect(rewritten.field.map(\.hasOneofIndex) == [true, false])
    #expect(rewritten.field[0].type == .bytes)
  }
}

@Suite("The names")
struct NameTests {
  @Test(
    "of namespaces",
    arguments: [
      ("atlas.v1", "AtlasV1"), ("grpc.health.v1", "GRPCHealthV1"),
      ("grpc.reflection.v1alpha", "GRPCReflectionV1Alpha"), ("google.rpc", "GoogleRPC"),
      ("google.protobuf", "GoogleProtobuf"), ("wire_fixtures.v1", "WireFixturesV1"),
    ])
  func namespaces(_ package: String, _ name: String) {
    #expect(SwiftNames.namespace(package) == name)
  }

  @Test(
    "of C types and functions are those of protoc-c",
    arguments: [
      ("atlas.v1.ServerRun", "Atlas__V1__ServerRun", "atlas__v1__server_run__init"),
      ("a.HTTPServer.OSName", "A__HTTPServer__OSName", "a__httpserver__osname__init"),
      ("wire_fixtures.v1.Maps", "WireFixtures__V1__Maps", "wire_fixtures__v1__maps__init"),
    ])
  func cNames(_ fullName: String, _ type: String, _ initializer: String) {
    #expect(CNames.type(fullName) == type)
    #expect(CNames.initializer(fullName) == initializer)
  }

  @Test("that Swift reserves get backticks")
  func reserved() {
    #expect(SwiftNames.quoted("default") == "`default`")
    #expect(SwiftNames.quoted("server") == "server")
    #expect(SwiftNames.local("Any") == "`Any`")
  }
}

@Suite("Embedded bytes")
struct EmbeddedBytesTests {
  @Test("are a C array behind a function")
  func source() {
    let embedded = EmbeddedBytes(bytes: [0, 255], symbol: "some_bytes")
    #expect(embedded.header.contains("const uint8_t *some_bytes(size_t *count);"))
    #expect(embedded.source(including: "x.h").contains("  0,255,\n"))
  }
}

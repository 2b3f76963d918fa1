import Testing

@testable import AtlasWire

@Suite("Every message")
struct RoundTripTests {
  @Test("comes back from its bytes as it was", arguments: MessageType.all)
  func bytes(_ message: MessageType) throws {
    try roundTrip(message.type)
  }

  private func roundTrip<Message: WireMessage>(_ type: Message.Type) throws {
    for seed in 0..<60 {
      let message = Message.random(seed: UInt64(seed))
      let bytes = message.encode()
      #expect(try Message(decoding: bytes) == message)
      #expect(message.encodedCount == bytes.count)
    }
  }

  @Test("comes back from its JSON as it was", arguments: MessageType.all)
  func json(_ message: MessageType) throws {
    try jsonRoundTrip(message.type)
  }

  private func jsonRoundTrip<Message: WireMessage>(_ type: Message.Type) throws {
    let options: [WireJSON.EncodingOptions] = [
      .init(), .init(includesDefaults: true, isPretty: true), .init(usesProtoNames: true),
    ]
    for seed in 0..<20 {
      let message = Message.random(seed: UInt64(seed))
      for options in options {
        let text = try message.jsonString(options)
        #expect(try Message(jsonString: text) == message, "\(text)")
      }
    }
  }

  @Test("without content is no bytes and reads back", arguments: MessageType.all)
  func empty(_ message: MessageType) throws {
    try emptyRoundTrip(message.type)
  }

  private func emptyRoundTrip<Message: WireMessage>(_ type: Message.Type) throws {
    #expect(Message().encode() == [])
    #expect(try Message(decoding: []) == Message())
  }

  @Test("knows its name")
  func names() {
    #expect(AtlasV1.Command.wireName == "atlas.v1.Command")
    #expect(GRPCHealthV1.HealthCheckResponse.wireName == "grpc.health.v1.HealthCheckResponse")
    #expect(WireRegistry.message(named: "atlas.v1.Command") is AtlasV1.Command.Type)
    #expect(WireRegistry.message(named: "atlas.v1.Nonsense") == nil)
    #expect(Set(allMessages.map { $0.wireName }).count == allMessages.count)
  }

  @Test("gives the same bytes for equal maps, whatever their history")
  func determinism() {
    let keys = (0..<50).map { "key\($0)" }
    let forwards = Dictionary(uniqueKeysWithValues: keys.map { ($0, $0) })
    var backwards: [String: String] = [:]
    for key in keys.reversed() { backwards[key] = key }
    #expect(
      WireFixturesV1.Maps(strings: forwards).encode()
        == WireFixturesV1.Maps(strings: backwards).encode())
  }
}

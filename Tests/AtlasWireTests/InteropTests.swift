import Foundation
import Testing

@testable import AtlasWire

/// Serialized: each test runs a Python that uses a core of its own.
@Suite(
  "Between Swift and Python",
  .enabled(if: PythonPeer.isInstalled, "scripts/test makes .venv with the package protobuf"),
  .serialized)
struct InteropTests {
  private static let seeds: Range<UInt64> = 0..<25

  /// A message of some type, without the type.
  private struct Sample {
    let type: any WireMessage.Type
    let message: any WireMessage
    let bytes: [UInt8]
  }

  private func samples() -> [Sample] {
    allMessages.flatMap { type in Self.seeds.map { sample(type, seed: $0) } }
  }

  private func sample<Message: WireMessage>(_ type: Message.Type, seed: UInt64) -> Sample {
    let message = Message.random(seed: seed)
    return Sample(type: type, message: message, bytes: message.encode())
  }

  @Test("what Swift writes Python reads and writes the same")
  func swiftToPython() throws {
    let samples = samples()
    let answers = try PythonPeer.answers(
      to: samples.map { .init(verb: "echo", type: $0.type.wireName, argument: $0.bytes.hex) })
    try #require(answers.count == samples.count)
    for (sample, answer) in zip(samples, answers) {
      try expectSame(sample.message, sample.bytes, [UInt8](hex: answer.first ?? ""))
      try expectSameJSON(sample, pythonJSON: [UInt8](hex: answer.last ?? ""))
    }
  }

  @Test("what Python writes Swift reads and writes the same")
  func pythonToSwift() throws {
    let requests = allMessages.flatMap { type in
      Self.seeds.map { PythonPeer.Request(verb: "random", type: type.wireName, argument: "\($0)") }
    }
    let types = allMessages.flatMap { type in Self.seeds.map { _ in type } }
    let answers = try PythonPeer.answers(to: requests)
    try #require(answers.count == requests.count)
    for (type, answer) in zip(types, answers) {
      let bytes = [UInt8](hex: answer.first ?? "")
      let message = try type.init(decoding: bytes)
      try expectSame(message, message.encode(), bytes)
      try expectSameJSON(
        Sample(type: type, message: message, bytes: bytes),
        pythonJSON: [UInt8](hex: answer.last ?? ""))
    }
  }

  /// Both wrote `message`, byte for byte; only the order of a map's entries is free.
  private func expectSame<Message: WireMessage>(
    _ message: Message, _ ours: [UInt8], _ theirs: [UInt8]
  ) throws {
    if ours == theirs { return }
    #expect(try Message(decoding: theirs) == message)
    #expect(hasMap(message), "\(Message.wireName): \(ours.hex) is not \(theirs.hex)")
    #expect(ours.sorted() == theirs.sorted(), "\(Message.wireName)")
  }

  private func hasMap<Message: WireMessage>(_ message: Message) -> Bool {
    let finder = MapFinder()
    var copy = message
    try? copy.visitFields(finder)
    return finder.found
  }

  /// Python's JSON reads back as the same message here.
  private func expectSameJSON(_ sample: Sample, pythonJSON: [UInt8]) throws {
    let message = try sample.type.init(jsonBytes: pythonJSON)
    try expectSame(sample.message, sample.bytes, message.encode())
  }

  @Test("the JSON that Swift writes means the same to Python")
  func json() throws {
    let samples = samples()
    let answers = try PythonPeer.answers(
      to: samples.map { sample in
        .init(
          verb: "json", type: sample.type.wireName,
          argument: try sample.message.jsonBytes(.init(includesDefaults: true)).hex)
      })
    try #require(answers.count == samples.count)
    for (sample, answer) in zip(samples, answers) {
      try expectSame(sample.message, sample.bytes, [UInt8](hex: answer.first ?? ""))
    }
  }
}

/// Finds out whether a message has a map with more than one entry, anywhere.
private final class MapFinder: WireFieldVisitor {
  var found = false

  private func look(_ value: some WireValue) throws(WireError) {
    guard var message = value as? any WireMessage else { return }
    try message.visitFields(self)
  }

  func singular<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {}

  func optional<Value: WireValue>(
    _ field: WireField, _ value: inout Value?
  ) throws(WireError) {
    if let value { try look(value) }
  }

  func repeated<Value: WireValue>(
    _ field: WireField, _ values: inout [Value]
  ) throws(WireError) {
    for value in values { try look(value) }
  }

  func map<Key: WireMapKey, Value: WireValue>(
    _ field: WireField, _ values: inout [Key: Value]
  ) throws(WireError) {
    if values.count > 1 { found = true }
    for value in values.values { try look(value) }
  }

  func choice(
    _ name: String, of members: [WireField], current: Int?
  ) throws(WireError) -> Int? { current }

  func member<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {
    try look(value)
  }
}

import Testing

@testable import AtlasWire

extension WireMessage {
  /// A message with random content, the same for the same seed.
  static func random(seed: UInt64) -> Self {
    var message = Self()
    let filler = RandomFiller(dice: SeededGenerator(seed: seed))
    // The filler refuses nothing.
    try? filler.fill(&message)
    return message
  }
}

/// Fills messages field by field. Values are such that proto3 JSON and other implementations can
/// carry them: no NaN, no negative zero, timestamps of real years, and no map inside an `Any`,
/// whose bytes other implementations order as they like.
final class RandomFiller: WireFieldVisitor {
  var dice: SeededGenerator
  private var depth = 0

  init(dice: SeededGenerator) { self.dice = dice }

  func fill<Message: WireMessage>(_ message: inout Message) throws(WireError) {
    if let special = wellKnown(Message.self) {
      message = special
      return
    }
    depth += 1
    try message.visitFields(self)
    depth -= 1
  }

  private func wellKnown<Message: WireMessage>(_ type: Message.Type) -> Message? {
    switch type {
    case is GoogleProtobuf.Timestamp.Type:
      GoogleProtobuf.Timestamp(
        seconds: .random(in: CivilTime.range, using: &dice), nanos: nanos()) as? Message
    case is GoogleProtobuf.Duration.Type:
      GoogleProtobuf.Duration(
        seconds: .random(in: 0...315_576_000_000, using: &dice), nanos: nanos()) as? Message
    case is GoogleProtobuf.FieldMask.Type:
      GoogleProtobuf.FieldMask(paths: ["name", "update_set.cut_off"]) as? Message
    case is GoogleProtobuf.`Any`.Type:
      GoogleProtobuf.`Any`(packing: GoogleRPC.RetryInfo.random(seed: dice.next())) as? Message
    default: nil
    }
  }

  private func nanos() -> Int32 {
    [0, 250_000_000, 1_000, 123_456_789].randomElement(using: &dice) ?? 0
  }

  // MARK: Fields

  func singular<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {
    if Bool.random(using: &dice) { value = self.value() }
  }

  func optional<Value: WireValue>(
    _ field: WireField, _ value: inout Value?
  ) throws(WireError) {
    value = Bool.random(using: &dice) ? self.value() : nil
  }

  func repeated<Value: WireValue>(
    _ field: WireField, _ values: inout [Value]
  ) throws(WireError) {
    values = []
    for _ in 0..<count() { values.append(value()) }
  }

  func map<Key: WireMapKey, Value: WireValue>(
    _ field: WireField, _ values: inout [Key: Value]
  ) throws(WireError) {
    values = [:]
    for _ in 0..<count() { values[value()] = value() as Value }
  }

  func choice(
    _ name: String, of members: [WireField], current: Int?
  ) throws(WireError) -> Int? {
    Int.random(in: 0...4, using: &dice) == 0 ? nil : members.indices.randomElement(using: &dice)
  }

  func member<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {
    value = self.value()
  }

  private func count() -> Int { depth > 3 ? 0 : .random(in: 0...4, using: &dice) }

  // MARK: Values

  private func value<Value: WireValue>() -> Value {
    let any: any WireValue =
      switch Value.self {
      case is Bool.Type: Bool.random(using: &dice)
      case is String.Type: text()
      case is [UInt8].Type: bytes()
      case is Int32.Type: integer(Int32.self)
      case is Int64.Type: integer(Int64.self)
      case is UInt32.Type: integer(UInt32.self)
      case is UInt64.Type: integer(UInt64.self)
      case is Double.Type: Double(fraction())
      case is Float.Type: fraction()
      case let type as any WireEnum.Type: enumeration(type)
      case let type as any WireMessage.Type: message(type)
      default: Value.zero
      }
    return any as? Value ?? .zero
  }

  private func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer {
    let edges: [Integer] = [.min, .max, 0, 1, 127, .random(in: .min ... .max, using: &dice)]
    return edges.randomElement(using: &dice) ?? 0
  }

  private func fraction() -> Float {
    [0.5, -2.25, 3, 1e10, .infinity, -.infinity, 0.1].randomElement(using: &dice) ?? 1
  }

  private func text() -> String {
    let parts = ["", "a", "LAA-PARIS-DC01", "é", "e\u{301}", "日本", "🚀", "\n\t\u{1}", "\"\\/"]
    return (0..<Int.random(in: 0...3, using: &dice))
      .map { _ in parts.randomElement(using: &dice) ?? "" }.joined()
  }

  private func bytes() -> [UInt8] {
    (0..<Int.random(in: 0...20, using: &dice)).map { _ in .random(in: 0...255, using: &dice) }
  }

  private func enumeration<Value: WireEnum>(_ type: Value.Type) -> Value {
    let known = type.named.map(\.value.rawValue)
    return Value(rawValue: (known + [4711, -99]).randomElement(using: &dice) ?? 0)
  }

  private func message<Message: WireMessage>(_ type: Message.Type) -> Message {
    var message = Message()
    try? fill(&message)
    return message
  }
}

/// Every generated message type, the product's and the fixtures'.
let allMessages: [any WireMessage.Type] = WireRegistry.messages + FixtureRegistry.messages

/// A type as an argument of a parameterized test, shown by its proto name.
struct MessageType: CustomTestStringConvertible, Sendable {
  let type: any WireMessage.Type
  var testDescription: String { type.wireName }

  static let all = allMessages.map(MessageType.init)
}

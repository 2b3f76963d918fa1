/// A JSON document as a value. Numbers keep their text, so that 64-bit integers stay exact; objects
/// keep the order of their members.
package indirect enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number by its text, which follows the grammar of RFC 8259.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// One member of an object.
  package struct Member: Sendable, Hashable {
    package var name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The value of the member `name`; nil if this is no object or has no such member.
  package subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// The error that this is not `expected`.
  func mismatch(_ expected: String) -> WireError {
    WireError(.invalid, "expected \(expected), found \(kind)")
  }
}

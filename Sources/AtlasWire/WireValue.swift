/// A type that a field can hold: the scalars, `String`, `[UInt8]`, enums and messages.
package protocol WireValue: Sendable, Hashable {
  /// What a field without a value holds.
  static var zero: Self { get }

  /// Writes the value as proto3 JSON.
  ///
  /// - Throws: ``WireError`` for the few values that JSON has no form for, such as a timestamp of
  ///   the year 20000.
  func writeJSON(to json: JSONWriter) throws(WireError)

  /// Reads the value from proto3 JSON.
  ///
  /// - Throws: ``WireError`` if `json` is no such value.
  init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError)
}

/// A type that the keys of a map can have.
package protocol WireMapKey: WireValue {
  /// The key as JSON writes it: always a string.
  var mapKeyText: String { get }

  /// Reads a key from JSON; nil if `text` is no such key.
  init?(mapKeyText text: String)

  /// The order in which entries are written.
  static func areInWireOrder(_ a: Self, _ b: Self) -> Bool
}

extension WireMapKey where Self: FixedWidthInteger {
  package var mapKeyText: String { String(self) }
  package init?(mapKeyText text: String) { self.init(text) }
  package static func areInWireOrder(_ a: Self, _ b: Self) -> Bool { a < b }
}

extension Int32: WireMapKey {}
extension Int64: WireMapKey {}
extension UInt32: WireMapKey {}
extension UInt64: WireMapKey {}

extension Bool: WireMapKey {
  package static let zero = false

  package var mapKeyText: String { self ? "true" : "false" }

  package init?(mapKeyText text: String) {
    switch text {
    case "true": self = true
    case "false": self = false
    default: return nil
    }
  }

  package static func areInWireOrder(_ a: Bool, _ b: Bool) -> Bool { !a && b }
}

extension String: WireMapKey {
  package static let zero = ""

  package var mapKeyText: String { self }

  package init?(mapKeyText text: String) { self = text }

  /// By bytes, as the other implementations do it; Swift's own order is by canonical equivalence.
  package static func areInWireOrder(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}

extension Float: WireValue {}
extension Double: WireValue {}

extension Array: WireValue where Element == UInt8 {
  package static var zero: [UInt8] { [] }
}

extension WireEnum {
  package static var zero: Self { Self(rawValue: 0) }
}

extension WireMessage {
  package static var zero: Self { Self() }
}

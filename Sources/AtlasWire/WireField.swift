/// A field's identity, as the `.proto` file gives it.
package struct WireField: Sendable, Hashable {
  /// The number on the wire.
  package let number: Int32

  /// The name in the `.proto` file, such as `update_set`.
  package let name: String

  /// The name in JSON, such as `updateSet`.
  package let jsonName: String

  init(_ number: Int32, _ name: String, json: String) {
    self.number = number
    self.name = name
    jsonName = json
  }
}

/// Something that wants to see, or set, the fields of messages one by one: JSON in both
/// directions, random values in tests.
///
/// Visitors are objects behind an existential, so that the compiler does not write every message
/// out anew for every visitor.
package protocol WireFieldVisitor: AnyObject {
  /// A field without presence: its default means it is not there.
  func singular<Value: WireValue>(_ field: WireField, _ value: inout Value) throws(WireError)

  /// A field with presence.
  func optional<Value: WireValue>(_ field: WireField, _ value: inout Value?) throws(WireError)

  /// A repeated field.
  func repeated<Value: WireValue>(_ field: WireField, _ values: inout [Value]) throws(WireError)

  /// A map.
  func map<Key: WireMapKey, Value: WireValue>(
    _ field: WireField, _ values: inout [Key: Value]) throws(WireError)

  /// Asks which member of a oneof shall be set; ``member(_:_:)`` follows for that one.
  ///
  /// - Parameters:
  ///   - name: the oneof's name.
  ///   - members: its fields.
  ///   - current: the index of the one that is set.
  /// - Returns: an index into `members`, or nil for none.
  func choice(
    _ name: String, of members: [WireField], current: Int?
  ) throws(WireError) -> Int?

  /// The chosen member of a oneof.
  func member<Value: WireValue>(_ field: WireField, _ value: inout Value) throws(WireError)
}

extension WireMessage {
  package func writeJSON(to json: JSONWriter) throws(WireError) {
    try FieldWriter.write(self, to: json)
  }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    self.init()
    var message: any WireMessage = self
    try FieldReader.read(json, into: &message, options: options)
    self = message as? Self ?? self
  }
}

/// Writes fields as members of an object.
private final class FieldWriter: WireFieldVisitor {
  private let json: JSONWriter

  private init(_ json: JSONWriter) { self.json = json }

  @inline(never)
  static func write(_ message: any WireMessage, to json: JSONWriter) throws(WireError) {
    var message = message
    try json.object { () throws(WireError) in try message.visitFields(FieldWriter(json)) }
  }

  func singular<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {
    if value != .zero || json.options.includesDefaults { try member(field, &value) }
  }

  func optional<Value: WireValue>(
    _ field: WireField, _ value: inout Value?
  ) throws(WireError) {
    if var value { try member(field, &value) }
  }

  func repeated<Value: WireValue>(
    _ field: WireField, _ values: inout [Value]
  ) throws(WireError) {
    if values.isEmpty, !json.options.includesDefaults { return }
    name(field)
    try json.array { [values] () throws(WireError) in
      for (index, value) in values.enumerated() {
        do throws(WireError) {
          try value.writeJSON(to: json)
        } catch {
          throw error.inside("[\(index)]").inside(field.name)
        }
      }
    }
  }

  func map<Key: WireMapKey, Value: WireValue>(
    _ field: WireField, _ values: inout [Key: Value]
  ) throws(WireError) {
    if values.isEmpty, !json.options.includesDefaults { return }
    name(field)
    try json.object { [values] () throws(WireError) in
      for (key, value) in values.sorted(by: { Key.areInWireOrder($0.key, $1.key) }) {
        json.name(key.mapKeyText)
        do throws(WireError) {
          try value.writeJSON(to: json)
        } catch {
          throw error.inside("[\"\(key.mapKeyText)\"]").inside(field.name)
        }
      }
    }
  }

  func choice(
    _ name: String, of members: [WireField], current: Int?
  ) throws(WireError) -> Int? { current }

  func member<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {
    name(field)
    do {
      try value.writeJSON(to: json)
    } catch {
      throw error.inside(field.name)
    }
  }

  private func name(_ field: WireField) {
    json.name(json.options.usesProtoNames ? field.name : field.jsonName)
  }
}

/// Sets fields from the members of an object; members that no field takes are unknown.
private final class FieldReader: WireFieldVisitor {
  private var members: [String: JSONValue]
  private let options: WireJSON.DecodingOptions

  private init(_ members: [JSONValue.Member], options: WireJSON.DecodingOptions) {
    self.members = Dictionary(members.map { ($0.name, $0.value) }) { _, last in last }
    self.options = options
  }

  /// Sets the fields of `message` that `json` has.
  @inline(never)
  static func read(
    _ json: JSONValue, into message: inout any WireMessage, options: WireJSON.DecodingOptions
  ) throws(WireError) {
    guard case .object(let members) = json else { throw json.mismatch("an object") }
    let reader = FieldReader(members, options: options)
    try message.visitFields(reader)
    if options.ignoresUnknownFields { return }
    guard let rest = members.first(where: { reader.members[$0.name] != nil }) else { return }
    throw WireError(.invalid, "unknown field", field: rest.name)
  }

  /// The member of this field under either of its names; nil for `null`, which means the default.
  private func take(_ field: WireField) throws(WireError) -> JSONValue? {
    let json = members.removeValue(forKey: field.jsonName)
    let proto =
      field.name == field.jsonName ? nil : members.removeValue(forKey: field.name)
    if json != nil, proto != nil {
      throw WireError(.invalid, "comes under both of its names", field: field.name)
    }
    guard let value = json ?? proto, value != .null else { return nil }
    return value
  }

  private func decode<Value: WireValue>(
    _ json: JSONValue, at path: String...
  ) throws(WireError) -> Value {
    do {
      return try Value(json: json, options: options)
    } catch {
      throw path.reversed().reduce(error) { $0.inside($1) }
    }
  }

  func singular<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {
    if let json = try take(field) { value = try decode(json, at: field.name) }
  }

  func optional<Value: WireValue>(
    _ field: WireField, _ value: inout Value?
  ) throws(WireError) {
    if let json = try take(field) { value = try decode(json, at: field.name) as Value }
  }

  func repeated<Value: WireValue>(
    _ field: WireField, _ values: inout [Value]
  ) throws(WireError) {
    guard let json = try take(field) else { return }
    guard case .array(let elements) = json else {
      throw json.mismatch("an array").inside(field.name)
    }
    values.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      values.append(try decode(element, at: field.name, "[\(index)]"))
    }
  }

  func map<Key: WireMapKey, Value: WireValue>(
    _ field: WireField, _ values: inout [Key: Value]
  ) throws(WireError) {
    guard let json = try take(field) else { return }
    guard case .object(let entries) = json else {
      throw json.mismatch("an object").inside(field.name)
    }
    for entry in entries {
      let place = "[\"\(entry.name)\"]"
      guard let key = Key(mapKeyText: entry.name) else {
        throw WireError(.invalid, "not a key of this map", field: field.name + place)
      }
      values[key] = try decode(entry.value, at: field.name, place) as Value
    }
  }

  func choice(
    _ name: String, of candidates: [WireField], current: Int?
  ) throws(WireError) -> Int? {
    let present = candidates.indices.filter { index in
      [candidates[index].jsonName, candidates[index].name].contains { name in
        members[name].map { $0 != .null } ?? false
      }
    }
    if present.count > 1 {
      let names = present.map { candidates[$0].name }.joined(separator: " and ")
      throw WireError(.invalid, "only one may be set, found \(names)", field: name)
    }
    if present.isEmpty { for field in candidates { _ = try take(field) } }
    return present.first
  }

  func member<Value: WireValue>(
    _ field: WireField, _ value: inout Value
  ) throws(WireError) {
    try singular(field, &value)
  }
}

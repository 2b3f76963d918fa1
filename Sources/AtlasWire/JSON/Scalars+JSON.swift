extension Bool {
  package func writeJSON(to json: JSONWriter) { json.literal(mapKeyText) }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard case .bool(let value) = json else { throw json.mismatch("true or false") }
    self = value
  }
}

extension String {
  package func writeJSON(to json: JSONWriter) { json.string(self) }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard case .string(let value) = json else { throw json.mismatch("a string") }
    self = value
  }
}

// MARK: Integers

extension WireMapKey where Self: FixedWidthInteger {
  /// 32 bits as a number, 64 bits as a string: many readers keep numbers as doubles.
  package func writeJSON(to json: JSONWriter) {
    if Self.bitWidth == 64 { json.string(String(self)) } else { json.literal(String(self)) }
  }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    switch json {
    case .number(let text), .string(let text):
      guard let value = Self(jsonNumber: text) else {
        throw WireError(.invalid, "'\(text.prefix(40))' is not \(Self.range)")
      }
      self = value
    default: throw json.mismatch("an integer")
    }
  }

  private static var range: String { "an integer from \(Self.min) to \(Self.max)" }

  /// Also takes `1.0` and `1e3`, which the format allows if the value is a whole number.
  private init?(jsonNumber text: String) {
    if let value = Self(text), text.first != "+" {
      self = value
      return
    }
    guard text.contains(where: { ".eE".contains($0) }), let number = Double(jsonNumber: text),
      let value = Self(exactly: number)
    else { return nil }
    self = value
  }
}

// MARK: Floating point

extension Double {
  package func writeJSON(to json: JSONWriter) { json.floatingPoint(self) }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard let value = try json.floatingPoint() else { throw json.mismatch("a number") }
    self = value
  }

  /// A number as JSON writes it: unlike Swift's own initializer, no hexadecimal, no `nan`, no `+`.
  fileprivate init?(jsonNumber text: String) {
    guard let first = text.utf8.first, first != UInt8(ascii: "+"),
      text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) })
    else { return nil }
    self.init(text)
  }
}

extension Float {
  package func writeJSON(to json: JSONWriter) { json.floatingPoint(self) }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard let value = try json.floatingPoint() else { throw json.mismatch("a number") }
    self = Float(value)
    if isInfinite, value.isFinite { throw WireError(.invalid, "too big for a float") }
  }
}

extension JSONWriter {
  /// The shortest text that reads back as the same value; the values JSON lacks as strings.
  fileprivate func floatingPoint<Value: BinaryFloatingPoint & LosslessStringConvertible>(
    _ value: Value
  ) {
    if value.isNaN {
      string("NaN")
    } else if value.isInfinite {
      string(value < 0 ? "-Infinity" : "Infinity")
    } else {
      let text = String(value)
      literal(text.hasSuffix(".0") ? text.dropLast(2) : text[...])
    }
  }
}

extension JSONValue {
  /// The number here; nil if this is no number at all.
  fileprivate func floatingPoint() throws(WireError) -> Double? {
    switch self {
    case .string("NaN"): return .nan
    case .string("Infinity"): return .infinity
    case .string("-Infinity"): return -.infinity
    case .number(let text), .string(let text):
      guard let value = Double(jsonNumber: text) else { return nil }
      if value.isInfinite { throw WireError(.invalid, "too big for a double") }
      return value
    default: return nil
    }
  }
}

// MARK: Enums

extension WireEnum {
  /// By name; a number that this version does not know stays a number.
  package func writeJSON(to json: JSONWriter) {
    if let name = wireName { json.string(name) } else { json.literal(String(rawValue)) }
  }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    switch json {
    case .string(let name):
      guard let value = Self(wireName: name) else {
        throw WireError(
          .invalid, "'\(name.prefix(40))' is not a value of \(Self.wireName)")
      }
      self = value
    case .number: self.init(rawValue: try Int32(json: json, options: options))
    default: throw json.mismatch("a name or number of \(Self.wireName)")
    }
  }
}

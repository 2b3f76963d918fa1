extension JSONValue {
  /// Parses a JSON document (RFC 8259, UTF-8, nothing after it).
  ///
  /// Foundation's parser is not used: it turns numbers into doubles, takes duplicate names, and
  /// its depth is not ours to set.
  ///
  /// - Throws: ``WireError``: `tooLarge` beyond the limits; `invalid` for what is not JSON, for an
  ///   object with the same name twice, and for a string with NUL.
  package init(parsing bytes: [UInt8], limits: WireLimits = .standard) throws(WireError) {
    guard bytes.count <= limits.jsonBytes else {
      throw WireError(
        .tooLarge, "\(bytes.count) bytes of JSON are more than the \(limits.jsonBytes) allowed")
    }
    var parser = JSONParser(bytes, depthLimit: limits.jsonDepth)
    self = try parser.document()
  }
}

/// A recursive descent over the bytes; the depth is bounded.
private struct JSONParser {
  private let bytes: [UInt8]
  private let depthLimit: Int
  private var position = 0
  private var depth = 0

  init(_ bytes: [UInt8], depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  mutating func document() throws(WireError) -> JSONValue {
    let value = try value()
    skipSpace()
    if position < bytes.count { throw error("text after the end of the document") }
    return value
  }

  // MARK: Values

  private mutating func value() throws(WireError) -> JSONValue {
    skipSpace()
    guard let byte = peek else { throw error("the document ends early") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(WireError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(WireError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw error("expected a value")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(WireError) -> JSONValue
  ) throws(WireError) -> JSONValue {
    depth += 1
    guard depth <= depthLimit else {
      throw WireError(.tooLarge, "JSON nested deeper than \(depthLimit) levels")
    }
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(WireError) -> JSONValue {
    var members: [JSONValue.Member] = []
    var names: Set<String> = []
    if takeAfterSpace("}") { return .object([]) }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw error("expected a name in quotes") }
      let name = try string()
      guard names.insert(name).inserted else { throw error("the name \"\(name)\" comes twice") }
      guard takeAfterSpace(":") else { throw error("expected ':'") }
      members.append(JSONValue.Member(name, try value()))
    } while takeAfterSpace(",")
    guard takeAfterSpace("}") else { throw error("expected ',' or '}'") }
    return .object(members)
  }

  private mutating func array() throws(WireError) -> JSONValue {
    var elements: [JSONValue] = []
    if takeAfterSpace("]") { return .array([]) }
    repeat { elements.append(try value()) } while takeAfterSpace(",")
    guard takeAfterSpace("]") else { throw error("expected ',' or ']'") }
    return .array(elements)
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(WireError)
    -> JSONValue
  {
    let end = position + text.utf8CodeUnitCount
    let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    guard end <= bytes.count, bytes[position..<end].elementsEqual(expected) else {
      throw error("expected a value")
    }
    position = end
    return value
  }

  // MARK: Numbers

  /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
  private mutating func number() throws(WireError) -> String {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(WireError) {
    let start = position
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    if position == start { throw error("expected a digit") }
  }

  // MARK: Strings

  private mutating func string() throws(WireError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw error("a string is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"):
        text.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20:
        throw error("a control character in a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw error("a string without end")
  }

  private mutating func escape() throws(WireError) -> Unicode.Scalar {
    position += 1
    guard let byte = peek else { throw error("a string without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("an unknown escape")
    }
  }

  private mutating func unicodeEscape() throws(WireError) -> Unicode.Scalar {
    let first = try hexadecimal()
    if first == 0 { throw error("NUL in a string") }
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first), take("\\"), take("u") else {
      throw error("half a surrogate pair")
    }
    let second = try hexadecimal()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error("half a surrogate pair") }
    return scalar
  }

  private mutating func hexadecimal() throws(WireError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  // MARK: Bytes

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func takeAfterSpace(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    return take(character)
  }

  private func error(_ reason: String) -> WireError {
    WireError(.invalid, "not JSON: \(reason) (byte \(position))")
  }
}

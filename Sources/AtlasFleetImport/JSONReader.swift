/// Reads JSON (RFC 8259) into a tree of texts with line numbers, which Foundation's reader lacks.
struct JSONReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var line = 1
  private var budget = ImportLimits.nodes

  /// - Throws: ``SourceError`` with the line of the first thing that is not JSON.
  static func read(_ bytes: [UInt8]) throws(SourceError) -> SourceNode {
    var reader = JSONReader(try SourceText.checked(bytes, limit: ImportLimits.treeBytes))
    let root = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == reader.bytes.endIndex else {
      throw reader.error("something follows the end of the document")
    }
    return root
  }

  private init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  private mutating func value(depth: Int) throws(SourceError) -> SourceNode {
    skipSpace()
    budget -= 1
    guard depth < ImportLimits.depth, budget > 0 else { throw error("the file holds too much") }
    let begin = line
    switch peek {
    case UInt8(ascii: "{"): return SourceNode(kind: .map(try entries(depth)), line: begin)
    case UInt8(ascii: "["): return SourceNode(kind: .list(try items(depth)), line: begin)
    case UInt8(ascii: "\""): return SourceNode(kind: .scalar(try string()), line: begin)
    case _: return SourceNode(kind: try word(), line: begin)
    }
  }

  private mutating func entries(_ depth: Int) throws(SourceError) -> [SourceNode.Entry] {
    var entries: [SourceNode.Entry] = []
    var keys: Set<String> = []
    position += 1
    guard !skip("}") else { return [] }
    repeat {
      skipSpace()
      let keyLine = line
      guard peek == UInt8(ascii: "\"") else { throw error("a key in quotes is missing") }
      let key = try string()
      guard keys.insert(key).inserted else { throw error("the key “\(key)” is written twice") }
      guard skip(":") else { throw error("a “:” is missing after “\(key)”") }
      entries.append(SourceNode.Entry(key: key, line: keyLine, value: try value(depth: depth + 1)))
    } while skip(",")
    guard skip("}") else { throw error("a “,” or “}” is missing") }
    return entries
  }

  private mutating func items(_ depth: Int) throws(SourceError) -> [SourceNode] {
    var items: [SourceNode] = []
    position += 1
    guard !skip("]") else { return [] }
    repeat { items.append(try value(depth: depth + 1)) } while skip(",")
    guard skip("]") else { throw error("a “,” or “]” is missing") }
    return items
  }

  /// `null`, `true`, `false` or a number; the latter are left as texts.
  private mutating func word() throws(SourceError) -> SourceNode.Kind {
    let word = bytes[position...].prefix { byte in
      !(byte <= 0x20 || ",:]}[{\"".utf8.contains(byte))
    }
    position += word.count
    let text = String(decoding: word, as: UTF8.self)
    if text == "null" { return .null }
    guard text == "true" || text == "false" || Self.isNumber(word) else {
      throw error(text.isEmpty ? "a value is missing" : "“\(text.prefix(40))” is not a value")
    }
    return .scalar(text)
  }

  /// `-12.5e+3`: no leading zeros, and digits on both sides of a point.
  private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
    var rest = word
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    let first = rest.first
    let whole = skipDigits(&rest)
    guard whole == 1 || (whole > 1 && first != UInt8(ascii: "0")) else { return false }
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard skipDigits(&rest) > 0 else { return false }
    }
    if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
      rest.removeFirst()
      if let sign = rest.first, "+-".utf8.contains(sign) { rest.removeFirst() }
      guard skipDigits(&rest) > 0 else { return false }
    }
    return rest.isEmpty
  }

  private static func skipDigits(_ rest: inout ArraySlice<UInt8>) -> Int {
    let count = rest.prefix { $0.isDigit }.count
    rest = rest.dropFirst(count)
    return count
  }
}

// MARK: - Strings

extension JSONReader {
  private mutating func string() throws(SourceError) -> String {
    var content: [UInt8] = []
    position += 1
    while let byte = peek, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw error("a line break or control character is in a string") }
      guard content.count < ImportLimits.fieldBytes else {
        throw error("a value is longer than \(ImportLimits.fieldBytes) bytes")
      }
      position += 1
      if byte == UInt8(ascii: "\\") {
        content += Array(String(try escaped()).utf8)
      } else {
        content.append(byte)
      }
    }
    guard peek != nil else { throw error("a string does not end") }
    position += 1
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func escaped() throws(SourceError) -> Unicode.Scalar {
    guard let letter = peek else { throw error("a string does not end") }
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicode()
    case _: throw error("an unknown escape is in a string")
    }
  }

  /// `\u20ac`, or a pair of surrogates for what lies beyond U+FFFF.
  private mutating func unicode() throws(SourceError) -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard
      (0xd800...0xdbff).contains(first), bytes[position...].starts(with: "\\u".utf8)
    else { throw error("half a character is in a string") }
    position += 2
    let second = try hexadecimal()
    guard
      (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw error("half a character is in a string") }
    return scalar
  }

  private mutating func hexadecimal() throws(SourceError) -> UInt32 {
    let digits = bytes[position...].prefix(4)
    guard
      digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("an unknown escape is in a string") }
    position += 4
    return number
  }
}

// MARK: - Reading on

extension JSONReader {
  private var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) {
      if byte == 0x0a { line += 1 }
      position += 1
    }
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private func error(_ message: String) -> SourceError {
    SourceError(line: line, message: "this is not JSON: \(message)")
  }
}

/// Writes JSON text. Commas and line breaks are its own business.
///
/// An object, because everything that writes shares one growing text.
package final class JSONWriter {
  /// What was asked for.
  package let options: WireJSON.EncodingOptions

  /// The text so far, in UTF-8.
  package private(set) var bytes: [UInt8] = []

  private var depth = 0
  private var needsComma = false
  private var isAfterName = false

  package init(options: WireJSON.EncodingOptions = .init()) { self.options = options }

  // MARK: Structure

  /// Writes an object; `body` writes its members.
  package func object(
    _ body: () throws(WireError) -> Void
  ) throws(WireError) {
    try container("{", "}", body)
  }

  /// Writes an array; `body` writes its elements.
  package func array(
    _ body: () throws(WireError) -> Void
  ) throws(WireError) {
    try container("[", "]", body)
  }

  /// Writes a member's name; its value must follow.
  package func name(_ name: String) {
    startValue()
    quoted(name)
    append(options.isPretty ? ": " : ":")
    isAfterName = true
  }

  private func container(
    _ open: StaticString, _ close: StaticString,
    _ body: () throws(WireError) -> Void
  ) throws(WireError) {
    startValue()
    append(open)
    needsComma = false
    depth += 1
    try body()
    depth -= 1
    if needsComma { newLine() }
    append(close)
    needsComma = true
  }

  private func startValue() {
    if isAfterName {
      isAfterName = false
      return
    }
    if needsComma { append(",") }
    if depth > 0 { newLine() }
    needsComma = true
  }

  private func newLine() {
    guard options.isPretty else { return }
    append("\n")
    for _ in 0..<depth { append("  ") }
  }

  // MARK: Values

  /// Writes `null`, `true`, `false`, or a number, by its text.
  package func literal(_ text: some StringProtocol) {
    startValue()
    bytes.append(contentsOf: text.utf8)
  }

  /// Writes a string.
  package func string(_ text: String) {
    startValue()
    quoted(text)
  }

  /// Writes a whole JSON value.
  package func value(_ value: JSONValue) throws(WireError) {
    switch value {
    case .null: literal("null")
    case .bool(let bool): literal(bool ? "true" : "false")
    case .number(let text): literal(text)
    case .string(let text): string(text)
    case .array(let elements):
      try array { () throws(WireError) in
        for element in elements { try self.value(element) }
      }
    case .object(let members):
      try object { () throws(WireError) in
        for member in members {
          name(member.name)
          try self.value(member.value)
        }
      }
    }
  }

  /// Copies runs of ordinary bytes at once.
  private func quoted(_ text: String) {
    append("\"")
    var text = text
    text.withUTF8 { utf8 in
      var start = utf8.startIndex
      for index in utf8.indices where Self.isEscaped(utf8[index]) {
        bytes.append(contentsOf: utf8[start..<index])
        escape(utf8[index])
        start = index + 1
      }
      bytes.append(contentsOf: utf8[start...])
    }
    append("\"")
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
  }

  private func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case UInt8(ascii: "\n"): append("\\n")
    case UInt8(ascii: "\r"): append("\\r")
    case UInt8(ascii: "\t"): append("\\t")
    default: control(byte)
    }
  }

  /// JSON asks for this below U+0020; DEL does not belong on a terminal either.
  private func control(_ byte: UInt8) {
    let digits = Array("0123456789abcdef".utf8)
    append("\\u00")
    bytes.append(digits[Int(byte >> 4)])
    bytes.append(digits[Int(byte & 15)])
  }

  private func append(_ text: StaticString) {
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}

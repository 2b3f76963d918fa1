import AtlasWire

/// Writes JSON values as YAML 1.2, block style. Whatever is not plainly a word goes into double
/// quotes, whose escapes are those of JSON; so readers of YAML 1.1 see the same values.
enum YAMLWriter {
  static func text(of value: JSONValue) throws(Failure) -> String {
    switch value {
    case .object(let members) where !members.isEmpty: try block(members, depth: 0)
    case .array(let elements) where !elements.isEmpty: try block(elements, depth: 0)
    case .null, .bool, .number, .string, .array, .object: try scalar(value) + "\n"
    }
  }

  private static func block(
    _ members: [JSONValue.Member], depth: Int, firstIsIndented: Bool = true
  ) throws(Failure) -> String {
    var text = ""
    for (index, member) in members.enumerated() {
      if index > 0 || firstIsIndented { text += indent(depth) }
      text += try scalar(.string(member.name)) + ":"
      text += try nested(member.value, depth: depth + 1)
    }
    return text
  }

  private static func block(_ elements: [JSONValue], depth: Int) throws(Failure) -> String {
    var text = ""
    for element in elements {
      text += indent(depth) + "-"
      if case .object(let members) = element, !members.isEmpty {
        text += " " + (try block(members, depth: depth + 1, firstIsIndented: false))
      } else {
        text += try nested(element, depth: depth + 1)
      }
    }
    return text
  }

  /// What follows a name or a dash.
  private static func nested(_ value: JSONValue, depth: Int) throws(Failure) -> String {
    switch value {
    case .object(let members) where !members.isEmpty:
      "\n" + (try block(members, depth: depth))
    case .array(let elements) where !elements.isEmpty:
      "\n" + (try block(elements, depth: depth))
    case .null, .bool, .number, .string, .array, .object:
      " " + (try scalar(value)) + "\n"
    }
  }

  private static func scalar(_ value: JSONValue) throws(Failure) -> String {
    if case .string(let text) = value, isPlain(text) { return text }
    return try value.text(pretty: false)
  }

  private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  /// A word, or several, that no reader of YAML takes for anything else.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, first.isLetter, text.utf8.last != UInt8(ascii: " ") else {
      return false
    }
    return text.utf8.allSatisfy(\.isPlain) && !reserved.contains(text.lowercased())
  }

  private static let reserved: Set<String> = [
    "true", "false", "null", "yes", "no", "on", "off", "y", "n",
  ]
}

extension UInt8 {
  fileprivate var isLetter: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
  }

  fileprivate var isPlain: Bool {
    isLetter || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || " _-./@+()".utf8.contains(self)
  }
}

/// Writes single values of YAML so that every reader takes them for the same text.
enum YAMLText {
  /// Bare where that is safe, else in double quotes.
  static func scalar(_ text: String) -> String {
    isSafe(text) ? text : quoted(text)
  }

  /// `[a, b]`, for short lists.
  static func list(_ texts: [String]) -> String {
    "[\(texts.map { scalar($0) }.joined(separator: ", "))]"
  }

  /// Words of letters, digits and harmless marks that no version of YAML takes for a number, a
  /// truth value or nothing.
  private static func isSafe(_ text: String) -> Bool {
    guard
      let first = text.utf8.first, text.utf8.count <= 512, text.last != " ", !text.contains("  ")
    else { return false }
    let startsWithLetter = (0x41...0x5a).contains(first | 0x20 == first ? first & 0xdf : first)
    let isHarmless = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || " -_./@+;=|".utf8.contains(byte)
    }
    return startsWithLetter && isHarmless && !words.contains(text.lowercased())
  }

  private static let words: Set<String> = [
    "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf",
  ]

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case _ where isEscaped(scalar):
        let digits = String(scalar.value, radix: 16, uppercase: true)
        quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      case _: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  /// What YAML does not allow or would fold: controls, other line breaks, byte order marks.
  private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1f, 0x7f...0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff: true
    case _: false
    }
  }
}

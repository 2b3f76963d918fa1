/// Help as the argument parser makes it, in an order and at a width that are easy to read.
enum HelpText {
  /// Wider lines are hard to follow, however wide the terminal is.
  static func width(of columns: Int?) -> Int { min(max(columns ?? 80, 40), 100) }

  /// What a verb itself takes comes first, and what all of them take last.
  static func arranged(_ text: String, width: Int) -> String {
    var sections = sections(of: text)
    if let common = sections.firstIndex(where: { $0.first == "GLOBAL OPTIONS:" }),
      let own = sections.firstIndex(where: { $0.first == "OPTIONS:" }), common < own
    {
      sections.insert(sections.remove(at: common), at: own)
    }
    return sections.map { section in
      section.map { usage($0, width: width) ?? $0 }.joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  /// The lines before the first heading, then those of each heading; without the empty ones at the
  /// end.
  private static func sections(of text: String) -> [[String]] {
    var sections: [[String]] = [[]]
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isHeading = line.hasSuffix(":") && line == line.uppercased() && line.first != " "
      if isHeading { sections.append([]) }
      sections[sections.count - 1].append(String(line))
    }
    return sections.map { section in
      Array(section.prefix((section.lastIndex { !$0.isEmpty } ?? -1) + 1))
    }
  }

  /// A line with the usage, wrapped between options; nil for other lines.
  private static func usage(_ line: String, width: Int) -> String? {
    let head = "USAGE: "
    guard line.hasPrefix(head) else { return nil }
    let all = parts(of: line.dropFirst(head.count))
    var own = all.filter { part in !common.contains { part.hasPrefix("[\($0)") } }
    if own.count < all.count { own.append("[<global options>]") }
    let indent = String(repeating: " ", count: head.count)
    var lines = [head]
    for part in own {
      let last = lines[lines.count - 1]
      let isFirst = last.count == head.count
      if isFirst || last.count + 1 + part.count <= width {
        lines[lines.count - 1] += (isFirst ? "" : " ") + part
      } else {
        lines.append(indent + part)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The words of a usage; what is in brackets, and an option with its value, is one.
  private static func parts(of usage: Substring) -> [String] {
    var parts: [String] = []
    var depth = 0
    for word in usage.split(separator: " ") {
      let isValue = word.hasPrefix("<") && parts.last?.hasPrefix("--") == true
      if depth > 0 || isValue {
        parts[parts.count - 1] += " \(word)"
      } else {
        parts.append(String(word))
      }
      depth += word.count { $0 == "[" } - word.count { $0 == "]" }
    }
    return parts
  }

  /// The options of ``GlobalOptions``.
  private static let common = [
    "--address", "--context", "--output", "--time ", "--timeout", "--no-color",
  ]
}

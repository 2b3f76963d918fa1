/// The part of YAML that the program's own configuration needs: mappings in block style whose values
/// are mappings or one-line texts, comments, quotes. Anything else is an error with its line.
enum PlainYAML {
  /// One `name: value`.
  struct Entry: Sendable, Hashable {
    enum Value: Sendable, Hashable {
      case text(String)
      case children([Entry])
    }

    var line: Int
    var name: String
    var value: Value
  }

  /// What is wrong, and in which line, from 1.
  struct Problem: Error, Sendable, Hashable {
    var line: Int
    var message: String
  }

  /// Reads a document.
  ///
  /// - Throws: ``Problem``.
  static func parse(_ text: String) throws(Problem) -> [Entry] {
    var rows: [Row] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if let row = try Row(line, number: index + 1) { rows.append(row) }
    }
    var rest = rows[...]
    let entries = try block(&rest, indent: 0)
    if let row = rest.first { throw Problem(line: row.number, message: "the indentation is wrong") }
    return entries
  }

  fileprivate struct Row {
    var number: Int
    var indent: Int
    var name: String
    /// Empty for a nested mapping.
    var value: String?
  }

  /// The entries that are indented by exactly `indent`.
  private static func block(
    _ rows: inout ArraySlice<Row>, indent: Int
  ) throws(Problem) -> [Entry] {
    var entries: [Entry] = []
    while let row = rows.first, row.indent == indent {
      rows.removeFirst()
      if entries.contains(where: { $0.name == row.name }) {
        throw Problem(line: row.number, message: "“\(row.name)” comes twice")
      }
      let value: Entry.Value
      if let text = row.value {
        value = .text(text)
      } else if let next = rows.first, next.indent > indent {
        value = .children(try block(&rows, indent: next.indent))
      } else {
        value = .children([])
      }
      entries.append(Entry(line: row.number, name: row.name, value: value))
    }
    return entries
  }
}

extension PlainYAML.Entry {
  /// The value as text.
  func text() throws(PlainYAML.Problem) -> String {
    guard case .text(let text) = value else { throw problem("“\(name)” needs a text") }
    return text
  }

  /// The value as a mapping.
  func children() throws(PlainYAML.Problem) -> [Self] {
    guard case .children(let children) = value else {
      throw problem("“\(name)” needs indented lines below it")
    }
    return children
  }

  func problem(_ message: String) -> PlainYAML.Problem {
    PlainYAML.Problem(line: line, message: message)
  }
}

extension PlainYAML.Row {
  /// Nil for a line without content.
  fileprivate init?(_ line: Substring, number: Int) throws(PlainYAML.Problem) {
    let content = line.drop { $0 == " " }
    guard let first = content.first, first != "#", first != "\r" else { return nil }
    func problem(_ message: String) -> PlainYAML.Problem {
      PlainYAML.Problem(line: number, message: message)
    }
    if first == "\t" { throw problem("use spaces, not tabs, to indent") }
    var scanner = PlainYAML.Scanner(content)
    guard let name = scanner.scalar(until: ":"), scanner.take(":"), !name.isEmpty else {
      throw problem("expected “name: value”")
    }
    scanner.skipSpaces()
    guard let value = scanner.scalar(until: nil), scanner.isAtEnd else {
      throw problem("this value is more than this program reads; use one word or quotes")
    }
    if !scanner.wasQuoted, let mark = value.first, "[{&*!|>%@`-?".contains(mark) {
      throw problem("this value is more than this program reads; use one word or quotes")
    }
    self.init(
      number: number, indent: line.count - content.count, name: name,
      value: value.isEmpty && !scanner.wasQuoted || value == "{}" ? nil : value)
  }
}

extension PlainYAML {
  /// Reads scalars of one line.
  fileprivate struct Scanner {
    private var rest: Substring
    /// Whether the last scalar was in quotes.
    private(set) var wasQuoted = false

    init(_ text: Substring) { rest = text }

    /// Nothing but space and a comment is left.
    var isAtEnd: Bool {
      let content = rest.drop { $0 == " " || $0 == "\r" }
      return content.isEmpty || content.first == "#"
    }

    mutating func take(_ character: Character) -> Bool {
      guard rest.first == character else { return false }
      rest.removeFirst()
      return true
    }

    mutating func skipSpaces() { rest = rest.drop { $0 == " " } }

    /// A text in quotes, or everything up to `end` or a comment.
    mutating func scalar(until end: Character?) -> String? {
      if take("\"") { return quoted("\"", escape: "\\") }
      if take("'") { return quoted("'", escape: "'") }
      wasQuoted = false
      var text = ""
      while let character = rest.first, character != end, character != "\r" {
        if character == "#", text.isEmpty || text.last == " " { break }
        text.append(character)
        rest.removeFirst()
      }
      while text.last == " " { text.removeLast() }
      return text
    }

    /// The escapes are a doubled quote in single quotes; `\\` and `\"` in double ones.
    private mutating func quoted(_ quote: Character, escape: Character) -> String? {
      wasQuoted = true
      var text = ""
      while let character = rest.popFirst() {
        if character == escape, let next = rest.first, next == quote || next == escape {
          text.append(next)
          rest.removeFirst()
        } else if character == quote {
          return text
        } else if character == escape {
          return nil
        } else {
          text.append(character)
        }
      }
      return nil
    }
  }
}

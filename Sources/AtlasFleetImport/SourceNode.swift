/// A value of a YAML or JSON file, with the line it begins on.
struct SourceNode: Sendable {
  enum Kind: Sendable {
    case null
    /// Numbers and truth values are texts too: the field decides how to read them.
    case scalar(String)
    case list([SourceNode])
    case map([Entry])
  }

  struct Entry: Sendable {
    let key: String
    /// The line of the key.
    let line: Int
    let value: SourceNode
  }

  let kind: Kind
  let line: Int

  var entries: [Entry]? {
    if case .map(let entries) = kind { entries } else { nil }
  }

  var items: [SourceNode]? {
    if case .list(let items) = kind { items } else { nil }
  }

  var scalar: String? {
    if case .scalar(let text) = kind { text } else { nil }
  }

  var isNull: Bool {
    if case .null = kind { true } else { false }
  }

  /// What it is, for messages: “a list”.
  var description: String {
    switch kind {
    case .null: "nothing"
    case .scalar(let text): "“\(text)”"
    case .list: "a list"
    case .map: "a group of keys"
    }
  }

  subscript(key: String) -> SourceNode? {
    entries?.first { $0.key == key }?.value
  }
}

/// Why a file cannot be read at all.
struct SourceError: Error, Hashable {
  var line: Int
  var message: String
  var hint = ""
}

/// What every reader does to the bytes first.
enum SourceText {
  /// Without a byte order mark.
  /// - Throws: ``SourceError`` when the bytes are not UTF-8, with the first bad line.
  static func checked(_ bytes: [UInt8], limit: Int) throws(SourceError) -> ArraySlice<UInt8> {
    guard bytes.count <= limit else {
      throw SourceError(
        line: 0, message: "the file has \(bytes.count) bytes",
        hint: "at most \(limit) are read; divide it")
    }
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw SourceError(line: 1, message: "the file is UTF-16", hint: "save it as UTF-8")
    }
    let body = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
    guard String(validating: body, as: UTF8.self) != nil else {
      throw SourceError(
        line: firstBadLine(body), message: "the file is not UTF-8", hint: "save it as UTF-8")
    }
    return body
  }

  private static func firstBadLine(_ bytes: ArraySlice<UInt8>) -> Int {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
    return (bad ?? 0) + 1
  }
}

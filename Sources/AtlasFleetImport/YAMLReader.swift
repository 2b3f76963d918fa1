import AtlasModel
import Yams

/// Reads a YAML file into a tree of texts, refusing what has no place in one.
enum YAMLReader {
  /// - Throws: ``SourceError`` with the line that the parser stopped at.
  static func read(_ bytes: [UInt8]) throws(SourceError) -> SourceNode {
    let body = try SourceText.checked(bytes, limit: ImportLimits.treeBytes)
    try refuseAliases(body)
    let root: Node?
    do {
      // The basic resolver leaves every scalar the text it is, and compares keys as texts.
      root = try Yams.compose(yaml: String(decoding: body, as: UTF8.self), .basic)
    } catch {
      throw SourceError(error)
    }
    guard let root else { return SourceNode(kind: .null, line: 1) }
    var budget = ImportLimits.nodes
    return try convert(root, depth: 0, line: 1, &budget)
  }

  private static func convert(
    _ node: Node, depth: Int, line: Int, _ budget: inout Int
  ) throws(SourceError) -> SourceNode {
    let line = node.mark?.line ?? line
    budget -= 1
    guard depth < ImportLimits.depth, budget > 0 else {
      throw SourceError(
        line: line, message: "the file holds too much",
        hint: "at most \(ImportLimits.nodes) values, \(ImportLimits.depth) inside each other")
    }
    switch node {
    case .scalar(let scalar):
      return SourceNode(kind: try kind(of: scalar, line: line), line: line)
    case .sequence(let sequence):
      var items: [SourceNode] = []
      for item in sequence {
        items.append(try convert(item, depth: depth + 1, line: line, &budget))
      }
      return SourceNode(kind: .list(items), line: line)
    case .mapping(let mapping):
      var entries: [SourceNode.Entry] = []
      for (key, value) in mapping {
        let keyLine = key.mark?.line ?? line
        guard case .scalar(let name) = key else {
          throw SourceError(
            line: keyLine, message: "a key must be a word", hint: "write key: value")
        }
        let value = try convert(value, depth: depth + 1, line: keyLine, &budget)
        entries.append(SourceNode.Entry(key: name.string, line: keyLine, value: value))
      }
      return SourceNode(kind: .map(entries), line: line)
    case .alias:
      throw aliasError(line: line)
    }
  }

  private static func kind(
    of scalar: Node.Scalar, line: Int
  ) throws(SourceError) -> SourceNode.Kind {
    guard scalar.string.utf8.count <= ImportLimits.fieldBytes else {
      throw SourceError(
        line: line, message: "a value has \(scalar.string.utf8.count) bytes",
        hint: "at most \(ImportLimits.fieldBytes) are read")
    }
    let isNull =
      scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    return isNull ? .null : .scalar(scalar.string)
  }
}

// MARK: - Aliases

extension YAMLReader {
  /// Refuses `*name` where `&name` stands as well, before the parser sees either.
  ///
  /// A few nested aliases describe billions of values, and the parser compares keys by value.
  private static func refuseAliases(_ bytes: ArraySlice<UInt8>) throws(SourceError) {
    var anchors: Set<ArraySlice<UInt8>> = []
    var aliases: [(name: ArraySlice<UInt8>, line: Int)] = []
    var line = 1
    var before = UInt8(ascii: "\n")
    for (index, byte) in zip(bytes.indices, bytes) {
      if byte == UInt8(ascii: "\n") { line += 1 }
      if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), mayBegin(after: before) {
        let name = bytes[(index + 1)...].prefix { !endsName($0) }
        if byte == UInt8(ascii: "&") { anchors.insert(name) } else { aliases.append((name, line)) }
      }
      before = byte
    }
    guard let used = aliases.first(where: { !$0.name.isEmpty && anchors.contains($0.name) })
    else { return }
    throw aliasError(line: used.line)
  }

  private static func aliasError(line: Int) -> SourceError {
    SourceError(
      line: line, message: "aliases (*name) are not read",
      hint: "write the value out, or use defaults:")
  }

  /// A token can begin behind white space and behind the brackets and commas of lists.
  private static func mayBegin(after byte: UInt8) -> Bool {
    byte <= 0x20 || "[]{},:?-".utf8.contains(byte)
  }

  private static func endsName(_ byte: UInt8) -> Bool {
    byte <= 0x20 || "[]{},".utf8.contains(byte)
  }
}

extension SourceError {
  /// What the YAML parser says, in one line.
  fileprivate init(_ error: any Error) {
    guard let error = error as? YamlError else {
      self.init(line: 0, message: "the file cannot be read: \(error)")
      return
    }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      let tabs = problem.contains("cannot start any token")
      self.init(
        line: mark.line, message: "this is not YAML: \(problem)",
        hint: tabs ? "indent with spaces, not tabs, and quote values with special characters" : "")
    case .duplicatedKeysInMapping(let keys, let context):
      self.init(
        line: context.mark.line, message: "\(keys.joined(separator: ", ")) is written twice",
        hint: "keep one of them")
    case .reader(let problem, _, _, _):
      self.init(line: 0, message: "this is not YAML: \(problem)")
    case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
      self.init(line: 0, message: "the file cannot be read")
    }
  }
}

import AtlasWire

/// Where what a line says differs from what it should say.
enum EvidenceDifference {
  /// - Returns: The ends of sentences that begin with what the line is about, such as
  ///   `downtime is "600s", and by the records "900s"`.
  static func all(
    _ stated: AtlasV1.EvidenceLine.Line, _ right: AtlasV1.EvidenceLine.Line
  ) -> [String] {
    guard stated != right else { return [] }
    guard let left = json(stated), let right = json(right) else { return ["it cannot be written"] }
    var found: [String] = []
    compare(left, right, at: "", &found)
    return found
  }

  /// The line's content as JSON.
  private static func json(_ line: AtlasV1.EvidenceLine.Line) -> JSONValue? {
    guard let bytes = try? AtlasV1.EvidenceLine(line: line).jsonBytes(),
      case .object(let members)? = try? JSONValue(parsing: bytes, limits: .standard)
    else { return nil }
    return members.first?.value
  }

  private static func compare(
    _ left: JSONValue, _ right: JSONValue, at path: String, _ found: inout [String]
  ) {
    if left == right { return }
    switch (left, right) {
    case (.object(let mine), .object(let others)):
      let names = mine.map(\.name) + others.map(\.name).filter { left[$0] == nil }
      for name in names {
        let place = path.isEmpty ? name : "\(path).\(name)"
        compare(left[name], right[name], at: place, &found)
      }
    case (.array(let mine), .array(let others)):
      for index in 0..<max(mine.count, others.count) {
        compare(
          index < mine.count ? mine[index] : nil, index < others.count ? others[index] : nil,
          at: "\(path)[\(index)]", &found)
      }
    case _: found.append("\(path) is \(text(left)), and by the records \(text(right))")
    }
  }

  private static func compare(
    _ left: JSONValue?, _ right: JSONValue?, at path: String, _ found: inout [String]
  ) {
    switch (left, right) {
    case (nil, nil): break
    case (let left?, let right?): compare(left, right, at: path, &found)
    case (let left?, nil): found.append("\(path) is \(text(left)), and not in the records")
    case (nil, let right?):
      found.append("\(path) is left out, and by the records it is \(text(right))")
    }
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let bool): bool ? "true" : "false"
    case .number(let number): number
    case .string(let string): "“\(string)”"
    case .array(let values): "a list of \(values.count)"
    case .object(let members):
      members.prefix(3).map { "\($0.name) \(text($0.value))" }.joined(separator: ", ")
    }
  }
}

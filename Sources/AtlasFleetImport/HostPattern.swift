import AtlasModel

/// How host names of a fleet are built, such as `CLIENT-SITE-ROLE-NN`.
///
/// `CLIENT`, `SITE`, `ROLE` and `NN` stand for their values, each at most once; everything else
/// (lower-case letters, digits, `-`, `_`, `.`) stands for itself. Values are letters, digits and
/// `_`; a number directly behind a value is its trailing digits: `ROLENN` reads `DC01`.
package struct HostPattern: Hashable, Sendable, CustomStringConvertible {
  /// What a host name says.
  package struct Parts: Hashable, Sendable {
    package var client: String
    package var site: String
    /// Nil when the pattern has no role.
    package var role: String?
    /// 0 when the pattern has no number.
    package var number: Int
  }

  fileprivate enum Element: Hashable, Sendable {
    case field(Field)
    case literal(UInt8)
  }

  fileprivate enum Field: String, CaseIterable {
    case client = "CLIENT"
    case site = "SITE"
    case role = "ROLE"
    case number = "NN"
  }

  /// As its author wrote it.
  package let text: String
  private let elements: [Element]

  package var description: String { text }

  /// `LAA-PARIS-DC-01` and `LAA-PARIS-DC01`.
  package static let standard = [
    HostPattern(
      text: "CLIENT-SITE-ROLE-NN",
      elements: [.client, .dash, .site, .dash, .role, .dash, .number]),
    HostPattern(
      text: "CLIENT-SITE-ROLENN", elements: [.client, .dash, .site, .dash, .role, .number]),
  ]

  private init(text: String, elements: [Element]) {
    self.text = text
    self.elements = elements
  }

  /// - Throws: ``ValueError`` when no host name could be read by it.
  init(_ text: String) throws(ValueError) {
    let elements = try Self.elements(of: text)
    for field in Field.allCases {
      let count = elements.count { $0 == .field(field) }
      guard count <= 1 else { throw Self.error(text, "names \(field.rawValue) twice") }
      guard count == 1 || field == .role || field == .number else {
        throw Self.error(text, "lacks \(field.rawValue)")
      }
    }
    for case (.field(let left), .field(let right)) in zip(elements, elements.dropFirst())
    where right != .number || left == .number {
      throw Self.error(text, "has nothing between \(left.rawValue) and \(right.rawValue)")
    }
    self.init(text: text, elements: elements)
  }

  private static func elements(of text: String) throws(ValueError) -> [Element] {
    var rest = Substring(text)
    var elements: [Element] = []
    while let first = rest.utf8.first {
      if let field = Field.allCases.first(where: { rest.hasPrefix($0.rawValue) }) {
        rest = rest.dropFirst(field.rawValue.count)
        elements.append(.field(field))
      } else if first.isLowercase || first.isDigit || "-_.".utf8.contains(first) {
        rest = rest.dropFirst()
        elements.append(.literal(first))
      } else {
        throw error(text, "cannot be read from “\(rest.prefix(20))” on")
      }
    }
    return elements
  }

  private static func error(_ text: String, _ problem: String) -> ValueError {
    ValueError(
      message: "the host pattern “\(text)” \(problem)",
      hint: "write one such as CLIENT-SITE-ROLE-NN, with small letters for fixed parts")
  }
}

// MARK: - Reading names

extension HostPattern {
  /// - Returns: nil when `name` is not built like this.
  package func parts(of name: String) -> Parts? {
    var parts = Parts(client: "", site: "", role: nil, number: 0)
    var rest = Substring(name).utf8
    for (index, element) in elements.enumerated() {
      switch element {
      case .literal(let byte):
        guard rest.popFirst() == byte else { return nil }
      case .field(let field):
        let value = rest.prefix { byte in
          field == .number ? byte.isDigit : byte.isValue && !isCut(byte, after: index)
        }
        let length = value.count - digitsLeft(of: value, at: index)
        guard length > 0, parts.set(field, to: value.prefix(length)) else { return nil }
        rest = rest.dropFirst(length)
      }
    }
    return rest.isEmpty ? parts : nil
  }

  /// Values end where the fixed part behind them begins; only `_` can be both.
  private func isCut(_ byte: UInt8, after index: Int) -> Bool {
    byte == UInt8(ascii: "_") && elements[(index + 1)...].first { $0.isLiteral } == .literal(byte)
  }

  /// How many digits at the end of `value` belong to a number directly behind it.
  private func digitsLeft(of value: Substring.UTF8View, at index: Int) -> Int {
    guard elements.indices.contains(index + 1), elements[index + 1] == .number else { return 0 }
    return value.reversed().prefix { $0.isDigit }.count
  }
}

extension [HostPattern] {
  /// As the first pattern reads it that `name` is built like.
  func parts(of name: String) -> HostPattern.Parts? {
    for pattern in self {
      if let parts = pattern.parts(of: name) { return parts }
    }
    return nil
  }
}

extension HostPattern.Parts {
  fileprivate mutating func set(_ field: HostPattern.Field, to value: Substring.UTF8View) -> Bool {
    let text = String(Substring(value))
    switch field {
    case .client: client = text
    case .site: site = text
    case .role: role = text
    case .number:
      guard text.utf8.count <= 9, let number = Int(text) else { return false }
      self.number = number
    }
    return true
  }
}

extension HostPattern.Element {
  fileprivate static let client = Self.field(.client)
  fileprivate static let site = Self.field(.site)
  fileprivate static let role = Self.field(.role)
  fileprivate static let number = Self.field(.number)
  fileprivate static let dash = Self.literal(UInt8(ascii: "-"))

  fileprivate var isLiteral: Bool {
    if case .literal = self { true } else { false }
  }
}

extension UInt8 {
  fileprivate var isValue: Bool { isLetterOrDigit || self == UInt8(ascii: "_") }
}

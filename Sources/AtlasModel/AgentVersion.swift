/// A version of the agent: numbers with dots between them, such as `1.4.2`.
///
/// Compared number by number; one that is missing counts as 0, so that 1.4 is the same as 1.4.0.
package struct AgentVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// As it was written.
  package let text: String
  /// Without zeros at the end.
  private let numbers: [UInt32]

  /// Reads 1 to 8 numbers of 1 to 9 digits each.
  /// - Returns: Nil for anything else: nobody can say whether `1.4.2-beta` is older than `1.4.2`.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= Self.mostNumbers else { return nil }
    var numbers: [UInt32] = []
    for part in parts {
      guard part.utf8.count <= Self.mostDigits, part.utf8.allSatisfy(\.isDigit),
        let number = UInt32(part)
      else { return nil }
      numbers.append(number)
    }
    while numbers.last == 0 { numbers.removeLast() }
    self.text = text
    self.numbers = numbers
  }

  private static let mostNumbers = 8
  private static let mostDigits = 9

  package var description: String { text }

  package static func == (left: AgentVersion, right: AgentVersion) -> Bool {
    left.numbers == right.numbers
  }

  package static func < (left: AgentVersion, right: AgentVersion) -> Bool {
    left.numbers.lexicographicallyPrecedes(right.numbers)
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(numbers) }

  /// What both ask for: the higher of the two.
  package static func higher(_ left: AgentVersion?, _ right: AgentVersion?) -> AgentVersion? {
    guard let left, let right else { return left ?? right }
    return max(left, right)
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
}

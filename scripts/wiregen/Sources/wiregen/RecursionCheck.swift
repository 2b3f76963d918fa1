import SwiftProtobufPluginLibrary

/// Refuses recursive messages: libprotobuf-c recurses with the input and has no depth limit, so a
/// recursive message would let a peer exhaust a thread's stack.
struct RecursionCheck {
  private enum Mark { case open, done }
  private var marks: [String: Mark] = [:]
  private var trail: [(message: String, field: String)] = []

  /// - Throws: ``GenerationError`` naming the first cycle found, field by field.
  static func check(_ messages: [Descriptor]) throws {
    var check = RecursionCheck()
    for message in messages { try check.visit(message) }
  }

  private mutating func visit(_ message: Descriptor) throws {
    switch marks[message.fullName] {
    case .done: return
    case .open: throw cycle(closedBy: message.fullName)
    case nil: break
    }
    marks[message.fullName] = .open
    for field in message.fields {
      guard let next = field.messageType else { continue }
      trail.append((message.fullName, field.name))
      try visit(next)
      trail.removeLast()
    }
    marks[message.fullName] = .done
    for nested in message.messages { try visit(nested) }
  }

  private func cycle(closedBy name: String) -> GenerationError {
    let start = trail.firstIndex { $0.message == name } ?? 0
    let steps = trail[start...].map { "\($0.message).\($0.field)" }.joined(separator: " -> ")
    return GenerationError(
      "recursive message: \(steps) -> \(name). libprotobuf-c has no recursion limit, so a peer "
        + "could exhaust the stack: use a flat list with indexes or parent ids instead.")
  }
}

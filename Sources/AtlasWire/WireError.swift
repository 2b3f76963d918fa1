/// Why bytes or JSON are not a message.
package struct WireError: Error, Sendable, Hashable {
  /// Which of the two ways to say no.
  package enum Kind: Sendable, Hashable {
    /// The input is wrong; sending it again will not help.
    case invalid
    /// The input is too big, or would cost too much memory.
    case tooLarge
  }

  package let kind: Kind

  /// The full name of the message that was read, such as `atlas.v1.Command`.
  package private(set) var message: String

  /// Where in it, in names of the `.proto` file, such as `update_set.include[3]`; empty if the
  /// message as a whole is meant.
  package private(set) var field: String

  /// What is wrong there, such as `not UTF-8 at byte 3`.
  package let reason: String

  init(_ kind: Kind, _ reason: String, field: String = "", message: String = "") {
    self.kind = kind
    self.reason = reason
    self.field = field
    self.message = message
  }

  /// The same error seen from the message that contains it in `container`.
  func inside(_ container: String) -> WireError {
    if container.isEmpty { return self }
    let separator = field.isEmpty || field.hasPrefix("[") ? "" : "."
    return WireError(kind, reason, field: container + separator + field, message: message)
  }

  /// The same error, in the message of this name.
  func of(_ message: String) -> WireError {
    WireError(kind, reason, field: field, message: message)
  }
}

extension WireError: CustomStringConvertible {
  /// `atlas.v1.Command.update_set.include[3]: not UTF-8 at byte 3`.
  package var description: String {
    let path = [message, field].filter { !$0.isEmpty }.joined(separator: ".")
    return path.isEmpty ? reason : "\(path): \(reason)"
  }
}

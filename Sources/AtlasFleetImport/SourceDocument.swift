/// A file that a person wrote, as bytes, so that errors can name its lines.
package struct SourceDocument: Hashable, Sendable {
  /// The file's name as the person knows it; used in messages only.
  package var name: String
  /// UTF-8, with or without a byte order mark.
  package var bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  package init(name: String, text: String) {
    self.init(name: name, bytes: Array(text.utf8))
  }
}

/// The bounds of what is read from files, each with its reason.
package enum ImportLimits {
  /// Files of one import; also the bits of a set of files.
  package static let documents = 64
  /// A table of a million servers takes 60 MB.
  package static let tableBytes = 128 << 20
  /// Trees cost ten times their text in memory; ten thousand clients take 5 MB.
  package static let treeBytes = 16 << 20
  /// Columns of a table.
  package static let columns = 64
  /// One cell of a table or one value of a tree, in bytes.
  package static let fieldBytes = 4_096
  /// Values in a tree.
  package static let nodes = 1_000_000
  /// Values inside values: what a fleet or a policy needs, and some.
  package static let depth = 16
  /// Diagnostics that are kept; nobody corrects more in one go.
  package static let diagnostics = 1_000
  /// Host patterns of one fleet.
  package static let patterns = 16
}

import AtlasWire

/// Prints the messages of a stream, one after the other, in the format asked for.
struct StreamPrinter: Sendable {
  private let console: Console
  private let format: OutputFormat

  init(_ session: Session) {
    console = session.console
    format = session.options.output
  }

  /// Prints one message. JSON goes one document a line and YAML one document after another, because
  /// nobody knows where the stream ends.
  ///
  /// - Throws: ``Failure``, or ``OutputClosed``.
  func print(
    _ message: some WireMessage, names: [String] = [],
    text: @escaping @Sendable (TextSpace) -> [Line]
  ) throws {
    if format == .yaml { try console.print("---") }
    try console.show(
      Presentation(.message(message), names: names, text: text),
      as: format == .json ? .jsonl : format)
  }
}

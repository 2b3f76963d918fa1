/// Everything outside the program that a verb may see or touch, so that a test can be all of it.
package struct Console: Sendable {
  /// Environment variables.
  package var environment: [String: String]
  /// Data: standard output.
  package var output: any TextSink
  /// Messages and questions: standard error.
  package var errors: any TextSink
  /// The size of the terminal that shows the output; nil if it goes elsewhere.
  package var outputSize: TerminalSize?
  /// Whether messages go to a terminal.
  package var errorsAreShown: Bool
  /// Reads what a person types, up to the end of a line; nil if nobody can be asked.
  package var readAnswer: (@Sendable () -> String?)?
  /// Real time: the wall clock, pauses.
  package var pacer: Pacer
  /// A new id that nobody else has.
  package var newID: @Sendable () -> String
  /// Seconds since 1970 as civil time where the person is, such as `2026-11-22 03:14:05 CET`.
  package var localTime: @Sendable (Int64) -> String
  /// Opens the terminal for a full-screen view; nil if there is none.
  package var openScreen: (@Sendable () -> any Screen)?

  /// The words of the command line.
  var arguments: [String] = []
  /// Colours of the output and of messages.
  private(set) var outputColours = Colours.none
  private var errorColours = Colours.none

  package init(
    environment: [String: String], output: any TextSink, errors: any TextSink,
    outputSize: TerminalSize?, errorsAreShown: Bool, readAnswer: (@Sendable () -> String?)?,
    pacer: Pacer, newID: @escaping @Sendable () -> String,
    localTime: @escaping @Sendable (Int64) -> String, openScreen: (@Sendable () -> any Screen)?
  ) {
    self.environment = environment
    self.output = output
    self.errors = errors
    self.outputSize = outputSize
    self.errorsAreShown = errorsAreShown
    self.readAnswer = readAnswer
    self.pacer = pacer
    self.newID = newID
    self.localTime = localTime
    self.openScreen = openScreen
  }
}

extension Console {
  /// Characters that the terminal can show; what goes elsewhere is UTF-8.
  var glyphs: Glyphs {
    if outputSize == nil { return .unicode }
    let names = ["LC_ALL", "LC_CTYPE", "LANG"]
    let locale = names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    let isUnicode = locale.lowercased().contains("utf-8") || locale.lowercased().contains("utf8")
    return isUnicode ? .unicode : .ascii
  }

  /// The same for the command line `arguments`, with colours as the environment wants them.
  func following(_ arguments: [String]) -> Console {
    var console = self
    console.arguments = arguments
    return console.coloured(environmentWantsColours && !arguments.contains("--no-color"))
  }

  /// The same with what the options say about style.
  func styled(by options: GlobalOptions) -> Console {
    coloured(environmentWantsColours && !options.noColor)
  }

  /// https://no-color.org; a dumb terminal has none.
  private var environmentWantsColours: Bool {
    environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }

  private func coloured(_ wanted: Bool) -> Console {
    var console = self
    console.outputColours = wanted && outputSize != nil ? .ansi : .none
    console.errorColours = wanted && errorsAreShown ? .ansi : .none
    return console
  }

  // MARK: Output

  /// Prints lines of data.
  ///
  /// - Throws: ``OutputClosed`` if nobody reads them any more.
  func print(_ lines: [Line]) throws(OutputClosed) {
    if lines.isEmpty { return }
    let colours = outputColours
    try output.write(lines.map { $0.text(in: colours) + "\n" }.joined())
  }

  /// Prints text of our own making, such as JSON or help.
  ///
  /// - Throws: ``OutputClosed``.
  func print(_ text: String) throws(OutputClosed) {
    try output.write(text.hasSuffix("\n") ? text : text + "\n")
  }

  /// Says something to the person. If nobody hears it any more, that is no reason to stop.
  func tell(_ line: Line) {
    try? errors.write(line.text(in: errorColours) + "\n")
  }

  /// Says something to the person.
  func tell(_ text: String) { tell(Line(Span(text))) }

  /// What to do next.
  func hint(_ text: String) { tell(Line(Span("hint:", .active), Span(" \(text)"))) }

  // MARK: Questions

  /// Asks whether to go on; `what` has been shown before.
  ///
  /// - Throws: ``Failure`` if the answer is no, or if nobody is there to ask.
  func confirm(_ question: String, _ options: ConfirmationOptions) throws(Failure) {
    if options.yes { return }
    guard let readAnswer else {
      throw .usage(
        "\(question) There is no terminal to ask at, and nothing was done",
        hint: "add --yes to do it without asking")
    }
    try? errors.write(Line(Span("\(question) [y/N] ", .bold)).text(in: errorColours))
    let answer = readAnswer()?.lowercased() ?? ""
    let words = answer.split(whereSeparator: \.isWhitespace)
    guard words == ["y"] || words == ["yes"] else { throw .declined }
  }
}

/// Whoever read the output has gone.
package struct OutputClosed: Error {
  package init() {}
}

/// A place that text goes to.
package protocol TextSink: Sendable {
  /// Writes all of `text`.
  ///
  /// - Throws: ``OutputClosed`` if nobody can read it.
  func write(_ text: String) throws(OutputClosed)

  /// Writes bytes as they are, such as those of an export.
  ///
  /// - Throws: ``OutputClosed``.
  func write(bytes: [UInt8]) throws(OutputClosed)
}

/// Real time, as far as the program uses it.
package struct Pacer: Sendable {
  /// A clock that only goes forward.
  package var now: @Sendable () -> ContinuousClock.Instant
  /// Milliseconds since 1970 on the wall clock.
  package var wallClock: @Sendable () -> Int64
  /// Waits; ends early by throwing when the task is cancelled.
  package var pause: @Sendable (Duration) async throws -> Void

  package init(
    now: @escaping @Sendable () -> ContinuousClock.Instant,
    wallClock: @escaping @Sendable () -> Int64,
    pause: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.now = now
    self.wallClock = wallClock
    self.pause = pause
  }
}

/// The size of a terminal, in characters.
package struct TerminalSize: Sendable, Hashable {
  package var columns: Int
  package var rows: Int

  package init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }
}

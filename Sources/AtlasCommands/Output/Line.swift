/// How a stretch of text looks. Colour never carries a meaning alone: the words or the glyphs say it
/// too.
enum Style: Sendable, Hashable {
  case plain, bold, dim
  /// As it should be.
  case good
  /// Worth a look.
  case warn
  /// Needs somebody.
  case bad
  /// Being worked on; also the beginning of a hint.
  case active
  /// Cannot be overlooked: a rehearsal, a stop.
  case banner

  /// Parameters of the escape sequence (ECMA-48 SGR); the sixteen colours that every theme defines.
  fileprivate var parameters: String {
    switch self {
    case .plain: ""
    case .bold: "1"
    case .dim: "2"
    case .good: "32"
    case .warn: "33"
    case .bad: "1;31"
    case .active: "36"
    case .banner: "1;7"
    }
  }
}

/// Whether escape sequences may be printed.
enum Colours: Sendable, Hashable {
  case none, ansi
}

/// Text of one style. It is always safe to print: what comes from elsewhere cannot move the cursor or
/// change the terminal.
struct Span: Sendable, Hashable {
  let text: String
  let style: Style

  init(_ text: String, _ style: Style = .plain) {
    self.text = text.printable
    self.style = style
  }
}

/// One line for people.
struct Line: Sendable, Hashable {
  var spans: [Span]

  init(_ spans: Span...) { self.spans = spans }
  init(spans: [Span]) { self.spans = spans }
  init(_ text: String) { self.spans = [Span(text)] }

  static let empty = Line()

  /// How many columns of a terminal it takes.
  var width: Int { spans.reduce(0) { $0 + $1.text.columns } }

  /// The text alone.
  var plainText: String { spans.map(\.text).joined() }

  /// The text with escape sequences, if they are allowed.
  func text(in colours: Colours) -> String {
    if colours == .none { return plainText }
    return spans.map { span in
      span.style == .plain ? span.text : "\u{1B}[\(span.style.parameters)m\(span.text)\u{1B}[0m"
    }.joined()
  }

  static func + (left: Line, right: Line) -> Line { Line(spans: left.spans + right.spans) }

  /// Cut to `columns`, with a mark where something is missing.
  func cut(to columns: Int, with glyphs: Glyphs) -> Line {
    if width <= columns { return self }
    var room = columns - glyphs.ellipsis.columns
    var kept: [Span] = []
    for span in spans {
      let text = span.text.prefix(columns: max(0, room))
      room -= text.columns
      kept.append(Span(text, span.style))
      if text != span.text { break }
    }
    return Line(spans: kept + (columns > 0 ? [Span(glyphs.ellipsis)] : []))
  }

  /// Filled up with spaces, or cut, to exactly `columns`.
  func fitted(to columns: Int, with glyphs: Glyphs) -> Line {
    let line = cut(to: columns, with: glyphs)
    let missing = columns - line.width
    return missing > 0 ? line + Line(String(repeating: " ", count: missing)) : line
  }
}

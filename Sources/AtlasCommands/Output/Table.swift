/// A column of a table of `Row`s.
struct Column<Row>: Sendable where Row: Sendable {
  enum Alignment: Sendable { case left, right }

  var title: String
  /// Shown only with `-o wide`.
  var isWide: Bool
  var alignment: Alignment
  /// Long text: cut first when the terminal is narrow.
  var gives: Bool
  var cell: @Sendable (Row) -> Span

  init(
    _ title: String, wide: Bool = false, align: Alignment = .left, gives: Bool = false,
    span: @escaping @Sendable (Row) -> Span
  ) {
    self.title = title
    self.isWide = wide
    self.alignment = align
    self.gives = gives
    self.cell = span
  }

  init(
    _ title: String, wide: Bool = false, align: Alignment = .left, gives: Bool = false,
    _ text: @escaping @Sendable (Row) -> String
  ) {
    self.init(title, wide: wide, align: align, gives: gives, span: { Span(text($0)) })
  }

  /// A column of counts; zeros are quiet.
  init(
    _ title: String, wide: Bool = false, style: Style = .plain,
    count: @escaping @Sendable (Row) -> Int32
  ) {
    self.init(title, wide: wide, align: .right) { row in
      let number = count(row)
      return Span(String(number), number == 0 ? .dim : style)
    }
  }
}

/// Rows under titles, aligned, cut to the terminal.
struct Table: Sendable, Hashable {
  private struct Head: Sendable, Hashable {
    var title: String
    var isRight: Bool
    var gives: Bool
  }

  private let heads: [Head]
  private let cells: [[Span]]
  private let gap = 2
  /// A column that gives keeps at least this much.
  private let narrowest = 10

  init<Row>(_ rows: [Row], _ columns: [Column<Row>], wide: Bool) {
    let shown = columns.filter { wide || !$0.isWide }
    heads = shown.map { Head(title: $0.title, isRight: $0.alignment == .right, gives: $0.gives) }
    cells = rows.map { row in
      shown.map { column in
        let span = column.cell(row)
        return span.text.isEmpty ? Span("-", .dim) : span
      }
    }
  }

  /// The table as lines; `columns` is the width of the terminal, nil for as wide as it gets.
  func lines(columns: Int?, glyphs: Glyphs) -> [Line] {
    let widths = widths(within: columns)
    let header = zip(heads, widths).map { head, width in
      pad(Span(head.title, .bold), to: width, right: head.isRight, glyphs)
    }
    let rows = cells.map { row in
      zip(row.indices, widths).map { index, width in
        pad(row[index], to: width, right: heads[index].isRight, glyphs)
      }
    }
    return ([header] + rows).map { cells in
      let line = join(cells)
      return columns.map { line.cut(to: $0, with: glyphs) } ?? line
    }
  }

  /// As wide as the widest cell; if that is too much, the columns that give become narrower, the
  /// widest first.
  private func widths(within columns: Int?) -> [Int] {
    var widths = heads.map { $0.title.columns }
    for row in cells {
      for (index, cell) in row.enumerated() {
        widths[index] = max(widths[index], cell.text.columns)
      }
    }
    guard let columns else { return widths }
    var excess = widths.reduce(0, +) + gap * (widths.count - 1) - columns
    while excess > 0 {
      let giving = heads.indices.filter { heads[$0].gives && widths[$0] > narrowest }
      guard let widest = giving.max(by: { widths[$0] < widths[$1] }) else { break }
      let step = min(excess, widths[widest] - narrowest, max(1, excess / giving.count))
      widths[widest] -= step
      excess -= step
    }
    return widths
  }

  private func pad(_ span: Span, to width: Int, right: Bool, _ glyphs: Glyphs) -> [Span] {
    let text = span.text.cut(columns: width, with: glyphs)
    let space = Span(String(repeating: " ", count: max(0, width - text.columns)))
    let cell = Span(text, span.style)
    return right ? [space, cell] : [cell, space]
  }

  /// One line; nothing is left hanging at its end.
  private func join(_ cells: [[Span]]) -> Line {
    let separator = Span(String(repeating: " ", count: gap))
    var spans = cells.joined(separator: [separator]).filter { !$0.text.isEmpty }
    while let last = spans.last, last.style == .plain, last.text.allSatisfy({ $0 == " " }) {
      spans.removeLast()
    }
    return Line(spans: spans)
  }
}

/// Names and values of one thing, a line each, values aligned.
struct Description: Sendable, Hashable {
  private var rows: [(name: String, spans: [Span])] = []

  init() {}

  /// Adds a line; nothing if the value is empty.
  mutating func add(_ name: String, _ value: String, _ style: Style = .plain) {
    if !value.isEmpty { rows.append((name, [Span(value, style)])) }
  }

  /// Adds a line of several styles.
  mutating func add(_ name: String, _ line: Line) { rows.append((name, line.spans)) }

  var lines: [Line] {
    let width = rows.map { $0.name.columns }.max() ?? 0
    return rows.map { row in
      let space = String(repeating: " ", count: width - row.name.columns + 2)
      return Line(spans: [Span(row.name, .dim), Span(space)] + row.spans)
    }
  }

  static func == (left: Description, right: Description) -> Bool { left.lines == right.lines }
  func hash(into hasher: inout Hasher) { hasher.combine(lines) }
}

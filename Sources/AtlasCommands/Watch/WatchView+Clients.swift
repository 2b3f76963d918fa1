extension WatchView {
  private static let gap = 3
  private static let widestName = 16
  /// Less room than this says nothing about a server.
  private static let narrowestDetail = 16
  /// More servers of a client than this are shown as runs of equal ones.
  private static let widestCells = 40

  /// A grid of clients under a title, filled column by column: as few columns as show all of them,
  /// so that there is room for the names of servers.
  func clientSection(rows: Int) -> [Line] {
    let clients = order.sorted(state.clients)
    if clients.isEmpty {
      return [rule("clients"), Line(Span("waiting for the servers", .dim))]
    }
    var layout = Layout(clients, columns: size.columns)
    let most = max(1, (size.columns + Self.gap) / (layout.width + Self.gap))
    let room = max(1, rows - 1)
    let columnCount = min(most, (clients.count + room - 1) / room)
    let lineCount = min(room, (clients.count + columnCount - 1) / columnCount)
    layout.detail = (size.columns + Self.gap) / columnCount - Self.gap - layout.width - 1
    let shown = clients.prefix(lineCount * columnCount)
    let lines = (0..<lineCount).map { row in
      let cells = stride(from: row, to: shown.count, by: lineCount).map { index in
        line(of: shown[index], layout)
      }
      return Line(
        spans: Array(
          cells.map(\.spans).joined(separator: [Span(String(repeating: " ", count: Self.gap))])))
    }
    return [rule(title(shown: shown.count, of: clients))] + lines
  }

  private func title(shown: Int, of clients: [WatchedClient]) -> String {
    let head = "clients by \(order.rawValue)"
    if shown >= clients.count { return head }
    let hidden = order.sorted(clients)[shown...]
    let held = hidden.reduce(0) { $0 + $1.held }
    let trouble = held > 0 ? ", \(grouped(held)) held among the others" : ""
    return "\(head): \(grouped(shown)) of \(grouped(clients.count))\(trouble)"
  }

  /// How wide the parts of a client's line are; the same for all, so that they align.
  private struct Layout {
    var name: Int
    var cells: Int
    var count: Int
    /// Room for names of servers behind everything else; too little means none.
    var detail = 0

    var width: Int { name + 1 + 1 + 1 + cells + 1 + count }

    init(_ clients: [WatchedClient], columns: Int) {
      name = min(widestName, clients.map { $0.name.columns }.max() ?? 0)
      count = clients.map { Layout.countText($0).columns }.max() ?? 0
      let most = clients.map(\.cells.count).max() ?? 0
      let wanted = most == 0 ? 10 : min(widestCells, most)
      cells = max(4, min(wanted, columns - name - count - 4))
    }

    static func countText(_ client: WatchedClient) -> String { "\(client.ended)/\(client.total)" }
  }

  private func line(of client: WatchedClient, _ layout: Layout) -> Line {
    let needsSomebody = client.held + client.failed > 0
    let name = client.name.cut(columns: layout.name, with: glyphs).padding(layout.name)
    let count = Layout.countText(client)
    let space = String(repeating: " ", count: max(0, layout.count - count.columns))
    return Line(
      Span(name, needsSomebody ? .bad : .plain), Span(" "), Span("\(client.ring)", .dim), Span(" "))
      + cells(of: client, columns: layout.cells).fitted(to: layout.cells, with: glyphs)
      + Line(Span(" \(space)\(count)", client.ended == client.total ? .good : .plain))
      + detail(of: client, columns: layout.detail)
  }

  /// `PARIS-DC01 update`, and what it waits for is in the events.
  private func detail(of client: WatchedClient, columns: Int) -> Line {
    if columns < Self.narrowestDetail { return .empty }
    var line = Line(" ")
    for (server, cell) in client.telling.prefix(columns / Self.narrowestDetail) {
      line = line + Line(Span("\(client.short(server)) "), Span("\(cell.word) ", cell.style))
    }
    return line.fitted(to: columns + 1, with: glyphs)
  }

  private func cells(of client: WatchedClient, columns: Int) -> Line {
    if client.cells.isEmpty { return bar(of: client, columns: columns) }
    if client.cells.count <= columns {
      return Line(
        spans: runs(client.cells).map { cell, count in
          Span(String(repeating: cell.glyph(glyphs), count: count), cell.style)
        })
    }
    return Line(
      spans: runs(client.cells).map { cell, count in
        let glyph = cell.glyph(glyphs)
        return Span(
          count > 3 ? "\(glyph)\(count) " : String(repeating: glyph, count: count), cell.style)
      })
  }

  private func bar(of client: WatchedClient, columns: Int) -> Line {
    let bad = client.held + client.failed
    return ProgressBar(
      columns: columns,
      parts: [
        (client.ended - client.failed, glyphs.bar.full, .good), (bad, glyphs.bar.full, .bad),
        (client.active + client.parked, glyphs.bar.half, .active),
      ], total: client.total, rest: glyphs.bar.empty
    ).line
  }

  /// Equal neighbours together.
  private func runs(_ cells: [WatchCell]) -> [(cell: WatchCell, count: Int)] {
    var runs: [(cell: WatchCell, count: Int)] = []
    for cell in cells {
      if runs.last?.cell == cell { runs[runs.count - 1].count += 1 } else { runs.append((cell, 1)) }
    }
    return runs
  }
}

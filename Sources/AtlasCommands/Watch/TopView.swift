import AtlasWire

/// `top` as lines: a pure function of what is known and of the size of the screen.
struct TopView {
  let state: TopState
  let order: WatchOrder
  let isPaused: Bool
  let size: TerminalSize
  let glyphs: Glyphs
  let times: TimeText

  var lines: [Line] {
    let space = TextSpace(isWide: false, columns: size.columns, glyphs: glyphs)
    let rows = state.rows(by: order)
    let room = max(0, size.rows - head.count - 3)
    let table = Table(Array(rows.prefix(room)), TopState.columns, wide: false)
    var body =
      rows.isEmpty ? [Line(Span("no client has anything to do", .dim))] : space.lines(of: table)
    if rows.count > room {
      body.append(Line(Span("and \(counted(rows.count - room, "more client"))", .dim)))
    }
    let filling = max(0, size.rows - head.count - body.count - 1)
    let all = head + body + [Line](repeating: .empty, count: filling)
    return (all.prefix(max(0, size.rows - 1)) + [keys]).prefix(size.rows)
      .map { $0.cut(to: size.columns, with: glyphs) }
  }

  private var head: [Line] {
    var title = Line(
      Span(state.metrics.campaign.isEmpty ? "all campaigns" : state.metrics.campaign, .bold))
    title = title + Line(Span("  \(times.absolute(state.metrics.clock?.campaignTime))", .dim))
    if let rehearsal = state.metrics.clock?.rehearsal(glyphs) {
      title = title + Line(Span("  "), rehearsal)
    }
    if isPaused { title = title + Line(Span("  "), Span("VIEW PAUSED", .banner)) }
    var lines = [title, state.metrics.servers?.line ?? .empty]
    if state.metrics.stopped { lines.append(Line(Span(" STOPPED ", .banner))) }
    if let lost = state.lost {
      lines.append(Line(Span(" NO CONNECTION ", .banner), Span(" \(lost)", .bad)))
    }
    return lines
  }

  private var keys: Line {
    Line(
      Span("q", .bold), Span(" quit  ", .dim), Span("s", .bold),
      Span(" sort: \(order.rawValue)  ", .dim), Span("p", .bold),
      Span(isPaused ? " go on" : " pause the view", .dim))
  }
}

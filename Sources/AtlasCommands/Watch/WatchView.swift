import AtlasWire

/// The view of a campaign as lines: a pure function of what is known and of the size of the screen.
struct WatchView {
  let state: WatchState
  let order: WatchOrder
  /// The view stands still; the campaign does not.
  let isPaused: Bool
  let size: TerminalSize
  let glyphs: Glyphs
  let times: TimeText

  /// At most as many lines as the screen has, none wider than it. Where there is little room, the
  /// events go first and the rings second; where there is much, the events take what is left.
  var lines: [Line] {
    let head = header + alerts
    let tail = footer
    var free = size.rows - head.count - tail.count
    let fewest = 3
    let rings = section("rings", ringLines)
    let showsRings = free >= rings.count + fewest
    free -= showsRings ? rings.count : 0
    let leastEvents = min(Self.leastEvents, state.events.count) + 1
    let showsEvents = free >= leastEvents + fewest && leastEvents > 1
    let clients = free >= 2 ? clientSection(rows: free - (showsEvents ? leastEvents : 0)) : []
    free -= clients.count
    let events = showsEvents ? section("events", eventLines(rows: free - 1)) : []
    free -= events.count
    let filling = [Line](repeating: .empty, count: max(0, free))
    let body = head + (showsRings ? rings : []) + clients + events + filling
    return (body.prefix(max(0, size.rows - tail.count)) + tail).prefix(size.rows)
      .map { $0.cut(to: size.columns, with: glyphs) }
  }

  /// Events that are worth a section.
  private static let leastEvents = 4

  // MARK: Top

  private var header: [Line] { [titleLine, barLine, figuresLine, countsLine] }

  private var titleLine: Line {
    let campaign = state.campaign
    var left = Line(Span(state.name, .bold))
    if isPaused { left = left + Line(Span("  "), Span("VIEW PAUSED", .banner)) }
    if let campaign {
      left = left + Line(Span("  "), Span(campaign.stateText, campaign.stateStyle))
    }
    var right = Line(Span(times.absolute(state.clock?.campaignTime), .dim))
    if let rehearsal = state.clock?.rehearsal(glyphs) {
      right = Line(rehearsal, Span("  ")) + right
    }
    return spread(left, right)
  }

  private var barLine: Line {
    let counts = state.counts
    let share = counts.total == 0 ? 0 : Double(counts.ended) / Double(counts.total)
    let text = " \(grouped(counts.ended))/\(grouped(counts.total)) \(percent(share))"
    let bar = ProgressBar(
      columns: size.columns - text.columns,
      parts: [
        (Int(counts.completed), glyphs.bar.full, .good),
        (Int(counts.failed + counts.held), glyphs.bar.full, .bad),
        (Int(counts.notAttempted + counts.skipped + counts.postponed), glyphs.bar.full, .warn),
        (Int(counts.inProgress + counts.parked), glyphs.bar.half, .active),
      ], total: Int(counts.total), rest: glyphs.bar.empty)
    return bar.line + Line(Span(text, .bold))
  }

  private var figuresLine: Line {
    guard let metrics = state.metrics else { return Line(Span("waiting for figures", .dim)) }
    var parts: [Line] = []
    if let elapsed = metrics.elapsed { parts.append(Line("elapsed \(elapsed.shortText)")) }
    if let left = metrics.estimatedTimeLeft, left.seconds > 0 {
      parts.append(Line("left ~\(left.shortText)"))
    }
    parts.append(Line("success \(percent(metrics.successRate))"))
    parts.append(Line("clients \(grouped(metrics.activeClients))/\(grouped(metrics.clients))"))
    parts.append(Line("agents \(grouped(metrics.agentsConnected))"))
    return joined(parts)
  }

  private var countsLine: Line {
    let counts = state.counts
    let parts: [(Int32, String, Style)] = [
      (counts.completed, "completed", .good), (counts.inProgress, "in progress", .active),
      (counts.held, "held", .bad),
      (counts.failed, "failed", .bad), (counts.parked, "parked", .warn),
      (counts.notAttempted, "not attempted", .warn), (counts.downNow, "down", .warn),
      (counts.installedNotRebooted, "not rebooted", .warn),
      (counts.pending, "pending", .plain),
    ]
    return joined(
      parts.filter { $0.0 > 0 }.map { Line(Span("\(grouped($0.0)) \($0.1)", $0.2)) })
  }

  /// What must not be overlooked, a line each.
  private var alerts: [Line] {
    var alerts: [Line] = []
    if let lost = state.lost {
      alerts.append(Line(Span(" NO CONNECTION ", .banner), Span(" \(lost)", .bad)))
    }
    let flags = state.campaign?.flags ?? []
    let urgent = flags.filter { $0.kind == "stopped" } + flags.filter { $0.kind != "stopped" }
    for flag in urgent.prefix(2) { alerts.append(alert(flag)) }
    if urgent.count > 2 {
      alerts.append(
        Line(Span("and \(urgent.count - 2) more: atlas campaign get \(state.name)", .dim)))
    }
    if state.campaign?.settled == true { alerts += decisions }
    return alerts
  }

  private func alert(_ flag: AtlasV1.CampaignFlag) -> Line {
    let isStop = flag.kind == "stopped"
    let who = flag.principal.isEmpty ? "" : " by \(flag.principal)"
    let why = flag.reason.isEmpty ? "" : ": \(flag.reason)"
    return Line(
      Span(" \(flag.kind.uppercased()) ", isStop ? .banner : .warn),
      Span(" \(flag.scope) \(times.text(flag.since))\(who)\(why)", isStop ? .bad : .plain))
  }

  private var decisions: [Line] {
    let decisions = state.campaign?.decisionList(atMost: 3) ?? []
    if decisions.isEmpty { return [] }
    let shown = decisions.map { Line(Span("  \($0)", .bad)) }
    let isHeld = decisions[0].contains(" is HELD")
    let verb =
      isHeld ? "resolve \(state.name) SERVER retry|rollback|accept" : "resume \(state.name)"
    let head = "waits for people: atlas campaign \(verb)"
    return [Line(Span(head, .bold))] + shown
  }

  // MARK: Rings

  private var ringLines: [Line] {
    let shown = shownRings
    let names = shown.map { $0.name.columns }.max() ?? 0
    let done = shown.map { progress($0).columns }.max() ?? 0
    return shown.map { ring in
      let counts = ring.servers ?? AtlasV1.RunCounts()
      let bar = ProgressBar(
        columns: 12,
        parts: [
          (Int(counts.completed), glyphs.bar.full, .good),
          (Int(counts.failed + counts.held), glyphs.bar.full, .bad),
          (Int(counts.notAttempted + counts.skipped + counts.postponed), glyphs.bar.full, .warn),
          (Int(counts.inProgress + counts.parked), glyphs.bar.half, .active),
        ], total: Int(counts.total), rest: glyphs.bar.empty)
      let status = ring.paused ? "PAUSED" : ring.status.word
      return Line(
        Span("\(ring.ring) "), Span(ring.name.padding(names), .bold), Span("  ")) + bar.line
        + Line(
          Span(" \(String(repeating: " ", count: done - progress(ring).columns))\(progress(ring))"),
          Span("  \(status.padding(9))", ring.status == .active ? .active : .plain), Span("  "))
        + gate(ring)
    }
  }

  private func progress(_ ring: AtlasV1.RingInfo) -> String {
    "\(grouped(ring.servers?.ended ?? 0))/\(grouped(ring.servers?.total ?? 0))"
  }

  private func gate(_ ring: AtlasV1.RingInfo) -> Line {
    let waits = ring.gateWaitsFor.isEmpty ? "" : ": \(ring.gateWaitsFor)"
    let promoted = ring.promoted ? ", promoted" : ""
    return Line(
      Span("gate "), Span(ring.gate.word.lowercased(), ring.gate.style), Span("\(promoted)\(waits)")
    )
  }

  /// All rings if they are few, else those around the first that is not completed. Counts come from
  /// the figures, which are newer.
  private var shownRings: ArraySlice<AtlasV1.RingInfo> {
    let live = Dictionary(
      (state.metrics?.rings ?? []).map { ($0.ring, $0.servers) }, uniquingKeysWith: { $1 })
    let rings = state.rings.map { ring in
      var ring = ring
      if let servers = live[ring.ring] ?? nil { ring.servers = servers }
      return ring
    }
    let limit = size.rows < 30 ? 4 : 8
    if rings.count <= limit { return rings[...] }
    let active = rings.firstIndex { $0.status != .completed } ?? rings.count - 1
    let start = min(max(0, active - 1), rings.count - limit)
    return rings[start..<(start + limit)]
  }

  // MARK: Events

  /// The newest records; news keep at least half of the room.
  private func eventLines(rows: Int) -> [Line] {
    let news = state.events.filter { $0.interest == .news }.suffix(rows)
    let others = state.events.filter { $0.interest == .result }
    let newsKept = news.suffix(max((rows + 1) / 2, rows - others.count))
    let shown = (newsKept + others.suffix(rows - newsKept.count)).sorted { $0.seq < $1.seq }
    return shown.map { record in
      var spans = [
        Span(times.ofDay(record.campaignTime), .dim), Span("  "),
        Span(record.subject.isEmpty ? record.kind : record.subject, .bold),
      ]
      let change = record.change(glyphs)
      if !record.subject.isEmpty, change.isEmpty { spans.append(Span("  \(record.kind)")) }
      if !change.isEmpty { spans += [Span("  "), Span(change, record.style)] }
      if !record.note.isEmpty { spans.append(Span("  \(record.note)")) }
      return Line(spans: spans)
    }
  }

  // MARK: Bottom

  /// The legend of what is on the screen, and the keys.
  private var footer: [Line] {
    var present = Set<WatchCell>()
    for client in state.clients { present.formUnion(client.cells) }
    let legend = WatchCell.allCases.filter(present.contains).map { cell in
      Line(Span(cell.glyph(glyphs), cell.style), Span(" \(cell.word)", .dim))
    }
    let keys = Line(
      Span("q", .bold), Span(" quit  ", .dim), Span("s", .bold),
      Span(" sort: \(order.rawValue)  ", .dim), Span("p", .bold),
      Span(isPaused ? " go on" : " pause the view", .dim))
    return wrapped(legend).prefix(2) + [keys]
  }

  /// As many parts a line as fit.
  private func wrapped(_ parts: [Line]) -> [Line] {
    var lines: [Line] = []
    for part in parts {
      if let last = lines.last, last.width + 2 + part.width <= size.columns {
        lines[lines.count - 1] = last + Line("  ") + part
      } else {
        lines.append(part)
      }
    }
    return lines
  }
}

extension WatchView {
  /// Lines under a rule with a title; nothing if there are none.
  func section(_ title: String, _ lines: [Line]) -> [Line] {
    lines.isEmpty ? [] : [rule(title)] + lines
  }

  /// `── rings ─────────────`
  func rule(_ title: String) -> Line {
    let head = "\(glyphs.rule)\(glyphs.rule) \(title) "
    let rest = max(0, size.columns - head.columns)
    return Line(Span(head + String(repeating: glyphs.rule, count: rest), .dim))
  }

  func joined(_ parts: [Line]) -> Line {
    Line(spans: Array(parts.map(\.spans).joined(separator: [Span("   ")])))
  }

  /// `left` at the left, `right` at the right; if there is no room for both, `left` is cut.
  private func spread(_ left: Line, _ right: Line) -> Line {
    left.fitted(to: max(0, size.columns - right.width - 1), with: glyphs) + Line(" ") + right
  }
}

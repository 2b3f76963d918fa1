import AtlasWire

extension AtlasV1.Campaign {
  /// `ACTIVE`, with what keeps it or a part of it from going on, a stop first:
  /// `ACTIVE, stopped, 2 clients postponed`.
  var stateText: String {
    let waits = settled && state == .active ? ["waits for people"] : []
    return ([state.word] + flagWords + waits).joined(separator: ", ")
  }

  /// The same, and what of it was undone: `COMPLETED, 6 undone by undo`.
  func stateText(_ undoings: Undoings) -> String {
    [stateText, undoings.text(name)].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  private var flagWords: [String] {
    let urgent = flags.filter { $0.kind == "stopped" } + flags.filter { $0.kind != "stopped" }
    var words: [String] = []
    for flag in urgent {
      let alike = urgent.filter { $0.kind == flag.kind && $0.part == flag.part }
      let word = flag.part.map { "\(counted(alike.count, $0)) \(flag.partWord)" } ?? flag.kind
      if !words.contains(word) { words.append(word) }
    }
    return words
  }

  /// Red when it has been stopped, yellow when something else keeps it.
  var stateStyle: Style {
    if flags.contains(where: { $0.kind == "stopped" }) { return .bad }
    return flags.isEmpty && !(settled && state == .active) ? state.style : .warn
  }

  /// `412/1,000`: those that were brought up to date.
  var progressText: String { servers?.progressText ?? "" }

  /// `1,000 servers at 100 clients`.
  var sizeText: String {
    "\(counted(servers?.total ?? 0, "server")) at \(counted(clients, "client"))"
  }

  static func columns(
    _ undoings: Undoings, _ times: @escaping @Sendable (Self) -> TimeText
  ) -> [Column<Self>] {
    [
      Column("NAME") { $0.name },
      Column("STATE", span: { Span($0.stateText(undoings), $0.stateStyle) }),
      Column("DONE", align: .right) { $0.progressText },
      Column("IN PROGRESS", style: .active) { $0.servers?.inProgress ?? 0 },
      Column("HELD", style: .bad) { $0.servers?.held ?? 0 },
      Column("FAILED", style: .bad) { $0.servers?.failed ?? 0 },
      Column("LEFT OUT", style: .warn) { $0.servers?.leftOut ?? 0 },
      Column("CLIENTS") { $0.clients },
      Column("STARTED") { times($0).text($0.startedAt) },
      Column("ENDED") { times($0).text($0.endedAt) },
      Column("AUTHOR", gives: true) { $0.author },
      Column("CREATED", wide: true) { times($0).text($0.createdAt) },
      Column("ENDS AT", wide: true) { times($0).text($0.endsAt) },
      Column("CHANGE", wide: true) { $0.changeReference },
      Column("HOOKS", wide: true) { String($0.hookRevision.prefix(12)) },
      Column("ETAG", wide: true) { $0.etag },
    ]
  }

  /// The whole campaign, a line a fact.
  func lines(_ times: TimeText, _ undoings: Undoings, _ space: TextSpace) -> [Line] {
    var facts = Description()
    facts.add("Name", name, .bold)
    facts.add("State", stateText(undoings), stateStyle)
    facts.add("Servers", servers?.line ?? .empty)
    facts.add("Clients", grouped(clients))
    facts.add("Selection", selection?.text ?? "the whole fleet")
    facts.add("Rolls back", rollbackOf, .warn)
    addUpdates(to: &facts, times)
    facts.add("Author", author)
    facts.add("Created", times.text(createdAt))
    if startedAt != nil { facts.add("Started", times.text(startedAt)) }
    if endedAt != nil { facts.add("Ended", times.text(endedAt)) }
    if endsAt != nil, !state.isTerminal { facts.add("Ends at", times.text(endsAt)) }
    facts.add("Change", changeReference)
    facts.add("Hooks", String(hookRevision.prefix(12)))
    facts.add("Etag", etag)
    if let clock, clock.factor > 1 { facts.add("Clock", clock.line(times, space.glyphs)) }
    return facts.lines + flagLines(times) + decisionLines(wide: space.isWide)
      + settingLines(wide: space.isWide)
  }

  private func addUpdates(to facts: inout Description, _ times: TimeText) {
    guard let updateSet else { return }
    let include = updateSet.include
    facts.add("Updates", include.isEmpty ? "every class" : include.joined(separator: ", "))
    facts.add("Excluded", updateSet.exclude.joined(separator: ", "))
    facts.add("Required", updateSet.required.joined(separator: ", "))
    if updateSet.cutOff != nil { facts.add("Cut-off", times.absolute(updateSet.cutOff)) }
  }

  private func flagLines(_ times: TimeText) -> [Line] {
    flags.map { flag in
      let scope = flag.scope.isEmpty ? "" : " \(flag.scope)"
      let who = flag.principal.isEmpty ? "" : " by \(flag.principal)"
      let why = flag.reason.isEmpty ? "" : ": \(flag.reason)"
      let style: Style = flag.kind == "stopped" ? .bad : .warn
      return Line(
        Span(flag.kind, style), Span("\(scope), \(times.text(flag.since))\(who)\(why)"))
    }
  }

  private func decisionLines(wide: Bool) -> [Line] {
    if decisions.isEmpty { return [] }
    return [Line(Span("Waits for people:", .bad))]
      + decisionList(atMost: wide ? .max : 20).map { Line("  \($0)") }
  }

  /// What people have to decide, held servers first: a stop may park hundreds, and one resume settles
  /// all of those.
  func decisionList(atMost limit: Int) -> [String] {
    let isParked = { (decision: String) in decision.contains(" is PARKED") }
    let sorted = decisions.filter { !isParked($0) } + decisions.filter(isParked)
    if sorted.count <= limit { return sorted }
    let rest =
      "and \(grouped(sorted.count - limit)) more: atlas campaign runs \(name) --state held,parked"
    return sorted.prefix(limit) + [rest]
  }

  /// What the policy sets; the defaults too when everything is wanted.
  private func settingLines(wide: Bool) -> [Line] {
    let shown = settings.filter { wide || $0.explicit }
    if shown.isEmpty { return [] }
    return [Line(Span("Settings:", .bold))]
      + shown.map { setting in
        let client = setting.client.isEmpty ? "" : " (client \(setting.client))"
        let text = Span("  \(setting.key): \(setting.value)\(client)")
        return setting.explicit ? Line(text) : Line(text, Span("  default", .dim))
      }
  }

  /// The campaign alone, as the answer of a verb that acted on it.
  func presentation(of response: some WireMessage, _ text: String) -> Presentation {
    Presentation(.message(response), names: [name]) { _ in [Line(text)] }
  }
}

extension AtlasV1.CampaignFlag {
  /// `client` or `ring`, where it is about one of them; nil for the whole campaign.
  fileprivate var part: String? {
    ["client", "ring"].first { scope.hasPrefix("\($0) ") }
  }

  /// What such a part is.
  fileprivate var partWord: String {
    switch kind {
    case "lane_held": "held"
    case "environment": "held by its environment"
    case _: kind
    }
  }
}

extension AtlasV1.Clock {
  /// `REHEARSAL ×1000`; nil in real time.
  func rehearsal(_ glyphs: Glyphs) -> Span? {
    factor > 1 ? Span("REHEARSAL \(glyphs.times)\(factor)", .banner) : nil
  }

  /// Campaign time, and that it is a rehearsal.
  func line(_ times: TimeText, _ glyphs: Glyphs) -> Line {
    let time = Line(times.absolute(campaignTime))
    return rehearsal(glyphs).map { time + Line(Span("  "), $0) } ?? time
  }
}

extension AtlasV1.Selection {
  /// `clients LAA, KBB; roles DC`.
  var text: String {
    let parts = [
      ("clients", clients), ("rings", rings.map(String.init)), ("sites", sites),
      ("roles", roles), ("servers", servers), ("tags", tags), ("names", namePatterns),
      ("what failed in", failedIn.isEmpty ? [] : [failedIn]),
    ]
    let named = parts.filter { !$0.1.isEmpty }
    if named.isEmpty { return "the whole fleet" }
    return named.map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
  }
}

extension AtlasV1.RunCounts {
  /// `1,000 in all: 412 completed, 100 in progress, 488 pending`; only what there is.
  var line: Line {
    let parts: [(Int32, String, Style)] = [
      (completed, "completed", .good), (inProgress, "in progress", .active),
      (parked, "parked", .warn), (held, "held", .bad), (failed, "failed", .bad),
      (notAttempted, "not attempted", .warn), (skipped, "skipped", .plain),
      (postponed, "postponed", .warn), (pending, "pending", .plain),
    ]
    var spans = [Span("\(grouped(total)) in all")]
    for (index, part) in parts.filter({ $0.0 > 0 }).enumerated() {
      spans.append(Span(index == 0 ? ": " : ", "))
      spans.append(Span("\(grouped(part.0)) \(part.1)", part.2))
    }
    if installedNotRebooted > 0 {
      spans.append(Span("; \(grouped(installedNotRebooted)) installed, not rebooted", .warn))
    }
    if downNow > 0 { spans.append(Span("; \(grouped(downNow)) down now", .warn)) }
    return Line(spans: spans)
  }
}

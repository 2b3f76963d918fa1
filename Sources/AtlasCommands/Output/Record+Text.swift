import AtlasWire

extension AtlasV1.Record {
  /// `LAA-PARIS-DC01`, `client LAA`, `ring 2`, or nothing.
  var subject: String {
    if !server.isEmpty { return server }
    if !client.isEmpty { return "client \(client)" }
    if kind == "campaign.paused" || kind == "campaign.resumed" { return detail }
    return kind.hasPrefix("gate.") || kind.hasPrefix("ring.") ? "ring \(ring)" : ""
  }

  /// `PENDING → IN_PROGRESS UPDATE`, or what is new.
  func change(_ glyphs: Glyphs) -> String {
    let step = phase == .unspecified ? "" : phase.word
    if fromState == toState || fromState == .unspecified {
      return [toState.word, step].filter { !$0.isEmpty }.joined(separator: " ")
    }
    return "\(fromState.word) \(glyphs.arrow) \(toState.word)" + (step.isEmpty ? "" : " \(step)")
  }

  /// Reason or detail; both where the one does not say the other.
  private var words: String {
    guard kind == "campaign.edited" else { return reason.isEmpty ? detail : reason }
    return [detail, reason].filter { !$0.isEmpty }.joined(separator: ": ")
  }

  /// Reason, the word for it, and who asked.
  var note: String {
    var note = words
    if !principal.isEmpty { note += (note.isEmpty ? "" : " ") + "by \(principal)" }
    return note
  }

  /// How urgent it is for a person.
  var style: Style {
    if kind.hasPrefix("stop.") { return .bad }
    return toState == .unspecified ? .plain : toState.style
  }

  /// One line of a list that grows: `2026-11-22T02:14:05Z  run.completed  LAA-PARIS-DC01  …`. A
  /// relative time would be wrong as soon as it is printed.
  func line(_ times: TimeText, _ space: TextSpace) -> Line {
    var spans = [
      Span(times.absolute(campaignTime), .dim),
      Span("  "), Span(kind.padding(18)), Span("  "), Span(subject.padding(20), .bold),
    ]
    let change = change(space.glyphs)
    if !change.isEmpty { spans += [Span("  "), Span(change, style)] }
    if !note.isEmpty { spans += [Span("  "), Span(note)] }
    if space.isWide {
      let numbers =
        "  #\(seq)" + (attempt > 0 ? " attempt \(attempt)" : "")
        + (pass > 0 ? " pass \(pass)" : "") + (fence > 0 ? " fence \(fence)" : "")
      spans.append(Span(numbers, .dim))
    }
    return Line(spans: spans)
  }

  static func columns(_ times: TimeText, _ glyphs: Glyphs) -> [Column<Self>] {
    [
      Column("SEQ", align: .right) { "\($0.seq)" },
      Column("TIME") { times.text($0.campaignTime) },
      Column("KIND") { $0.kind },
      Column("CAMPAIGN") { $0.campaign },
      Column("ABOUT") { $0.subject },
      Column("CHANGE", span: { Span($0.change(glyphs), $0.style) }),
      Column("NOTE", gives: true) { $0.words },
      Column("BY", gives: true) { $0.principal },
      Column("REAL TIME", wide: true) { record in
        record.realTime.map(TimeText.iso) ?? ""
      },
      Column("ATTEMPT", wide: true) { $0.attempt == 0 ? "" : "\($0.attempt).\($0.pass)" },
      Column("FENCE", wide: true) { $0.fence == 0 ? "" : "\($0.fence)" },
      Column("HASH", wide: true) { $0.hash.hex(bytes: 8) },
    ]
  }
}

extension String {
  /// Filled up with spaces to at least `columns`.
  func padding(_ columns: Int) -> String {
    self + String(repeating: " ", count: max(0, columns - self.columns))
  }
}

extension [UInt8] {
  /// The first bytes in hexadecimal.
  func hex(bytes: Int = .max) -> String {
    prefix(bytes).map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }
}

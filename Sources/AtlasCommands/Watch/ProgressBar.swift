/// A bar of parts: each takes the share of the columns that it has of the total. A part that is there
/// is seen, however small.
struct ProgressBar {
  let columns: Int
  let parts: [(count: Int, glyph: String, style: Style)]
  let total: Int
  let rest: String

  var line: Line {
    if columns <= 0 { return .empty }
    var spans: [Span] = []
    var used = 0
    var sum = 0
    for part in parts where part.count > 0 && total > 0 {
      sum += part.count
      let end = min(columns, max(used + 1, columns * min(sum, total) / total))
      if end > used {
        spans.append(Span(String(repeating: part.glyph, count: end - used), part.style))
      }
      used = max(used, end)
    }
    if used < columns { spans.append(Span(String(repeating: rest, count: columns - used), .dim)) }
    return Line(spans: spans)
  }
}

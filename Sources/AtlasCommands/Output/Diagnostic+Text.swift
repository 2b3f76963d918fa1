import AtlasWire

extension AtlasV1.Diagnostic {
  /// `fleet.csv:12: MaintenanceWindow: no such day` and, below it, what would be right.
  var lines: [Line] {
    let place = [file, line > 0 ? "\(line)" : ""].filter { !$0.isEmpty }.joined(separator: ":")
    let what = [place, field, message].filter { !$0.isEmpty }.joined(separator: ": ")
    var lines = [
      Line(warning ? Span("warning:", .warn) : Span("error:", .bad), Span(" \(what)"))
    ]
    if !hint.isEmpty { lines.append(Line(Span("  hint:", .active), Span(" \(hint)"))) }
    return lines
  }
}

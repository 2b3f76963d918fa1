extension HookTotals.CallCount {
  /// The form in which ``HookRunRow/calls`` keeps host calls: `name count errors`, one a line.
  package static func lines(_ calls: [Self]) -> String {
    calls.map { "\($0.name) \($0.count) \($0.errors)" }.joined(separator: "\n")
  }
}

extension HookRunRow {
  /// The host calls of this run, read from ``calls``.
  /// - Throws: ``StoreError/failed(_:)`` naming the line that is none; totals that silently leave
  ///   something out would be worse.
  package func callCounts() throws(StoreError) -> [HookTotals.CallCount] {
    var counts: [HookTotals.CallCount] = []
    for line in calls.split(separator: "\n") {
      let fields = line.split(separator: " ", omittingEmptySubsequences: false)
      // 32 bits, so that no number of runs can overflow a total.
      guard fields.count == 3, !fields[0].isEmpty, let count = UInt32(fields[1]),
        let errors = UInt32(fields[2])
      else {
        throw .failed("hook run \(key): “\(line)” is not a call with its count and errors")
      }
      counts.append(.init(name: String(fields[0]), count: Int(count), errors: Int(errors)))
    }
    return counts
  }
}

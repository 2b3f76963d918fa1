/// How long servers of each kind took in each phase, worked out from the log alone, and what is to
/// be expected of the next: the text of engine.md §3 and docs/plans.md, with every time kept as it
/// was.
package struct TimesModel: Sendable {
  /// A record about a run, in plain words; all instants are milliseconds.
  package struct Entry: Sendable {
    /// Names the run among all.
    package var run: String
    /// Role and system of its server, one for each role.
    package var kinds: [String]
    /// Such as `run.started`.
    package var record: String
    package var from: String
    package var to: String
    package var phase: String
    package var detail: String
    package var at: Int64

    package init(
      run: String, kinds: [String], record: String, from: String, to: String, phase: String,
      detail: String, at: Int64
    ) {
      self.run = run
      self.kinds = kinds
      self.record = record
      self.from = from
      self.to = to
      self.phase = phase
      self.detail = detail
      self.at = at
    }
  }

  /// A run since it took its slot.
  fileprivate struct Visit {
    var phase = ""
    var since: Int64?
    /// Held because its order takes longer than its limit.
    var isOverdue = false
    var totals: [String: Int64] = [:]
    var unknown: Set<String> = []
  }

  private var visits: [String: Visit] = [:]
  /// By kind and phase, sorted.
  private var times: [String: [String: [Int64]]] = [:]

  /// The phases of a run that goes well.
  private static let way = ["PRE_CHECK", "SNAPSHOT", "UPDATE", "REBOOT", "POST_CHECK", "FINALIZE"]
  private static let measured = way + ["ROLLBACK", "VERIFY"]
  /// Fewer times say nothing.
  private static let least = 20

  package init() {}

  package mutating func apply(_ entry: Entry) {
    if entry.record == "run.started" { visits[entry.run] = Visit() }
    guard var visit = visits[entry.run] else { return }
    let moves = entry.from != entry.to || Self.moving.contains(entry.record)
    guard moves else { return }
    visit.leave(entry)
    visit.enter(entry)
    visits[entry.run] = visit
    if ["COMPLETED", "FAILED"].contains(entry.to) { learn(entry, visit) }
    if !["IN_PROGRESS", "PARKED", "HELD"].contains(entry.to) { visits[entry.run] = nil }
  }

  /// Records that change something even where the state has the same name before and after.
  private static let moving = ["run.phase", "run.backoff", "run.retried", "run.back", "run.held"]

  private mutating func learn(_ entry: Entry, _ visit: Visit) {
    var totals = visit.totals.filter { !visit.unknown.contains($0.key) }
    let hasChanged = entry.to == "FAILED" || entry.detail != "NO_UPDATES"
    if !hasChanged {
      totals["UPDATE"] = nil
      totals["REBOOT"] = nil
    } else if entry.to == "COMPLETED", totals["UPDATE"] != nil, totals["REBOOT"] == nil,
      !visit.unknown.contains("REBOOT")
    {
      totals["REBOOT"] = 0
    }
    for kind in entry.kinds {
      for phase in Self.measured {
        guard let total = totals[phase] else { continue }
        var known = times[kind]?[phase] ?? []
        known.insert(total, at: known.firstIndex { $0 >= total } ?? known.count)
        times[kind, default: [:]][phase] = known
      }
    }
  }

  /// The bounds between which the estimate of a server of these kinds must be, in milliseconds, the
  /// soak of its policy aside; nil when one of the kinds was not seen often enough.
  ///
  /// The 95th percentiles are exact here, and may be a sixteenth and a second too long each where
  /// they come from counts; what is used follows downwards only by an eighth.
  package func estimate(_ kinds: [String]) -> ClosedRange<Int64>? {
    var least: Int64 = 0
    var most: Int64 = 0
    for kind in kinds {
      var (low, high): (Int64, Int64) = (0, 0)
      for phase in Self.way {
        guard let known = times[kind]?[phase], known.count >= Self.least else { return nil }
        let exact = known[(known.count * 95 + 99) / 100 - 1]
        low += exact
        high += (exact + 1_000) * 17 / 16 + 1_000
      }
      least = max(least, low)
      most = max(most, high * 8 / 7)
    }
    return kinds.isEmpty ? nil : least...most
  }
}

extension TimesModel.Visit {
  fileprivate mutating func leave(_ entry: TimesModel.Entry) {
    switch entry.from {
    case "IN_PROGRESS":
      switch entry.to {
      // Perhaps it goes on as if nothing had been.
      case "HELD": isOverdue = entry.detail == "OVERDUE"
      // Cut off before its end: it is to be done anew.
      case "PARKED" where entry.phase == phase: since = nil
      case "IN_PROGRESS", "PARKED", "COMPLETED", "FAILED": end(at: entry.at)
      case _: since = nil
      }
    case "HELD" where entry.to == "HELD": isOverdue = entry.detail == "OVERDUE"
    case "HELD" where entry.record == "run.back" && isOverdue: break
    case "HELD": lose(phase)
    case "PARKED" where entry.record == "run.back": lose(entry.phase)
    case _: break
    }
  }

  fileprivate mutating func enter(_ entry: TimesModel.Entry) {
    guard entry.to == "IN_PROGRESS" else { return }
    if entry.record == "run.back", isOverdue { return isOverdue = false }
    phase = entry.phase
    since = entry.record == "run.backoff" ? nil : entry.at
    isOverdue = false
  }

  private mutating func end(at instant: Int64) {
    if let since { totals[phase, default: 0] += max(0, instant - since) }
    since = nil
  }

  private mutating func lose(_ phase: String) {
    unknown.insert(phase)
    since = nil
  }
}

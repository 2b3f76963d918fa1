import AtlasModel

/// What a campaign was expected to do when it started, kept to be compared with what it did.
package struct KeptPlan: Hashable, Sendable {
  /// The etag of the plan: it is kept only by a start that finds everything as the plan did.
  package var etag: UInt64
  /// What the plan counts from.
  package var start: Instant
  package var whole: PlannedSpan
  /// By ring, from the opening to the end of its last run.
  package var rings: [PlannedSpan]
  /// By lane, from its first start to its last end.
  package var lanes: [PlannedSpan]
  /// By run; empty for a campaign of more than ``Limits/plannedRuns``, of which only rings and
  /// clients are kept.
  package var runs: [PlannedSpan]

  package init(
    etag: UInt64, start: Instant, whole: PlannedSpan, rings: [PlannedSpan], lanes: [PlannedSpan],
    runs: [PlannedSpan]
  ) {
    self.etag = etag
    self.start = start
    self.whole = whole
    self.rings = rings
    self.lanes = lanes
    self.runs = runs.count > Limits.plannedRuns ? [] : runs
  }

  /// Whether it is about a campaign with so many rings, lanes and runs.
  func fits(_ campaign: Campaign) -> Bool {
    rings.count == campaign.rings.count && lanes.count == campaign.lanes.count
      && (runs.isEmpty || runs.count == campaign.runs.count)
  }
}

/// From when to when something is planned, in whole seconds from the start of the plan: there may
/// be as many as runs.
package struct PlannedSpan: Hashable, Sendable {
  private var first: Int32
  private var last: Int32

  /// Nil for what never begins, or never ends.
  package init(from start: Instant, begins: Instant?, ends: Instant?) {
    first = Self.seconds(start, begins)
    last = Self.seconds(start, ends)
  }

  /// As it was stored: seconds, or -1 for never.
  package init(stored first: Int, _ last: Int) {
    self.first = Int32(clamping: max(-1, first))
    self.last = Int32(clamping: max(-1, last))
  }

  package var stored: (first: Int, last: Int) { (Int(first), Int(last)) }

  package func begins(from start: Instant) -> Instant? { first < 0 ? nil : start + .seconds(first) }
  package func ends(from start: Instant) -> Instant? { last < 0 ? nil : start + .seconds(last) }

  /// Nil for what never begins, or never ends.
  package var length: Duration? { first < 0 || last < 0 ? nil : .seconds(last - first) }

  private static func seconds(_ start: Instant, _ instant: Instant?) -> Int32 {
    guard let instant else { return -1 }
    return Int32(clamping: max(0, (instant - start).milliseconds / 1_000))
  }
}

extension ControlState {
  /// Keeps the plan of a campaign that starts, if it is still true.
  /// - Returns: What the record of the start says about it.
  mutating func keep(_ plan: KeptPlan?, of id: CampaignID, at etag: UInt64) -> String {
    guard let plan else { return "" }
    guard plan.etag == etag, plan.fits(campaigns[Int(id.index)]) else {
      return "its plan is not kept: the fleet or what is estimated has changed since"
    }
    campaigns[id].plan = plan
    emit(.save(.plan(id)))
    return plan.whole.length.map { "planned to take \($0.text)" } ?? "planned to start nothing"
  }
}

import AtlasEngine
import AtlasModel

/// The plan that a campaign started with, as a row: written once.
extension ByteWriter {
  mutating func put(_ plan: KeptPlan) {
    put(plan.etag)
    put(plan.start)
    put(plan.whole)
    for spans in [plan.rings, plan.lanes, plan.runs] { put(spans) { $0.put($1) } }
  }

  private mutating func put(_ span: PlannedSpan) {
    put(span.stored.first)
    put(span.stored.last)
  }
}

extension ByteReader {
  mutating func keptPlan() throws -> KeptPlan {
    KeptPlan(
      etag: try unsigned(), start: try instant(), whole: try span(), rings: try spans(),
      lanes: try spans(), runs: try spans())
  }

  private mutating func spans() throws -> [PlannedSpan] { try array { try $0.span() } }

  private mutating func span() throws -> PlannedSpan {
    PlannedSpan(stored: try int(), try int())
  }
}

import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore
import AtlasWire
import GRPCCore

/// Plans and reports: worked out from a copy of the state, so that the control machine never
/// stands still for them.
extension Campaigns {
  package func planCampaign(
    _ request: AtlasV1.PlanCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.PlanCampaignResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    let snapshot = try await snapshot()
    let plan: CampaignPlan
    do throws(ControlError) {
      plan = try await core.bench.work { () throws(ControlError) in try snapshot.plan(name) }
    } catch {
      throw WireStatus(error)
    }
    return AtlasV1.PlanCampaignResponse(plan: .init(plan, details: request.details))
  }

  private func snapshot() async throws(WireStatus) -> ControlSnapshot {
    guard case .snapshot(let snapshot) = try await core.read(.snapshot) else {
      throw .wrongAnswer
    }
    return snapshot
  }

  package func getReport(
    _ request: AtlasV1.GetReportRequest, context: ServerContext
  ) async throws -> AtlasV1.GetReportResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    let snapshot = try await snapshot()
    var report: AtlasV1.Report
    do throws(ControlError) {
      report = .init(
        try await core.bench.work { () throws(ControlError) in try snapshot.report(name) })
    } catch {
      throw WireStatus(error)
    }
    do throws(StoreError) {
      let totals = try await core.store.hookTotals(campaign: name.text)
      report.hookRuns = Int32(clamping: totals.hookRuns)
      report.hostCalls = Int64(totals.calls.reduce(0) { $0 + $1.count })
      report.httpCalls = Int64(
        totals.calls.filter { $0.name.hasPrefix("http.") }.reduce(0) { $0 + $1.count })
    } catch {
      throw WireStatus(error)
    }
    try await addInterventions(name, to: &report)
    report.sessions = Int32(clamping: core.pump.openSessions)
    return AtlasV1.GetReportResponse(report: report)
  }

  /// What people did: the records of the campaign and of stops that have a principal.
  private func addInterventions(
    _ name: CampaignName, to report: inout AtlasV1.Report
  ) async throws(WireStatus) {
    var position: UInt64 = 0
    var first: Int64?
    var last: Int64?
    while true {
      let page = try await core.records(
        after: position, RecordFilter(campaign: name.text))
      for record in page {
        position = record.seq
        if record.kind == RecordKind.campaignStarted.rawValue {
          first = record.realTimeMilliseconds
        }
        if record.run != nil { last = record.realTimeMilliseconds }
        guard !record.principal.isEmpty else { continue }
        report.decisionsByPeople += 1
        if report.interventions.count < Limits.page {
          report.interventions.append(.init(record))
        } else {
          report.truncated = true
        }
      }
      if page.count < Limits.page { break }
    }
    if let first, let last { report.realTime = .init(milliseconds: last - first) }
  }
}

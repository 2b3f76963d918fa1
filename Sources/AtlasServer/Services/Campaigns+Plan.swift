import AtlasControl
import AtlasEngine
import AtlasEvidence
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
    let whatIf: [WhatIf]
    do { whatIf = request.whatIf.isEmpty ? [] : try WhatIf.parse(request.whatIf) } catch {
      throw WireStatus(invalid: "what_if", "\(error)")
    }
    guard case .plan(let work) = try await core.read(.plan(name, whatIf: whatIf)) else {
      throw WireStatus.wrongAnswer
    }
    let planned = try await core.bench.work {
      Result { () throws(ControlError) in try work.work() }
    }
    let plans: PlanComparison
    do { plans = try planned.get() } catch { throw WireStatus(error) }
    return AtlasV1.PlanCampaignResponse(
      plan: .init(plans.plan, details: request.details),
      supposed: plans.supposed.map { .init($0, details: request.details) })
  }

  /// The plan of this moment, for a start to keep; nil when it cannot be planned: the start then
  /// says why it is refused.
  func planToKeep(_ name: CampaignName) async throws(WireStatus) -> KeptPlan? {
    let snapshot = try await snapshot()
    return try await core.bench.work { try? snapshot.plan(name).kept }
  }

  package func listEstimates(
    _ request: AtlasV1.ListEstimatesRequest, context: ServerContext
  ) async throws -> AtlasV1.ListEstimatesResponse {
    let name: CampaignName? = try Field.optionalName(request.campaign, "campaign")
    guard case .estimates(let views) = try await core.read(.estimates(name)) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.ListEstimatesResponse(estimates: views.map { .init($0) })
  }

  func snapshot() async throws(WireStatus) -> ControlSnapshot {
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
    let people = try await interventions(name, until: snapshot.end(of: name))
    let told = try await core.bench.work {
      Result { () throws(ControlError) in try snapshot.report(name, log: people.records) }
    }
    do { report = .init(try told.get()) } catch { throw WireStatus(error) }
    let decisions = people.records.filter(\.isDecision)
    report.decisionsByPeople = Int32(clamping: decisions.count)
    report.interventions = decisions.prefix(Limits.page).map { .init($0) }
    report.truncated = report.truncated || decisions.count > Limits.page
    report.realTime = people.realTime.map { .init($0) }
    do throws(StoreError) {
      let totals = try await core.store.hookTotals(campaign: name.text)
      report.hookRuns = Int32(clamping: totals.hookRuns)
      report.hostCalls = Int64(totals.calls.reduce(0) { $0 + $1.count })
      report.httpCalls = Int64(
        totals.calls.filter { $0.name.hasPrefix("http.") }.reduce(0) { $0 + $1.count })
    } catch {
      throw WireStatus(error)
    }
    report.sessions = Int32(clamping: core.pump.openSessions)
    return AtlasV1.GetReportResponse(report: report)
  }

  /// What people decided: about the campaign, and since its beginning about the whole fleet, its
  /// clients and servers. And how long it took by the machine's clock.
  private func interventions(
    _ name: CampaignName, until end: Instant?
  ) async throws(WireStatus) -> (records: [LogRecord], realTime: Duration?) {
    var records: [LogRecord] = []
    var created: UInt64?
    var started: Int64?
    var last: Int64?
    try await eachRecord(of: name.text, after: 0) { record in
      if created == nil { created = record.seq }
      if record.kind == RecordKind.campaignStarted.rawValue {
        started = record.realTimeMilliseconds
      }
      if record.run != nil { last = record.realTimeMilliseconds }
      if record.isOfPeople { records.append(record) }
    }
    // Records about no campaign have an empty name there.
    if let created {
      try await eachRecord(of: "", after: created, until: end) { record in
        if record.isOfPeople { records.append(record) }
      }
    }
    records.sort { $0.seq < $1.seq }
    guard let started, let last else { return (records, nil) }
    return (records, .milliseconds(last - started))
  }

  private func eachRecord(
    of campaign: String, after seq: UInt64, until end: Instant? = nil,
    _ take: (LogRecord) -> Void
  ) async throws(WireStatus) {
    var position = seq
    while true {
      let page = try await core.records(after: position, RecordFilter(campaign: campaign))
      for record in page {
        if let end, record.campaignTime > end { return }
        take(record)
      }
      guard page.count == Limits.page, let newest = page.last else { return }
      position = newest.seq
    }
  }
}

extension ControlSnapshot {
  /// When a campaign ended; nil when it has not.
  fileprivate func end(of name: CampaignName) -> Instant? {
    state.campaign(named: name).flatMap { state[campaign: $0].endedAt }
  }
}

extension LogRecord {
  /// What people did, and the end of a lock that they gave an end.
  fileprivate var isOfPeople: Bool {
    switch RecordKind(rawValue: kind) {
    // A fleet of a million, imported while the campaign runs, is not a million decisions.
    case .clientImported, .serverImported: false
    case .serverUnlocked: true
    // A breaker's pause is one all the same, and a postponement ends by itself.
    case .campaignPaused, .clientResumed: true
    case _: !principal.isEmpty
    }
  }
}

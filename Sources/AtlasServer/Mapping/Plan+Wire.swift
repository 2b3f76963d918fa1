import AtlasControl
import AtlasModel
import AtlasWire

extension AtlasV1.Plan {
  /// Lists are cut to one page each; `truncated` says so.
  init(_ plan: CampaignPlan, details: Bool) {
    self.init(
      campaign: plan.campaign.text, etag: plan.etag, start: .init(plan.start),
      finish: .init(plan.finish), makespan: .init(plan.makespan),
      sequential: .init(plan.sequential), lowerBound: .init(plan.lowerBound),
      servers: Int32(clamping: plan.servers), clients: Int32(clamping: plan.clients.count),
      misses: plan.misses.prefix(Limits.page).map { .init($0) },
      blocked: plan.blocked.prefix(Limits.page).map { .init($0) },
      timeline: details ? plan.clients.prefix(Limits.page * 2).map { .init($0) } : [],
      rings: plan.rings.map { .init($0) },
      truncated: plan.misses.count > Limits.page || plan.blocked.count > Limits.page
        || (details && plan.clients.count > Limits.page * 2),
      missed: Int32(clamping: plan.misses.count),
      blockedServers: Int32(clamping: plan.blocked.count),
      failed: Int32(clamping: plan.failed), held: Int32(clamping: plan.held),
      mostDownOfClient: Int32(clamping: plan.mostDownOfClient),
      mostDown: Int32(clamping: plan.mostDown),
      notUndoable: plan.notUndoable.prefix(Limits.page).map { .init($0) })
  }
}

extension AtlasV1.PlannedServer {
  init(_ server: PlannedServer) {
    self.init(server: server.server.text, client: server.client.text, reason: server.reason)
  }
}

extension AtlasV1.PlannedClient {
  init(_ client: PlannedClient) {
    self.init(
      client: client.client.text, ring: Int32(client.ring.number),
      servers: Int32(client.servers), firstStart: client.firstStart.map { .init($0) },
      lastEnd: client.lastEnd.map { .init($0) })
  }
}

extension AtlasV1.PlannedRing {
  init(_ ring: PlannedRing) {
    self.init(
      ring: Int32(ring.ring.number), name: ring.name, servers: Int32(ring.servers),
      opens: ring.opens.map { .init($0) }, completes: ring.completes.map { .init($0) })
  }
}

extension AtlasV1.Report {
  /// Lists of servers are cut to one page each; `truncated` says so.
  init(_ report: CampaignReport) {
    let lists = [report.affectedNow, report.stillOpen, report.failed, report.notDone]
    let cut = lists.map { list in list.prefix(Self.rows).map { AtlasV1.ServerRun($0) } }
    let saved = report.gains.first.flatMap { first in report.makespan.map { first.time - $0 } }
    self.init(
      campaign: .init(report.campaign), affectedNow: cut[0], stillOpen: cut[1],
      failed: cut[2], notDone: cut[3], updates: report.updates.map { .init($0) },
      downtimeMean: report.downtimeMean.map { .init($0) },
      downtimeLongest: report.downtimeLongest.map { .init($0) },
      largestDownPerClient: Int32(report.largestDownPerClient),
      rings: report.rings.map { .init($0) }, makespan: report.makespan.map { .init($0) },
      lowerBound: report.lowerBound.map { .init($0) }, ratio: report.ratio,
      gains: report.gains.map { .init($0) }, saved: saved.map { .init($0) },
      gateCosts: report.gateCosts.map {
        AtlasV1.NamedDuration(name: "gate after ring \($0.ring)", duration: .init($0.cost))
      },
      truncated: lists.contains { $0.count > Self.rows },
      planned: report.planned.map { .init($0) }, estimates: .init(report.estimates),
      snapshots: report.snapshots.prefix(Self.rows).map { .init($0) })
  }

  /// A run is about 400 bytes on the wire, and four lists must fit into one message.
  private static let rows = 100
}

extension AtlasV1.PlanAgainstReality {
  init(_ planned: PlanAgainstReality) {
    self.init(
      plannedFinish: planned.plannedFinish.map { .init($0) },
      finish: planned.finish.map { .init($0) },
      rings: planned.rings.map {
        AtlasV1.RingDeviation(
          ring: Int32($0.ring.number), name: $0.name,
          plannedOpens: $0.plannedOpens.map { .init($0) }, opens: $0.opens.map { .init($0) },
          plannedCompletes: $0.plannedCompletes.map { .init($0) },
          completes: $0.completes.map { .init($0) })
      }, servers: planned.servers.map { .init($0) })
  }
}

extension AtlasV1.ServerDeviation {
  fileprivate init(_ server: ServerDeviation) {
    self.init(
      server: server.server.text, client: server.client.text,
      plannedStart: server.plannedStart.map { .init($0) }, start: server.start.map { .init($0) },
      plannedLength: server.plannedLength.map { .init($0) },
      length: server.length.map { .init($0) }, off: server.off.map { .init($0) },
      reason: server.reason)
  }
}

extension AtlasV1.EstimateQuality {
  fileprivate init(_ quality: EstimateQuality) {
    self.init(
      attempts: Int32(clamping: quality.attempts), covered: Int32(clamping: quality.covered),
      fromHistory: Int32(clamping: quality.fromHistory),
      coveredFromHistory: Int32(clamping: quality.coveredFromHistory))
  }
}

extension AtlasV1.KindEstimate {
  init(_ view: EstimateView) {
    self.init(
      role: view.role?.text ?? "", system: view.system, estimate: view.estimate.map { .init($0) },
      policyEstimate: .init(view.policyEstimate),
      phases: view.phases.map {
        AtlasV1.PhaseEstimate(
          phase: .init($0.phase), samples: Int32(clamping: $0.samples), p50: .init($0.p50),
          p95: .init($0.p95))
      })
  }
}

extension AtlasV1.UpdateTally {
  init(_ tally: UpdateTally) {
    func count(_ outcome: UpdateOutcome) -> Int32 { Int32(tally.counts[outcome] ?? 0) }
    self.init(
      update: tally.update.text, installed: count(.installed), failed: count(.failed),
      notApplicable: count(.notApplicable), reverted: count(.reverted))
  }
}

extension AtlasV1.GainRow {
  init(_ gain: Gain) {
    self.init(
      way: gain.way, time: .init(gain.time), serversPerHour: gain.serversPerHour,
      factor: gain.factor)
  }
}

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
      blockedServers: Int32(clamping: plan.blocked.count))
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
      truncated: lists.contains { $0.count > Self.rows })
  }

  /// A run is about 400 bytes on the wire, and four lists must fit into one message.
  private static let rows = 100
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

import AtlasEngine
import AtlasModel
import AtlasStore

/// What a campaign did, for the morning after. What the log and the hooks add is not in it.
package struct CampaignReport: Sendable {
  package var campaign: CampaignView
  /// Down, or not proven healthy, now.
  package var affectedNow: [RunView]
  /// Not healthy to the end: installed and not rebooted, overdue, held, or with maintenance left, or a
  /// snapshot that nothing removes.
  package var stillOpen: [RunView]
  /// Runs that have ended and whose snapshots remain, kept or not; those of runs that were tried again
  /// too.
  package var snapshots: [RunView]
  package var failed: [RunView]
  package var notDone: [RunView]
  package var updates: [UpdateTally]
  package var downtimeMean: Duration?
  package var downtimeLongest: Duration?
  package var largestDownPerClient: Int
  package var rings: [RingView]
  package var heldKinds: [HeldKindView]
  package var missingKinds: [MissingKindView]
  package var makespan: Duration?
  package var lowerBound: Duration?
  package var gains: [Gain]
  package var gateCosts: [GateCost]
  /// Nil for a campaign that started without a plan.
  package var planned: PlanAgainstReality?
  package var estimates: EstimateQuality

  /// Makespan ÷ lower bound; nil before anything has moved. Below 1 something is wrong with one of
  /// the two.
  package var ratio: Double? {
    guard let makespan, let lowerBound, lowerBound > .zero else { return nil }
    return makespan / lowerBound
  }
}

/// What became of one update over all servers.
package struct UpdateTally: Hashable, Sendable {
  package var update: UpdateID
  package var counts: [UpdateOutcome: Int]
}

/// One way to patch the same servers, and how long it takes.
package struct Gain: Hashable, Sendable {
  package var way: String
  package var time: Duration
  package var serversPerHour: Double
  /// How many times faster than one after the other.
  package var factor: Double
}

/// How long a gate kept the rings behind it waiting after its own ring could have been followed.
package struct GateCost: Hashable, Sendable {
  package var ring: Ring
  package var cost: Duration
}

extension ControlSnapshot {
  /// - Parameter log: Records of the campaign, and of what people did to the whole fleet, its clients
  ///   and servers since it started; in order.
  /// - Throws: ``ControlError`` when there is no such campaign.
  package func report(
    _ name: CampaignName, log: [LogRecord] = []
  ) throws(ControlError) -> CampaignReport {
    let id = try state.id(of: name)
    let campaign = state[campaign: id]
    // A server is told of once, by its newest run.
    let repeated = Set(campaign.runs.map { Int($0.retryOf) })
    let views = campaign.runs.indices.filter { !repeated.contains($0) }.map {
      state.view(run: RunRef(campaign: id, index: $0), now: now)
    }
    let interventions = log.compactMap { intervention($0, in: id) }
    let spans = makespan(id, interventions: interventions)
    let downtimes = campaign.runs.compactMap { $0.slotTime(until: now) }
    return CampaignReport(
      campaign: state.view(campaign: id, now: now, demoFactor: demoFactor),
      affectedNow: views.filter(\.run.isDown), stillOpen: views.filter(\.isStillOpen),
      snapshots: state.snapshotViews(of: id, now: now),
      failed: views.filter { $0.run.state.kind == .failed }, notDone: views.filter(\.isNotDone),
      updates: campaign.tally(),
      downtimeMean: downtimes.isEmpty ? nil : downtimes.reduce(.zero, +) / downtimes.count,
      downtimeLongest: downtimes.max(),
      largestDownPerClient: campaign.largestInUse(until: now),
      rings: campaign.rings.map { state.view(ring: $0, of: id) },
      heldKinds: state.heldKinds(of: id), missingKinds: state.missingKinds(of: id),
      makespan: spans?.real,
      lowerBound: spans?.lowerBound,
      gains: state.gains(id, real: spans?.real), gateCosts: campaign.gateCosts(),
      planned: planAgainstReality(id, log: log), estimates: EstimateQuality(campaign))
  }
}

extension RunView {
  fileprivate var isStillOpen: Bool {
    if run.details.content.maintenance?.remains ?? false { return true }
    guard run.state.kind != .pending, run.state.kind != .inProgress else { return false }
    return run.state.kind.holdsSlot || snapshot?.remains ?? false
  }

  fileprivate var isNotDone: Bool {
    switch run.state {
    case .notAttempted, .skipped, .postponed, .pending: true
    case .inProgress, .parked, .held, .completed, .failed: false
    }
  }
}

extension Run {
  /// Slot time in all; nil for a run that never had a slot.
  func slotTime(until now: Instant) -> Duration? {
    let intervals = details.content.slotIntervals
    guard !intervals.isEmpty else { return nil }
    return intervals.reduce(.zero) { $0 + (min($1.end, now) - $1.start) }
  }
}

extension Campaign {
  fileprivate func tally() -> [UpdateTally] {
    var counts: [UpdateID: [UpdateOutcome: Int]] = [:]
    for run in runs {
      for result in run.details.content.updates {
        counts[result.update, default: [:]][result.outcome, default: 0] += 1
      }
    }
    return counts.keys.sorted().map { UpdateTally(update: $0, counts: counts[$0] ?? [:]) }
  }

  /// The largest number of slots of one lane that were in use at once, from the intervals in which
  /// runs held them.
  fileprivate func largestInUse(until now: Instant) -> Int {
    var edges = [[(at: Instant, change: Int)]](repeating: [], count: lanes.count)
    for run in runs {
      for interval in run.details.content.slotIntervals {
        edges[Int(run.lane)].append((interval.start, 1))
        edges[Int(run.lane)].append((min(interval.end, now), -1))
      }
    }
    return edges.map { edges in
      var inUse = 0
      var largest = 0
      for edge in edges.sorted(by: { ($0.at, $0.change) < ($1.at, $1.change) }) {
        inUse += edge.change
        largest = max(largest, inUse)
      }
      return largest
    }.max() ?? 0
  }

  /// From the end of what a gate asked for to the first start behind it.
  fileprivate func gateCosts() -> [GateCost] {
    zip(rings, rings.dropFirst()).compactMap { ring, next in
      guard ring.counts.total > 0, let since = startedAt, let opened = next.startedAt else {
        return nil
      }
      return GateCost(ring: ring.ring, cost: opened - since)
    }
  }
}

extension ControlState {
  fileprivate func snapshotViews(of id: CampaignID, now: Instant) -> [RunView] {
    self[campaign: id].runs.enumerated().compactMap { index, run in
      guard run.state.kind.isTerminal, run.details.content.snapshot != nil else { return nil }
      return view(run: RunRef(campaign: id, index: index), now: now)
    }
  }

  /// The same servers one after the other, client by client in parallel, and all at once: each as
  /// long as it really took, and those that have not ended as long as is expected of them. None for
  /// a rollback campaign: nobody asks how else one could have gone back.
  fileprivate func gains(_ id: CampaignID, real: Duration?) -> [Gain] {
    let campaign = self[campaign: id]
    guard campaign.rollbackOf == nil else { return [] }
    let estimates = campaign.runs.enumerated().map { index, run in
      let took = run.endedAt.flatMap { run.slotTime(until: $0) }
      return took ?? estimate(of: RunRef(campaign: id, index: index))
    }
    let sequential = estimates.reduce(.zero, +)
    guard sequential > .zero else { return [] }
    var lanes = [Duration](repeating: .zero, count: campaign.lanes.count)
    for (run, estimate) in zip(campaign.runs, estimates) { lanes[Int(run.lane)] += estimate }
    var ways = [
      ("one after the other", sequential),
      ("one per client", lanes.max() ?? .zero),
      ("all at once", estimates.max() ?? .zero),
    ]
    if let real { ways.append(("this campaign", real)) }
    return ways.map { way, time in
      let hours = time / .seconds(3_600)
      return Gain(
        way: way, time: time,
        serversPerHour: hours > 0 ? Double(campaign.runs.count) / hours : 0,
        factor: time > .zero ? sequential / time : 0)
    }
  }
}

import AtlasEngine
import AtlasModel

/// The figures of a running campaign, worked out from counters that every move keeps up.
extension ControlState {
  func metrics(
    campaign id: CampaignID?, client: ClientID?, details: Bool, now: Instant, demoFactor: Int
  ) -> MetricsView {
    let chosen =
      id.map { [$0] }
      ?? campaigns.indices.filter { campaigns[$0].state == .active }.map(CampaignID.init)
    var view = MetricsView(
      campaign: id.map { self[campaign: $0].name }, now: now, demoFactor: demoFactor,
      counts: Counts(), downNow: 0, activeClients: 0, clients: 0, elapsed: .zero,
      estimatedTimeLeft: nil, waitingForPeople: 0,
      agentsConnected: servers.count(where: \.connected),
      stopped: stop != nil, paused: false, settled: true, rings: [], perClient: [])
    for id in chosen { add(id, client, details, now, to: &view) }
    if let client { view.stopped = view.stopped || self[client: client].stop != nil }
    view.waitingForPeople = view.counts[.held]
    return view
  }

  private func add(
    _ id: CampaignID, _ client: ClientID?, _ details: Bool, _ now: Instant,
    to view: inout MetricsView
  ) {
    let campaign = self[campaign: id]
    let lanes = campaign.lanes.filter { client == nil || $0.client == client }
    let perLane = client != nil || details ? countPerLane(campaign) : []
    if client == nil {
      view.counts.add(campaign.counts)
    } else {
      for (lane, counts) in zip(campaign.lanes, perLane) where lane.client == client {
        view.counts.add(counts)
      }
    }
    view.downNow += downNow(in: lanes, of: campaign)
    view.activeClients += lanes.count { !$0.active.isEmpty }
    view.clients += lanes.count
    let end = campaign.endedAt ?? now
    view.elapsed = max(view.elapsed, campaign.startedAt.map { end - $0 } ?? .zero)
    view.paused = view.paused || campaign.pauses.contains { $0.scope == .all }
    view.settled = view.settled && isSettled(id, now: now)
    let left = timeLeft(lanes, of: id, now: now)
    view.estimatedTimeLeft = left.map { max($0, view.estimatedTimeLeft ?? .zero) }
    guard details else { return }
    view.rings += campaign.rings.map { self.view(ring: $0, of: id) }
    for (lane, counts) in zip(campaign.lanes, perLane) where client == nil || lane.client == client
    {
      view.perClient.append(
        ClientMetricsView(
          client: self[client: lane.client].config.name, ring: lane.ring, counts: counts,
          downNow: downNow(in: [lane], of: campaign)))
    }
  }

  /// The runs of every lane by state; a lane knows only its open ones, so this looks at all. A run that
  /// was tried again is counted as the newer one.
  private func countPerLane(_ campaign: Campaign) -> [Counts] {
    var counts = [Counts](repeating: Counts(), count: campaign.lanes.count)
    let repeated = Set(campaign.runs.lazy.map(\.retryOf).filter { $0 >= 0 })
    for (index, run) in campaign.runs.enumerated() where !repeated.contains(Int32(index)) {
      let pending = run.marks.contains(.rebootPending)
      counts[Int(run.lane)].addOne(run.state.kind, rebootPending: pending)
    }
    return counts
  }

  /// Until the lane is done that takes longest, at the mean time a server has taken so far and in the
  /// windows that are known. Gates that are closed still, and clients that are postponed, are left
  /// out. Nil until a server has completed.
  private func timeLeft(_ lanes: [Lane], of id: CampaignID, now: Instant) -> Duration? {
    let campaign = self[campaign: id]
    guard !campaign.state.isTerminal else { return .zero }
    guard let mean = campaign.meanSlotTime else { return nil }
    let ends = lanes.map { lane in
      let client = self[client: lane.client]
      let next = lane.active.isEmpty ? now : now + mean
      guard !lane.queue.isEmpty, client.postponed == nil else { return next }
      let slots = max(1, self.slots(of: lane.client, in: id, now: now))
      return (lane.narrowed ?? client.windows).end(
        of: (lane.queue.count + slots - 1) / slots, each: mean, from: next)
    }
    return (ends.max() ?? now) - now
  }
}

extension [Interval] {
  /// When `turns` that take `each` are over that begin and end inside the intervals, which are in
  /// order, one after the other from `start` on. What does not fit into any follows the last.
  func end(of turns: Int, each: Duration, from start: Instant) -> Instant {
    var left = turns
    var at = start
    for interval in self where interval.end > at {
      let from = Swift.max(at, interval.start)
      let fit = each > .zero ? Int((interval.end - from) / each) : left
      if fit >= left { return from + each * left }
      left -= fit
      at = interval.end
    }
    return at + each * left
  }
}

extension Campaign {
  /// Slot taken to slot returned, over the runs that have completed; nil when none has.
  var meanSlotTime: Duration? {
    var total: Int64 = 0
    var count: Int64 = 0
    for run in runs {
      guard case .completed = run.state, let start = run.startedAt, let end = run.endedAt else {
        continue
      }
      total += (end - start).milliseconds
      count += 1
    }
    return count == 0 ? nil : .milliseconds(total / count)
  }
}

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
    let left = timeLeft(lanes, of: campaign)
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

  /// The runs of every lane by state; a lane knows only its open ones, so this looks at all.
  private func countPerLane(_ campaign: Campaign) -> [Counts] {
    var counts = [Counts](repeating: Counts(), count: campaign.lanes.count)
    for run in campaign.runs {
      let pending = run.marks.contains(.rebootPending)
      counts[Int(run.lane)].addOne(run.state.kind, rebootPending: pending)
    }
    return counts
  }

  /// The longest lane: what is left in it, at the mean time a server has taken so far. Nil until
  /// one has ended.
  private func timeLeft(_ lanes: [Lane], of campaign: Campaign) -> Duration? {
    guard !campaign.state.isTerminal else { return .zero }
    guard let mean = campaign.meanSlotTime else { return nil }
    let longest = lanes.map { $0.queue.count + min(1, $0.active.count) }.max() ?? 0
    return mean * longest
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

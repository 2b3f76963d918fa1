import AtlasEngine
import AtlasModel

/// What callers get: the state as it is after the change, or as it is at all.
extension ControlMachine {
  /// The answer to a change that was carried out.
  func answer(after change: Change, now: Instant) throws(ControlError) -> ControlAnswer {
    switch change {
    case .importFleet: .done
    case .updateClient(let config, _):
      .client(state.view(client: try client(config.name), now: now))
    case .createCampaign(let request): .campaign(try view(request.name, now), inFlight: 0)
    case .pauseCampaign(let name, let scope, _):
      .campaign(try view(name, now), inFlight: try inFlight(of: name, scope))
    case .startCampaign(let name, _, _), .excludeUpdate(let name, _, _), .editCampaign(let name, _),
      .resumeCampaign(let name, _, _), .cancelCampaign(let name, _),
      .releaseSignature(let name, _, _, _), .waiveRepresentative(let name, _, _, _):
      .campaign(
        try view(name, now), inFlight: state[campaign: try campaign(name)].counts.inFlight)
    case .promoteRing(let name, _, _): .rings(try rings(name))
    case .retryRun(let name, let server, _), .skipRun(let name, let server, _),
      .claimRun(let name, let server, _), .approveRun(let name, let server, _),
      .resolveRun(let name, let server, _, _, _):
      .run([state.view(run: try run(name, server), now: now)])
    case .pauseClient(let name, _), .resumeClient(let name), .endOutage(let name),
      .declareOutage(let name, _, _, _, _):
      .client(state.view(client: try client(name), now: now))
    case .postponeClient(let name, _, _):
      .postponed(
        state.view(client: try client(name), now: now),
        inFlight: state.inFlightViews(of: try client(name), now: now))
    case .lockServer(let name, _, _, _), .unlockServer(let name), .retireServer(let name, _),
      .dismissServer(let name, _), .recallServer(let name):
      .server(state.view(server: try server(name), now: now))
    case .stop(let name, _): try stopped(name)
    case .releaseStop(let name, let reason): try released(name, reason)
    }
  }

  /// Servers of a part of a campaign that hold a slot.
  private func inFlight(
    of name: CampaignName, _ scope: ScopeRequest
  ) throws(ControlError) -> Int {
    let scope = try self.scope(scope)
    return state[campaign: try campaign(name)].lanes.reduce(0) {
      $0 + (scope.covers($1) ? $1.active.count : 0)
    }
  }

  private func stopped(_ name: ClientName?) throws(ControlError) -> ControlAnswer {
    let id = try name.map(client)
    guard let stop = id.map({ state[client: $0].stop }) ?? state.stop else {
      preconditionFailure("the stop was just latched")
    }
    let running = state.campaigns.filter { $0.state == .active || $0.state == .cancelling }
    let inFlight =
      id.map { state[client: $0].slotsInUse } ?? running.reduce(0) { $0 + $1.counts.inFlight }
    return .stopped(StopView(client: name, stop: stop), inFlight: inFlight)
  }

  private func released(_ name: ClientName?, _ reason: String) throws(ControlError)
    -> ControlAnswer
  {
    let paused =
      name == nil ? state.campaigns.filter { !$0.pauses.isEmpty && !$0.state.isTerminal } : []
    let latch =
      name.flatMap { state.client(named: $0) }.flatMap { state[client: $0].paused }
      ?? paused.first?.pauses.first?.latch
      ?? Latch(reason: reason, principal: "", since: Instant(milliseconds: 0))
    return .released(
      StopView(client: name, stop: StopLatch(latch: latch, fence: state.fence)),
      paused: paused.map(\.name))
  }

  /// The answer to a request that changes nothing.
  /// - Parameter lastSeq: Of the last record that the state has, with those not committed yet.
  func answer(
    _ read: Read, now: Instant, lastSeq: UInt64
  ) throws(ControlError) -> ControlAnswer {
    switch read {
    case .campaign(let name): .campaign(try view(name, now), inFlight: 0)
    case .campaigns(let after, let limit): campaigns(after: after, limit: limit, now: now)
    case .rings(let name): .rings(try rings(name))
    case .kinds(let name):
      .kinds(
        held: state.heldKinds(of: try campaign(name)),
        missing: state.missingKinds(of: try campaign(name)))
    case .plan(let name, let whatIf): .plan(try planWork(name, whatIf, now: now))
    case .runs(let name, let filter, let after, let limit):
      try runs(name, filter, after: after, limit: limit, now: now)
    case .run(let name, let server): try runViews(name, server, now: now)
    case .clients(let after, let limit):
      page(state.clients.indices.map { state.clients[$0].config.name.text }, after, limit) {
        .clients($0.map { state.view(client: ClientID($0), now: now) }, next: $1)
      }
    case .client(let name): .client(state.view(client: try client(name), now: now))
    case .servers(let client, let after, let limit):
      try servers(of: client, after: after, limit: limit, now: now)
    case .server(let name): .server(state.view(server: try server(name), now: now))
    case .windows(let name, let from, let count):
      try windows(name, from: from ?? now, count: count, now: now)
    case .clientWindows(let name, let from, let count):
      try clientWindows(name, from: from ?? now, count: count, now: now)
    case .estimates(let name):
      .estimates(
        state.estimateViews(try name.map(campaign).map { state[campaign: $0].policy } ?? Policy()))
    case .stops: .stops(state.stops())
    case .metrics(let name, let client, let details):
      .metrics(
        state.metrics(
          campaign: try name.map(campaign), client: try client.map(self.client),
          details: details, now: now, demoFactor: configuration.demoFactor))
    case .fleet: .fleet(state.fleet(), version: state.fleetVersion)
    case .snapshot:
      .snapshot(
        ControlSnapshot(
          state: state, now: now, demoFactor: configuration.demoFactor, lastSeq: lastSeq))
    }
  }

  private func view(_ name: CampaignName, _ now: Instant) throws(ControlError) -> CampaignView {
    state.view(
      campaign: try campaign(name), now: now, demoFactor: configuration.demoFactor)
  }

  private func planWork(
    _ name: CampaignName, _ whatIf: [WhatIf], now: Instant
  ) throws(ControlError) -> PlanWork {
    _ = try campaign(name)
    for (index, one) in whatIf.enumerated()
    where whatIf[..<index].contains(where: { $0.key == one.key }) {
      throw .refused(
        .invalid(field: "what_if", message: "\(one.key.rawValue) is there more than once"))
    }
    return PlanWork(
      snapshot: ControlSnapshot(state: state, now: now, demoFactor: configuration.demoFactor),
      campaign: name, whatIf: whatIf)
  }

  private func rings(_ name: CampaignName) throws(ControlError) -> [RingView] {
    let id = try campaign(name)
    return state[campaign: id].rings.map { state.view(ring: $0, of: id) }
  }

  private func runViews(
    _ name: CampaignName, _ server: ServerName, now: Instant
  ) throws(ControlError) -> ControlAnswer {
    let refs = try runs(name, server)
    guard !refs.isEmpty else { throw .notFound(kind: "run", name: "\(name)/\(server)") }
    return .run(refs.map { state.view(run: $0, now: now) })
  }

  private func campaigns(after: String, limit: Int, now: Instant) -> ControlAnswer {
    page(state.campaigns.map(\.name.text), after, limit) { indices, next in
      .campaigns(
        indices.map {
          state.view(
            campaign: CampaignID($0), isListed: true, now: now, demoFactor: configuration.demoFactor
          )
        }, next: next)
    }
  }

  private func servers(
    of client: ClientName?, after: String, limit: Int, now: Instant
  ) throws(ControlError) -> ControlAnswer {
    let wanted = try client.map(self.client)
    let ids =
      wanted.map { state[client: $0].servers.map { Int($0.index) } }
      ?? Array(state.servers.indices)
    let names = ids.map { state.servers[$0].config.name.text }
    return page(names, after, limit) { chosen, next in
      .servers(chosen.map { state.view(server: ServerID(ids[$0]), now: now) }, next: next)
    }
  }

  /// Positions of the names behind `after`, in order of name, and the name to go on after.
  private func page(
    _ names: [String], _ after: String, _ limit: Int,
    _ make: (_ indices: [Int], _ next: String) -> ControlAnswer
  ) -> ControlAnswer {
    let sorted = names.indices.filter { names[$0] > after }.sorted { names[$0] < names[$1] }
    let chosen = Array(sorted.prefix(limit))
    let hasMore = sorted.count > chosen.count
    return make(chosen, hasMore ? chosen.last.map { names[$0] } ?? "" : "")
  }

  private func runs(
    _ name: CampaignName, _ filter: RunFilter, after: Int, limit: Int, now: Instant
  ) throws(ControlError) -> ControlAnswer {
    let id = try campaign(name)
    let client = try filter.client.map(self.client)
    var views: [RunView] = []
    let runs = state[campaign: id].runs
    var index = max(0, after)
    while index < runs.count, views.count < limit {
      let lane = state[campaign: id].lanes[Int(runs[index].lane)]
      if filter.states.isEmpty || filter.states.contains(runs[index].state.kind),
        client == nil || lane.client == client, filter.ring == nil || lane.ring == filter.ring
      {
        views.append(state.view(run: RunRef(campaign: id, index: index), now: now))
      }
      index += 1
    }
    return .runs(views, next: index < runs.count ? index : nil)
  }

  private func clientWindows(
    _ name: ClientName, from: Instant, count: Int, now: Instant
  ) throws(ControlError) -> ControlAnswer {
    guard (1...Limits.openings).contains(count) else {
      throw .refused(
        .invalid(field: "count", message: "\(count) is not 1 to \(Limits.openings)"))
    }
    let id = try client(name)
    let config = state[client: id].config
    let openings: WindowOpenings
    do {
      openings = try configuration.openings(config, from, count)
    } catch {
      throw .refused(.invalid(field: "windows", message: "\(error)"))
    }
    return .clientWindows(
      openings, zone: config.zone, openNow: state[client: id].openWindow(at: now) != nil,
      etag: String(state[client: id].version))
  }

  private func windows(
    _ name: ClientName, from: Instant, count: Int, now: Instant
  ) throws(ControlError) -> ControlAnswer {
    let id = try client(name)
    return .windows(
      state.windows(of: id, from: from, count: count), zone: state[client: id].config.zone,
      openNow: state[client: id].openWindow(at: now) != nil)
  }
}

import AtlasEngine
import AtlasModel

/// Pure functions from the state to what people see.
extension ControlState {
  /// - Parameter isListed: Among others: what costs more than a row of a list is left out.
  func view(
    campaign id: CampaignID, isListed: Bool = false, now: Instant, demoFactor: Int
  ) -> CampaignView {
    let campaign = self[campaign: id]
    let settled = isSettled(id, now: now)
    return CampaignView(
      name: campaign.name, author: campaign.author, state: campaign.state,
      selection: campaign.selection, updateSet: campaign.updateSet, policy: campaign.policy,
      overrides: campaign.overrides.map {
        NamedPolicy(client: self[client: $0.client].config.name, policy: $0.policy)
      },
      counts: campaign.counts, downNow: downNow(in: campaign.lanes, of: campaign),
      clients: campaign.lanes.count, createdAt: campaign.createdAt,
      startedAt: campaign.startedAt, endedAt: campaign.endedAt, endsAt: campaign.endsAt,
      flags: flags(of: id), heldKinds: heldKinds(of: id), settled: settled,
      decisions: settled ? decisions(of: id, now: now) : [],
      etag: String(planVersion(id)), version: campaign.version,
      changeReference: campaign.changeReference,
      rollbackOf: campaign.rollbackOf.map { self[campaign: $0].name },
      notUndoable: isListed ? [] : notUndoableViews(of: id),
      hookRevision: campaign.hookRevision, now: now, demoFactor: demoFactor)
  }

  func notUndoableViews(of id: CampaignID) -> [NotUndoableView] {
    notUndoable(of: id).map {
      let server = self[server: $0.server].config
      return NotUndoableView(server: server.name, client: server.client, reason: $0.reason)
    }
  }

  /// Everything that keeps a campaign or a part of it from going on.
  private func flags(of id: CampaignID) -> [FlagView] {
    let campaign = self[campaign: id]
    guard !campaign.state.isTerminal else { return [] }
    var flags: [FlagView] = []
    if let stop { flags.append(FlagView(kind: "stopped", scope: "fleet", latch: stop.latch)) }
    for pause in campaign.pauses {
      flags.append(FlagView(kind: "paused", scope: describe(pause.scope), latch: pause.latch))
    }
    for lane in campaign.lanes {
      let client = self[client: lane.client]
      let scope = "client \(client.config.name)"
      if let stop = client.stop {
        flags.append(FlagView(kind: "stopped", scope: scope, latch: stop.latch))
      }
      if let paused = client.paused {
        flags.append(FlagView(kind: "paused", scope: scope, latch: paused))
      }
    }
    for held in campaign.heldLanes {
      let scope = "client \(self[client: held.client].config.name)"
      flags.append(FlagView(kind: "lane_held", scope: scope, latch: held.latch))
    }
    return flags + safetyFlags(of: campaign)
  }

  /// What settled runs wait for, one line each, at most ``Limits/page``.
  private func decisions(of id: CampaignID, now: Instant) -> [String] {
    var lines = kindDecisions(of: id)
    for (index, run) in self[campaign: id].runs.enumerated() where lines.count < Limits.page {
      let server = self[server: run.server].config.name
      switch run.state {
      case .pending:
        let ref = RunRef(campaign: id, index: index)
        if let problem = agentProblem(ref) { lines.append("\(server) is PENDING: \(problem)") }
        if let decision = decision(of: ref, now: now) {
          lines.append("\(server) is PENDING: \(decision)")
        }
      case .held(let hold):
        let choices = choices(RunRef(campaign: id, index: index)).map(\.rawValue)
        let owner = run.details.content.care?.owner ?? ""
        let kind = owner.isEmpty ? hold.rawValue : "\(hold.rawValue), claimed by \(owner)"
        lines.append("\(server) is HELD (\(kind)): \(choices.joined(separator: ", "))")
      case .parked:
        let decision = decision(of: RunRef(campaign: id, index: index), now: now)
        lines.append("\(server) is PARKED: \(decision ?? "resume, or cancel the campaign")")
      case .inProgress, .completed, .failed, .notAttempted, .skipped, .postponed: break
      }
    }
    return lines
  }

  /// What a person could do so that a pending or parked run may go on, as far as that is particular
  /// to it; nil when there is no such thing.
  private func decision(of ref: RunRef, now: Instant) -> String? {
    switch waits(ref, now: now) {
    case .unexplained(let other):
      let doubt = doubt(about: other, in: ref.campaign, now: now)
      return doubt.map { "\($0): bring it back, or dismiss it" }
    case .outage(let client):
      let name = self[client: client].config.name
      return "its guests go down with it: declare an outage of \(name) that is long enough"
    case .approval: return "it carries Atlas itself: approve it, or skip it"
    case .stopped where self[ref].state.kind == .parked:
      return "release the stop and resume, or cancel the campaign"
    case .window(nil), .windowTooShort(nil):
      guard self[ref].state.kind == .parked else { return nil }
      return "no window that is known is long enough: resume with --now, or widen the window"
    case _: return nil
    }
  }

  /// Servers that are down, or whose state nobody has proven since they were changed.
  func downNow(in lanes: [Lane], of campaign: Campaign) -> Int {
    lanes.reduce(0) { sum, lane in
      sum + lane.active.count { campaign.runs[Int($0)].isDown }
    }
  }

  func view(ring progress: RingProgress, of id: CampaignID) -> RingView {
    let campaign = self[campaign: id]
    let lanes = campaign.lanes.filter { $0.ring == progress.ring }
    return RingView(
      ring: progress.ring, name: name(of: progress.ring), status: progress.status,
      counts: progress.counts,
      downNow: downNow(in: lanes, of: campaign), gate: progress.gate,
      gateWaitsFor: gateWaitsFor(id, progress.ring), startedAt: progress.startedAt,
      completedAt: progress.completedAt, promoted: progress.promoted,
      paused: campaign.pauses.contains { $0.scope == .ring(progress.ring) })
  }

  func view(run ref: RunRef, now: Instant) -> RunView {
    let run = self[ref]
    let campaign = self[campaign: ref.campaign]
    let server = self[server: run.server]
    return RunView(
      number: Int(ref.index) + 1, campaign: campaign.name, server: server.config.name,
      client: server.config.client, site: server.config.site,
      ring: campaign.lanes[Int(run.lane)].ring, order: Int(run.order) + 1, run: run,
      waitsFor: waitsText(ref, now: now), choices: choices(ref),
      locked: run.state.kind.holdsSlot || server.locked != nil,
      undoneBy: run.details.content.undo.map { self[campaign: $0.run.campaign].name },
      isUndone: run.details.content.undo?.isDone ?? false)
  }

  func view(client id: ClientID, now: Instant) -> ClientView {
    let client = self[client: id]
    return ClientView(
      config: client.config, servers: client.servers.count, slotsInUse: client.slotsInUse,
      occupied: occupied(of: id, now: now),
      unexplained: unexplained(of: id, now: now).map { self[server: $0].config.name },
      outage: client.outage,
      agentsConnected: client.servers.count { self[server: $0].connected },
      paused: client.paused, stopped: client.stop?.latch, postponed: client.postponed?.latch,
      darkSince: client.dark?.since, etag: String(client.version))
  }

  func view(server id: ServerID, now: Instant) -> ServerView {
    let server = self[server: id]
    return ServerView(
      config: server.config, retired: server.retired, locked: server.locked,
      connected: server.connected, agentVersion: server.agentVersion,
      campaign: server.openRun.map { self[campaign: $0.campaign].name },
      runState: server.openRun.map { self[$0].state.kind }, etag: String(server.version),
      unexplained: doubt(about: id, now: now) ?? "", dismissed: server.dismissed,
      guests: guests(of: id).map { self[server: $0].config.name })
  }

  func stops() -> StopsView {
    var stops = stop.map { [StopView(client: nil, stop: $0)] } ?? []
    for client in clients {
      if let stop = client.stop { stops.append(StopView(client: client.config.name, stop: stop)) }
    }
    let running = campaigns.filter { $0.state == .active || $0.state == .cancelling }
    if stop == nil, !stops.isEmpty { return stopsOfClients(stops, running) }
    return StopsView(
      stops: stops, parked: running.reduce(0) { $0 + $1.counts[.parked] },
      inFlight: running.reduce(0) { $0 + $1.counts[.inProgress] },
      installedNotRebooted: running.reduce(0) { $0 + Int($1.counts.installedNotRebooted) })
  }

  /// Only some clients are stopped: theirs are counted, and no others.
  private func stopsOfClients(_ stops: [StopView], _ running: [Campaign]) -> StopsView {
    var view = StopsView(stops: stops, parked: 0, inFlight: 0, installedNotRebooted: 0)
    for campaign in running {
      for lane in campaign.lanes where clients[Int(lane.client.index)].stop != nil {
        for run in lane.active.map({ campaign.runs[Int($0)] }) {
          if run.state.kind == .parked { view.parked += 1 }
          if run.state.kind == .inProgress { view.inFlight += 1 }
          if run.marks.contains(.rebootPending) { view.installedNotRebooted += 1 }
        }
      }
    }
    return view
  }

  func fleet() -> Fleet {
    Fleet(
      clients: clients.map(\.config).sorted { $0.name < $1.name },
      servers: servers.filter { !$0.retired }.map(\.config)
        .sorted { ($0.client, $0.name) < ($1.client, $1.name) },
      ringNames: ringNames)
  }
}

extension Run {
  /// Whether its server is down or rebooting by Atlas's order, or was changed and not proven
  /// healthy since.
  var isDown: Bool {
    switch state {
    case .inProgress(let work):
      switch work.phase {
      case .update, .reboot, .postCheck, .rollback, .verify: true
      case .download, .preCheck, .snapshot, .soak, .finalize: false
      }
    case .parked(let next): next == .reboot
    case .held: true
    case .pending, .completed, .failed, .notAttempted, .skipped, .postponed: false
    }
  }
}

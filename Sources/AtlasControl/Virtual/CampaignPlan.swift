import AtlasEngine
import AtlasModel

/// What starting a campaign now would do, worked out by the engine itself in virtual time.
package struct CampaignPlan: Hashable, Sendable {
  package var campaign: CampaignName
  package var etag: String
  package var start: Instant
  package var finish: Instant
  /// One server after the other over the whole fleet.
  package var sequential: Duration
  /// The longest lane, if it never had to wait.
  package var lowerBound: Duration
  package var servers: Int
  package var clients: [PlannedClient]
  package var rings: [PlannedRing]
  /// Servers that are not begun before the campaign ends, with what is in their way to the end.
  package var misses: [PlannedServer]
  /// Servers that could not start as things are now.
  package var blocked: [PlannedServer]
  /// Of a rollback campaign: completed servers that it does not undo, each with the rest of a sentence
  /// about it.
  package var notUndoable: [PlannedServer]
  /// Servers that end FAILED, or HELD for a person: none, unless that is supposed.
  package var failed: Int
  package var held: Int
  /// The most servers that are down at once: of one of its clients, those of other campaigns among
  /// them; and of this campaign.
  package var mostDownOfClient: Int
  package var mostDown: Int
  /// For ``Change/startCampaign(_:ifMatch:plan:)``.
  package var kept: KeptPlan

  package var makespan: Duration { finish - start }

  /// The reason of a server that its agent is away from.
  static let notConnected = "its agent is not connected"
}

package struct PlannedServer: Hashable, Sendable {
  package var server: ServerName
  package var client: ClientName
  package var reason: String
}

package struct PlannedClient: Hashable, Sendable {
  package var client: ClientName
  package var ring: Ring
  package var servers: Int
  package var firstStart: Instant?
  package var lastEnd: Instant?
}

package struct PlannedRing: Hashable, Sendable {
  package var ring: Ring
  package var name: String
  package var servers: Int
  package var opens: Instant?
  package var completes: Instant?
}

extension ControlSnapshot {
  /// Plans a campaign from where it is: every open server takes its estimate and is completed,
  /// apart from those that are supposed to fail. Other campaigns that are running go on beside it
  /// in the same way; what the plan says is about this one, but for the most servers of a client.
  /// - Parameter whatIf: What is supposed, each key once; nothing of it remains.
  /// - Throws: ``ControlError`` when there is no such campaign, or it could not be started.
  package func plan(
    _ name: CampaignName, whatIf: [WhatIf] = []
  ) throws(ControlError) -> CampaignPlan {
    let id = try state.id(of: name)
    var connected = state
    connected.connectAll()
    if !whatIf.isEmpty { connected.suppose(whatIf, of: id, now: now) }
    let failing = whatIf.failureRate
    let outlook = Outlook(of: connected, id, from: self)
    // The state goes along: a second copy of a large fleet would cost more than the plan.
    var virtual = VirtualCampaign(consume connected, id, at: now) { ref, state in
      if ref.campaign == id, Self.fails(ref.index, failing) { return state.virtualFailure(of: ref) }
      return state.virtualCourse(of: ref)
    }
    do { try virtual.work() } catch { throw .refused(error) }
    return CampaignPlan(from: self, outlook, to: virtual, id)
  }

  /// Whether the run of this number fails when so many of 10,000 do: always the same ones, as far
  /// apart as they can be, and none before its share is full. Of 3 % it is the 34th, the 67th, the
  /// 100th and so on.
  private static func fails(_ index: Int32, _ perTenThousand: Int) -> Bool {
    let number = Int(index)
    return (number + 1) * perTenThousand / 10_000 > number * perTenThousand / 10_000
  }
}

extension CampaignPlan {
  fileprivate init(
    from snapshot: ControlSnapshot, _ outlook: Outlook, to end: VirtualCampaign, _ id: CampaignID
  ) {
    let before = snapshot.state[campaign: id]
    let after = end.state[campaign: id]
    campaign = before.name
    etag = String(snapshot.state.planVersion(id))
    start = before.startedAt ?? snapshot.now
    // What never starts does not make the plan longer: it is among the misses.
    finish = after.runs.compactMap { $0.startedAt == nil ? nil : $0.endedAt }.max() ?? start
    servers = before.runs.count
    sequential = outlook.sequential
    lowerBound = outlook.lowerBound
    clients = Self.clients(after, end.state)
    rings = after.rings.map {
      PlannedRing(
        ring: $0.ring, name: snapshot.state.name(of: $0.ring), servers: $0.counts.total,
        opens: $0.startedAt, completes: $0.completedAt)
    }
    misses = Self.misses(before, after, end, id)
    blocked = outlook.blocked
    notUndoable = snapshot.state.notUndoableViews(of: id).map {
      PlannedServer(server: $0.server, client: $0.client, reason: $0.reason)
    }
    failed = after.counts[.failed]
    held = after.counts[.held]
    mostDownOfClient = end.mostInUseOfClient
    mostDown = end.mostInUse
    kept = KeptPlan(
      after, etag: snapshot.state.planVersion(id), start: start, finish: finish, clients: clients)
  }

  fileprivate static func clients(_ campaign: Campaign, _ state: ControlState) -> [PlannedClient] {
    var clients = campaign.lanes.map {
      PlannedClient(
        client: state[client: $0.client].config.name, ring: $0.ring, servers: 0,
        firstStart: nil, lastEnd: nil)
    }
    for run in campaign.runs {
      let lane = Int(run.lane)
      clients[lane].servers += 1
      if let start = run.startedAt {
        clients[lane].firstStart = min(clients[lane].firstStart ?? start, start)
      }
      if let end = run.endedAt {
        clients[lane].lastEnd = max(clients[lane].lastEnd ?? end, end)
      }
    }
    return clients
  }

  /// Open runs that the campaign's end found not started.
  private static func misses(
    _ before: Campaign, _ after: Campaign, _ end: VirtualCampaign, _ id: CampaignID
  ) -> [PlannedServer] {
    let state = end.state
    return zip(before.runs, after.runs).enumerated().compactMap { index, pair in
      let (earlier, run) = pair
      guard !earlier.state.kind.isTerminal else { return nil }
      let reason: String
      switch run.state {
      case .notAttempted, .postponed: reason = run.details.content.lastError
      case .pending:
        reason = state.waits(RunRef(campaign: id, index: index), now: end.now)?.text ?? ""
      case .inProgress, .parked, .held, .completed, .failed, .skipped: return nil
      }
      let config = state[server: run.server].config
      let client = before.lanes[Int(run.lane)].client
      let kept = state.slotProblem(of: client, in: id, now: end.now)
      return PlannedServer(server: config.name, client: config.client, reason: kept ?? reason)
    }
  }

  fileprivate static func blocked(
    _ campaign: Campaign, _ snapshot: ControlSnapshot, _ connected: ControlState,
    _ id: CampaignID
  ) -> [PlannedServer] {
    let state = snapshot.state
    return campaign.runs.enumerated().compactMap { index, run in
      guard !run.state.kind.isTerminal else { return nil }
      let server = state[server: run.server]
      let client = state[client: server.client]
      let reason: String
      if server.retired {
        reason = "retired"
      } else if let lock = server.locked {
        reason = "locked: \(lock.reason)"
      } else if state.stop != nil || client.stop != nil {
        reason = "stopped"
      } else if client.paused != nil {
        reason = "client is paused"
      } else if client.config.requireChangeReference, campaign.changeReference.isEmpty {
        reason = "client requires a change reference"
      } else if let problem = connected.kindProblem(RunRef(campaign: id, index: index)) {
        reason = problem
      } else if !server.connected {
        reason = notConnected
      } else if let problem = state.agentProblem(RunRef(campaign: id, index: index)) {
        reason = problem
      } else if let problem = state.hostProblem(run.server) {
        reason = problem
      } else if server.config.carriesAtlas, run.details.content.approval == nil {
        reason = "it carries Atlas, and needs approval"
      } else if run.state.kind == .pending,
        let problem = state.slotProblem(
          of: campaign.lanes[Int(run.lane)].client, in: id, now: snapshot.now)
      {
        reason = problem
      } else {
        return nil
      }
      return PlannedServer(
        server: server.config.name, client: client.config.name, reason: reason)
    }
  }
}

extension ControlState {
  /// Why no slot of a client becomes free for a campaign by itself: runs that wait for people, in
  /// any campaign, keep all of them. Nil when they do not.
  fileprivate func slotProblem(of client: ClientID, in id: CampaignID, now: Instant) -> String? {
    let slots = slots(of: client, in: id, now: now)
    guard slotsHeld(by: client) >= slots else { return nil }
    let kept = slotHolders(of: client).filter { keepsSlot($0, now: now) }
    guard let first = kept.first, kept.count >= slots else { return nil }
    let server = self[server: self[first].server].config.name
    let campaign = self[campaign: first.campaign].name
    return
      "no slot of its client is free: \(server) is \(self[first].state.kind.word) in \(campaign)"
  }
}

/// What is known of a plan before any time passes.
private struct Outlook {
  let sequential: Duration
  let lowerBound: Duration
  let blocked: [PlannedServer]

  init(of connected: ControlState, _ id: CampaignID, from snapshot: ControlSnapshot) {
    let campaign = connected[campaign: id]
    var lanes = [Duration](repeating: .zero, count: campaign.lanes.count)
    for index in campaign.runs.indices {
      let ref = RunRef(campaign: id, index: index)
      lanes[Int(campaign.runs[index].lane)] += connected.estimate(of: ref)
    }
    sequential = lanes.reduce(.zero, +)
    lowerBound =
      zip(campaign.lanes, lanes).map { lane, work in
        work / connected.slots(of: lane.client, in: id, now: snapshot.now)
      }.max() ?? .zero
    var counted = connected
    counted.countKinds(id)
    blocked = CampaignPlan.blocked(snapshot.state[campaign: id], snapshot, counted, id)
  }
}

extension KeptPlan {
  fileprivate init(
    _ campaign: Campaign, etag: UInt64, start: Instant, finish: Instant, clients: [PlannedClient]
  ) {
    let isAnything = campaign.runs.contains { $0.startedAt != nil }
    self.init(
      etag: etag, start: start,
      whole: PlannedSpan(from: start, begins: start, ends: isAnything ? finish : nil),
      rings: campaign.rings.map {
        PlannedSpan(from: start, begins: $0.startedAt, ends: $0.completedAt)
      },
      lanes: clients.map { PlannedSpan(from: start, begins: $0.firstStart, ends: $0.lastEnd) },
      runs: campaign.runs.count > Limits.plannedRuns
        ? []
        : campaign.runs.map {
          PlannedSpan(
            from: start, begins: $0.startedAt, ends: $0.startedAt == nil ? nil : $0.endedAt)
        })
  }
}

extension [WhatIf] {
  /// Of 10,000 servers so many fail.
  fileprivate var failureRate: Int {
    for case .failureRate(let share) in self { return share }
    return 0
  }
}

import AtlasEngine
import AtlasModel
import AtlasStore

/// What a campaign was expected to do when it started, and what it did.
package struct PlanAgainstReality: Hashable, Sendable {
  package var start: Instant
  /// Nil when nothing was planned to start.
  package var plannedFinish: Instant?
  /// The last end of a server; nil while one is worked on, and before the first has ended.
  package var finish: Instant?
  package var rings: [RingDeviation]
  /// By lane of the campaign, which is by client.
  package var clients: [ClientDeviation]
  /// Those that differ most in begin or length, the largest first; at most ``Limits/deviations``.
  /// Empty for campaigns of more than ``Limits/plannedRuns``.
  package var servers: [ServerDeviation]
}

package struct RingDeviation: Hashable, Sendable {
  package var ring: Ring
  package var name: String
  package var plannedOpens: Instant?
  package var opens: Instant?
  package var plannedCompletes: Instant?
  package var completes: Instant?
}

package struct ClientDeviation: Hashable, Sendable {
  package var client: ClientName
  package var plannedStart: Instant?
  package var start: Instant?
  package var plannedEnd: Instant?
  /// Nil while one of its servers is worked on.
  package var end: Instant?
}

/// One server that went otherwise than planned.
package struct ServerDeviation: Hashable, Sendable {
  package var server: ServerName
  package var client: ClientName
  package var plannedStart: Instant?
  /// Nil when it has not started.
  package var start: Instant?
  package var plannedLength: Duration?
  /// While it had its slot, all visits together; until now when it has it still.
  package var length: Duration?
  /// How far begin or length are off, whichever is further; negative when it went faster. Nil for
  /// one that was planned and has not started, or the other way round.
  package var off: Duration?
  /// Why, in words, as far as that is known; may be empty.
  package var reason: String
}

/// How well runs kept to what was expected of them when they took their slots.
package struct EstimateQuality: Hashable, Sendable {
  /// Visits that ended COMPLETED or FAILED: the last one of each run.
  package var attempts = 0
  /// Those of them that took at most what was expected.
  package var covered = 0
  /// The same of those of which history said what to expect: about 95 of 100 should be covered.
  package var fromHistory = 0
  package var coveredFromHistory = 0

  /// Nil when there were none.
  package var coverage: Double? { attempts == 0 ? nil : Double(covered) / Double(attempts) }
  package var coverageOfHistory: Double? {
    fromHistory == 0 ? nil : Double(coveredFromHistory) / Double(fromHistory)
  }

  init(_ campaign: Campaign) {
    for run in campaign.runs where run.state.kind == .completed || run.state.kind == .failed {
      let clock = run.details.content.clock
      guard clock.estimate > .zero, let visit = run.details.content.slotIntervals.last else {
        continue
      }
      let isCovered = visit.duration <= clock.estimate
      attempts += 1
      covered += isCovered ? 1 : 0
      guard clock.isFromHistory else { continue }
      fromHistory += 1
      coveredFromHistory += isCovered ? 1 : 0
    }
  }
}

extension ControlSnapshot {
  /// - Parameter log: What people did meanwhile, for the reasons.
  func planAgainstReality(_ id: CampaignID, log: [LogRecord]) -> PlanAgainstReality? {
    let campaign = state[campaign: id]
    guard let plan = campaign.plan else { return nil }
    let isWorkedOn = campaign.counts.inFlight > 0
    return PlanAgainstReality(
      start: campaign.startedAt ?? plan.start, plannedFinish: plan.whole.ends(from: plan.start),
      finish: isWorkedOn ? nil : campaign.runs.compactMap(\.workedUntil).max(),
      rings: zip(campaign.rings, plan.rings).map { ring, planned in
        RingDeviation(
          ring: ring.ring, name: state.name(of: ring.ring),
          plannedOpens: planned.begins(from: plan.start), opens: ring.startedAt,
          plannedCompletes: planned.ends(from: plan.start), completes: ring.completedAt)
      }, clients: clientDeviations(campaign, plan),
      servers: serverDeviations(id, plan, log.filter { !$0.principal.isEmpty }))
  }

  private func clientDeviations(_ campaign: Campaign, _ plan: KeptPlan) -> [ClientDeviation] {
    var clients = zip(campaign.lanes, plan.lanes).map { lane, planned in
      ClientDeviation(
        client: state[client: lane.client].config.name,
        plannedStart: planned.begins(from: plan.start), start: nil,
        plannedEnd: planned.ends(from: plan.start), end: nil)
    }
    for run in campaign.runs {
      let lane = Int(run.lane)
      if let start = run.startedAt {
        clients[lane].start = min(clients[lane].start ?? start, start)
      }
      if let end = run.workedUntil { clients[lane].end = max(clients[lane].end ?? end, end) }
    }
    for (index, lane) in campaign.lanes.enumerated() where !lane.active.isEmpty {
      clients[index].end = nil
    }
    return clients
  }

  private func serverDeviations(
    _ id: CampaignID, _ plan: KeptPlan, _ people: [LogRecord]
  ) -> [ServerDeviation] {
    let campaign = state[campaign: id]
    // Runs that were made later were not planned.
    var found: [(run: Int, size: Duration)] = []
    for (index, planned) in plan.runs.enumerated() where index < campaign.runs.count {
      let size = deviation(campaign.runs[index], planned, plan.start).size
      if size >= .seconds(60) { found.append((index, size)) }
    }
    found.sort { $0.size != $1.size ? $0.size > $1.size : $0.run < $1.run }
    return found.prefix(Limits.deviations).map { index, _ in
      let run = campaign.runs[index]
      let server = state[server: run.server].config
      let planned = plan.runs[index]
      return ServerDeviation(
        server: server.name, client: server.client,
        plannedStart: planned.begins(from: plan.start), start: run.startedAt,
        plannedLength: planned.length, length: run.slotTime(until: now),
        off: deviation(run, planned, plan.start).off,
        reason: reason(RunRef(campaign: id, index: index), plan, people))
    }
  }

  /// How far a run is from its plan. One that did not start although it should have, or the other
  /// way round, is further away than any that did.
  private func deviation(
    _ run: Run, _ planned: PlannedSpan, _ start: Instant
  ) -> (off: Duration?, size: Duration) {
    let due = planned.begins(from: start)
    guard let began = run.startedAt, let due, let length = planned.length else {
      let isAsPlanned = run.startedAt == nil && (due == nil || due.map { $0 > now } ?? false)
      return (nil, isAsPlanned ? .zero : .seconds(3_660 * 86_400))
    }
    let late = began - due
    var longer = (run.slotTime(until: now) ?? .zero) - length
    // What is worked on still may only be too long already.
    if run.state.kind.holdsSlot { longer = max(.zero, longer) }
    let off = late.magnitude >= longer.magnitude ? late : longer
    return (off, off.magnitude)
  }

  /// What kept a run from its plan: what happened to it, to those before it in its lane, to its
  /// ring, or what people did meanwhile.
  private func reason(_ ref: RunRef, _ plan: KeptPlan, _ people: [LogRecord]) -> String {
    let run = state[ref]
    let planned = plan.runs[Int(ref.index)]
    guard let began = run.startedAt else {
      let waits = state.waits(ref, now: now)?.text
      return waits.map { "waits for \($0)" } ?? run.details.content.lastError
    }
    guard let due = planned.begins(from: plan.start) else { return "it was not planned to start" }
    let late = began - due
    let longer = (run.slotTime(until: now) ?? .zero) - (planned.length ?? .zero)
    if longer.magnitude > late.magnitude { return lengthReason(run) }
    guard late > .zero else { return "" }
    if run.details.content.deferred > .zero {
      return "hooks put it off for \(run.details.content.deferred.text)"
    }
    if let other = people.last(where: { isBetween($0, due, began) && concerns($0, ref) }) {
      let reason = other.reason.isEmpty ? "" : ": \(other.reason)"
      return "\(other.kind) by \(other.principal)\(reason)".bounded(to: 200)
    }
    if let before = longestBefore(ref, plan) {
      return "\(before.server) before it took \(before.longer.inSeconds) longer than planned"
    }
    let lane = state[campaign: ref.campaign].lanes[Int(run.lane)]
    let ring = state[campaign: ref.campaign].rings[Int(lane.ring.number)]
    let opens = plan.rings[Int(lane.ring.number)].begins(from: plan.start)
    if let opens, let opened = ring.startedAt, opened - opens > late / 2 {
      return "ring \(lane.ring) opened \((opened - opens).text) later than planned"
    }
    return ""
  }

  private func lengthReason(_ run: Run) -> String {
    switch run.state {
    case .held(let hold): return "it is held: \(hold.rawValue)"
    case .failed: return "it failed: \(run.details.content.lastError)".bounded(to: 200)
    case .completed, .inProgress, .parked, .pending, .notAttempted, .skipped, .postponed: break
    }
    if run.attempt > 1 { return "it needed \(run.attempt) attempts" }
    if run.details.content.slotIntervals.count > 1 {
      return "it had its slot \(run.details.content.slotIntervals.count) times"
    }
    return run.details.content.clock.isFromHistory
      ? "" : "its estimate is the policy's: history does not know its kind well enough"
  }

  private func isBetween(_ record: LogRecord, _ due: Instant, _ began: Instant) -> Bool {
    due - .seconds(86_400) <= record.campaignTime && record.campaignTime <= began
  }

  /// Whether what a person did may have kept a run from starting.
  private func concerns(_ record: LogRecord, _ ref: RunRef) -> Bool {
    let server = state[server: state[ref].server].config
    switch RecordKind(rawValue: record.kind) {
    case .stopLatched, .clientPaused, .clientPostponed, .serverLocked, .campaignPaused:
      return (record.client.isEmpty || record.client == server.client.text)
        && (record.server.isEmpty || record.server == server.name.text)
        && (record.campaign.isEmpty || record.campaign == state[campaign: ref.campaign].name.text)
    case _: return false
    }
  }

  /// Of the servers that had their turn before it in its lane, the one that went furthest beyond
  /// its plan.
  private func longestBefore(
    _ ref: RunRef, _ plan: KeptPlan
  ) -> (server: ServerName, longer: Duration)? {
    let campaign = state[campaign: ref.campaign]
    guard let began = campaign.runs[Int(ref.index)].startedAt else { return nil }
    var found: (server: ServerName, longer: Duration)?
    for (index, planned) in plan.runs.enumerated() where index != Int(ref.index) {
      let other = campaign.runs[index]
      guard other.lane == campaign.runs[Int(ref.index)].lane, let start = other.startedAt,
        start < began, let time = other.slotTime(until: now), let length = planned.length,
        time - length >= .seconds(60), time - length > found?.longer ?? .zero
      else { continue }
      found = (state[server: other.server].config.name, time - length)
    }
    return found
  }
}

extension Run {
  /// When it gave its slot back for the last time; nil for one that never had it, or has it still.
  fileprivate var workedUntil: Instant? {
    startedAt == nil || state.kind.holdsSlot ? nil : endedAt
  }
}

extension Duration {
  fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}

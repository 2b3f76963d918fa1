import AtlasEngine
import AtlasModel

/// What will become of a server at its turn, as far as anybody can know beforehand.
package enum PreflightVerdict: Int, CaseIterable, Comparable, Hashable, Sendable {
  case ready
  /// Its run would end as NOT_ATTEMPTED, or would never start; the rest goes on.
  case refused
  /// A person has to look or decide first.
  case needsPerson

  package static func < (left: PreflightVerdict, right: PreflightVerdict) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// What was looked at.
package enum PreflightCheck: String, CaseIterable, Hashable, Sendable {
  case state, window, agent, rules, disk, reboot, servicing, updaters, source, backup, snapshot
  case hook
}

/// One thing that was found; a ``PreflightVerdict/ready`` one is worth knowing only.
package struct PreflightFinding: Hashable, Sendable {
  package var check: PreflightCheck
  package var verdict: PreflightVerdict
  /// A sentence.
  package var text: String
}

/// One server, looked at.
package struct PreflightServer: Hashable, Sendable {
  package var server: ServerName
  package var client: ClientName
  package var ring: Ring
  /// The worst first.
  package var findings: [PreflightFinding]

  package var verdict: PreflightVerdict { findings.map(\.verdict).max() ?? .ready }
}

/// What became of the question to an agent.
package enum ProbeOutcome: Hashable, Sendable {
  case answered(ServerFacts)
  /// There is no session.
  case notConnected
  /// There is one, and no answer came in time.
  case silent
}

/// A server of a campaign that has not been worked on, before it is looked at.
package struct PreflightSubject: Sendable {
  package let server: ServerName
  package let client: ClientName
  package let ring: Ring
  package let updateSet: UpdateSet
  /// What the state and the plan say.
  fileprivate let known: [PreflightFinding]
  fileprivate let plannedStart: Instant?
  fileprivate let requiresBackup: Bool
  fileprivate let requiresSnapshot: Bool
  fileprivate let backupAge: BackupAge
  fileprivate let pendingReboot: PendingReboot
  /// To be run dry, in this order: `pre_update`, then `verify_backup`.
  package let hooks: [HookOrder]
  fileprivate let now: Instant
}

extension ControlSnapshot {
  /// The servers of a campaign that have not started, in the order of rings and lanes, with what
  /// can be said about them without asking anybody.
  /// - Throws: ``ControlError`` when there is no such campaign, or it cannot be planned.
  package func preflight(_ name: CampaignName) throws(ControlError) -> [PreflightSubject] {
    let id = try state.id(of: name)
    let plan = try plan(name)
    var known: [ServerName: [PreflightFinding]] = [:]
    // An agent that is not there is found by asking.
    for blocked in plan.blocked where blocked.reason != CampaignPlan.notConnected {
      known[blocked.server, default: []].append(
        PreflightFinding(check: .state, verdict: .needsPerson, text: blocked.reason))
    }
    // What may not start fits into no window either: only the cause is told.
    for miss in plan.misses where known[miss.server] == nil {
      known[miss.server] = [
        PreflightFinding(check: .window, verdict: .refused, text: miss.reason)
      ]
    }
    let starts = Dictionary(
      plan.clients.map { ($0.client, $0.firstStart) }, uniquingKeysWith: { first, _ in first })
    let campaign = state[campaign: id]
    let pending = campaign.runs.indices.filter { campaign.runs[$0].state.kind == .pending }
    let order = pending.sorted {
      let (left, right) = (campaign.runs[$0], campaign.runs[$1])
      let (first, second) = (campaign.lanes[Int(left.lane)], campaign.lanes[Int(right.lane)])
      return (first.ring, left.lane, left.order) < (second.ring, right.lane, right.order)
    }
    return order.map { index in
      let ref = RunRef(campaign: id, index: index)
      let server = state[server: campaign.runs[index].server].config
      return subject(
        ref, known: known[server.name] ?? [], plannedStart: starts[server.client] ?? nil)
    }
  }

  private func subject(
    _ ref: RunRef, known: [PreflightFinding], plannedStart: Instant?
  ) -> PreflightSubject {
    let campaign = state[campaign: ref.campaign]
    let server = state[server: state[ref].server].config
    let patience = state.hookLimit(of: .preCheck, ref)
    let hooks = [HookPoint.preUpdate, .verifyBackup].map { point in
      state.order(
        HookStart(
          run: ref, point: point, serial: 0, deadline: now + patience, restarted: false))
    }
    return PreflightSubject(
      server: server.name, client: server.client,
      ring: campaign.lanes[Int(state[ref].lane)].ring, updateSet: campaign.updateSet,
      known: known, plannedStart: plannedStart, requiresBackup: state.backupRequired(ref),
      requiresSnapshot: state.snapshotRequired(ref), backupAge: state.maxBackupAge(ref),
      pendingReboot: state.pendingReboot(of: ref), hooks: hooks, now: now)
  }
}

extension PreflightSubject {
  /// - Parameter hooks: What `pre_update` and `verify_backup` said in a dry run; those that were not
  ///   asked are missing.
  package func judged(
    _ probe: ProbeOutcome, hooks: [HookPoint: HookVerdict], hasSnapshotHook: Bool
  ) -> PreflightServer {
    var findings = known
    switch probe {
    case .notConnected: add(.agent, .refused, CampaignPlan.notConnected, to: &findings)
    case .silent:
      add(.agent, .needsPerson, "its agent is connected and does not answer", to: &findings)
    case .answered(let facts): judge(facts, hasSnapshotHook, into: &findings)
    }
    if let verdict = hooks[.preUpdate] { judgeUpdate(verdict, into: &findings) }
    if let verdict = hooks[.verifyBackup] { judgeBackup(verdict, into: &findings) }
    let sorted = PreflightVerdict.allCases.reversed().flatMap { verdict in
      findings.filter { $0.verdict == verdict }
    }
    return PreflightServer(server: server, client: client, ring: ring, findings: sorted)
  }

  private func judge(
    _ facts: ServerFacts, _ hasSnapshotHook: Bool, into findings: inout [PreflightFinding]
  ) {
    if let free = facts.freeDisk, let needed = facts.neededDisk, free < needed {
      let text = "\(free.sizeWords) are free, and the updates take \(needed.sizeWords)"
      add(.disk, .refused, text, to: &findings)
    }
    if facts.rebootPending {
      switch pendingReboot {
      case .rebootFirst:
        add(.reboot, .ready, "a boot is pending; the run begins with it", to: &findings)
      case .refuse:
        add(.reboot, .refused, "a boot is pending, and the policy refuses those", to: &findings)
      }
    }
    if facts.isServicing {
      add(.servicing, .needsPerson, "something is being installed on it now", to: &findings)
    }
    if !facts.otherUpdaters.isEmpty {
      let names = facts.otherUpdaters.joined(separator: ", ")
      add(.updaters, .needsPerson, "\(names) installs updates here too", to: &findings)
    }
    if !facts.sourceProblem.isEmpty {
      let source = facts.source.isEmpty ? "its update source" : facts.source
      add(.source, .refused, "\(source): \(facts.sourceProblem)", to: &findings)
    }
    for refusal in facts.refusals { judge(refusal, hasSnapshotHook, into: &findings) }
    for note in facts.notes { add(.agent, .ready, note, to: &findings) }
  }

  /// Only what a run needs keeps it from being ready.
  private func judge(
    _ refusal: ExpectedRefusal, _ hasSnapshotHook: Bool, into findings: inout [PreflightFinding]
  ) {
    let isNeeded: Bool
    switch refusal.kind {
    case .update, .reboot, .health: isNeeded = true
    case .snapshot: isNeeded = requiresSnapshot && !hasSnapshotHook
    case .download, .rollback, .removeSnapshot: isNeeded = false
    }
    // Hours are no refusal yet: they are compared when the command comes.
    add(
      refusal.kind == .snapshot && isNeeded ? .snapshot : .rules,
      isNeeded && !refusal.atSomeHours ? .refused : .ready, refusal.reason, to: &findings)
  }

  private func judgeUpdate(_ verdict: HookVerdict, into findings: inout [PreflightFinding]) {
    switch verdict {
    case .ok, .notDefined, .next, .cancelled: break
    case .skip(let reason):
      add(.hook, .refused, "pre_update leaves it out: \(reason)", to: &findings)
    case .deferred(_, let reason):
      add(.hook, .ready, "pre_update would put it off now: \(reason)", to: &findings)
    case .fail, .error, .timeout, .left:
      add(.hook, .refused, "pre_update refuses it: \(verdict.reason)", to: &findings)
    }
  }

  private func judgeBackup(_ verdict: HookVerdict, into findings: inout [PreflightFinding]) {
    switch verdict {
    case .ok(let backup?, _): judge(backup, into: &findings)
    case .ok(nil, _), .next, .skip:
      guard requiresBackup else { return }
      add(.backup, .refused, "verify_backup shows no backup", to: &findings)
    case .notDefined:
      guard requiresBackup else { return }
      add(.backup, .refused, "a backup is required, and no hook shows one", to: &findings)
    case .deferred(_, let reason):
      add(.backup, .ready, "verify_backup would wait now: \(reason)", to: &findings)
    case .fail, .error, .timeout, .left:
      add(.backup, .refused, "verify_backup refuses it: \(verdict.reason)", to: &findings)
    case .cancelled: break
    }
  }

  private func judge(_ backup: BackupFact, into findings: inout [PreflightFinding]) {
    guard requiresBackup else { return }
    if let problem = backup.problem(with: backupAge, now: now) {
      add(.backup, .refused, "the backup by \(backup.source) \(problem)", to: &findings)
    } else if let start = plannedStart, let longest = backupAge.longest,
      start - backup.takenAt > longest
    {
      let text =
        "the backup by \(backup.source) counts now, and will be older than \(longest.text) "
        + "when its client's turn comes; a newer one must be made before"
      add(.backup, .ready, text, to: &findings)
    }
  }

  private func add(
    _ check: PreflightCheck, _ verdict: PreflightVerdict, _ text: String,
    to findings: inout [PreflightFinding]
  ) {
    findings.append(PreflightFinding(check: check, verdict: verdict, text: text.bounded()))
  }
}

extension HookVerdict {
  /// Why it is not `ok`, in words.
  fileprivate var reason: String {
    switch self {
    case .skip(let text), .fail(let text, _), .error(let text), .timeout(let text),
      .deferred(_, let text):
      text
    case .left(_, let verdict): verdict.reason
    case .cancelled: "it was cancelled"
    case .ok, .next, .notDefined: ""
    }
  }
}

extension Int64 {
  /// `1.5 GB`, in powers of ten, cut.
  fileprivate var sizeWords: String {
    let units: [(Int64, String)] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")]
    for (size, unit) in units where self >= size {
      let tenths = self / (size / 10)
      return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
    return "\(self) B"
  }
}

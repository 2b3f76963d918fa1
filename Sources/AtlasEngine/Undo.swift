import AtlasModel

/// What becomes of a completed run in a rollback campaign.
package enum Undo: Hashable, Sendable {
  /// This run is to undo it: its snapshot is needed.
  case planned(RunRef)
  /// This run has undone it; there is no second time.
  case done(RunRef)

  /// The run of the rollback campaign.
  package var run: RunRef {
    switch self {
    case .planned(let run), .done(let run): run
    }
  }

  package var isDone: Bool { if case .done = self { true } else { false } }
}

/// A completed server that a rollback campaign leaves as it is.
package struct NotUndoable: Hashable, Sendable {
  package let server: ServerID
  /// The rest of a sentence that begins with the server.
  package let reason: String

  package init(server: ServerID, reason: String) {
    self.server = server
    self.reason = reason
  }
}

/// What a rollback campaign finds in the campaign that it rolls back.
struct Undoable {
  /// By client: servers that can be undone.
  var servers: [[ServerID]]
  /// By number of the server: the run that is undone; -1 for none.
  var runs: [Int32]
  /// What was installed, and is to be gone.
  var updateSet: UpdateSet
  /// In a sentence, for the log.
  var summary: String
}

/// Rollback campaigns (§13): PRE_CHECK, ROLLBACK, VERIFY and FINALIZE for each server that another
/// campaign has completed, under the same rules as any other work. The snapshot stays the undone
/// run's until it is removed in FINALIZE.
extension ControlState {
  /// Whether a run undoes another.
  @inline(__always)
  package func isUndo(_ ref: RunRef) -> Bool {
    campaigns[Int(ref.campaign.index)].runs[Int(ref.index)].undoes >= 0
  }

  /// The run that a run undoes; nil for most.
  package func undone(by ref: RunRef) -> RunRef? {
    let index = campaigns[Int(ref.campaign.index)].runs[Int(ref.index)].undoes
    guard index >= 0, let campaign = campaigns[Int(ref.campaign.index)].rollbackOf else {
      return nil
    }
    return RunRef(campaign: campaign, index: Int(index))
  }

  /// The run that the snapshot belongs to which a run goes back to and removes.
  package func snapshotHolder(_ ref: RunRef) -> RunRef { undone(by: ref) ?? ref }

  /// `run.key` for a hook: what is about a snapshot is called by the key that the snapshot has.
  package func hookKey(_ start: HookStart) -> String {
    switch start.point {
    case .rollback, .finalize: runKey(snapshotHolder(start.run))
    case .orderGroup, .peerCheck, .preUpdate, .verifyBackup, .enterMaintenance,
      .leaveMaintenance, .snapshot, .postUpdate:
      runKey(start.run)
    }
  }

  // MARK: - On the way

  /// Goes back to the snapshot, or uninstalls, if the evidence and the window still allow it: from
  /// here on it is as with any other rollback.
  mutating func beginUndo(_ ref: RunRef, now: Instant) {
    if givesWay(ref, now: now) { return }
    if let problem = backupProblem(ref, now: now) {
      return refuse(ref, .backup, problem, now: now)
    }
    guard windows(of: ref).open(at: now) != nil else {
      return refuse(
        ref, .window, "the window closed before the rollback could begin", now: now)
    }
    noteBasis(ref, now: now)
    self[ref].marks.formUnion([.changed, .rollback, .rolledBack])
    advance(ref, to: .hook(.rollback))
    startHook(ref, .rollback, now: now)
  }

  /// Until when the agent may begin to undo; nil for another rollback, and for one that a person
  /// asked for once more.
  func undoNotAfter(_ ref: RunRef, now: Instant) -> Instant? {
    guard refusesUndo(ref) else { return nil }
    let end = windows(of: ref).open(at: now)?.end
    guard backupRequired(ref), let backup = self[ref].details.content.backup,
      let longest = maxBackupAge(ref).longest
    else { return end }
    let backupEnd = backup.takenAt + longest
    return end.map { min($0, backupEnd) } ?? backupEnd
  }

  /// Whether whatever keeps a rollback from beginning is a refusal, because this run has not touched
  /// its server before.
  func refusesUndo(_ ref: RunRef) -> Bool {
    isUndo(ref) && !self[ref].marks.contains(.booted)
  }

  /// It is certain that the rollback has not begun: the server is as it was.
  mutating func refuseUndo(
    _ ref: RunRef, _ reason: Refused, _ message: String, now: Instant
  ) {
    self[ref].marks.subtract([.changed, .rollback, .rolledBack])
    refuse(ref, reason, message, now: now)
  }

  /// A run has ended: if it was to undo another, that is done, or it is not to be any more.
  mutating func undoEnded(_ ref: RunRef, now: Instant) {
    guard let undone = undone(by: ref) else { return }
    guard case .completed(.rolledBack) = self[ref].state else {
      if self[undone].details.content.undo == .planned(ref) {
        self[undone].details.content.undo = nil
        emit(.save(.run(undone)))
      }
      return considerRemoval(undone, now: now)
    }
    self[undone].details.content.undo = .done(ref)
    write(undone, .runUndone, reason: "undone by \(campaigns[ref.campaign].name)")
    // Nobody can go back to it any more: what is left of it goes at once.
    if self[undone].details.content.kept?.removal == .waiting { self[undone].deadline = nil }
    if self[undone].details.content.snapshot == nil { forgetKept(undone) }
    considerRemoval(undone, now: now)
  }

  // MARK: - Making one

  /// What a draft can undo; nil for a campaign that installs.
  func undoable(by draft: CampaignDraft) throws(Refusal) -> Undoable? {
    guard let original = draft.rollbackOf else { return nil }
    try checkRollback(of: original, draft)
    let covered = try selected(by: draft.selection)
    let history = changes(in: original)
    var runs = [Int32](repeating: -1, count: servers.count)
    var problems: [String] = []
    var found = 0
    let chosen = covered.map { servers in
      servers.filter { server in
        guard let run = history.completed[Int(server.index)] else { return false }
        if let problem = undoProblem(run, history, draft.means(of: self[server: server])) {
          problems.append(problem)
          return false
        }
        runs[Int(server.index)] = run.index
        found += 1
        return true
      }
    }
    let name = campaigns[Int(original.index)].name
    guard found > 0 else { throw nothingToUndo(name, problems) }
    return Undoable(
      servers: chosen, runs: runs, updateSet: campaigns[Int(original.index)].updateSet,
      summary: "rolls \(name) back: \(found) of \(found + problems.count) completed servers")
  }

  private func checkRollback(
    of original: CampaignID, _ draft: CampaignDraft
  ) throws(Refusal) {
    let campaign = Int(original.index)
    guard campaigns[campaign].rollbackOf == nil else {
      throw .invalid(
        field: "rollback_of",
        message: "\(campaigns[campaign].name) is a rollback campaign itself; what it undid is "
          + "installed again by a campaign that installs")
    }
    guard
      draft.updateSet == UpdateSet() || draft.updateSet == campaigns[campaign].updateSet
    else {
      throw .invalid(
        field: "update_set",
        message: "a rollback campaign installs nothing; leave it out: what "
          + "\(campaigns[campaign].name) installed is to be gone")
    }
  }

  private func nothingToUndo(_ name: CampaignName, _ problems: [String]) -> Refusal {
    guard !problems.isEmpty else {
      return .notAllowed(
        code: .nothingToUndo, message: "\(name) has completed no server that is selected",
        hint: "`atlas campaign runs \(name)` shows what it did")
    }
    var counts: [(reason: String, count: Int)] = []
    for problem in problems {
      if let place = counts.firstIndex(where: { $0.reason == problem }) {
        counts[place].count += 1
      } else {
        counts.append((problem, 1))
      }
    }
    let reasons = counts.prefix(10).map { "\($0.count): \($0.reason)" }.joined(separator: "; ")
    let servers = problems.count == 1 ? "1 server" : "\(problems.count) servers"
    return .notAllowed(
      code: .nothingToUndo,
      message: "\(name) has completed \(servers), and none can be undone (\(reasons))".bounded(),
      hint:
        "snapshots are kept as long as `snapshot_retention` says; `rollback: uninstall` needs none")
  }

  /// The runs of a campaign that was just made are to undo those of another.
  mutating func planUndo(_ id: CampaignID, _ undoable: Undoable) {
    for index in campaigns[id].runs.indices {
      campaigns[id].runs[index].undoes =
        undoable.runs[Int(campaigns[id].runs[index].server.index)]
      planUndo(RunRef(campaign: id, index: index))
    }
  }

  /// A new run is to undo another.
  mutating func planUndo(_ ref: RunRef) {
    guard let undone = undone(by: ref) else { return }
    self[undone].details.content.undo = .planned(ref)
    emit(.save(.run(undone)))
  }

  // MARK: - What can be undone

  /// By server: what a campaign has completed, and who has changed it last.
  struct Changes {
    /// The newest run that has completed; one that changed the server, and was not undone, goes
    /// before others.
    var completed: [RunRef?]
    /// The newest run of any campaign that changed it, and was neither rolled back nor undone.
    var standing: [RunRef?]
  }

  /// The cost grows with all runs of all campaigns: for what people do, not for admission.
  private func changes(in original: CampaignID) -> Changes {
    var changes = Changes(
      completed: Array(repeating: nil, count: servers.count),
      standing: Array(repeating: nil, count: servers.count))
    for campaign in campaigns.indices where campaigns[campaign].startedAt != nil {
      for index in campaigns[campaign].runs.indices {
        let ref = RunRef(campaign: CampaignID(campaign), index: index)
        let server = Int(self[ref].server.index)
        if stands(ref), isNewer(ref, than: changes.standing[server]) {
          changes.standing[server] = ref
        }
        guard ref.campaign == original, case .completed = self[ref].state else { continue }
        if stands(ref) || changes.completed[server].map({ !stands($0) }) ?? true {
          changes.completed[server] = ref
        }
      }
    }
    return changes
  }

  /// Whether what a run did to its server is there still, as far as Atlas knows.
  private func stands(_ ref: RunRef) -> Bool {
    guard isChanged(ref) else { return false }
    switch self[ref].state {
    case .failed(.rolledBack), .completed(.rolledBack), .pending, .notAttempted, .skipped,
      .postponed:
      return false
    case .completed(.updated), .completed(.noUpdates), .completed(.withExceptions):
      return !(self[ref].details.content.undo?.isDone ?? false)
    case .inProgress, .parked, .held, .failed(.accepted): return true
    }
  }

  private func isNewer(_ ref: RunRef, than other: RunRef?) -> Bool {
    guard let other, let before = self[other].startedAt else { return true }
    return self[ref].startedAt.map { $0 >= before } ?? false
  }

  /// Why a completed run cannot be undone, as the rest of a sentence about its server; nil when it
  /// can.
  /// - Parameter run: The run that is to undo it already.
  private func undoProblem(
    _ ref: RunRef, _ history: Changes, _ means: RollbackMeans, by run: RunRef? = nil
  ) -> String? {
    let server = Int(self[ref].server.index)
    if servers[server].client != clientOf(ref) { return "belongs to another client now" }
    switch self[ref].details.content.undo {
    case .done(let other): return "was undone by \(campaigns[Int(other.campaign.index)].name)"
    case .planned(let other) where other != run:
      return "is to be undone by \(campaigns[Int(other.campaign.index)].name)"
    case .planned, nil: break
    }
    guard isChanged(ref) else { return "had nothing to install" }
    if let newest = history.standing[server], newest != ref {
      return "was changed again by \(campaigns[Int(newest.campaign.index)].name)"
    }
    switch means {
    case .hold: return "has a role that is not rolled back (rollback: hold)"
    case .uninstall: return nil
    case .snapshot: return snapshotProblem(ref)
    }
  }

  private func snapshotProblem(_ ref: RunRef) -> String? {
    guard let kept = self[ref].details.content.kept else { return "has no snapshot any more" }
    if kept.isBeingRemoved { return "has a snapshot that is being removed" }
    // Nobody knows what a removal that failed has left of it.
    return kept.tries > 0 ? "has a snapshot whose removal has failed" : nil
  }

  /// A rollback campaign starts as it was made, or not at all.
  func checkUndoable(_ id: CampaignID) throws(Refusal) {
    guard let original = campaigns[Int(id.index)].rollbackOf else { return }
    let history = changes(in: original)
    for index in campaigns[Int(id.index)].runs.indices {
      let ref = RunRef(campaign: id, index: index)
      guard let undone = undone(by: ref), self[ref].state.kind == .pending else { continue }
      guard let problem = undoProblem(undone, history, rollbackMeans(of: ref), by: ref) else {
        continue
      }
      let server = servers[Int(self[ref].server.index)]
      if server.retired { continue }
      throw .changed(
        message: "\(server.config.name) cannot be undone any more: it \(problem)",
        hint: "make the campaign again")
    }
  }

  /// A run that has not undone its server may be made again while that can still be done.
  func checkUndoable(again ref: RunRef) throws(Refusal) {
    guard let undone = undone(by: ref) else { return }
    let history = changes(in: undone.campaign)
    guard let problem = undoProblem(undone, history, rollbackMeans(of: ref)) else { return }
    throw .notAllowed(
      code: .nothingToUndo, message: "it cannot be undone any more: it \(problem)",
      hint: "`atlas campaign runs \(campaigns[Int(undone.campaign.index)].name)` shows what it did")
  }

  /// Completed servers within the selection of a rollback campaign that are not in it, by name, with
  /// the reason of now; at most ``Limits/page``.
  package func notUndoable(of id: CampaignID) -> [NotUndoable] {
    guard let original = campaigns[Int(id.index)].rollbackOf else { return [] }
    var isCovered = [Bool](repeating: false, count: servers.count)
    for run in campaigns[Int(id.index)].runs { isCovered[Int(run.server.index)] = true }
    let history = changes(in: original)
    let selection = campaigns[Int(id.index)].selection
    var found: [NotUndoable] = []
    for case let ref? in history.completed where !isCovered[Int(self[ref].server.index)] {
      let server = self[ref].server
      let (config, client) = (servers[Int(server.index)].config, servers[Int(server.index)].client)
      guard selection.covers(config, of: clients[Int(client.index)].config) else { continue }
      let policy = campaigns[Int(id.index)].policy(for: client)
      let means = policy.rollbackMeans(for: config.roles, physical: config.physical)
      let problem = undoProblem(ref, history, means) ?? "has completed since it was made"
      found.append(NotUndoable(server: server, reason: problem))
    }
    found.sort {
      servers[Int($0.server.index)].config.name < servers[Int($1.server.index)].config.name
    }
    return Array(found.prefix(Limits.page))
  }
}

extension CampaignDraft {
  /// How its policy undoes a server.
  fileprivate func means(of server: Server) -> RollbackMeans {
    let own = overrides.first { $0.client == server.client }?.policy ?? policy
    return own.rollbackMeans(for: server.config.roles, physical: server.config.physical)
  }
}

/// Snapshots that outlive their runs, and campaigns that go back to them (engine.md §13): none is
/// removed before its time or while it is needed, and each is removed soon after.
extension Checker {
  struct KeptModel {
    var server: String
    var client: String
    var campaign: String
    /// When it is to be removed.
    var due: Int64
  }

  package mutating func snapshotTaken(
    of server: String, for runKey: String, isByHook: Bool = false
  ) {
    snapshots[server, default: []].insert(runKey)
    if isByHook { takenByHook.insert(runKey) } else { takenByHook.remove(runKey) }
  }

  package mutating func snapshotRemoved(of server: String, for runKey: String) {
    guard snapshots[server]?.remove(runKey) != nil else { return }
    guard let model = kept.removeValue(forKey: runKey) else {
      removedEarly.insert(runKey)
      return
    }
    let undo = undo(of: model)
    if undo?.hasFinalized ?? false { return }
    if now < model.due {
      fail("kept", "the snapshot \(runKey) is removed \((model.due - now) / 1_000) s too early")
    } else if let undo, undo.needsSnapshot {
      fail("kept", "the snapshot \(runKey) is removed, and \(undo.campaign) is to go back to it")
    }
  }

  /// The open run of a rollback campaign that goes back to a snapshot.
  private func undo(
    of model: KeptModel
  ) -> (campaign: String, needsSnapshot: Bool, hasFinalized: Bool)? {
    for (name, fact) in rollbacks
    where fact.rollbackOf == model.campaign && fact.servers.contains(model.server) {
      let state = log.campaigns[name]?.state ?? ""
      guard ["DRAFT", "ACTIVE", "CANCELLING"].contains(state),
        isOpen(model.server, in: name)
      else { continue }
      let hasFinalized = log.runs.contains {
        $0.key.campaign == name && $0.value.server == model.server && !$0.value.isTerminal
          && $0.value.hasFinalized
      }
      return (name, fact.needsSnapshots, hasFinalized)
    }
    return nil
  }

  /// Follows a record that says something about a snapshot after the end of its run.
  mutating func noteKept(_ record: RecordFact) {
    let key = runKey(record)
    switch record.kind {
    case "run.completed": noteCompleted(record, key)
    case "run.undone":
      if record.from != "COMPLETED" {
        fail("S8", "\(record.server) is undone and was \(record.from)")
      }
      let due = kept[key]?.due ?? now
      kept[key]?.due = min(due, now)
    case "run.snapshot_removed":
      if snapshots[record.server]?.contains(key) ?? false, !forgotten.contains(record.server) {
        fail("kept", "the log says that the snapshot \(key) is removed, and it is there")
      }
    case "run.warning":
      guard record.reason.hasPrefix("the kept snapshot remains") else { return }
      if !takenByHook.contains(key) {
        fail("kept", "the snapshot \(key) is given up, and its agent could remove it")
      }
      kept[key] = nil
    case _: break
    }
  }

  private mutating func noteCompleted(_ record: RecordFact, _ key: String) {
    guard let campaign = campaign(about: record), campaign.retention > 0,
      campaign.rollbackOf.isEmpty, changedRuns.contains(key), !forgotten.contains(record.server)
    else { return }
    if snapshots[record.server]?.contains(key) ?? false {
      kept[key] = KeptModel(
        server: record.server, client: record.client, campaign: record.campaign,
        due: record.at + campaign.retention)
    } else if removedEarly.contains(key) {
      fail("kept", "\(record.server) is completed, and its snapshot is not kept")
    }
  }

  /// When the last snapshot is to be removed that is kept still; nil for none.
  package var lastSnapshotDue: Int64? { kept.values.map(\.due).max() }

  /// Long after their time: snapshots are gone, unless something keeps them that anybody can see.
  ///
  /// - Parameter patience: How long they may be there after their time, in milliseconds.
  package mutating func judgeSnapshots(patience: Int64) {
    for (key, model) in kept.sorted(by: { $0.key < $1.key })
    where now - model.due > patience && !log.isStopped(model.client) {
      let isAway = servers[model.server]?.silentSince != nil
      if isAway, !takenByHook.contains(key) { continue }
      if log.retiredServers.contains(model.server) || busyServers.contains(model.server) {
        continue
      }
      if let undo = undo(of: model), undo.needsSnapshot { continue }
      fail("kept", "the snapshot \(key) is there \((now - model.due) / 3_600_000) h after its time")
    }
  }

  /// A run of the server has ended, and what it left is removed: it is not down for that.
  func isCleaningUp(_ server: String, _ kind: String) -> Bool {
    kind == "REMOVE_SNAPSHOT" && !busyServers.contains(server)
  }

  // MARK: - Rollback campaigns

  /// A rollback campaign takes no snapshot and installs nothing, others go back only after a failure,
  /// and none goes back without the backup that the client asks for (S3).
  mutating func judgeRollback(_ record: RecordFact, before run: LogModel.RunModel?) {
    guard record.kind == "run.phase", record.to == "IN_PROGRESS",
      let campaign = campaign(about: record)
    else { return }
    let isUndo = !campaign.rollbackOf.isEmpty
    let installs = ["SNAPSHOT", "UPDATE", "REBOOT", "POST_CHECK", "SOAK"].contains(record.phase)
    if isUndo, installs {
      fail("S8", "\(record.server) goes to \(record.phase) in a rollback campaign")
    }
    guard record.phase == "ROLLBACK", run?.phase == "PRE_CHECK" else { return }
    if !isUndo { fail("S8", "\(record.server) is rolled back before anything was installed") }
    judgeBackup(of: record.server, campaign, runKey(record), at: record.at)
  }

  /// An agent begins to go back: by its own clock the backup must count still.
  mutating func judgeUndo(_ command: CommandFact, at instant: Int64, of server: String) {
    guard command.notAfter != nil, let campaign = campaign(command.campaign, workingOn: server),
      !campaign.rollbackOf.isEmpty
    else { return }
    let run = log.runs.first {
      $0.key.campaign == command.campaign && $0.value.server == server && $0.value.holdsSlot
    }
    guard let run else { return }
    let name = "\(command.campaign)/\(server)"
    judgeBackup(
      of: server, campaign, run.value.isRepeat ? "\(name)/\(run.key.number)" : name, at: instant)
  }

  private mutating func judgeBackup(
    of server: String, _ campaign: CampaignFact, _ key: String, at instant: Int64
  ) {
    guard let client = servers[server].flatMap({ clients[$0.client] })?.current,
      client.requiresBackup || campaign.requiresBackup
    else { return }
    guard let backup = backups[key] else {
      return fail("S3", "\(server) is rolled back without a backup that anybody has shown")
    }
    let maxAge = [client.maxBackupAge, campaign.maxBackupAge].compactMap { $0 }.min()
    if let problem = backup.problem(at: instant, maxAge: maxAge) {
      fail("S3", "\(server) is rolled back, and its backup \(problem)")
    }
  }
}

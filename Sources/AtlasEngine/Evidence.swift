import AtlasModel

/// Backup and snapshot: what must be proven before a server is changed (S3).
extension ControlState {
  func backupRequired(_ ref: RunRef) -> Bool {
    clients[Int(clientOf(ref).index)].config.requireBackup || rules(of: ref).requireBackup
  }

  func snapshotRequired(_ ref: RunRef) -> Bool {
    clients[Int(clientOf(ref).index)].config.createSnapshots
      || rules(of: ref).createSnapshots
  }

  /// The oldest backup that counts: the client's limit, tightened by the campaign.
  func maxBackupAge(_ ref: RunRef) -> Duration {
    let own = clients[Int(clientOf(ref).index)].config.maxBackupAge
    return min(own, rules(of: ref).maxBackupAge ?? own)
  }

  /// What is wrong with the run's backup evidence; nil when it is good or not required.
  func backupProblem(_ ref: RunRef, now: Instant) -> String? {
    guard backupRequired(ref) else { return nil }
    guard let backup = self[ref].details.content.backup else {
      return "no backup evidence was recorded"
    }
    let limit = maxBackupAge(ref)
    if backup.takenAt > now {
      return "the backup by \(backup.source) is dated in the future"
    }
    if now - backup.takenAt > limit {
      let age = Duration.seconds((now - backup.takenAt).milliseconds / 1_000)
      return "the backup by \(backup.source) is \(age.text) old; at most \(limit.text) is allowed"
    }
    guard let verified = backup.verifiedAt, verified >= backup.takenAt else {
      return "the backup by \(backup.source) was not verified after it was taken"
    }
    return nil
  }

  /// What forbids to begin UPDATE now; the refusal's reason with it.
  func updateProblem(_ ref: RunRef, now: Instant) -> (Refused, String)? {
    if let problem = backupProblem(ref, now: now) { return (.backup, problem) }
    if snapshotRequired(ref), self[ref].details.content.snapshot == nil {
      return (.hook, "no snapshot was recorded")
    }
    if clients[Int(clientOf(ref).index)].windows.open(at: now) == nil {
      return (.window, "the window closed before the update could begin")
    }
    return nil
  }

  /// Until when the agent may begin an update: the first of an attempt while the window is open,
  /// and that of an untouched server while the backup counts. A further pass of an attempt that is
  /// under way has no such bound.
  func updateNotAfter(_ ref: RunRef, now: Instant) -> Instant? {
    guard self[ref].pass <= 1 else { return nil }
    let end = clients[Int(clientOf(ref).index)].windows.open(at: now)?.end
    guard !isChanged(ref), backupRequired(ref), let backup = self[ref].details.content.backup
    else { return end }
    let backupEnd = backup.takenAt + maxBackupAge(ref)
    return end.map { min($0, backupEnd) } ?? backupEnd
  }
}

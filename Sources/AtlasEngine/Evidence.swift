import AtlasModel

/// Backup and snapshot: what must be proven before a server is changed (S3).
extension ControlState {
  package func backupRequired(_ ref: RunRef) -> Bool {
    clients[Int(clientOf(ref).index)].config.requireBackup || rules(of: ref).requireBackup
  }

  package func snapshotRequired(_ ref: RunRef) -> Bool {
    if Plant.snapshotNotDemanded.isOn { return false }
    return clients[Int(clientOf(ref).index)].config.createSnapshots
      || rules(of: ref).createSnapshots
  }

  /// Which backups count: the client's limit, tightened by the campaign.
  package func maxBackupAge(_ ref: RunRef) -> BackupAge {
    clients[Int(clientOf(ref).index)].config.maxBackupAge
      .tightened(by: rules(of: ref).maxBackupAge)
  }

  /// What is wrong with the run's backup evidence; nil when it is good or not required.
  func backupProblem(_ ref: RunRef, now: Instant) -> String? {
    guard backupRequired(ref), !Plant.backupNotChecked.isOn else { return nil }
    if Plant.undoneWithoutBackup.isOn, isUndo(ref) { return nil }
    guard let backup = self[ref].details.content.backup else {
      return "no backup evidence was recorded"
    }
    return backup.problem(with: maxBackupAge(ref), now: now)
      .map { "the backup by \(backup.source) \($0)" }
  }

  /// What forbids to begin UPDATE now; the refusal's reason with it.
  func updateProblem(_ ref: RunRef, now: Instant) -> (Refused, String)? {
    if let problem = backupProblem(ref, now: now) { return (.backup, problem) }
    if snapshotRequired(ref), self[ref].details.content.snapshot == nil {
      return (.hook, "no snapshot was recorded")
    }
    if windows(of: ref).open(at: now) == nil {
      return (.window, "the window closed before the update could begin")
    }
    return guestsProblem(ref, now: now)
  }

  /// Keeps what was just found good enough to change the server, and by which rules.
  mutating func noteBasis(_ ref: RunRef, now: Instant) {
    // Plans and replays show no evidence.
    if isVirtual { return }
    let basis = UpdateBasis(
      checkedAt: now, maxBackupAge: backupRequired(ref) ? maxBackupAge(ref) : nil,
      backup: self[ref].details.content.backup,
      snapshotRequired: isUndo(ref) || snapshotRequired(ref),
      snapshot: self[snapshotHolder(ref)].details.content.snapshot,
      slots: slots(of: clientOf(ref), in: ref.campaign, now: now))
    self[ref].details.content.rely(on: basis)
  }

  /// Until when the agent may begin to boot: while the window is open, or within the limit of the
  /// phase where a person has let it boot at once.
  func rebootNotAfter(_ ref: RunRef, now: Instant) -> Instant? {
    lastWindowEnd(ref, now: now)
      ?? limit(of: .reboot, ref).map { now + max($0, floors.deadline) }
  }

  /// When the first of the windows closes that a run needs open, those of its guests' clients among
  /// them; nil when its own is closed.
  private func lastWindowEnd(_ ref: RunRef, now: Instant) -> Instant? {
    guard let end = windows(of: ref).open(at: now)?.end else { return nil }
    return guestsWindowEnd(ref, now: now).map { min(end, $0) } ?? end
  }

  /// Until when the agent may begin an update: while the window is open, and that of an untouched
  /// server while the backup counts.
  func updateNotAfter(_ ref: RunRef, now: Instant) -> Instant? {
    if Plant.noLatestTime.isOn { return nil }
    let end = lastWindowEnd(ref, now: now)
    guard !isChanged(ref), backupRequired(ref), let backup = self[ref].details.content.backup
    else { return end }
    guard let longest = maxBackupAge(ref).longest, !Plant.backupAgeIgnored.isOn else { return end }
    let backupEnd = backup.takenAt + longest
    return end.map { min($0, backupEnd) } ?? backupEnd
  }
}

extension BackupFact {
  /// What is wrong with it, as the end of a sentence about it; nil when it counts.
  package func problem(with limit: BackupAge, now: Instant) -> String? {
    if takenAt > now { return "is dated in the future" }
    if limit.isOfLastJob {
      guard let lastJobAt else { return "does not say when the last backup job ran" }
      if takenAt < lastJobAt {
        let early = (lastJobAt - takenAt).inSeconds
        return "was taken \(early) before the last backup job; it must come from that one"
      }
    }
    if let longest = limit.longest, now - takenAt > longest, !Plant.backupAgeIgnored.isOn {
      return "is \((now - takenAt).inSeconds) old; at most \(longest.text) is allowed"
    }
    guard let verifiedAt, verifiedAt >= takenAt else {
      return "was not verified after it was taken"
    }
    return nil
  }
}

extension Duration {
  /// Without milliseconds, which nobody reads.
  package var inSeconds: String { Duration.seconds(milliseconds / 1_000).text }
}

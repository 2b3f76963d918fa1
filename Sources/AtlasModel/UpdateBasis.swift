/// What allowed a run to change its server, and the rules under which it did: kept because rules
/// are others tomorrow, and the next attempt may be shown other evidence.
package struct UpdateBasis: Hashable, Sendable {
  /// When it was looked at, right before UPDATE; or before ROLLBACK in a campaign that undoes
  /// another.
  package var checkedAt: Instant
  /// Which backups counted; nil when none was asked for.
  package var maxBackupAge: BackupAge?
  /// What was shown; nil for nothing.
  package var backup: BackupFact?
  package var snapshotRequired: Bool
  /// The one that it could go back to; nil for none.
  package var snapshot: SnapshotFact?
  /// How many servers of the client the campaign might have in progress at once.
  package var slots: Int

  package init(
    checkedAt: Instant, maxBackupAge: BackupAge?, backup: BackupFact?, snapshotRequired: Bool,
    snapshot: SnapshotFact?, slots: Int
  ) {
    self.checkedAt = checkedAt
    self.maxBackupAge = maxBackupAge
    self.backup = backup
    self.snapshotRequired = snapshotRequired
    self.snapshot = snapshot
    self.slots = slots
  }
}

/// What goes wrong in a memory store, and when; nothing by chance.
package struct MemoryStoreFaults: Hashable, Sendable {
  /// Faults by the number of the commit, counted from 1 since the store was opened. Commits that
  /// were refused or failed count as well.
  package var commits: [Int: CommitFault]
  /// A planted bug: commits return before they are durable, so that ``MemoryDisk/crash()`` loses
  /// what was acknowledged since the last ``MemoryDisk/sync()``.
  package var acknowledgesBeforeSync: Bool

  package init(commits: [Int: CommitFault] = [:], acknowledgesBeforeSync: Bool = false) {
    self.commits = commits
    self.acknowledgesBeforeSync = acknowledgesBeforeSync
  }
}

/// The ways in which a commit fails.
package enum CommitFault: Hashable, Sendable, CaseIterable {
  /// A full disk: nothing was written, and the store goes on.
  case failed
  /// The outcome is unknown, and after a restart the commit is not there.
  case unknownAndLost
  /// The outcome is unknown, and after a restart the commit is there.
  case unknownAndKept
}

/// Rare branches that a good simulation reaches now and then. A run over the standard seeds fails
/// when one of them is never hit: then the faults have become too tame to find anything.
package enum Sometimes: Int, CaseIterable, Hashable, Sendable {
  case staleFenceRefused
  case commandSentTwice
  case commandRefusedByAgent
  case commandTakenBack
  case stopBetweenCommitAndDispatch
  case stopDuringPreCheck
  case stopDuringSnapshot
  case stopDuringUpdate
  case stopDuringReboot
  case stopDuringPostCheck
  case stopDuringRollback
  case stopDuringBackoff
  case stoppedClientOnly
  case parkedBeforeReboot
  case parkedThenCarriedOn
  case windowClosedBeforeUpdate
  case attemptDidNotFitWindow
  case notAfterPassed
  /// An agent begins what it may not begin any more, because its clock is behind.
  case begunByWrongClock
  /// An agent dates a snapshot by a clock that is wrong.
  case snapshotByWrongClock
  case lostAndBack
  case lostAndResolved
  case overdueAndBack
  case planKept
  case startedByHistory
  case laterThanHistory
  case agentStateLost
  case journalRevertedWithServer
  case retriedAndCompleted
  case rolledBack
  case rollbackFailed
  case completedWithExceptions
  case completedWithoutUpdates
  case refusedForBackup
  case refusedForHook
  case refusedForSource
  case refusedForDisk
  case refusedOffline
  case deferredAndCompleted
  /// A run is given up because of its deferrals, and there were two at least before.
  case deferLimitReached
  case hookTimedOut
  case hookRestartedAfterCrash
  case hookCancelled
  case hookLeftSnapshot
  case daemonDiedBeforeCommit
  case daemonDiedAfterCommit
  case daemonDiedBetweenEffects
  /// Within the first things that a life does.
  case diedWhileRecovering
  case storeOutcomeUnknown
  /// One commit finds no space.
  case storeFull
  /// A life of the daemon ends because the disk is full, and the next finds it full as well.
  case diskStaysFull
  case diskHasSpaceAgain
  case secondDaemonRefused
  case databaseRestored
  case requestRepeated
  case requestIDReused
  case reportRepeated
  case helloFromNewerSession
  case helloWithUnknownOrder
  case gateFellAfterOpening
  case gateNeededPerson
  case ringPromoted
  case laneHeld
  case capReached
  case personGrantedAttempt
  case personAccepted
  case serverRetiredInFlight
  case serverLockedWhilePending
  case updateExcludedInFlight
  case policyEditedInFlight
  /// A run goes on by the policy that it started under, and that of its campaign is another by then.
  case ranByEarlierPolicy
  case campaignCancelledInFlight
  case campaignOutlived
  case contactLost
  case clientDark
  case contactIsBack
  case sourceSilent
  case sourceIsBack
  /// An update source that vanished is asked before anything was changed.
  case sourceSilentBeforeInstall
  /// It is asked for another pass or attempt, when the server is changed already.
  case sourceSilentAfterInstall
  case signatureHeld
  case campaignPausedByBreaker
  case clientPostponed
  case unexplainedBlocked
  case serverDismissed
  case outageDeclared
  case hostStartedInOutage
  case guestsAwaited
  case peerCheckPutOff
  case orderGroupChoseAnother
  case atlasApproved
  case maintenanceRemains
  case leaveAfterGivenBack
  case keptSnapshotRemoved
  case keptSnapshotNotRemoved
  case serverUndone
  case undoHeld
  case undoRefused
  case nothingToUndo
  case snapshotNeededLonger
  case windowEditedInFlight
  case slotsLoweredInFlight
  case pausedClientInFlight
  case twoCampaignsOfOneClient
  /// A campaign's own window is closed while its client's is open, and servers wait.
  case ownWindowClosed
  /// A client is frozen while its window would be open, and servers wait.
  case freezeHeld
  case zoneChangedInFlight
  case resourceAwaited
  case startedByOverride
  case startedByRoleTimes
  case endMovedInFlight
  case ownWindowsEditedInFlight
  case newServerImported
  case serverMovedInFlight
  case retiredImportedAgain
  case downloadTakenBack
  case pendingRebootFirst
  case threePasses
  case bootDuringInstall
  /// A server that was lost is back after a stop that came and was released meanwhile.
  case backAfterStop
  /// People exclude an update, cancel or retire while an UPDATE is ordered and has not begun.
  case excludedOnTheWay
  case cancelledOnTheWay
  case retiredOnTheWay
  case skippedInDraftWhilePostponed
  /// A server is down for longer than agents may be silent while a hook puts it back.
  case putBackForLong
}

/// How often each was reached.
package struct SometimesCount: Hashable, Sendable {
  package private(set) var counts = [Int](repeating: 0, count: Sometimes.allCases.count)

  package init() {}

  package mutating func reach(_ point: Sometimes) { counts[point.rawValue] += 1 }

  package mutating func add(_ other: SometimesCount) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  package subscript(point: Sometimes) -> Int { counts[point.rawValue] }

  package var missed: [Sometimes] { Sometimes.allCases.filter { self[$0] == 0 } }
}

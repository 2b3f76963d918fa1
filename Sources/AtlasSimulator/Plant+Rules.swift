import AtlasModel

extension Plant {
  /// What the checker must say of it: an invariant of docs/engine.md §1, or a word of
  /// docs/simulator.md. That something else is wrong as well proves nothing about its rule.
  package var foundBy: Set<String> {
    switch self {
    case .slotFreedWhenHeld, .slotLimitOffByOne, .lostServerGivenUp, .healthNotAsked,
      .changeNotJournaled:
      ["S1"]
    case .windowInWrongZone, .windowEndIgnored, .medianForEstimate, .retryOutsideWindow,
      .oldWindowsBelieved, .parkedBootIgnoresWindow, .ownWindowsIgnored,
      .freezesIgnored, .notAfterIgnored, .noLatestTime,
      .windowOutlasted:
      ["S2"]
    case .backupNotChecked, .backupAgeIgnored, .snapshotNotDemanded, .undoneWithoutBackup: ["S3"]
    case .guestsStopIgnored, .stopNotLatched, .stopLeavesOutbox, .clientStopIgnored,
      .welcomeWithoutStop, .agentIgnoresStop:
      ["S4"]
    case .fenceReused, .counterNotLifted, .fenceNotChecked, .journalNotAwaited: ["S5"]
    case .actsBeforeCommit, .storeDoesNotSync, .answersForgotten: ["S6"]
    case .oneRetryTooMany, .permanentRetried, .retryAfterRollback, .rolledBackTwice: ["S7"]
    // Its slot is returned, and HELD does not lead there.
    case .heldRunSkipped: ["S1", "S8"]
    case .recordSkipped, .recordDoubled: ["S9"]
    case .orderToNeighbour: ["S10"]
    case .reportAppliedTwice: ["S11"]
    case .downServersNotCounted: ["S12"]
    case .windowTimerForgotten, .parkedForGood, .lostNotFound: ["L1"]
    case .exclusionIgnored, .afterIgnored, .groupIgnored, .hostWithoutOutage, .peerCheckIgnored:
      ["order"]
    case .gateOffByOne, .gateSoakSkipped, .rateOffByOne: ["gate"]
    case .startsForgotten, .capOffByOne, .minAvailableIgnored, .resourceLimitIgnored,
      .peopleCapIgnored:
      ["cap"]
    case .laneBreakerOff, .rateBreakerOff, .sourceHoldIgnored: ["breaker"]
    // Whatever the policies differ in.
    case .overridesIgnored: ["S1", "S2", "S3", "S7", "cap", "order"]
    case .editReachesTheStarted: ["S2", "S3", "S7", "kept"]
    case .leaveForgotten: ["maintenance"]
    case .neededSnapshotRemoved, .keptSnapshotForgotten, .snapshotNotKept: ["kept"]
    }
  }
}

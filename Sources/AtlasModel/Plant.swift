/// Bugs that can be planted on purpose, one at a time, to prove that the simulator finds them.
///
/// Each stands at the place that it breaks, as one line. They exist only in builds with
/// `-D ATLAS_PLANTS`, which `scripts/simulate` makes for `atlas-sim`; in all others ``isOn`` is
/// `false` for the compiler, and nothing of them is left.
package enum Plant: String, CaseIterable, Hashable, Sendable {
  // Slots and order of events (S1)
  /// A held server gives its slot back.
  case slotFreedWhenHeld = "slot_freed_when_held"
  /// One server more than the client has slots.
  case slotLimitOffByOne = "slot_limit_off_by_one"
  /// A server that nobody hears of is given up, and its slot with it.
  case lostServerGivenUp = "lost_server_given_up"
  /// A server is done once its updates are installed, whatever its health.
  case healthNotAsked = "health_not_asked"

  // Windows (S2)
  /// Windows are worked out in UTC.
  case windowInWrongZone = "window_in_wrong_zone"
  /// A server starts whenever a window is open, however little is left of it.
  case windowEndIgnored = "window_end_ignored"
  /// A run is expected to take as long as half of its kind did.
  case medianForEstimate = "median_for_estimate"
  /// Another attempt begins whether or not it fits into the window.
  case retryOutsideWindow = "retry_outside_window"
  /// A stop of the client whose guests are on a host does not reach the host.
  case guestsStopIgnored = "guests_stop_ignored"
  /// An answer about windows counts although they were asked for again since.
  case oldWindowsBelieved = "old_windows_believed"
  /// A start of the daemon forgets what was started just before it.
  case startsForgotten = "starts_forgotten"
  /// A boot or a further pass begins although the attempt has outlasted its window.
  case windowOutlasted = "window_outlasted"
  /// A boot that was parked goes on whether or not its window is open.
  case parkedBootIgnoresWindow = "parked_boot_ignores_window"
  /// A campaign's own windows do not narrow those of its clients.
  case ownWindowsIgnored = "own_windows_ignored"
  /// Windows are open whatever is frozen.
  case freezesIgnored = "freezes_ignored"
  /// A client has the policy of all others in a campaign.
  case overridesIgnored = "overrides_ignored"
  /// An agent begins an order after its latest time.
  case notAfterIgnored = "not_after_ignored"
  /// Nobody says until when an UPDATE may begin.
  case noLatestTime = "no_latest_time"

  // Evidence (S3)
  case backupNotChecked = "backup_not_checked"
  /// Backups count however old they are.
  case backupAgeIgnored = "backup_age_ignored"
  case snapshotNotDemanded = "snapshot_not_demanded"

  /// An update that was excluded while the campaign runs is installed all the same.
  case exclusionIgnored = "exclusion_ignored"

  // Stops (S4)
  /// The agents are told, and nothing is latched.
  case stopNotLatched = "stop_not_latched"
  /// Orders that were not sent yet stay in the outbox.
  case stopLeavesOutbox = "stop_leaves_outbox"
  /// A stop of one client does not keep its servers from starting.
  case clientStopIgnored = "client_stop_ignored"
  /// An agent that was away is not told of the stop when it comes back.
  case welcomeWithoutStop = "welcome_without_stop"
  /// An agent begins what a stop has met.
  case agentIgnoresStop = "agent_ignores_stop"
  /// The gate right before a ring is not looked at.
  case gateOffByOne = "gate_off_by_one"

  // Gates and caps (engine.md §5, §6)
  /// A gate opens as soon as its conditions hold.
  case gateSoakSkipped = "gate_soak_skipped"
  /// One server more than the gate allows may have failed.
  case rateOffByOne = "rate_off_by_one"
  /// One server more than `max_in_progress` allows.
  case capOffByOne = "cap_off_by_one"
  /// All servers of a role may be worked on together.
  case minAvailableIgnored = "min_available_ignored"
  /// As many servers as ever use what they share.
  case resourceLimitIgnored = "resource_limit_ignored"
  /// A lane goes on, however many of its servers have failed.
  case laneBreakerOff = "lane_breaker_off"
  /// A campaign goes on, however many of its last servers have failed.
  case rateBreakerOff = "rate_breaker_off"
  /// As many servers as ever may be down and wait for people.
  case peopleCapIgnored = "people_cap_ignored"
  /// Servers start although their update source is silent.
  case sourceHoldIgnored = "source_hold_ignored"

  // Fences (S5)
  /// An order that is given again keeps its fence.
  case fenceReused = "fence_reused"
  /// A restored daemon draws fences below those that agents have seen.
  case counterNotLifted = "counter_not_lifted"
  /// An agent takes orders below the highest fence that it has seen.
  case fenceNotChecked = "fence_not_checked"
  /// An agent begins before its journal is on disk.
  case journalNotAwaited = "journal_not_awaited"
  /// A server is changed before its journal says so.
  case changeNotJournaled = "change_not_journaled"

  // Durability (S6)
  /// What follows a commit is done before it.
  case actsBeforeCommit = "acts_before_commit"
  /// A commit is acknowledged before it is on disk.
  case storeDoesNotSync = "store_does_not_sync"
  /// A repeated request is carried out again.
  case answersForgotten = "answers_forgotten"

  // Attempts (S7), states and the log (S8, S9)
  case oneRetryTooMany = "one_retry_too_many"
  /// A server is tried again although it has failed for good.
  case permanentRetried = "permanent_retried"
  /// A server that was rolled back is tried again.
  case retryAfterRollback = "retry_after_rollback"
  /// A new policy is that of what has started, too.
  case editReachesTheStarted = "edit_reaches_the_started"
  /// A rollback is tried again and again.
  case rolledBackTwice = "rolled_back_twice"
  /// A run that is parked has no record.
  case recordSkipped = "record_skipped"
  /// A transition has two records.
  case recordDoubled = "record_doubled"
  /// A run that is held can be skipped, as if nothing had begun.
  case heldRunSkipped = "held_run_skipped"

  // Isolation (S10), repeats (S11), servers that are down (S12), progress (L1)
  /// Orders for a server go to the one before it in the fleet.
  case orderToNeighbour = "order_to_neighbour"
  /// A report is taken for one about the newest order, whichever it was about.
  case reportAppliedTwice = "report_applied_twice"
  /// Servers that are down or unexplained take no slots.
  case downServersNotCounted = "down_servers_not_counted"
  /// Nobody looks at a lane again when its window opens.
  case windowTimerForgotten = "window_timer_forgotten"
  /// A server that was lost stays held when its agent is there again.
  case lostNotFound = "lost_not_found"
  /// Parked runs stay parked when they are resumed.
  case parkedForGood = "parked_for_good"

  // Order and maintenance (engine.md §4, §7, §10)
  /// A server does not wait for those that go before it.
  case afterIgnored = "after_ignored"
  /// Two members of a group may be worked on together.
  case groupIgnored = "group_ignored"
  /// A host takes its guests down, whatever was agreed.
  case hostWithoutOutage = "host_without_outage"
  /// What was entered is not left.
  case leaveForgotten = "leave_forgotten"
  /// A server starts whatever `peer_check` says.
  case peerCheckIgnored = "peer_check_ignored"

  // Kept snapshots and rollback campaigns (engine.md §13)
  /// A kept snapshot is removed although a rollback campaign is to go back to it.
  case neededSnapshotRemoved = "needed_snapshot_removed"
  /// After a start of the daemon nobody knows which snapshots are to be removed.
  case keptSnapshotForgotten = "kept_snapshot_forgotten"
  /// A kept snapshot is removed with the end of its run.
  case snapshotNotKept = "snapshot_not_kept"
  /// A rollback campaign goes back without a backup.
  case undoneWithoutBackup = "undone_without_backup"

  #if ATLAS_PLANTS
    /// The one that is planted. Set once, before any machine runs, and never changed while one
    /// does: that is what makes it safe without a lock.
    @usableFromInline package nonisolated(unsafe) static var planted: Plant?
  #endif

  /// Whether the bug is planted.
  @inlinable package var isOn: Bool {
    @inline(__always) get {
      #if ATLAS_PLANTS
        Plant.planted == self
      #else
        false
      #endif
    }
  }
}

import AtlasModel

/// One server's passage through a campaign.
///
/// There may be a million of these: small fields, and what few runs need in a box.
package struct Run: Hashable, Sendable {
  package let server: ServerID
  /// Position of its lane in the campaign.
  package let lane: Int32
  /// The run it repeats; -1 for a first run.
  package let retryOf: Int32
  /// Of a rollback campaign: the run that it undoes, among those of the campaign that is rolled back;
  /// -1 for other runs.
  package internal(set) var undoes: Int32 = -1
  /// Place in the lane: lower goes first. Deferring moves it behind all others.
  package var order: Int32
  package internal(set) var state = RunState.pending(notBefore: nil)
  /// 0 until the first start, then counted up.
  package var attempt: UInt8 = 0
  /// Attempts that a person granted beyond the policy's.
  package var granted: UInt8 = 0
  /// UPDATE and REBOOT rounds of this attempt, from 1.
  package var pass: UInt8 = 0
  /// How often the policy that it goes by had been edited: the one of when it last took its slot.
  package internal(set) var edition: UInt8 = 0
  package var marks: Marks = []
  /// Counts hook starts, so that the answer of an earlier one is not taken for the newest.
  package var hookSerial: UInt16 = 0
  /// Grows with every change; the run's etag.
  package var version: UInt32 = 0
  package var command: ActiveCommand?
  package var details = RunDetails()
  private var started = CompactInstant()
  private var ended = CompactInstant()
  private var overdueAt = CompactInstant()
  private var quietAt = CompactInstant()
  private var silentAt = CompactInstant()
  private var stepTimerAt = TimerMark()
  private var quietTimerAt = TimerMark()

  package init(server: ServerID, lane: Int, order: Int, retryOf: Int = -1) {
    self.server = server
    self.lane = Int32(lane)
    self.order = Int32(order)
    self.retryOf = Int32(retryOf)
  }

  /// Slot taken for the first time.
  package var startedAt: Instant? {
    get { started.value }
    set { started.value = newValue }
  }

  /// Slot returned for the last time.
  package var endedAt: Instant? {
    get { ended.value }
    set { ended.value = newValue }
  }

  /// When what the current step waits for is overdue.
  package var deadline: Instant? {
    get { overdueAt.value }
    set { overdueAt.value = newValue }
  }

  /// When an installer that reports nothing is worth a look.
  package var quietDeadline: Instant? {
    get { quietAt.value }
    set { quietAt.value = newValue }
  }

  /// When silence of its agent becomes a loss.
  package var silenceDeadline: Instant? {
    get { silentAt.value }
    set { silentAt.value = newValue }
  }

  /// When the timer fires that watches over ``deadline``, or an earlier one: it moves on then.
  var stepTimer: Instant? {
    get { stepTimerAt.at.value }
    set { stepTimerAt.at.value = newValue }
  }

  /// The same for ``quietDeadline``.
  var quietTimer: Instant? {
    get { quietTimerAt.at.value }
    set { quietTimerAt.at.value = newValue }
  }

  /// Facts about a run that are true or not.
  package struct Marks: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The first install has begun: what ends the run now is a failure, not a refusal.
    package static let changed = Marks(rawValue: 1 << 0)
    /// The way back: the server is being put to what it was before.
    package static let rollback = Marks(rawValue: 1 << 1)
    /// This attempt has been rolled back once; there is no second time.
    package static let rolledBack = Marks(rawValue: 1 << 2)
    /// Taking longer than it may; a result that comes later counts all the same.
    package static let overdue = Marks(rawValue: 1 << 3)
    /// What the agent has done is not known until it says so.
    package static let reconciling = Marks(rawValue: 1 << 4)
    /// Updates are installed that a boot must complete.
    package static let rebootPending = Marks(rawValue: 1 << 5)
    /// A hook took the snapshot, so a hook must revert and remove it.
    package static let snapshotByHook = Marks(rawValue: 1 << 6)
    /// More updates of the set are to be installed after this phase.
    package static let moreUpdates = Marks(rawValue: 1 << 7)
    /// After a rollback asked for by a person: one more attempt.
    package static let retryAfterRollback = Marks(rawValue: 1 << 8)
    /// A person resumed it "now": a parked boot does not wait for the window.
    package static let ignoreWindow = Marks(rawValue: 1 << 9)
    /// Updates of the set are missing still after the last pass that the policy allows.
    package static let incomplete = Marks(rawValue: 1 << 10)
    /// Atlas has booted it for a reboot that was pending before; from then on an unhealthy server
    /// may be unhealthy because of Atlas. Of a rollback campaign: a rollback has failed before, and is
    /// tried once more.
    package static let booted = Marks(rawValue: 1 << 11)
    /// No progress for long; said once.
    package static let quiet = Marks(rawValue: 1 << 12)
    /// Parked between two attempts: what follows is the next attempt, or the rollback.
    package static let retryDue = Marks(rawValue: 1 << 13)
    /// Its server is retired; it is skipped as soon as nothing is in flight.
    package static let retiring = Marks(rawValue: 1 << 14)
    /// Its updates were fetched before its turn, or there is no sense in trying.
    package static let downloaded = Marks(rawValue: 1 << 15)
    /// A stop has met an order that may have reached its agent: the run goes to its next safe point
    /// only, also when the stop is released before the agent is back.
    package static let stopMet = Marks(rawValue: 1 << 16)
    /// Its agent has refused a boot or a further round, because the latest time had passed; if it does
    /// so once more, its clock is wrong.
    package static let refusedLate = Marks(rawValue: 1 << 17)

    /// What is over once the agent has said what became of its order.
    package static let inDoubt: Marks = [.reconciling, .stopMet]
  }
}

/// What is written in several fields at once: each way to a run from outside costs checks.
extension Run {
  mutating func beginAttempt() {
    attempt += 1
    pass = 1
    deadline = nil
    marks.formIntersection(.downloaded)
    details.content.forgetAttempt()
  }

  /// The command has ended, and nothing watches over it any more.
  mutating func endCommand() {
    command = nil
    deadline = nil
    quietDeadline = nil
    marks.subtract([.overdue, .quiet])
  }

  /// - Returns: Whether a timer is needed. Most steps end long before their deadline, so that the
  ///   one timer that is there moves on when it fires.
  mutating func setDeadline(_ deadline: Instant) -> Bool {
    self.deadline = deadline
    if let at = stepTimer, at <= deadline { return false }
    stepTimer = deadline
    return true
  }
}

/// An instant or nothing, in the bytes of an instant: an optional takes twice as many, and a run has
/// many of them.
private struct CompactInstant: Hashable, Sendable {
  private var milliseconds = Int64.min

  /// The earliest instant there is stands for nothing: no calendar yields it.
  var value: Instant? {
    get { milliseconds == .min ? nil : Instant(milliseconds: milliseconds) }
    set { milliseconds = newValue?.milliseconds ?? .min }
  }
}

/// When a timer of a run fires. That is the queue's affair: runs that differ in nothing else are
/// equal.
private struct TimerMark: Hashable, Sendable {
  var at = CompactInstant()

  static func == (left: TimerMark, right: TimerMark) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}

/// The newest command of a run that has not ended.
package struct ActiveCommand: Hashable, Sendable {
  package enum Delivery: UInt8, CaseIterable, Hashable, Sendable {
    /// In the outbox; not handed to a session.
    case queued
    /// Handed to a session, not acknowledged.
    case sent
    /// In the agent's journal.
    case acknowledged
  }

  package var fence: Fence
  package var kind: CommandKind
  package var delivery: Delivery
  /// Highest report number taken; 0 for none.
  package var lastSeq: UInt32

  package init(
    fence: Fence, kind: CommandKind, delivery: Delivery = .queued, lastSeq: UInt32 = 0
  ) {
    self.fence = fence
    self.kind = kind
    self.delivery = delivery
    self.lastSeq = lastSeq
  }
}

/// What a run carries once it has begun; apart, because most runs have not.
package struct RunDetails: Hashable, Sendable {
  /// Always one: a box that is changed in place, as long as nobody else looks at it. Runs that have
  /// not begun share one.
  private var box: [Content]

  private static let unused = [Content()]

  package init() { box = Self.unused }

  package init(_ content: Content) { box = [content] }

  /// Nil when nothing is in it.
  package var stored: Content? { box[0] == Content() ? nil : box[0] }

  package struct Content: Hashable, Sendable {
    package var lastError = ""
    package var snapshot: SnapshotFact?
    /// The newest one that it had and that is gone, for evidence.
    package var formerSnapshot: SnapshotFact?
    /// How long ``snapshot`` outlives the run, and what is done to remove it; nil when it does not.
    package var kept: KeptSnapshot?
    /// Whether a rollback campaign is to undo the run, or has.
    package var undo: Undo?
    package var backup: BackupFact?
    /// What every UPDATE of an untouched server relied on, newest last, at most
    /// ``Limits/updateBases``; those that follow in the same attempt, and its retries, rely on the
    /// last one before them.
    package var bases: [UpdateBasis] = []
    /// By update, in the order in which the agent named them.
    package var updates: [UpdateResult] = []
    package var build = ""
    /// Total of all deferrals so far.
    package var deferred = Duration.zero
    /// When the run's turn came while its agent was away.
    package var offlineSince: Instant?
    /// What hooks are asked, and have said, about its start; nil unless there is such a thing.
    package var check: AdmissionCheck?
    /// Who said that it may start, once, where its server carries Atlas.
    package var approval: Latch?
    /// What a hook has entered; nil once it has left.
    package var maintenance: Maintenance?
    /// The phase a held run was in, and what it had left to do there.
    package var heldIn: Work?
    /// Whether it was PARKED before that, when it was held for the last time.
    package var heldParked = false
    /// Since when it has been held, for the last time.
    package var heldSince: Instant?
    /// Who looks after it and by when; nil when it is not held.
    package var care: HoldCare?
    /// When this attempt first came to an end or was held, for the campaign's breakers.
    package var outcomeAt: Instant?
    /// How long the phases took since the slot was taken.
    package var clock = PhaseClock()
    /// Begin and end of every time the slot was held, newest last, for the report.
    package var slotIntervals: [Interval] = []
    package init() {}

    /// What an earlier attempt left: its evidence does not count for the next, nor do its results.
    mutating func forgetAttempt() {
      offlineSince = nil
      approval = nil
      backup = nil
      snapshot = nil
      updates = []
      lastError = ""
      outcomeAt = nil
    }

    mutating func loseSnapshot() {
      formerSnapshot = snapshot ?? formerSnapshot
      snapshot = nil
    }

    mutating func rely(on basis: UpdateBasis) {
      bases.append(basis)
      if bases.count > Limits.updateBases { bases.removeFirst() }
    }

    mutating func takeSlot(_ now: Instant) {
      slotIntervals.append(Interval(start: now, end: .distantFuture))
      if slotIntervals.count > Limits.slotIntervals { slotIntervals.removeFirst() }
    }

    mutating func returnSlot(_ now: Instant) {
      let count = slotIntervals.count
      if count > 0 { slotIntervals[count - 1].end = now }
    }

    /// Keeps the newest word on each update; at most ``Limits/updates``.
    mutating func merge(_ results: [UpdateResult]) {
      for result in results {
        if let place = updates.firstIndex(where: { $0.update == result.update }) {
          updates[place] = result
        } else if updates.count < Limits.updates {
          updates.append(result)
        }
      }
    }
  }

  package var content: Content {
    @inline(__always) get { box[0] }
    @inline(__always) _modify { yield &box[0] }
  }
}

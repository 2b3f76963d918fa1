import AtlasModel

/// One run of an update set over a selection of the fleet.
package struct Campaign: Sendable {
  package let name: CampaignName
  package let author: String
  package let selection: Selection
  package var updateSet: UpdateSet
  /// The one of now: what has not started goes by it.
  package private(set) var policy: Policy
  /// The whole policy as it is for one client, where it differs; sorted by client.
  package private(set) var overrides: [ClientPolicy]
  /// The policies before, oldest first; at most ``Limits/policyEdits``.
  package internal(set) var earlier: [EarlierPolicy] = []
  /// The same in short: the campaign's own, then those of ``overrides``.
  private(set) var rules: [Rules] = []
  /// It works only while windows of its own are open, too.
  private(set) var hasOwnWindows = false
  /// By ring: what opens the next.
  private(set) var gateRules: [RingGate] = []
  package let changeReference: String
  package let createdAt: Instant
  /// The campaign whose completed servers it undoes; nil for one that installs.
  package let rollbackOf: CampaignID?
  package var state = CampaignState.draft
  package var pauses: [Pause] = []
  /// Lanes that a failure holds (`on_failure: hold`), sorted by client.
  package var heldLanes: [HeldLane] = []
  package var safety = CampaignSafety()
  package var startedAt: Instant?
  package var endedAt: Instant?
  package var endsAt: Instant?
  /// Campaigns that compete for a slot: the lower number was started first.
  package var startNumber: Int32 = 0
  /// Revision of the hooks that was current at the start.
  package var hookRevision = ""
  package var version: UInt32 = 0
  package internal(set) var runs: [Run] = []
  /// One for each client with runs, sorted by client.
  package internal(set) var lanes: [Lane] = []
  /// One for each ring from 0 to the highest with runs.
  package internal(set) var rings: [RingProgress] = []
  package internal(set) var counts = Counts()
  /// What it was expected to do when it started; nil when nobody gave it a plan that was still
  /// true.
  package internal(set) var plan: KeptPlan?

  // What follows is rebuilt on load.

  /// When a run of it last moved; nil before the first.
  package internal(set) var lastMoveAt: Instant?
  /// Lanes that could start a server but for a cap of the campaign.
  var capped = LaneQueue()
  /// Numbers of the resources to look at when the caps have been looked at: lanes of the campaign
  /// waited for them that the caps had in their way.
  var awaitedByCaps: [Int32] = []
  /// When the runs of the last minute took their slots, for `max_starts_per_minute`: no more than
  /// that, oldest first. The runs say so after a start of the daemon.
  var recentStarts: [Instant] = []
  /// Lanes with a run that holds a slot.
  package internal(set) var activeLanes = 0
  /// What its breaker looks at, oldest first; at most the policy's number.
  package internal(set) var sample: [SampleEntry] = []
  var kinds = KindProgress()
  /// The lowest ring with a run.
  var firstRing = 0
  /// Runs of servers that carry Atlas.
  var atlasRuns: [Int32] = []
  /// Held runs whose servers are down.
  package internal(set) var down: [Int32] = []

  package init(
    name: CampaignName, author: String, selection: Selection, updateSet: UpdateSet,
    policy: Policy, overrides: [ClientPolicy] = [], changeReference: String = "",
    createdAt: Instant, rollbackOf: CampaignID? = nil
  ) {
    self.rollbackOf = rollbackOf
    self.name = name
    self.author = author
    self.selection = selection
    self.updateSet = updateSet
    self.policy = policy
    self.overrides = overrides
    self.changeReference = changeReference
    self.createdAt = createdAt
    workOutRules()
  }

  private mutating func workOutRules() {
    hasOwnWindows = policy.windows != nil
    rules = [Rules(policy)] + overrides.map { Rules($0.policy, in: policy) }
    gateRules = (0...Int(Ring.last.number)).compactMap { Ring($0).map(policy.gate) }
  }

  /// How often people have edited the policy; runs keep it as they take their slots.
  var edition: UInt8 { UInt8(earlier.count) }

  /// Puts another policy in the place of the one of now.
  mutating func replacePolicy(_ policy: Policy, _ overrides: [ClientPolicy]) {
    self.policy = policy
    self.overrides = overrides
    workOutRules()
  }

  /// Changes the policy, also where it differs for a client: in a copy that is worked through in
  /// virtual time, and nowhere else.
  mutating func suppose(_ change: (inout Policy) -> Void) {
    change(&policy)
    for index in overrides.indices { change(&overrides[index].policy) }
    workOutRules()
  }

  /// The policy as it is for `client`, of what has not started.
  package func policy(for client: ClientID) -> Policy {
    override(for: client).map { overrides[$0].policy } ?? policy
  }

  /// Nothing more is begun in it: its time is up.
  func isPastItsEnd(_ now: Instant) -> Bool { endsAt.map { $0 <= now } ?? false }

  /// Whether a failure holds the lane of `client`.
  func isHeld(_ client: ClientID) -> Bool {
    let place = heldLanes.firstPosition { $0.client >= client }
    return place < heldLanes.count && heldLanes[place].client == client
  }

  subscript(run index: Int32) -> Run {
    @inline(__always) get { runs[Int(index)] }
    @inline(__always) _modify { yield &runs[Int(index)] }
  }
}

/// A policy as it is for one client of a campaign.
package struct ClientPolicy: Hashable, Sendable {
  package var client: ClientID
  package var policy: Policy

  package init(client: ClientID, policy: Policy) {
    self.client = client
    self.policy = policy
  }
}

package enum CampaignState: UInt8, CaseIterable, Hashable, Sendable {
  case draft
  case active
  case cancelling
  case completed
  case completedWithFailures
  case cancelled

  package var isTerminal: Bool {
    switch self {
    case .draft, .active, .cancelling: false
    case .completed, .completedWithFailures, .cancelled: true
    }
  }

  /// Started, and not over.
  package var isRunning: Bool { self == .active || self == .cancelling }

  /// The word used in records, lists and messages.
  package var word: String {
    switch self {
    case .draft: "DRAFT"
    case .active: "ACTIVE"
    case .cancelling: "CANCELLING"
    case .completed: "COMPLETED"
    case .completedWithFailures: "COMPLETED_WITH_FAILURES"
    case .cancelled: "CANCELLED"
    }
  }
}

/// One client's queue of servers in a campaign.
package struct Lane: Hashable, Sendable {
  package let client: ClientID
  package let ring: Ring
  /// Open runs that hold no slot, in the order in which they start.
  package internal(set) var queue: [Int32] = []
  /// Runs that hold a slot.
  package internal(set) var active: [Int32] = []
  /// Runs that are not terminal.
  package internal(set) var open = 0
  /// A server of it has been started.
  package internal(set) var started = false
  /// The run whose updates are being fetched before its turn; one at a time.
  var downloading: Int32?
  /// The pending run of which a hook is asked whether it may start; one at a time.
  var checking: Int32?
  /// When the lane is looked at again; nil when an event will say.
  var wakeAt: Instant?
  /// Runs that failed or were held since a person last resumed the lane.
  package internal(set) var troubled: [Int32] = []
  /// One of its servers could start but for a representative.
  var waitsForKind = false
  /// It waits in the campaign's ``Campaign/capped``.
  var isCapped = false
  /// When its client may be worked on in a campaign that has windows of its own: while both are
  /// open. Nil for other campaigns, and until it is known. Rebuilt on load.
  package internal(set) var narrowed: [Interval]?

  init(client: ClientID, ring: Ring) {
    self.client = client
    self.ring = ring
  }
}

/// How far a campaign is in one ring, and the gate behind it.
package struct RingProgress: Hashable, Sendable {
  package let ring: Ring
  package internal(set) var status = Status.waiting
  package internal(set) var gate = Gate.closed
  package internal(set) var counts = Counts()
  /// Open runs of clients that are postponed: the gate does not look at them.
  package internal(set) var outside = Counts()
  package internal(set) var startedAt: Instant?
  package internal(set) var completedAt: Instant?
  /// Since when the gate's conditions have held without a break.
  package internal(set) var soakingSince: Instant?
  /// The conditions have held for the whole soak once; a later fall needs no new soak.
  package internal(set) var soaked = false
  /// A person approved of it, as a gate with manual approval asks for, once; it still closes when what
  /// happened before it turns bad.
  package internal(set) var approved = false
  /// A person opened it for the rest of the campaign, whatever happens before it.
  package internal(set) var promoted = false

  package enum Status: UInt8, CaseIterable, Hashable, Sendable {
    case waiting
    case active
    case completed

    package var word: String {
      switch self {
      case .waiting: "Waiting"
      case .active: "Active"
      case .completed: "Completed"
      }
    }
  }

  package enum Gate: UInt8, CaseIterable, Hashable, Sendable {
    case open
    case closed
    case needsPerson

    package var word: String {
      switch self {
      case .open: "OPEN"
      case .closed: "CLOSED"
      case .needsPerson: "NEEDS_PERSON"
      }
    }
  }

  package init(ring: Ring) { self.ring = ring }
}

/// How many runs are in which state; kept up by every move of a run.
package struct Counts: Hashable, Sendable {
  /// By raw value of the kind: a vector, because it needs no allocation and compares fast.
  private var byKind = SIMD16<Int32>()
  /// Updates are installed and a boot is still to come.
  package internal(set) var installedNotRebooted: Int32 = 0

  package init() {}

  package subscript(kind: RunState.Kind) -> Int {
    get { Int(byKind[Int(kind.rawValue)]) }
    set { byKind[Int(kind.rawValue)] = Int32(newValue) }
  }

  package var total: Int { Int(byKind.wrappedSum()) }
  package var open: Int { self[.pending] + inFlight }
  /// Runs that hold a slot.
  package var inFlight: Int { self[.inProgress] + self[.parked] + self[.held] }
  package var terminal: Int { total - open }
  /// Runs that count for a success rate.
  package var attempted: Int { self[.completed] + self[.failed] + self[.held] }
}

extension Counts {
  /// Adds another set of runs to this one.
  package mutating func add(_ other: Counts) {
    for kind in RunState.Kind.allCases { self[kind] += other[kind] }
    installedNotRebooted += other.installedNotRebooted
  }

  /// Takes a set of runs out of this one.
  package mutating func remove(_ other: Counts) {
    byKind &-= other.byKind
    installedNotRebooted -= other.installedNotRebooted
  }

  /// Counts one more run.
  package mutating func addOne(_ kind: RunState.Kind, rebootPending: Bool) {
    self[kind] += 1
    if rebootPending, kind.holdsSlot { installedNotRebooted += 1 }
  }
}

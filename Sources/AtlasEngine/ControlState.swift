import AtlasModel

/// The whole state of the control plane, and the machine that changes it.
///
/// ``step(_:now:)`` is the only way to change it, and a pure one: no clock, no randomness, no I/O.
/// Production, plan and simulator run the same code.
package struct ControlState: Sendable {
  /// Highest fence drawn; every command and every stop draws its own.
  package internal(set) var fence = Fence.none
  package internal(set) var stop: StopLatch? { didSet { isStopped = stop != nil } }
  package internal(set) var clients: [Client] = []
  package internal(set) var servers: [Server] = []
  package internal(set) var campaigns: [Campaign] = []
  /// Grows with every change of the fleet; part of a plan's etag.
  package internal(set) var fleetVersion: UInt64 = 0
  /// Rings that the fleet calls something of its own.
  package internal(set) var ringNames: [RingName] = []
  /// Contact was lost to many servers of the fleet at once; nil when it was not.
  package internal(set) var contact: ContactHold? { didSet { isContactLost = contact != nil } }
  /// How long phases took, by kind of servers, in the order in which the kinds were first measured;
  /// at most ``Limits/measuredKinds``.
  package internal(set) var histories: [KindHistory] = []
  package let floors: Floors

  // What follows is rebuilt on load.

  /// The highest fence that the database knew when it was loaded; nil for a state that was not.
  var loadedFence: Fence?
  /// When it was set going after it was loaded; nil for a state that was not.
  var wokenAt: Instant?
  /// When the database was written for the last time before it was loaded; nil when that is not
  /// known.
  var writtenAt: Instant?
  /// Whether ``stop`` is there: asked several times in every step, and a latch is large to copy.
  var isStopped = false
  /// Whether ``contact`` is there.
  var isContactLost = false
  /// Sessions that are there.
  var connectedCount = 0
  var drops = DropWindow()
  /// Sorts of servers, their kinds and what they share; each once, in the order in which the fleet
  /// named them first. The dictionaries are only looked up.
  var profiles: [ServerProfile] = []
  var profileNumbers: [ServerProfile: Int32] = [:]
  var kinds: [ServerKind] = []
  var kindNumbers: [ServerKind: Int32] = [:]
  var resources: [Resource] = []
  var resourceNumbers: [ResourceName: Int32] = [:]
  /// By kind: its place in ``histories``, or -1; and the same by name, only looked up.
  var historyOfKind: [Int32] = []
  var historyNumbers: [ServerKind: Int32] = [:]
  /// Grows whenever an estimate changes that is in use; part of a plan's etag.
  package internal(set) var estimatesVersion: UInt64 = 0
  /// In a state that is worked through in virtual time: what the runs of one campaign are said to
  /// take, by number, whatever history says; nil for those that it may say.
  var givenEstimates: (campaign: CampaignID, byRun: [Duration?])?
  /// Campaigns that are not over and have runs of servers that carry Atlas.
  var atlasCampaigns: [CampaignID] = []
  /// Resources in which a place may have become free.
  var dirtyResources: [Int32] = []
  /// The lane whose turn at a resource it is.
  var granted: LaneRef?
  /// Worked through in virtual time: every agent is there and new enough, and a run takes as long
  /// as it is told to, whatever its limits.
  var isVirtual = false
  /// Only looked up, never iterated: its order changes from run to run.
  var clientByName: [ClientName: ClientID] = [:]
  var serverByName: [ServerName: ServerID] = [:]
  var campaignByName: [CampaignName: CampaignID] = [:]
  var timers = TimerQueue()
  /// Clients whose lanes must be looked at before this step ends, in the order in which they were
  /// found; those before ``nextDirty`` have been.
  var dirty: [ClientID] = []
  var nextDirty = 0
  /// Gates that must be looked at before this step ends.
  var dirtyGates: [DirtyGate] = []
  /// Campaigns with a cap in which a place may have become free.
  var dirtyCaps: [CampaignID] = []
  var effects: [Effect] = []
  /// Holds nothing. A struct with an existential in it is passed by its address; this one was copied
  /// to the stack for every call of a method that only reads, and that took a seventh of all
  /// instructions.
  private let passedByAddress: any Sendable = ()

  package init(floors: Floors = Floors()) {
    self.floors = floors
  }

  /// Shortest times that make sense on the clock that the daemon runs on. In a rehearsal campaign
  /// time races, but connections, hooks and people's machines do not.
  package struct Floors: Hashable, Sendable {
    /// Silence is never taken for a loss earlier than this.
    package var silence: Duration
    /// A hook or an agent is never called overdue earlier than this.
    package var deadline: Duration

    package init(silence: Duration = .zero, deadline: Duration = .zero) {
      self.silence = silence
      self.deadline = deadline
    }
  }
}

/// A client and what the engine knows about it.
package struct Client: Hashable, Sendable {
  // In front, next to each other in memory, what nearly every event about the client looks at; it
  // is rebuilt on load.

  var isDirty = false
  /// Whether ``paused`` and ``stop`` are there: asked in every step, and latches are large to copy.
  private(set) var isPaused = false
  private(set) var isStopped = false
  private(set) var isPostponed = false
  private(set) var isDark = false
  /// Sessions of its servers, and those that ended lately and unexpectedly.
  var connected = 0
  var recentDrops = 0
  /// Slots in use, in all campaigns.
  package internal(set) var slotsInUse = 0
  /// Lanes in which a hook is asked whether a run may start: each keeps a slot free for it.
  package internal(set) var reserved = 0
  /// Lanes of started campaigns that are not over, the campaign started first in front.
  var lanes: [LaneRef] = []
  /// Sorted, not touching each other; known up to ``windowsUntil``.
  package internal(set) var windows: [Interval] = []
  package internal(set) var windowsUntil = Instant(milliseconds: .min)
  /// When they are to be expanded further.
  var windowsRefresh: Instant?
  /// How often ``windows`` were asked for since the daemon started: the newest question, whose
  /// answer alone counts.
  package internal(set) var windowsAsked: UInt32 = 0
  /// What people say of them has changed since they were worked out: until they are again, nothing
  /// starts, and what has started goes by those that were known.
  var windowsAreOld = false
  /// In the order of their import.
  package internal(set) var servers: [ServerID] = []
  /// Servers whose agents are silent, or work on what no run here has ordered, and that nobody has
  /// dismissed; only these can be unexplained.
  var doubtful: [ServerID] = []
  /// Hosts in progress on which it has guests.
  var busyHosts: [RunRef] = []
  /// Other clients on whose hosts it has, or had, guests: what changes here may let those start.
  var hosters: [ClientID] = []
  /// Servers that are not retired, by role. Only looked up, never iterated.
  var roleCounts: [Role: Int] = [:]
  /// Whether ``outage`` is there.
  private(set) var hasOutage = false

  package internal(set) var config: ClientConfig
  package internal(set) var paused: Latch? { didSet { isPaused = paused != nil } }
  package internal(set) var stop: StopLatch? { didSet { isStopped = stop != nil } }
  package internal(set) var postponed: Postponement? { didSet { isPostponed = postponed != nil } }
  /// Contact to all its servers was lost at once; nil when it was not.
  package internal(set) var dark: ContactHold? { didSet { isDark = dark != nil } }
  /// The newest declared outage, until it is over.
  package internal(set) var outage: Outage? { didSet { hasOutage = outage != nil } }
  package internal(set) var version: UInt32 = 0

  init(config: ClientConfig) { self.config = config }
}

/// A lane, from the outside.
struct LaneRef: Hashable, Sendable {
  let campaign: CampaignID
  let lane: Int32
}

struct DirtyGate: Hashable, Sendable {
  let campaign: CampaignID
  let ring: Ring
}

/// A server and what the engine knows about it.
package struct Server: Hashable, Sendable {
  // In front, next to each other in memory, what nearly every event about the server looks at.
  // What is above ``client`` is rebuilt on load.

  /// Its run in a started campaign that is not terminal.
  package internal(set) var openRun: RunRef? { didSet { openRunKey = "" } }
  /// ``agentVersion`` in numbers: admission looks at it often. Nil when nobody can read it.
  private(set) var readVersion: AgentVersion?
  /// A session of its agent is there.
  package internal(set) var connected = false
  /// It was in contact when that was lost to many, in the fleet or at its client, and is not back.
  var isMissing = false
  var isMissingAtClient = false
  /// Position in ``ControlState/profiles``.
  var profile: Int32 = 0
  /// When its session ended without being expected to, within the last minutes.
  var droppedAt: Instant?
  /// Its agent's newest Hello was not believed, and that is in the log.
  var isTurnedAway = false
  /// What its agent had not begun below this fence when it said Hello last must not begin any more.
  var voidBelow = Fence.none
  /// Whether an agent has ever connected.
  private(set) var isKnown = false
  /// Its agent has been in contact since the daemon started.
  var isHeard = false
  /// Since when its agent is silent, also across starts of the daemon; nil while it is there. One
  /// that was there to the end of a daemon went then or later: see ``awaitedSince``.
  package internal(set) var silentSince: Instant?
  /// The first start of a daemon after ``silentSince``, when it was in contact to the end of the
  /// one before; the same instant when nobody knows how long that had been; nil when its session
  /// ended.
  package internal(set) var awaitedSince: Instant?
  /// Since when a silent server has been its client's, or in service again; nil when it was before.
  /// What was earlier is no absence of it.
  package internal(set) var countedSince: Instant?
  /// What its agent works on although no open run here has ordered it, by its newest Hello.
  package internal(set) var foreign: Fence?
  /// Servers that run on it, retired ones too.
  var guests: [ServerID] = []
  /// Whether ``locked`` is there: a latch is large to copy.
  private(set) var isLocked = false
  /// Its runs that have completed and keep their snapshots, at most ``Limits/snapshotsPerServer``.
  package internal(set) var kept: [RunRef] = []
  /// The key of its open run, once a command has needed it: all commands of the run carry the same.
  var openRunKey = ""
  package internal(set) var client: ClientID
  package internal(set) var retired = false
  package internal(set) var config: ServerConfig
  // In boxes: few servers have them, and a plan copies all servers.
  private var lock: [Latch] = []
  private var dismissal: [Latch] = []
  package internal(set) var agentVersion = "" {
    didSet {
      readVersion = AgentVersion(agentVersion)
      isKnown = !agentVersion.isEmpty
    }
  }
  package internal(set) var version: UInt32 = 0

  init(config: ServerConfig, client: ClientID) {
    self.config = config
    self.client = client
  }

  package internal(set) var locked: Latch? {
    get { lock.first }
    set {
      lock = newValue.map { [$0] } ?? []
      isLocked = newValue != nil
    }
  }

  /// A person has said that its silence need not be counted.
  package internal(set) var dismissed: Latch? {
    get { dismissal.first }
    set { dismissal = newValue.map { [$0] } ?? [] }
  }

  /// Whether it may be unexplained: silent, or at work for somebody else, and not dismissed.
  var isDoubtful: Bool {
    (!connected || foreign != nil) && isKnown && !retired && dismissal.isEmpty
  }
}

extension ControlState {
  package func client(named name: ClientName) -> ClientID? { clientByName[name] }
  package func server(named name: ServerName) -> ServerID? { serverByName[name] }
  package func campaign(named name: CampaignName) -> CampaignID? { campaignByName[name] }

  package subscript(run: RunRef) -> Run {
    @inline(__always) get { campaigns[Int(run.campaign.index)].runs[Int(run.index)] }
    @inline(__always) _modify {
      yield &campaigns[Int(run.campaign.index)].runs[Int(run.index)]
    }
  }

  /// The command of a run. Asking through this copies the command; `self[ref].command?.fence` would
  /// copy the run.
  @inline(__always)
  func command(of ref: RunRef) -> ActiveCommand? {
    campaigns[Int(ref.campaign.index)].runs[Int(ref.index)].command
  }

  /// How far the command of a run has come, if it has one.
  mutating func setDelivery(_ ref: RunRef, _ delivery: ActiveCommand.Delivery) {
    guard var command = command(of: ref) else { return }
    command.delivery = delivery
    self[ref].command = command
  }

  package subscript(client id: ClientID) -> Client { clients[id] }
  package subscript(server id: ServerID) -> Server { servers[id] }
  package subscript(campaign id: CampaignID) -> Campaign { campaigns[id] }

  /// The next instant at which ``Event/timePassed`` has something to do; nil when nothing is due.
  package var nextDeadline: Instant? { timers.first }
}

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
  package let floors: Floors

  // What follows is rebuilt on load.

  /// Whether ``stop`` is there: asked several times in every step, and a latch is large to copy.
  var isStopped = false
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
  /// Slots in use, in all campaigns.
  package internal(set) var slotsInUse = 0
  /// Lanes of started campaigns that are not over, the campaign started first in front.
  var lanes: [LaneRef] = []
  /// Sorted, not touching each other; known up to ``windowsUntil``.
  package internal(set) var windows: [Interval] = []
  package internal(set) var windowsUntil = Instant(milliseconds: .min)
  /// When they are to be expanded further.
  var windowsRefresh: Instant?
  /// In the order of their import.
  package internal(set) var servers: [ServerID] = []

  package internal(set) var config: ClientConfig
  package internal(set) var paused: Latch? { didSet { isPaused = paused != nil } }
  package internal(set) var stop: StopLatch? { didSet { isStopped = stop != nil } }
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
  // The first five are rebuilt on load.

  /// Its run in a started campaign that is not terminal.
  package internal(set) var openRun: RunRef? { didSet { openRunKey = "" } }
  /// ``agentVersion`` in numbers: admission looks at it often. Nil when nobody can read it.
  private(set) var readVersion: AgentVersion?
  /// A session of its agent is there.
  package internal(set) var connected = false
  /// Its agent's newest Hello was not believed, and that is in the log.
  var isTurnedAway = false
  /// Whether ``locked`` is there: a latch is large to copy.
  private(set) var isLocked = false
  /// The key of its open run, once a command has needed it: all commands of the run carry the same.
  var openRunKey = ""
  package internal(set) var client: ClientID
  package internal(set) var retired = false
  package internal(set) var config: ServerConfig
  package internal(set) var locked: Latch? { didSet { isLocked = locked != nil } }
  package internal(set) var agentVersion = "" {
    didSet { readVersion = AgentVersion(agentVersion) }
  }
  package internal(set) var version: UInt32 = 0

  init(config: ServerConfig, client: ClientID) {
    self.config = config
    self.client = client
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

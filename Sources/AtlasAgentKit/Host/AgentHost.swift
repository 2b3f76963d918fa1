import AtlasAgent
import AtlasModel

/// Runs the machines of many agents, their timers and one journal, on one thread.
///
/// Everything that happens comes through a mailbox. A turn takes all of it, lets every machine
/// act, then writes what all of them want on disk with one fsync, and only then do they hear of it:
/// the slower the disk, the more agents share a write. So there is no lock and no task for an
/// agent, and what an agent does depends only on its own inputs.
package final class AgentHost<Driver: ServerDriver> {
  /// What arrives from other threads.
  package enum Post: Sendable {
    case session(agent: Int, generation: UInt32, SessionEvent)
    /// From a driver's own threads.
    case driver(agent: Int, AgentInput)
    case stop
  }

  /// What the owner may want to know, on the host's thread.
  package enum Observation {
    case note(Driver.Note)
    /// The agent's journal took a command.
    case accepted(Command)
    /// An emergency stop reached the agent.
    case stopped(Fence)
    case welcomed(Welcome)
    case sessionEnded(reason: String)
  }

  package struct Configuration: Sendable {
    package var version: String
    package var rules: AgentRules
    /// For the back-off; what agents do does not depend on it.
    package var seed: UInt64

    package init(version: String, rules: AgentRules = AgentRules(), seed: UInt64 = 0) {
      self.version = version
      self.rules = rules
      self.seed = seed
    }
  }

  let mailbox: Mailbox<Post>
  let configuration: Configuration
  let journal: FileJournal
  var agents: [HostedAgent<Driver>]
  var timers = TimerHeap<HostTimer<Driver.Wake>>()
  /// Wakes that wait until the daemon has said how fast time runs.
  var wakesBeforeClock: [(agent: Int, wake: Driver.Wake, after: Duration)] = []
  package internal(set) var clock: CampaignClock?
  package internal(set) var statistics = HostStatistics()
  /// Agents whose entries wait for the disk.
  var writing: [Int] = []
  /// What drivers said while their machines were acting; given to the machines afterwards, so that
  /// entries are written in the order of their numbers.
  var told: [(agent: Int, input: AgentInput)] = []

  private let connect: (SessionLink) -> Void
  private let observe: (Driver, Observation, HostMoment) throws -> Void
  var moment: HostMoment
  private var isStopping = false

  /// - Parameters:
  ///   - mailbox: Where everything arrives that happens elsewhere.
  ///   - clock: What to go by until a daemon says better. Without it wakes wait for the daemon.
  ///   - connect: Opens the session of a link, elsewhere; what happens to it comes by mail.
  ///   - observe: Hears what happens, in order. An error it throws ends the host.
  package init(
    drivers: [Driver], journal: FileJournal, mailbox: Mailbox<Post>,
    configuration: Configuration, clock: CampaignClock? = nil,
    connect: @escaping (SessionLink) -> Void,
    observe: @escaping (Driver, Observation, HostMoment) throws -> Void
  ) {
    self.configuration = configuration
    self.journal = journal
    self.mailbox = mailbox
    self.clock = clock
    self.connect = connect
    self.observe = observe
    let now = ContinuousClock.now
    moment = HostMoment(monotonic: now, campaign: clock?.instant(at: now))
    agents = drivers.map { driver in
      HostedAgent(driver: driver, seed: configuration.seed)
    }
  }

  /// Starts every agent and works until ``Post/stop``. Blocks its thread.
  /// - Throws: ``FileError`` when the journal cannot be written, and what `observe` throws.
  package func run() throws {
    try start()
    while !isStopping {
      let posts = mailbox.take(until: timers.nextDeadline)
      try turn(posts)
    }
    for agent in agents { agent.link?.abort() }
    try journal.commit()
  }

  /// Starts every agent.
  package func start() throws {
    tick()
    for index in agents.indices { try agentUp(index) }
    try settle()
  }

  /// One turn: everything that was posted, every timer that is due, and one or more writes.
  package func turn(_ posts: [Post]) throws {
    tick()
    for post in posts {
      switch post {
      case .session(let agent, let generation, let event):
        try session(agent, generation, event)
      case .driver(let agent, let input):
        try step(agent, input)
      case .stop:
        isStopping = true
      }
    }
    while let timer = timers.popDue(at: moment.monotonic) { try fire(timer) }
    try settle()
  }

  private func tick() {
    let now = ContinuousClock.now
    moment = HostMoment(monotonic: now, campaign: clock?.instant(at: now))
  }

  /// Goes on until nobody has anything to say and everything is on disk.
  private func settle() throws {
    while true {
      while !told.isEmpty {
        let inputs = told
        told = []
        for (agent, input) in inputs { try step(agent, input) }
      }
      guard journal.needsCommit else { return }
      try commit()
    }
  }

  /// One fsync for all agents that wait.
  func commit() throws {
    try journal.commit()
    let written = writing
    writing = []
    for agent in written {
      agents[agent].isWriting = false
      try step(agent, .journalWritten(agents[agent].lastEntry))
    }
  }

  func observe(_ agent: Int, _ observation: Observation) throws {
    try observe(agents[agent].driver, observation, moment)
  }

  func open(_ link: SessionLink) { connect(link) }
}

/// One agent in its host.
struct HostedAgent<Driver: ServerDriver> {
  var driver: Driver
  /// Nil while the agent's process is down.
  var machine: AgentMachine?
  /// The newest session, from the request to open it until its end is known.
  var link: SessionLink?
  var generation: UInt32 = 0
  var openedAt: ContinuousClock.Instant?
  var isWelcomed = false
  var isNetworkUp: Bool
  /// A timer for the next session is set.
  var isBackingOff = false
  var backoff: Backoff
  /// Number of the machine's newest entry, and whether the host's list has the agent.
  var lastEntry: UInt64 = 0
  var isWriting = false

  init(driver: Driver, seed: UInt64) {
    self.driver = driver
    isNetworkUp = driver.isConnected
    backoff = Backoff(random: SplitMix64(seed: seed, "backoff", driver.server.text))
  }
}

/// What the host is woken for.
enum HostTimer<Wake: Sendable>: Sendable {
  case driver(agent: Int, Wake)
  case connect(agent: Int)
  case welcome(agent: Int, generation: UInt32)
}

/// One instant by all clocks, read once a turn.
package struct HostMoment: Sendable {
  package var monotonic: ContinuousClock.Instant
  /// Nil until the daemon has told it.
  package var campaign: Instant?

  package init(monotonic: ContinuousClock.Instant, campaign: Instant?) {
    self.monotonic = monotonic
    self.campaign = campaign
  }
}

/// What a host has done.
package struct HostStatistics: Hashable, Sendable {
  /// Agents that are welcomed now.
  package var live = 0
  /// Sessions that were opened.
  package var sessions = 0
  /// Commands that drivers have started.
  package var commands = 0
  package var messagesIn = 0
  package var messagesOut = 0

  package init() {}
}

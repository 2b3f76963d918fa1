import AtlasAgent
import AtlasModel

/// A server: its hardware, its disk, and the process of its agent.
struct Machine {
  let number: Int
  let server: ServerName
  let client: ClientName
  var ailments: Set<Ailment>
  let traits: ServerTraits
  /// What the owner of the server allows.
  var rules = AgentRules()
  /// Counted up with every start of the agent's process; 0 before the first.
  var life = 0
  var process: AgentMachine?
  var isUp = true
  var boots = 1
  var link: Int?
  var isConnecting = false
  /// How far the agent's idea of the time is ahead of the truth.
  var clockError = Duration.zero
  /// What ``clockError`` becomes when the process starts: the error of the hardware's clock.
  var hardwareClockError = Duration.zero
  var pausedUntil: Instant?
  var offlineUntil: Instant?
  /// Until when it reaches nobody.
  var isAloneUntil: Instant?
  /// The journal on disk, and entries on their way there.
  var journal: [JournalEntry] = []
  var unwritten: [(number: UInt64, entry: JournalEntry)] = []
  var job: Job?
  var nextJob = 0
  var isClone = false
  /// A clone that was removed.
  var isGone = false

  // What the disk and the services are like.
  var installedPasses = 0
  var owesBoot: Bool
  var isBroken = false
  var hasReverted = false
  /// The newest order that put the disk back to a snapshot, and booted for it.
  var putBackBy: Fence?
  var snapshots: [String: Snapshot] = [:]
  /// Attempts of an installation that failed on purpose.
  var failedInstalls = 0

  /// What a snapshot puts back.
  struct Snapshot {
    var installedPasses: Int
    var owesBoot: Bool
    var journal: [JournalEntry]
  }

  init(
    number: Int, server: ServerName, client: ClientName, ailments: Set<Ailment>,
    traits: ServerTraits, owesBoot: Bool
  ) {
    self.traits = traits
    self.number = number
    self.server = server
    self.client = client
    self.ailments = ailments
    self.owesBoot = owesBoot
  }

  init(number: Int, _ planned: PlannedServer, of client: ClientName) {
    self.init(
      number: number, server: planned.config.name, client: client, ailments: planned.ailments,
      traits: planned.traits, owesBoot: planned.ailments.contains(.pendingReboot))
    guard planned.ailments.contains(.forbidsNight) else { return }
    // Its owner lets nobody touch it at night, or never, or not without a backup of just now.
    switch number % 3 {
    case 0: rules.hours = [DailyHours(startMinute: 6 * 60, endMinute: 22 * 60)]
    case 1: rules.forbidden = [.update]
    case _: rules.backupWithin = .seconds(600)
    }
  }

  var bootID: String { "boot-\(number)-\(boots)" }

  /// Passes that the update set takes here.
  var passesNeeded: Int {
    ailments.contains(.noUpdates) ? 0 : ailments.contains(.threePasses) ? 3 : 1
  }
}

/// A command that is being carried out.
struct Job {
  let number: Int
  let command: Command
  var step = Step.begins
  /// The agent's journal says that the server is changed.
  var isPermitted = false
  var progressLeft = 0

  enum Step {
    case begins
    /// Waits for leave to change the server.
    case asksForLeave
    case works
    case goesDown
    case ends(CommandResult)
  }
}

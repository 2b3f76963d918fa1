import AtlasAgent
import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore

/// A weekend of Atlas in one thread: the real engine, control machine and agent machines, with
/// clock, network, store, hooks, people and the hardware of servers simulated and driven by a seed.
///
/// No real time passes, and nothing is drawn but from the seed: the same plan gives the same
/// weekend, down to every byte of the log. A plan with a script is played by the same machinery,
/// with nothing drawn at all.
package final class Simulation {
  let plan: SeedPlan
  var now: Instant
  var agenda = Agenda()
  var trace: SimulationTrace
  var checker = Checker()
  package internal(set) var sometimes = SometimesCount()

  // A source of randomness for each part of the world.
  var networkRandom: Randomness
  var storeRandom: Randomness
  var agentRandom: Randomness
  var hookRandom: Randomness
  var peopleRandom: Randomness
  var faultRandom: Randomness
  var settingsRandom: Randomness
  var deferralRandom: Randomness
  var recoveryRandom: Randomness
  var clockRandom: Randomness
  var meddlingRandom: Randomness
  var afterthoughtRandom: Randomness
  var sourceRandom: Randomness
  var absenceRandom: Randomness
  var draftRandom: Randomness
  var revertRandom: Randomness

  // The daemon.
  var disk = MemoryDisk()
  /// Copies of the database that a restore may bring back.
  var backups: [DatabaseCopy] = []
  var daemon: Daemon?
  var daemonLife = 0
  /// Lives in a row that were to end before they had done much.
  var shortLives = 0
  var nextTicket: UInt64 = 0

  // The network.
  var links: [Link] = []
  var providerIsDownUntil: Instant
  var darkUntil: [ClientName: Instant] = [:]
  /// Until when the update source of all clients, or of one, does not answer.
  var sourceIsSilentUntil: Instant
  var sourcesAreSilentUntil: [ClientName: Instant] = [:]

  // Servers and people.
  var machines: [Machine] = []
  /// The machine that has a server's name; a clone comes after the original.
  var machineOf: [ServerName: Int] = [:]
  var calls: [PersonCall] = []
  /// Reports that the daemon has acknowledged, so that a repeat is known.
  var takenReports: Set<TakenReport> = []
  var clientConfigs: [ClientName: (ClientConfig, PlannedClient)] = [:]
  /// As the log has them.
  var durableClients: [ClientName: ClientConfig] = [:]
  var serverConfigs: [ServerName: ServerConfig] = [:]
  /// As the database has them.
  var importedServers: [ServerName: ServerConfig] = [:]
  /// How many servers came with later imports.
  var newServers = 0
  var faultsAreOver = false
  var storeIsSlowUntil: Instant
  var diskIsFullUntil: Instant
  /// Commits that have failed since then, each with a life of the daemon.
  var commitsToFullDisk = 0
  var nextHook = 0
  /// Only looked up, never iterated.
  var ticketOwner: [UInt64: Int] = [:]
  var decisionRounds = 0
  var happenings = 0
  /// Cues of the script that wait for what they name, by place.
  var openCues: [Int] = []
  /// Of a script: all that became durable, in the order in which it did.
  package internal(set) var records: [RecordFact] = []

  // What rare branches are recognised by.
  var sentFences: Set<Fence> = []
  var downloads: Set<Fence> = []
  /// Until when orders may begin.
  var latestTimes: [Fence: Instant] = [:]
  var retriedRuns: Set<String> = []
  var deferrals: [String: Int] = [:]
  var openedGates: Set<String> = []
  var heldFor: [String: String] = [:]
  var campaignOfClient: [String: String] = [:]
  /// By server, the campaigns of UPDATEs that are ordered and have not begun.
  var updatesOrdered: [String: String] = [:]
  /// Campaigns that are no drafts any more.
  var startedCampaigns: Set<String> = []
  /// By run: when it was lost. By client, an empty name for all: when a stop came, and was released.
  var lostAt: [String: Instant] = [:]
  var stops: [String: (latched: Instant, released: Instant?)] = [:]
  var completedAt: [String: Instant] = [:]
  /// Keys of runs whose maintenance cannot be left: what it must tell is down for good.
  var stuckMaintenance: Set<String> = []
  /// Keys of runs that were asked about, and whether their hook always puts them off.
  var putsOff: [String: Bool] = [:]
  package private(set) var isOver = false

  struct TakenReport: Hashable {
    var server: ServerName
    var fence: Fence
    var seq: UInt32
  }

  /// - Parameter isTelling: Whether the story is kept in words.
  package init(_ plan: SeedPlan, isTelling: Bool = false) {
    self.plan = plan
    now = plan.start
    trace = SimulationTrace(start: plan.script?.midnight ?? plan.start, isTelling: isTelling)
    func source(_ part: StaticString) -> Randomness {
      plan.script == nil ? Randomness(seed: plan.seed, for: part) : .even
    }
    networkRandom = source("network")
    storeRandom = source("store")
    agentRandom = source("agents")
    hookRandom = source("hooks")
    peopleRandom = source("people")
    faultRandom = source("faults")
    settingsRandom = source("changes")
    deferralRandom = source("deferrals")
    recoveryRandom = source("recoveries")
    clockRandom = source("clocks")
    meddlingRandom = source("meddling")
    afterthoughtRandom = source("afterthoughts")
    sourceRandom = source("sources")
    absenceRandom = source("absences")
    draftRandom = source("drafts")
    revertRandom = source("reverts")
    providerIsDownUntil = plan.start
    storeIsSlowUntil = plan.start
    diskIsFullUntil = plan.start
    sourceIsSilentUntil = plan.start
    setUp()
  }

  // MARK: - Running

  /// Runs to the end of the weekend, or to the first violation.
  package func run() -> SimulationOutcome {
    while !isOver, checker.violations.isEmpty, let (at, happening) = agenda.takeNext() {
      now = max(now, at)
      checker.now = now.milliseconds
      happenings += 1
      trace.mix(UInt64(bitPattern: now.milliseconds))
      if happenings > Self.mostHappenings {
        checker.fail("L1", "the world does not come to rest: \(happenings) things have happened")
        break
      }
      happen(happening)
    }
    return SimulationOutcome(
      seed: plan.seed, violations: checker.violations, hash: trace.hash, happenings: happenings,
      runs: plan.campaigns.reduce(0) { $0 + $1.servers.count },
      virtualTime: now - plan.start, sometimes: sometimes, story: trace.lines)
  }

  /// A standard seed has some tens of thousands.
  private static let mostHappenings = 2_000_000

  private func happen(_ happening: Happening) {
    switch happening {
    case .daemonStarts: startDaemon()
    case .commitEnds(let life): if daemon?.life == life { endCommit() }
    case .timerFires(let life, let number):
      if daemon?.life == life, daemon?.timerNumber == number { tellDaemon(.timerFired) }
    case .hookEnds(let life, let run): if daemon?.life == life { endHook(run) }
    case .windowsAreKnown(let life, let windows):
      if daemon?.life == life { tellDaemon(windows.input) }
    case .secondDaemonStarts: startSecondDaemon()
    case .daemonIsKilled(let life): if daemon?.life == life { killDaemon("right after a start") }
    case .arrives(let link, let parcel): arrive(parcel, on: link)
    case .linkBreaks(let link, let end): breakLink(link, at: end)
    case .agentStarts(let machine, let life): startAgent(machine, life: life)
    case .agentCrashes(let machine, let life):
      if machines[machine].life == life { crashAgent(machine, back: faultRandom.seconds(5...900)) }
    case .agentConnects(let machine, let life): connect(machine, life: life)
    case .journalIsWritten(let machine, let life, let number):
      journalIsWritten(machine, life: life, number: number)
    case .driverGoesOn(let machine, let job): driverGoesOn(machine, job: job)
    case .boots(let machine): boot(machine)
    case .person(let act): perform(act)
    case .callerGivesUp(let call, let attempt): giveUp(call, attempt: attempt)
    case .fault(let kind): if !faultsAreOver { inject(kind) }
    case .spell(let spell): if !faultsAreOver { begin(spell) }
    case .cue(let number): take(number)
    case .databaseIsCopied: backUpDatabase()
    case .cloneIsRemoved(let machine): retireClone(machine)
    case .stage(let stage): begin(stage)
    }
  }

  func after(_ delay: Duration, _ happening: Happening) {
    agenda.plan(happening, at: now + delay)
  }

  func tell(_ line: @autoclosure () -> String) { trace.tell(now, line()) }

  // MARK: - The weekend

  private func setUp() {
    for client in plan.clients {
      clientConfigs[client.config.name] = (client.config, client)
      for server in client.servers {
        serverConfigs[server.config.name] = server.config
        importedServers[server.config.name] = server.config
        addMachine(server, of: client)
      }
    }
    agenda.plan(.daemonStarts, at: now)
    planImport()
    for (number, campaign) in plan.campaigns.enumerated() {
      agenda.plan(.person(.makesCampaign(number)), at: plan.start + campaign.startsAfter)
    }
    for (number, rollback) in plan.rollbacks.enumerated() {
      agenda.plan(.person(.rollsBack(number)), at: plan.start + rollback.at)
    }
    planFaults()
    for number in 0..<plan.menu.interventions {
      let at = plan.start + SeedPlan.campaignsAt + peopleRandom.minutes(0...50 * 60)
      if plan.leftOut.contains(.intervention(number)) { continue }
      agenda.plan(.person(.intervenes), at: at)
    }
    for outage in plan.outages {
      let change = Change.declareOutage(
        outage.client, from: nil, until: plan.start + outage.at + outage.lasts,
        parallel: outage.parallel, reason: "agreed with the client")
      agenda.plan(
        .person(.changes(change, method: "DeclareOutage")), at: plan.start + outage.at)
    }
    planSettings()
    planCues()
    planStages()
  }

  private func planStages() {
    if let script = plan.script {
      return agenda.plan(.stage(.storyEnds), at: script.midnight + script.ends)
    }
    let end = plan.start + plan.calmAfter
    agenda.plan(.stage(.faultsEnd), at: end)
    let hours = Int((SeedPlan.campaignsEnd - plan.calmAfter) / .seconds(3_600))
    for hour in 1..<hours {
      agenda.plan(.stage(.progressIsJudged), at: end + .seconds(hour * 3_600))
    }
    agenda.plan(
      .stage(.settlingIsJudged), at: plan.start + SeedPlan.campaignsEnd + .seconds(24 * 3_600))
  }

  /// How long a run may wait for nothing: hooks are asked, and hang, before it has a slot.
  private static let patience = Duration.seconds(90 * 60)
  /// Hooks put runs off for so long at most, and the engine by itself for an hour.
  private static let longestDeferral = Duration.seconds(90 * 60)
  /// Removals that fail are tried again every hour.
  private static let snapshotPatience = Duration.seconds(24 * 3_600)

  private func begin(_ stage: Stage) {
    trace.mix(17)
    switch stage {
    case .faultsEnd:
      tell("faults end")
      endFaults()
    case .progressIsJudged:
      checker.judgeProgress(
        patience: Self.patience.milliseconds, deferral: Self.longestDeferral.milliseconds)
      if !checker.violations.isEmpty { tellWaits() }
    case .settlingIsJudged:
      tellWaits()
      checker.judgeSettled()
      after(.seconds(60), .stage(.peopleDecide))
    case .storyEnds:
      checker.judgeSettled()
      isOver = true
    case .peopleDecide: decideEverything()
    case .endIsJudged:
      checker.judgeEnded()
      guard let last = checker.lastSnapshotDue else { return isOver = true }
      let wait = max(.zero, Instant(milliseconds: last) - now)
      after(wait + Self.snapshotPatience, .stage(.snapshotsAreJudged))
    case .snapshotsAreJudged:
      checker.judgeSnapshots(patience: (Self.snapshotPatience / 2).milliseconds)
      isOver = true
    }
  }
}

extension Simulation {
  /// What each open run waits for, as the checker sees it, and what a pending one does by itself.
  private func tellWaits() {
    guard trace.isTelling else { return }
    for line in checker.openDecisions(deferral: Self.longestDeferral.milliseconds) {
      tell("open: \(line)")
    }
    guard let state = daemon?.machine.state else { return }
    for index in state.campaigns.indices {
      let id = CampaignID(index)
      for number in state.campaigns[index].runs.indices {
        let ref = RunRef(campaign: id, index: number)
        guard let waiting = state.waits(ref, now: now) else { continue }
        let name = state[server: state[ref].server].config.name
        tell("waits: \(name) of \(state.campaigns[index].name): \(waiting.text)")
      }
    }
  }
}

/// How a simulation ended.
package struct SimulationOutcome: Sendable {
  package let seed: UInt64
  package let violations: [Violation]
  /// Of everything that happened, in order.
  package let hash: UInt64
  package let happenings: Int
  package let runs: Int
  package let virtualTime: Duration
  package let sometimes: SometimesCount
  /// In words, when it was asked for.
  package let story: [String]

  /// When the first violation was seen, from the start.
  package var violatedAt: Duration { virtualTime }
}

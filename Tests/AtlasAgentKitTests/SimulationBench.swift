import AtlasAgent
import AtlasModel

@testable import AtlasAgentKit

/// One simulated server with its agent, in virtual time and without a network: what it does can be
/// read like a diary.
struct SimulationBench {
  static let server = ServerName(trusted: "LAA-PARIS-SQL01")

  private(set) var simulated: SimulatedServer
  private(set) var machine: AgentMachine?
  private(set) var journal: [JournalEntry] = []
  private(set) var now = Instant(milliseconds: 1_800_000_000_000)
  /// What happened, in words.
  private(set) var diary: [String] = []
  private(set) var results: [CommandResult] = []
  private(set) var isNetworkUp = true
  private var wakes: [(at: Instant, serial: Int, wake: SimulatedServer.Wake)] = []
  private var serial = 0
  private var fence: UInt64 = 0

  init(_ failure: FailureKind? = nil, seed: UInt64 = 1, disk: SimulatedDisk? = nil) {
    simulated = SimulatedServer(
      server: Self.server, client: "LAA", roles: [Role(trusted: "SQL")], seed: seed,
      failure: failure, disk: disk)
    isNetworkUp = simulated.isConnected
    startAgent()
  }

  /// Gives an order and plays on until its result, or until nothing happens any more.
  @discardableResult
  mutating func order(
    _ kind: CommandKind, attempt: Int = 1, pass: Int = 1, means: RollbackMeans = .snapshot,
    afterRollback: Bool = false, set: UpdateSet = UpdateSet()
  ) -> CommandResult? {
    fence += 1
    let known = results.count
    give(
      .message(
        .command(
          Command(
            fence: Fence(fence), kind: kind, server: Self.server,
            campaign: CampaignName(trusted: "patch"), runKey: "patch/SQL01/1", attempt: attempt,
            pass: pass, updateSet: set, rollbackMeans: means, snapshotID: "snap-patch/SQL01/1",
            afterRollback: afterRollback))))
    while results.count == known,
      let next = wakes.min(by: { ($0.at, $0.serial) < ($1.at, $1.serial) })
    {
      wakes.removeAll { $0.serial == next.serial }
      now = next.at
      drive(.wake(next.wake))
    }
    return results.count > known ? results.last : nil
  }

  /// The simulator's process is killed; the journal and the server's disk survive.
  mutating func restart(_ failure: FailureKind? = nil, seed: UInt64 = 1) {
    wakes = []
    simulated = SimulatedServer(
      server: Self.server, client: "LAA", roles: [Role(trusted: "SQL")], seed: seed,
      failure: failure, disk: simulated.disk)
    machine = nil
    diary.append("restart")
    startAgent()
  }

  private mutating func startAgent() {
    machine = AgentMachine(
      server: Self.server, version: "1", journal: JournalState(replaying: journal))
    give(.started(bootID: simulated.bootID))
    connect()
  }

  private mutating func connect() {
    guard isNetworkUp, machine != nil else { return }
    give(.sessionOpened)
    give(
      .message(
        .welcome(
          Welcome(
            daemonVersion: "1", campaignTime: now, demoFactor: 1, checkInterval: .seconds(1),
            stopFence: .none))))
  }

  private mutating func give(_ input: AgentInput) {
    guard let actions = machine?.handle(input, now: now) else { return }
    var written: UInt64?
    for action in actions {
      switch action {
      case .journal(let entry, let number):
        journal.append(entry)
        written = number
      case .send(let message): sent(message)
      case .startDriver(let command): drive(.start(command))
      case .resumeDriver(let command, let changed, let after):
        drive(.resume(command, changed: changed, after: after))
      case .permitChange(let fence): drive(.permitChange(fence))
      case .cancelDriver(let fence): drive(.cancel(fence))
      case .probe(let probe): drive(.probe(probe))
      case .endSession(let fault): diary.append("fault: \(fault)")
      }
    }
    if let written { give(.journalWritten(written)) }
  }

  private mutating func sent(_ message: AgentMessage) {
    let reports: [CommandReport] =
      switch message {
      case .hello(let hello): hello.reports
      case .acknowledgement, .probed: []
      case .report(let report): [report]
      }
    for report in reports {
      give(.message(.reportAcknowledgement(fence: report.fence, seq: report.seq)))
      guard case .result(let result) = report.event else { continue }
      results.append(result)
    }
  }

  private mutating func drive(_ event: DriverEvent<SimulatedServer.Wake>) {
    var told: [AgentInput] = []
    for action in simulated.handle(event, now: now) {
      switch action {
      case .tell(let input): told.append(input)
      case .wake(let wake, let after):
        serial += 1
        wakes.append((now + after, serial, wake))
      case .note(let note): write(note)
      case .networkDown:
        isNetworkUp = false
        diary.append("network down")
        give(.sessionClosed)
      case .networkUp:
        isNetworkUp = true
        diary.append("network up")
        connect()
      case .agentDown:
        diary.append("agent down")
        machine = nil
      case .agentUp:
        diary.append("agent up")
        startAgent()
      }
    }
    told.forEach { give($0) }
  }

  private mutating func write(_ note: SimulatedServer.Note) {
    switch note {
    case .began(let command): diary.append("began \(command.kind.word)")
    case .resumed(let command, let after): diary.append("resumed \(command.kind.word) \(after)")
    case .ended(let command, let result, let healthy):
      diary.append(
        "ended \(command.kind.word) \(result.status)" + (healthy ? "" : ", not healthy"))
    case .poweredOff: diary.append("down")
    case .booted: diary.append("up")
    case .save: break
    }
  }
}

extension CommandResult {
  /// How many updates ended how.
  var counts: [UpdateOutcome: Int] {
    Dictionary(grouping: updates, by: \.outcome).mapValues(\.count)
  }
}

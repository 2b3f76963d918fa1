import AtlasAgent
import AtlasModel

/// A machine on a bench: with a disk that writes when it is told to, and a power switch.
struct AgentBench {
  static let server = ServerName(trusted: "LAA-PARIS-SQL01")

  var machine: AgentMachine
  /// What would survive a power cut.
  private(set) var disk: [JournalEntry] = []
  /// Handed out, not on disk.
  private(set) var pending: [JournalEntry] = []
  private var lastNumber: UInt64 = 0
  var now = Instant(milliseconds: 1_000_000)

  init(rules: AgentRules = AgentRules(), disk: [JournalEntry] = []) {
    self.disk = disk
    machine = AgentMachine(
      server: Self.server, version: "1.0.0", rules: rules,
      journal: JournalState(replaying: disk))
  }

  /// One input; nothing is written.
  mutating func handle(_ input: AgentInput) -> [AgentAction] {
    let actions = machine.handle(input, now: now)
    for case .journal(let entry, let number) in actions {
      pending.append(entry)
      lastNumber = number
    }
    return actions
  }

  /// Writes everything that waits.
  mutating func write() -> [AgentAction] {
    disk += pending
    pending = []
    return handle(.journalWritten(lastNumber))
  }

  /// One input, and every write it leads to. Journal actions are left out.
  @discardableResult
  mutating func settle(_ input: AgentInput) -> [AgentAction] {
    var actions = handle(input)
    while !pending.isEmpty { actions += write() }
    return actions.filter { action in
      if case .journal = action { false } else { true }
    }
  }

  /// The power goes: only `survivors` of the entries that wait reach the disk.
  mutating func crash(survivors: Int = 0) {
    let version = machine.version
    disk += pending.prefix(survivors)
    pending = []
    lastNumber = 0
    machine = AgentMachine(
      server: machine.server, version: version, rules: machine.rules,
      journal: JournalState(replaying: disk))
  }

  /// Started and welcomed.
  static func live(rules: AgentRules = AgentRules()) -> AgentBench {
    var bench = AgentBench(rules: rules)
    bench.settle(.started(bootID: "boot-1"))
    bench.settle(.sessionOpened)
    bench.settle(.message(.welcome(welcome())))
    return bench
  }

  static func welcome(stop: UInt64 = 0) -> Welcome {
    Welcome(
      daemonVersion: "1.0.0", campaignTime: Instant(milliseconds: 1_000_000), demoFactor: 1,
      checkInterval: .seconds(120), stopFence: Fence(stop))
  }

  static func command(
    _ fence: UInt64, _ kind: CommandKind = .update, server: ServerName = AgentBench.server,
    notAfter: Instant? = nil
  ) -> Command {
    Command(
      fence: Fence(fence), kind: kind, server: server, campaign: CampaignName(trusted: "patch"),
      runKey: "patch/LAA-PARIS-SQL01/1", attempt: 1, pass: 1, notAfter: notAfter,
      updateSet: UpdateSet(include: [UpdateID(trusted: "KB5031234")]))
  }
}

extension AgentInput {
  static func command(
    _ fence: UInt64, _ kind: CommandKind = .update, notAfter: Instant? = nil
  ) -> AgentInput {
    .message(.command(AgentBench.command(fence, kind, notAfter: notAfter)))
  }
}

/// Short words for actions, so that a table of them can be read.
func words(_ actions: [AgentAction]) -> String {
  actions.isEmpty ? "-" : actions.map(words).joined(separator: ", ")
}

private func words(_ action: AgentAction) -> String {
  switch action {
  case .journal(let entry, _): "write " + words(entry)
  case .send(let message): "send " + words(message)
  case .startDriver(let command): "start \(command.kind.word) \(command.fence.number)"
  case .resumeDriver(let command, let changed, let after):
    "resume \(command.kind.word) \(command.fence.number) after \(after)"
      + (changed ? " changed" : "")
  case .permitChange(let fence): "permit \(fence.number)"
  case .cancelDriver(let fence): "cancel driver \(fence.number)"
  case .probe(let probe): "probe \(probe.number)"
  case .endSession(let fault): "end session: \(fault)"
  }
}

private func words(_ entry: JournalEntry) -> String {
  switch entry {
  case .state: "state"
  case .booted(let bootID): "booted \(bootID)"
  case .accepted(let command): "accepted \(command.fence.number)"
  case .refused(let fence, _): "refused \(fence.number)"
  case .begun(let fence): "begun \(fence.number)"
  case .changed(let fence): "changed \(fence.number)"
  case .report(let report): words(report)
  case .acknowledged(let fence, let seq): "acknowledged \(fence.number)/\(seq)"
  case .cancel(let fence, let command): "cancel \(fence.number) of \(command.number)"
  case .stop(let fence): "stop \(fence.number)"
  }
}

private func words(_ message: AgentMessage) -> String {
  switch message {
  case .hello(let hello):
    "hello(highest \(hello.highestFence.number), \(words(hello.command)), "
      + "\(hello.reports.count) reports)"
  case .acknowledgement(let answer):
    "\(answer.verdict) \(answer.fence.number)"
      + (answer.recorded == nil ? "" : " (\(words(answer.recorded)))")
  case .report(let report): words(report)
  case .probed(let answer): "facts \(answer.number)"
  }
}

private func words(_ status: CommandStatus?) -> String {
  guard let status else { return "no command" }
  return "\(status.fence.number) \(status.progress)" + (status.changed ? " changed" : "")
}

private func words(_ report: CommandReport) -> String {
  let number = "\(report.fence.number)/\(report.seq)"
  return switch report.event {
  case .progress(let progress):
    "progress \(number) \(progress.percent)%" + (progress.changed ? " changed" : "")
  case .result(let result): "result \(number) \(result.status)"
  }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

import AtlasAgent
import AtlasModel
import Testing

/// A daemon, a bad network, a disk and a power switch, driven by a seed.
///
/// Whatever they do, the world checks at every step: what is told is on disk, no fence starts
/// twice, nothing starts below a stop or after a cancel that were acknowledged, nothing that was
/// called stale or refused starts.
private struct AgentWorld {
  var random: SeededGenerator
  var bench = AgentBench()
  var boots = 1
  /// Messages on their way, in a session that is open.
  var toAgent: [DaemonMessage] = []
  var toDaemon: [AgentMessage] = []
  var isOpen = false
  var isWelcomed = false

  var nextFence: UInt64 = 1
  /// What the daemon wants acknowledged, by fence.
  var outbox: [UInt64: DaemonMessage] = [:]
  var seen: [UInt64: Set<UInt32>] = [:]
  var results: [UInt64: CommandResult.Status] = [:]

  /// What the driver does now, and everything it ever started.
  var working: UInt64?
  var asked = false
  var started: Set<UInt64> = []
  /// Answered with stale or refused.
  var rejected: Set<UInt64> = []
  var stops: Set<UInt64> = []
  var acknowledgedStop: UInt64 = 0
  var violations: [String] = []

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    give(.started(bootID: "boot-1"))
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  // MARK: The agent

  mutating func give(_ input: AgentInput) {
    bench.now = bench.now + .milliseconds(10)
    for action in bench.handle(input) { perform(action) }
  }

  mutating func perform(_ action: AgentAction) {
    switch action {
    case .journal: break
    case .send(let message): sent(message)
    case .startDriver(let command): start(command)
    case .resumeDriver(let command, _, _):
      if working != nil { violations.append("two executors at \(command.fence)") }
      working = command.fence.number
      asked = false
    case .permitChange(let fence):
      if !isOnDisk(.changed(fence)) { violations.append("change before journal: \(fence)") }
    case .cancelDriver(let fence):
      if working == fence.number { finish(CommandResult(status: .cancelled)) }
    case .probe: break
    case .endSession: close()
    }
  }

  mutating func start(_ command: Command) {
    let fence = command.fence.number
    if working != nil { violations.append("two executors at \(fence)") }
    if !started.insert(fence).inserted { violations.append("started twice: \(fence)") }
    if rejected.contains(fence) { violations.append("started after a no: \(fence)") }
    if fence < acknowledgedStop { violations.append("started below a stop: \(fence)") }
    if !isOnDisk(.begun(command.fence)) { violations.append("begun not on disk: \(fence)") }
    if command.kind == .reboot, !isWelcomed { violations.append("reboot alone: \(fence)") }
    working = fence
    asked = false
  }

  func isOnDisk(_ entry: JournalEntry) -> Bool { bench.disk.contains(entry) }

  mutating func sent(_ message: AgentMessage) {
    switch message {
    case .hello(let hello):
      for report in hello.reports where !isOnDisk(.report(report)) {
        violations.append("hello tells what is not on disk: \(report.fence)")
      }
    case .acknowledgement(let answer):
      check(answer)
    case .report(let report):
      if !isOnDisk(.report(report)) { violations.append("not on disk: \(report.fence)") }
    case .probed: break
    }
    toDaemon.append(message)
  }

  mutating func check(_ answer: CommandAcknowledgement) {
    let fence = answer.fence.number
    switch answer.verdict {
    case .stale, .refused:
      rejected.insert(fence)
    case .accepted:
      if stops.contains(fence) { acknowledgedStop = max(acknowledgedStop, fence) }
      let known = bench.disk.contains { entry in
        switch entry {
        case .accepted(let command): command.fence == answer.fence
        case .stop(let stop): stops.contains(fence) && stop >= answer.fence
        case .cancel(let cancel, _): cancel == answer.fence
        case _: false
        }
      }
      if !known { violations.append("acknowledged, not on disk: \(fence)") }
    }
  }

  mutating func finish(_ result: CommandResult) {
    guard let fence = working else { return }
    working = nil
    give(.driverFinished(Fence(fence), result))
  }

  mutating func work() {
    guard let fence = working else { return }
    switch Int.random(in: 0..<4, using: &random) {
    case 0 where !asked:
      asked = true
      give(.driverWillChange(Fence(fence)))
    case 1: finish(CommandResult(status: chance(80) ? .succeeded : .failed))
    case _:
      let percent = Int.random(in: -5...105, using: &random)
      give(.driverProgress(Fence(fence), ProgressReport(percent: percent)))
    }
  }

  mutating func write() {
    for action in bench.write() { perform(action) }
  }

  /// The process dies with part of what it wanted to write; the driver's work dies too.
  mutating func crash() {
    close()
    working = nil
    bench.crash(survivors: Int.random(in: 0...bench.pending.count, using: &random))
    if chance(50) { boots += 1 }
    give(.started(bootID: "boot-\(boots)"))
  }

  // MARK: The network

  mutating func open() {
    isOpen = true
    give(.sessionOpened)
  }

  mutating func close() {
    guard isOpen else { return }
    isOpen = false
    isWelcomed = false
    toAgent = []
    toDaemon = []
    give(.sessionClosed)
  }

  /// Delivers a message: mostly the oldest, sometimes any, sometimes twice or not at all.
  mutating func deliverToAgent(faults: Bool) {
    guard !toAgent.isEmpty else { return }
    let index = faults && chance(20) ? Int.random(in: toAgent.indices, using: &random) : 0
    let message = toAgent[index]
    if !(faults && chance(10)) { toAgent.remove(at: index) }
    if faults && chance(10) { return }
    if case .welcome = message {
      // A stream delivers the welcome first and once.
      toAgent.removeAll { if case .welcome = $0 { true } else { false } }
      isWelcomed = true
    }
    give(.message(message))
  }

  mutating func deliverToDaemon(faults: Bool) {
    guard !toDaemon.isEmpty else { return }
    let message = toDaemon.removeFirst()
    if faults && chance(10) { return }
    received(message)
  }

  // MARK: The daemon

  mutating func received(_ message: AgentMessage) {
    switch message {
    case .hello(let hello):
      toAgent = [.welcome(AgentBench.welcome(stop: stops.max() ?? 0))]
      hello.reports.forEach { take($0) }
      for fence in outbox.keys.sorted() { toAgent.append(outbox[fence]!) }
    case .acknowledgement(let answer): outbox[answer.fence.number] = nil
    case .report(let report): take(report)
    case .probed: break
    }
  }

  mutating func take(_ report: CommandReport) {
    let fence = report.fence.number
    if seen[fence, default: []].insert(report.seq).inserted, case .result(let result) = report.event
    {
      if results[fence] != nil { violations.append("two results: \(fence)") }
      results[fence] = result.status
    }
    // It has all of them up to here; a lost one comes again in the next hello.
    var last: UInt32 = 0
    while seen[fence, default: []].contains(last + 1) { last += 1 }
    toAgent.append(.reportAcknowledgement(fence: report.fence, seq: last))
  }

  mutating func decide() {
    let fence = nextFence
    nextFence += 1
    let message: DaemonMessage
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      stops.insert(fence)
      message = .stop(fence: Fence(fence))
    case 1 where fence > 3:
      let target = UInt64.random(in: fence - 3..<fence, using: &random)
      message = .cancel(fence: Fence(fence), command: Fence(target))
    case _:
      let kinds: [CommandKind] = [.update, .reboot, .health, .download]
      let kind = kinds.randomElement(using: &random) ?? .update
      message = .command(AgentBench.command(fence, kind))
    }
    outbox[fence] = message
    if isWelcomed { toAgent.append(message) }
  }

  mutating func step() {
    switch Int.random(in: 0..<20, using: &random) {
    case 0: if nextFence < 60, outbox.count < 6 { decide() }
    case 1: if isOpen, chance(30) { close() }
    case 2: if chance(20) { crash() }
    case 3...5: work()
    case 6...9: write()
    case 10...14: deliverToAgent(faults: true)
    case _: deliverToDaemon(faults: true)
    }
    if !isOpen, chance(50) { open() }
  }

  /// No more faults: everything must come to its end.
  mutating func calm() {
    close()
    for _ in 0..<2_000 {
      if !isOpen { open() }
      write()
      deliverToAgent(faults: false)
      deliverToDaemon(faults: false)
      work()
    }
  }
}

@Suite struct AgentMachinePropertyTests {
  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func `no order of faults makes it lie, repeat itself or act on what is stale`(seed: UInt64) {
    var world = AgentWorld(seed: seed)
    for _ in 0..<1_500 where world.violations.isEmpty { world.step() }
    world.calm()
    #expect(world.violations == [])
    #expect(world.outbox == [:])
    #expect(world.working == nil)
    #expect(world.bench.machine.journal.commands.allSatisfy { $0.progress == .done })
    #expect(world.bench.machine.journal.commands.allSatisfy { $0.reports.isEmpty })
    for (fence, seqs) in world.seen {
      #expect(seqs == Set(1...UInt32(seqs.count)), "gap in the reports of \(fence)")
    }
    #expect(
      Set(world.results.keys).isSuperset(of: world.started), "started, and never reported")
  }
}

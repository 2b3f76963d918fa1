import AtlasCalendar
import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore

/// The daemon: the control machine, its store, and what the pump does around them.
struct Daemon {
  let life: Int
  var machine: ControlMachine
  let store: MemoryStore
  /// What is being made durable.
  var committing: Batch?
  var commitFault: CommitFault?
  var timerNumber = 0
  var hooks: [HookTicket: HookRun] = [:]
  /// Things that it still does before it dies; nil when it lives.
  var diesAfter: Int?
  /// Whether that was so from its start on.
  var isShortLived = false
}

/// The windows of a client, worked out.
struct ExpandedWindows {
  var client: ClientID
  var windows: [Interval]
  var narrowed: [NarrowedWindows]
  var until: Instant
  var question: UInt32

  var input: ControlInput {
    .windowsExpanded(client, windows, narrowed: narrowed, until: until, question: question)
  }
}

extension Simulation {
  var moment: Moment { Moment(campaign: now, realMilliseconds: now.milliseconds) }

  func startDaemon() {
    guard daemon == nil else { return }
    daemonLife += 1
    trace.mix(daemonLife)
    do {
      let store = try MemoryStore(disk: disk)
      let stored = try store.load()
      for answer in stored.answers {
        note(configuration: answer.requestID, rows: stored.rows)
        checker.carriedOut(answer.requestID)
      }
      try showLog(of: store, orders: stored.outbox.map(\.fence))
      let machine = try ControlMachine(
        stored: stored, floors: ControlState.Floors(), configuration: configuration)
      daemon = Daemon(life: daemonLife, machine: machine, store: store)
    } catch {
      return checker.fail("defect", "the daemon does not start: \(error)")
    }
    tell("the daemon starts (life \(daemonLife))")
    checker.daemonStarted()
    limitLife()
    perform(daemon?.machine.wake(at: moment) ?? [])
    tellDaemon(.hooksLoaded(revision: "hooks-1"))
  }

  /// It may die again while it wakes, sends what is in its outbox, and hears from its agents.
  private func limitLife() {
    var count = plan.script?.lives[daemonLife]
    if !faultsAreOver, isOn(.daemonDiesRecovering), plan.start + SeedPlan.campaignsAt < now,
      shortLives < Self.mostShortLives, recoveryRandom.happens(600)
    {
      count = recoveryRandom.number(0...80)
    }
    daemon?.diesAfter = count
    daemon?.isShortLived = count != nil
    shortLives = count == nil ? 0 : shortLives + 1
  }

  /// Where few servers may start in a minute, it may die within the minute after a start.
  func limitLife(after record: RecordFact) {
    guard record.kind == "run.started", !faultsAreOver, isOn(.daemonDiesRecovering),
      let state = daemon?.machine.state,
      let id = state.campaign(named: CampaignName(trusted: record.campaign)),
      state[campaign: id].policy.maxStartsPerMinute != nil, recoveryRandom.happens(50)
    else { return }
    after(recoveryRandom.seconds(1...10), .daemonIsKilled(life: daemonLife))
  }

  private static let mostShortLives = 3

  private var configuration: ControlMachine.Configuration {
    ControlMachine.Configuration(
      daemonVersion: "sim", demoFactor: 1, checkInterval: .seconds(120),
      hash: SimulatedHash.of, encode: { method, answer in Summary.of(method, answer) })
  }

  /// Another daemon on the same data directory must find it taken.
  func startSecondDaemon() {
    guard daemon != nil else { return }
    do {
      _ = try MemoryStore(disk: disk)
      checker.fail("S6", "a second daemon opens the store of the first")
    } catch {
      sometimes.reach(.secondDaemonRefused)
      tell("a second daemon is refused: \(error)")
    }
  }

  /// What the daemon finds must be what it had, and perhaps the last commit, of which nobody knew.
  private func showLog(of store: MemoryStore, orders: [UInt64]) throws(StoreError) {
    var records: [LogRecord] = []
    while true {
      let page = try store.records(
        after: UInt64(records.count), limit: Limits.page, filter: RecordFilter())
      records += page
      if page.count < Limits.page { break }
    }
    checker.found(log: records.map(\.hash), orders: orders)
    let known = checker.logLength
    guard records.count > known else { return }
    checker.committed(records[known...].map(RecordFact.init), rows: [], orders: [])
  }

  func killDaemon(_ why: String) {
    guard let daemon else { return }
    tell("the daemon dies: \(why)")
    trace.mix(daemon.life &+ 1_000)
    if daemon.committing != nil { sometimes.reach(.daemonDiedBeforeCommit) }
    if daemon.isShortLived, daemon.diesAfter == 0 { sometimes.reach(.diedWhileRecovering) }
    disk.crash()
    self.daemon = nil
    checker.daemonDied()
    for index in links.indices where links[index].isOpenAtAgent || links[index].isOpenAtDaemon {
      links[index].isOpenAtDaemon = false
      after(networkRandom.milliseconds(0...2_000), .linkBreaks(index, .agent))
    }
    after(storeRandom.seconds(1...120), .daemonStarts)
  }

  /// Hands an input to the control machine, and carries out what comes back.
  func tellDaemon(_ input: ControlInput) {
    guard daemon != nil else { return }
    perform(daemon?.machine.handle(input, at: moment) ?? [])
  }

  /// Whether the daemon dies before the next thing that it would do.
  func diesNow() -> Bool {
    guard let left = daemon?.diesAfter else { return false }
    if left <= 0 { return true }
    daemon?.diesAfter = left - 1
    return false
  }

  func perform(_ actions: [ControlAction]) {
    for (index, action) in actions.enumerated() {
      if diesNow() {
        if index > 0 { sometimes.reach(.daemonDiedBetweenEffects) }
        return killDaemon("between two effects")
      }
      perform(action)
      guard daemon != nil else { return }
    }
  }

  private func perform(_ action: ControlAction) {
    switch action {
    case .commit(let batch): beginCommit(batch)
    case .reply(let ticket, let reply): answered(ticket, reply)
    case .send(let session, let message): send(message, to: session)
    case .endSession(let session, let reason): endSession(session, reason)
    case .startHook(let order): startHook(order)
    case .cancelHook(let ticket): cancelHook(ticket)
    case .expandWindows(let client, let config, let narrowing, let question):
      expand(client, config, narrowing, question)
    case .armTimer(let instant): armTimer(instant)
    case .logGrew: break
    case .halt(let reason): killDaemon(reason)
    }
  }

  private func armTimer(_ instant: Instant?) {
    guard let life = daemon?.life else { return }
    daemon?.timerNumber += 1
    guard let instant, let number = daemon?.timerNumber else { return }
    agenda.plan(.timerFires(life: life, number: number), at: max(now, instant))
  }

  private func expand(
    _ client: ClientID, _ config: ClientConfig, _ narrowing: [CampaignWindows], _ question: UInt32
  ) {
    guard let life = daemon?.life else { return }
    do {
      let narrowed = try narrowing.map { own in
        var inItsZone = config
        inItsZone.windows = [own.windows]
        inItsZone.freezes = []
        return NarrowedWindows(campaign: own.campaign, windows: try intervals(of: inItsZone))
      }
      let expanded = ExpandedWindows(
        client: client, windows: try intervals(of: config), narrowed: narrowed,
        until: now + Limits.windowHorizon, question: question)
      after(calendarTakes(), .windowsAreKnown(life: life, expanded))
    } catch {
      checker.fail("defect", "windows of \(config.name): \(error)")
    }
  }

  /// In seeds with a slow store the whole machine is slow now and then: answers overtake each other,
  /// and agents come back before windows are known.
  private func calendarTakes() -> Duration {
    guard !faultsAreOver, plan.menu.kinds.contains(.storeIsSlow), storeRandom.happens(100) else {
      return storeRandom.milliseconds(0...20)
    }
    return storeRandom.milliseconds(0...20_000)
  }

  private func intervals(of config: ClientConfig) throws(WindowError) -> [Interval] {
    try WindowCalendar.intervals(
      client: config, from: now - Limits.windowPast, until: now + Limits.windowHorizon)
  }

  // MARK: - Commits

  private func beginCommit(_ batch: Batch) {
    guard let life = daemon?.life else { return }
    daemon?.committing = batch
    trace.mix(batch.records.count)
    if let hash = batch.records.last?.hash { trace.mix(hash) }
    let isSlow = !faultsAreOver && storeIsSlowUntil > now
    let delay =
      isSlow ? storeRandom.seconds(1...40) : storeRandom.milliseconds(1...15)
    after(delay, .commitEnds(life: life))
  }

  func endCommit() {
    guard let batch = daemon?.committing, let store = daemon?.store else { return }
    if diesNow() { return killDaemon("before a commit") }
    if let fault = daemon?.commitFault {
      daemon?.commitFault = nil
      store.failNextCommit(fault)
    }
    if diskIsFullUntil > now { store.failNextCommit(.failed) }
    daemon?.committing = nil
    do {
      try store.commit(batch)
    } catch {
      tell("the store fails: \(error)")
      noteFailure(error)
      return tellDaemon(.commitFailed(error))
    }
    if commitsToFullDisk > 1 { sometimes.reach(.diskHasSpaceAgain) }
    commitsToFullDisk = 0
    show(batch)
    if diesNow() {
      sometimes.reach(.daemonDiedAfterCommit)
      if batch.records.contains(where: { $0.kind == "stop.latched" }) {
        sometimes.reach(.stopBetweenCommitAndDispatch)
      }
      return killDaemon("after a commit")
    }
    tellDaemon(.committed)
  }

  private func noteFailure(_ error: StoreError) {
    guard error == .failed("no space left on device") else {
      return sometimes.reach(.storeOutcomeUnknown)
    }
    guard diskIsFullUntil > now else { return sometimes.reach(.storeFull) }
    commitsToFullDisk += 1
    if commitsToFullDisk > 1 { sometimes.reach(.diskStaysFull) }
  }

  private func show(_ batch: Batch) {
    let records = batch.records.map(RecordFact.init)
    for record in records {
      tell(record.line)
      note(record)
    }
    let rows = batch.puts.compactMap { row -> RunRowFact? in
      guard row.key.table == .run else { return nil }
      return RunRowFact(
        campaign: Int(row.key.owner), run: Int(row.key.number) + 1, state: row.state)
    }
    noteConfigurations(in: batch)
    checker.committed(records, rows: rows, orders: batch.outboxPuts.map(\.fence))
  }
}

/// A hash that is good enough to tell two records apart, and needs no library.
enum SimulatedHash {
  static func of(_ bytes: [UInt8]) -> [UInt8] {
    var first: UInt64 = 0xcbf2_9ce4_8422_2325
    var second: UInt64 = 0x9e37_79b9_7f4a_7c15
    for byte in bytes {
      first = (first ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
      second = (second &+ UInt64(byte)) &* 0xff51_afd7_ed55_8ccd
      second ^= second >> 32
    }
    var hash: [UInt8] = []
    for part in [first, second, first ^ (second << 1), second &+ first] {
      for shift in stride(from: 56, through: 0, by: -8) {
        hash.append(UInt8(truncatingIfNeeded: part >> UInt64(shift)))
      }
    }
    return hash
  }
}

/// What an answer says, in a few bytes: kept by the daemon for a repeat.
enum Summary {
  static func of(_ method: String, _ answer: ControlAnswer) -> [UInt8] {
    var text = method
    switch answer {
    case .campaign(let view, let inFlight):
      text += " \(view.name) \(view.state.word) \(view.counts.total) \(inFlight)"
    case .run(let views): text += " \(views.map(\.etag))"
    case .client(let view): text += " \(view.config.name) \(view.etag)"
    case .postponed(let view, let inFlight):
      text += " \(view.config.name) \(view.etag) \(inFlight.count)"
    case .server(let view): text += " \(view.config.name) \(view.etag)"
    case .stopped(let view, let inFlight): text += " \(view.stop.fence.number) \(inFlight)"
    case .released(let view, let paused): text += " \(view.stop.fence.number) \(paused.count)"
    case .rings(let views): text += " \(views.map(\.gate.word))"
    case .done, .campaigns, .runs, .clients, .servers, .windows, .stops, .metrics, .fleet,
      .snapshot, .kinds, .estimates, .clientWindows, .plan:
      break
    }
    return Array(text.utf8)
  }
}

extension RecordFact {
  init(_ record: LogRecord) {
    self.init(
      seq: record.seq, at: record.campaignTime.milliseconds, kind: record.kind,
      campaign: record.campaign, client: record.client, server: record.server, ring: record.ring,
      run: record.run, from: record.fromState, to: record.toState, phase: record.phase,
      attempt: record.attempt, pass: record.pass, fence: record.fence, detail: record.detail,
      reason: record.reason, principal: record.principal, previousHash: record.previousHash,
      hash: record.hash)
    realTime = record.realTimeMilliseconds
  }

  /// As the story tells it.
  var line: String {
    var line = "log \(kind)"
    if !server.isEmpty { line += " \(server)" } else if !client.isEmpty { line += " \(client)" }
    if let ring, server.isEmpty { line += " ring \(ring)" }
    if !to.isEmpty { line += from == to ? " \(to)" : " \(from)→\(to)" }
    if !phase.isEmpty { line += " \(phase)" }
    if let attempt, attempt > 1 { line += " attempt \(attempt)" }
    if let fence { line += " fence \(fence)" }
    if !detail.isEmpty { line += " [\(detail)]" }
    if !reason.isEmpty { line += ": \(reason)" }
    if !principal.isEmpty { line += " (\(principal))" }
    return line
  }
}

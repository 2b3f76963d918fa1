import AtlasChecker
import AtlasEngine
import AtlasModel

/// A change of a run, as its record tells it.
package struct EngineTransition: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let from: RunState.Kind
  package let to: RunState.Kind
  package let kind: RecordKind

  package init(from: RunState.Kind, to: RunState.Kind, kind: RecordKind) {
    self.from = from
    self.to = to
    self.kind = kind
  }

  package var description: String { "\(from.word) -> \(to.word) by \(kind.rawValue)" }

  package static func < (left: Self, right: Self) -> Bool {
    (left.from.rawValue, left.to.rawValue, left.kind.rawValue)
      < (right.from.rawValue, right.to.rawValue, right.kind.rawValue)
  }
}

/// A step of a run in progress from one phase to another, as its records tell it.
package struct EnginePhaseStep: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let from: Phase
  package let to: Phase

  package init(from: Phase, to: Phase) {
    self.from = from
    self.to = to
  }

  package var description: String { "\(from.word) -> \(to.word)" }

  package static func < (left: Self, right: Self) -> Bool {
    (left.from.rawValue, left.to.rawValue) < (right.from.rawValue, right.to.rawValue)
  }
}

/// Checks what must always be true (S1 to S4, S7 to S9 of the design) from what goes in and out of
/// the engine: records, commands, answers. It looks at none of the engine's own counters.
package struct EngineChecker: Sendable {
  private var found: [String] = []
  package var violations: [String] { found + safety.violations }
  /// What keeps runs from starting besides slots and windows.
  package var safety = EngineSafetyChecker()
  /// Every transition that was seen.
  package private(set) var seen: Set<EngineTransition> = []
  /// Every step between phases that was seen, within IN_PROGRESS.
  package private(set) var phaseSteps: Set<EnginePhaseStep> = []
  var runs: [RunRef: RunTruth] = [:]
  var clients: [ClientTruth] = []
  var servers: [ServerTruth] = []
  var campaigns: [CampaignTruth] = []
  /// How long phases took, by the log.
  private var times = TimesModel()
  private var isStopped = false
  /// What agents said about themselves in their last Hello.
  private var versions: [ServerID: String] = [:]

  struct ClientTruth {
    var config: ClientConfig
    var windows: [Interval] = []
    var isStopped = false
    var slots: Set<RunRef> = []
    var outage: Outage?
    /// What a person asked for last; whether it was declared, a record says.
    var asked: Outage?
  }

  struct CampaignTruth {
    var policy: Policy
    var overrides: [ClientPolicy]
    /// It undoes another.
    var isRollback = false
    /// What a person asked for last; whether it came to that, a record says.
    var asked: Policy?

    func policy(for client: ClientID) -> Policy {
      overrides.first { $0.client == client }?.policy ?? policy
    }

    /// Versions that an agent of `client` may not be below.
    func leastVersions(for client: ClientID) -> [String] {
      [policy, self.policy(for: client)].compactMap(\.minAgentVersion?.text)
    }
  }

  /// What the records and answers say about a run.
  struct RunTruth {
    var client: ClientID
    var server: ServerID
    var roles: [Role]
    var kind: RunState.Kind?
    var phase: Phase?
    var granted = 0
    /// What its campaign's policy was when it was last started.
    var policy: Policy?
    /// Evidence since the slot was taken.
    var backup: BackupFact?
    var hasSnapshot = false
    var hasUpdated = false
    var maintenance = MaintenanceTruth()
    /// All guests were there when its checks ended.
    var areGuestsBack = false
    /// A person has let it go, and it has not gone yet.
    var isApproved = false
    /// When `peer_check` last agreed.
    var peersWellAt: Instant?
    /// The newest order.
    var order = Fence.none
    /// Rollbacks of this attempt, and how many people asked for.
    var rollbacks = 0
    var rollbacksAskedFor = 0
    /// Whether the newest bad news may be tried again.
    var isRetryable = false
    var mayIgnoreWindow = false
    /// People have been told that it is held past its deadline.
    var isHoldOverdue = false
  }

  package init() {}

  package mutating func report(_ violation: String) {
    if found.count < 20 { found.append(violation) }
  }
}

/// What the checker is told about the world.
extension EngineChecker {
  package mutating func know(_ config: ClientConfig, at client: ClientID) {
    let index = Int(client.index)
    if index < clients.count {
      clients[index].config = config
    } else {
      clients.append(ClientTruth(config: config))
    }
  }

  package mutating func know(_ windows: [Interval], of client: ClientID) {
    clients[Int(client.index)].windows = windows
  }

  /// A person asks for another policy, for all clients.
  package mutating func asked(for policy: Policy, in campaign: CampaignID) {
    campaigns[Int(campaign.index)].asked = policy
  }

  private mutating func noteEdit(_ record: Record) {
    guard let campaign = record.campaign, let policy = campaigns[Int(campaign.index)].asked else {
      return
    }
    campaigns[Int(campaign.index)].policy = policy
    campaigns[Int(campaign.index)].overrides = []
    safety.know(policy, of: campaign)
  }

  /// What counts for a run: what it was started under, once it was.
  private func policy(_ ref: RunRef, _ truth: RunTruth) -> Policy {
    truth.policy ?? campaigns[Int(ref.campaign.index)].policy(for: truth.client)
  }

  package mutating func know(
    _ policy: Policy, _ overrides: [ClientPolicy], isRollback: Bool = false
  ) {
    campaigns.append(
      CampaignTruth(policy: policy, overrides: overrides, isRollback: isRollback))
    safety.know(policy)
  }

  package mutating func know(
    _ ref: RunRef, client: ClientID, server: ServerID, roles: [Role]
  ) {
    if runs[ref] == nil { runs[ref] = RunTruth(client: client, server: server, roles: roles) }
  }

  /// A person says that a parked boot need not wait for its window.
  package mutating func allowBoot(of ref: RunRef) {
    runs[ref]?.mayIgnoreWindow = true
  }

  package mutating func heard(_ hello: Hello, from server: ServerID) {
    versions[server] = hello.agentVersion
    noteBack(server, hello)
  }

  /// A hook of a run has said something.
  package mutating func heard(_ verdict: HookVerdict, from ref: RunRef) {
    switch verdict {
    case .ok(let backup, let snapshot):
      if let backup { runs[ref]?.backup = backup }
      if snapshot != nil { runs[ref]?.hasSnapshot = true }
    case .fail(_, let retryable): runs[ref]?.isRetryable = retryable
    case .timeout: runs[ref]?.isRetryable = true
    case .skip, .deferred, .error, .cancelled, .next: runs[ref]?.isRetryable = false
    case .notDefined: break
    case .left(_, let verdict):
      runs[ref]?.hasSnapshot = true
      heard(verdict, from: ref)
    }
  }

  /// An agent has reported the end of a run's command.
  package mutating func heard(_ result: CommandResult, from ref: RunRef) {
    if result.snapshot != nil { runs[ref]?.hasSnapshot = true }
    if result.status != .succeeded || result.health?.healthy == false {
      let isSourceFault = result.status == .environment || result.code.hasPrefix("0x8024")
      runs[ref]?.isRetryable = result.retryable || isSourceFault
    }
  }
}

/// What the checker makes of what comes out.
extension EngineChecker {
  package mutating func check(_ effects: [Effect], now: Instant) {
    for effect in effects {
      switch effect {
      case .record(let record):
        check(record, now: now)
        safety.check(record)
      case .command(let ref, _, let command): check(command, of: ref, now: now)
      case .save, .withdraw, .cancelCommand, .tellStop, .acknowledge, .startHook, .cancelHook,
        .expandWindows:
        break
      }
    }
  }

  private mutating func check(_ record: Record, now: Instant) {
    switch record.kind {
    case .stopLatched: latch(record.client, true)
    case .stopReleased: latch(record.client, false)
    case .campaignEdited: noteEdit(record)
    case _: noteDoubt(record)
    }
    guard let campaign = record.campaign, let number = record.run, let from = record.from,
      let to = record.to
    else { return }
    let ref = RunRef(campaign: campaign, index: Int(number))
    if record.kind == .runStarted, let client = runs[ref]?.client {
      runs[ref]?.policy = campaigns[Int(campaign.index)].policy(for: client)
    }
    guard let truth = runs[ref] else { return report("a record of an unknown run: \(record)") }
    checkTransition(ref, truth, from, to, record)
    if from.isTerminal { return }
    note(record, ref, to)
    checkAttempts(ref, record)
    if !from.holdsSlot, to.holdsSlot { checkSlots(ref, truth.client, now: now) }
    if !to.holdsSlot {
      for index in clients.indices { clients[index].slots.remove(ref) }
    }
    noteGuests(ref, truth, record)
    checkMaintenance(ref, record, to)
    checkStart(ref, truth, record, now: now)
    times.apply(
      TimesModel.Entry(
        run: name(ref), kinds: kinds(truth.server), record: record.kind.rawValue, from: from.word,
        to: to.word, phase: record.phase?.word ?? "", detail: record.detail,
        at: now.milliseconds))
  }

  private func kinds(_ server: ServerID) -> [String] {
    let config = servers[Int(server.index)].config
    return (config.roles.isEmpty ? ["-"] : config.roles.map(\.text)).map {
      "\($0) on \(config.system)"
    }
  }

  /// What a run needs at least before its window ends.
  private func needed(_ truth: RunTruth, _ policy: Policy) -> Duration {
    let known = times.estimate(kinds(truth.server)).map {
      Duration.milliseconds($0.lowerBound) + policy.serverSoak
    }
    return (known ?? policy.times(for: truth.roles).estimate) + policy.rollbackReserve
  }

  private mutating func latch(_ client: ClientID?, _ value: Bool) {
    guard let client else { return isStopped = value }
    clients[Int(client.index)].isStopped = value
  }

  /// S8 and S9: a record continues where the one before it ended, and nothing follows the end.
  private mutating func checkTransition(
    _ ref: RunRef, _ truth: RunTruth, _ from: RunState.Kind, _ to: RunState.Kind, _ record: Record
  ) {
    if let last = truth.kind, last != from {
      report("S9: \(name(ref)) was \(last.word), and its record says from \(from.word)")
    }
    if from.isTerminal, from != to || !record.kind.mayFollowTheEnd {
      report("S8: \(name(ref)) leaves \(from.word) for \(to.word)")
    }
    seen.insert(EngineTransition(from: from, to: to, kind: record.kind))
    if from == .inProgress, to == .inProgress, let old = truth.phase, let new = record.phase,
      record.kind != .runWarning
    {
      phaseSteps.insert(EnginePhaseStep(from: old, to: new))
    }
    runs[ref]?.kind = to
    // A pending run whose updates are fetched stays a pending run.
    runs[ref]?.phase = to == .pending ? nil : record.phase
  }

  private mutating func note(_ record: Record, _ ref: RunRef, _ to: RunState.Kind) {
    switch record.kind {
    case .runStarted:
      runs[ref]?.backup = nil
      runs[ref]?.hasSnapshot = false
      runs[ref]?.hasUpdated = false
      runs[ref]?.rollbacks = 0
      runs[ref]?.rollbacksAskedFor = 0
    case .runRetried:
      if runs[ref]?.rollbacks != 0 { report("S7: \(name(ref)) is retried after a rollback") }
      if runs[ref]?.isRetryable == false {
        report("S7: \(name(ref)) is retried after a permanent failure")
      }
    case .runResolved:
      if record.reason.hasPrefix("retry") { runs[ref]?.granted += 1 }
      if !record.reason.hasPrefix("accept") { runs[ref]?.rollbacksAskedFor += 1 }
    case .runHeld: runs[ref]?.isHoldOverdue = false
    case .runHoldOverdue:
      if runs[ref]?.isHoldOverdue == true { report("\(name(ref)) is called overdue twice") }
      runs[ref]?.isHoldOverdue = true
    case .runPhase where record.phase == .rollback:
      runs[ref]?.rollbacks += 1
      if let truth = runs[ref], truth.rollbacks > 1 + truth.rollbacksAskedFor {
        report("S7: \(name(ref)) is rolled back \(truth.rollbacks) times in an attempt")
      }
    case _: break
    }
  }

  /// S7: attempts are 1, the policy's retries, and those that people granted.
  private mutating func checkAttempts(_ ref: RunRef, _ record: Record) {
    guard let truth = runs[ref], let attempt = record.attempt else { return }
    let policy = policy(ref, truth)
    let allowed = 1 + policy.maxRetries + truth.granted
    if Int(attempt) > allowed {
      report("S7: attempt \(attempt) of \(name(ref)); \(allowed) are allowed")
    }
  }

  /// S2 and S4: where and when an attempt starts.
  private mutating func checkStart(
    _ ref: RunRef, _ truth: RunTruth, _ record: Record, now: Instant
  ) {
    let unparks =
      record.from == .parked && record.kind == .runPhase
      && (record.phase == .update || record.phase == .reboot)
    guard record.kind == .runStarted || record.kind == .runRetried || unparks else { return }
    if isStopped(truth.client) { report("S4: \(name(ref)) starts under a stop") }
    if record.kind == .runStarted { checkAgent(ref, truth, record) }
    let policy = policy(ref, truth)
    let needed = needed(truth, policy)
    let windows = clients[Int(truth.client.index)].windows
    let fits = windows.contains { $0.contains(now) && now + needed <= $0.end }
    if record.kind == .runStarted { checkHost(ref, truth, policy, needed, now: now) }
    if !fits, !(record.phase == .reboot && truth.mayIgnoreWindow) {
      report("S2: \(name(ref)) starts (\(record.kind.rawValue)) where it does not fit")
    }
  }

  /// Admission's last condition: the agent is there, and new enough.
  private mutating func checkAgent(_ ref: RunRef, _ truth: RunTruth, _ record: Record) {
    guard let server = record.server, let version = versions[server] else {
      return report("\(name(ref)) starts, and its agent was never there")
    }
    let numbers = version.split(separator: ".").map { Int($0) ?? -1 }
    for least in campaigns[Int(ref.campaign.index)].leastVersions(for: truth.client) {
      let asked = least.split(separator: ".").map { Int($0) ?? .max }
      let count = max(numbers.count, asked.count)
      let padded = [numbers, asked].map { $0 + Array(repeating: 0, count: count - $0.count) }
      if let place = padded[0].indices.first(where: { padded[0][$0] != padded[1][$0] }),
        padded[0][place] < padded[1][place]
      {
        report("\(name(ref)) starts with agent \(version), and \(least) is asked for")
      }
    }
  }

  private func isStopped(_ client: ClientID) -> Bool {
    isStopped || clients[Int(client.index)].isStopped
  }

  /// S3 and S4: what an agent is told to do.
  private mutating func check(_ command: Command, of ref: RunRef, now: Instant) {
    guard let truth = runs[ref] else { return report("a command for an unknown run") }
    runs[ref]?.order = command.fence
    switch command.kind {
    case .snapshot, .update, .reboot, .download:
      if isStopped(truth.client) {
        report("S4: \(command.kind.word) for \(name(ref)) under a stop")
      }
    case .health, .rollback, .removeSnapshot: break
    }
    if command.kind == .rollback, command.rollbackMeans == .hold {
      report("\(name(ref)): “hold” reaches an agent")
    }
    let isUndo = command.kind == .rollback && campaigns[Int(ref.campaign.index)].isRollback
    guard command.kind == .update || isUndo else { return }
    let client = clients[Int(truth.client.index)].config
    let policy = policy(ref, truth)
    if !isUndo, client.createSnapshots || policy.createSnapshots, !truth.hasSnapshot {
      report("S3: \(name(ref)) is changed without a snapshot")
    }
    if client.requireBackup || policy.requireBackup {
      let limits = [client.maxBackupAge] + [policy.maxBackupAge].compactMap { $0 }
      checkBackup(ref, truth, limits, now: now)
    }
    runs[ref]?.hasUpdated = true
  }

  private mutating func checkBackup(
    _ ref: RunRef, _ truth: RunTruth, _ limits: [BackupAge], now: Instant
  ) {
    guard let backup = truth.backup else {
      return report("S3: \(name(ref)) is changed without backup evidence")
    }
    guard let verified = backup.verifiedAt, verified >= backup.takenAt else {
      return report("S3: \(name(ref)) is changed with a backup that nobody verified")
    }
    // What was good when the first update began stays good for its retries.
    guard !truth.hasUpdated else { return }
    for limit in limits {
      if backup.takenAt > now || now - backup.takenAt > limit.longest ?? (now - backup.takenAt) {
        report("S3: \(name(ref)) is changed with a backup that is too old")
      }
      guard limit.isOfLastJob else { continue }
      if backup.lastJobAt.map({ $0 > backup.takenAt }) ?? true {
        report("S3: \(name(ref)) is changed with a backup that is not of the last job")
      }
    }
  }

  /// S9 from the other side: the state is where the records say it is.
  package mutating func compare(with state: ControlState) {
    compareCounts(with: state)
    for campaign in state.campaigns.indices {
      for index in state.campaigns[campaign].runs.indices {
        let ref = RunRef(campaign: CampaignID(campaign), index: index)
        let now = state[ref].state
        let truth = runs[ref]
        if (truth?.kind ?? .pending) != now.kind || truth?.phase != now.phase {
          report("S9: \(name(ref)) is \(now) without a record")
        }
      }
    }
  }

  func name(_ ref: RunRef) -> String { "run \(ref.campaign.index)/\(ref.index + 1)" }
}

extension RecordKind {
  /// It tells of what is cleaned up, or undone, after a run has ended.
  fileprivate var mayFollowTheEnd: Bool {
    self == .runWarning || self == .runSnapshotRemoved || self == .runUndone
  }
}

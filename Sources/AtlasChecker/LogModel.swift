/// What the log says the world is like, worked out record by record from the text of engine.md.
struct LogModel {
  struct RunKey: Hashable {
    var campaign: String
    var number: Int
  }

  struct RunModel {
    var state = "PENDING"
    var phase = ""
    var server: String
    var client: String
    var ring: Int
    var attempt = 0
    /// Attempts that people granted.
    var granted = 0
    /// Attempts that began in the life of the run, given back ones taken off again.
    var hasRolledBack = false
    /// A person has asked for another attempt since it was started.
    var isAskedFor = false
    /// It has changed nothing, and is to go back to what was before another campaign.
    var isUndo = false
    /// An attempt of it was, ever.
    var wasEverRolledBack = false
    /// Since the last UPDATE, REBOOT or ROLLBACK was ordered: position in the log.
    var touchedAt: UInt64?
    /// When it last came to UPDATE: position in the log.
    var updatesSince: UInt64?
    var resolvedBy = ""
    /// Made by a person in the place of one that had ended.
    var isRepeat = false
    /// When a hook last put it off: until when, the log does not say.
    var deferredAt: Int64?
    /// When its state or its phase last changed.
    var movedAt: Int64 = .min
    /// When it came to its phase.
    var phaseSince: Int64 = .min
    /// A person has let it go, although its server carries Atlas.
    var isApproved = false
    /// A warning has said that its maintenance remains.
    var hasRemains = false
    /// Parked before a boot, and a person has said that it does not wait for its window.
    var bootsAtOnce = false
    /// When it first completed, failed or was held since it was started.
    var outcomeAt: Int64?
    /// Why it is held, such as `LOST`; what it was before, once it is not.
    var hold = ""
    /// The phase that it was held in.
    var heldIn = ""
    /// Fence of the order that it waited for when it came to be held.
    var orderAtHold: UInt64?
    /// Others of its lane were pending then: a lane with nothing left to start is not held.
    var hadFollowers = true
    /// It has come to FINALIZE since it was started.
    var hasFinalized = false
    /// The edit of its campaign's policy that it was last started under; empty for none.
    var edit = ""

    var holdsSlot: Bool { ["IN_PROGRESS", "PARKED", "HELD"].contains(state) }
    /// Counts against breakers.
    var isBad: Bool { ["HELD", "FAILED"].contains(state) }
    /// Held, and not known to be up.
    var isDown: Bool {
      guard state == "HELD" else { return false }
      return hold == "OVERDUE" ? heldIn == "REBOOT" : hold != "AGENT_STATE_LOST"
    }
    var isTerminal: Bool { !["PENDING", "IN_PROGRESS", "PARKED", "HELD"].contains(state) }
  }

  struct CampaignModel {
    var number: Int
    var state = "DRAFT"
    /// What the log says of the newest edit of its policy; empty for none.
    var edit = ""
    /// `campaign`, `ring 2`, `client LAA`.
    var pauses: Set<String> = []
    var heldLanes: Set<String> = []
    /// The update source is silent: the clients it holds; an empty name stands for all of them.
    var silentSources: Set<String> = []
    /// Roles and systems that are held.
    var heldKinds: Set<String> = []
    /// Updates that people have excluded: position in the log.
    var excluded: [String: UInt64] = [:]
    /// By ring: the word of its gate.
    var gates: [Int: String] = [:]
    /// Kinds that need no representative, as people said it: `SQL on any system`.
    var waivers: Set<String> = []
    /// By server: its newest run that the log tells of.
    var newest: [String: RunKey] = [:]
    /// How the newest runs have moved, by client and by ring.
    var tallies: [String: Tally] = [:]
    var ringTallies = [Tally](repeating: Tally(), count: 8)
    /// When people last let a lane go on, by client, and the whole campaign.
    var lanesResumedAt: [String: Int64] = [:]
    var resumedAt: Int64?
  }

  /// Newest runs in each state, compared with the beginning, when all were pending.
  struct Tally {
    var pending = 0
    var working = 0
    var held = 0
    var completed = 0
    var failed = 0

    var inFlight: Int { working + held }

    mutating func add(_ state: String, _ change: Int) {
      switch state {
      case "PENDING": pending += change
      case "IN_PROGRESS", "PARKED": working += change
      case "HELD": held += change
      case "COMPLETED": completed += change
      case "FAILED": failed += change
      case _: break
      }
    }
  }

  var records: [RecordFact] = []
  var runs: [RunKey: RunModel] = [:]
  var campaigns: [String: CampaignModel] = [:]
  var slotsInUse: [String: Set<RunKey>] = [:]
  /// Fence of the stop of everything; nil when none is latched.
  var stop: UInt64?
  var clientStops: [String: UInt64] = [:]
  var pausedClients: Set<String> = []
  var postponedClients: Set<String> = []
  /// No contact with most agents, or with all of these clients.
  var contactIsLost = false
  var darkClients: Set<String> = []
  var lockedServers: Set<String> = []
  var retiredServers: Set<String> = []
  var dismissedServers: Set<String> = []
  /// By client: the newest outage that a person has declared.
  var outages: [String: OutageModel] = [:]
  /// By client: those that others have taken the place of.
  var earlierOutages: [String: [OutageModel]] = [:]
  /// By host: clients that have guests on it. Not from the log.
  var guestClients: [String: Set<String>] = [:]
  /// By server: its kinds. Not from the log.
  var kinds: [String: [String]] = [:]
  /// Records of people who resumed something at once, windows or not. Not from the log.
  var resumedAtOnce: Set<UInt64> = []
  /// The run that the newest record is about, when that is how it first completed, failed or was held.
  var newOutcome: RunKey?
  /// How long phases took.
  var times = TimesModel()

  struct OutageModel {
    var from: Int64
    var until: Int64
    /// Servers that may be worked on at once meanwhile; nil when the client's own number holds.
    var parallel: Int?
    var endedAt: Int64?

    func contains(_ instant: Int64) -> Bool { from <= instant && instant < until }
  }

  /// The outage that a client is in.
  func outage(of client: String, at instant: Int64) -> OutageModel? {
    outages[client].flatMap { $0.endedAt == nil && $0.contains(instant) ? $0 : nil }
  }

  /// Whether a client was in an outage at an instant, by what people had declared then or since.
  func wasInOutage(_ client: String, at instant: Int64, since: Int64) -> Bool {
    let all = (earlierOutages[client] ?? []) + (outages[client].map { [$0] } ?? [])
    return all.contains { $0.contains(instant) && $0.endedAt.map { $0 >= since } ?? true }
  }

  func isStopped(_ client: String) -> Bool { stop != nil || clientStops[client] != nil }

  /// The newest stop that is latched for a client; 0 for none.
  func stopFence(for client: String) -> UInt64 { max(stop ?? 0, clientStops[client] ?? 0) }

  func isPaused(_ client: String, ring: Int, in campaign: String) -> Bool {
    if pausedClients.contains(client) { return true }
    let pauses = campaigns[campaign]?.pauses ?? []
    return pauses.contains("campaign") || pauses.contains("ring \(ring)")
      || pauses.contains("client \(client)")
  }

  /// Applies a record; what is wrong with it comes back as texts with their invariants.
  mutating func apply(_ record: RecordFact) -> [(String, String)] {
    var wrong = checkChain(record) + checkCampaign(record)
    records.append(record)
    newOutcome = nil
    switch record.kind {
    case "stop.latched": latch(record)
    case "stop.released": release(record)
    case "client.paused":
      pausedClients.insert(record.client)
      endLeave { $0.client == record.client }
    case "client.resumed":
      // The end of a postponement says so; a pause goes on beside it.
      if record.detail == "postponed" {
        postponedClients.remove(record.client)
      } else {
        pausedClients.remove(record.client)
      }
    case "client.postponed": postponedClients.insert(record.client)
    case "client.dark": darkClients.insert(record.client)
    case "client.back": darkClients.remove(record.client)
    case "environment.held": holdEnvironment(record)
    case "environment.resumed": resumeEnvironment(record)
    case "representative.waived": campaigns[record.campaign]?.waivers.insert(record.detail)
    case "signature.held": campaigns[record.campaign]?.heldKinds.insert(record.detail)
    case "signature.released": campaigns[record.campaign]?.heldKinds.remove(record.detail)
    case "server.locked": lockedServers.insert(record.server)
    case "server.unlocked": lockedServers.remove(record.server)
    case "server.retired": retiredServers.insert(record.server)
    case "server.imported": retiredServers.remove(record.server)
    case "server.dismissed": dismissedServers.insert(record.server)
    case "server.recalled": dismissedServers.remove(record.server)
    case "client.outage_declared": declareOutage(record)
    case "client.outage_ended": outages[record.client]?.endedAt = record.at
    case "campaign.created":
      campaigns[record.campaign] = CampaignModel(number: campaigns.count)
    case "campaign.changed": exclude(record)
    case "campaign.edited": campaigns[record.campaign]?.edit = record.detail
    case "campaign.started": campaigns[record.campaign]?.state = "ACTIVE"
    case "campaign.cancelling": campaigns[record.campaign]?.state = "CANCELLING"
    case "campaign.ended":
      campaigns[record.campaign]?.state = record.detail
      campaigns[record.campaign]?.pauses = []
    case "campaign.paused":
      campaigns[record.campaign]?.pauses.insert(Self.scope(record))
      letBoot(record, false)
    case "campaign.resumed":
      campaigns[record.campaign]?.pauses.remove(Self.scope(record))
      letBoot(record, resumedAtOnce.contains(record.seq))
      if !record.client.isEmpty {
        campaigns[record.campaign]?.lanesResumedAt[record.client] = record.at
      } else if record.ring == nil {
        campaigns[record.campaign]?.resumedAt = record.at
      }
      campaigns[record.campaign]?.heldLanes.remove(record.client)
    case "lane.held": campaigns[record.campaign]?.heldLanes.insert(record.client)
    case "gate.opened", "gate.closed", "gate.needs_person":
      if let ring = record.ring { campaigns[record.campaign]?.gates[ring] = record.kind }
    case _: break
    }
    if record.run != nil { wrong += applyRun(record) }
    return wrong
  }

  private func checkChain(_ record: RecordFact) -> [(String, String)] {
    let last = records.last
    guard record.seq == (last?.seq ?? 0) + 1 else {
      return [("S9", "record \(record.seq) follows record \(last?.seq ?? 0)")]
    }
    let expected = last?.hash ?? [UInt8](repeating: 0, count: 32)
    guard record.previousHash == expected else {
      return [("S9", "record \(record.seq) does not carry the hash of the one before")]
    }
    if let hash = record.hashOfContent, record.hash != hash {
      return [("S9", "record \(record.seq) does not have the hash of what it says")]
    }
    guard record.at >= last?.at ?? .min else {
      return [("S9", "record \(record.seq) is older than the one before")]
    }
    return []
  }

  /// A campaign goes from one state to another only as engine.md §2 says.
  private func checkCampaign(_ record: RecordFact) -> [(String, String)] {
    let next: String
    switch record.kind {
    case "campaign.started": next = "ACTIVE"
    case "campaign.cancelling": next = "CANCELLING"
    case "campaign.ended": next = record.detail
    case _: return []
    }
    let state = campaigns[record.campaign]?.state ?? "unknown"
    let exits: [String]
    switch state {
    case "DRAFT": exits = ["ACTIVE", "CANCELLING"]
    case "ACTIVE": exits = ["CANCELLING", "COMPLETED", "COMPLETED_WITH_FAILURES"]
    case "CANCELLING": exits = ["CANCELLED"]
    case _: exits = []
    }
    guard !exits.contains(next) else { return [] }
    return [("S8", "\(record.campaign) goes from \(state) to \(next)")]
  }

  private mutating func declareOutage(_ record: RecordFact) {
    let numbers = record.detail.split(separator: "/").compactMap { Int64($0) }
    guard numbers.count == 3 else { return }
    if var before = outages[record.client] {
      before.endedAt = before.endedAt ?? record.at
      earlierOutages[record.client, default: []].append(before)
    }
    outages[record.client] = OutageModel(
      from: numbers[0], until: numbers[1], parallel: numbers[2] == 0 ? nil : Int(numbers[2]))
  }

  /// The reason is the update, a colon, and why.
  private mutating func exclude(_ record: RecordFact) {
    guard record.detail == "exclude_update" else { return }
    let update = String(record.reason.prefix { $0 != ":" })
    campaigns[record.campaign]?.excluded[update] = record.seq
  }

  private mutating func latch(_ record: RecordFact) {
    let hosts = guestClients.filter { $0.value.contains(record.client) }
    endLeave {
      record.client.isEmpty || $0.client == record.client || hosts[$0.server] != nil
    }
    if record.client.isEmpty {
      stop = record.fence
    } else {
      clientStops[record.client] = record.fence
    }
  }

  private mutating func holdEnvironment(_ record: RecordFact) {
    guard !record.campaign.isEmpty else {
      contactIsLost = true
      return
    }
    // That of the campaign takes the place of those of its lanes.
    if record.client.isEmpty { campaigns[record.campaign]?.silentSources = [] }
    campaigns[record.campaign]?.silentSources.insert(record.client)
  }

  private mutating func resumeEnvironment(_ record: RecordFact) {
    guard !record.campaign.isEmpty else {
      contactIsLost = false
      return
    }
    campaigns[record.campaign]?.silentSources.remove(record.client)
  }

  /// What a stop had stopped stays paused: the release says so in records of its own for
  /// campaigns, and by its meaning for a client.
  private mutating func release(_ record: RecordFact) {
    guard record.client.isEmpty else {
      clientStops[record.client] = nil
      pausedClients.insert(record.client)
      return
    }
    stop = nil
  }

  static func scope(_ record: RecordFact) -> String {
    if !record.client.isEmpty { return "client \(record.client)" }
    return record.ring.map { "ring \($0)" } ?? "campaign"
  }

  /// People let what is parked before a boot go on, windows or not, or take that back: with a
  /// pause, a stop, or a resume that does not say so.
  private mutating func letBoot(_ record: RecordFact, _ atOnce: Bool) {
    for (key, run) in runs where run.state == "PARKED" && run.phase == "REBOOT" {
      guard key.campaign == record.campaign,
        record.client.isEmpty || record.client == run.client,
        record.ring.map({ $0 == run.ring }) ?? true
      else { continue }
      runs[key]?.bootsAtOnce = atOnce
    }
  }

  private mutating func endLeave(where isMeant: (RunModel) -> Bool) {
    for (key, run) in runs where run.bootsAtOnce && isMeant(run) { runs[key]?.bootsAtOnce = false }
  }

  private mutating func applyRun(_ record: RecordFact) -> [(String, String)] {
    guard let number = record.run else { return [] }
    times.apply(
      TimesModel.Entry(
        run: "\(record.campaign)/\(number)", kinds: kinds[record.server] ?? [], record: record.kind,
        from: record.from, to: record.to, phase: record.phase, detail: record.detail,
        at: record.at))
    let key = RunKey(campaign: record.campaign, number: number)
    let isNew = runs[key] == nil
    var run =
      runs[key]
      ?? RunModel(server: record.server, client: record.client, ring: record.ring ?? 0)
    var wrong: [(String, String)] = []
    let name = "\(record.server) (run \(number) of \(record.campaign))"
    if record.from != run.state {
      let what = isNew ? "begins" : "goes on"
      wrong.append(
        ("S9", "\(name) \(what) from \(record.from), and the log has it as \(run.state)"))
    }
    if run.isTerminal, record.to != run.state {
      wrong.append(("S8", "\(name) moves from \(run.state), which is terminal, to \(record.to)"))
    } else if record.from != record.to, !Self.exits(of: record.from).contains(record.to) {
      wrong.append(("S8", "\(name) moves from \(record.from) to \(record.to)"))
    }
    if record.kind == "run.started" { run.outcomeAt = nil }
    if ["HELD", "COMPLETED", "FAILED"].contains(record.to), record.to != run.state {
      if run.outcomeAt == nil { newOutcome = key }
      run.outcomeAt = run.outcomeAt ?? record.at
    }
    if let problem = run.phaseProblem(record) { wrong.append(("S8", "\(name) \(problem)")) }
    tally(record, key, before: isNew ? nil : run.state)
    if record.kind == "run.started" { run.edit = campaigns[record.campaign]?.edit ?? "" }
    wrong += run.take(record).map { ($0.0, "\(name) \($0.1)") }
    // A host takes a slot of every client that has guests on it.
    for client in [run.client] + (guestClients[run.server] ?? []) {
      if run.holdsSlot {
        slotsInUse[client, default: []].insert(key)
      } else {
        slotsInUse[client]?.remove(key)
      }
    }
    runs[key] = run
    return wrong
  }

  /// Servers of a campaign that are down and wait for people.
  func down(in campaign: String) -> Int {
    runs.count { $0.key.campaign == campaign && $0.value.isDown }
  }

  /// The newest run of a server that the log tells of; nil for one that never moved.
  func newest(_ server: String, in campaign: String) -> RunKey? {
    campaigns[campaign]?.newest[server]
  }

  private mutating func tally(_ record: RecordFact, _ key: RunKey, before: String?) {
    guard var campaign = campaigns[record.campaign] else { return }
    var changes: [(state: String, by: Int)] = []
    if before == nil {
      // A repeat counts in place of the run before it.
      if record.kind == "run.created", let old = campaign.newest[record.server] {
        changes = [(runs[old]?.state ?? "", -1), ("PENDING", 1)]
      }
      campaign.newest[record.server] = key
    }
    if campaign.newest[record.server] == key, before ?? "PENDING" != record.to {
      changes += [(before ?? "PENDING", -1), (record.to, 1)]
    }
    for (state, change) in changes {
      campaign.tallies[record.client, default: Tally()].add(state, change)
      if let ring = record.ring, campaign.ringTallies.indices.contains(ring) {
        campaign.ringTallies[ring].add(state, change)
      }
    }
    campaigns[record.campaign] = campaign
  }

  /// The exits that the text allows, by state.
  private static func exits(of state: String) -> [String] {
    switch state {
    case "PENDING": ["IN_PROGRESS", "FAILED", "NOT_ATTEMPTED", "SKIPPED", "POSTPONED"]
    case "IN_PROGRESS":
      [
        "PENDING", "PARKED", "HELD", "COMPLETED", "FAILED", "NOT_ATTEMPTED", "SKIPPED",
        "POSTPONED",
      ]
    case "PARKED": ["IN_PROGRESS", "HELD", "FAILED", "SKIPPED", "NOT_ATTEMPTED"]
    case "HELD": ["IN_PROGRESS", "PARKED", "PENDING", "FAILED", "NOT_ATTEMPTED", "POSTPONED"]
    case _: []
    }
  }
}

extension LogModel.RunModel {
  /// Phases that may follow one another while a run is in progress.
  fileprivate func phaseProblem(_ record: RecordFact) -> String? {
    guard state == "IN_PROGRESS", record.to == "IN_PROGRESS", record.phase != phase else {
      return nil
    }
    let next: [String]
    switch phase {
    case "PRE_CHECK": next = ["SNAPSHOT", "ROLLBACK", "FINALIZE"]
    case "SNAPSHOT": next = ["UPDATE", "FINALIZE"]
    case "UPDATE": next = ["REBOOT", "POST_CHECK", "ROLLBACK", "FINALIZE"]
    case "REBOOT": next = ["UPDATE", "POST_CHECK", "ROLLBACK", "FINALIZE"]
    case "POST_CHECK": next = ["UPDATE", "SOAK", "ROLLBACK", "FINALIZE"]
    case "SOAK": next = ["FINALIZE"]
    case "ROLLBACK": next = ["VERIFY", "FINALIZE"]
    case "VERIFY": next = ["FINALIZE"]
    case _: next = []
    }
    return next.contains(record.phase) ? nil : "goes from \(phase) to \(record.phase)"
  }

  /// Follows a record; what it says against S7 comes back.
  fileprivate mutating func take(_ record: RecordFact) -> [(String, String)] {
    var wrong: [(String, String)] = []
    let wasPending = state == "PENDING"
    switch record.kind {
    case "run.started":
      hasRolledBack = false
      isAskedFor = false
      isApproved = false
      hasRemains = false
      hasFinalized = false
      if !wasPending { wrong.append(("S8", "is started and was not pending")) }
    case "run.created": isRepeat = true
    case "run.deferred": deferredAt = record.at
    case "run.approved": isApproved = true
    case "run.warning":
      if record.reason.hasPrefix("maintenance remains") { hasRemains = true }
    case "run.retried":
      if hasRolledBack { wrong.append(("S7", "is tried again by itself after a rollback")) }
    case "run.resolved":
      resolvedBy = record.principal
      if record.reason.hasPrefix("retry") {
        granted += 1
        isAskedFor = true
      }
      if record.reason.hasPrefix("roll back") || record.reason.hasPrefix("retry") {
        hasRolledBack = false
      }
    case _: break
    }
    if record.to == "PENDING", state != "PENDING", hasRolledBack, !isUndo, !isAskedFor {
      wrong.append(("S7", "goes back to its lane by itself after a rollback"))
    }
    if record.phase == "ROLLBACK", phase != "ROLLBACK", record.kind == "run.phase" {
      if hasRolledBack { wrong.append(("S7", "is rolled back twice in one attempt")) }
      isUndo = phase == "PRE_CHECK"
      hasRolledBack = true
      wasEverRolledBack = true
    }
    if ["SKIPPED", "NOT_ATTEMPTED", "POSTPONED"].contains(record.to), wasEverRolledBack, !isUndo {
      wrong.append(("S8", "is \(record.to), and an attempt of it was rolled back"))
    }
    if record.to == "FAILED", ["PENDING", "PARKED"].contains(state), !wasEverRolledBack {
      wrong.append(("S8", "has failed, and no attempt of it was rolled back"))
    }
    if record.to == "IN_PROGRESS", ["UPDATE", "REBOOT", "ROLLBACK"].contains(record.phase) {
      touchedAt = record.seq
    }
    if record.phase == "UPDATE", ["run.phase", "run.retried"].contains(record.kind) {
      updatesSince = record.seq
    }
    if ["run.started", "run.phase", "run.retried"].contains(record.kind) { phaseSince = record.at }
    if record.phase == "FINALIZE" { hasFinalized = true }
    attempt = record.attempt ?? attempt
    if record.kind != "run.warning" { movedAt = record.at }
    if record.to != "PARKED" { bootsAtOnce = false }
    if record.to == "HELD" {
      if state != "HELD" { heldIn = phase }
      if record.kind == "run.held" { orderAtHold = record.fence }
      hold = record.detail
    }
    state = record.to
    phase = record.phase
    return wrong
  }
}

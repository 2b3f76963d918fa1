/// Watches a simulation and says which invariants of engine.md §1 do not hold.
///
/// It sees what anybody could see from outside: the log and the rows as they become durable, the
/// orders on their way, what servers really do, what hooks and people are told. From that it keeps
/// a model of its own, and shares no code with what it watches.
package struct Checker {
  package private(set) var violations: [Violation] = []
  var log = LogModel()
  var clients: [String: ClientModel] = [:]
  /// As they were made.
  private(set) var campaigns: [String: CampaignFact] = [:]
  /// Servers that carry Atlas.
  var carriers: Set<String> = []
  /// By campaign: its rings, as they were when it was made.
  var rings: [String: [RingModel]] = [:]
  /// By campaign: what stops it, or a part of it, by itself.
  var breakers: [String: BreakerModel] = [:]
  /// By campaign: its starts of the last minute.
  var starts: [String: [Int64]] = [:]
  /// What people asked for to be different, by what the log says of it.
  private var edits: [String: CampaignFact] = [:]
  var servers: [String: ServerModel] = [:]
  var machines: [Int: MachineModel] = [:]
  /// By run key: what hooks have shown for it since it was started.
  var backups: [String: BackupEvidence] = [:]
  /// By run key: the attempt that its newest start began with, which needs evidence of its own.
  var firstAttempts: [String: Int] = [:]
  /// By server: snapshots that exist, by hook or by agent, with the key of the run.
  var snapshots: [String: Set<String>] = [:]
  /// By run key: snapshots of completed servers, until they are gone.
  var kept: [String: KeptModel] = [:]
  /// Run keys whose snapshots were removed since they were started.
  var removedEarly: Set<String> = []
  /// Run keys whose servers were changed since they were started.
  var changedRuns: Set<String> = []
  /// Run keys whose snapshots hooks took.
  var takenByHook: Set<String> = []
  /// By server: what was last said about the work on it.
  var failures: [String: FailureModel] = [:]
  /// Fences whose orders are durable.
  var committedOrders: Set<UInt64> = []
  /// By fence: when its order became durable.
  var drawnAt: [UInt64: Int64] = [:]
  /// By run: stops that met it while it was held, with nothing begun, and that nobody has resumed
  /// since; an empty name stands for that of everything.
  var stopsMet: [LogModel.RunKey: Set<String>] = [:]
  /// By server: the order that it began last, and when.
  var lastBegun: [String: (kind: String, fence: UInt64, at: Int64)] = [:]
  /// Fences that an agent has taken, and those of which the daemon has heard so.
  var taken: Set<UInt64> = []
  var acknowledged: Set<UInt64> = []
  /// By fence: why its order should not have been sent any more when it was.
  var overtaken: [UInt64: String] = [:]
  /// Run keys for which an UPDATE has begun since they were started.
  var updatedRuns: Set<String> = []
  /// Servers whose boot a person has let go, windows or not.
  var bootsAtOnce: Set<String> = []
  /// By campaign: windows of its own that were edited, and until when they may be in use.
  var earlierOwnWindows: [String: [(window: WeeklyWindow?, until: Int64)]] = [:]
  /// By session: the highest fence that its Hello names.
  var namedFences: [Int: UInt64] = [:]
  /// The highest fence that a Hello has named which the daemon has taken in since it started.
  var fenceFloor: UInt64 = 0
  /// Answers by request id.
  var answers: [String: [UInt8]] = [:]
  /// Ids of requests whose answers are durable.
  var carriedOut: Set<String> = []
  /// By session: the stop that the welcome on its way must tell of.
  var welcomes: [Int: UInt64] = [:]
  var seesDaemonSince: Int64?
  /// Servers that have started nothing since a database was restored: it has forgotten what it did, and
  /// what its runs left is excused, but not that two servers are worked on at once.
  var forgotten: Set<String> = []
  /// By server: its clones.
  var clones: [String: CloneModel] = [:]
  /// By run key: what hooks have entered.
  var maintenance: [String: MaintenanceModel] = [:]
  /// Scopes of campaigns that people resume so that parked boots do not wait for their windows: by
  /// the batch whose records come next.
  var resumingAtOnce: Set<String> = []
  /// Servers that are imported again with the batch whose records come next.
  var comingServers: [String: ServerFact] = [:]
  /// By server: what `peer_check` said last, and when.
  var peerAnswers: [String: (isWell: Bool, at: Int64)] = [:]
  /// By name: open runs that waited for nothing when somebody last looked, and since when.
  var idleSince: [String: Int64] = [:]
  package var now: Int64 = 0

  struct ServerModel {
    var fact: ServerFact
    var client: String { fact.client }
    /// Length of the log when it came into the fleet.
    var addedAt = 0
    /// Since when the daemon has had no session of it; nil while it has one.
    var silentSince: Int64?
    /// When its first session began, as far as the database remembers.
    var knownSince: Int64?
    /// A session of it was there since the daemon started.
    var isSeen = false
    /// It works on an order that no durable run knows, and the daemon was told so then.
    var strange: (fence: UInt64, since: Int64)?
    /// A HEALTH said well, and reached the daemon, with this fence.
    var provenBy: UInt64 = 0
    /// The newest order that touched it and began.
    var touchedBy: UInt64 = 0
    /// The newest order that was to change it: an UPDATE from its first install on, a REBOOT or a
    /// ROLLBACK from its beginning.
    var alteredBy: UInt64 = 0
    /// Slots that its client had when its newest run was started.
    var slotsAtStart = 1
    /// Its newest run was started in an outage of its client.
    var startedInOutage = false
    /// As its agent said it; nil for an agent that was never there.
    var agentVersion: String?
    /// Fence of the order that changed it, until it is proven healthy.
    var changedBy: UInt64?
  }

  /// One piece of hardware: a clone has the name of another and is not it.
  struct MachineModel {
    var server: String
    var begun: Set<UInt64> = []
    var highestBegun: UInt64 = 0
    var running: UInt64?
    var runningKind = ""
    /// The order that it decided to begin last, and when that was by its own clock.
    var decidedAt: (fence: UInt64, believed: Int64) = (0, 0)
    /// A person accepted the server while the order ran.
    var isAccepted = false
    var stopFence: UInt64 = 0
  }

  package init() {}

  /// Records that are durable.
  package var logLength: Int { log.records.count }

  package mutating func fail(_ invariant: String, _ text: String) {
    guard violations.count < 20 else { return }
    violations.append(Violation(invariant, at: now, text))
  }

  // MARK: - What people configured

  package mutating func configured(_ campaign: CampaignFact) {
    var made = campaign
    for client in made.overrides.keys {
      made.overrides[client]?.servers = made.servers
      made.overrides[client]?.rollbackOf = made.rollbackOf
      made.overrides[client]?.needsSnapshots = made.needsSnapshots
    }
    campaigns[made.name] = made
    rings[made.name] = ringsOf(made)
  }

  /// A person asks for another policy. It counts from the record on that says these words.
  package mutating func asked(for edit: CampaignFact, as words: String) { edits[words] = edit }

  /// What counts for a campaign as a whole now.
  func campaign(_ name: String) -> CampaignFact? {
    campaign(name, edit: log.campaigns[name]?.edit ?? "")
  }

  /// What counts for servers of a client that have not started.
  func campaign(_ name: String, for client: String) -> CampaignFact? {
    campaign(name, edit: log.campaigns[name]?.edit ?? "", for: client)
  }

  /// What counts for a run: what it was started under, once it was.
  func campaign(of key: LogModel.RunKey) -> CampaignFact? {
    guard let run = log.runs[key] else { return campaign(key.campaign) }
    guard run.state != "PENDING" else { return campaign(key.campaign, for: run.client) }
    return campaign(key.campaign, edit: run.edit, for: run.client)
  }

  /// What counts for the run that a record is about: for one that starts, what has not started.
  func campaign(about record: RecordFact) -> CampaignFact? {
    guard let number = record.run else { return campaign(record.campaign) }
    let key = LogModel.RunKey(campaign: record.campaign, number: number)
    guard log.runs[key] != nil else { return campaign(record.campaign, for: record.client) }
    return campaign(of: key)
  }

  /// What counts for the run that works on a server.
  func campaign(_ name: String, workingOn server: String) -> CampaignFact? {
    let run = log.runs.first {
      $0.key.campaign == name && $0.value.server == server && $0.value.holdsSlot
    }
    return run.map { campaign(of: $0.key) }
      ?? campaign(name, for: servers[server]?.client ?? "")
  }

  private func campaign(
    _ name: String, edit: String, for client: String = ""
  ) -> CampaignFact? {
    guard let made = campaigns[name] else { return nil }
    guard var edited = edits[edit] else { return made.overrides[client] ?? made }
    edited = edited.overrides[client] ?? edited
    edited.servers = made.servers
    edited.rollbackOf = made.rollbackOf
    edited.needsSnapshots = made.needsSnapshots
    edited.hasChangeReference = made.hasChangeReference
    return edited
  }

  /// Rollback campaigns.
  var rollbacks: [(name: String, fact: CampaignFact)] {
    campaigns.filter { !$0.value.rollbackOf.isEmpty }.map { ($0.key, $0.value) }
      .sorted { $0.name < $1.name }
  }

  // MARK: - What becomes durable

  /// A batch is durable: its records, the rows of runs as they are after it, and the fences of the
  /// orders that it put into the outbox.
  package mutating func committed(
    _ records: [RecordFact], rows: [RunRowFact], orders: [UInt64]
  ) {
    for fence in orders where !committedOrders.insert(fence).inserted {
      fail("S5", "fence \(fence) is drawn twice")
    }
    for fence in orders where fence <= fenceFloor {
      fail("S5", "fence \(fence) is drawn, and an agent has named \(fenceFloor)")
    }
    for fence in orders { drawnAt[fence] = now }
    for record in records {
      noteConfiguration(record)
      judgeBefore(record)
      for (invariant, text) in follow(record) { fail(invariant, text) }
      judgeAfter(record)
    }
    if let last = records.last { applyChanges(at: last.at) }
    for server in comingServers.values.sorted(by: { $0.name < $1.name }) { put(server) }
    comingServers = [:]
    resumingAtOnce = []
    let names = log.campaigns.reduce(into: [Int: String]()) { $0[$1.value.number] = $1.key }
    for row in rows {
      guard let campaign = names[row.campaign] else { continue }
      let key = LogModel.RunKey(campaign: campaign, number: row.run)
      // A run that never moved has no record yet.
      let state = log.runs[key]?.state ?? "PENDING"
      if state != row.state {
        fail("S9", "run \(row.run) of \(campaign) is stored as \(row.state), logged as \(state)")
      }
    }
  }

  /// Takes a record into the model; what is wrong with it comes back.
  private mutating func follow(_ record: RecordFact) -> [(String, String)] {
    judgeGate(before: record)
    let wrong = log.apply(record)
    gatesFollow(record)
    breakersFollow(record)
    return wrong
  }

  /// The daemon has started and found this log and these orders in its outbox: everything that
  /// anybody was told must be in it.
  package mutating func found(log hashes: [[UInt8]], orders: [UInt64]) {
    committedOrders.formUnion(orders)
    // The last commit of the daemon before may have been one that nobody knew of.
    for fence in orders where drawnAt[fence] == nil { drawnAt[fence] = now - longestDeath }
    guard hashes.count >= log.records.count else {
      let lost = log.records.count - hashes.count
      return fail("S6", "\(lost) records are gone that were durable before")
    }
    for (record, hash) in zip(log.records, hashes) where record.hash != hash {
      return fail("S6", "record \(record.seq) is another than before")
    }
  }

  /// The database was replaced by an older one: the log ends at `seq`, and so does what follows
  /// from it. What servers did stays done.
  ///
  /// - Parameter copiedAt: When the copy was made: sessions since then are not known to it.
  package mutating func restored(to seq: UInt64, copiedAt: Int64) {
    let records = log.records.prefix(Int(seq))
    let old = log
    log = LogModel()
    log.guestClients = old.guestClients
    log.kinds = old.kinds
    log.resumedAtOnce = old.resumedAtOnce.filter { $0 <= seq }
    for name in rings.keys.sorted() { rings[name] = campaigns[name].map(ringsOf) }
    starts = [:]
    breakers = [:]
    for record in records { _ = follow(record) }
    maintenance = [:]
    kept = [:]
    for (name, server) in servers where server.addedAt >= Int(seq) { servers[name] = nil }
    for (name, server) in servers where server.knownSince.map({ $0 > copiedAt - slack }) ?? false {
      servers[name]?.knownSince = nil
      // Nobody can count what was never heard of.
      for (number, machine) in machines where machine.server == name {
        machines[number]?.isAccepted = machine.running != nil
      }
    }
    answers = [:]
    carriedOut = []
    failures = [:]
    bootsAtOnce = []
    stopsMet = [:]
    overtaken = [:]
    drawnAt = [:]
    committedOrders = []
    forgotten = Set(servers.keys)
    for name in forgotten {
      servers[name]?.changedBy = nil
      servers[name]?.touchedBy = 0
      servers[name]?.alteredBy = 0
    }
  }

  // MARK: - What people are told

  /// An answer to a request with an id; a repeat must be the same.
  package mutating func answered(_ requestID: String, _ bytes: [UInt8]) {
    guard let first = answers.updateValue(bytes, forKey: requestID), first != bytes else { return }
    fail("S6", "request \(requestID) got another answer than the first time")
  }

  /// A request with this id was carried out, and its answer is durable.
  package mutating func carriedOut(_ requestID: String) { carriedOut.insert(requestID) }

  /// A request with this id is refused: not when it was carried out before.
  package mutating func refused(_ requestID: String, _ why: String) {
    if carriedOut.contains(requestID) {
      fail("S6", "request \(requestID) was carried out, and its repeat is refused: \(why)")
    }
  }

  /// A read was answered with these states of runs (number and word). Each must be durable now, and
  /// be the state that the run had at some moment since the read was asked.
  ///
  /// - Parameter asked: Length of the log when it was.
  package mutating func shown(
    _ campaign: String, runs: [(number: Int, state: String)], asked: Int = .max
  ) {
    var passed: [Int: Set<String>] = [:]
    for record in log.records.dropFirst(asked) where record.campaign == campaign {
      if let run = record.run { passed[run, default: []].formUnion([record.from, record.to]) }
    }
    for run in runs {
      let key = LogModel.RunKey(campaign: campaign, number: run.number)
      let state = log.runs[key]?.state ?? "PENDING"
      if state != run.state, passed[run.number]?.contains(run.state) != true {
        fail(
          "S6",
          "a read shows run \(run.number) of \(campaign) as \(run.state), which is not "
            + "durable: the log has \(state)")
      }
    }
  }

  // MARK: - Sessions, as the daemon knows them

  package mutating func daemonStarted() { seesDaemonSince = now }

  package mutating func daemonDied() {
    for name in servers.keys {
      if servers[name]?.silentSince == nil { servers[name]?.silentSince = now }
      servers[name]?.isSeen = false
      servers[name]?.strange = nil
      // Its first words may not have become durable.
      if let since = servers[name]?.knownSince, since > now - slack {
        servers[name]?.knownSince = nil
      }
    }
    seesDaemonSince = nil
    namedFences = [:]
    // What is not durable of it, the next one has to hear again.
    fenceFloor = 0
  }

  /// No daemon is dead for longer, in milliseconds.
  private var longestDeath: Int64 { 300_000 }

  /// What the daemon is told may wait for so long behind a commit, in milliseconds.
  var slack: Int64 { 60_000 }

  package mutating func session(of server: String, isOpen: Bool) {
    guard var model = servers[server] else { return }
    model.silentSince = isOpen ? nil : model.silentSince ?? now
    if isOpen {
      model.knownSince = model.knownSince ?? now
      model.isSeen = true
    }
    servers[server] = model
  }

  /// The result of an order has reached the daemon.
  package mutating func workEnded(_ fence: UInt64, of server: String) {
    if servers[server]?.strange?.fence == fence { servers[server]?.strange = nil }
  }

  /// An agent says Hello, and names the order that it works on; nil when it works on none.
  ///
  /// - Parameter named: The highest fence in it, by session.
  package mutating func saidHello(
    _ server: String, worksOn fence: UInt64?, named: (session: Int, fence: UInt64)? = nil
  ) {
    if let named { namedFences[named.session] = named.fence }
    guard let fence, !committedOrders.contains(fence) else {
      servers[server]?.strange = nil
      return
    }
    if servers[server]?.strange?.fence != fence { servers[server]?.strange = (fence, now) }
  }
}

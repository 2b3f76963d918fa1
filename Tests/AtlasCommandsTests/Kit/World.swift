import AtlasWire

/// What the fake daemon knows: enough of a fleet and its campaigns for every verb to have something
/// to talk about. It follows no rules of the engine; tests set it as they need it.
struct World: Sendable {
  /// Campaign time, in milliseconds since 1970.
  var now: Int64
  var factor: Int32
  var campaigns: [AtlasV1.Campaign] = []
  var rings: [String: [AtlasV1.RingInfo]] = [:]
  var runs: [String: [AtlasV1.ServerRun]] = [:]
  var clients: [AtlasV1.ClientInfo] = []
  var servers: [AtlasV1.ServerInfo] = []
  var stops: [AtlasV1.Stop] = []
  var records: [AtlasV1.Record] = []
  var estimates: [AtlasV1.KindEstimate] = []
  var preflight: [AtlasV1.PreflightCampaignResponse] = []
  var plan = AtlasV1.Plan()
  /// The plan of what could be; nil gives none.
  var supposed: AtlasV1.Plan?
  var notUndoable: [AtlasV1.PlannedServer] = []
  var report = AtlasV1.Report()
  var importAnswer = AtlasV1.ImportFleetResponse()
  var hooks = AtlasV1.HookRevision()
  var hookDiagnostics: [AtlasV1.Diagnostic] = []
  var hookRuns: [AtlasV1.HookRun] = []
  var hookLogs: [AtlasV1.WatchHookLogsResponse] = []
  var windows = AtlasV1.ListWindowsResponse()
  var audit = AtlasV1.VerifyAuditResponse(intact: true)
  /// An evidence file, in pieces.
  var evidence: [[UInt8]] = []
  var health = GRPCHealthV1.HealthCheckResponse.ServingStatus.serving
  var agentsConnected: Int32 = 0

  /// 2026-11-22T02:00:00Z.
  static let begin: Int64 = 1_795_312_800_000

  init(now: Int64 = World.begin, factor: Int32 = 1) {
    self.now = now
    self.factor = factor
  }

  var clock: AtlasV1.Clock { AtlasV1.Clock(campaignTime: time(), factor: factor) }

  /// Campaign time, this many seconds from now.
  func time(_ seconds: Int64 = 0) -> GoogleProtobuf.Timestamp {
    GoogleProtobuf.Timestamp(millisecondsSinceEpoch: now + seconds * 1000)
  }

  // MARK: Finding

  func campaign(_ name: String) throws(WireStatus) -> AtlasV1.Campaign {
    guard var campaign = campaigns.first(where: { $0.name == name }) else {
      throw WireStatus(.notFound, "there is no campaign “\(name)”", reason: "CAMPAIGN_NOT_FOUND")
    }
    campaign.servers = counts(of: name)
    campaign.clock = clock
    return campaign
  }

  func run(_ server: String, of campaign: String) throws(WireStatus) -> AtlasV1.ServerRun {
    guard let run = runs[campaign]?.last(where: { $0.server == server }) else {
      throw WireStatus(.notFound, "“\(server)” is not in \(campaign)", reason: "RUN_NOT_FOUND")
    }
    return run
  }

  func counts(of campaign: String, ring: Int32? = nil, client: String? = nil) -> AtlasV1.RunCounts {
    var counts = AtlasV1.RunCounts()
    for run in runs[campaign] ?? [] {
      if let ring, run.ring != ring { continue }
      if let client, run.client != client { continue }
      counts.add(run)
    }
    return counts
  }

  // MARK: Changing

  mutating func change(
    campaign name: String, _ change: (inout AtlasV1.Campaign) -> Void
  ) throws(WireStatus) -> AtlasV1.Campaign {
    guard let index = campaigns.firstIndex(where: { $0.name == name }) else {
      return try campaign(name)
    }
    change(&campaigns[index])
    return try campaign(name)
  }

  mutating func change(
    run server: String, of campaign: String, _ change: (inout AtlasV1.ServerRun) -> Void
  ) throws(WireStatus) -> AtlasV1.ServerRun {
    guard let index = runs[campaign]?.lastIndex(where: { $0.server == server }),
      var run = runs[campaign]?[index]
    else { return try run(server, of: campaign) }
    let before = run.state
    change(&run)
    run.etag = String((Int(run.etag) ?? 0) + 1)
    runs[campaign]?[index] = run
    let kind = "run.\(run.state == before ? "phase" : "state")"
    note(kind, campaign, run, from: before)
    return run
  }

  /// Adds a record about a run.
  mutating func note(
    _ kind: String, _ campaign: String, _ run: AtlasV1.ServerRun, from: AtlasV1.RunState
  ) {
    records.append(
      AtlasV1.Record(
        seq: UInt64(records.count + 1), campaignTime: time(), realTime: time(), kind: kind,
        campaign: campaign, client: run.client, server: run.server, fromState: from,
        toState: run.state, phase: run.phase, attempt: run.attempt, pass: run.pass,
        reason: run.lastError, hash: [UInt8](repeating: 7, count: 32), ring: run.ring))
  }

  /// Adds a record about something else than a run.
  mutating func note(
    _ kind: String, campaign: String = "", client: String = "", ring: Int32 = 0,
    reason: String = "", by principal: String = ""
  ) {
    records.append(
      AtlasV1.Record(
        seq: UInt64(records.count + 1), campaignTime: time(), realTime: time(), kind: kind,
        campaign: campaign, client: client, reason: reason, principal: principal,
        hash: [UInt8](repeating: 7, count: 32), ring: ring))
  }

  // MARK: Figures

  func metrics(_ name: String, client: String, details: Bool) throws(WireStatus) -> AtlasV1.Metrics
  {
    let names = name.isEmpty ? campaigns.filter { $0.state == .active }.map(\.name) : [name]
    var metrics = AtlasV1.Metrics(campaign: name, clock: clock, servers: .init())
    metrics.settled = true
    for name in names {
      let campaign = try campaign(name)
      let counts = counts(of: name)
      metrics.servers?.add(counts)
      let byClient = Dictionary(grouping: runs[name] ?? [], by: \.client)
      metrics.clients += Int32(byClient.count)
      metrics.activeClients += Int32(
        byClient.values.count { $0.contains { $0.state == .inProgress || $0.state == .held } })
      metrics.settled = metrics.settled && campaign.settled
      metrics.waitingForPeople += counts.held
      if let start = campaign.startedAt {
        metrics.elapsed = .init(milliseconds: now - start.millisecondsSinceEpoch)
      }
      if details { addDetails(of: name, byClient, to: &metrics) }
    }
    let counts = metrics.servers ?? .init()
    let tried = counts.completed + counts.failed + counts.held
    metrics.successRate = tried == 0 ? nil : Double(counts.completed) / Double(tried)
    if counts.completed > 0 {
      let left = Int64(counts.pending + counts.inProgress) * 2700 / Int64(max(1, metrics.clients))
      metrics.estimatedTimeLeft = .init(seconds: left)
    }
    metrics.agentsConnected = agentsConnected
    metrics.stopped = stops.contains { $0.client.isEmpty }
    return metrics
  }

  private func addDetails(
    of name: String, _ byClient: [String: [AtlasV1.ServerRun]], to metrics: inout AtlasV1.Metrics
  ) {
    metrics.rings += (rings[name] ?? []).map { ring in
      AtlasV1.RingMetrics(
        ring: ring.ring, name: ring.name, servers: counts(of: name, ring: ring.ring),
        status: "ACTIVE", gate: "OPEN")
    }
    metrics.clientMetrics += byClient.keys.sorted().map { client in
      AtlasV1.ClientMetrics(
        client: client, ring: byClient[client]?.first?.ring ?? 0,
        servers: counts(of: name, client: client))
    }
  }
}

extension AtlasV1.RunCounts {
  mutating func add(_ run: AtlasV1.ServerRun) {
    total += 1
    switch run.state {
    case .pending: pending += 1
    case .inProgress: inProgress += 1
    case .parked: parked += 1
    case .held: held += 1
    case .completed: completed += 1
    case .failed: failed += 1
    case .notAttempted: notAttempted += 1
    case .skipped: skipped += 1
    case .postponed: postponed += 1
    case .unspecified, .unrecognized: break
    }
    if run.state == .inProgress, run.phase == .reboot { downNow += 1 }
  }

  mutating func add(_ other: AtlasV1.RunCounts) {
    total += other.total
    pending += other.pending
    inProgress += other.inProgress
    parked += other.parked
    held += other.held
    completed += other.completed
    failed += other.failed
    notAttempted += other.notAttempted
    skipped += other.skipped
    postponed += other.postponed
    downNow += other.downNow
  }
}

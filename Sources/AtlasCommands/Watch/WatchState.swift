import AtlasWire

/// Everything that the view of a campaign shows, built from what the daemon sends.
struct WatchState: Sendable {
  /// The campaign's name.
  let name: String
  private(set) var campaign: AtlasV1.Campaign?
  private(set) var rings: [AtlasV1.RingInfo] = []
  private(set) var metrics: AtlasV1.Metrics?
  private(set) var clients: [WatchedClient] = []
  /// The newest records, oldest first.
  private(set) var events: [AtlasV1.Record] = []
  /// Whether the records of before the view began have come; those are no news.
  private(set) var knowsPast = false
  /// Why the daemon is out of reach; nil while it is not.
  var lost: String? {
    didSet { if lost != oldValue { version += 1 } }
  }
  /// Grows with every change.
  private(set) var version = 0

  private var places: [String: Place] = [:]
  private var clientPlaces: [String: Int] = [:]

  private struct Place: Sendable {
    var client: Int
    var cell: Int
    var run: Int32
  }

  init(name: String) { self.name = name }

  /// Campaign time as last heard.
  var clock: AtlasV1.Clock? {
    let clocks = [metrics?.clock, campaign?.clock].compactMap(\.self)
    return clocks.max { ($0.campaignTime?.seconds ?? 0) < ($1.campaignTime?.seconds ?? 0) }
  }

  /// Servers by state.
  var counts: AtlasV1.RunCounts {
    metrics?.servers ?? campaign?.servers ?? AtlasV1.RunCounts()
  }

  /// Whether it may be over: worth asking for the campaign itself.
  var seemsSettled: Bool {
    (metrics?.settled ?? false) || (campaign?.settled ?? false)
  }

  // MARK: Input

  mutating func apply(_ campaign: AtlasV1.Campaign) {
    version += 1
    lost = nil
    self.campaign = campaign
  }

  mutating func apply(_ rings: [AtlasV1.RingInfo]) {
    version += 1
    self.rings = rings.sorted { $0.ring < $1.ring }
  }

  /// The servers as they are now. Of several runs of a server the newest counts.
  mutating func apply(_ runs: [AtlasV1.ServerRun]) {
    version += 1
    clients = []
    places = [:]
    clientPlaces = [:]
    for run in runs.sorted(by: {
      ($0.client, $0.order, $0.number) < ($1.client, $1.order, $1.number)
    }) {
      if let place = places[run.server], place.run > run.number { continue }
      set(
        run.server, of: run.client, ring: run.ring, run: run.number, to: .init(run.state, run.phase)
      )
    }
  }

  /// What happened before the view began, newest first.
  mutating func apply(history: [AtlasV1.Record]) {
    version += 1
    knowsPast = true
    events = Array(history.prefix(CommandLimits.watchedEvents).reversed())
  }

  /// Something happened.
  mutating func apply(_ record: AtlasV1.Record) {
    version += 1
    lost = nil
    events.append(record)
    if events.count > CommandLimits.watchedEvents { events.removeFirst() }
    guard !record.server.isEmpty, record.toState != .unspecified, showsServers else { return }
    set(
      record.server, of: record.client, ring: record.ring, run: nil,
      to: .init(record.toState, record.phase))
  }

  /// Figures: all of them, or what is new.
  mutating func apply(_ response: AtlasV1.StreamMetricsResponse) {
    guard var new = response.metrics else { return }
    version += 1
    lost = nil
    if !response.snapshot, let old = metrics { new.fill(from: old) }
    metrics = new
    if showsServers { return }
    clients = new.clientMetrics.map {
      WatchedClient(name: $0.client, ring: $0.ring, counts: $0.servers)
    }
  }

  /// Whether servers are shown one by one; false until they are known, and when they are too many.
  private var showsServers: Bool { !places.isEmpty }

  private mutating func set(
    _ server: String, of client: String, ring: Int32, run: Int32?, to cell: WatchCell
  ) {
    if let place = places[server] {
      clients[place.client].cells[place.cell] = cell
      if let run { places[server]?.run = run }
      return
    }
    let index = clientPlaces[client] ?? clients.count
    if index == clients.count {
      clients.append(WatchedClient(name: client, ring: ring))
      clientPlaces[client] = index
    }
    places[server] = Place(client: index, cell: clients[index].cells.count, run: run ?? 0)
    clients[index].cells.append(cell)
    clients[index].servers.append(server)
  }
}

extension AtlasV1.Metrics {
  /// Completes a message that holds only what changed since `old`.
  fileprivate mutating func fill(from old: AtlasV1.Metrics) {
    clock = clock ?? old.clock
    servers = servers ?? old.servers
    elapsed = elapsed ?? old.elapsed
    let newRings = Set(rings.map(\.ring))
    rings = (old.rings.filter { !newRings.contains($0.ring) } + rings).sorted { $0.ring < $1.ring }
    let newClients = Set(clientMetrics.map(\.client))
    clientMetrics =
      (old.clientMetrics.filter { !newClients.contains($0.client) } + clientMetrics)
      .sorted { $0.client < $1.client }
  }
}

extension AtlasV1.Record {
  /// How much a person wants to see it.
  enum Interest: Int, Sendable, Comparable {
    /// A step on the way.
    case step
    /// A server is done.
    case result
    /// Somebody should know: trouble, gates, people, the campaign itself.
    case news

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  var interest: Interest {
    if server.isEmpty || !principal.isEmpty { return .news }
    switch toState {
    case .held, .failed, .parked: return .news
    case .completed, .notAttempted, .skipped, .postponed: return .result
    case .pending, .inProgress, .unspecified, .unrecognized: return .step
    }
  }
}

import AtlasWire

/// Where one server is, as one character. Every kind has a character of its own, so that the view
/// says the same without colours.
enum WatchCell: UInt8, Sendable, Hashable, CaseIterable {
  case done, failed, held, parked, rollingBack, preparing, updating, rebooting, checking
  case notAttempted, leftOut, waiting

  init(_ state: AtlasV1.RunState, _ phase: AtlasV1.Phase) {
    switch state {
    case .completed: self = .done
    case .failed: self = .failed
    case .held: self = .held
    case .parked: self = .parked
    case .notAttempted: self = .notAttempted
    case .skipped, .postponed: self = .leftOut
    case .inProgress: self = .init(phase)
    case .pending, .unspecified, .unrecognized: self = .waiting
    }
  }

  private init(_ phase: AtlasV1.Phase) {
    switch phase {
    case .update: self = .updating
    case .reboot: self = .rebooting
    case .postCheck, .soak, .finalize: self = .checking
    case .rollback, .verify: self = .rollingBack
    case .download, .preCheck, .snapshot, .unspecified, .unrecognized: self = .preparing
    }
  }

  func glyph(_ glyphs: Glyphs) -> String {
    switch self {
    case .done: glyphs.done
    case .failed: "X"
    case .held: "H"
    case .parked: "P"
    case .rollingBack: "b"
    case .preparing: "s"
    case .updating: "u"
    case .rebooting: "r"
    case .checking: "c"
    case .notAttempted: "-"
    case .leftOut: glyphs.leftOut
    case .waiting: glyphs.waiting
    }
  }

  /// For the legend.
  var word: String {
    switch self {
    case .done: "done"
    case .failed: "failed"
    case .held: "held"
    case .parked: "parked"
    case .rollingBack: "roll back"
    case .preparing: "start"
    case .updating: "update"
    case .rebooting: "reboot"
    case .checking: "check"
    case .notAttempted: "not attempted"
    case .leftOut: "left out"
    case .waiting: "waiting"
    }
  }

  var style: Style {
    switch self {
    case .done: .good
    case .failed, .held: .bad
    case .parked, .rollingBack, .notAttempted: .warn
    case .preparing, .updating, .rebooting, .checking: .active
    case .leftOut, .waiting: .dim
    }
  }

  /// Being worked on.
  var isActive: Bool {
    switch self {
    case .rollingBack, .preparing, .updating, .rebooting, .checking: true
    case .done, .failed, .held, .parked, .notAttempted, .leftOut, .waiting: false
    }
  }

  /// Nothing more happens to it.
  var isEnded: Bool {
    switch self {
    case .done, .failed, .notAttempted, .leftOut: true
    case .held, .parked, .rollingBack, .preparing, .updating, .rebooting, .checking, .waiting: false
    }
  }
}

/// One client in the view.
struct WatchedClient: Sendable, Hashable {
  var name: String
  var ring: Int32
  /// One for each server, in the order of the lane; empty when there are too many to show.
  var cells: [WatchCell] = []
  /// Names of the servers, as many as cells.
  var servers: [String] = []
  /// Numbers of servers by state; used where there are no cells.
  var counts: AtlasV1.RunCounts?

  var total: Int { cells.isEmpty ? Int(counts?.total ?? 0) : cells.count }
  var ended: Int { cells.isEmpty ? Int(counts?.ended ?? 0) : cells.count(where: \.isEnded) }
  var held: Int { cells.isEmpty ? Int(counts?.held ?? 0) : cells.count { $0 == .held } }
  var failed: Int { cells.isEmpty ? Int(counts?.failed ?? 0) : cells.count { $0 == .failed } }
  var parked: Int { cells.isEmpty ? Int(counts?.parked ?? 0) : cells.count { $0 == .parked } }
  var active: Int { cells.isEmpty ? Int(counts?.inProgress ?? 0) : cells.count(where: \.isActive) }

  /// The servers that a person would ask about: held ones, else those being worked on, else failed.
  var telling: [(server: String, cell: WatchCell)] {
    let all = zip(servers, cells).map { (server: $0, cell: $1) }
    let held = all.filter { $0.cell == .held || $0.cell == .parked }
    if !held.isEmpty { return held }
    let active = all.filter { $0.cell.isActive }
    return active.isEmpty ? all.filter { $0.cell == .failed } : active
  }

  /// The name of one of its servers without its own name before it, as in `PARIS-DC01`.
  func short(_ server: String) -> String {
    server.hasPrefix(name + "-") ? String(server.dropFirst(name.count + 1)) : server
  }

  /// What is done of it, 0 to 1.
  var share: Double { total == 0 ? 1 : Double(ended) / Double(total) }
}

/// In which order clients are shown.
enum WatchOrder: String, Sendable, CaseIterable {
  /// Those that need somebody first.
  case attention
  case name
  case ring
  /// The least done first.
  case progress

  var next: WatchOrder {
    switch self {
    case .attention: .name
    case .name: .ring
    case .ring: .progress
    case .progress: .attention
    }
  }

  func sorted(_ clients: [WatchedClient]) -> [WatchedClient] {
    let ranked = clients.map { (rank: rank($0), client: $0) }
    return ranked.sorted { ($0.rank, $0.client.name) < ($1.rank, $1.client.name) }.map(\.client)
  }

  /// The smaller the earlier. By attention, a client moves only when something happens to it that
  /// a person should see, so that rows do not dance.
  private func rank(_ client: WatchedClient) -> Int {
    switch self {
    case .attention:
      -client.held * 1_000_000 - client.failed * 1_000 - client.parked * 10 - progressRank(client)
    case .name: 0
    case .ring: Int(client.ring)
    case .progress: Int(client.share * 1_000)
    }
  }

  /// Clients that are being worked on, then those that wait, then those that are done.
  private func progressRank(_ client: WatchedClient) -> Int {
    if client.ended == client.total { return 0 }
    return client.ended + client.active > 0 ? 2 : 1
  }
}

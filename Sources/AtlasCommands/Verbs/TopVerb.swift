import ArgumentParser
import AtlasWire
import Synchronization

/// `atlas top`
struct TopVerb: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Clients by what needs attention, in all campaigns that run.",
    discussion: """
      Keys: q quits, s sorts, p holds the view still. Where the output is no terminal it prints \
      the table once.

        atlas top
        atlas top november > clients.txt
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign; without it all that run.") var name: String?

  /// Real time between two looks.
  private static let interval = Duration.seconds(1)

  func run(in session: Session) async throws {
    let first = try await look(session)
    let console = session.console
    guard session.options.output.isText, console.outputSize != nil,
      let screen = console.openScreen?()
    else {
      session.tellRehearsal(first.metrics.clock)
      return try show(first, session)
    }
    let shared = SharedTop(first)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await refresh(shared, session) }
      group.addTask {
        let paused = PausedTop()
        try await ScreenLoop(console: console, screen: screen).run(
          version: { shared.now.version }, isOver: { false }
        ) { settings, size in
          let state = paused.state(shared.now, isPaused: settings.isPaused)
          return TopView(
            state: state, order: settings.order, isPaused: settings.isPaused, size: size,
            glyphs: console.glyphs, times: session.times(state.metrics.clock)
          ).lines
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  private func look(_ session: Session) async throws -> TopState {
    let response = try await session.read(
      session.daemon.metrics.getMetrics,
      AtlasV1.GetMetricsRequest(campaign: name ?? "", details: true))
    let clients = try await session.readPages(
      session.daemon.fleet.listClients, AtlasV1.ListClientsRequest())
    return TopState(metrics: response.metrics ?? AtlasV1.Metrics(), clients: clients.clients)
  }

  private func refresh(_ shared: SharedTop, _ session: Session) async throws {
    while true {
      try await session.console.pacer.pause(Self.interval)
      do {
        shared.set(try await look(session))
      } catch let failure as Failure
        where failure.status == .unreachable || failure.status == .timeout
      {
        shared.lost(failure.message)
      }
    }
  }

  private func show(_ state: TopState, _ session: Session) throws {
    try session.show(
      Presentation(
        .message(AtlasV1.GetMetricsResponse(metrics: state.metrics)),
        rows: state.metrics.clientMetrics.map { .message($0) },
        names: state.rows(by: .attention).map(\.client.name)
      ) { space in
        let rows = state.rows(by: .attention)
        if rows.isEmpty { return [Line(Span("no client has anything to do", .dim))] }
        return space.lines(of: Table(rows, TopState.columns, wide: space.isWide))
      })
  }
}

/// What `top` shows.
struct TopState: Sendable {
  struct Row: Sendable {
    var client: WatchedClient
    var info: AtlasV1.ClientInfo?
  }

  let metrics: AtlasV1.Metrics
  private let clients: [AtlasV1.ClientInfo]
  /// Why the daemon is out of reach; nil while it is not.
  var lost: String?
  var version = 0

  init(metrics: AtlasV1.Metrics, clients: [AtlasV1.ClientInfo]) {
    self.metrics = metrics
    self.clients = clients
  }

  /// Clients with work, and those that something keeps from it.
  func rows(by order: WatchOrder) -> [Row] {
    let infos = Dictionary(clients.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    let working = metrics.clientMetrics.map {
      WatchedClient(name: $0.client, ring: $0.ring, counts: $0.servers)
    }
    let named = Set(working.map(\.name))
    let kept = clients.filter {
      !named.contains($0.name) && ($0.stopped != nil || $0.paused != nil)
    }
    .map { WatchedClient(name: $0.name, ring: $0.ring, counts: AtlasV1.RunCounts()) }
    return order.sorted(working + kept).map { Row(client: $0, info: infos[$0.name]) }
  }

  static let columns: [Column<Row>] =
    [
      Column(
        "CLIENT",
        span: { Span($0.client.name, $0.client.held + $0.client.failed > 0 ? .bad : .plain) }),
      Column("RING", align: .right) { "\($0.client.ring)" },
    ] + countColumns { $0.client.counts } + [
      Column("AGENTS", align: .right) { row in
        row.info.map { "\($0.agentsConnected)/\($0.servers)" } ?? ""
      },
      Column("STATE", gives: true) { $0.info?.latchText ?? "" },
    ]
}

/// The state of `top`, refreshed by one task and drawn by another.
private final class SharedTop: Sendable {
  private let state: Mutex<TopState>

  init(_ state: TopState) { self.state = Mutex(state) }

  var now: TopState { state.withLock { $0 } }

  func set(_ new: TopState) {
    state.withLock {
      let version = $0.version
      $0 = new
      $0.version = version + 1
    }
  }

  func lost(_ message: String) {
    state.withLock {
      $0.lost = message
      $0.version += 1
    }
  }
}

/// The state that a view which stands still goes on showing.
private final class PausedTop {
  private var kept: TopState?

  func state(_ now: TopState, isPaused: Bool) -> TopState {
    if !isPaused { kept = nil } else if kept == nil { kept = now }
    return kept ?? now
  }
}

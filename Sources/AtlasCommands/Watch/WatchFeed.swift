import AtlasModel
import AtlasWire
import GRPCCore
import Synchronization

/// The state of a view, fed by several streams and looked at by whoever draws it.
final class SharedWatch: Sendable {
  private let state: Mutex<WatchState>

  init(name: String) { state = Mutex(WatchState(name: name)) }

  /// The state as it is now.
  var now: WatchState { state.withLock { $0 } }

  func update(_ change: (inout WatchState) -> Void) { state.withLock { change(&$0) } }
}

/// Keeps the state of a view up to date, through restarts of the daemon.
struct WatchFeed: Sendable {
  let session: Session
  let shared: SharedWatch
  let name: String
  /// Real time between two messages with figures.
  let interval: Duration

  /// Real time between two looks at what has no stream: gates, pauses, decisions.
  private static let pollInterval = Duration.seconds(2)

  /// Feeds until it is cancelled.
  ///
  /// - Throws: ``Failure`` for what waiting will not cure.
  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await records() }
      group.addTask { try await figures() }
      group.addTask { try await poll() }
      try await group.waitForAll()
    }
  }

  // MARK: What happens

  /// The place in the log is taken first and the servers are read second: so nothing is missed, and
  /// what is seen twice is followed by what came after it.
  private func records() async throws {
    let history = try await session.readPages(
      session.daemon.audit.listAuditRecords,
      AtlasV1.ListAuditRecordsRequest(campaign: name, descending: true),
      limit: CommandLimits.watchedEvents)
    shared.update { $0.apply(history: history.records) }
    if shared.now.counts.total <= CommandLimits.watchedServers {
      let runs = try await session.readPages(
        session.daemon.campaigns.listServerRuns, AtlasV1.ListServerRunsRequest(campaign: name))
      shared.update { $0.apply(runs.runs) }
    }
    try await follow(after: history.records.first?.seq ?? 0)
  }

  private func follow(after known: UInt64) async throws {
    try await session.follow(notice: lost) { metadata, progress in
      let request = AtlasV1.WatchCampaignRequest(campaign: name, resumeToken: progress.token)
      try await session.daemon.campaigns.watchCampaign(request, metadata: metadata) { responses in
        for try await response in responses {
          progress.delivered(token: response.resumeToken)
          guard let record = response.record, record.seq > known else { continue }
          shared.update { $0.apply(record) }
        }
      }
    }
    try await untilCancelled()
  }

  // MARK: Figures

  private func figures() async throws {
    let request = AtlasV1.StreamMetricsRequest(
      campaign: name, details: true, interval: GoogleProtobuf.Duration(interval))
    try await session.follow(notice: lost) { metadata, progress in
      try await session.daemon.metrics.streamMetrics(request, metadata: metadata) { responses in
        for try await response in responses {
          progress.delivered()
          shared.update { $0.apply(response) }
        }
      }
    }
    try await untilCancelled()
  }

  private func poll() async throws {
    while true {
      do throws(Failure) {
        try await look()
      } catch {
        if error.status != .unreachable, error.status != .timeout { throw error }
        lost(error.message)
      }
      try await session.console.pacer.pause(Self.pollInterval)
    }
  }

  /// Reads the campaign and its rings.
  func look() async throws(Failure) {
    do {
      let campaign = try await session.campaign(name)
      shared.update { $0.apply(campaign) }
      let rings = try await session.read(
        session.daemon.campaigns.listRings, AtlasV1.ListRingsRequest(campaign: name))
      shared.update { $0.apply(rings.rings) }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.error, String(describing: error))
    }
  }

  @Sendable private func lost(_ message: String) { shared.update { $0.lost = message } }

  /// A stream may end, when a campaign is over; the view goes on showing what it knows.
  ///
  /// - Throws: `CancellationError`, when the view is over.
  private func untilCancelled() async throws {
    let (never, continuation) = AsyncStream.makeStream(of: Never.self)
    for await _ in never {}
    continuation.finish()
    try Task.checkCancellation()
  }
}

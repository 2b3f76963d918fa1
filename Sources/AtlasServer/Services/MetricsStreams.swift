import AtlasControl
import AtlasModel
import AtlasWire
import GRPCCore

/// `atlas.v1.MetricsService`: the figures of a running campaign.
package struct MetricsStreams: AtlasV1.MetricsService.Server {
  private let core: ServiceCore

  package init(_ core: ServiceCore) { self.core = core }

  package func getMetrics(
    _ request: AtlasV1.GetMetricsRequest, context: ServerContext
  ) async throws -> AtlasV1.GetMetricsResponse {
    AtlasV1.GetMetricsResponse(
      metrics: try await metrics(request.campaign, request.client, request.details))
  }

  private func metrics(
    _ campaign: String, _ client: String, _ details: Bool
  ) async throws(WireStatus) -> AtlasV1.Metrics {
    let read = Read.metrics(
      try Field.optionalName(campaign, "campaign"), try Field.optionalName(client, "client"),
      details: details)
    guard case .metrics(let view) = try await core.read(read) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.Metrics(view)
  }

  package func streamMetrics(
    _ request: AtlasV1.StreamMetricsRequest,
    responses: RPCWriter<AtlasV1.StreamMetricsResponse>, context: ServerContext
  ) async throws {
    let interval = request.interval.map { Duration($0) } ?? .seconds(1)
    guard (Self.shortestInterval...Self.longestInterval).contains(interval) else {
      throw WireStatus(invalid: "interval", "is from 100 ms to an hour")
    }
    var last: AtlasV1.Metrics?
    while !Task.isCancelled {
      let now = try await metrics(request.campaign, request.client, request.details)
      // Writing waits for a slow reader; it then gets the newest figures, not those in between.
      try await responses.write(
        AtlasV1.StreamMetricsResponse(
          metrics: now.changes(since: last), snapshot: last == nil))
      last = now
      try await Task.sleep(for: interval)
    }
  }

  private static let shortestInterval = Duration.milliseconds(100)
  private static let longestInterval = Duration.seconds(3_600)
}

extension AtlasV1.Metrics {
  /// The totals, and of the entries per ring and per client those that are not as before.
  fileprivate func changes(since last: AtlasV1.Metrics?) -> AtlasV1.Metrics {
    guard let last else { return self }
    var changes = self
    changes.rings = rings.filter { !last.rings.contains($0) }
    let before = Dictionary(
      last.clientMetrics.map { ($0.client, $0) }, uniquingKeysWith: { first, _ in first })
    changes.clientMetrics = clientMetrics.filter { before[$0.client] != $0 }
    return changes
  }
}

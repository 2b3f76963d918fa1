import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore
import AtlasWire
import GRPCCore

/// Single runs, and following a campaign record by record.
extension Campaigns {
  package func listServerRuns(
    _ request: AtlasV1.ListServerRunsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListServerRunsResponse {
    var states: [RunState.Kind] = []
    for state in request.states {
      guard let kind = state.kind else {
        throw WireStatus(invalid: "states", "\(state.rawValue) is not a state of a run")
      }
      states.append(kind)
    }
    let filter = RunFilter(
      states: states, client: try Field.optionalName(request.client, "client"),
      ring: try request.ring.map { number throws(WireStatus) in
        try Field.ring(number, "ring")
      })
    let read = Read.runs(
      try Field.name(request.campaign, "campaign"), filter,
      after: Int(clamping: try Field.numberToken(request.pageToken)),
      limit: try Field.pageSize(request.pageSize))
    guard case .runs(let views, let next) = try await core.read(read) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.ListServerRunsResponse(
      runs: views.map { .init($0) }, nextPageToken: next.map(String.init) ?? "")
  }

  package func getServerRun(
    _ request: AtlasV1.GetServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.GetServerRunResponse {
    let read = Read.run(
      try Field.name(request.campaign, "campaign"), try Field.name(request.server, "server"))
    guard case .run(let views) = try await core.read(read), let newest = views.last else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.GetServerRunResponse(
      run: .init(newest), earlier: views.dropLast().map { .init($0) })
  }

  package func retryServerRun(
    _ request: AtlasV1.RetryServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.RetryServerRunResponse {
    try await core.change(
      .retryRun(
        try Field.name(request.campaign, "campaign"), try Field.name(request.server, "server"),
        reason: try Field.reason(request.reason)),
      request, requestID: request.requestID, context)
  }

  package func skipServerRun(
    _ request: AtlasV1.SkipServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.SkipServerRunResponse {
    try await core.change(
      .skipRun(
        try Field.name(request.campaign, "campaign"), try Field.name(request.server, "server"),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func approveServerRun(
    _ request: AtlasV1.ApproveServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.ApproveServerRunResponse {
    try await core.change(
      .approveRun(
        try Field.name(request.campaign, "campaign"), try Field.name(request.server, "server"),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func resolveServerRun(
    _ request: AtlasV1.ResolveServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.ResolveServerRunResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    let server: ServerName = try Field.name(request.server, "server")
    let decision: Decision
    switch request.decision {
    case .retry: decision = .retry
    case .rollBack: decision = .rollBack
    case .accept: decision = .accept
    case .claim:
      return try await core.change(
        .claimRun(name, server, etag: request.etag), request, requestID: request.requestID, context)
    case .unspecified, .unrecognized:
      throw WireStatus(invalid: "decision", "is RETRY, ROLL_BACK, ACCEPT or CLAIM")
    }
    return try await core.change(
      .resolveRun(
        name, server, decision, etag: request.etag,
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func watchCampaign(
    _ request: AtlasV1.WatchCampaignRequest,
    responses: RPCWriter<AtlasV1.WatchCampaignResponse>, context: ServerContext
  ) async throws {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    _ = try await core.read(.campaign(name))
    var position = try Field.numberToken(request.resumeToken)
    let filter = RecordFilter(campaign: name.text)
    while true {
      // Settled is asked before the records are read, so that the last ones are sent as well.
      let settled =
        request.untilSettled ? try await core.read(.campaign(name)).campaign.settled : false
      let seen = core.pump.tail.position
      position = try await sendRecords(after: position, filter, to: responses)
      if settled { return }
      guard await core.pump.tail.grown(beyond: max(seen, position)) else {
        throw WireStatus(ControlError.shuttingDown)
      }
    }
  }

  /// Sends everything that is in the log; pages, so that a slow reader costs one page of memory.
  private func sendRecords(
    after start: UInt64, _ filter: RecordFilter,
    to responses: RPCWriter<AtlasV1.WatchCampaignResponse>
  ) async throws -> UInt64 {
    var position = start
    while true {
      let page = try await core.records(after: position, filter)
      for record in page {
        position = record.seq
        try await responses.write(
          AtlasV1.WatchCampaignResponse(
            record: .init(record), resumeToken: String(record.seq)))
      }
      if page.count < Limits.page { return position }
    }
  }
}

extension ServiceCore {
  func records(after position: UInt64, _ filter: RecordFilter) async throws(WireStatus)
    -> [LogRecord]
  {
    do {
      return try await store.records(after: position, limit: Limits.page, filter: filter)
    } catch {
      throw WireStatus(error)
    }
  }
}

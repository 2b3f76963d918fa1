import AtlasWire
import GRPCCore

/// The campaigns of the fake daemon.
struct FakeCampaigns: AtlasV1.CampaignService.Server {
  let atlas: FakeAtlas

  func createCampaign(
    _ request: AtlasV1.CreateCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.CreateCampaignResponse {
    atlas.note(request)
    return try atlas.change { world in
      if world.campaigns.contains(where: { $0.name == request.name }) {
        throw WireStatus(.alreadyExists, "there is a campaign “\(request.name)” already")
      }
      world.campaigns.append(
        AtlasV1.Campaign(
          name: request.name, author: "anna", state: .draft, selection: request.selection,
          updateSet: request.updateSet, clients: Int32(world.clients.count),
          createdAt: world.time(), endsAt: request.endsAt, etag: "1",
          changeReference: request.changeReference, rollbackOf: request.rollbackOf,
          notUndoable: world.notUndoable))
      return AtlasV1.CreateCampaignResponse(
        campaign: try world.campaign(request.name),
        diagnostics: request.policy == nil
          ? []
          : [.init(file: request.policy?.name ?? "", line: 3, message: "unusual", warning: true)])
    }
  }

  func getCampaign(
    _ request: AtlasV1.GetCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.GetCampaignResponse {
    AtlasV1.GetCampaignResponse(campaign: try atlas.world.campaign(request.campaign))
  }

  func listCampaigns(
    _ request: AtlasV1.ListCampaignsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListCampaignsResponse {
    let world = atlas.world
    let page = try Pages.page(world.campaigns, request.pageSize, request.pageToken)
    return AtlasV1.ListCampaignsResponse(
      campaigns: try page.rows.map { try world.campaign($0.name) }, nextPageToken: page.next)
  }

  func planCampaign(
    _ request: AtlasV1.PlanCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.PlanCampaignResponse {
    atlas.note(request)
    _ = try atlas.world.campaign(request.campaign)
    var plan = atlas.world.plan
    plan.campaign = request.campaign
    if !request.details { plan.timeline = [] }
    return AtlasV1.PlanCampaignResponse(
      plan: plan, supposed: request.whatIf.isEmpty ? nil : atlas.world.supposed)
  }

  func listEstimates(
    _ request: AtlasV1.ListEstimatesRequest, context: ServerContext
  ) async throws -> AtlasV1.ListEstimatesResponse {
    atlas.note(request)
    return AtlasV1.ListEstimatesResponse(estimates: atlas.world.estimates)
  }

  func preflightCampaign(
    _ request: AtlasV1.PreflightCampaignRequest,
    responses: RPCWriter<AtlasV1.PreflightCampaignResponse>, context: ServerContext
  ) async throws {
    atlas.note(request)
    _ = try atlas.world.campaign(request.campaign)
    for response in atlas.world.preflight { try await responses.write(response) }
  }

  func startCampaign(
    _ request: AtlasV1.StartCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.StartCampaignResponse {
    atlas.note(request)
    if !request.ifMatch.isEmpty, request.ifMatch != atlas.world.plan.etag {
      throw WireStatus(.aborted, "the fleet has changed since the plan", reason: "ETAG_MISMATCH")
    }
    return AtlasV1.StartCampaignResponse(
      campaign: try atlas.change { world in
        try world.change(campaign: request.campaign) { $0.state = .active }
      })
  }

  func pauseCampaign(
    _ request: AtlasV1.PauseCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.PauseCampaignResponse {
    atlas.note(request)
    let campaign = try atlas.change { world in
      let since = world.time()
      return try world.change(campaign: request.campaign) {
        $0.flags.append(
          .init(
            kind: "paused", scope: request.scope.words, reason: request.reason, principal: "anna",
            since: since))
      }
    }
    return AtlasV1.PauseCampaignResponse(
      campaign: campaign, inFlight: campaign.servers?.inProgress ?? 0)
  }

  func resumeCampaign(
    _ request: AtlasV1.ResumeCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.ResumeCampaignResponse {
    atlas.note(request)
    return AtlasV1.ResumeCampaignResponse(
      campaign: try atlas.change { world in
        try world.change(campaign: request.campaign) { campaign in
          campaign.flags.removeAll { $0.kind == "paused" && $0.scope == request.scope.words }
        }
      })
  }

  func cancelCampaign(
    _ request: AtlasV1.CancelCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.CancelCampaignResponse {
    atlas.note(request)
    let campaign = try atlas.change { world in
      try world.change(campaign: request.campaign) { $0.state = .cancelling }
    }
    return AtlasV1.CancelCampaignResponse(
      campaign: campaign, inFlight: campaign.servers?.inProgress ?? 0)
  }

  func editCampaign(
    _ request: AtlasV1.EditCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.EditCampaignResponse {
    atlas.note(request)
    let campaign = try atlas.world.campaign(request.campaign)
    let slower = AtlasV1.SettingChange(key: "max_in_progress", before: "unlimited", after: "20")
    let retries = AtlasV1.SettingChange(key: "max_retries", client: "LAA", before: "", after: "0")
    return AtlasV1.EditCampaignResponse(
      campaign: campaign, changes: request.policy == nil ? [] : [slower, retries], inFlight: 3,
      etag: "7")
  }

  func promoteRing(
    _ request: AtlasV1.PromoteRingRequest, context: ServerContext
  ) async throws -> AtlasV1.PromoteRingResponse {
    atlas.note(request)
    return AtlasV1.PromoteRingResponse(
      rings: atlas.change { world in
        var rings = world.rings[request.campaign] ?? []
        for index in rings.indices where rings[index].ring < request.ring {
          rings[index].gate = .open
          rings[index].promoted = true
          rings[index].gateWaitsFor = ""
        }
        world.rings[request.campaign] = rings
        return rings
      })
  }

  func listRings(
    _ request: AtlasV1.ListRingsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListRingsResponse {
    let world = atlas.world
    _ = try world.campaign(request.campaign)
    let rings = (world.rings[request.campaign] ?? []).map { ring in
      var ring = ring
      ring.servers = world.counts(of: request.campaign, ring: ring.ring)
      return ring
    }
    return AtlasV1.ListRingsResponse(rings: rings)
  }

  func excludeUpdate(
    _ request: AtlasV1.ExcludeUpdateRequest, context: ServerContext
  ) async throws -> AtlasV1.ExcludeUpdateResponse {
    atlas.note(request)
    return AtlasV1.ExcludeUpdateResponse(
      campaign: try atlas.change { world in
        try world.change(campaign: request.campaign) {
          $0.updateSet?.exclude.append(request.update)
        }
      }, alreadyStarted: 4)
  }

  func releaseSignature(
    _ request: AtlasV1.ReleaseSignatureRequest, context: ServerContext
  ) async throws -> AtlasV1.ReleaseSignatureResponse {
    atlas.note(request)
    return AtlasV1.ReleaseSignatureResponse(
      campaign: try atlas.world.campaign(request.campaign))
  }

  func waiveRepresentative(
    _ request: AtlasV1.WaiveRepresentativeRequest, context: ServerContext
  ) async throws -> AtlasV1.WaiveRepresentativeResponse {
    atlas.note(request)
    return AtlasV1.WaiveRepresentativeResponse(
      campaign: try atlas.world.campaign(request.campaign))
  }

  func listServerKinds(
    _ request: AtlasV1.ListServerKindsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListServerKindsResponse {
    let campaign = try atlas.world.campaign(request.campaign)
    return AtlasV1.ListServerKindsResponse(
      held: campaign.heldKinds,
      missing: [.init(role: "HV", system: "windows-2022", waiting: 3, mayCome: false)])
  }

  func getReport(
    _ request: AtlasV1.GetReportRequest, context: ServerContext
  ) async throws -> AtlasV1.GetReportResponse {
    var report = atlas.world.report
    report.campaign = try atlas.world.campaign(request.campaign)
    return AtlasV1.GetReportResponse(report: report)
  }

  func getEvidence(
    _ request: AtlasV1.GetEvidenceRequest,
    responses: RPCWriter<AtlasV1.GetEvidenceResponse>, context: ServerContext
  ) async throws {
    atlas.note(request)
    _ = try atlas.world.campaign(request.campaign)
    for piece in atlas.world.evidence { try await responses.write(.init(piece: piece)) }
  }

  func watchCampaign(
    _ request: AtlasV1.WatchCampaignRequest,
    responses: RPCWriter<AtlasV1.WatchCampaignResponse>, context: ServerContext
  ) async throws {
    atlas.note(request)
    var place = Int(request.resumeToken) ?? 0
    let changes = atlas.changes()
    var wakes = changes.makeAsyncIterator()
    repeat {
      let world = atlas.world
      let campaign = try world.campaign(request.campaign)
      for record in world.records.dropFirst(place) {
        place += 1
        if record.campaign != request.campaign { continue }
        try await responses.write(.init(record: record, resumeToken: "\(place)"))
      }
      if request.untilSettled, campaign.settled { return }
    } while await wakes.next() != nil
  }
}

extension FakeCampaigns {
  func listServerRuns(
    _ request: AtlasV1.ListServerRunsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListServerRunsResponse {
    atlas.note(request)
    _ = try atlas.world.campaign(request.campaign)
    let runs = (atlas.world.runs[request.campaign] ?? []).filter { run in
      (request.states.isEmpty || request.states.contains(run.state))
        && (request.client.isEmpty || request.client == run.client)
        && (request.ring == nil || request.ring == run.ring)
    }
    let page = try Pages.page(runs, request.pageSize, request.pageToken)
    return AtlasV1.ListServerRunsResponse(runs: page.rows, nextPageToken: page.next)
  }

  func getServerRun(
    _ request: AtlasV1.GetServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.GetServerRunResponse {
    AtlasV1.GetServerRunResponse(run: try atlas.world.run(request.server, of: request.campaign))
  }

  func retryServerRun(
    _ request: AtlasV1.RetryServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.RetryServerRunResponse {
    atlas.note(request)
    return AtlasV1.RetryServerRunResponse(
      run: try atlas.change { world in
        try world.change(run: request.server, of: request.campaign) { $0.state = .pending }
      })
  }

  func approveServerRun(
    _ request: AtlasV1.ApproveServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.ApproveServerRunResponse {
    atlas.note(request)
    return AtlasV1.ApproveServerRunResponse(
      run: try atlas.world.run(request.server, of: request.campaign))
  }

  func skipServerRun(
    _ request: AtlasV1.SkipServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.SkipServerRunResponse {
    atlas.note(request)
    return AtlasV1.SkipServerRunResponse(
      run: try atlas.change { world in
        let run = try world.run(request.server, of: request.campaign)
        guard run.state == .pending else {
          throw WireStatus(
            .failedPrecondition, "“\(run.server)” has started", reason: "RUN_NOT_PENDING",
            metadata: ["hint": "atlas campaign resolve \(request.campaign) \(run.server) accept"])
        }
        return try world.change(run: request.server, of: request.campaign) { $0.state = .skipped }
      })
  }

  func resolveServerRun(
    _ request: AtlasV1.ResolveServerRunRequest, context: ServerContext
  ) async throws -> AtlasV1.ResolveServerRunResponse {
    atlas.note(request)
    return AtlasV1.ResolveServerRunResponse(
      run: try atlas.change { world in
        let run = try world.run(request.server, of: request.campaign)
        guard run.etag == request.etag else {
          throw WireStatus(.aborted, "“\(run.server)” has changed", reason: "ETAG_MISMATCH")
        }
        guard request.decision != .claim else {
          return try world.change(run: request.server, of: request.campaign) {
            $0.holdOwner = "anna"
          }
        }
        return try world.change(run: request.server, of: request.campaign) {
          $0.state = request.decision == .accept ? .failed : .inProgress
          $0.detail = request.decision == .accept ? "ACCEPTED" : ""
          $0.phase = request.decision == .accept ? .unspecified : .rollback
        }
      })
  }
}

extension AtlasV1.Scope? {
  fileprivate var words: String {
    switch self?.part {
    case .ring(let ring)?: "ring \(ring)"
    case .client(let client)?: "client \(client)"
    case .all?, nil: ""
    }
  }
}

/// Pages whose tokens are positions.
enum Pages {
  static func page<Row>(
    _ rows: [Row], _ size: Int32, _ token: String
  ) throws(WireStatus) -> (rows: [Row], next: String) {
    guard let start = token.isEmpty ? 0 : Int(token), (0...rows.count).contains(start) else {
      throw WireStatus(.invalidArgument, "no such page")
    }
    let end = min(rows.count, start + (size == 0 ? 100 : Int(size)))
    return (Array(rows[start..<end]), end < rows.count ? "\(end)" : "")
  }
}

import AtlasControl
import AtlasEngine
import AtlasFleetImport
import AtlasModel
import AtlasRuntime
import AtlasWire
import GRPCCore

/// `atlas.v1.CampaignService`: campaigns as a whole. Runs, plans and reports are in extensions.
package struct Campaigns: AtlasV1.CampaignService.Server {
  let core: ServiceCore

  package init(_ core: ServiceCore) { self.core = core }

  package func createCampaign(
    _ request: AtlasV1.CreateCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.CreateCampaignResponse {
    var wanted = CampaignRequest(
      name: try Field.name(request.name, "name"),
      selection: try Selection(request.selection ?? .init()),
      updateSet: try updateSet(request.updateSet ?? .init()),
      endsAt: request.endsAt.map { Instant($0) },
      changeReference: request.changeReference.bounded(to: 128),
      rollbackOf: try Field.optionalName(request.rollbackOf, "rollback_of"))
    var diagnostics: [AtlasV1.Diagnostic] = []
    if let document = request.policy {
      let read = try await readPolicy(document)
      (wanted.policy, wanted.overrides, diagnostics) = read
    }
    wanted.ownWindows = try await ownWindows(of: wanted.policy)
    var response: AtlasV1.CreateCampaignResponse = try await core.change(
      .createCampaign(wanted), request, requestID: request.requestID, context)
    diagnostics += await warnings(of: wanted.name, wanted.ownWindows)
    response.diagnostics = diagnostics
    return response
  }

  private func updateSet(_ wire: AtlasV1.UpdateSet) throws(WireStatus) -> UpdateSet {
    do { return try UpdateSet(wire) } catch { throw WireStatus(error) }
  }

  /// Warnings come back; errors refuse the campaign, all of them at once.
  func readPolicy(
    _ document: AtlasV1.Document, over policy: Policy = Policy(),
    overrides: [ClientName: Policy] = [:]
  ) async throws(WireStatus) -> (Policy, [ClientName: Policy], [AtlasV1.Diagnostic]) {
    let snapshot = try await self.snapshot()
    let result = PolicyDocument.read(
      SourceDocument(name: document.name, bytes: document.content), over: policy,
      overrides: overrides, names: snapshot.names, now: snapshot.now)
    let diagnostics = result.diagnostics.map { AtlasV1.Diagnostic($0) }
    let errors = diagnostics.filter { !$0.warning }
    guard errors.isEmpty else {
      throw WireStatus(
        .invalidArgument, "the policy cannot be used: " + errors[0].line(of: document.name),
        reason: "INVALID_POLICY",
        fieldViolations: errors.map {
          .init(
            field: $0.field.isEmpty ? "policy" : "policy.\($0.field)",
            description: $0.line(of: document.name))
        })
    }
    return (result.policy, result.clientOverrides, diagnostics)
  }

  package func getCampaign(
    _ request: AtlasV1.GetCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.GetCampaignResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    return AtlasV1.GetCampaignResponse(
      campaign: try await core.read(.campaign(name)).campaign)
  }

  package func listCampaigns(
    _ request: AtlasV1.ListCampaignsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListCampaignsResponse {
    let limit = try Field.pageSize(request.pageSize)
    guard
      case .campaigns(let views, let next) = try await core.read(
        .campaigns(after: request.pageToken, limit: limit))
    else { throw WireStatus.wrongAnswer }
    return AtlasV1.ListCampaignsResponse(
      campaigns: views.map { .init($0) }, nextPageToken: next)
  }

  package func startCampaign(
    _ request: AtlasV1.StartCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.StartCampaignResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    return try await core.change(
      .startCampaign(name, ifMatch: request.ifMatch, plan: try await planToKeep(name)), request,
      requestID: request.requestID, context)
  }

  package func pauseCampaign(
    _ request: AtlasV1.PauseCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.PauseCampaignResponse {
    try await core.change(
      .pauseCampaign(
        try Field.name(request.campaign, "campaign"), try scope(request.scope),
        reason: try Field.reason(request.reason)),
      request, requestID: request.requestID, context)
  }

  package func resumeCampaign(
    _ request: AtlasV1.ResumeCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.ResumeCampaignResponse {
    try await core.change(
      .resumeCampaign(
        try Field.name(request.campaign, "campaign"), try scope(request.scope),
        now: request.now),
      request, requestID: request.requestID, context)
  }

  /// No scope is the whole campaign.
  private func scope(_ scope: AtlasV1.Scope?) throws(WireStatus) -> ScopeRequest {
    switch scope?.part {
    case nil, .all: .all
    case .ring(let number): .ring(try Field.ring(number, "scope.ring"))
    case .client(let name): .client(try Field.name(name, "scope.client"))
    }
  }

  package func cancelCampaign(
    _ request: AtlasV1.CancelCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.CancelCampaignResponse {
    try await core.change(
      .cancelCampaign(
        try Field.name(request.campaign, "campaign"), reason: try Field.reason(request.reason)),
      request, requestID: request.requestID, context)
  }

  package func promoteRing(
    _ request: AtlasV1.PromoteRingRequest, context: ServerContext
  ) async throws -> AtlasV1.PromoteRingResponse {
    try await core.change(
      .promoteRing(
        try Field.name(request.campaign, "campaign"), try Field.ring(request.ring, "ring"),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func listRings(
    _ request: AtlasV1.ListRingsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListRingsResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    guard case .rings(let rings) = try await core.read(.rings(name)) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.ListRingsResponse(rings: rings.map { .init($0) })
  }

  package func releaseSignature(
    _ request: AtlasV1.ReleaseSignatureRequest, context: ServerContext
  ) async throws -> AtlasV1.ReleaseSignatureResponse {
    try await core.change(
      .releaseSignature(
        try Field.name(request.campaign, "campaign"),
        role: try Field.optionalName(request.role, "role"),
        system: request.system.bounded(to: 64),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func waiveRepresentative(
    _ request: AtlasV1.WaiveRepresentativeRequest, context: ServerContext
  ) async throws -> AtlasV1.WaiveRepresentativeResponse {
    try await core.change(
      .waiveRepresentative(
        try Field.name(request.campaign, "campaign"),
        role: try Field.optionalName(request.role, "role"),
        system: request.system.isEmpty ? nil : request.system.bounded(to: 64),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func listServerKinds(
    _ request: AtlasV1.ListServerKindsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListServerKindsResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    guard case .kinds(let held, let missing) = try await core.read(.kinds(name)) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.ListServerKindsResponse(
      held: held.map { .init($0) }, missing: missing.map { .init($0) })
  }

  package func excludeUpdate(
    _ request: AtlasV1.ExcludeUpdateRequest, context: ServerContext
  ) async throws -> AtlasV1.ExcludeUpdateResponse {
    try await core.change(
      .excludeUpdate(
        try Field.name(request.campaign, "campaign"), try Field.name(request.update, "update"),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }
}

extension ControlSnapshot {
  /// What a policy may name.
  fileprivate var names: FleetNames {
    var names = FleetNames(
      clients: Set(state.clients.map(\.config.name)), rings: Set(state.clients.map(\.config.ring)))
    for server in state.servers where !server.retired {
      names.roles.formUnion(server.config.roles)
      names.resources.formUnion(server.config.resources)
    }
    return names
  }
}

import AtlasControl
import AtlasEngine
import AtlasFleetImport
import AtlasModel
import AtlasWire
import GRPCCore

/// Another policy for a campaign that is there already.
extension Campaigns {
  package func editCampaign(
    _ request: AtlasV1.EditCampaignRequest, context: ServerContext
  ) async throws -> AtlasV1.EditCampaignResponse {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    let caller = try core.caller(
      of: AtlasV1.EditCampaignResponse.self, request.requestID
    ) { request.encode() }
    if !request.dryRun, let first: AtlasV1.EditCampaignResponse = try await core.recall(caller) {
      return first
    }
    guard case .campaign(let view, let inFlight) = try await core.read(.campaign(name)) else {
      throw WireStatus.wrongAnswer
    }
    var wanted = PolicyRequest(
      policy: view.policy, overrides: view.namedOverrides,
      endsAt: request.endsAt.map { Instant($0) },
      // Without an etag of the caller's: at least nothing that changed since the line above is lost.
      ifVersion: try version(request.ifMatch) ?? view.version, changes: "",
      reason: try Field.reason(request.reason))
    var diagnostics: [AtlasV1.Diagnostic] = []
    if let document = request.policy {
      (wanted.policy, wanted.overrides, diagnostics) = try await readPolicy(
        document, over: view.policy, overrides: view.namedOverrides)
    }
    let changes = changes(from: view, to: wanted)
    var response: AtlasV1.EditCampaignResponse
    if request.dryRun {
      response = try AtlasV1.EditCampaignResponse(.campaign(view, inFlight: inFlight))
    } else {
      wanted.ownWindows = try await ownWindows(of: wanted.policy)
      wanted.changes = changes.map(\.text).joined(separator: "; ").bounded()
      response = try await core.carryOut(.change(.editCampaign(name, wanted), caller), caller)
      diagnostics += await warnings(of: name, wanted.ownWindows)
    }
    response.changes = changes.map { .init($0) }
    response.diagnostics = diagnostics
    return response
  }

  private func changes(from view: CampaignView, to wanted: PolicyRequest) -> [SettingChange] {
    var changes = PolicyDocument.changes(
      from: (view.policy, view.namedOverrides), to: (wanted.policy, wanted.overrides))
    if let end = wanted.endsAt, end != view.endsAt {
      changes.append(
        SettingChange(
          key: "ends_at", before: view.endsAt?.words, after: end.words))
    }
    return changes
  }

  private func version(_ etag: String) throws(WireStatus) -> UInt32? {
    guard !etag.isEmpty else { return nil }
    guard let version = UInt32(etag) else {
      throw WireStatus(
        invalid: "if_match",
        "“\(etag.bounded(to: 64))” is not an etag of an edit; a dry run gives one")
    }
    return version
  }
}

extension CampaignView {
  /// Whole policies of the clients that have their own.
  fileprivate var namedOverrides: [ClientName: Policy] {
    Dictionary(overrides.map { ($0.client, $0.policy) }) { first, _ in first }
  }
}

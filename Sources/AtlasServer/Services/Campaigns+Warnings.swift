import AtlasCalendar
import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasWire

/// What is worked out around a request, so that somebody hears of what cannot work.
extension Campaigns {
  /// The windows of a policy in the zones of the fleet, so that it is known before the request is
  /// decided whether they ever meet those of clients; none for a policy without.
  func ownWindows(of policy: Policy) async throws(WireStatus) -> [ZoneWindows] {
    guard let windows = policy.windows else { return [] }
    let snapshot = try await self.snapshot()
    let zones = Set(snapshot.state.clients.map(\.config.zone))
    let now = snapshot.now
    let found = try await core.bench.work {
      Result { () throws(WindowError) in
        try WindowCalendar.intervals(of: windows, zones: zones, around: now)
      }
    }
    do { return try found.get() } catch { throw WireStatus(invalid: "policy.windows", "\(error)") }
  }

  /// What somebody should look at about a campaign as it is now. None when there is no time to work
  /// it out: what was asked for is done already.
  func warnings(of name: CampaignName, _ own: [ZoneWindows]) async -> [AtlasV1.Diagnostic] {
    guard let snapshot = try? await self.snapshot(),
      let warnings = try? await core.bench.work({ snapshot.warnings(of: name, ownWindows: own) })
    else { return [] }
    return warnings.map { AtlasV1.Diagnostic($0) }
  }
}

extension AtlasV1.Diagnostic {
  fileprivate init(_ warning: CampaignWarning) {
    self.init(
      field: warning.field, message: warning.message, hint: warning.hint, warning: true)
  }
}

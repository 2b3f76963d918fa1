import AtlasEngine
import AtlasModel

extension ControlSnapshot {
  /// What somebody should look at about a campaign; empty when there is no such campaign.
  /// - Parameter ownWindows: Of its policy, as ``CampaignRequest/ownWindows``.
  package func warnings(
    of name: CampaignName, ownWindows: [ZoneWindows] = []
  ) -> [CampaignWarning] {
    guard let id = state.campaign(named: name) else { return [] }
    return state.warnings(of: id, own: ownWindows, now: now)
  }
}

import AtlasModel

/// Campaign time as the daemon told it, running on at its factor.
package struct CampaignClock: Sendable {
  /// Campaign time at ``anchoredAt``.
  private let anchor: Instant
  private let anchoredAt: ContinuousClock.Instant
  package let factor: Int

  package init(campaignTime: Instant, factor: Int, at moment: ContinuousClock.Instant) {
    anchor = campaignTime
    anchoredAt = moment
    self.factor = max(factor, 1)
  }

  package func instant(at moment: ContinuousClock.Instant) -> Instant {
    anchor + (moment - anchoredAt) * factor
  }

  /// How long `duration` of campaign time takes.
  package func real(_ duration: Duration) -> Duration { duration / factor }
}

import AtlasModel

/// A plan that was asked for, to be worked out beside the control machine: that takes as long as
/// twenty seconds for the largest fleets, and the machine stands still for nobody.
package struct PlanWork: Sendable {
  package let snapshot: ControlSnapshot
  package let campaign: CampaignName
  package let whatIf: [WhatIf]

  /// Works it out. The same work gives the same plans.
  /// - Throws: ``ControlError`` when the campaign could not be started.
  package func work() throws(ControlError) -> PlanComparison {
    let plan = try snapshot.plan(campaign)
    guard !whatIf.isEmpty else { return PlanComparison(plan: plan, whatIf: [], supposed: nil) }
    return PlanComparison(
      plan: plan, whatIf: whatIf, supposed: try snapshot.plan(campaign, whatIf: whatIf))
  }
}

/// A plan, and beside it the one that would be if something were otherwise.
package struct PlanComparison: Hashable, Sendable {
  package var plan: CampaignPlan
  package var whatIf: [WhatIf]
  /// Nil when nothing is supposed.
  package var supposed: CampaignPlan?
}

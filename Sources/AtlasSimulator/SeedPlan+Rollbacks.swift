import AtlasModel

/// Snapshots that are kept, and campaigns that go back to them. Drawn from a source of its own, once
/// the campaigns are there.
extension SeedPlan {
  mutating func planRollbacks() {
    var random = Randomness(seed: seed, for: "rollbacks")
    for index in campaigns.indices {
      guard random.happens(600) else { continue }
      campaigns[index].policy.snapshotRetention = random.pick([
        .seconds(3_600), .seconds(4 * 3_600), .seconds(12 * 3_600), .seconds(30 * 3_600),
      ])
      for number in 1...random.number(1...2) where random.happens(700) {
        rollbacks.append(PlannedRollback(number, of: campaigns[index], self, &random))
      }
    }
  }

  /// Takes out what has nothing left to go back to.
  mutating func forgetRollbacks() {
    let names = Set(clients.map(\.config.name))
    for index in rollbacks.indices where !rollbacks[index].clients.isEmpty {
      rollbacks[index].clients.removeAll { !names.contains($0) }
      if rollbacks[index].clients.isEmpty { rollbacks[index].of = CampaignName(trusted: "none") }
    }
    let campaigns = Set(campaigns.map(\.name))
    rollbacks.removeAll { !campaigns.contains($0.of) }
  }
}

/// A rollback campaign of a seed.
package struct PlannedRollback: Hashable, Sendable {
  package var name: CampaignName
  package var of: CampaignName
  /// Of which clients; empty for all.
  package var clients: [ClientName]
  package var policy: Policy
  /// From the start of the weekend.
  package var at: Duration
  package var endsAt: Instant
  /// What becomes of the draft, and how long after it was made.
  package var then: Then
  package var wait: Duration

  package enum Then: Hashable, Sendable {
    case isStarted
    case isCancelled
  }

  init(
    _ number: Int, of campaign: PlannedCampaign, _ plan: SeedPlan, _ random: inout Randomness
  ) {
    name = CampaignName(trusted: "undo-\(number)-of-\(campaign.name)")
    of = campaign.name
    clients = []
    if random.happens(500) {
      clients = plan.clients.map(\.config.name).filter { _ in random.happens(400) }
    }
    policy = PlannedCampaign.policy(&random)
    policy.rollback = random.pick([.snapshot, .snapshot, .uninstall])
    policy.gates = policy.gates.map {
      var gate = $0
      gate.representative = false
      return gate
    }
    if random.happens(300) { policy.roleRollback = [] }
    let hours = random.number(8...50)
    at = .seconds(hours * 3_600)
    endsAt = plan.start + SeedPlan.campaignsEnd
    then = random.happens(850) ? .isStarted : .isCancelled
    wait = random.happens(700) ? .zero : random.minutes(30...12 * 60)
  }
}

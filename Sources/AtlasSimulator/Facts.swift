import AtlasChecker
import AtlasControl
import AtlasModel

// What the checker is told of what people configure, in its own words.

extension ScopeRequest {
  /// As the checker names it: `campaign`, `ring 2`, `client LAA`.
  var words: String {
    switch self {
    case .all: "campaign"
    case .ring(let ring): "ring \(ring.number)"
    case .client(let client): "client \(client)"
    }
  }
}

extension CampaignFact {
  /// - Parameter overrides: Of clients that have a policy of their own.
  init(_ name: CampaignName, _ policy: Policy, _ overrides: [ClientName: Policy]) {
    self.init(name, policy)
    for (client, own) in overrides { self.overrides[client.text] = CampaignFact(name, own) }
  }

  init(_ name: CampaignName, _ policy: Policy) {
    self.init(
      name: name.text, maxRetries: policy.maxRetries, maxParallel: policy.maxParallelServers,
      estimate: policy.times.estimate.milliseconds, soak: policy.serverSoak.milliseconds,
      reserve: policy.rollbackReserve.milliseconds,
      checkInterval: policy.checkInterval.milliseconds, requiresBackup: policy.requireBackup,
      requiresSnapshot: policy.createSnapshots,
      maxBackupAge: policy.maxBackupAge?.longest?.milliseconds,
      maxInProgress: policy.maxInProgress, maxActiveClients: policy.maxActiveClients,
      maxWaitingForPeople: policy.maxWaitingForPeople, perSite: policy.perSite,
      peerCheck: policy.peerCheck.map(\.text))
    retention = policy.snapshotRetention.milliseconds
    maxStartsPerMinute = policy.maxStartsPerMinute
    leastAgent = policy.minAgentVersion?.text ?? ""
    minAvailable = policy.minAvailable
    window = SeedPlan.ownWindows.first { $0.text == policy.windows?.rule }
    for role in policy.roleTimes {
      roleEstimates[role.role.text] = role.times.estimate.milliseconds
    }
    for asked in policy.resources { resources[asked.name.text] = asked.limit }
    gates = (0...Int(Ring.last.number)).compactMap { Ring($0) }.map {
      GateFact(policy.gate(after: $0))
    }
    breakers = BreakerFact(
      maxFailedPerClient: policy.breakers.maxFailedPerClient,
      successRate: policy.breakers.successRate, sample: policy.breakers.sample)
  }
}

extension GateFact {
  init(_ gate: RingGate) {
    self.init(
      isComplete: gate.openAfter == .complete, minCompleted: gate.minCompleted,
      successRate: gate.successRate, maxFailed: gate.maxFailed,
      soak: gate.gateSoak.milliseconds, needsApproval: gate.approval == .manual,
      isRepresentative: gate.representative)
  }
}

extension ClientFact {
  init(_ planned: PlannedClient, _ config: ClientConfig) {
    self.init(
      name: config.name.text, slots: config.maxParallelServers, zone: planned.zone,
      windows: planned.weekly,
      freezes: config.freezes.map {
        $0.interval.start.milliseconds..<$0.interval.end.milliseconds
      }, requiresBackup: config.requireBackup,
      requiresSnapshot: config.createSnapshots,
      maxBackupAge: config.maxBackupAge.longest?.milliseconds)
    ring = Int(config.ring.number)
    requiresChangeReference = config.requireChangeReference
  }
}

extension ServerFact {
  init(_ config: ServerConfig) {
    self.init(
      name: config.name.text, client: config.client.text, roles: config.roles.map(\.text),
      system: config.system, after: config.after.map(\.text),
      group: config.antiAffinity?.text ?? "",
      host: config.host?.text ?? "", migratesGuests: config.migratesGuests,
      carriesAtlas: config.carriesAtlas)
    site = config.site.text
    resources = config.resources.map(\.text)
  }
}

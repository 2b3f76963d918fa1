import AtlasModel

/// What a policy says, as the engine asks for it several times in every step.
///
/// An object that never changes: a ``Policy`` has lists and texts, and copying one, or as many
/// plain values as these, costs more than most steps do.
final class Rules: Sendable {
  let checkInterval: Duration
  let minAvailable: Int?
  let peerCheck: [Role]
  let maxRetries: Int
  let retryBackoff: Duration
  let maxPasses: Int
  let autoRollback: Bool
  let onFailure: OnFailure
  let clientLockTimeout: Duration
  let offlineGrace: Duration
  let deferLimit: Duration
  let cancelGrace: Duration
  let serverSoak: Duration
  let rollbackReserve: Duration
  let snapshotRetention: Duration
  let pendingReboot: PendingReboot
  let download: DownloadRule
  let maxParallelServers: Int?
  let perSite: Int?
  let maxBackupAge: BackupAge?
  let minAgentVersion: AgentVersion?
  let requireBackup: Bool
  let createSnapshots: Bool
  /// For a server whose roles ask for no times of their own.
  let times: PhaseTimes
  let hasRoleTimes: Bool
  /// The limits of ``times`` by phase.
  let limits: [Duration?]

  /// - Parameter campaign: The policy of the whole campaign, which one for a client only tightens
  ///   where it says so.
  init(_ policy: Policy, in campaign: Policy? = nil) {
    checkInterval = policy.checkInterval
    minAvailable = policy.minAvailable
    peerCheck = policy.peerCheck
    maxRetries = policy.maxRetries
    retryBackoff = policy.retryBackoff
    maxPasses = policy.maxPasses
    autoRollback = policy.autoRollback
    onFailure = policy.onFailure
    clientLockTimeout = policy.clientLockTimeout
    offlineGrace = policy.offlineGrace
    deferLimit = policy.deferLimit
    cancelGrace = policy.cancelGrace
    serverSoak = policy.serverSoak
    rollbackReserve = policy.rollbackReserve
    snapshotRetention = policy.snapshotRetention
    pendingReboot = policy.pendingReboot
    download = policy.download
    maxParallelServers = policy.maxParallelServers
    perSite = policy.perSite
    maxBackupAge = policy.maxBackupAge
    minAgentVersion = .higher(policy.minAgentVersion, campaign?.minAgentVersion)
    requireBackup = policy.requireBackup
    createSnapshots = policy.createSnapshots
    times = policy.times
    hasRoleTimes = !policy.roleTimes.isEmpty
    limits = Phase.allCases.map(policy.times.limit)
  }
}

extension Campaign {
  /// Position in ``rules`` of those for `client`.
  func rule(for client: ClientID) -> Int { override(for: client).map { $0 + 1 } ?? 0 }

  /// Position of the client's own policy in ``overrides``; nil when it has none.
  func override(for client: ClientID) -> Int? { overrides.position(of: client) }
}

extension ControlState {
  /// The rules as they are for the client of a run.
  @inline(__always)
  func rules(of ref: RunRef) -> Rules {
    let index = Int(ref.campaign.index)
    if !campaigns[index].earlier.isEmpty, let earlier = earlierPolicy(of: ref) {
      return earlier.rules(for: clientOf(ref))
    }
    return rules(for: clientOf(ref), in: ref.campaign)
  }

  /// What the run does about a boot that is pending when it begins.
  package func pendingReboot(of ref: RunRef) -> PendingReboot { rules(of: ref).pendingReboot }

  /// The rules for what has not started.
  @inline(__always)
  func rules(for client: ClientID, in campaign: CampaignID) -> Rules {
    let index = Int(campaign.index)
    // Asked here and not by a method of the campaign: that would copy it.
    guard !campaigns[index].overrides.isEmpty, !Plant.overridesIgnored.isOn else {
      return campaigns[index].rules[0]
    }
    return campaigns[index].rules[campaigns[index].rule(for: client)]
  }

  /// How long a phase of a run may take; nil where it has a length instead of a limit.
  func limit(of phase: Phase, _ ref: RunRef) -> Duration? {
    let rules = rules(of: ref)
    guard !rules.hasRoleTimes else { return roleTimes(of: ref).limit(of: phase) }
    return rules.limits[Int(phase.rawValue)]
  }

  /// How long a run is expected to hold its slot, as long as history does not know better: what the
  /// policy says, and its soak.
  package func policyEstimate(of ref: RunRef) -> Duration {
    let rules = rules(of: ref)
    let estimate = rules.hasRoleTimes ? roleTimes(of: ref).estimate : rules.times.estimate
    return estimate + rules.serverSoak
  }

  /// How long an installer may report nothing before it is worth a look.
  func noProgress(of ref: RunRef) -> Duration {
    let rules = rules(of: ref)
    return rules.hasRoleTimes ? roleTimes(of: ref).noProgress : rules.times.noProgress
  }

  private func roleTimes(of ref: RunRef) -> PhaseTimes {
    let roles = servers[Int(self[ref].server.index)].config.roles
    return policy(of: ref).times(for: roles)
  }
}

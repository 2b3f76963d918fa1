import AtlasModel

/// A policy, as part of a campaign's row.
extension ByteWriter {
  mutating func put(_ policy: Policy) {
    put(policy.maxRetries)
    put(policy.retryBackoff)
    put(policy.maxPasses)
    put(policy.autoRollback)
    put(policy.onFailure)
    put(policy.checkInterval)
    put(policy.clientLockTimeout)
    put(policy.offlineGrace)
    put(policy.times)
    put(policy.roleTimes) {
      $0.put($1.role)
      $0.put($1.times)
    }
    put(policy.rollbackReserve)
    put(policy.serverSoak)
    put(policy.deferLimit)
    put(policy.cancelGrace)
    put(policy.pendingReboot)
    put(policy.rollback)
    put(policy.roleRollback) {
      $0.put($1.role)
      $0.put($1.means)
    }
    put(policy.gates) { $0.put($1) }
    put(policy.maxInProgress) { $0.put($1) }
    put(policy.maxActiveClients) { $0.put($1) }
    put(policy.maxStartsPerMinute) { $0.put($1) }
    put(policy.maxParallelServers) { $0.put($1) }
    put(policy.maxBackupAge) { $0.put($1) }
    put(policy.requireBackup)
    put(policy.createSnapshots)
    put(policy.maxWaitingForPeople) { $0.put($1) }
    put(policy.carryOver)
    put(policy.download)
    put(policy.minAgentVersion) { $0.put($1.text) }
    put(policy.windows) { $0.put($1.rule) }
    put(policy.perSite) { $0.put($1) }
    put(policy.resources) { $0.put($1) }
    put(policy.breakers)
    put(policy.minAvailable) { $0.put($1) }
    put(policy.peerCheck) { $0.put($1) }
    put(policy.snapshotRetention)
  }

  private mutating func put(_ times: PhaseTimes) {
    for key in PhaseTimes.storedKeys { put(times[keyPath: key]) }
  }

  private mutating func put(_ gate: RingGate) {
    put(Int(gate.ring.number))
    put(gate.openAfter)
    put(gate.minCompleted)
    put(gate.successRate)
    put(gate.maxFailed)
    put(gate.gateSoak)
    put(gate.approval)
    put(gate.representative)
  }
}

extension ByteReader {
  mutating func policy() throws -> Policy {
    var policy = Policy()
    policy.maxRetries = try int()
    policy.retryBackoff = try duration()
    policy.maxPasses = try int()
    policy.autoRollback = try bool()
    policy.onFailure = try value()
    policy.checkInterval = try duration()
    policy.clientLockTimeout = try duration()
    policy.offlineGrace = try duration()
    policy.times = try times()
    policy.roleTimes = try array { RoleTimes(role: try $0.name(), times: try $0.times()) }
    policy.rollbackReserve = try duration()
    policy.serverSoak = try duration()
    policy.deferLimit = try duration()
    policy.cancelGrace = try duration()
    policy.pendingReboot = try value()
    policy.rollback = try value()
    policy.roleRollback = try array { RoleRollback(role: try $0.name(), means: try $0.value()) }
    policy.gates = try array { try $0.gate() }
    policy.maxInProgress = try optional { try $0.int() }
    policy.maxActiveClients = try optional { try $0.int() }
    policy.maxStartsPerMinute = try optional { try $0.int() }
    policy.maxParallelServers = try optional { try $0.int() }
    policy.maxBackupAge = try optional { try $0.backupAge() }
    policy.requireBackup = try bool()
    policy.createSnapshots = try bool()
    policy.maxWaitingForPeople = try optional { try $0.int() }
    policy.carryOver = try bool()
    if version < 3 { policy.forgetSafety() }
    guard version >= 2 else { return policy }
    // Version 1 forgot the first, and did not know the others.
    policy.download = try value()
    policy.minAgentVersion = try optional { try $0.agentVersion() }
    policy.windows = try optional { MaintenanceWindow(rule: try $0.string()) }
    guard version >= 3 else { return policy }
    policy.perSite = try optional { try $0.int() }
    policy.resources = try array { try $0.resourceLimit() }
    policy.breakers = try breakers()
    guard version >= 4 else { return policy }
    policy.minAvailable = try optional { try $0.int() }
    policy.peerCheck = try array { try $0.name() }
    policy.snapshotRetention = try duration()
    return policy
  }

  private mutating func agentVersion() throws -> AgentVersion {
    let text = try string()
    guard let version = AgentVersion(text) else { throw bad("“\(text)” is not a version") }
    return version
  }

  private mutating func times() throws -> PhaseTimes {
    var times = PhaseTimes()
    for key in PhaseTimes.storedKeys { times[keyPath: key] = try duration() }
    return times
  }

  private mutating func gate() throws -> RingGate {
    RingGate(
      ring: try ring(), openAfter: try value(), minCompleted: try int(), successRate: try int(),
      maxFailed: try int(), gateSoak: try duration(), approval: try value(),
      representative: version < 3 ? false : try bool())
  }
}

extension Policy {
  /// A campaign that was made before there were breakers and representatives goes on without them.
  fileprivate mutating func forgetSafety() {
    breakers = .off
    gates = (0...Int(Ring.last.number)).compactMap { Ring($0) }.map { ring in
      var gate = gate(after: ring)
      gate.representative = false
      return gate
    }
  }
}

extension PhaseTimes {
  /// In the order in which they are stored.
  fileprivate static var storedKeys: [WritableKeyPath<PhaseTimes, Duration>] {
    [
      \.estimate, \.download, \.preCheck, \.snapshot, \.update, \.reboot, \.postCheck,
      \.rollback, \.finalize, \.noProgress,
    ]
  }
}

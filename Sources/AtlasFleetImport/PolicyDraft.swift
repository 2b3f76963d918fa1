import AtlasModel

/// A policy while it is being put together: roles and gates as what was said about them, so that
/// a client's override of the common value still reaches them.
struct PolicyDraft {
  /// Everything that is a single value, with the common times.
  var policy: Policy
  /// By role, what differs from the common times.
  var roleTimes: [Role: [String: Duration]] = [:]
  /// Said about every gate, by the name of the key.
  var allGates: [String: String] = [:]
  var gates: [Ring: [String: String]] = [:]
  /// Dotted keys that were written, such as `gates.0.success_rate`.
  var explicit: Set<String> = []
  /// Where keys were written.
  var places: [String: Place] = [:]

  init(over policy: Policy) {
    self.policy = policy
    for role in policy.roleTimes {
      for key in TimeKey.all where role.times[keyPath: key.path] != policy.times[keyPath: key.path]
      {
        roleTimes[role.role, default: [:]][key.name] = role.times[keyPath: key.path]
      }
    }
  }

  mutating func note(_ key: String, at place: Place) {
    explicit.insert(key)
    places[key] = place
  }

  mutating func setRollback(_ means: RollbackMeans, of role: Role) {
    if let index = policy.roleRollback.firstIndex(where: { $0.role == role }) {
      policy.roleRollback[index].means = means
    } else {
      policy.roleRollback.append(RoleRollback(role: role, means: means))
    }
  }

  /// Takes what a client has otherwise than the campaign that it is of, and nothing else.
  mutating func take(_ own: Policy, differingFrom campaign: Policy) {
    for key in PolicyKey.all where key.isForClients && key.text(own) != key.text(campaign) {
      // A value that was read before is read again.
      try? key.set(&policy, key.text(own))
    }
    for key in TimeKey.all where own.times[keyPath: key.path] != campaign.times[keyPath: key.path] {
      policy.times[keyPath: key.path] = own.times[keyPath: key.path]
    }
    for role in own.roleTimes {
      let common = campaign.roleTimes.first { $0.role == role.role }?.times ?? campaign.times
      for key in TimeKey.all where role.times[keyPath: key.path] != common[keyPath: key.path] {
        roleTimes[role.role, default: [:]][key.name] = role.times[keyPath: key.path]
      }
    }
    if own.rollback != campaign.rollback { policy.rollback = own.rollback }
    for role in own.roleRollback where !campaign.roleRollback.contains(role) {
      setRollback(role.means, of: role.role)
    }
  }

  /// The policy with roles and gates in place.
  func finished() -> Policy {
    var finished = policy
    finished.roleTimes = roleTimes.sorted { $0.key < $1.key }.map { role, differing in
      var times = policy.times
      for key in TimeKey.all { differing[key.name].map { times[keyPath: key.path] = $0 } }
      return RoleTimes(role: role, times: times)
    }
    let rings = allGates.isEmpty ? Ring.gated.filter { gates[$0] != nil } : Ring.gated
    let said = rings.map(gate)
    finished.gates = policy.gates.filter { old in !said.contains { $0.ring == old.ring } } + said
    finished.gates.sort { $0.ring < $1.ring }
    return finished
  }

  /// Every text was read once already, so none is refused here.
  private func gate(_ ring: Ring) -> RingGate {
    var gate = policy.gate(after: ring)
    for key in GateKey.all {
      guard let text = gates[ring]?[key.name] ?? allGates[key.name] else { continue }
      try? key.set(&gate, text)
    }
    return gate
  }
}

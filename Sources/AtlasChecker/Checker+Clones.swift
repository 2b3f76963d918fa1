/// Copies of virtual machines, with the name and the journal of the original. Nobody can tell which of
/// the two answers: that there is one server of the name is no promise of Atlas then.
extension Checker {
  struct CloneModel {
    /// Copies that are still there.
    var machines: Set<Int> = []
    /// When the last of them went.
    var goneAt: Int64 = .min
  }

  /// A machine is a copy of another from now on.
  package mutating func cloned(_ machine: Int, as copy: Int, of server: String) {
    clones[server, default: CloneModel()].machines.insert(copy)
    machines[copy] = machines[machine]
  }

  /// A machine is no more.
  package mutating func removed(machine: Int) {
    machines[machine] = nil
    for name in clones.keys where clones[name]?.machines.remove(machine) != nil {
      clones[name]?.goneAt = now
    }
  }

  /// Whether another machine of the name of a server is there, or has left words behind.
  func isAmbiguous(_ server: String) -> Bool { clones[server] != nil }

  /// A server starts anew: when only the original is left, it is one server again. What its clone has
  /// said may arrive for some minutes.
  mutating func forgetClones(of server: String) {
    guard let model = clones[server], model.machines.isEmpty, now - model.goneAt >= 300_000,
      !machines.values.contains(where: { $0.server == server && $0.running != nil })
    else { return }
    clones[server] = nil
    servers[server]?.changedBy = nil
  }
}

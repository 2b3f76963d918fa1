import AtlasEngine
import AtlasModel

/// The fleet's order (§7), from what is in the fleet and what hooks said.
extension EngineChecker {
  package mutating func heardOfPeers(_ verdict: HookVerdict, of ref: RunRef, now: Instant) {
    switch verdict {
    case .ok, .notDefined: runs[ref]?.peersWellAt = now
    case .skip, .deferred, .fail, .error, .timeout, .cancelled, .next, .left:
      runs[ref]?.peersWellAt = nil
    }
  }

  /// Nothing starts before what goes before it is done, or beside another of its group.
  mutating func checkOrder(_ ref: RunRef, _ client: ClientID, _ unexplained: [ServerTruth]) {
    guard let truth = runs[ref] else { return }
    let own = servers[Int(truth.server.index)].config
    let late = servers.filter { $0.config.carriesAtlas && !own.carriesAtlas }.map(\.config.name)
    for name in own.after where !late.contains(name) {
      let isOpen = runs.contains { other, run in
        other.campaign == ref.campaign && servers[Int(run.server.index)].config.name == name
          && run.kind?.isTerminal != true
      }
      if isOpen { report("\(self.name(ref)) starts before \(name) is done") }
    }
    guard let group = own.antiAffinity else { return }
    let busy = clients[Int(client.index)].slots.compactMap { runs[$0]?.server }
      .map { servers[Int($0.index)] }
    for other in busy + unexplained where other.config.antiAffinity == group {
      report("\(name(ref)) starts beside \(other.config.name) of its group")
    }
  }

  /// Rule 9: the peers were well just now.
  mutating func checkPeers(_ ref: RunRef, _ policy: Policy, now: Instant) {
    guard let truth = runs[ref] else { return }
    let own = servers[Int(truth.server.index)].config
    guard own.antiAffinity != nil || truth.roles.contains(where: policy.peerCheck.contains) else {
      return
    }
    guard let at = truth.peersWellAt, now - at <= .seconds(60) else {
      return report("\(name(ref)) starts, and nobody said that its peers are well")
    }
  }
}

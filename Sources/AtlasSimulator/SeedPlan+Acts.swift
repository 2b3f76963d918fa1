import AtlasModel

/// One thing that a seed plans, and that a reduced seed can leave out.
enum PlannedAct: Hashable, Sendable {
  /// One of ``FaultMenu/moments``.
  case moment(Int)
  /// One of ``FaultMenu/interventions``.
  case intervention(Int)
  case spell(Int)
  case outage(Int)
  case rollback(Int)
  /// One of ``SeedPlan/changes``.
  case change(Int)
  /// One of ``SeedPlan/imports``.
  case fleetImport(Int)
  case ailment(ServerName, Ailment)
}

extension SeedPlan {
  /// All of a seed, in one sequence: the numbers of its acts are places in it. Only a plan that has
  /// everything in it numbers them as reduced seeds do.
  var acts: [PlannedAct] {
    var acts = (0..<menu.moments).map { PlannedAct.moment($0) }
    acts += (0..<menu.interventions).map { .intervention($0) }
    acts += spells.indices.map { .spell($0) }
    acts += outages.indices.map { .outage($0) }
    acts += rollbacks.indices.map { .rollback($0) }
    acts += changes.indices.map { .change($0) }
    acts += imports.indices.map { .fleetImport($0) }
    for server in clients.flatMap(\.servers) {
      let ailments = Ailment.allCases.filter(server.ailments.contains)
      acts += ailments.map { .ailment(server.config.name, $0) }
    }
    return acts
  }

  /// Takes acts out of a plan that still has all of its lists. Moments and interventions stay, so
  /// that the others come when they came; they only do nothing.
  mutating func leaveOut(_ acts: Set<PlannedAct>) {
    leftOut.formUnion(acts)
    spells = spells.without { acts.contains(.spell($0)) }
    outages = outages.without { acts.contains(.outage($0)) }
    rollbacks = rollbacks.without { acts.contains(.rollback($0)) }
    changes = changes.without { acts.contains(.change($0)) }
    imports = imports.without { acts.contains(.fleetImport($0)) }
    for client in clients.indices {
      for server in clients[client].servers.indices {
        let name = clients[client].servers[server].config.name
        clients[client].servers[server].ailments = clients[client].servers[server].ailments
          .filter { !acts.contains(.ailment(name, $0)) }
      }
    }
  }
}

extension Array {
  fileprivate func without(_ isOut: (Int) -> Bool) -> [Element] {
    indices.filter { !isOut($0) }.map { self[$0] }
  }
}

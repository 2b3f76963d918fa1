import AtlasModel

/// What is left of a seed: fewer clients, fewer faults, fewer people, and still the same violation.
/// As text it is a file that a person can read, and a regression test can run.
package struct Reduction: Hashable, Sendable {
  package var seed: UInt64
  /// Names of the clients that are left; nil for all.
  package var clients: [String]?
  /// What is switched off, by name: see ``Reduction/switches``.
  package var without: Set<String> = []
  /// Moments of faults that do not happen, by number.
  package var leftOut: Set<Int> = []

  package init(seed: UInt64) { self.seed = seed }

  /// The plan that it describes.
  package var plan: SeedPlan {
    var plan = SeedPlan(
      seed: seed, without: Set(without.compactMap { SettingKind(rawValue: $0) }))
    if let clients {
      plan.clients.removeAll { !clients.contains($0.config.name.text) }
      let servers = Set(plan.clients.flatMap(\.servers).map(\.config.name))
      for index in plan.campaigns.indices {
        plan.campaigns[index].servers.removeAll { !servers.contains($0) }
      }
      plan.campaigns.removeAll { $0.servers.isEmpty }
      plan.forgetMissing()
      plan.forgetRollbacks()
    }
    for name in without.sorted() { Self.switchOff(name, in: &plan) }
    plan.leftOut = leftOut
    return plan
  }

  /// Everything that can be switched off.
  static let switches: [String] =
    ["late", "doubled", "reordered", "lost", "fragile", "hooks", "ailments", "people", "rollbacks"]
    + FaultKind.allCases.map(\.rawValue) + SettingKind.allCases.map(\.rawValue)

  private static func switchOff(_ name: String, in plan: inout SeedPlan) {
    switch name {
    case "late": plan.menu.late = 0
    case "doubled": plan.menu.doubled = 0
    case "reordered": plan.menu.reordered = 0
    case "lost": plan.menu.lost = 0
    case "fragile": plan.menu.fragile = 0
    case "hooks": plan.menu.badHooks = 0
    case "people": plan.menu.interventions = 0
    case "rollbacks": plan.rollbacks = []
    case "ailments":
      for client in plan.clients.indices {
        for server in plan.clients[client].servers.indices {
          plan.clients[client].servers[server].ailments = []
        }
      }
    case _: plan.menu.off.formUnion(FaultKind(rawValue: name).map { [$0] } ?? [])
    }
  }
}

extension Reduction {
  /// Tries to leave out one thing after the other, and keeps what still fails in the same way.
  ///
  /// - Parameter limit: Weekends that are played at most.
  package static func reduce(_ seed: UInt64, limit: Int = 400) -> Reduction {
    var best = Reduction(seed: seed)
    guard let invariant = invariant(of: best) else { return best }
    var left = limit
    func fails(_ candidate: Reduction) -> Bool {
      left -= 1
      return left >= 0 && Self.invariant(of: candidate) == invariant
    }
    for name in switches {
      var candidate = best
      candidate.without.insert(name)
      if fails(candidate) { best = candidate }
    }
    best = fewerClients(best, fails)
    for moment in 0..<best.plan.menu.moments {
      var candidate = best
      candidate.leftOut.insert(moment)
      if fails(candidate) { best = candidate }
    }
    return fewerClients(best, fails)
  }

  private static func fewerClients(
    _ reduction: Reduction, _ fails: (Reduction) -> Bool
  ) -> Reduction {
    var best = reduction
    var names = best.plan.clients.map(\.config.name.text)
    var part = max(1, names.count / 2)
    while true {
      var start = 0
      while start < names.count, names.count > 1 {
        var candidate = best
        let fewer = Array(names[..<start] + names[min(names.count, start + part)...])
        candidate.clients = fewer
        if !fewer.isEmpty, fails(candidate) {
          best = candidate
          names = fewer
        } else {
          start += part
        }
      }
      if part == 1 { return best }
      part /= 2
    }
  }

  private static func invariant(of reduction: Reduction) -> String? {
    Simulation(reduction.plan).run().violations.first?.invariant
  }
}

/// As text: a line for each part, `#` before a remark.
extension Reduction {
  package var text: String {
    var lines = ["seed \(seed)"]
    if let clients { lines.append("clients " + clients.joined(separator: " ")) }
    if !without.isEmpty { lines.append("without " + without.sorted().joined(separator: " ")) }
    if !leftOut.isEmpty {
      lines.append("left-out " + leftOut.sorted().map { "\($0)" }.joined(separator: " "))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// - Throws: ``ReductionError`` with the line that cannot be read.
  package init(text: String) throws(ReductionError) {
    var seed: UInt64?
    var rest = Reduction(seed: 0)
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.prefix { $0 != "#" }.split(separator: " ").map(String.init)
      guard let key = words.first else { continue }
      let values = Array(words.dropFirst())
      switch key {
      case "seed": seed = values.first.flatMap(UInt64.init)
      case "clients": rest.clients = values
      case "without":
        guard values.allSatisfy(Self.switches.contains) else {
          throw ReductionError(line: number + 1, text: String(line))
        }
        rest.without = Set(values)
      case "left-out": rest.leftOut = Set(values.compactMap(Int.init))
      case _: throw ReductionError(line: number + 1, text: String(line))
      }
    }
    guard let seed else { throw ReductionError(line: 1, text: "no line “seed NUMBER”") }
    rest.seed = seed
    self = rest
  }
}

/// A line of a reduced seed that cannot be read.
package struct ReductionError: Error, Hashable, CustomStringConvertible {
  package let line: Int
  package let text: String

  package var description: String {
    "line \(line): “\(text)” is not understood; lines are seed NUMBER, clients NAME…, without "
      + "SWITCH… and left-out NUMBER…"
  }
}

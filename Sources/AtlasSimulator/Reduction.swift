import AtlasModel

/// What is left of a seed: fewer clients, fewer faults, fewer people, and still the same violation.
/// As text it is a file that a person can read, and a regression test can run.
package struct Reduction: Hashable, Sendable {
  package var seed: UInt64
  /// Names of the clients that are left; nil for all.
  package var clients: [String]?
  /// What is switched off, by name: see ``Reduction/switches``.
  package var without: Set<String> = []
  /// Single things that do not happen, by number: faults and what people do at their moments,
  /// spells, outages, rollback campaigns, changes of settings, imports, and ailments, in this
  /// order.
  package var leftOut: Set<Int> = []

  package init(seed: UInt64) { self.seed = seed }

  /// The plan that it describes.
  package var plan: SeedPlan {
    var plan = SeedPlan(
      seed: seed, without: Set(without.compactMap { SettingKind(rawValue: $0) }))
    if !leftOut.isEmpty {
      let acts = SeedPlan(seed: seed).acts
      plan.leaveOut(Set(leftOut.filter(acts.indices.contains).map { acts[$0] }))
    }
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
  package static func reduce(_ whole: Reduction, limit: Int = 800) -> Reduction {
    var best = whole
    guard let signature = Signature(of: best) else { return best }
    var left = limit
    func fails(_ candidate: Reduction) -> Bool {
      left -= 1
      return left >= 0 && Signature(of: candidate) == signature
    }
    for name in switches where !best.without.contains(name) {
      var candidate = best
      candidate.without.insert(name)
      if fails(candidate) { best = candidate }
    }
    best = fewerClients(best, fails)
    best = fewerActs(best, fails)
    return fewerClients(best, fails)
  }

  private static func fewerClients(
    _ reduction: Reduction, _ fails: (Reduction) -> Bool
  ) -> Reduction {
    func only(_ names: [String]) -> Reduction {
      var candidate = reduction
      candidate.clients = names
      return candidate
    }
    let names = reduction.plan.clients.map(\.config.name.text)
    let fewer = fewer(names) { !$0.isEmpty && fails(only($0)) }
    return fewer == names ? reduction : only(fewer)
  }

  private static func fewerActs(
    _ reduction: Reduction, _ fails: (Reduction) -> Bool
  ) -> Reduction {
    let all = Set(SeedPlan(seed: reduction.seed).acts.indices)
    func only(_ numbers: [Int]) -> Reduction {
      var candidate = reduction
      candidate.leftOut = all.subtracting(numbers)
      return candidate
    }
    return only(fewer(all.subtracting(reduction.leftOut).sorted()) { fails(only($0)) })
  }

  /// Leaves out parts of a list for as long as the rest fails: halves of it, then smaller parts.
  private static func fewer<Value>(_ values: [Value], _ fails: ([Value]) -> Bool) -> [Value] {
    var best = values
    var part = max(1, values.count / 2)
    while true {
      var start = 0
      while start < best.count {
        let rest = Array(best[..<start] + best[min(best.count, start + part)...])
        if fails(rest) { best = rest } else { start += part }
      }
      if part == 1 { return best }
      part /= 2
    }
  }
}

/// In which way a seed fails: the invariant, and what the text says apart from names and numbers.
struct Signature: Hashable {
  let invariant: String
  let text: String

  init(_ invariant: String, _ text: String) {
    self.invariant = invariant
    let words = text.split(separator: " ")
    self.text = words.map { $0.contains(where: \.isNumber) ? "…" : String($0) }.joined(
      separator: " ")
  }

  /// Nil when everything holds.
  init?(of reduction: Reduction) {
    guard let first = Simulation(reduction.plan).run().violations.first else { return nil }
    self.init(first.invariant, first.text)
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

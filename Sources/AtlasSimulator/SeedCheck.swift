import AtlasModel

/// Runs seeds, each twice: the second time must go exactly like the first.
package enum SeedCheck {
  /// What became of a seed.
  package struct Finding: Sendable {
    package let seed: UInt64
    /// Such as `S1`; empty when two runs differ.
    package let invariant: String
    /// In a line: which invariant does not hold, or that two runs differ.
    package let text: String
    /// How far into the weekend.
    package let at: Duration
  }

  /// What many seeds were like.
  package struct Summary: Sendable {
    package var seeds = 0
    package var runs = 0
    package var happenings = 0
    package var virtualTime = Duration.zero
    package var sometimes = SometimesCount()
    package var findings: [Finding] = []

    package init() {}

    package mutating func add(_ other: Summary) {
      seeds += other.seeds
      runs += other.runs
      happenings += other.happenings
      virtualTime += other.virtualTime
      sometimes.add(other.sometimes)
      findings = (findings + other.findings).sorted { $0.seed < $1.seed }
    }
  }

  /// Plays one seed, twice.
  package static func run(_ plan: SeedPlan) -> Summary {
    let first = Simulation(plan).run()
    var summary = Summary()
    summary.seeds = 1
    summary.runs = first.runs
    summary.happenings = first.happenings
    summary.virtualTime = first.virtualTime
    summary.sometimes = first.sometimes
    if let finding = finding(of: first) {
      summary.findings = [finding]
      return summary
    }
    let second = Simulation(plan).run()
    if first.hash != second.hash || first.happenings != second.happenings {
      let text = "two runs of the seed differ: something is drawn that is not of the seed"
      summary.findings = [Finding(seed: plan.seed, invariant: "", text: text, at: .zero)]
    }
    return summary
  }

  /// What is wrong with a seed that was played once, if anything is: what one of `rules` says, if
  /// any of them does.
  package static func finding(
    of outcome: SimulationOutcome, by rules: Set<String> = []
  ) -> Finding? {
    let violation = outcome.violations.first { rules.contains($0.invariant) }
    return (violation ?? outcome.violations.first).map {
      Finding(
        seed: outcome.seed, invariant: $0.invariant, text: $0.description, at: outcome.violatedAt)
    }
  }
}

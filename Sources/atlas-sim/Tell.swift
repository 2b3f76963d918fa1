import ArgumentParser
import AtlasSimulator

/// `atlas-sim tell`: the story of one seed.
struct Tell: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells the story of one seed, line by line, up to what does not hold.")

  @Argument(help: "The seed.")
  var seed: UInt64

  @Option(help: ArgumentHelp("Only lines with this text.", valueName: "text"))
  var only: String?

  func run() throws {
    print("seed \(seed)")
    let outcome = Simulation(SeedPlan(seed: seed), isTelling: true).run()
    outcome.print(only: only)
  }
}

extension SimulationOutcome {
  func print(only: String? = nil) {
    for line in story where only.map(line.contains) ?? true { Swift.print(line) }
    for violation in violations { Swift.print("VIOLATION \(violation)") }
    if violations.isEmpty { Swift.print("everything held") }
  }
}

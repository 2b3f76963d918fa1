import ArgumentParser
import AtlasModel
import AtlasSimulator

/// `atlas-sim tell`: the story of one seed.
struct Tell: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells the story of one seed, line by line, up to what does not hold.")

  @Argument(help: ArgumentHelp("A seed, or a file with a reduced one.", valueName: "seed"))
  var played: PlayedSeed

  @Option(help: ArgumentHelp("A bug to plant.", valueName: "bug"))
  var plant: Plant?

  @Option(help: ArgumentHelp("Only lines with this text.", valueName: "text"))
  var only: String?

  func run() throws {
    PlayedSeeds.watch()
    try plant?.putIn()
    print(played.reduction.text, terminator: "")
    let outcome = PlayedSeeds.play(played.reduction.seed, job: 0) {
      Simulation(played.reduction.plan, isTelling: true).run()
    }
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

import ArgumentParser
import AtlasModel
import AtlasSimulator

/// `atlas-sim reduce`: a failing seed with as little in it as possible.
struct Reduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a failing seed as small as possible, and tells its story.",
    discussion: """
      The lines at the top are a file that `Tests/AtlasSimulatorTests/Seeds` may keep, so that what \
      was found once is looked for always.
      """)

  @Argument(help: ArgumentHelp("A seed, or a file with a reduced one.", valueName: "seed"))
  var played: PlayedSeed

  @Option(help: ArgumentHelp("The bug that it finds when it is planted.", valueName: "bug"))
  var plant: Plant?

  func run() throws {
    PlayedSeeds.watch()
    try plant?.putIn()
    let reduction = PlayedSeeds.play(played.reduction.seed, job: 0) {
      Reduction.reduce(played.reduction)
    }
    let outcome = Simulation(reduction.plan, isTelling: true).run()
    print(reduction.text)
    outcome.print()
  }
}

extension Plant: ExpressibleByArgument {
  /// - Throws: when the program was built without bugs.
  func putIn() throws {
    #if ATLAS_PLANTS
      Plant.planted = self
    #else
      print("error: this program was built without bugs; `scripts/simulate` builds one with them")
      throw ExitCode(64)
    #endif
  }
}

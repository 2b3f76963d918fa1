import ArgumentParser
import AtlasSimulator

/// `atlas-sim reduce`: a failing seed with as little in it as possible.
struct Reduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a failing seed as small as possible, and tells its story.",
    discussion: """
      The lines at the top are a file that `Tests/AtlasSimulatorTests/Seeds` may keep, so that what \
      was found once is looked for always.
      """)

  @Argument(help: "The seed.")
  var seed: UInt64

  func run() throws {
    let reduction = Reduction.reduce(seed)
    let outcome = Simulation(reduction.plan, isTelling: true).run()
    print(reduction.text)
    outcome.print()
  }
}

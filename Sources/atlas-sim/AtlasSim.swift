import ArgumentParser

@main
struct AtlasSim: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atlas-sim",
    abstract: "Plays weekends of Atlas in virtual time, and checks what must always be true.",
    discussion: """
      The real engine, control machine and agents run in one thread, with clock, network, store, \
      hooks, people and hardware driven by a seed. The same seed is the same weekend, always.
      """,
    subcommands: [Check.self, Tell.self, Reduce.self, Scenarios.self])
}

import ArgumentParser

/// The program on every server, and the rehearsal of a whole fleet.
@main
struct AtlasAgentProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atlas-agent",
    abstract: "Carries out what the Atlas daemon orders, on one server or on a simulated fleet.",
    version: version,
    subcommands: [Run.self, Simulate.self])

  static let version = "1.0.0"
}

import ArgumentParser

/// `atlas fleet …`
struct FleetNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet",
    abstract: "Bring clients and servers in, and lists out.",
    discussion: """
        atlas fleet diff servers.csv clients.yaml
        atlas fleet import servers.csv clients.yaml
        atlas fleet export --kind servers > servers.csv
      """,
    subcommands: [FleetImport.self, FleetDiff.self, FleetExport.self])
}

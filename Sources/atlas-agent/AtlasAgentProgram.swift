import ArgumentParser
import Foundation

/// The program on every server, and the rehearsal of a whole fleet.
@main
struct AtlasAgentProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atlas-agent",
    abstract: "Carries out what the Atlas daemon orders, on one server or on a simulated fleet.",
    version: version,
    subcommands: [Run.self, Simulate.self])

  static let version = "1.0.0"

  /// A command line that is wrong is told in the words of `atlas`: what, and where help is.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      let message = message(for: error)
      let verb = CommandLine.arguments.dropFirst().first { word in
        configuration.subcommands.contains { $0._commandName == word }
      }
      complain(
        message.hasSuffix(".") ? String(message.dropLast()) : message,
        hint: (["atlas-agent", verb].compactMap { $0 } + ["--help"]).joined(separator: " "))
      Foundation.exit(ExitStatus.usage)
    }
  }
}

import ArgumentParser
import AtlasAgentKit
import Logging

/// `atlas-agent run`: the agent of this server.
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the agent of this server.",
    discussion: """
      The configuration names the daemon, the files for mutual TLS, and the programs that carry \
      out commands. A program reads the command as JSON on its standard input and answers with \
      lines of JSON.
      """)

  @Option(help: "JSON file with the configuration.")
  var config: String

  func run() async throws {
    do {
      let configuration = try AgentConfiguration(json: read(config))
      var logger = Logger(label: "atlas-agent") { StreamLogHandler.standardError(label: $0) }
      logger[metadataKey: "server"] = "\(configuration.server)"
      let agent = try ServerAgent(
        configuration, version: AtlasAgentProgram.version, logger: logger)
      let signals = Signals { agent.stop() }
      defer { signals.cancel() }
      try await agent.run()
    } catch {
      complain(String(describing: error))
      throw ExitCode(ExitStatus.failure)
    }
  }
}

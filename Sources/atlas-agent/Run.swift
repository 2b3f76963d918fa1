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

        {
          "server": "LAA-PARIS-SQL01",
          "address": "atlas.example:7443",
          "state_dir": "/var/lib/atlas-agent",
          "tls": {"authority": "ca.pem", "certificate": "a.pem", "key": "a.key"},
          "programs": {"UPDATE": ["/usr/lib/atlas-agent/update"]}
        }
      """)

  @Option(help: ArgumentHelp("JSON file with the configuration.", valueName: "file"))
  var config: String

  func run() async throws {
    do {
      let configuration = try NamedFile.read(config) { try AgentConfiguration(json: $0) }
      var logger = Logger(label: "atlas-agent") { StreamLogHandler.standardError(label: $0) }
      logger[metadataKey: "server"] = "\(configuration.server)"
      let agent = try ServerAgent(
        configuration, version: AtlasAgentProgram.version, logger: logger)
      let signals = Signals { agent.stop() }
      defer { signals.cancel() }
      try await agent.run()
    } catch {
      let isFile = error is NamedFileError
      complain(
        String(describing: error), hint: isFile ? "atlas-agent run --help shows one" : nil)
      throw ExitCode(ExitStatus.failure)
    }
  }
}

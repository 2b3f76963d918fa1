import AtlasAgent
import AtlasModel
import Glibc
import Logging

/// The agent of the server it runs on.
package final class ServerAgent: Sendable {
  private typealias Host = AgentHost<ProgramServer>

  private let configuration: AgentConfiguration
  private let version: String
  private let logger: Logger
  private let runner: HostRunner<ProgramServer>

  package init(
    _ configuration: AgentConfiguration, version: String, logger: Logger
  ) throws {
    self.configuration = configuration
    self.version = version
    self.logger = logger
    runner = try HostRunner(
      address: configuration.address, connections: 1, security: configuration.security)
  }

  /// Works until ``stop()``.
  /// - Throws: What makes going on wrong: the state directory is in use or damaged, or cannot be
  ///   written.
  package func run() async throws {
    try await runner.run { mailbox, connect in
      let directory = try StateDirectory(path: self.configuration.stateDirectory)
      defer { withExtendedLifetime(directory) {} }
      let server = ProgramServer(
        server: self.configuration.server, bootID: try BootID.current(),
        programs: self.configuration.programs, prober: self.configuration.prober,
        deliver: { input in
          self.log(input)
          mailbox.post(.driver(agent: 0, input))
        })
      let host = Host(
        drivers: [server], journal: try FileJournal(path: directory.file("journal")),
        mailbox: mailbox,
        configuration: .init(
          version: self.version, rules: self.configuration.rules, seed: BootID.seed),
        clock: CampaignClock(
          campaignTime: Instant(milliseconds: WallClock.nanoseconds / 1_000_000), factor: 1,
          at: .now),
        connect: connect, observe: { _, observation, _ in self.log(observation) })
      try host.run()
    }
  }

  /// Ends the session and lets ``run()`` return. A program that is at work goes on; a later start
  /// of the agent asks it what became of it.
  package func stop() { runner.stop() }

  private func log(_ input: AgentInput) {
    guard case .driverFinished(let fence, let result) = input else { return }
    logger.notice(
      "ended: \(result.status) \(result.code) \(result.message)",
      metadata: ["fence": "\(fence.number)"])
  }

  private func log(_ observation: Host.Observation) {
    switch observation {
    case .note(.began(let command)): logger.notice("begins", metadata: command.metadata)
    case .note(.resumed(let command, let interruption)):
      logger.notice("goes on after \(interruption)", metadata: command.metadata)
    case .note(.refused(let command, let result)):
      logger.error("refused: \(result.message)", metadata: command.metadata)
    case .accepted(let command): logger.info("accepted", metadata: command.metadata)
    case .stopped(let fence):
      logger.warning("emergency stop", metadata: ["fence": "\(fence.number)"])
    case .welcomed(let welcome):
      logger.info("connected", metadata: ["daemon": "\(welcome.daemonVersion)"])
    case .sessionEnded(let reason):
      logger.warning("disconnected", metadata: ["reason": "\(reason)"])
    }
  }
}

extension Command {
  fileprivate var metadata: Logger.Metadata {
    ["fence": "\(fence.number)", "kind": "\(kind.word)", "campaign": "\(campaign)"]
  }
}

/// What tells one boot of this machine from another.
enum BootID {
  private static let path = "/proc/sys/kernel/random/boot_id"

  static func current() throws(FileError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    // A file of /proc says that its size is 0.
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { throw FileError("read", path) }
    return String(decoding: bytes.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self)
  }

  /// For the back-off: agents must not come back all at once.
  static var seed: UInt64 { .random(in: 0 ... .max) }
}

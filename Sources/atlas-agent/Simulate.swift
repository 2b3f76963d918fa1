import ArgumentParser
import AtlasAgentKit
import AtlasModel
import Foundation
import GRPCCore

/// `atlas-agent simulate`: a whole fleet in one process.
struct Simulate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plays the agents of a whole fleet, for rehearsals.",
    discussion: """
      Every simulated server has a session of its own. Durations, updates and failures come from \
      the seed, so that the same seed and the same commands give the same night. The state \
      directory holds the agents' journal, the servers' disks and ledger.jsonl, the fleet's own \
      record of what was done; started again with it, the fleet goes on where it was.

      A scenario, and the header of a list of servers:

        {"servers": {"LAA-PARIS-SQL01": "hangs"}, "clients": {"ZEN": "offline"}}
        server,client,roles
      """)

  @Option(help: ArgumentHelp("Where the daemon listens.", valueName: "host:port"))
  var address: DaemonAddress

  @Option(help: ArgumentHelp("Decides durations, updates and failures.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp("Share of the servers that have something wrong.", valueName: "0 to 1"))
  var failureRate = 0.0

  @Option(
    help: ArgumentHelp(
      "Directory for the journal, the servers' disks and the ledger.", valueName: "dir"))
  var stateDir: String

  @Option(
    help: ArgumentHelp("JSON file that plants failures on servers and clients.", valueName: "file")
  )
  var scenario: String?

  @Option(
    help: ArgumentHelp(
      "CSV file with the servers; without it the daemon is asked for its fleet.",
      valueName: "file"))
  var servers: String?

  @Option(
    help: ArgumentHelp(
      "HTTP/2 connections that the sessions share; by default one for 100 sessions.",
      valueName: "number"))
  var connections: Int?

  @Option(
    help: ArgumentHelp(
      "How long to wait for a daemon that does not answer yet, such as 30s.",
      valueName: "duration"))
  var wait: Span = Span(duration: .seconds(60))

  func validate() throws {
    guard (0...1).contains(failureRate) else {
      throw ValidationError("--failure-rate must be between 0 and 1.")
    }
    if let connections, connections < 1 {
      throw ValidationError("--connections must be at least 1.")
    }
  }

  func run() async throws {
    do {
      try await play()
    } catch let error as ExitCode {
      throw error
    } catch let error as RPCError where error.code == .unavailable {
      complain(
        "the daemon at \(address) does not answer: \(error.message)",
        hint: "start it, or look at --address")
      throw ExitCode(ExitStatus.unreachable)
    } catch let error as NamedFileError {
      complain(error.message, hint: "atlas-agent simulate --help shows what such a file holds")
      throw ExitCode(ExitStatus.failure)
    } catch {
      complain(String(describing: error))
      throw ExitCode(ExitStatus.failure)
    }
  }

  private func play() async throws {
    let scenario = try scenario.map { try NamedFile.read($0) { try Scenario(json: $0) } }
    let members = try await members()
    let planted = scenario ?? Scenario()
    try planted.check(against: members)
    let options = SimulatedFleet.Options(
      address: address, members: members, stateDirectory: stateDir, seed: seed,
      failureRate: failureRate, scenario: planted, connections: connections,
      version: AtlasAgentProgram.version)
    // Each connection is a file; the rest is for the journal, the poller and the standard streams.
    try OpenFiles.raise(to: options.connectionCount + 64)
    let fleet = try SimulatedFleet(options) { count in
      print("\(count) sessions established")
      fflush(nil)
    }
    let signals = Signals { fleet.stop() }
    defer { signals.cancel() }
    let summary = try await fleet.run()
    print(status(summary))
  }

  private func members() async throws -> [FleetMember] {
    if let servers { return try NamedFile.read(servers) { try FleetList.read(csv: $0) } }
    let deadline = ContinuousClock.now + wait.duration
    while true {
      do {
        let members = try await FleetList.ask(address)
        guard members.isEmpty else { return members }
        throw FleetListError.noServers
      } catch let error as RPCError where error.code == .unavailable && .now < deadline {
        try await Task.sleep(for: .milliseconds(500))
      }
    }
  }

  private func status(_ summary: SimulatedFleet.Summary) -> String {
    let usage = ProcessUsage.now
    return "\(summary.servers) servers, \(summary.host.sessions) sessions, "
      + "\(summary.host.commands) commands, \(summary.journalEntries) journal entries in "
      + "\(summary.journalWrites) writes, \(usage.cpu.text) CPU, "
      + "\(usage.residentKilobytes / 1_024) MB"
  }
}

import AtlasAgent
import AtlasModel
import AtlasWire

/// A whole fleet of simulated servers, each with an agent and a session of its own, in one process
/// with one journal.
///
/// In the state directory: `journal` (the agents'), `servers.jsonl` (what the servers are) and
/// `ledger.jsonl` (what they did). Started again with the same directory and seed, it goes on.
package final class SimulatedFleet: Sendable {
  package struct Options: Sendable {
    package var address: DaemonAddress
    package var members: [FleetMember]
    package var stateDirectory: String
    package var seed: UInt64
    /// Probability that a server has something wrong, 0 to 1.
    package var failureRate: Double
    package var scenario: Scenario
    /// HTTP/2 connections that the sessions share; nil is one for every
    /// ``KitLimits/sessionsPerConnection``.
    package var connections: Int?
    package var version: String

    package init(
      address: DaemonAddress, members: [FleetMember], stateDirectory: String, seed: UInt64,
      failureRate: Double = 0, scenario: Scenario = Scenario(), connections: Int? = nil,
      version: String
    ) {
      self.address = address
      self.members = members
      self.stateDirectory = stateDirectory
      self.seed = seed
      self.failureRate = failureRate
      self.scenario = scenario
      self.connections = connections
      self.version = version
    }

    /// HTTP/2 connections that will be opened.
    package var connectionCount: Int {
      let needed = (members.count - 1) / KitLimits.sessionsPerConnection + 1
      return min(max(connections ?? needed, 1), max(members.count, 1))
    }
  }

  /// What the fleet has done when it stops.
  package struct Summary: Hashable, Sendable {
    package var servers: Int
    package var host: HostStatistics
    package var journalEntries: Int
    package var journalWrites: Int
  }

  private typealias Host = AgentHost<SimulatedServer>

  private let options: Options
  private let runner: HostRunner<SimulatedServer>
  private let established: @Sendable (Int) -> Void

  /// - Parameter established: Called once, when every agent that can connect has been welcomed,
  ///   with their number. On a thread of the fleet's.
  package init(
    _ options: Options, established: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    self.options = options
    self.established = established
    runner = try HostRunner(address: options.address, connections: options.connectionCount)
  }

  /// Plays the fleet until ``stop()``.
  /// - Throws: What makes going on wrong: the state directory is in use or damaged, or cannot be
  ///   written.
  package func run() async throws -> Summary {
    try await runner.run { mailbox, connect in try self.play(mailbox, connect) }
  }

  /// Ends all sessions and lets ``run()`` return.
  package func stop() { runner.stop() }

  /// The life of the host, on its own thread.
  private func play(
    _ mailbox: Mailbox<Host.Post>, _ connect: @escaping (SessionLink) -> Void
  ) throws -> Summary {
    let directory = try StateDirectory(path: options.stateDirectory)
    defer { withExtendedLifetime(directory) {} }
    let journal = try FileJournal(path: directory.file("journal"))
    let disks = try DiskStore(path: directory.file("servers.jsonl"))
    let ledger = try Ledger(path: directory.file("ledger.jsonl"))
    let servers = options.members.map { server($0, disks) }
    for server in servers { try ledger.planted(server) }
    var roll = RollCall(expected: servers.count { $0.isConnected }, established)
    let host = Host(
      drivers: servers, journal: journal, mailbox: mailbox,
      configuration: .init(version: options.version, seed: options.seed),
      connect: connect,
      observe: { server, observation, moment in
        if case .note(.save(let disk)) = observation { try disks.save(disk, of: server.server) }
        if case .welcomed = observation { roll.welcomed(server.server) }
        try ledger.record(observation, of: server, at: moment.campaign)
      })
    try host.run()
    return Summary(
      servers: servers.count, host: host.statistics, journalEntries: journal.entries,
      journalWrites: journal.commits)
  }

  private func server(_ member: FleetMember, _ disks: DiskStore) -> SimulatedServer {
    SimulatedServer(
      server: member.server, client: member.client, roles: member.roles, seed: options.seed,
      scale: Int(options.scenario.durationScale * 1_000),
      failure: options.scenario.failure(
        of: member.server, client: member.client, seed: options.seed, rate: options.failureRate),
      disk: disks.disks[member.server])
  }
}

/// Counts who has been welcomed, until everybody was.
private struct RollCall {
  private let expected: Int
  private var present: Set<ServerName> = []
  private var established: ((Int) -> Void)?

  init(expected: Int, _ established: @escaping (Int) -> Void) {
    self.expected = expected
    self.established = established
  }

  mutating func welcomed(_ server: ServerName) {
    guard let established else { return }
    present.insert(server)
    guard present.count >= expected else { return }
    established(present.count)
    self.established = nil
    present = []
  }
}

import AtlasModel
import Testing

@testable import AtlasAgentKit

/// Whole fleets over real gRPC on loopback.
@Suite(.serialized) struct SimulatedFleetTests {
  private static let server = ServerName(trusted: "LAA-PARIS-SQL01")

  private static func fleet(_ clients: Int, by servers: Int) -> [FleetMember] {
    (1...clients).flatMap { client in
      (1...servers).map { number in
        FleetMember(
          server: ServerName(trusted: "C\(client)-PARIS-WEB\(number)"), client: "C\(client)",
          roles: [Role(trusted: "WEB")])
      }
    }
  }

  private static let one = [FleetMember(server: server, client: "LAA", roles: [])]

  private static func command(_ fence: UInt64, _ kind: CommandKind) -> DaemonMessage {
    .command(
      Command(
        fence: Fence(fence), kind: kind, server: server, campaign: CampaignName(trusted: "patch"),
        runKey: "patch/SQL01/1", attempt: 1, pass: 1))
  }

  /// Plays a fleet against a daemon while `body` runs; gives the fleet's summary.
  @discardableResult
  private static func play(
    _ members: [FleetMember], over daemon: FakeDaemon, at address: DaemonAddress, in state: String,
    scenario: Scenario = Scenario(), rate: Double = 0,
    _ body: (SimulatedFleet) async throws -> Void
  ) async throws -> SimulatedFleet.Summary {
    let options = SimulatedFleet.Options(
      address: address, members: members, stateDirectory: state, seed: 7, failureRate: rate,
      scenario: scenario, version: "1.0.0")
    let (established, isEstablished) = AsyncStream<Int>.makeStream()
    let fleet = try SimulatedFleet(options) { isEstablished.yield($0) }
    async let summary = fleet.run()
    for await _ in established { break }
    try await body(fleet)
    fleet.stop()
    return try await summary
  }

  @Test func `a command is acknowledged, carried out and reported`() async throws {
    try await Scratch.with { state in
      let daemon = FakeDaemon()
      try await daemon.serve { address in
        try await Self.play(Self.one, over: daemon, at: address, in: state) { _ in
          daemon.send(Self.command(5, .health), to: Self.server)
          #expect(await daemon.result(of: 5)?.health?.healthy == true)
          let acknowledgement = AgentMessage.acknowledgement(
            CommandAcknowledgement(fence: Fence(5), verdict: .accepted))
          #expect(daemon.happenings.contains(.said(Self.server, acknowledgement)))
        }
      }
      #expect(try Scratch.events(state, "began") == 1)
    }
  }

  @Test func `a command that comes twice is carried out once`() async throws {
    try await Scratch.with { state in
      let daemon = FakeDaemon()
      try await daemon.serve { address in
        try await Self.play(Self.one, over: daemon, at: address, in: state) { _ in
          daemon.send(Self.command(5, .update), to: Self.server)
          daemon.send(Self.command(5, .update), to: Self.server)
          _ = await daemon.result(of: 5)
          daemon.send(Self.command(5, .update), to: Self.server)
          await daemon.wait { $0.count { $0.isAnswer(to: 5) } == 3 }
          daemon.send(Self.command(4, .update), to: Self.server)
          await daemon.wait { $0.contains { $0.isAnswer(to: 4, verdict: .stale) } }
        }
      }
      #expect(try Scratch.events(state, "began") == 1)
    }
  }

  @Test func `a result that nobody acknowledged comes again after a broken session`() async throws {
    try await Scratch.with { state in
      let daemon = FakeDaemon()
      try await daemon.serve { address in
        try await Self.play(Self.one, over: daemon, at: address, in: state) { _ in
          daemon.mute(true)
          daemon.send(Self.command(5, .health), to: Self.server)
          _ = await daemon.result(of: 5)
          daemon.hangUp(Self.server)
          await daemon.wait { $0.contains { $0.hello?.reports.last?.fence == Fence(5) } }
          daemon.mute(false)
          daemon.hangUp(Self.server)
          await daemon.wait { $0.compactMap(\.hello).count >= 3 }
          daemon.send(Self.command(6, .health), to: Self.server)
          _ = await daemon.result(of: 6)
          daemon.hangUp(Self.server)
          await daemon.wait { $0.compactMap(\.hello).count >= 4 }
          #expect(daemon.happenings.compactMap(\.hello).last?.reports == [])
        }
      }
    }
  }

  @Test func `a boot really ends the session, and a new one begins with another boot id`()
    async throws
  {
    try await Scratch.with { state in
      let daemon = FakeDaemon()
      try await daemon.serve { address in
        try await Self.play(Self.one, over: daemon, at: address, in: state) { _ in
          daemon.send(Self.command(5, .reboot), to: Self.server)
          #expect(await daemon.result(of: 5)?.status == .succeeded)
          #expect(daemon.happenings.compactMap(\.hello).map(\.bootID) == ["boot-1", "boot-2"])
          #expect(daemon.happenings.contains(.left(Self.server)))
        }
      }
    }
  }

  @Test func `a fleet that is started again goes on from its journal`() async throws {
    try await Scratch.with { state in
      let daemon = FakeDaemon()
      try await daemon.serve { address in
        try await Self.play(Self.one, over: daemon, at: address, in: state) { _ in
          daemon.send(Self.command(5, .update), to: Self.server)
          await daemon.wait { $0.contains { $0.isAnswer(to: 5) } }
        }
        try await Self.play(Self.one, over: daemon, at: address, in: state) { _ in
          #expect(await daemon.result(of: 5)?.changed == true)
          daemon.send(Self.command(5, .update), to: Self.server)
          await daemon.wait { $0.count { $0.isAnswer(to: 5) } == 2 }
        }
      }
      #expect(try Scratch.events(state, "began") <= 1)
      #expect(try Scratch.events(state, "resumed") == 1)
    }
  }

  @Test func `a state directory belongs to one fleet at a time`() async throws {
    try await Scratch.with { state in
      let daemon = FakeDaemon()
      try await daemon.serve { address in
        try await Self.play(Self.one, over: daemon, at: address, in: state) { _ in
          let second = try SimulatedFleet(
            .init(
              address: address, members: Self.one, stateDirectory: state, seed: 1, version: "1"))
          await #expect(throws: StateDirectoryError.inUse(path: state)) { try await second.run() }
        }
      }
    }
  }

  @Test func `a fleet with failures is patched lane by lane, and its ledger passes the check`()
    async throws
  {
    try await Scratch.with { state in
      let members = Self.fleet(10, by: 5)
      let lanes = Lanes(members)
      let daemon = FakeDaemon(factor: 20_000) { lanes.heard($0, $1, $2) }
      try await daemon.serve { address in
        let summary = try await Self.play(
          members, over: daemon, at: address, in: state, rate: 0.4
        ) { _ in await lanes.play(over: daemon) }
        #expect(summary.servers == 50)
        #expect(summary.host.commands >= 50 * 4)
      }
      #expect(lanes.outcomes.count == 50)
      #expect(try Scratch.check(state, arguments: []) == 0)
    }
  }

  @Test func `nothing begins after a stop was acknowledged`() async throws {
    try await Scratch.with { state in
      let members = Self.fleet(20, by: 3)
      let lanes = Lanes(members)
      let daemon = FakeDaemon(factor: 2_000) { lanes.heard($0, $1, $2) }
      var fence = Fence.none
      var told: Int64 = 0
      try await daemon.serve { address in
        try await Self.play(members, over: daemon, at: address, in: state) { _ in
          async let play: Void = lanes.play(over: daemon)
          await daemon.wait { $0.count { $0.result != nil } > 30 }
          fence = lanes.stop(daemon)
          told = WallClock.nanoseconds / 1_000_000
          await play
        }
      }
      #expect(
        try Scratch.check(
          state,
          arguments: ["--stop-fence", "\(fence.number)", "--stop-real-ms", "\(told)"]) == 0)
    }
  }

  @Test func `the daemon's list of servers is read page by page, without the retired`()
    async throws
  {
    let members = try await FakeDaemon().serve { try await FleetList.ask($0) }
    #expect(
      members == [
        FleetMember(
          server: ServerName(trusted: "LAA-PARIS-DC01"), client: "LAA",
          roles: [Role(trusted: "DC"), Role(trusted: "DNS")]),
        FleetMember(
          server: ServerName(trusted: "ZEN-LYON-WEB01"), client: "ZEN",
          roles: [Role(trusted: "WEB")]),
      ])
  }
}

extension FakeDaemon.Happening {
  var hello: Hello? {
    if case .said(_, .hello(let hello)) = self { hello } else { nil }
  }

  var result: CommandResult? {
    guard case .said(_, .report(let report)) = self, case .result(let result) = report.event else {
      return nil
    }
    return result
  }

  func isAnswer(
    to fence: UInt64, verdict: CommandAcknowledgement.Verdict = .accepted
  ) -> Bool {
    guard case .said(_, .acknowledgement(let answer)) = self else { return false }
    return answer.fence.number == fence && answer.verdict == verdict
  }
}

import Foundation
import Testing

extension Programs {
  @Suite struct `A daemon that is killed` {
    /// Where each kill comes: a random moment after the daemon serves again.
    private static let kills = 32

    @Test(.timeLimit(.minutes(15)))
    func `32 times loses nothing that was acknowledged, and settles`() async throws {
      let stage = try Stage(
        StageFleet(
          clientNames: ["ALF", "BET", "GAM", "DEL", "EPS", "ZET"],
          failures: [
            "GAM-PARIS-APP01": "install_fails_permanently",
            "EPS-PARIS-WEB01": "install_fails_retryable",
          ], durationScale: 8))
      var random = SeededGenerator(seed: 20_261_122)
      try await stage.begin()

      var locked: [String: String] = [:]
      var records = 0
      var killedAtWork = 0
      for kill in 1...Self.kills {
        // Something is acknowledged, and more is under way.
        let server = try #require(stage.fleet.names.randomElement(using: &random))
        let reason = "kill \(kill)"
        let answer = try await stage.ask("server", "lock", server, "--reason", reason)
        if answer.status == 0 { locked[server] = reason }
        let unlocked = try #require(stage.fleet.names.randomElement(using: &random))
        if locked[unlocked] != nil, try await stage.ask("server", "unlock", unlocked).status == 0 {
          locked[unlocked] = nil
        }
        records = max(records, try await length(stage))
        // A moment, not a wait for anything: it is what the test is about.
        if try await stage.json("stop", "status")["inFlight"] as? Int ?? 0 > 0 { killedAtWork += 1 }
        let moment = Duration.milliseconds(Int.random(in: 0...1_500, using: &random))
        try await Task.sleep(for: moment)
        await stage.daemon?.kill9()
        try await stage.startDaemon()

        let now = try await length(stage)
        #expect(now >= records, "the log was \(records) records long, and now is \(now)")
        #expect(try await locks(stage) == locked, "after kill \(kill)")
      }
      #expect(killedAtWork >= 30, "servers were in progress when the daemon was killed")
      for server in locked.keys { try await stage.atlas("server", "unlock", server) }
      let end = try await stage.ask("campaign", "wait", "night", "--timeout", "8m")
      #expect(end.status == 2, "one server was rolled back: \(end.errors)")
      let outcomes = try await stage.outcomes()
      #expect(outcomes["COMPLETED UPDATED"]?.count == 23, "\(outcomes)")
      #expect(outcomes["FAILED ROLLED_BACK"] == ["GAM-PARIS-APP01"])

      let ledger = try await stage.ledger()
      #expect(ledger["verdict"] as? String == "ok", "\(ledger["violations"] ?? "")")
      #expect(ledger["most_down"] as? Int == 1)
      #expect(try await stage.atlas("audit", "verify").hasPrefix("intact"))
    }

    @Test(.timeLimit(.minutes(10)))
    func `together with its agents goes on where all of them were`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF", "BET", "GAM"]))
      try await stage.begin()
      try await stage.until("a server is completed") {
        try await stage.outcomes()["COMPLETED UPDATED"] != nil
      }
      await stage.daemon?.kill9()
      await stage.killAgents()
      try await stage.startDaemon()
      try stage.startAgents()
      let end = try await stage.ask("campaign", "wait", "night", "--timeout", "3m")
      #expect(end.status == 0, "\(end.errors)")
      let ledger = try await stage.ledger()
      #expect(ledger["verdict"] as? String == "ok", "\(ledger["violations"] ?? "")")
    }

    private func length(_ stage: Stage) async throws -> Int {
      let newest = try await stage.rows("audit", "list", "--limit", "1")
      return newest.first.flatMap { $0["seq"] as? String }.flatMap { Int($0) } ?? 0
    }

    /// Reasons of the locks, by server.
    private func locks(_ stage: Stage) async throws -> [String: String] {
      var locks: [String: String] = [:]
      for server in try await stage.rows("server", "list") {
        let name = try #require(server["name"] as? String)
        locks[name] = (server["locked"] as? [String: Any])?["reason"] as? String
      }
      return locks
    }
  }
}

/// SplitMix64: the same moments in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

import AtlasControl
import AtlasModel

/// What keeps a server from its turn, and what its lane does meanwhile.
extension Scenario {
  static let ofLanes = [
    staleBackups, offline, otherBooted, ownBooted, ownBootedAtAnyTime, hostWithGuests, replication,
    tooOld,
    backupRuns,
  ]

  private static let staleBackups = Scenario(
    "backup-stale-on-every-tenth-server",
    shows: "a server without a young backup is refused, and the lane goes on with the next"
  ) { night in
    let numbers = (1...10).map { $0 < 10 ? "WEB0\($0)" : "WEB\($0)" }
    for client in ["ATL", "LAA"] { night.client(client, numbers) { $0.createSnapshots = false } }
    for server in ["ATL-LYON-WEB10", "LAA-LYON-WEB05"] {
      night.hook(.verifyBackup, of: server, says: .backup(age: Night.clock(30)))
      night.ends(server, "NOT_ATTEMPTED backup")
    }
    night.leaveOutServers()
    night.leavesOut.append(["run.phase"])
    night.claim("the server after the refused one starts within a minute") { told in
      guard let refused = told.time("run.not_attempted", of: "LAA-LYON-WEB05"),
        let next = told.time("run.started", of: "LAA-LYON-WEB06")
      else { return false }
      return next >= refused && next - refused < .seconds(60)
    }
    night.claim("a refusal holds no lane") { !$0.has("lane.held") }
  }

  private static let offline = Scenario(
    "agent-is-offline-at-its-turn",
    shows: "it is waited for, not for ever; while it is silent it counts as down, until dismissed"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02", "WEB03"])
    night.client("LAA", ["WEB01", "WEB02"])
    night.at(21, 58, .crashesAgent(.of("ATL-LYON-WEB01"), for: Night.clock(14)))
    night.at(21, 58, .crashesAgent(.of("LAA-LYON-WEB01"), for: .seconds(360)))
    night.at(
      22, 40,
      .asks(.dismissServer(.of("ATL-LYON-WEB01"), reason: "switched off"), "DismissServer"))
    night.ends("ATL-LYON-WEB01", "NOT_ATTEMPTED offline")
    night.leaveOutServers()
    night.claim("the next one goes first at once, and the one that came back is done after it") {
      told in
      told.time("run.started", of: "LAA-LYON-WEB02")
        == told.time("run.started", of: "ATL-LYON-WEB02")
        && told.isBefore(("run.completed", "LAA-LYON-WEB02"), ("run.started", "LAA-LYON-WEB01"))
    }
    night.claim("beside a server that is silent nothing starts until a person dismisses it") {
      $0.isBefore(("server.dismissed", "ATL-LYON-WEB01"), ("run.started", "ATL-LYON-WEB03"))
    }
  }

  private static let otherBooted = Scenario(
    "another-server-of-the-client-is-rebooted-by-hand",
    shows: "a server that is down, and not by order, takes a slot: nothing starts beside it"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02", "WEB03"])
    night.at(22, 11, .bootsByHand(.of("ATL-LYON-WEB03"), for: .seconds(780)))
    night.leavesOut.append(["hook "])
    night.claim("what is in progress goes on, and the next one waits until the other is up") {
      told in
      guard let done = told.time("run.completed", of: "ATL-LYON-WEB01"),
        let next = told.time("run.started", of: "ATL-LYON-WEB02")
      else { return false }
      return done < Night.clock(22, 24) && next > Night.clock(22, 24)
    }
  }

  private static let ownBooted = Scenario(
    "server-in-progress-is-rebooted-by-hand",
    shows: "an installation that a boot interrupts is a failure that is tried again, in its slot"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02"])
    night.when(
      .changes(.of("ATL-LYON-WEB01")), after: .seconds(60),
      .bootsByHand(.of("ATL-LYON-WEB01"), for: .seconds(240)))
    night.claim("it is the second attempt that completes, with one slot and one snapshot") {
      $0.has("run.retried", of: "ATL-LYON-WEB01") && $0.starts(of: "ATL-LYON-WEB01") == 1
        && $0.all("run.phase", of: "ATL-LYON-WEB01", "SNAPSHOT").count == 1
    }
    night.claim("the next one starts only after it") {
      $0.isBefore(("run.completed", "ATL-LYON-WEB01"), ("run.started", "ATL-LYON-WEB02"))
    }
  }

  /// A night for every kind of order: somebody boots the server five seconds after it has begun.
  private static let ownBootedAtAnyTime = Scenario(
    "server-in-progress-is-rebooted-by-hand-at-any-time",
    shows: "whatever a boot interrupts, the server ends updated or as it was, and its slot is kept"
  ) {
    let server = "ATL-LYON-WEB01"
    var outcome = ScenarioOutcome(story: [], wrong: [])
    for kind in CommandKind.allCases where kind != .download {
      var night = Night()
      night.client("ATL", ["WEB01", "WEB02"])
      if kind == .rollback {
        night.server(server, ails: .installFails)
        night.ends(server, "FAILED ROLLED_BACK")
      }
      // Nothing is installed yet: that is a refusal.
      if kind == .update { night.ends(server, "NOT_ATTEMPTED environment") }
      night.when(
        .begins(kind, .of(server)), after: .seconds(5),
        .bootsByHand(.of(server), for: .seconds(240)))
      night.claim("the next one starts only when it is done") { told in
        let next = told.all("run.started", of: "ATL-LYON-WEB02").first?.seq
        let ends = ["run.completed", "run.failed", "run.not_attempted"]
        let last = ends.flatMap { told.all($0, of: server) }.map(\.seq).max()
        guard let next, let last else { return false }
        return last < next
      }
      let (told, wrong) = night.tell()
      outcome.wrong += wrong.map { "in \(kind.word): \($0)" }
      outcome.story.append("booted in \(kind.word)")
      outcome.story += told.lines.filter { $0.contains(" log run.") && $0.contains(server) }
    }
    return outcome
  }

  private static let hostWithGuests = Scenario(
    "host-with-eight-guests",
    shows: "a host goes after its guests, in a declared outage, and ends when all of them are back"
  ) { night in
    let guests = (1...8).map { "WEB0\($0)" }
    night.client("ATL", guests + ["HV09"])
    for guest in guests {
      night.server("ATL-LYON-\(guest)") { $0.config.host = .of("ATL-LYON-HV09") }
    }
    let outage = Change.declareOutage(
      .of("ATL"), from: night.midnight + Night.clock(25),
      until: night.midnight + Night.clock(29), parallel: nil, reason: "agreed with the client")
    night.at(21, 45, .asks(outage, "DeclareOutage"))
    night.leavesOut += [
      ["run.phase", "WEB"], [" hook verify_backup", "WEB"], ["WEB", " begins "], ["WEB", " ends "],
      ["WEB", " takes up "],
    ]
    night.claim("the host starts after the last guest, and not before the outage") { told in
      guard let start = told.time("run.started", of: "ATL-LYON-HV09") else { return false }
      return start >= Night.clock(25)
        && told.isBefore(("run.completed", "ATL-LYON-WEB08"), ("run.started", "ATL-LYON-HV09"))
    }
    night.claim("the host ends only when the last guest has booted behind it") { told in
      let end = told.lines.lastIndex { $0.contains("log run.completed ATL-LYON-HV09") }
      let boot = told.lines.lastIndex { $0.contains("WEB") && $0.contains("has booted") }
      guard let end, let boot else { return false }
      return boot < end
    }
  }

  private static let replication = Scenario(
    "domain-controllers-replicate-before-the-next",
    shows: "a domain controller starts only while `peer_check` says that its peers are well"
  ) { night in
    night.client("ATL", ["DC01", "DC02", "WEB03"], hooks: [.verifyBackup, .peerCheck])
    night.hook(
      .peerCheck, says: .defers(.seconds(600), "replication from DC01 is behind"),
      from: Night.clock(22, 20), until: Night.clock(23, 10))
    night.claim("ordinary servers come first, domain controllers last") {
      $0.isBefore(("run.completed", "ATL-LYON-WEB03"), ("run.started", "ATL-LYON-DC01"))
    }
    night.claim("the second starts only after the first replicates") { told in
      guard let start = told.time("run.started", of: "ATL-LYON-DC02") else { return false }
      return start >= Night.clock(23, 10) && told.has("run.deferred", of: "ATL-LYON-DC02")
    }
  }

  private static let tooOld = Scenario(
    "agent-is-too-old",
    shows: "a server whose agent is older than the campaign asks for is not begun, and says why"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02"])
    night.policy.minAgentVersion = AgentVersion("1.0.0")
    night.server("ATL-LYON-WEB01") { $0.traits.agentVersion = "0.9.2" }
    night.ends("ATL-LYON-WEB01", "NOT_ATTEMPTED no_agent")
    night.claim("it never starts, and its lane does not wait for it") {
      $0.starts(of: "ATL-LYON-WEB01") == 0
        && ($0.time("run.started", of: "ATL-LYON-WEB02") ?? .zero) < Night.clock(22, 1)
    }
  }

  private static let backupRuns = Scenario(
    "backup-runs-when-the-window-opens",
    shows: "a server whose backup runs goes to the end of its lane, and the next one goes first"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02"])
    night.hook(
      .verifyBackup, of: "ATL-LYON-WEB01", says: .defers(.seconds(1_800), "the backup runs"),
      until: Night.clock(22, 40))
    night.claim("the next one goes first, and the first is done the same night") {
      $0.has("run.deferred", of: "ATL-LYON-WEB01")
        && $0.isBefore(("run.completed", "ATL-LYON-WEB02"), ("run.completed", "ATL-LYON-WEB01"))
    }
    night.claim("a deferral is no attempt") { told in
      told.all("run.completed", of: "ATL-LYON-WEB01").allSatisfy { ($0.attempt ?? 1) == 1 }
    }
  }
}

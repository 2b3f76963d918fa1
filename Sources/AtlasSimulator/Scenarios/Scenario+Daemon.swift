import AtlasControl
import AtlasModel

/// The daemon dies, or comes back with what it knew before.
extension Scenario {
  static let ofTheDaemon = [
    everyBoundary, everyBoundaryOfARollback, everyBoundaryOfAStop, everyBoundaryOfARecovery,
    restored,
  ]

  /// One night, played again and again: each time the daemon dies after one more of the things that it
  /// does, counted from a moment, until it has died after all of them.
  ///
  /// - Parameter end: A line of the story after which it need not die any more; empty for none.
  private static func everyBoundary(
    _ name: String, shows: String, from moment: Cue.When, after wait: Duration = .zero,
    until end: String = "", _ write: @escaping @Sendable (inout Night) -> Void
  ) -> Scenario {
    Scenario(name, shows: shows) {
      var outcome = ScenarioOutcome(story: [], wrong: [])
      for count in 0..<mostBoundaries {
        var night = Night()
        night.client("ATL", ["WEB01"])
        night.when(moment, after: wait, .killsDaemonAfter(count))
        night.claim("it starts once") { $0.starts() == 1 }
        write(&night)
        let (told, wrong) = night.tell()
        let death = told.lines.firstIndex { $0.contains("the daemon dies: ") }
        let isOver = told.lines.firstIndex { !end.isEmpty && $0.contains(end) }
        guard let death, death < isOver ?? told.lines.endIndex else { return outcome }
        outcome.wrong += wrong.map { "after \(count) things: \($0)" }
        outcome.story.append(ending(of: told, death))
      }
      outcome.wrong.append("the daemon never ceases to die")
      return outcome
    }
  }

  /// When it died, after what, and how the night ended.
  private static func ending(of told: Told, _ death: Int) -> String {
    let ends = told.lines.last { $0.contains(" log campaign.ended") } ?? "never"
    let log = told.lines[..<death].last { $0.contains(" log ") }?.dropFirst(13) ?? ""
    return "\(told.lines[death]), after \(log): \(told.endings[server] ?? "PENDING") at "
      + "\(ends.prefix(8))"
  }

  private static let everyBoundary = everyBoundary(
    "daemon-killed-at-every-boundary",
    shows: "wherever the daemon dies, the server is updated once, in one attempt, that night",
    from: .record("run.started", of: server, phase: "")
  ) { night in
    night.claim("it is one attempt") { !$0.has("run.retried") && !$0.has("run.backoff") }
  }

  private static let everyBoundaryOfARollback = everyBoundary(
    "daemon-killed-at-every-boundary-of-a-rollback",
    shows: "wherever the daemon dies, the server is rolled back once, and verified",
    from: .record("run.phase", of: server, phase: "ROLLBACK")
  ) { night in
    night.server(server, ails: .installFails)
    night.ends(server, "FAILED ROLLED_BACK")
    night.claim("it is rolled back once, and verified") {
      $0.all("run.phase", "ROLLBACK").count == 1 && $0.all("run.phase", "VERIFY").count == 1
    }
  }

  private static let everyBoundaryOfAStop = everyBoundary(
    "daemon-killed-at-every-boundary-of-a-stop",
    shows: "wherever the daemon dies, a stop that was answered holds, and nothing boots below it",
    from: .changes(.of(server)), after: .seconds(60), until: "log stop.released"
  ) { night in
    night.stop(nil, when: .changes(.of(server)), after: .seconds(60))
    night.claim("it parks before its boot") {
      $0.all("run.parked", of: server).map(\.phase) == ["REBOOT"]
    }
    night.claim("under the stop nothing begins") { $0.beginsNothing(of: "ATL") }
  }

  /// It is killed in mid-install, and its next two lives end after so many things each.
  private static let everyBoundaryOfARecovery = Scenario(
    "daemon-dies-twice-while-it-recovers",
    shows: "wherever its next two lives end, the server is updated once, in one attempt"
  ) {
    var outcome = ScenarioOutcome(story: [], wrong: [])
    for count in 0..<boundariesOfARecovery {
      var night = Night()
      night.client("ATL", ["WEB01"])
      night.when(.changes(.of(server)), after: .seconds(60), .killsDaemon)
      night.lives = [2: count, 3: count]
      night.claim("it starts once, in one attempt") {
        $0.starts() == 1 && !$0.has("run.retried") && !$0.has("run.backoff")
      }
      night.claim("it dies twice more") { told in
        told.lines.count { $0.contains("the daemon dies: ") } == 3
      }
      let (told, wrong) = night.tell()
      outcome.wrong += wrong.map { "after \(count) things: \($0)" }
      let deaths = told.lines.filter { $0.contains("the daemon dies: ") }.dropFirst()
      let words = deaths.map { $0.replacing("the daemon dies: ", with: "") }
      outcome.story.append(
        "after \(count) things each: \(words.joined(separator: ", ")): "
          + (told.endings[server] ?? "PENDING"))
    }
    return outcome
  }

  private static let server = "ATL-LYON-WEB01"
  private static let boundariesOfARecovery = 25
  private static let mostBoundaries = 200

  private static let restored = Scenario(
    "database-is-restored-from-yesterdays-backup",
    shows: "what agents say counts more than the database: nothing is done twice, people look first"
  ) { night in
    let servers = (1...4).map { "WEB0\($0)" }
    // Two servers in a night.
    night.client("ATL", servers, windows: [.init(4, 1_320, 1_480), .init(5, 1_320, 1_480)])
    night.policy.times.update = Night.clock(2)
    for server in servers {
      night.server("ATL-LYON-\(server)") { $0.traits.installs = Night.clock(1) }
    }
    (night.campaignEnds, night.ends) = (Night.clock(60), Night.clock(61))
    night.at(22, 20, .copiesDatabase)
    night.at(46, 20, .restoresDatabase)
    night.at(46, 40, .resolves(.of(server), .accept))
    night.claim("nothing starts before a person has looked at the server that was in progress") {
      told in
      let back = told.lines.drop { !$0.contains("the daemon starts (life 2)") }
      let next = back.first { $0.contains("run.resolved") || $0.contains("run.started") }
      return next?.contains("run.resolved") ?? false
    }
    // The new database does not know what the lost one has seen; the servers do.
    night.ends(server, "FAILED ACCEPTED")
    night.ends("ATL-LYON-WEB02", "COMPLETED NO_UPDATES")
    night.ends("ATL-LYON-WEB03", "COMPLETED NO_UPDATES")
    night.claim("nothing starts while a server works on what the lost database has ordered") {
      told in
      let done = told.lines.firstIndex { $0.contains("ATL-LYON-WEB03 ends UPDATE") }
      let start = told.lines.lastIndex { $0.contains("run.started ATL-LYON-WEB02") }
      guard let done, let start else { return false }
      return done < start
    }
  }
}

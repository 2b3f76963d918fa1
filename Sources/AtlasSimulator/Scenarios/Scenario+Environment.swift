import AtlasModel

/// What hits many servers at once, and is no fault of theirs.
extension Scenario {
  static let ofTheEnvironment = [wrongSource, emptySource, lineDown, clientDark]

  private static let wrongSource = Scenario(
    "update-source-is-wrong-at-all-clients",
    shows: "the campaign waits for its source, and the night is not lost when it answers again"
  ) { night in
    for client in ["ATL", "BIO", "CEL", "LAA"] { night.client(client, ["WEB01", "WEB02"]) }
    for server in night.serverNames {
      night.server(server, ails: .sourceUnreachable)
      night.at(23, 30, .recovers(.of(server), .sourceUnreachable))
    }
    night.leaveOutServers()
    night.leavesOut.append(["run.phase"])
    night.claim("the campaign is held for its source, and resumes by itself") {
      $0.has("environment.held", "source") && $0.has("environment.resumed")
        && !$0.has("campaign.resumed")
    }
    night.claim("no server is failed, held or rolled back, and no breaker opens") {
      !$0.has("run.failed") && !$0.has("run.held") && !$0.has("run.phase", "ROLLBACK")
        && !$0.has("campaign.paused") && !$0.has("lane.held") && !$0.has("signature.held")
    }
    night.claim("while it waits no more than one server tries at a time") { told in
      guard let held = told.all("environment.held").first?.at,
        let back = told.all("environment.resumed").first?.at
      else { return false }
      let tries = told.all("run.started").filter { held < $0.at && $0.at < back }
      return zip(tries, tries.dropFirst()).allSatisfy { $1.at - $0.at >= 300_000 }
    }
  }

  private static let emptySource = Scenario(
    "update-source-is-empty-at-all-clients",
    shows: "servers for which there is nothing are completed as such, and nowhere as updated"
  ) { night in
    for client in ["ATL", "BIO", "CEL"] { night.client(client, ["WEB01", "WEB02"]) }
    for server in night.serverNames { night.server(server, ails: .noUpdates) }
    night.otherwise = "COMPLETED NO_UPDATES"
    night.leaveOutServers()
    night.claim("nothing boots, and every snapshot is removed again") { told in
      !told.has("run.phase", "REBOOT")
        && told.lines.count { $0.contains("ends REMOVE_SNAPSHOT: succeeded") } == 6
    }
  }

  private static let lineDown = Scenario(
    "providers-line-is-down-for-twenty-minutes",
    shows: "the world stands still, nobody is lost, and it goes on by itself"
  ) { night in
    for client in ["ATL", "BIO", "CEL", "LAA", "MED"] { night.client(client, ["WEB01", "WEB02"]) }
    night.at(22, 5, .cutsLine(for: .seconds(1_200)))
    night.leaveOutServers()
    night.leavesOut.append(["run.phase"])
    night.claim("one environment hold, which ends by itself") {
      $0.all("environment.held", "contact").count == 1
        && $0.all("environment.resumed", "contact").count == 1
    }
    night.claim("nothing is lost or held, and nothing starts while it lasts") { told in
      guard let held = told.all("environment.held").first?.at,
        let back = told.all("environment.resumed").first?.at
      else { return false }
      return !told.has("run.held")
        && !told.all("run.started").contains { held < $0.at && $0.at < back }
    }
  }

  private static let clientDark = Scenario(
    "one-client-is-dark",
    shows:
      "a client without any contact is a notice of its own; its limits stand still, others go on"
  ) { night in
    for client in ["ATL", "BIO", "LAA"] { night.client(client, ["WEB01", "WEB02"]) }
    night.at(22, 5, .darkens(.of("LAA"), for: .seconds(2_400)))
    night.leaveOutServers()
    night.claim("one notice, about that client") {
      $0.all("client.dark").map(\.client) == ["LAA"] && !$0.has("environment.held")
    }
    night.claim("nothing of it is lost") { !$0.has("run.held") }
    night.claim("the other clients go on meanwhile") { told in
      ["ATL", "BIO"].allSatisfy {
        (told.time("run.completed", of: "\($0)-LYON-WEB02") ?? .seconds(1_000_000))
          < Night.clock(22, 46)
      }
    }
  }
}

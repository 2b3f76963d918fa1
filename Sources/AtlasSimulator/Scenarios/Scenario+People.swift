import AtlasChecker
import AtlasControl
import AtlasModel

/// People: whom a night waits for, and what they change in the middle of it.
extension Scenario {
  static let ofPeople = [fiveLanes, postpones, retired, badUpdate]

  private static let fiveLanes = Scenario(
    "five-lanes-wait-at-three",
    shows: "lanes whose server is down wait for a person, and so does everybody once they are five"
  ) { night in
    let roles = ["ATL": "SQL", "BIO": "DB", "CEL": "MX", "LAA": "EXCH", "MED": "CLU"]
    for (client, role) in roles.sorted(by: { $0.key < $1.key }) {
      night.client(client, ["\(role)01", "WEB02"])
      night.server("\(client)-LYON-\(role)01", ails: .unhealthyAfterUpdate)
      night.ends("\(client)-LYON-\(role)01", "FAILED ACCEPTED")
    }
    night.client("ZAR", ["WEB01", "WEB02"])
    night.policy.maxWaitingForPeople = 5
    night.policy.breakers.successRate = nil
    for (place, client) in roles.keys.sorted().enumerated() {
      let server = ServerName.of("\(client)-LYON-\(roles[client] ?? "")01")
      night.at(27, place * 2, .resolves(server, .accept))
    }
    night.leaveOutServers()
    night.leavesOut.append(["run.phase"])
    night.claim("five servers are held, each in its own lane") {
      Set($0.all("run.held", "UNHEALTHY").map(\.client)).count == 5
    }
    night.claim("nothing starts between the fifth hold and three o'clock") { told in
      guard let held = told.all("run.held").map(\.at).max() else { return false }
      let three = (told.midnight + Night.clock(27)).milliseconds
      return !told.all("run.started").contains { held < $0.at && $0.at < three }
    }
    night.claim("every lane goes on once its person has decided") {
      $0.all("run.completed").count == 7
    }
  }

  private static let postpones = Scenario(
    "client-postpones-at-ten",
    shows: "what is in progress goes on to its end, nothing new starts until the next window"
  ) { night in
    let early = [WeeklyWindow(4, 1_275, 1_800), WeeklyWindow(5, 1_275, 1_800)]
    night.client("ATL", ["WEB01", "WEB02", "WEB03"], windows: early)
    night.client("LAA", ["WEB01", "WEB02", "WEB03"], windows: early)
    (night.campaignEnds, night.ends) = (Night.clock(60), Night.clock(61))
    night.at(
      22, 0, .asks(.postponeClient(.of("ATL"), until: nil, reason: "a fair"), "PostponeClient"))
    night.leaveOutServers()
    night.claim("what is in progress at ten is completed that night") { told in
      (told.time("run.completed", of: "ATL-LYON-WEB02") ?? .seconds(1_000_000))
        < Night.clock(22, 10)
    }
    night.claim("the rest is done in the next window, and others are not kept waiting") { told in
      guard let next = told.time("run.started", of: "ATL-LYON-WEB03"),
        let other = told.time("run.completed", of: "LAA-LYON-WEB03")
      else { return false }
      return next >= Night.clock(45, 15) && other < Night.clock(23)
    }
  }

  private static let retired = Scenario(
    "server-is-retired-in-mid-campaign",
    shows: "what waits is left out at once; what is being changed is brought to its end first"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02", "WEB03"])
    night.client("LAA", ["WEB01", "WEB02"])
    night.at(22, 5, .asks(.retireServer(.of("ATL-LYON-WEB02"), reason: "sold"), "RetireServer"))
    night.when(
      .changes(.of("LAA-LYON-WEB01")), after: .seconds(60),
      .asks(.retireServer(.of("LAA-LYON-WEB01"), reason: "sold"), "RetireServer"))
    night.ends("ATL-LYON-WEB02", "SKIPPED retired")
    night.leaveOutServers()
    night.claim("the lane goes on with the next") { told in
      told.starts(of: "ATL-LYON-WEB02") == 0
        && told.isBefore(("run.completed", "ATL-LYON-WEB01"), ("run.started", "ATL-LYON-WEB03"))
    }
    night.claim("the one in progress keeps its slot to its end") {
      $0.isBefore(("run.completed", "LAA-LYON-WEB01"), ("run.started", "LAA-LYON-WEB02"))
    }
  }

  private static let badUpdate = Scenario(
    "bad-update-is-found-at-one",
    shows: "servers that fail alike hold their kind everywhere; without the update the rest goes on"
  ) { night in
    let bad = UpdateID(trusted: "KB5002")
    for client in ["ATL", "BIO", "CEL"] {
      night.client(client, ["WEB01", "WEB02"], windows: [.init(5, 30, 360)])
      night.ends("\(client)-LYON-WEB01", "FAILED ROLLED_BACK")
      for server in ["WEB01", "WEB02"] {
        night.server("\(client)-LYON-\(server)") { $0.traits.badUpdate = bad }
      }
    }
    // Its second server is in SNAPSHOT at one, and of another kind.
    night.client("DRA", ["APP01", "APP02"], windows: [.init(5, 30, 360)])
    night.server("DRA-LYON-APP01") {
      $0.traits.installs = .seconds(1_200)
      $0.traits.boots = .seconds(380)
    }
    night.server("DRA-LYON-APP02") { $0.traits.badUpdate = bad }
    night.claim("who has not begun to install at one gets it no more, whatever its phase") {
      told in
      let snapshot = told.time("run.phase", of: "DRA-LYON-APP02", "SNAPSHOT") ?? .zero
      let update = told.time("run.phase", of: "DRA-LYON-APP02", "UPDATE") ?? .zero
      return snapshot < Night.clock(25) && Night.clock(25) < update
    }
    night.at(
      25, 0, .asks(.excludeUpdate(Night.campaign, bad, reason: "it breaks WEB"), "ExcludeUpdate"))
    night.at(
      25, 1,
      .asks(
        .releaseSignature(
          Night.campaign, role: Role(trusted: "WEB"), system: "windows-2022",
          reason: "without the update"), "ReleaseSignature"))
    night.leaveOutServers()
    night.claim("the kind is held before the second servers get it") {
      $0.isBefore(("signature.held", ""), ("run.started", "ATL-LYON-WEB02"))
    }
    night.claim("no server fails after one o'clock") { told in
      let one = (told.midnight + Night.clock(25)).milliseconds
      return !told.all("run.held").contains { $0.at > one }
        && !told.all("run.phase", "ROLLBACK").contains { $0.at > one }
    }
  }
}

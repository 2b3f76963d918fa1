import AtlasModel

/// Single servers that take their time, or go wrong.
extension Scenario {
  static let ofServers = [
    threeReboots, pendingReboot, threeHours, hangs, lost, twelveOfThirteen, undoneAtBoot,
    refusedRevert,
  ]

  private static let threeReboots = Scenario(
    "server-needs-three-reboots",
    shows: "three rounds of installing and booting are one attempt with one slot and one snapshot"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02"])
    night.server("ATL-LYON-WEB01", ails: .threePasses)
    night.claim("it boots three times") {
      $0.all("run.phase", of: "ATL-LYON-WEB01", "REBOOT").count == 3
    }
    night.claim("it has one snapshot") {
      $0.all("run.phase", of: "ATL-LYON-WEB01", "SNAPSHOT").count == 1
    }
    night.claim("it starts once, and the next one only after it") {
      $0.starts(of: "ATL-LYON-WEB01") == 1
        && $0.isBefore(("run.completed", "ATL-LYON-WEB01"), ("run.started", "ATL-LYON-WEB02"))
    }
  }

  private static let pendingReboot = Scenario(
    "reboot-was-pending-before-the-start",
    shows: "a boot that was owed before comes first, inside the slot and behind the snapshot"
  ) { night in
    night.client("ATL", ["WEB01"])
    night.server("ATL-LYON-WEB01", ails: .pendingReboot)
    night.claim("it boots before it installs, and once more after it") { told in
      let boots = told.all("run.phase", of: "ATL-LYON-WEB01", "REBOOT")
      return boots.count == 2 && boots[0].reason.contains("pending before")
    }
  }

  private static let threeHours = Scenario(
    "sql-update-takes-three-hours",
    shows: "past its time limit it is HELD{OVERDUE} and nothing kills it; its late result counts"
  ) { night in
    night.client("ATL", ["SQL01", "WEB02"])
    night.server("ATL-LYON-SQL01") { $0.traits.installs = Night.clock(3) }
    night.claim("it is overdue after an hour, and goes on by itself when its result comes") {
      $0.has("run.held", of: "ATL-LYON-SQL01", "OVERDUE")
        && $0.has("run.back", of: "ATL-LYON-SQL01") && !$0.has("run.resolved")
    }
    night.claim("it is one attempt, and nothing is rolled back") {
      !$0.has("run.retried") && !$0.has("run.phase", "ROLLBACK")
    }
    night.claim("the slot stays taken for three hours") {
      $0.isBefore(("run.completed", "ATL-LYON-SQL01"), ("run.started", "ATL-LYON-WEB02"))
    }
  }

  private static let hangs = Scenario(
    "installer-hangs",
    shows: "people are told, nothing is killed or retried until somebody boots the server by hand"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02"])
    night.server("ATL-LYON-WEB01", ails: .installHangs)
    let held = Cue.When.record("run.held", of: "ATL-LYON-WEB01", phase: "")
    night.when(held, after: .seconds(900), .recovers(.of("ATL-LYON-WEB01"), .installHangs))
    night.when(held, after: .seconds(900), .bootsByHand(.of("ATL-LYON-WEB01"), for: .seconds(240)))
    night.claim("people are told that it makes no progress, and then that it is overdue") {
      $0.isBefore(("run.warning", "ATL-LYON-WEB01"), ("run.held", "ATL-LYON-WEB01"))
    }
    night.claim("it is tried once more after the boot, with the slot that it has") {
      $0.isBefore(("run.back", "ATL-LYON-WEB01"), ("run.retried", "ATL-LYON-WEB01"))
        && $0.starts(of: "ATL-LYON-WEB01") == 1
    }
    night.claim("the next one starts only after it") {
      $0.isBefore(("run.completed", "ATL-LYON-WEB01"), ("run.started", "ATL-LYON-WEB02"))
    }
  }

  private static let lost = Scenario(
    "agent-is-lost-while-it-installs",
    shows: "time alone frees no slot: it is HELD{LOST} until its agent is back with its result"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02"])
    night.when(
      .changes(.of("ATL-LYON-WEB01")), after: .seconds(60),
      .crashesAgent(.of("ATL-LYON-WEB01"), for: .seconds(2_400)))
    night.claim("it is held as lost, and goes on by itself with what it has done meanwhile") {
      $0.has("run.held", of: "ATL-LYON-WEB01", "LOST") && $0.has("run.back", of: "ATL-LYON-WEB01")
        && !$0.has("run.resolved") && !$0.has("run.retried")
    }
    night.claim("the next one starts only after it") {
      $0.isBefore(("run.completed", "ATL-LYON-WEB01"), ("run.started", "ATL-LYON-WEB02"))
    }
  }

  private static let twelveOfThirteen = Scenario(
    "twelve-of-thirteen-updates-installed",
    shows: "a server that is well without one of its updates is completed, with exceptions"
  ) { night in
    night.client("ATL", ["WEB01"])
    night.server("ATL-LYON-WEB01") {
      $0.traits.updates = 13
      $0.ailments = [.optionalUpdateFails]
    }
    night.ends("ATL-LYON-WEB01", "COMPLETED WITH_EXCEPTIONS")
    night.claim("nothing is rolled back") { !$0.has("run.phase", "ROLLBACK") }
  }

  private static let undoneAtBoot = Scenario(
    "update-undone-at-boot-while-hooks-are-green",
    shows: "what the agent compares counts, not what the hook says: the server is rolled back"
  ) { night in
    night.client("ATL", ["WEB01", "WEB02"], hooks: [.verifyBackup, .postUpdate])
    night.updateSet.required = [UpdateID(trusted: "KB5002")]
    night.server("ATL-LYON-WEB01", ails: .updateReverted)
    night.ends("ATL-LYON-WEB01", "FAILED ROLLED_BACK")
    night.claim("it is verified before the next one starts") {
      $0.isBefore(("run.failed", "ATL-LYON-WEB01"), ("run.started", "ATL-LYON-WEB02"))
        && $0.has("run.phase", of: "ATL-LYON-WEB01", "VERIFY")
    }
  }

  private static let refusedRevert = Scenario(
    "snapshot-revert-is-refused-for-a-domain-controller",
    shows:
      "a rollback that cannot be is HELD{ROLLBACK_FAILED}; the slot is kept until a person acts"
  ) { night in
    night.client("ATL", ["DC01", "DC02"])
    night.policy.roleRollback = []
    night.server("ATL-LYON-DC01", ails: .rollbackRefused)
    night.at(25, 0, .resolves(.of("ATL-LYON-DC01"), .accept))
    night.ends("ATL-LYON-DC01", "FAILED ACCEPTED")
    night.claim("the agent refuses, and nothing is tried again") {
      $0.all("run.held", of: "ATL-LYON-DC01").map(\.detail) == ["ROLLBACK_FAILED"]
        && $0.all("run.phase", of: "ATL-LYON-DC01", "ROLLBACK").count == 1
    }
    night.claim("the second one starts only after a person has accepted the first") {
      $0.isBefore(("run.resolved", "ATL-LYON-DC01"), ("run.started", "ATL-LYON-DC02"))
    }
  }
}

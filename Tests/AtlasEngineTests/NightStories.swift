import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Nights as they happen in the field, told in `Traces/`.
@Suite struct `A campaign` {
  @Test func `has a good night`() throws {
    var fleet = EngineFleet()
    fleet.add("ATL", servers: ["ATL-LYON-WEB01", "ATL-LYON-DC01"])
    fleet.add("LAA", ring: .standard, servers: ["LAA-PARIS-SQL01"])
    var world = EngineWorld(fleet)
    let rings = [
      RingGate(
        ring: .canary, minCompleted: 2, gateSoak: .seconds(1_800), representative: false),
      RingGate(ring: .pilot, representative: false), RingGate(ring: .standard),
    ]
    world.campaign("patch-11", policy: .with { $0.gates = rings })
    world.settle()
    try Golden.expect(world, tells: "good-night")
  }

  @Test func `refuses servers without a good backup and goes on with the lane`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02", "LAA-PARIS-APP03"]))
    world.script.answer(.verifyBackup, of: "LAA-PARIS-APP01", with: .backup(age: .seconds(108_000)))
    world.script.answer(.verifyBackup, of: "LAA-PARIS-APP02", with: .ok)
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "refused-backup")
  }

  @Test func `retries, rolls back, verifies, and goes on with the lane`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    world.script.answer(
      .update, of: "LAA-PARIS-WEB01",
      with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "failing-lane")
  }

  @Test(arguments: ["refused", "skipped", "retired", "too late"])
  func `is a failure however it ends, once an attempt was rolled back`(how: String) throws {
    let server = "LAA-PARIS-DC01"
    var world = EngineWorld(.laa([server]))
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    if how == "refused" { world.script.answer(.verifyBackup, attempt: 2, with: .ok) }
    let id = world.campaign("patch-11", endsAt: EngineFleet.night().end)
    world.settle()
    world.resolve(server, .retry)
    if how != "refused" {
      world.step(.pauseCampaign(id, .all, reason: "enough", by: "anna"))
      world.run { $0.state[$0.run(server)].state.kind == .pending }
    }
    switch how {
    case "skipped": world.step(.skipRun(world.run(server), reason: "not tonight", by: "anna"))
    case "retired": world.step(.retireServer(world.server(server), reason: "old", by: "anna"))
    case _: world.run(for: .seconds(9 * 3_600))
    }
    let run = world.state[world.run(server)]
    #expect(run.state == .failed(.rolledBack))
    #expect(run.details.content.lastError.hasPrefix("an earlier attempt was rolled back"))
    #expect(world.violations == [])
  }

  @Test func `holds a domain controller that fails until a person decides`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-DC01", "LAA-PARIS-DC02"]))
    world.script.answer(
      .update, of: "LAA-PARIS-DC01", attempt: 1,
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    world.campaign("patch-11")
    world.settle()
    #expect(world.state.choices(world.run("LAA-PARIS-DC01")) == [.retry, .rollBack, .accept])
    world.run(for: .seconds(1_200))
    world.resolve("LAA-PARIS-DC01", .retry)
    world.settle()
    try Golden.expect(world, tells: "failing-dc")
  }

  @Test func `boots a server three times when its updates need it`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    for pass in 1...2 {
      world.script.answer(.update, pass: pass, with: .installs(["KB503136\(pass)"]))
      world.script.answer(.reboot, pass: pass, with: .findsMoreAfterBoot)
    }
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "three-reboots")
  }

  @Test func `gives up on updates that are offered for ever, and keeps the server`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    world.script.answer(.update, with: .installs(["KB5031364"], reboot: false, more: true))
    world.campaign("patch-11", policy: .with { $0.maxPasses = 2 })
    world.settle()
    try Golden.expect(world, tells: "updates-for-ever")
  }

  @Test func `closes a gate again, and reopens it without a new soak`() throws {
    var fleet = EngineFleet()
    fleet.add("ATL", slots: 2, servers: ["ATL-LYON-WEB01", "ATL-LYON-DC01"])
    fleet.add("LAA", ring: .pilot, servers: (1...3).map { "LAA-PARIS-APP0\($0)" })
    var world = EngineWorld(fleet)
    world.script.answer(
      .preUpdate, of: "ATL-LYON-DC01", attempt: 1,
      with: .says(
        .deferred(after: .seconds(3_600), reason: "replication runs")))
    world.script.answer(
      .update, of: "ATL-LYON-DC01", attempt: 1,
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    let gate = RingGate(
      ring: .canary, minCompleted: 1, maxFailed: 0, gateSoak: .seconds(600),
      representative: false)
    world.campaign("patch-11", policy: .with { $0.gates = [gate] })
    world.run(until: "LAA-PARIS-APP01", .update)
    world.script.answer(.preUpdate, of: "ATL-LYON-DC01", with: .ok)
    world.settle()
    world.resolve("ATL-LYON-DC01", .retry)
    world.settle()
    try Golden.expect(world, tells: "gate-closes-again")
  }

  @Test func `leaves three servers when the window ends`() throws {
    var fleet = EngineFleet()
    let servers = (1...6).map { "LAA-PARIS-APP0\($0)" }
    fleet.add("LAA", servers: servers, windows: [EngineFleet.night(0, hours: 2)])
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "window-ends")
  }

  @Test func `goes on in the next window`() throws {
    var fleet = EngineFleet()
    let windows = [EngineFleet.night(0, hours: 1), EngineFleet.night(1, hours: 1)]
    fleet.add("LAA", servers: ["LAA-PARIS-APP01", "LAA-PARIS-APP02"], windows: windows)
    var world = EngineWorld(fleet)
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "next-window")
  }

  @Test func `leaves open servers for later when it is carried over`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02"]))
    world.campaign(
      "patch-11", policy: .with { $0.carryOver = true }, endsAt: world.now + .seconds(900))
    world.settle()
    try Golden.expect(world, tells: "ends-at")
  }

  @Test func `defers a server whose backup runs, and asks the next one first`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02"]))
    world.script.answer(
      .verifyBackup, of: "LAA-PARIS-APP01",
      with: .says(
        .deferred(after: .seconds(5_400), reason: "the backup runs")))
    world.script.answer(
      .update, of: "LAA-PARIS-APP02",
      with: .ends(
        .failed, "E_BUSY", "another installer runs"))
    world.campaign("patch-11", policy: .with { $0.deferLimit = .seconds(3 * 3_600) })
    world.settle()
    try Golden.expect(world, tells: "defer-and-busy")
  }

  @Test func `waits for an agent that is offline at its turn, and not for ever`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02", "LAA-PARIS-APP03"]))
    world.disconnect("LAA-PARIS-APP01")
    world.disconnect("LAA-PARIS-APP02")
    world.campaign("patch-11")
    world.run(for: .seconds(300))
    world.connect("LAA-PARIS-APP02")
    world.settle()
    // APP01 is silent still, and takes the only slot.
    world.step(
      .dismissServer(world.server("LAA-PARIS-APP01"), reason: "switched off", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "offline-at-its-turn")
  }

  @Test(arguments: [PendingReboot.rebootFirst, .refuse])
  func `meets a reboot that was pending before`(rule: PendingReboot) throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    var pending = CommandAnswer.nothingToInstall
    pending.result.rebootRequired = true
    world.script.answer(.update, with: pending)
    world.campaign("patch-11", policy: .with { $0.pendingReboot = rule })
    world.run(until: "LAA-PARIS-WEB01", .reboot)
    world.script.answer(.update, with: .installs(["KB5031364"]))
    world.settle()
    try Golden.expect(world, tells: "pending-reboot-\(rule.rawValue)")
  }

  @Test func `refuses a server whose reboot stays pending after a boot`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    var pending = CommandAnswer.nothingToInstall
    pending.result.rebootRequired = true
    world.script.answer(.update, with: pending)
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "pending-reboot-for-ever")
  }

  @Test func `completes with exceptions when 12 of 13 updates are installed`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    let updates = (1...12).map { "KB50313\($0 < 10 ? "0" : "")\($0)" }
    world.script.answer(.update, with: .installs(updates, failing: ["KB890830"]))
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "twelve-of-thirteen")
  }

  @Test func `notices an update that is undone at boot while the hooks are green`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    let reverted = UpdateResult(update: UpdateID(trusted: "KB5031364"), outcome: .reverted)
    world.script.answer(.health, with: .healthy([reverted]))
    let required = UpdateSet(required: [UpdateID(trusted: "KB5031364")])
    world.campaign("patch-11", updateSet: required)
    world.run(until: "LAA-PARIS-WEB01", .rollback)
    world.script.answer(.health, with: .healthy())
    world.settle()
    try Golden.expect(world, tells: "update-reverted")
  }

  @Test func `lets an SQL update run for three hours, and takes its result`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-SQL01", "LAA-PARIS-DC01"]))
    world.script.answer(
      .update, of: "LAA-PARIS-SQL01", with: .installs(["KB5029378"], after: .seconds(3 * 3_600)))
    world.campaign("sql-cu")
    world.settle()
    #expect(world.state.choices(world.run("LAA-PARIS-SQL01")) == [.accept])
    world.run(until: "LAA-PARIS-SQL01", .reboot)
    world.settle()
    try Golden.expect(world, tells: "sql-three-hours")
  }

  @Test func `gives up on a hook that does not end`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    world.script.answer(.preUpdate, of: "LAA-PARIS-WEB01", with: .never)
    world.script.answer(.postUpdate, of: "LAA-PARIS-WEB02", attempt: 1, with: .never)
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "hook-timeout")
  }

  @Test func `treats an unhealthy server that it has not changed as no failure of its own`() throws
  {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    world.script.answer(.update, with: .nothingToInstall)
    world.script.answer(
      .postUpdate, of: "LAA-PARIS-WEB01",
      with: .says(
        .fail("the shop does not answer", retryable: true)))
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "unhealthy-unchanged")
  }

  @Test func `holds the lane after a failure where the policy says so`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    world.script.answer(
      .postUpdate, of: "LAA-PARIS-WEB01",
      with: .says(
        .fail("the shop does not answer", retryable: false)))
    let campaign = world.campaign("patch-11", policy: .with { $0.onFailure = .hold })
    world.run(until: "LAA-PARIS-WEB01", .rollback)
    world.script.answer(.postUpdate, of: "LAA-PARIS-WEB01", with: .ok)
    world.settle()
    world.resume(campaign, .client(world.client("LAA")))
    world.settle()
    try Golden.expect(world, tells: "lane-held")
  }

  @Test func `takes a snapshot by hook, and asks the hook to remove it`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, of: "LAA-PARIS-WEB01", with: .ok)
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "snapshot-by-hook")
  }

  @Test func `fetches updates before the window, one server of a client at a time`() throws {
    var fleet = EngineFleet()
    fleet.add(
      "LAA", servers: ["LAA-PARIS-APP01", "LAA-PARIS-APP02", "LAA-PARIS-APP03"],
      windows: [EngineFleet.night(1)])
    var world = EngineWorld(fleet)
    world.script.answer(
      .download, of: "LAA-PARIS-APP02",
      with: .ends(
        .environment, "0x8024402C", "the source does not answer"))
    world.script.answer(.download, of: "LAA-PARIS-APP03", with: .hangs())
    world.campaign("patch-11", policy: .with { $0.download = .beforeWindow })
    world.settle()
    try Golden.expect(world, tells: "downloads")
  }

  @Test(arguments: [
    (CommandResult.Status.environment, "0x8024402C", Refused.source),
    (.failed, "0x8024402C", .source), (.failed, "E_BUSY", .busy), (.failed, "E_DISK_FULL", .disk),
    (.refused, "E_WINDOW", .window), (.failed, "0x80070643", .environment),
  ])
  func `tells what kept an update from beginning, and counts no attempt`(
    status: CommandResult.Status, code: String, refused: Refused
  ) {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    world.script.answer(.update, with: .ends(status, code))
    world.campaign("patch-11")
    world.settle()
    let run = world.state[world.run("LAA-PARIS-WEB01")]
    #expect(run.state == .notAttempted(refused))
    #expect(run.attempt == 0)
    #expect(world.violations == [])
  }

  @Test func `calls no server healthy whose agent is away when its watch ends`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    world.campaign("patch-11", policy: .with { $0.serverSoak = .seconds(1_800) })
    world.run(until: "LAA-PARIS-WEB01", .soak)
    world.run(for: .seconds(1_700))
    world.disconnect("LAA-PARIS-WEB01")
    world.run(for: .seconds(200))
    world.connect("LAA-PARIS-WEB01")
    world.settle()
    try Golden.expect(world, tells: "soak-and-silence")
  }

  @Test func `waits for the agent before the next attempt after the daemon's death`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    world.script.answer(
      .update, attempt: 1,
      with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    world.campaign("patch-11")
    world.run(until: "LAA-PARIS-WEB01", .update, .backoff)
    world.run(for: .seconds(290))
    world.crash()
    world.run(for: .seconds(120))
    world.connect("LAA-PARIS-WEB01")
    world.settle()
    try Golden.expect(world, tells: "backoff-and-death")
  }

  @Test func `survives the daemon's death in the middle of the night`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    world.campaign("patch-11")
    world.run(until: "LAA-PARIS-WEB01", .update)
    world.run(for: .seconds(120))
    world.crash()
    world.run(for: .seconds(60))
    world.connect("LAA-PARIS-WEB01")
    world.connect("LAA-PARIS-WEB02")
    world.run(until: "LAA-PARIS-WEB01", .postCheck, .hook(.postUpdate))
    world.crash()
    world.connect("LAA-PARIS-WEB01")
    world.run(for: .seconds(600))
    world.connect("LAA-PARIS-WEB02")
    world.settle()
    try Golden.expect(world, tells: "daemon-dies")
  }
}

extension EngineFleet {
  /// One client with three nights.
  static func laa(_ servers: [String], snapshots: Bool = true) -> EngineFleet {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: servers) { $0.createSnapshots = snapshots }
    return fleet
  }
}

extension Policy {
  static func with(_ change: (inout Policy) -> Void) -> Policy {
    var policy = Policy()
    change(&policy)
    return policy
  }
}

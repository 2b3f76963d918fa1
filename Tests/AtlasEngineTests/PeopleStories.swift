import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// What people do in the middle of a night.
@Suite struct `People` {
  @Test func `end a campaign that starts with nothing left to do`() {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01"]))
    let id = world.draft("patch-11")
    world.step(.skipRun(world.run("LAA-PARIS-WEB01"), reason: "not this one", by: "anna"))
    world.step(.startCampaign(id, ifMatch: nil, hookRevision: "r1", by: "anna"))
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `pause a campaign, a ring, a client, and what runs goes on`() throws {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-APP01", "LAA-PARIS-APP02"])
    fleet.add("MRB", servers: ["MRB-LILLE-APP01", "MRB-LILLE-APP02"])
    var world = EngineWorld(fleet)
    let campaign = world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP01", .update)
    let laa = PauseScope.client(world.client("LAA"))
    world.step(.pauseCampaign(campaign, laa, reason: "month end at LAA", by: "anna"))
    world.run(for: .seconds(3_600))
    world.step(.pauseCampaign(campaign, .ring(.canary), reason: "look first", by: "bruno"))
    world.run(for: .seconds(3_600))
    world.resume(campaign, laa)
    world.run(for: .seconds(60))
    world.resume(campaign, .ring(.canary))
    world.settle()
    try Golden.expect(world, tells: "pause-by-scope")
  }

  @Test func `pause a client, and what fails then is not tried again`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01"]))
    world.script.answer(
      .update, with: .failsToInstall("0x80070643", "the installer failed", retryable: true))
    world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP01", .update)
    world.step(.pauseClient(world.client("LAA"), reason: "month end", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "pause-and-failure")
  }

  @Test func `cancel a campaign with things in flight`() throws {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-APP01", "LAA-PARIS-APP02"])
    fleet.add("MRB", servers: ["MRB-LILLE-APP01"])
    fleet.add("OVH", servers: ["OVH-LYON-DC01"])
    fleet.add("ZEN", servers: ["ZEN-NICE-APP01"])
    var world = EngineWorld(fleet)
    world.script.answer(
      .preUpdate, of: "MRB-LILLE-APP01",
      with: HookAnswer(
        after: .seconds(600), .verdict(.ok(backup: nil, snapshot: nil))))
    world.script.answer(
      .update, of: "OVH-LYON-DC01",
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    let campaign = world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP01", .update)
    world.run(for: .seconds(120))
    world.step(.cancelCampaign(campaign, reason: "a bad update is about", by: "anna"))
    world.settle()
    world.resolve("OVH-LYON-DC01", .accept)
    world.settle()
    try Golden.expect(world, tells: "cancel-in-flight")
  }

  @Test func `cancel a campaign that a stop has parked`() throws {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-APP01"])
    fleet.add("MRB", servers: ["MRB-LILLE-APP01"])
    var world = EngineWorld(fleet)
    world.script.answer(
      .snapshot, of: "MRB-LILLE-APP01",
      with: HookAnswer(
        after: .seconds(900), .snapshot))
    world.script.answer(.finalize, of: "MRB-LILLE-APP01", with: .ok)
    let campaign = world.campaign("patch-11")
    world.run(until: "MRB-LILLE-APP01", .snapshot, .hook(.snapshot))
    world.change("MRB-LILLE-APP01") { $0.isDeaf = true }
    world.run(until: "MRB-LILLE-APP01", .update)
    world.stop()
    world.run(for: .seconds(1_800))
    world.step(.cancelCampaign(campaign, reason: "not this week", by: "anna"))
    world.run(for: .seconds(60))
    world.disconnect("MRB-LILLE-APP01")
    world.connect("MRB-LILLE-APP01")
    world.run(for: .seconds(600))
    world.release()
    world.run(for: .seconds(60))
    world.resume(campaign)
    world.settle()
    try Golden.expect(world, tells: "cancel-parked")
  }

  @Test func `retry a server that was not attempted`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02"]))
    world.script.answer(.verifyBackup, of: "LAA-PARIS-APP01", with: .ok)
    world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP02", .update)
    world.script.answer(.verifyBackup, of: "LAA-PARIS-APP01", with: .backup(age: .seconds(60)))
    world.step(.retryRun(world.run("LAA-PARIS-APP01"), reason: "a backup was made", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "retry-terminal")
  }

  @Test func `skip one server, lock another, retire a third`() throws {
    var world = EngineWorld(
      .laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02", "LAA-PARIS-APP03", "LAA-PARIS-APP04"]))
    world.step(
      .lockServer(
        world.server("LAA-PARIS-APP01"),
        Latch(
          reason: "the vendor works on it", principal: "bruno", since: world.now,
          until: world.now + .seconds(7_200), ticket: "CHG-4711")))
    world.campaign("patch-11")
    world.step(.skipRun(world.run("LAA-PARIS-APP03"), reason: "replaced next week", by: "anna"))
    world.run(until: "LAA-PARIS-APP02", .snapshot, .hook(.snapshot))
    world.step(.retireServer(world.server("LAA-PARIS-APP02"), reason: "scrapped", by: "anna"))
    world.step(.retireServer(world.server("LAA-PARIS-APP04"), reason: "scrapped", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "skip-lock-retire")
  }

  @Test func `exclude an update at 01:00`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02"]))
    let campaign = world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP01", .update)
    world.step(
      .excludeUpdate(
        campaign, UpdateID(trusted: "KB5031364"), reason: "breaks printing", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "exclude-update")
  }

  @Test func `exclude an update, and an order that nobody has seen is given anew`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02"]))
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, with: .ok)
    let campaign = world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP01", .snapshot)
    world.disconnect("LAA-PARIS-APP01")
    world.run(until: "LAA-PARIS-APP01", .update)
    let update = UpdateID(trusted: "KB5031364")
    world.step(.excludeUpdate(campaign, update, reason: "breaks printing", by: "anna"))
    world.run(for: .seconds(60))
    world.connect("LAA-PARIS-APP01")
    world.settle()
    try Golden.expect(world, tells: "exclude-undelivered")
  }

  @Test func `exclude an update, and an order that may have been seen is given anew`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01"]))
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, with: .ok)
    let campaign = world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP01", .snapshot)
    world.change("LAA-PARIS-APP01") { $0.isDeaf = true }
    world.run(until: "LAA-PARIS-APP01", .update)
    world.disconnect("LAA-PARIS-APP01")
    world.run(for: .seconds(400))
    let update = UpdateID(trusted: "KB5031364")
    world.step(.excludeUpdate(campaign, update, reason: "breaks printing", by: "anna"))
    world.connect("LAA-PARIS-APP01")
    world.settle()
    try Golden.expect(world, tells: "exclude-undelivered-lost")
  }

  @Test func `cancel while a snapshot cannot be removed, and it is tried once`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-APP01"]))
    world.script.answer(.removeSnapshot, with: .ends(.failed, "E_DISK_FULL"))
    let campaign = world.campaign("patch-11")
    world.run(until: "LAA-PARIS-APP01", .snapshot, .agent)
    world.stop()
    world.run(until: "LAA-PARIS-APP01", .finalize)
    world.step(.cancelCampaign(campaign, reason: "not this week", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "cancel-and-cleanup-fails")
  }

  @Test func `run two campaigns over one client, and the older goes first`() throws {
    var world = EngineWorld(
      .laa(["LAA-PARIS-APP01", "LAA-PARIS-APP02", "LAA-PARIS-SQL01"]))
    let apps = [ServerName(trusted: "LAA-PARIS-APP01"), ServerName(trusted: "LAA-PARIS-APP02")]
    let second = world.draft(
      "sql-cu", selection: Selection(servers: [ServerName(trusted: "LAA-PARIS-SQL01")]))
    let first = world.draft("patch-11", selection: Selection(servers: apps))
    world.step(.startCampaign(first, ifMatch: nil, hookRevision: "r1", by: "anna"))
    world.step(.startCampaign(second, ifMatch: nil, hookRevision: "r1", by: "bruno"))
    world.settle()
    try Golden.expect(world, tells: "two-campaigns")
  }

  @Test(arguments: ["max_in_progress", "max_active_clients", "max_starts_per_minute"])
  func `cap a campaign`(key: String) throws {
    var fleet = EngineFleet()
    for (name, priority) in [("LAA", 100), ("MRB", 1), ("OVH", 100)] {
      let servers = ["\(name)-PARIS-APP01", "\(name)-PARIS-APP02"]
      fleet.add(name, servers: Array(servers.prefix(name == "LAA" ? 1 : 2))) {
        $0.priority = priority
      }
    }
    var world = EngineWorld(fleet)
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, with: .ok)
    world.script.answer(.update, with: .nothingToInstall)
    let policy = Policy.with {
      switch key {
      case "max_in_progress": $0.maxInProgress = 2
      case "max_active_clients": $0.maxActiveClients = 1
      case _: $0.maxStartsPerMinute = 1
      }
    }
    world.campaign("patch-11", policy: policy)
    world.settle()
    try Golden.expect(world, tells: "cap-\(key)")
  }

  @Test func `promote a ring past a gate that needs a person`() throws {
    var fleet = EngineFleet()
    fleet.add("ATL", servers: ["ATL-LYON-WEB01"])
    fleet.add("LAA", ring: .pilot, servers: ["LAA-PARIS-APP01"])
    var world = EngineWorld(fleet)
    world.script.answer(
      .update, of: "ATL-LYON-WEB01",
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    let gate = RingGate(
      ring: .canary, minCompleted: 1, maxFailed: 0, representative: false)
    let campaign = world.campaign("patch-11", policy: .with { $0.gates = [gate] })
    world.settle()
    world.step(.promoteRing(campaign, .pilot, reason: "a known fault of WEB01", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "promote")
  }

  @Test func `approve of a ring whose gate still closes when a server before it fails`() throws {
    var fleet = EngineFleet()
    fleet.add("ATL", servers: ["ATL-LYON-WEB01", "ATL-LYON-WEB02"])
    fleet.add("LAA", ring: .pilot, servers: ["LAA-PARIS-APP01", "LAA-PARIS-APP02"])
    var world = EngineWorld(fleet)
    world.script.answer(
      .update, of: "ATL-LYON-WEB02",
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    let gate = RingGate(
      ring: .canary, minCompleted: 1, maxFailed: 0, gateSoak: .zero, approval: .manual,
      representative: false)
    let campaign = world.campaign("patch-11", policy: .with { $0.gates = [gate] })
    world.run(until: "ATL-LYON-WEB02", .snapshot)
    world.step(.promoteRing(campaign, .pilot, reason: "WEB01 looks well", by: "anna"))
    world.settle()
    #expect(world.state[world.run("LAA-PARIS-APP02")].state.kind == .pending)
    world.step(.promoteRing(campaign, .pilot, reason: "WEB02 is a fault of its own", by: "anna"))
    world.settle()
    try Golden.expect(world, tells: "approve")
  }

  @Test func `ask for a rollback of a domain controller, which its hypervisor refuses`() throws {
    var world = EngineWorld(.laa(["LAA-PARIS-DC01"]))
    world.script.answer(
      .postUpdate, with: .says(.fail("NETLOGON is paused", retryable: false)))
    world.script.answer(.rollback, with: .ends(.failed, "E_REVERT", "a DC is not reverted"))
    world.campaign("patch-11")
    world.settle()
    world.resolve("LAA-PARIS-DC01", .rollBack)
    world.settle()
    world.script.answer(.postUpdate, with: .ok)
    world.resolve("LAA-PARIS-DC01", .accept)
    world.settle()
    try Golden.expect(world, tells: "rollback-refused")
  }
}

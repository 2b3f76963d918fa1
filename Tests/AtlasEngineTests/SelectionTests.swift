import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// Which servers a campaign covers.
@Suite struct `A selection` {
  private static func world() -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-WEB01", "LAA-PARIS-WEB02", "LAA-LYON-SQL01"])
    fleet.add("MRB", ring: .pilot, servers: ["MRB-PARIS-WEB01"])
    for name in ["LAA-PARIS-WEB02", "MRB-PARIS-WEB01"] {
      fleet.change(name) { $0.tags = [Tag(trusted: "early"), Tag(trusted: "wave-2")] }
    }
    fleet.change("LAA-LYON-SQL01") { $0.tags = [Tag(trusted: "old")] }
    fleet.add("OLD", ring: .standard, servers: ["OLD-OSLO-FS01"])
    var world = EngineWorld(fleet)
    let old = world.state.server(named: ServerName(trusted: "OLD-OSLO-FS01"))!
    world.step(.retireServer(old, reason: "gone", by: "anna"))
    return world
  }

  private static func names(_ patterns: String...) -> Selection {
    Selection(names: patterns.map { NamePattern(trusted: $0) })
  }

  private func covered(_ selection: Selection) -> [String] {
    var world = Self.world()
    let id = world.draft("patch-11", selection: selection)
    return world.state[campaign: id].runs.map {
      world.state[server: $0.server].config.name.text
    }
  }

  @Test(arguments: [
    (Selection(tags: [Tag(trusted: "wave-2")]), ["LAA-PARIS-WEB02", "MRB-PARIS-WEB01"]),
    (
      Selection(
        rings: [.canary], sites: [SiteName(trusted: "PARIS")],
        tags: [Tag(trusted: "wave-2"), Tag(trusted: "old")]),
      ["LAA-PARIS-WEB02"]
    ),
    (names("*-WEB0?"), ["LAA-PARIS-WEB01", "LAA-PARIS-WEB02", "MRB-PARIS-WEB01"]),
    (names("LAA-*1", "MRB*"), ["LAA-LYON-SQL01", "LAA-PARIS-WEB01", "MRB-PARIS-WEB01"]),
  ])
  func `is by tag and by pattern of names, in the order of lanes`(
    selection: Selection, expected: [String]
  ) {
    #expect(covered(selection) == expected)
  }

  @Test(arguments: [
    ("*", "A", true), ("?", "A", true), ("?", "AB", false), ("A*B", "AB", true),
    ("A*B", "AxBxB", true), ("A*B", "AxBx", false), ("a", "A", false), ("*A*A*", "xAyAz", true),
    ("*A*A*", "xAy", false), ("**", "A", true), ("A", "AB", false), ("AB", "A", false),
  ])
  func `fits whole names, with their case`(pattern: String, name: String, fits: Bool) {
    #expect(NamePattern(trusted: pattern).fits(ServerName(trusted: name)) == fits)
  }

  @Test(arguments: ["", "a b", "-*", "*-[0-9]", String(repeating: "*", count: 254)])
  func `has patterns that can fit a name`(text: String) {
    #expect(throws: NameError.self) { try NamePattern(text) }
    #expect((try? NamePattern("*-PARIS-WEB0?"))?.text == "*-PARIS-WEB0?")
  }

  @Test func `takes what another campaign left without its updates`() {
    var world = Self.world()
    world.script.answer(
      .update, of: "LAA-PARIS-WEB01",
      with: .failsToInstall("0x800F0922", "servicing failed", retryable: false))
    world.script.answer(.verifyBackup, of: "LAA-PARIS-WEB02", with: .ok)
    world.script.answer(.verifyBackup, of: "LAA-LYON-SQL01", with: .ok)
    world.campaign(
      "patch-11", policy: .with { $0.breakers = .off }, selection: Selection(rings: [.canary]))
    world.run { $0.state[$0.run("LAA-LYON-SQL01")].state.kind == .notAttempted }
    world.script.answer(.verifyBackup, of: "LAA-LYON-SQL01", with: .usual(.verifyBackup))
    world.step(.retryRun(world.run("LAA-LYON-SQL01"), reason: "the backup ran", by: "anna"))
    world.settle()
    let again = world.draft(
      "again", selection: Selection(failedIn: CampaignName(trusted: "patch-11")))
    let names = world.state[campaign: again].runs.map {
      world.state[server: $0.server].config.name.text
    }
    // The database was tried once more, with success: its newest run counts.
    #expect(names == ["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"])
    #expect(world.violations == [])
  }

  @Test(arguments: [
    (
      Selection(roles: ["SQL", "WBE"].map { Role(trusted: $0) }), "selection.roles",
      "no server in service has role WBE: did you mean WEB?"
    ),
    (
      Selection(roles: ["MAIL", "SQL"].map { Role(trusted: $0) }), "selection.roles",
      "no server in service has role MAIL (known: SQL, WEB)"
    ),
    (
      Selection(sites: ["LYON", "PARS"].map { SiteName(trusted: $0) }), "selection.sites",
      "no server in service is at site PARS: did you mean PARIS?"
    ),
    (
      Selection(rings: [.canary, .standard]), "selection.rings",
      "no client in ring 2 has a server in service (known: 0, 1)"
    ),
    (
      Selection(tags: ["early", "wave-3"].map { Tag(trusted: $0) }), "selection.tags",
      "no server in service has tag wave-3: did you mean wave-2?"
    ),
    (
      names("LAA*", "*-sql*"), "selection.name_patterns",
      "no name of a server in service fits *-sql*: did you mean *-SQL*?"
    ),
    (
      names("LAA*", "MRB-PARIS-WEB1"), "selection.name_patterns",
      "no name of a server in service fits MRB-PARIS-WEB1: did you mean MRB-PARIS-WEB01?"
    ),
    (
      names("LAA*", "X*"), "selection.name_patterns", "no name of a server in service fits X*"
    ),
    (
      Selection(clients: ["LAA", "MRC"].map { ClientName(trusted: $0) }), "selection.clients",
      "there is no client MRC: did you mean MRB?"
    ),
    (
      Selection(clients: ["LAA", "OLD"].map { ClientName(trusted: $0) }), "selection.clients",
      "client OLD has no server in service"
    ),
    (
      Selection(servers: ["LAA-PARIS-WEB01", "LAA-PARIS-WBE02"].map { ServerName(trusted: $0) }),
      "selection.servers", "there is no server LAA-PARIS-WBE02: did you mean LAA-PARIS-WEB02?"
    ),
    (
      Selection(servers: ["LAA-PARIS-WEB01", "OLD-OSLO-FS01"].map { ServerName(trusted: $0) }),
      "selection.servers", "server OLD-OSLO-FS01 is retired"
    ),
    (
      Selection(
        sites: ["OSLO", "PARIS"].map { SiteName(trusted: $0) },
        roles: ["FS", "WEB"].map { Role(trusted: $0) }),
      "selection",
      "no server in service is at site OSLO (known: LYON, PARIS); no server in service has role FS "
        + "(known: SQL, WEB)"
    ),
    (
      Selection(tags: (1...7).map { Tag(trusted: "early\($0)") }), "selection.tags",
      (1...5).map { "no server in service has tag early\($0): did you mean early?" }
        .joined(separator: "; ") + "; and 2 more"
    ),
  ])
  func `with a value that covers no server by itself is refused, with what would be right`(
    selection: Selection, field: String, message: String
  ) {
    var world = Self.world()
    #expect(refusal(&world, selection) == .invalid(field: field, message: message))
    #expect(world.state.campaigns.isEmpty)
  }

  @Test func `that covers nothing is refused with what was asked, and what is to blame`() {
    var world = Self.world()
    let apart = Selection(rings: [.pilot], sites: [SiteName(trusted: "LYON")])
    #expect(
      refusal(&world, apart)
        == .notAllowed(
          code: .nothingSelected, message: "the selection covers no server: ring 1; site LYON",
          hint: "`atlas server list` shows the fleet"))
    world.draft("oct")
    let fine = Selection(rings: [.canary], failedIn: CampaignName(trusted: "oct"))
    #expect(
      refusal(&world, fine)
        == .notAllowed(
          code: .nothingSelected,
          message: "the selection covers no server: ring 0; failed in oct",
          hint: "no server at all: failed in oct"))
    let unknown = Selection(failedIn: CampaignName(trusted: "nov"))
    #expect(
      refusal(&world, unknown)
        == .invalid(field: "failed_in", message: "there is no campaign nov"))
    let many = Selection(
      names: Array(repeating: NamePattern(trusted: "*"), count: Limits.namePatterns + 1))
    #expect(refusal(&world, many) == .limit("a selection has at most 64 patterns of names"))
  }

  private func refusal(_ world: inout EngineWorld, _ selection: Selection) -> Refusal? {
    let draft = CampaignDraft(name: CampaignName(trusted: "x"), selection: selection)
    return #expect(throws: Refusal.self) { try world.obey(.createCampaign(draft, by: "anna")) }
  }
}

/// A server that is tried again.
@Suite struct `A retried server` {
  @Test func `counts once in its campaign and its ring`() {
    var world = EngineWorld(.laa(["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"]))
    world.script.answer(.verifyBackup, of: "LAA-PARIS-WEB01", with: .ok)
    world.campaign("patch-11")
    world.run { $0.state[$0.run("LAA-PARIS-WEB01")].state.kind == .notAttempted }
    let first = world.run("LAA-PARIS-WEB01")
    world.script.answer(.verifyBackup, of: "LAA-PARIS-WEB01", with: .usual(.verifyBackup))
    world.step(.retryRun(first, reason: "the backup ran", by: "anna"))
    #expect(world.state.campaigns[0].counts.total == 2)
    #expect(world.state.campaigns[0].counts[.notAttempted] == 0)
    let refusal = #expect(throws: Refusal.self) {
      var other = world
      try other.obey(.retryRun(first, reason: "again", by: "anna"))
    }
    #expect(
      refusal
        == .notAllowed(
          code: .serverInOtherCampaign, message: "the server has an open run already",
          hint: "wait for it, or skip it"))
    world.step(.skipRun(world.run("LAA-PARIS-WEB01"), reason: "not now", by: "anna"))
    #expect(world.state.campaigns[0].counts[.skipped] == 1)
    let superseded = #expect(throws: Refusal.self) {
      try world.obey(.retryRun(first, reason: "again", by: "anna"))
    }
    #expect(
      superseded
        == .notAllowed(
          code: .runState, message: "the run was tried again already",
          hint: "retry the newest run of the server"))
    world.step(.retryRun(world.run("LAA-PARIS-WEB01"), reason: "now", by: "anna"))
    world.settle()
    #expect(world.state.campaigns[0].counts[.completed] == 2)
    #expect(world.state.campaigns[0].rings[0].counts[.completed] == 2)
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }
}

import AtlasModel
import AtlasTestKit
import Testing

@testable import AtlasEngine

/// What cannot work is refused when it is asked for, with the field and what would be right.
@Suite struct `A campaign that cannot work` {
  private static let start = EngineFleet.start
  private static let patch = UpdateID(trusted: "KB1")

  /// LAA is in ring 0 and works from 22:00 to 06:00 in Paris; NOR is in ring 1, and works in the
  /// second night only.
  private static func world() -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-WEB01"]) { $0.zone = "Europe/Paris" }
    fleet.add(
      "NOR", ring: .pilot, servers: ["NOR-OSLO-WEB01"], windows: [EngineFleet.night(1)]
    ) { $0.zone = "Europe/Oslo" }
    return EngineWorld(fleet)
  }

  private static func draft(_ change: (inout CampaignDraft) -> Void) -> CampaignDraft {
    var draft = CampaignDraft(name: CampaignName(trusted: "patch-11"))
    change(&draft)
    return draft
  }

  private static func hours(_ from: Int, _ until: Int, night: Int = 0) -> Interval {
    let begin = EngineFleet.night(night).start
    return Interval(start: begin + .seconds(from * 3_600), end: begin + .seconds(until * 3_600))
  }

  private static func own(_ windows: [Interval]) -> [ZoneWindows] {
    ["Europe/Oslo", "Europe/Paris"].map { ZoneWindows(zone: $0, windows: windows) }
  }

  @Test(
    "is refused",
    arguments: [
      (
        "update_set.exclude", "KB1 is in include, too; leave it out of one of them",
        draft {
          $0.updateSet = UpdateSet(include: [patch], exclude: [patch])
        }
      ),
      (
        "update_set.exclude", "KB1 is in required, too; leave it out of one of them",
        draft {
          $0.updateSet = UpdateSet(exclude: [patch], required: [patch])
        }
      ),
      (
        "update_set.cut_off",
        "no update is from before 1999-12-31 23:59 UTC, so nothing would be installed; write "
          + "2000-01-01 00:00 UTC or later, or leave it out for the campaign's start",
        draft { $0.updateSet.cutOff = Limits.oldestCutOff - .seconds(1) }
      ),
      (
        "update_set.cut_off",
        "\((start + .seconds(367 * 86_400)).words) is more than 366d ahead, so it would hold nothing "
          + "back; write an earlier one, or leave it out for the campaign's start",
        draft { $0.updateSet.cutOff = start + .seconds(367 * 86_400) }
      ),
      (
        "ends_at", "\(start.words) is over; give a time later than \(start.words)",
        draft { $0.endsAt = start }
      ),
      (
        "ends_at",
        "the campaign would end at \((start + .seconds(400 * 86_400)).words), and lasts at most "
          + "366d; give an earlier end, or none",
        draft { $0.endsAt = start + .seconds(400 * 86_400) }
      ),
      (
        "gates.0.gate_soak",
        "the gate behind ring 0 must be good for 1d, and the campaign ends in 8h, so nothing behind "
          + "it would start; write less than that, or a later ends_at",
        draft {
          $0.endsAt = EngineFleet.night().end
          $0.policy.gates = [RingGate(ring: .canary, gateSoak: .seconds(86_400))]
        }
      ),
      (
        "windows",
        "“Sun 12:00-14:00” is never open together with a window of LAA, NOR before "
          + "\((start + .seconds(14 * 86_400)).words), so nothing would start; write times of "
          + "theirs, which `atlas client windows LAA` shows",
        draft {
          $0.policy.windows = MaintenanceWindow(rule: "Sun 12:00-14:00")
          $0.ownWindows = own([hours(9, 11), hours(9, 11, night: 1)])
        }
      ),
    ])
  func refused(field: String, message: String, draft: CampaignDraft) {
    var world = Self.world()
    #expect(throws: Refusal.invalid(field: field, message: message)) {
      try world.obey(.createCampaign(draft, by: "anna"))
    }
    #expect(world.state.campaigns.isEmpty)
  }

  @Test(
    "is not one that only seems so",
    arguments: [
      draft { $0.updateSet = UpdateSet(include: [patch], required: [patch], cutOff: start) },
      draft { $0.updateSet.cutOff = start + .seconds(86_400) },
      draft {
        $0.endsAt = EngineFleet.night(1).end
        $0.policy.gates = [RingGate(ring: .canary, gateSoak: .seconds(86_400))]
      },
      // Nothing comes after ring 1.
      draft {
        $0.endsAt = EngineFleet.night(1).end
        $0.policy.gates = [RingGate(ring: .pilot, gateSoak: .seconds(7 * 86_400))]
      },
      draft {
        $0.policy.windows = MaintenanceWindow(rule: "Sun 04:00-06:00")
        $0.ownWindows = own([hours(6, 8)])
      },
      // Nobody has worked them out.
      draft { $0.policy.windows = MaintenanceWindow(rule: "Sun 12:00-14:00") },
    ])
  func allowed(draft: CampaignDraft) throws {
    var world = Self.world()
    try world.obey(.createCampaign(draft, by: "anna"))
    #expect(world.state.campaigns.count == 1)
  }

  @Test("windows too short for every server are refused as those of clients are")
  func short() {
    var world = Self.world()
    let draft = Self.draft {
      $0.policy.windows = MaintenanceWindow(rule: "daily 22:00-22:30")
      $0.ownWindows = Self.own([
        Interval(start: Self.start, end: Self.start + .seconds(1_800))
      ])
    }
    let refusal = #expect(throws: Refusal.self) {
      try world.obey(.createCampaign(draft, by: "anna"))
    }
    guard case .notAllowed(code: .noWindow, let message, _) = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
    #expect(message.contains("LAA-PARIS-WEB01 needs 1h"))
    #expect(message.contains("the longest window leaves 30m"))
  }

  @Test("an edit to windows that never meet is refused, and nothing has changed")
  func edited() throws {
    var world = Self.world()
    world.campaign("patch-11")
    var policy = Policy()
    policy.windows = MaintenanceWindow(rule: "Sun 12:00-14:00")
    func edit(_ windows: [Interval]) -> Event {
      .editCampaign(
        CampaignID(0), CampaignEdit(policy: policy, changes: "w", ownWindows: Self.own(windows)),
        by: "anna")
    }
    let refusal = #expect(throws: Refusal.self) {
      try world.obey(edit([Self.hours(9, 11), Self.hours(9, 11, night: 1)]))
    }
    guard case .invalid(field: "windows", _) = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
    #expect(world.state.campaigns[0].policy == Policy())
    #expect(world.state.campaigns[0].earlier.isEmpty)
    try world.obey(edit([Self.hours(6, 8), Self.hours(6, 8, night: 1)]))
    #expect(world.state.campaigns[0].policy == policy)
  }

  @Test("a gate whose soak outlasts a running campaign is refused, other edits of it are not")
  func soaking() throws {
    var world = Self.world()
    let end = EngineFleet.night(1).end
    world.campaign("patch-11", endsAt: end)
    world.run(for: .seconds(20 * 3_600))
    var policy = Policy()
    policy.gates = [RingGate(ring: .pilot, gateSoak: .seconds(7 * 86_400))]
    world.edit(to: policy)
    policy.maxInProgress = 1
    world.edit(to: policy)
    var other = Self.world()
    other.draft("patch-11", endsAt: end)
    other.run(for: .seconds(31 * 3_600 + 1_800))
    let start = Event.startCampaign(CampaignID(0), ifMatch: nil, hookRevision: "r1", by: "anna")
    let late = #expect(throws: Refusal.self) { try other.obey(start) }
    guard case .invalid(field: "gates.0.gate_soak", _) = late else {
      Issue.record("\(String(describing: late))")
      return
    }
  }
}

/// What leaves something to do is allowed, and told.
@Suite struct `A campaign of which a part cannot work` {
  /// LAA works in three nights, NOR in the second one; HV01 of LAA carries a guest of NOR.
  private static func world(_ change: (inout EngineFleet) -> Void = { _ in }) -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: ["LAA-PARIS-WEB01", "LAA-PARIS-HV01"])
    fleet.add(
      "NOR", ring: .pilot, servers: ["NOR-OSLO-WEB01"], windows: [EngineFleet.night(1)])
    change(&fleet)
    return EngineWorld(fleet)
  }

  private static func warnings(
    _ world: EngineWorld, own: [Interval]? = nil
  ) -> [CampaignWarning] {
    let windows = own.map { [ZoneWindows(zone: "UTC", windows: $0)] } ?? []
    return world.state.warnings(of: CampaignID(0), own: windows, now: world.now)
  }

  @Test func `is told nothing when all of it can`() {
    var world = Self.world()
    world.campaign("patch-11")
    #expect(Self.warnings(world) == [])
    world.settle()
    #expect(Self.warnings(world) == [])
  }

  @Test func `is told which clients its windows never meet`() {
    var world = Self.world()
    world.ownWindows = [EngineFleet.night()]
    world.draft("patch-11", policy: .with { $0.windows = MaintenanceWindow(rule: "Sat") })
    let end = EngineFleet.start + .seconds(14 * 86_400)
    #expect(
      Self.warnings(world, own: [EngineFleet.night()]) == [
        CampaignWarning(
          field: "windows",
          message:
            "no window opens before \(end.words) together with “Sat” at NOR, so nothing there "
            + "starts",
          hint: "`atlas client windows NOR` shows them")
      ])
    #expect(Self.warnings(world).map(\.field) == ["windows"])
  }

  @Test func `is told which servers fit into no window`() {
    var world = Self.world()
    var policy = Policy()
    var long = PhaseTimes()
    long.estimate = .seconds(9 * 3_600)
    policy.roleTimes = [RoleTimes(role: Role(trusted: "HV"), times: long)]
    world.draft("patch-11", policy: policy)
    #expect(
      Self.warnings(world) == [
        CampaignWarning(
          field: "estimates",
          message:
            "no window is long enough for LAA-PARIS-HV01: LAA-PARIS-HV01 needs 9h15m, and its "
            + "longest window leaves 8h",
          hint: "widen the windows, or lower estimates or rollback_reserve")
      ])
  }

  @Test func `is told of hosts between the windows of two clients`() {
    let host = ServerName(trusted: "LAA-PARIS-HV01")
    var fine = Self.world { $0.change("NOR-OSLO-WEB01") { $0.host = host } }
    fine.draft("patch-11")
    #expect(Self.warnings(fine) == [])
    var world = Self.world {
      $0.change("NOR-OSLO-WEB01") { $0.host = host }
      $0.windows[1] = [EngineFleet.night(5)]
    }
    world.draft("patch-11")
    #expect(
      Self.warnings(world) == [
        CampaignWarning(
          field: "host",
          message: "the windows of all who have guests on it are never open together for long "
            + "enough, so it does not start: LAA-PARIS-HV01",
          hint: "give its client and those of its guests a common window, or leave it out")
      ])
  }

  @Test func `is told when all agents are older than it asks for, and not when one is not`() {
    var world = Self.world()
    for (server, version) in [("LAA-PARIS-WEB01", "1.4"), ("NOR-OSLO-WEB01", "1.2")] {
      world.disconnect(server)
      world.change(server) { $0.version = version }
      world.connect(server)
    }
    world.disconnect("LAA-PARIS-HV01")
    world.change("LAA-PARIS-HV01") { $0.version = "1.5" }
    world.connect("LAA-PARIS-HV01")
    world.draft("patch-11", policy: .with { $0.minAgentVersion = AgentVersion("14.2") })
    #expect(
      Self.warnings(world) == [
        CampaignWarning(
          field: "min_agent_version",
          message: "14.2 is newer than every agent that its servers have, the newest being 1.5, so "
            + "nothing starts until they are updated",
          hint: "update the agents before the night, or write 1.5 or lower")
      ])
    world.edit(to: .with { $0.minAgentVersion = AgentVersion("1.4.1") })
    #expect(Self.warnings(world) == [])
  }

  @Test func `is told of settings for clients that it does not touch`() {
    var world = Self.world()
    world.draft(
      "patch-11", selection: Selection(clients: [ClientName(trusted: "LAA")]),
      overrides: [ClientPolicy(client: ClientID(1), policy: Policy())])
    #expect(
      Self.warnings(world) == [
        CampaignWarning(
          field: "clients",
          message: "settings of their own do nothing for clients without a server in the campaign: "
            + "NOR",
          hint: "leave them out, or select servers of these clients")
      ])
  }

  @Test func `is told when its gates soak longer than it lasts`() {
    var world = Self.world {
      $0.add("OVH", ring: .standard, servers: ["OVH-LILLE-WEB01"])
    }
    let policy = Policy.with { policy in
      policy.gates = [Ring.canary, .pilot].map {
        RingGate(ring: $0, gateSoak: .seconds(20 * 3_600))
      }
    }
    world.draft("patch-11", policy: policy, endsAt: EngineFleet.night(1).end)
    #expect(
      Self.warnings(world) == [
        CampaignWarning(
          field: "gates",
          message: "its gates must be good for 1d16h one after the other, and the campaign ends in "
            + "1d8h, so its last ring does not start",
          hint: "shorten gate_soak, or give a later ends_at")
      ])
  }
}

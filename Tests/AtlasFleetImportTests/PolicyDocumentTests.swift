import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("Policies")
struct PolicyDocumentTests {
  @Test("an empty file is the defaults, and sets nothing", arguments: ["", "# nothing\n", "{}"])
  func empty(text: String) {
    let reading = read(text)
    #expect(reading.diagnostics == [])
    #expect(reading.policy == Policy())
    #expect(reading.explicitKeys == [])
  }

  @Test("two policies differ in what one says and the other does not")
  func differences() {
    let before = read(
      """
      max_retries: 3
      roles: {SQL: {update_timeout: 4h}}
      resources: {SAN-LYON-1: 4}
      clients: {LAA: {max_retries: 0}, MRB: {offline_grace: 1h}}
      """)
    let after = read(
      """
      max_in_progress: 20
      gates: [{ring: 0, min_completed: 5}]
      clients: {MRB: {offline_grace: 2h}, OVH: {offline_grace: 1h}}
      """)
    func changes(_ old: PolicyDocument.Reading, _ new: PolicyDocument.Reading) -> [String] {
      PolicyDocument.changes(
        from: (old.policy, old.clientOverrides), to: (new.policy, new.clientOverrides)
      ).map(\.text)
    }
    #expect(
      changes(before, after) == [
        "max_retries: 3 → 2", "max_in_progress: unlimited → 20",
        "roles.SQL.update_timeout: 4h → (not set)", "resources.SAN-LYON-1: 4 → (not set)",
        "gates.0.min_completed: 3 → 5", "LAA: max_retries: 0 → (not set)",
        "MRB: offline_grace: 1h → 2h", "OVH: offline_grace: (not set) → 1h",
      ])
    #expect(changes(before, before) == [])
  }

  @Test("read over a policy it changes what it says, and clients keep what is theirs")
  func over() {
    let before = read(
      """
      max_retries: 3
      roles: {SQL: {update_timeout: 4h}}
      resources: {SAN-LYON-1: 4}
      rollback: {MAIL: snapshot}
      gates: [{ring: 0, min_completed: 5}]
      clients:
        LAA: {max_retries: 0, roles: {SQL: {update_timeout: 5h}}, rollback: {MAIL: hold}}
        MRB: {offline_grace: 1h}
      """)
    func edited(_ text: String) -> PolicyDocument.Reading {
      PolicyDocument.read(
        SourceDocument(name: "edit.yaml", text: text), over: before.policy,
        overrides: before.clientOverrides)
    }
    func changes(_ text: String) -> [String] {
      let after = edited(text)
      #expect(after.diagnostics == [])
      return PolicyDocument.changes(
        from: (before.policy, before.clientOverrides), to: (after.policy, after.clientOverrides)
      ).map(\.text)
    }
    #expect(changes("") == [])
    #expect(changes("clients: {}") == [])
    #expect(changes("max_passes: 2") == ["max_passes: 4 → 2"])
    #expect(
      changes("resources: {SAN-LYON-1: unlimited}") == ["resources.SAN-LYON-1: 4 → (not set)"])
    #expect(
      changes("gates: [{ring: 0, success_rate: 90%}]") == ["gates.0.success_rate: 95% → 90%"])
    #expect(
      changes("clients: {LAA: {max_passes: 9}, OVH: {max_retries: 1}}") == [
        "LAA: max_passes: (not set) → 9", "OVH: max_retries: (not set) → 1",
      ])
    // A client that had nothing of its own there follows its campaign.
    #expect(edited("offline_grace: 2h").clientOverrides["LAA"]?.offlineGrace == .seconds(7_200))
    #expect(edited("offline_grace: 2h").clientOverrides["MRB"]?.offlineGrace == .seconds(3_600))
    #expect(edited("check_interval: 3m").hasErrors)
  }

  @Test("every key is read")
  func everyKey() {
    let reading = read(
      """
      max_retries: 3
      retry_backoff: 1m
      max_passes: 5
      auto_rollback: false
      on_failure: hold
      check_interval: 1m
      client_lock_timeout: 4m
      offline_grace: 20m
      update_timeout: 90m
      reboot_timeout: 40m
      no_progress_timeout: 25m
      phase_timeouts: {download: 2h, pre_check: 1m, snapshot: 2m, post_check: 3m, rollback: 4m, finalize: 5m}
      estimates: {default: 50m, sql: 3h}
      rollback_reserve: 10m
      server_soak: 5m
      snapshot_retention: 3d
      defer_limit: 1h
      cancel_grace: 30s
      pending_reboot: refuse
      download: before_window
      rollback: {default: uninstall, DC: snapshot, X: hold}
      roles:
        SQL: {update_timeout: 4h, phase_timeouts: {snapshot: 30m}}
        WEB: {rollback: snapshot}
      ring_gate: {success_rate: 90%, gate_soak: 5m, representative: false}
      gates:
        - {ring: 0, open_after: complete, min_completed: 1, success_rate: 80, max_failed: 2, gate_soak: 0s, approval: manual}
        - {ring: 2, approval: auto}
      max_in_progress: 50
      max_active_clients: 20
      max_starts_per_minute: 10
      max_parallel_servers: 1
      per_site: 3
      resources: {SAN-LYON-1: 4, backup-proxy: 2}
      breakers:
        max_failed_per_client: 3
        campaign: {success_rate: 90%, sample: 50}
        signature: {clients: off}
        source: {clients: 4, servers: 5}
      max_backup_age: 12h
      min_agent_version: 1.4.2
      windows: Sat 22:00-06:00; Sun 22:00-Mon 04:00
      require_backup: true
      create_snapshots: true
      max_waiting_for_people: 0
      carry_over: true
      """)
    #expect(reading.diagnostics.map(\.description) == [])
    let policy = reading.policy
    #expect(policy.maxRetries == 3)
    #expect(policy.onFailure == .hold)
    #expect(policy.pendingReboot == .refuse)
    #expect(policy.times.update == .seconds(5_400))
    #expect(policy.times.estimate == .seconds(3_000))
    #expect(policy.times.limit(of: .finalize) == .seconds(300))
    let sql = policy.times(for: ["SQL"])
    #expect(sql.estimate == .seconds(3 * 3_600))
    #expect(sql.update == .seconds(4 * 3_600))
    #expect(sql.snapshot == .seconds(1_800))
    #expect(sql.reboot == policy.times.reboot)
    #expect(policy.rollback == .uninstall)
    #expect(policy.snapshotRetention == .seconds(3 * 86_400))
    #expect(policy.rollbackMeans(for: ["DC"], physical: false) == .uninstall)
    #expect(policy.rollbackMeans(for: ["X"], physical: false) == .hold)
    #expect(policy.rollbackMeans(for: ["MX"], physical: false) == .hold)
    #expect(
      policy.gate(after: .canary)
        == RingGate(
          ring: .canary, openAfter: .complete, minCompleted: 1, successRate: 80, maxFailed: 2,
          gateSoak: .zero, approval: .manual, representative: false))
    #expect(
      policy.gate(after: .pilot)
        == RingGate(
          ring: .pilot, successRate: 90, gateSoak: .seconds(300), representative: false))
    #expect(
      policy.gate(after: .standard)
        == RingGate(
          ring: .standard, openAfter: .complete, successRate: 90, gateSoak: .seconds(300),
          representative: false))
    #expect(policy.perSite == 3)
    #expect(
      policy.resources == [
        ResourceLimit(name: "SAN-LYON-1", limit: 4), ResourceLimit(name: "backup-proxy", limit: 2),
      ])
    var breakers = Breakers()
    breakers.maxFailedPerClient = 3
    breakers.successRate = 90
    breakers.sample = 50
    breakers.signatureClients = nil
    breakers.sourceClients = 4
    breakers.sourceServers = 5
    #expect(policy.breakers == breakers)
    #expect(policy.maxWaitingForPeople == 0)
    #expect(policy.maxBackupAge == .atMost(.seconds(12 * 3_600)))
    #expect(policy.minAgentVersion == AgentVersion("1.4.2"))
    #expect(policy.windows?.rule == "Sat 22:00-06:00; Sun 22:00-Mon 04:00")
    #expect(reading.explicitKeys.contains("roles.SQL.phase_timeouts.snapshot"))
    let settings = Set(PolicyDocument.settings(of: policy).map(\.key))
    #expect(reading.explicitKeys.filter { !settings.contains($0) && !$0.hasPrefix("gates.") } == [])
  }

  @Test("a client's part is the campaign's settings with its own, roles included")
  func clientOverrides() {
    let reading = read(
      """
      update_timeout: 90m
      max_in_progress: 5
      roles: {SQL: {reboot_timeout: 1h}}
      clients:
        LAA: {max_retries: 0, update_timeout: 2h, estimates: {SQL: 4h}, max_backup_age: ~}
        NOR: {}
      """)
    #expect(reading.diagnostics == [])
    var laa = reading.policy
    laa.maxRetries = 0
    laa.times.update = .seconds(7_200)
    laa.roleTimes[0].times.update = .seconds(7_200)
    laa.roleTimes[0].times.estimate = .seconds(4 * 3_600)
    #expect(reading.clientOverrides == ["LAA": laa, "NOR": reading.policy])
    #expect(
      reading.clientExplicitKeys["LAA"]
        == ["estimates.SQL", "max_backup_age", "max_retries", "update_timeout"])
    #expect(
      reading.explicitKeys == ["max_in_progress", "roles.SQL.reboot_timeout", "update_timeout"])
  }

  @Test(
    "what is wrong is refused with its line and what would be right",
    arguments: [
      ("max_retries: 11", "max_retries: 11 is out of range; write a number from 0 to 10"),
      ("max_retries: two", "“two” is not a whole number"),
      ("max_retries: [2]", "max_retries is a list; write one value"),
      ("max_retires: 2", "the key “max_retires” is not known; did you mean max_retries?"),
      ("update_timeout: 60", "“60” is not a duration; write a number with a unit"),
      ("update_timeout: 0s", "0s is out of range; write a duration from 1s to 7d"),
      ("update_timeout: 30d", "30d is out of range"),
      ("auto_rollback: maybe", "“maybe” is neither true nor false"),
      ("on_failure: continue", "“continue” is not known; write continue_if_healthy, hold"),
      ("pending_reboot: reboot_frist", "did you mean reboot_first?"),
      ("client_lock_timeout: 3m", "write client_lock_timeout: 4m or more"),
      ("check_interval: 10m", "write client_lock_timeout: 20m or more"),
      (
        "no_progress_timeout: 1h",
        "no_progress_timeout: no_progress_timeout is 1h and update_timeout"
      ),
      ("no_progress_timeout: 2h", "write no_progress_timeout: 30m, or less"),
      (
        "roles: {SQL: {no_progress_timeout: 90m}}",
        "roles.SQL.no_progress_timeout: no_progress_timeout is 1h30m and update_timeout 1h"
      ),
      (
        "clients: {LAA: {no_progress_timeout: 3h}}", "an installer is overdue before its silence"
      ),
      ("phase_timeouts: {update: 1h}", "write update_timeout"),
      ("phase_timeouts: {snapshop: 1h}", "did you mean snapshot?"),
      ("phase_timeouts: 1h", "phase_timeouts is “1h”; write key: value below it"),
      ("estimates: {SQL: long}", "estimates.SQL: “long” is not a duration"),
      ("estimates: {S Q: 1h}", "is not a role name"),
      ("rollback: undo", "rollback.default: “undo” is not known; write snapshot, uninstall, hold"),
      ("rollback: {DC: snapshots}", "did you mean snapshot?"),
      ("roles: {SQL: {update_timout: 1h}}", "a role has no key “update_timout”; did you mean"),
      ("roles: {SQL: {max_retries: 1}}", "a role has no key “max_retries”"),
      ("ring_gate: {success_rate: 0.95}", "“0.95” is not a share; write whole per cent"),
      ("ring_gate: {success_rate: 101%}", "“101%” is not a share"),
      ("ring_gate: {open_after: all}", "“all” is not known; write sample, complete"),
      ("ring_gate: {soak: 1m}", "a gate has no key “soak”"),
      ("ring_gate: {representative: some}", "“some” is neither true nor false"),
      ("representative: true", "representative is a setting of a gate; write ring_gate:"),
      ("gates: {ring: 0}", "gates is a group of keys; write a list"),
      ("gates: [{min_completed: 1}]", "the gate lacks its ring"),
      ("gates: [{ring: 8}]", "8 is out of range; write a number from 0 to 7"),
      (
        "gates: [{ring: 7}]", "no ring comes after ring 7, so there is no gate behind it; gates are"
      ),
      ("gates: [{ring: 0}, {ring: 0}]", "the gate behind ring 0 is there twice"),
      ("snapshot_retention: 31d", "snapshot_retention: 31d is out of range; write a duration from"),
      ("per_site: 0", "per_site: 0 is out of range; write a number from 1 to 100"),
      ("resources: [san]", "resources is a list; write key: value below it"),
      ("resources: {san: 0}", "resources.san: 0 is out of range; write a number from 1 to"),
      ("resources: {s n: 1}", "is not a resource name"),
      ("breakers: 2", "breakers is “2”; write key: value below it"),
      (
        "breakers: {campaign: off}",
        "breakers.campaign: “off” is no group of keys; write campaign: {success_rate: off}"
      ),
      (
        "breakers: {campaign: 80%}",
        "“80%” is no group of keys; write campaign: {success_rate: 80%, sample: 20}"
      ),
      ("breakers: {source: off}", "write source: {clients: off, servers: off}"),
      ("breakers: {max_failed: 2}", "there is no breaker “max_failed”"),
      ("breakers: {campaign: {rate: 90%}}", "there is no breaker “campaign.rate”"),
      ("breakers: {campaign: {success_rate: 0.9}}", "“0.9” is not a share"),
      (
        "breakers: {campaign: {success_rate: 0%}}",
        "0% stops nothing: no rate is below it; write a share above 0%, or off"
      ),
      ("breakers: {campaign: {sample: 0}}", "campaign.sample: 0 is out of range"),
      ("breakers: {signature: {client: 2}}", "did you mean signature.clients?"),
      ("breakers: {source: {servers: 101}}", "source.servers: 101 is out of range"),
      ("clients: {LAA: {breakers: {}}}", "breakers is a setting of the whole campaign"),
      ("min_available: 101%", "“101%” is not a share"),
      ("min_available: 0.9", "write whole per cent from 0% to 100%, such as 95%"),
      ("ends_at: 2026-12-20", "give it when the campaign is created"),
      ("min_agent_version: newest", "“newest” is not a version of the agent"),
      ("max_backup_age: last job", "“last job” is not an age of backups"),
      ("windows: Fri 25:00-Sat", "25:00"),
      (
        "windows: RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;UNTIL=20251231 DURATION:PT8H",
        "windows: “RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;UNTIL=20251231 DURATION:PT8H” never opens "
          + "again; write a later UNTIL or more of COUNT, or leave the window out"
      ),
      ("freezes: []", "freezes belongs to the client, not to a campaign"),
      ("clients: [LAA]", "clients is a list"),
      ("clients: {LAA: 3}", "the part of LAA is “3”"),
      ("clients: {LAA: {max_in_progress: 3}}", "is a setting of the whole campaign"),
      ("clients: {LAA: {ring_gate: {}}}", "ring_gate is a setting of the whole campaign"),
      ("clients: {LAA: {check_interval: 9m}}", "write client_lock_timeout: 18m or more"),
      ("clients: {LAB: {max_retries: 1}}", "the client LAB is not known; did you mean LAA?"),
      ("- max_retries", "the policy is a list"),
      ("\tx: 1", "this is not YAML"),
    ])
  func refuses(line: String, expected: String) {
    let reading = PolicyDocument.read(
      SourceDocument(name: "p.yaml", text: "# a\n\(line)\n"), names: Self.names, now: Self.now)
    let said = reading.diagnostics.map(\.description)
    #expect(said.count == 1 && said[0].contains(expected), "\(said)")
    #expect(reading.diagnostics.first?.line == 2)
    #expect(reading.hasErrors)
  }

  private static let names = FleetNames(
    clients: ["LAA"], roles: ["SQL", "WEB", "DC"], resources: ["SAN-LYON-1"],
    rings: [.canary, .standard])
  /// 2026-11-22 12:00 UTC.
  private static let now = Instant(milliseconds: 1_795_348_800_000)

  @Test(
    "what nobody has is a warning, because the setting does nothing",
    arguments: [
      (
        "rollback: {SQLL: hold}",
        "p.yaml:2: warning: SQLL: no server has the role SQLL, so this does nothing; did you mean SQL?"
      ),
      (
        "estimates: {MAIL: 3h}",
        "p.yaml:2: warning: MAIL: no server has the role MAIL, so this does nothing; "
          + "known: DC, SQL, WEB"
      ),
      ("roles: {EB: {update_timeout: 4h}}", "did you mean WEB?"),
      ("peer_check: DC, SQLL", "peer_check: no server has the role SQLL"),
      ("resources: {SAN-LYON-2: 3}", "no server uses SAN-LYON-2, so this does nothing; did you"),
      ("clients: {LAA: {rollback: {SQLL: hold}}}", "no server has the role SQLL"),
      (
        "gates: [{ring: 1, min_completed: 5}]",
        "gates: no client is in ring 1, so this does nothing; rings with clients: 0, 2"
      ),
      (
        "gates: [{ring: 2, min_completed: 5}]",
        "gates: no client is in a ring behind ring 2, so this does nothing"
      ),
      (
        "update_timeout: 15m",
        "update_timeout: no_progress_timeout is 20m and update_timeout 15m, so an installer is "
          + "overdue before its silence is worth a look; write no_progress_timeout: 7m30s, or less"
      ),
    ])
  func warns(line: String, expected: String) {
    let reading = PolicyDocument.read(
      SourceDocument(name: "p.yaml", text: "# a\n\(line)\n"), names: Self.names, now: Self.now)
    let said = reading.diagnostics.map(\.description)
    #expect(said.count == 1 && said[0].contains(expected), "\(said)")
    #expect(!reading.hasErrors)
  }

  @Test(
    "what the fleet has, and what opens again somewhere, is fine",
    arguments: [
      "gates: [{ring: 0, min_completed: 5}, {ring: 1}, {ring: 2, approval: manual}]",
      "update_timeout: 15m\nno_progress_timeout: 10m", "roles: {SQL: {no_progress_timeout: 50m}}",
      "windows: Sat 22:00-06:00", "breakers: {campaign: {success_rate: off}}",
      // It is still Saturday where the clocks are twelve hours behind.
      "windows: RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;UNTIL=20261121 DURATION:PT4H",
    ])
  func fine(text: String) {
    let reading = PolicyDocument.read(
      SourceDocument(name: "p.yaml", text: text), names: Self.names, now: Self.now)
    #expect(reading.diagnostics.map(\.description) == [])
  }

  @Test("something said in two ways is refused")
  func saidTwice() {
    let reading = read(
      "estimates: {SQL: 1h}\nroles: {SQL: {estimate: 2h, rollback: hold}}\nrollback: {SQL: hold}")
    #expect(
      reading.diagnostics.map(\.message)
        == ["estimates.SQL is written twice", "rollback.SQL is written twice"])
  }

  @Test("all errors are said at once")
  func allAtOnce() {
    let reading = read("max_retries: x\nnonsense: 1\nclients: {LAA: {max_passes: 0}}\n")
    #expect(reading.diagnostics.map(\.line) == [1, 2, 3])
    #expect(reading.diagnostics.map(\.client) == [nil, nil, "LAA"])
  }

  @Test("the settings in effect are listed by their keys")
  func settings() {
    let settings = PolicyDocument.settings(of: read("roles: {SQL: {update_timeout: 2h}}").policy)
    let byKey = Dictionary(settings.map { ($0.key, $0.value) }, uniquingKeysWith: { a, _ in a })
    #expect(byKey.count == settings.count)
    #expect(byKey["max_retries"] == "2")
    #expect(byKey["max_in_progress"] == "unlimited")
    #expect(byKey["update_timeout"] == "1h")
    #expect(byKey["roles.SQL.update_timeout"] == "2h")
    #expect(byKey["roles.SQL.reboot_timeout"] == nil)
    #expect(byKey["estimates.default"] == "45m")
    #expect(byKey["phase_timeouts.download"] == "4h")
    #expect(byKey["rollback.default"] == "snapshot")
    #expect(byKey["rollback.DC"] == "hold")
    #expect(byKey["gates.0.success_rate"] == "95%")
    #expect(byKey["gates.2.approval"] == "manual")
    #expect(byKey["gates.2.representative"] == "true")
    #expect(byKey["breakers.campaign.success_rate"] == "80%")
    #expect(byKey["per_site"] == "unlimited")
    #expect(byKey["gates.3.approval"] == nil)
  }

  @Test("every setting of the engine has a key")
  func completeness() {
    let groups = [
      "times", "roleTimes", "rollback", "roleRollback", "gates", "breakers", "resources",
    ]
    for case let (label?, _) in Mirror(reflecting: Policy()).children where !groups.contains(label)
    {
      let key = label.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
      #expect(PolicyKey.byName[key] != nil, "\(key)")
    }
    #expect(Mirror(reflecting: PhaseTimes()).children.count == TimeKey.all.count)
    #expect(Mirror(reflecting: Breakers()).children.count == BreakerKey.all.count)
    #expect(Mirror(reflecting: RingGate(ring: .canary)).children.count == GateKey.all.count + 1)
  }

  @Test(
    "a template reads back as the policy it was made from",
    arguments: [
      "",
      "max_retries: 0\nmax_in_progress: 7\nrollback: {default: uninstall, DC: snapshot}\n",
      "roles: {SQL: {update_timeout: 4h}, WEB: {estimate: 10m}}\ngates: [{ring: 5, approval: manual}]\n",
      "ring_gate: {success_rate: 90%}\nestimates: {default: 1h, MX: 2h}\n",
    ])
  func template(text: String) {
    let policy = read(text).policy
    let again = read(PolicyDocument.template(policy))
    #expect(again.diagnostics == [])
    #expect(again.policy.gates.filter { policy.gates.contains($0) } == policy.gates)
    var (left, right) = (again.policy, policy)
    left.gates = Ring.all.map(left.gate)
    right.gates = Ring.all.map(right.gate)
    #expect(left == right)
  }

  private func read(_ text: String) -> PolicyDocument.Reading {
    PolicyDocument.read(SourceDocument(name: "policy.yaml", text: text))
  }
}

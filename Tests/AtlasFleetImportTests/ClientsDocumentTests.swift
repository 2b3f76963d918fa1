import AtlasCalendar
import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("Importing clients")
struct ClientsDocumentTests {
  @Test("every key of a client is read, and defaults fill in what it leaves out")
  func everyKey() throws {
    let result = read(
      (
        "clients.yaml",
        """
        rings: [own, pilots]
        defaults:
          zone: Europe/Berlin
          priority: 40
          contacts: [ops@msp.example]
        clients:
          - name: ZED
            ring: pilots
            zone: Europe/Paris
            windows:
              - Sat 22:00-06:00
              - RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22 DURATION:PT8H
            freezes:
              - {from: 2026-12-20, until: 2027-01-04, reason: year-end closing}
              - {from: "2026-07-01T18:00", until: "2026-07-02T06:00:00Z"}
            max_parallel_servers: 2
            require_backup: no
            create_snapshots: false
            max_backup_age: 36h
            contacts:
              - {email: it@zed.example, language: fr}
              - night@zed.example
            require_change_reference: true
          - {name: NOR, ring: 3}
        """
      ))
    #expect(result.diagnostics.map(\.description) == [])
    let zone = try Zone("Europe/Paris")
    let expected = ClientConfig(
      name: "ZED", ring: .pilot, zone: "Europe/Paris",
      windows: [
        MaintenanceWindow(rule: "Sat 22:00-06:00"),
        MaintenanceWindow(rule: "RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22 DURATION:PT8H"),
      ],
      freezes: [
        Freeze(
          interval: Interval(
            start: try instant("2026-12-20T00:00:00+01:00"),
            end: try instant("2027-01-05T00:00:00+01:00")), reason: "year-end closing"),
        Freeze(
          interval: Interval(
            start: try instant("2026-07-01T18:00:00+02:00"),
            end: try instant("2026-07-02T08:00:00+02:00")), reason: ""),
      ],
      maxParallelServers: 2, requireBackup: false, createSnapshots: false,
      maxBackupAge: .atMost(.seconds(36 * 3_600)), priority: 40,
      contacts: [
        Contact(email: "it@zed.example", language: "fr"), Contact(email: "night@zed.example"),
      ],
      requireChangeReference: true)
    #expect(zone.name == "Europe/Paris")
    #expect(result.fleet.clients.last == expected)
    #expect(
      result.fleet.ringNames == [
        RingName(ring: .canary, name: "own"), RingName(ring: .pilot, name: "pilots"),
      ])
    let nor = result.fleet.clients[1]
    #expect(nor.ring == .critical)
    #expect(nor.zone == "Europe/Berlin")
    #expect(nor.windows == [MaintenanceWindow(rule: "always")])
    #expect(result.counts.clientsAdded == 1)
    #expect(result.counts.clientsChanged == 1)
  }

  @Test(
    "what is wrong with a client refuses it and says what would be right",
    arguments: [
      (
        "zone: Europe/Pariss",
        "zone: “Europe/Pariss” is not a time zone; did you mean Europe/Paris?"
      ),
      ("windows: Sta 22:00-06:00", "“Sta” is not a day of the week; did you mean Sat?"),
      ("windows: [Sat 22:00-06:00, Sat 22:00-22:00]", "begins when it ends"),
      ("windows: {a: b}", "windows is a group of keys"),
      (
        "windows: \"RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22\"", "add its length, such as DURATION:PT8H"
      ),
      ("ring: 8", "“8” is not a ring; write a number from 0 to 7"),
      ("ring: pilto", "“pilto” is not a ring; did you mean pilot?"),
      ("priority: 0", "0 is out of range; write a number from 1 to 1000"),
      ("priority: high", "“high” is not a whole number"),
      ("priority: [1]", "priority is a list; write one value"),
      ("max_parallel_servers: 101", "101 is out of range; write a number from 1 to 100"),
      ("require_backup: maybe", "“maybe” is neither true nor false"),
      ("max_backup_age: 24", "“24” is not an age of backups; write an age such as 24h"),
      ("max_backup_age: 0s", "0s is out of range; write a duration from 1m to 366d"),
      ("max_backup_age: last job", "“last job” is not an age of backups"),
      ("max_backup_age: since_last_job and 3s", "3s is out of range"),
      (
        "max_backup_aeg: 24h", "the key “max_backup_aeg” is not known; did you mean max_backup_age?"
      ),
      ("max_retries: 3", "it is a setting of a campaign: write it in the policy"),
      ("freezes: 2026-12-20", "freezes is “2026-12-20”; write a list"),
      ("freezes: [{from: 2026-12-20}]", "a freeze lacks its beginning or its end"),
      ("freezes: [{from: 2026-12-20, until: soon}]", "until: “soon” is not a time"),
      ("freezes: [{from: 2026-12-20, until: 2026-12-18}]", "the freeze ends before it begins"),
      ("freezes: [{from: 2026-02-30, until: 2026-12-18}]", "from: “2026-02-30” is not a time"),
      ("freezes: [{from: 2026-12-20, until: 2026-12-21, resaon: x}]", "did you mean reason?"),
      ("contacts: it@zed.example", "contacts is “it@zed.example”; write a list"),
      ("contacts: [it.zed.example]", "“it.zed.example” is not an e-mail address"),
      ("contacts: [{language: fr}]", "a contact has no address"),
      ("contacts: [{email: a@b, language: français}]", "“français” is not a language"),
    ])
  func refuses(line: String, expected: String) {
    let result = read(
      ("c.yaml", "clients:\n  - name: LAA\n    priority: 5\n  - name: ZED\n    \(line)\n"))
    let said = result.diagnostics.filter { $0.severity == .error }.map(\.description)
    #expect(said.count == 1 && said[0].contains(expected), "\(said)")
    #expect(result.diagnostics.first { $0.severity == .error }?.line == 5)
    #expect(result.refusedClients == ["ZED"])
    #expect(result.fleet.clients.map(\.name) == ["LAA", "NOR"])
    #expect(result.fleet.clients[0].priority == 5)
  }

  @Test("a client without windows, and one without a zone, are warned about")
  func warnings() {
    let result = read(
      (
        "c.yaml",
        "clients:\n  - name: ONE\n  - {name: TWO, windows: Sat 22:00-06:00}\n"
          + "  - {name: TRE, windows: always}\n"
          + "  - {name: FOU, windows: Sat 22:00-06:00 Europe/Rome}\n"
      ))
    #expect(
      result.diagnostics.map(\.description) == [
        "c.yaml:2: warning: windows: ONE has no window, so none of its servers will ever be "
          + "updated; write one such as Sat 22:00-06:00, or always",
        "c.yaml:3: warning: zone: TWO has no zone; its windows are read as UTC; "
          + "write zone: Europe/Paris, or the zone behind the window",
      ])
    #expect(!result.hasErrors)
    #expect(
      result.fleet.clients.map(\.zone) == [
        "Europe/Rome", "Europe/Paris", "Europe/Oslo", "UTC", "UTC", "UTC",
      ])
  }

  @Test("a wrong default is said once and refuses every client that takes it")
  func wrongDefaults() {
    let result = read(
      (
        "c.yaml",
        "defaults:\n  windows: Sat 22-06\nclients:\n  - name: LAA\n  - name: ONE\n"
          + "  - {name: NOR, windows: always}\n"
      ))
    #expect(result.diagnostics.map(\.line) == [2])
    #expect(result.refusedClients == ["LAA", "ONE"])
  }

  @Test("a client is described once, and its name is not another's in other letters")
  func namesOfClients() {
    let twice = read(("c.yaml", "clients:\n  - {name: LAA}\n  - {name: LAA, priority: 3}\n"))
    #expect(
      twice.diagnostics.map(\.message) == ["LAA is described twice, first in c.yaml line 2"])
    let cased = read(("c.yaml", "clients:\n  - {name: laa, windows: always}\n"))
    #expect(cased.diagnostics.map(\.message) == ["the clients laa and LAA differ in case only"])
    #expect(cased.fleet == smallFleet())
  }

  @Test("more windows, freezes or contacts than the limits are refused")
  func limits() {
    let rules = String(repeating: "always, ", count: Limits.windowsPerClient + 1)
    let freezes = String(
      repeating: "{from: 2026-12-20, until: 2026-12-21}, ", count: Limits.freezesPerClient + 1)
    let contacts = String(repeating: "a@b, ", count: Limits.contactsPerClient + 1)
    let result = read(
      (
        "c.yaml",
        "clients:\n  - name: LAA\n    windows: [\(rules)]\n    freezes: [\(freezes)]\n"
          + "    contacts: [\(contacts)]\n"
      ))
    #expect(
      result.diagnostics.map(\.message)
        == ["LAA has 65 windows", "LAA has 257 freezes", "LAA has 33 contacts"])
  }

  private func instant(_ text: String) throws -> Instant {
    guard case .instant(let instant)? = InstantText.read(text) else {
      throw ValueError(message: text)
    }
    return instant
  }
}

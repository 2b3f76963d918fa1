import AtlasCalendar
import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("Exporting a fleet")
struct FleetExportTests {
  @Test("what is exported imports as the same fleet", arguments: 0..<60)
  func roundTrip(seed: Int) {
    var generator = SeededGenerator(state: UInt64(seed))
    let fleet = FleetSample(using: &generator).fleet
    let servers = FleetExport.serversCSV(fleet)
    let clients = FleetExport.clientsYAML(fleet)
    let result = read(("servers.csv", servers), ("clients.yaml", clients), over: Fleet())
    #expect(result.diagnostics.filter { $0.severity == .error } == [])
    #expect(result.fleet == fleet)
    // Over itself nothing changes, and over another fleet everything becomes as exported.
    let again = read(("servers.csv", servers), ("clients.yaml", clients), over: fleet)
    #expect(again.changes == [])
    #expect(FleetDiff.changes(from: result.fleet, to: fleet) == [])
  }

  @Test(
    "a text of any kind is written so that it reads back",
    arguments: [
      "plain", "two words", "true", "No", "null", "~", "1.5", "0x10", "", " padded ", "a: b",
      "# no comment", "- item", "[list]", "{map}", "*alias", "&anchor", "!tag", "%percent", "@at",
      "`tick`", "'single'", "\"double\"", "back\\slash", "é ü 漢字 😀", "tab\there", "a #b", "trail:",
      "=", "<<", "2026-12-20", "22:00", "line\nbreak", "bell\u{7}", "nel\u{85}x", "ls\u{2028}x",
      "bom\u{feff}x",
    ])
  func scalars(text: String) throws {
    let yaml = "key: \(YAMLText.scalar(text))\nlist: \(YAMLText.list([text, "b"]))\n"
    let root = try YAMLReader.read(Array(yaml.utf8))
    #expect(root["key"]?.scalar == text)
    #expect(root["list"]?.items?.map(\.scalar) == [text, "b"])
    let json = try JSONReader.read(Array("[\(JSONText.string(text))]".utf8))
    #expect(json.items?.map(\.scalar) == [text])
    var reader = CSVReader(Array(CSVText.table(["a", "b"], [[text, "x"]]).utf8)[...])
    _ = try reader.next()
    #expect(try reader.next()?.map(\.text) == [text, "x"])
  }

  @Test("an empty fleet is written and read back")
  func emptyFleet() {
    let result = read(
      ("s.csv", FleetExport.serversCSV(Fleet())), ("c.yaml", FleetExport.clientsYAML(Fleet())),
      over: Fleet())
    #expect(result.diagnostics == [])
    #expect(result.fleet == Fleet())
  }
}

@Suite("Differences between fleets")
struct FleetDiffTests {
  @Test("what was added, removed and changed is said field by field, in order")
  func changes() {
    let old = smallFleet()
    var new = old
    new.ringNames = [RingName(ring: .canary, name: "own")]
    new.clients[0].windows.append(MaintenanceWindow(rule: "always"))
    new.clients[0].maxBackupAge = .atMost(.seconds(7_200))
    new.clients[0].contacts = [Contact(email: "a@b", language: "fr")]
    new.clients[1] = ClientConfig(name: "ZED")
    new.servers = [new.servers[0]]
    new.servers[0].roles = []
    #expect(
      FleetDiff.changes(from: old, to: new) == [
        FleetChange(kind: .changed, field: "rings.0", before: "canary", after: "own"),
        FleetChange(
          kind: .changed, client: "LAA", field: "windows", before: "Sat 22:00-06:00",
          after: "Sat 22:00-06:00 | always"),
        FleetChange(
          kind: .changed, client: "LAA", field: "max_backup_age", before: "1d", after: "2h"),
        FleetChange(
          kind: .changed, client: "LAA", field: "contacts", before: "", after: "a@b (fr)"),
        FleetChange(kind: .removed, client: "NOR"),
        FleetChange(kind: .added, client: "ZED"),
        FleetChange(
          kind: .changed, client: "LAA", server: "LAA-PARIS-DC01", field: "roles", before: "DC",
          after: "-"),
        FleetChange(kind: .removed, client: "NOR", server: "NOR-OSLO-FS01"),
      ])
  }
}

/// A random fleet with everything a fleet can have.
private struct FleetSample {
  var fleet = Fleet()

  init(using generator: inout SeededGenerator) {
    let rings = [RingName(ring: .canary, name: "own: 1"), RingName(ring: .critical, name: "null")]
    if Bool.random(using: &generator) { fleet.ringNames = rings }
    for index in 0..<Int.random(in: 0...8, using: &generator) {
      let client = Self.client("C\(index)", &generator)
      fleet.clients.append(client)
      for number in 0..<Int.random(in: 0...5, using: &generator) {
        let server = Self.server(
          client.name, number, after: fleet.servers.filter { $0.client == client.name },
          &generator)
        fleet.servers.append(server)
      }
    }
    fleet.servers.sort { ($0.client, $0.name) < ($1.client, $1.name) }
  }

  private static func client(_ name: String, _ generator: inout SeededGenerator) -> ClientConfig {
    func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &generator)! }
    let rules = [
      "Sat 22:00-06:00", "always", "Fri 20:00-Mon 05:00 | daily 01:00-02:00",
      "RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22 DURATION:PT8H", "Sat,Sun 00:00-24:00 (UTC)",
    ]
    let start = Instant(milliseconds: .random(in: 0..<4_000_000_000_000, using: &generator))
    let freeze = Freeze(
      interval: Interval(start: start, end: start + .milliseconds(pick([1, 1_000, 86_400_000]))),
      reason: pick(["", "year-end: closing", "“quoted” # no comment"]))
    return ClientConfig(
      name: ClientName(trusted: name), ring: pick(Ring.all),
      zone: pick(["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu"]),
      windows: rules.filter { _ in Bool.random(using: &generator) }.map(MaintenanceWindow.init),
      freezes: pick([[], [freeze]]), maxParallelServers: pick([1, 2, 100]),
      requireBackup: pick([true, false]), createSnapshots: pick([true, false]),
      maxBackupAge: pick([.atMost(.seconds(60)), .atMost(.seconds(31_622_400)), .sinceLastJob]),
      priority: pick([1, 100, 1_000]),
      contacts: pick([
        [], [Contact(email: "a+b@c.example", language: "pt-BR"), Contact(email: "x@y")],
      ]),
      requireChangeReference: pick([true, false]))
  }

  private static func server(
    _ client: ClientName, _ number: Int, after known: [ServerConfig],
    _ generator: inout SeededGenerator
  ) -> ServerConfig {
    let earlier = known.map(\.name).sorted()
    func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &generator)! }
    return ServerConfig(
      name: ServerName(
        trusted: pick(["\(client)-SITE-DC\(number)", "host\(client)\(number).local"])),
      client: client, site: pick(["PARIS", "S_1", "x.y"]),
      roles: pick([[], ["DC"], ["APP", "WEB"]]), number: pick([0, 7, 999_999_999]),
      updateOrder: pick([nil, 0, 1_000_000]), system: pick(["", "windows-2022", "a, \"b\"; c"]),
      physical: pick([true, false]), resources: pick([[], ["SAN-1"], ["PROXY", "SAN-1"]]),
      tags: pick([[], ["wave-2"]]), after: pick([[], earlier]),
      antiAffinity: pick([nil, GroupName(trusted: "nodes")]),
      host: pick([nil, known.first { $0.host == nil }?.name]), migratesGuests: pick([true, false]))
  }
}

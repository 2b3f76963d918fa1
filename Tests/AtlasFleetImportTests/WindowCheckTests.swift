import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("Windows of an import, from now on")
struct WindowCheckTests {
  /// 2026-11-22 12:00 UTC, a Sunday.
  private static let now = Instant(milliseconds: 1_795_348_800_000)
  private static let over = "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;UNTIL=20251231 DURATION:PT8H"

  private func read(
    _ files: (name: String, text: String)..., over fleet: Fleet = smallFleet()
  ) -> FleetImportResult {
    FleetImport.read(
      documents: files.map { SourceDocument(name: $0.name, text: $0.text) }, over: fleet,
      now: Self.now)
  }

  @Test(
    "those that cannot work are refused, with what would be right",
    arguments: [
      (
        "windows: [Sat 22:00-06:00, \"\(over)\"]",
        "windows: “\(over)” never opens again; write a later UNTIL or more of COUNT, or leave the "
          + "window out"
      ),
      (
        "windows: \"DTSTART:20260103T220000 RRULE:FREQ=WEEKLY;COUNT=4 DURATION:PT8H\"",
        "COUNT=4 DURATION:PT8H” never opens again"
      ),
      (
        "windows: [\"\(everyHour)\", \"\(everyHalfHour)\"]",
        "windows: the windows make more than 2048 intervals; write fewer windows or longer ones"
      ),
    ])
  func refused(line: String, expected: String) {
    let result = read(("c.yaml", "clients:\n  - name: LAA\n    \(line)\n"))
    let said = result.diagnostics.map(\.description)
    #expect(said.count == 1 && said[0].contains(expected), "\(said)")
    #expect(said.first?.hasPrefix("c.yaml:3: error: windows: ") ?? false)
    #expect(result.refusedClients == ["LAA"])
    #expect(result.fleet == smallFleet())
  }

  private static let everyHour =
    "RRULE:FREQ=DAILY;BYHOUR=\((0..<24).map(String.init).joined(separator: ",")) DURATION:PT5M"
  private static let everyHalfHour = everyHour + " DTSTART:20260103T003000"

  @Test(
    "those that somebody may mean are warned about",
    arguments: [
      (
        "windows: Sat 22:00-22:30",
        "windows: the longest window of LAA lasts 30m, and a server usually needs 1h; write a "
          + "longer one, or lower estimates and rollback_reserve in its campaigns"
      ),
      (
        "freezes: [{from: 2026-11-01, until: 2028-12-31, reason: sold}]",
        "freezes: the freezes of LAA leave nothing of its windows for 400 days; end them earlier, "
          + "or write windows beside them"
      ),
    ])
  func warned(line: String, expected: String) {
    let result = read(("c.yaml", "clients:\n  - name: LAA\n    \(line)\n"))
    #expect(result.diagnostics.map(\.description) == ["c.yaml:3: warning: " + expected])
    #expect(!result.hasErrors)
  }

  @Test(
    "those that only seem short, far away or frozen are fine",
    arguments: [
      "windows: always", "windows: [Sat 22:00-22:30, Sun 22:00-24:00]",
      "windows: RRULE:FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=1;BYHOUR=22 DURATION:PT8H",
      "windows: RRULE:FREQ=MONTHLY;BYMONTHDAY=20;BYHOUR=11;BYMINUTE=30 DURATION:PT8H",
      "freezes: [{from: 2026-11-01, until: 2027-03-31, reason: a long winter}]",
    ])
  func fine(line: String) {
    let result = read(("c.yaml", "clients:\n  - name: LAA\n    \(line)\n"))
    #expect(result.diagnostics.map(\.description) == [])
  }

  @Test("one that has come to its end in the fleet refuses nothing else that is said of its client")
  func known() {
    var fleet = smallFleet()
    fleet.clients[0].windows.append(MaintenanceWindow(rule: Self.over))
    let text =
      "clients:\n  - name: LAA\n    windows: [Sat 22:00-06:00, \"\(Self.over)\"]\n    ring: 1\n"
    let result = read(("c.yaml", text), over: fleet)
    #expect(result.diagnostics.map(\.severity) == [.warning])
    #expect(result.fleet.clients[0].ring == .pilot)
    #expect(read(("c.yaml", "clients: [{name: LAA, ring: 1}]"), over: fleet).diagnostics == [])
  }

  @Test("a host whose client is never open together with its guests' client is warned about")
  func hosts() {
    let servers = """
      server,host
      NOR-OSLO-HV01,
      LAA-PARIS-WEB01,NOR-OSLO-HV01
      LAA-PARIS-WEB02,NOR-OSLO-HV01

      """
    let clients = "clients: [{name: NOR, windows: Mon 22:00-04:00}]"
    #expect(
      read(("s.csv", servers), ("c.yaml", clients)).diagnostics.map(\.description) == [
        "s.csv:3: warning: host: the windows of NOR and LAA never meet, so NOR-OSLO-HV01, which "
          + "carries LAA-PARIS-WEB01, will never be updated; give both clients a window at the same "
          + "time"
      ])
    let together = read(("s.csv", servers))
    #expect(together.diagnostics == [])
    #expect(
      read(("c.yaml", clients), over: together.fleet).diagnostics.map(\.description) == [
        "c.yaml:1: warning: host: the windows of NOR and LAA never meet, so NOR-OSLO-HV01, which "
          + "carries LAA-PARIS-WEB01, will never be updated; give both clients a window at the same "
          + "time"
      ])
  }
}

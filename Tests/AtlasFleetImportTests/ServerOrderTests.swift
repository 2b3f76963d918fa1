import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("An order between servers")
struct ServerOrderTests {
  @Test("is read from columns, and says what changed")
  func columns() {
    let result = read(
      (
        "s.csv",
        """
        server,after,anti_affinity
        LAA-PARIS-WEB01,LAA-PARIS-DC01|LAA-PARIS-SQL01,
        LAA-PARIS-SQL01,,sql
        LAA-PARIS-SQL02,LAA-PARIS-SQL01 LAA-PARIS-SQL01,sql
        """
      ))
    #expect(result.diagnostics.map(\.description) == [])
    let servers = result.fleet.servers
    #expect(
      servers.map(\.after) == [
        [], [], ["LAA-PARIS-SQL01"], ["LAA-PARIS-DC01", "LAA-PARIS-SQL01"], [],
      ])
    #expect(
      servers.map { $0.antiAffinity?.text } == [nil, "sql", "sql", nil, nil])
    let again = read(
      ("s.csv", "server,after,group\nLAA-PARIS-SQL02,,\n"), over: result.fleet)
    #expect(
      again.changes.map { [$0.field, $0.before, $0.after] } == [
        ["after", "LAA-PARIS-SQL01", ""], ["anti_affinity", "sql", ""],
      ])
  }

  @Test(
    "that cannot be kept is refused, with what would be right",
    arguments: [
      (
        "LAA-PARIS-WEB01,LAA-PARIS-SQL1\nLAA-PARIS-SQL01,\n",
        "s.csv:2: error: after: LAA-PARIS-WEB01 comes after LAA-PARIS-SQL1, which is not known; "
          + "did you mean LAA-PARIS-SQL01?"
      ),
      (
        "LAA-PARIS-WEB01,db.elsewhere.example\n",
        "s.csv:2: error: after: LAA-PARIS-WEB01 comes after db.elsewhere.example, which is not known; "
          + "import it first, or in the same import"
      ),
      (
        "LAA-PARIS-WEB01,NOR-OSLO-FS01\n",
        "s.csv:2: error: after: LAA-PARIS-WEB01 cannot come after NOR-OSLO-FS01, a server of NOR; "
          + "an order is between servers of one client"
      ),
      (
        "LAA-PARIS-WEB01,LAA-PARIS-WEB01\n",
        "s.csv:2: error: after: the servers of LAA wait for each other: LAA-PARIS-WEB01 after "
          + "LAA-PARIS-WEB01; leave one of them out"
      ),
      (
        "LAA-PARIS-WEB01,LAA-PARIS-SQL01\nLAA-PARIS-SQL01,LAA-PARIS-APP01\n"
          + "LAA-PARIS-APP01,LAA-PARIS-WEB01\n",
        "s.csv:2: error: after: the servers of LAA wait for each other: LAA-PARIS-WEB01 after "
          + "LAA-PARIS-SQL01 after LAA-PARIS-APP01 after LAA-PARIS-WEB01; leave one of them out"
      ),
      (
        "LAA-PARIS-WEB01,a b ö\n",
        "s.csv:2: error: after: “ö” is not a server name: use letters, digits, “-”, “_” and “.”, "
          + "starting with a letter or digit"
      ),
    ])
  func refused(rows: String, expected: String) {
    let result = read(("s.csv", "server,after\n" + rows))
    #expect(result.diagnostics.map(\.description) == [expected])
    #expect(result.fleet == smallFleet())
  }

  @Test("may be a circle only in part of the import: what the fleet knows counts as well")
  func circleOverTheFleet() {
    var fleet = smallFleet()
    fleet.servers.insert(
      ServerConfig(
        name: "LAA-PARIS-WEB01", client: "LAA", site: "PARIS", after: ["LAA-PARIS-DC01"]), at: 1)
    let result = read(("s.csv", "server,after\nLAA-PARIS-DC01,LAA-PARIS-WEB01\n"), over: fleet)
    #expect(
      result.diagnostics.map(\.description) == [
        "s.csv:2: error: after: the servers of LAA wait for each other: LAA-PARIS-DC01 after "
          + "LAA-PARIS-WEB01 after LAA-PARIS-DC01; leave one of them out"
      ])
  }

  @Test("has a bound")
  func bound() {
    let names = (0...Limits.predecessors).map { "S\($0)" }.joined(separator: "|")
    let result = read(("s.csv", "server,after\nLAA-PARIS-WEB01,\(names)\n"))
    #expect(
      result.diagnostics.map(\.description) == [
        "s.csv:2: error: after: the server comes after \(Limits.predecessors + 1) others; "
          + "at most \(Limits.predecessors)"
      ])
  }

  @Test("a long chain is no circle, and is walked once")
  func chain() {
    let servers = (0..<2_000).map {
      ServerConfig(
        name: ServerName(trusted: "S\($0)"), client: "LAA", site: "P",
        after: $0 == 0 ? [] : [ServerName(trusted: "S\($0 - 1)")])
    }
    let byName = Dictionary(uniqueKeysWithValues: servers.map { ($0.name, $0) })
    #expect(ServerCircle.first(among: byName, startingAt: servers.map(\.name)) == nil)
  }
}

@Suite("Roles that are checked for their peers")
struct PeerCheckTests {
  @Test("are read, written, and none", arguments: [("dc|SQL", "DC, SQL"), ("none", "none")])
  func key(text: String, written: String) {
    let document = SourceDocument(name: "p.yaml", text: "peer_check: \(text)\n")
    let reading = PolicyDocument.read(document)
    #expect(reading.diagnostics == [])
    let settings = PolicyDocument.settings(of: reading.policy)
    #expect(settings.first { $0.key == "peer_check" }?.value == written)
  }
}

import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("Importing a fleet")
struct FleetImportTests {
  @Test("host names and columns together make a server; columns win")
  func newServers() {
    let result = read(
      (
        "servers.csv",
        """
        server,site,roles,number,update_order,system,physical,resources,tags
        LAA-PARIS-SQL-02,,,,,,,,
        LAA-LYON-WEB03,MARSEILLE,web|app,7,5,debian-12,yes,SAN-2|PROXY,wave-2 SAN
        laa-lyon-fs01,,-,,,,,,
        """
      ))
    #expect(result.diagnostics.map(\.description) == [])
    let expected = [
      ServerConfig(
        name: "LAA-LYON-WEB03", client: "LAA", site: "MARSEILLE", roles: ["APP", "WEB"], number: 7,
        updateOrder: 5, system: "debian-12", physical: true, resources: ["PROXY", "SAN-2"],
        tags: ["SAN", "wave-2"]),
      smallFleet().servers[0],
      ServerConfig(
        name: "LAA-PARIS-SQL-02", client: "LAA", site: "PARIS", roles: ["SQL"], number: 2),
      ServerConfig(name: "laa-lyon-fs01", client: "LAA", site: "lyon", roles: [], number: 1),
      smallFleet().servers[1],
    ]
    #expect(result.fleet.servers == expected)
    #expect(result.counts.serversAdded == 3)
    #expect(result.counts.serversUnmentioned == 2)
  }

  @Test("a missing column keeps what is known, an empty cell goes back to the host name or none")
  func columnsOfKnownServers() throws {
    let known = smallFleet().servers[0]
    let unchanged = read(("s.csv", "server\nLAA-PARIS-DC01\n"))
    #expect(unchanged.fleet == smallFleet())
    #expect(unchanged.changes == [])
    let emptied = read(("s.csv", "server,update_order,system,roles\nLAA-PARIS-DC01,,,\n"))
    var expected = known
    expected.updateOrder = nil
    expected.system = ""
    #expect(emptied.fleet.servers[0] == expected)
    #expect(
      emptied.changes == [
        FleetChange(
          kind: .changed, client: "LAA", server: "LAA-PARIS-DC01", field: "update_order",
          before: "9", after: ""),
        FleetChange(
          kind: .changed, client: "LAA", server: "LAA-PARIS-DC01", field: "system",
          before: "windows-2019", after: ""),
      ])
    #expect(emptied.counts.serversChanged == 1)
  }

  @Test("one bad row refuses its client's rows only, and every error is listed at once")
  func allOrNothingPerClient() {
    let result = read(
      (
        "servers.csv",
        """
        server,update_order,physical
        LAA-PARIS-WEB01,1,
        LAA-PARIS-WEB02,first,perhaps
        NOR-OSLO-WEB01,1,
        """
      ))
    #expect(
      result.diagnostics.map(\.description) == [
        "servers.csv:3: error: update_order: “first” is not a whole number; "
          + "write a number from 0 to 1000000",
        "servers.csv:3: error: physical: “perhaps” is neither true nor false; write true or false",
      ])
    #expect(result.diagnostics.map(\.client) == ["LAA", "LAA"])
    #expect(result.refusedClients == ["LAA"])
    #expect(
      result.fleet.servers.map(\.name)
        == ["LAA-PARIS-DC01", "NOR-OSLO-FS01", "NOR-OSLO-WEB01"])
    #expect(result.hasErrors)
  }

  @Test("an error that belongs to no client refuses the file, and all clients it speaks of")
  func unassignableErrors() {
    let result = read(
      ("servers.csv", "server\nWEB7\nLAA-PARIS-WEB01\n"),
      ("clients.yaml", "clients:\n  - {name: LAA, priority: 7}\n  - {name: NOR, priority: 8}\n"))
    #expect(
      result.diagnostics.map(\.description) == [
        "servers.csv:2: error: server: WEB7 is not built like CLIENT-SITE-ROLE-NN or "
          + "CLIENT-SITE-ROLENN; name its client, site and roles in columns, or describe the names "
          + "with host_pattern:"
      ])
    #expect(result.refusedClients == ["LAA"])
    #expect(result.fleet.clients.map(\.priority) == [100, 8])
    #expect(result.fleet.servers == smallFleet().servers)
  }

  @Test(
    "a row that is wrong says what would be right",
    arguments: [
      ("server\nLAA-PARIS-WEB01\nLAA-PARIS-WEB01\n", "is listed twice, first in s.csv line 2"),
      ("server\nLAA-PARIS-WEB01\nLAA-PARIS-web01\n", "differ in case only"),
      ("server\nLAA-PARIS-dc01\n", "differs from the fleet's LAA-PARIS-DC01 in case only"),
      ("server\nLAB-PARIS-WEB01\n", "the client LAB of LAB-PARIS-WEB01 is not known"),
      ("server\nLAB-PARIS-WEB01\n", "did you mean LAA?"),
      ("server,client\nWEB7,LAA\n", "name its site and roles in columns"),
      ("server,client\nLAA-PARIS-DC01,NOR\n", "belongs to LAA in the fleet, not to NOR"),
      ("server,client\nLAA PARIS,LAA\n", "“LAA PARIS” is not a server name"),
      ("server,client\n,LAA\n", "the row names no server"),
      ("server,roles\nLAA-PARIS-WEB01,a|b|ö\n", "is not a role name"),
      ("server,number\nLAA-PARIS-WEB01,-1\n", "-1 is out of range"),
      ("server,system\nLAA-PARIS-WEB01,\"a\nb\"\n", "a line break or control character is in it"),
      ("server,site\nLAA-PARIS-WEB01\n", "the row has 1 cells, the header has 2"),
      ("server;site\nLAA-PARIS-WEB01;A;B\n", "the row has 3 cells, the header has 2"),
    ])
  func badRows(text: String, expected: String) {
    let result = read(("s.csv", text))
    let said = result.diagnostics.map(\.description)
    #expect(said.contains { $0.contains(expected) }, "\(said)")
    #expect(result.fleet == smallFleet())
    #expect(result.diagnostics.allSatisfy { $0.client != nil })
  }

  @Test(
    "a file that is wrong as a whole says what would be right",
    arguments: [
      ("server,order\nLAA-PARIS-WEB01,1\n", "known columns: server, client, site"),
      ("server,upate_order\nLAA-PARIS-WEB01,1\n", "did you mean update_order?"),
      ("server,Server Name\nLAA-PARIS-WEB01,x\n", "the column “Server Name” is there twice"),
      ("server,client\nLAA-PARIS-WEB01,\"LAA\n", "a quoted cell does not end"),
      ("hostname,address\nx,y\n", "the first line is not a known header"),
      ("", "the file is empty"),
      ("\n\n", "the file is empty"),
      ("just some words", "the first line is not a known header"),
      ("{\"a\": [{\"b\": 1}]}", "the keys are those of no known list"),
      ("[1]", "a row is “1”"),
      ("[{\"server\": [1]}]", "server is a list"),
      ("clientz:\n  - name: LAA\n", "did you mean clients?"),
      ("- name: LAA\n", "the file is a list; write a table with a column server"),
      ("clients: LAA\n", "clients is “LAA”; write a list: - name: LAA"),
      ("clients:\n  - ring: 1\n", "no name; write - name: LAA"),
      ("clients:\n  - name: L A\n", "“L A” is not a client name"),
      ("clients: []\nmax_retries: 2\n", "it is a setting of a campaign: write it in the policy"),
      ("host_pattern: CLIENT\n", "the host pattern “CLIENT” lacks SITE"),
      ("rings: {9: far}\n", "9 is out of range; write a number from 0 to 7"),
      ("rings: 3\n", "rings is “3”; write a list of names"),
      ("defaults: {name: LAA}\n", "defaults have no name"),
    ])
  func badFiles(text: String, expected: String) {
    let result = read(("f", text))
    let said = result.diagnostics.map(\.description)
    #expect(said.contains { $0.contains(expected) }, "\(said)")
    #expect(result.fleet == smallFleet())
    #expect(result.hasErrors)
  }

  @Test("a byte order mark, semicolons and the separators of spreadsheets are read")
  func spreadsheetFiles() {
    let bytes = [0xef, 0xbb, 0xbf] + Array("Server;Update Order\r\nLAA-PARIS-DC01;3\r\n".utf8)
    let result = FleetImport.read(
      documents: [SourceDocument(name: "s.csv", bytes: bytes)], over: smallFleet())
    #expect(result.diagnostics == [])
    #expect(result.fleet.servers[0].updateOrder == 3)
  }

  @Test("two files may describe one server together, and must agree")
  func severalFiles() {
    let good = read(
      ("a.csv", "server,roles\nLAA-PARIS-DC01,DC|DNS\n"),
      ("b.csv", "server,number\nLAA-PARIS-DC01,4\n"))
    #expect(good.diagnostics == [])
    #expect(good.fleet.servers[0].roles == ["DC", "DNS"])
    #expect(good.fleet.servers[0].number == 4)
    let bad = read(
      ("a.csv", "server,number\nLAA-PARIS-DC01,3\n"),
      ("b.csv", "server,number\nLAA-PARIS-DC01,4\n"))
    #expect(
      bad.diagnostics.map(\.description) == [
        "b.csv:2: error: number: LAA-PARIS-DC01 has another number in a.csv line 2; "
          + "let the two files agree, or leave it out of one"
      ])
  }

  @Test("a server that two clients claim goes to neither")
  func disputedServers() {
    for files in [
      [("a.csv", "server,client,site,roles\nX,LAA,P,-\nX,NOR,P,-\n")],
      [("a.csv", "server,client,site,roles\nX,LAA,P,-\n"), ("b.csv", "server,client\nX,NOR\n")],
    ] {
      let result = FleetImport.read(
        documents: files.map { SourceDocument(name: $0.0, text: $0.1) }, over: smallFleet())
      #expect(result.diagnostics.count == 1)
      #expect(result.refusedClients == ["LAA", "NOR"])
      #expect(result.fleet == smallFleet())
    }
  }

  @Test("a host pattern of the fleet replaces the usual ones, also for tables read before it")
  func hostPatterns() {
    let result = read(
      ("servers.csv", "server\nsrv-WEB1.LYON.LAA\n"),
      ("clients.yaml", "host_pattern: srv-ROLENN.SITE.CLIENT\n"))
    #expect(result.diagnostics == [])
    #expect(
      result.fleet.servers.last { $0.client == "LAA" }
        == ServerConfig(
          name: "srv-WEB1.LYON.LAA", client: "LAA", site: "LYON", roles: ["WEB"], number: 1))
  }

  @Test("beyond a thousand diagnostics the rest is counted, and still refuses its clients")
  func manyErrors() {
    var text = "server,number\n"
    for number in 1...1_500 { text += "LAA-PARIS-WEB\(number),x\(number)\n" }
    text += "NOR-OSLO-WEB01,x\n"
    let result = read(("s.csv", text))
    #expect(result.diagnostics.count == 1_001)
    #expect(result.diagnostics.last?.message == "501 more were left out")
    #expect(result.refusedClients == ["LAA", "NOR"])
  }

  @Test("a fleet that would be too large stays as it was")
  func sizes() {
    var full = smallFleet()
    full.clients += (3...Limits.clients).map {
      ClientConfig(
        name: ClientName(trusted: "T\($0)"), windows: [MaintenanceWindow(rule: "always")])
    }
    full.servers += (2...Limits.serversPerClient).map {
      ServerConfig(name: ServerName(trusted: "S\($0)"), client: "LAA", site: "PARIS")
    }
    let result = read(("clients.yaml", "clients: [{name: ZED, windows: always}]"), over: full)
    #expect(result.diagnostics.map(\.message) == ["the fleet would have 10001 clients"])
    #expect(result.fleet == full)
    let crowded = read(("s.csv", "server\nLAA-PARIS-DC02\nNOR-OSLO-FS02\n"), over: full)
    #expect(crowded.diagnostics.map(\.message) == ["LAA would have 5001 servers"])
    #expect(crowded.refusedClients == ["LAA"])
    #expect(crowded.counts.serversAdded == 1)
    let files = (0...64).map { SourceDocument(name: "\($0)", text: "clients: []") }
    #expect(FleetImport.read(documents: files).hasErrors)
  }
}

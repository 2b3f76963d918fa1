import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("Hosts and guests")
struct HostTests {
  @Test("are read from columns of the guests, whichever client the host is of")
  func columns() {
    let result = read(
      (
        "s.csv",
        """
        server,host,migrates_guests,carries_atlas
        LAA-PARIS-WEB01,NOR-OSLO-HV01,,
        NOR-OSLO-HV01,,yes,
        NOR-OSLO-APP01,NOR-OSLO-HV01,,true
        """
      ))
    #expect(result.diagnostics.map(\.description) == [])
    let servers = result.fleet.servers.filter { !smallFleet().servers.contains($0) }
    #expect(
      servers == [
        ServerConfig(
          name: "LAA-PARIS-WEB01", client: "LAA", site: "PARIS", roles: ["WEB"], number: 1,
          host: "NOR-OSLO-HV01"),
        ServerConfig(
          name: "NOR-OSLO-APP01", client: "NOR", site: "OSLO", roles: ["APP"], number: 1,
          host: "NOR-OSLO-HV01", carriesAtlas: true),
        ServerConfig(
          name: "NOR-OSLO-HV01", client: "NOR", site: "OSLO", roles: ["HV"], number: 1,
          migratesGuests: true),
      ])
    let again = read(
      ("s.csv", "server,host,migrates_guests,carries_atlas\nNOR-OSLO-APP01,,,\n"),
      over: result.fleet)
    #expect(
      again.changes.map { [$0.field, $0.before, $0.after] } == [
        ["host", "NOR-OSLO-HV01", ""], ["carries_atlas", "true", "false"],
      ])
  }

  @Test(
    "that cannot be are refused, with what would be right",
    arguments: [
      (
        "LAA-PARIS-WEB01,LAA-PARIS-WEB01,\n",
        "s.csv:2: error: host: LAA-PARIS-WEB01 is its own host; leave the host empty"
      ),
      (
        "LAA-PARIS-WEB01,LAA-PARIS-DC1,\n",
        "s.csv:2: error: host: the host LAA-PARIS-DC1 of LAA-PARIS-WEB01 is not known; "
          + "did you mean LAA-PARIS-DC01?"
      ),
      (
        "LAA-PARIS-WEB01,esx.elsewhere.example,\n",
        "s.csv:2: error: host: the host esx.elsewhere.example of LAA-PARIS-WEB01 is not known; "
          + "import it first, or in the same import"
      ),
      (
        "LAA-PARIS-WEB01,LAA-PARIS-HV01,\nLAA-PARIS-HV01,LAA-PARIS-DC01,\n",
        "s.csv:2: error: host: the host LAA-PARIS-HV01 of LAA-PARIS-WEB01 is itself a guest, of "
          + "LAA-PARIS-DC01; name the server that really boots"
      ),
      (
        "LAA-PARIS-WEB01,LAA-PARIS-DC01,perhaps\n",
        "s.csv:2: error: carries_atlas: “perhaps” is neither true nor false; write true or false"
      ),
    ])
  func refused(rows: String, expected: String) {
    let result = read(("s.csv", "server,host,carries_atlas\n" + rows))
    #expect(result.diagnostics.map(\.description) == [expected])
    #expect(result.fleet == smallFleet())
  }

  @Test("a host that carries others already cannot become a guest itself")
  func nested() {
    let first = read(("s.csv", "server,host\nLAA-PARIS-WEB01,NOR-OSLO-HV01\nNOR-OSLO-HV01,\n"))
    let second = read(
      ("s.csv", "server,host\nNOR-OSLO-HV01,NOR-OSLO-FS01\n"), over: first.fleet)
    #expect(
      second.diagnostics.map(\.description) == [
        "s.csv:2: error: host: NOR-OSLO-HV01 is the host of LAA-PARIS-WEB01 and cannot run on "
          + "NOR-OSLO-FS01; name the server that really boots as the host of both"
      ])
    #expect(second.fleet == first.fleet)
    // The guest moves with the same import.
    let both = "server,host\nNOR-OSLO-HV01,NOR-OSLO-FS01\nLAA-PARIS-WEB01,NOR-OSLO-FS01\n"
    #expect(read(("s.csv", both), over: first.fleet).diagnostics == [])
  }

  @Test("of a client that is refused take the clients of their guests along")
  func refusedHost() {
    let result = read(
      (
        "s.csv",
        """
        server,host,number
        NOR-OSLO-HV01,,first
        LAA-PARIS-WEB01,NOR-OSLO-HV01,
        """
      ))
    #expect(
      result.diagnostics.map(\.description) == [
        "s.csv:2: error: number: “first” is not a whole number; "
          + "write a number from 0 to 999999999",
        "s.csv:3: error: host: the host NOR-OSLO-HV01 of LAA-PARIS-WEB01 is not known; "
          + "did you mean NOR-OSLO-FS01?",
      ])
    #expect(result.refusedClients == ["LAA", "NOR"])
    #expect(result.fleet == smallFleet())
  }

  @Test("and an order: nothing comes after what carries Atlas, which goes last")
  func afterAtlas() {
    let result = read(
      (
        "s.csv",
        """
        server,after,carries_atlas
        LAA-PARIS-WEB01,LAA-PARIS-APP01,
        LAA-PARIS-APP01,,true
        """
      ))
    #expect(
      result.diagnostics.map(\.description) == [
        "s.csv:2: error: after: LAA-PARIS-WEB01 cannot come after LAA-PARIS-APP01, which carries "
          + "Atlas; that goes after all others of a campaign; leave it out"
      ])
  }
}

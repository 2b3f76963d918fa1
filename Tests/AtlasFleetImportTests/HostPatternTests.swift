import Testing

@testable import AtlasFleetImport

@Suite("Host names")
struct HostPatternTests {
  @Test(
    "names say client, site, role and number",
    arguments: [
      ("CLIENT-SITE-ROLENN", "LAA-PARIS-DC01", "LAA", "PARIS", "DC", 1),
      ("CLIENT-SITE-ROLENN", "LAA-PARIS2-SQL2019X007", "LAA", "PARIS2", "SQL2019X", 7),
      ("CLIENT-SITE-ROLE-NN", "LAA-PARIS-DC-12", "LAA", "PARIS", "DC", 12),
      ("srvROLENN.SITE.CLIENT.local", "srvWEB3.LYON.LAA.local", "LAA", "LYON", "WEB", 3),
      ("CLIENT_SITE_ROLE_NN", "LAA_PARIS_DC_1", "LAA", "PARIS", "DC", 1),
      ("CLIENT-SITE_ROLENN", "L_A-PARIS_DC1", "L_A", "PARIS", "DC", 1),
    ])
  func reads(
    pattern: String, name: String, client: String, site: String, role: String, number: Int
  ) throws {
    let parts = try HostPattern(pattern).parts(of: name)
    #expect(
      parts == HostPattern.Parts(client: client, site: site, role: role, number: number))
  }

  @Test(
    "names built otherwise are not guessed at",
    arguments: [
      "LAA-PARIS-DC", "LAA-NEW-YORK-DC01", "LAA-PARIS-01", "LAA--DC01", "LAAPARISDC01",
      "LAA-PARIS-DC01.local", "LAA-PARIS-DC1234567890", "-PARIS-DC01", "LÄÄ-PARIS-DC01", "",
    ])
  func refusesNames(name: String) throws {
    #expect(try HostPattern("CLIENT-SITE-ROLENN").parts(of: name) == nil)
  }

  @Test("role and number may be missing from the pattern")
  func optionalParts() throws {
    #expect(
      try HostPattern("SITE-CLIENT").parts(of: "PARIS-LAA")
        == HostPattern.Parts(client: "LAA", site: "PARIS", role: nil, number: 0))
  }

  @Test(
    "a pattern that no name could be read by is refused",
    arguments: [
      ("CLIENT-ROLENN", "lacks SITE"),
      ("CLIENT-SITE-SITE", "names SITE twice"),
      ("CLIENTSITE-ROLE", "has nothing between CLIENT and SITE"),
      ("CLIENT-SITE-NNROLE", "has nothing between NN and ROLE"),
      ("CLIENT-SITE-KIND", "cannot be read from “KIND” on"),
      ("CLIENT SITE", "cannot be read from “ SITE” on"),
      ("", "lacks CLIENT"),
    ])
  func refusesPatterns(text: String, problem: String) {
    let error = #expect(throws: ValueError.self) { try HostPattern(text) }
    #expect(error?.message == "the host pattern “\(text)” \(problem)")
  }
}

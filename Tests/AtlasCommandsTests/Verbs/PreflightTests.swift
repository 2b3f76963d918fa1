import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("atlas campaign preflight", .timeLimit(.minutes(10)))
struct PreflightTests {
  private static func world(_ servers: [AtlasV1.PreflightServer], ready: Int32) -> World {
    var world = World.november(clients: 1, servers: 2)
    let refused = Int32(servers.count { $0.verdict == .refused })
    let waiting = Int32(servers.count { $0.verdict == .needsPerson })
    world.preflight = servers.map { .init(servers: [$0]) }
    world.preflight.append(
      .init(
        summary: .init(
          servers: ready + refused + waiting, ready: ready, refused: refused, needsPerson: waiting))
    )
    return world
  }

  @Test("says what is wrong with which server, and fails")
  func wrong() async throws {
    let servers: [AtlasV1.PreflightServer] = [
      .init(
        server: "LAA-PARIS-WEB02", client: "LAA", verdict: .needsPerson,
        findings: [
          .init(
            check: "updaters", verdict: .needsPerson,
            text: "dnf-automatic installs updates here too")
        ]),
      .init(
        server: "LAA-PARIS-DC01", client: "LAA", verdict: .refused,
        findings: [
          .init(check: "source", verdict: .refused, text: "wsus: it does not answer"),
          .init(check: "reboot", verdict: .ready, text: "a boot is pending"),
        ]),
    ]
    try await FakeAtlas.serving(Self.world(servers, ready: 1)) { atlas, terminal in
      expect(
        await terminal.run("campaign", "preflight", "november", "--client", "LAA"),
        is: Outcome(
          status: .error,
          output: """
            LAA-PARIS-DC01  will be refused
              source: wsus: it does not answer
              reboot: a boot is pending
            LAA-PARIS-WEB02  needs a person
              updaters: dnf-automatic installs updates here too
            3 servers: 1 ready, 1 will be refused, 1 needs a person

            """, errors: "error: 2 servers of november are not ready\n"))
      #expect(
        atlas.requests(AtlasV1.PreflightCampaignRequest.self) == [
          .init(campaign: "november", client: "LAA")
        ])
    }
  }

  @Test("says that all are ready, and succeeds")
  func ready() async throws {
    try await FakeAtlas.serving(Self.world([], ready: 1_000)) { _, terminal in
      expect(
        await terminal.run("campaign", "preflight", "november"),
        is: Outcome(
          status: .ok, output: "1,000 servers: 1,000 ready, 0 will be refused, 0 need a person\n",
          errors: ""))
    }
  }
}

import AtlasHooks
import AtlasModel
import AtlasWire
import GRPCCore
import Testing

@testable import AtlasServer

@Suite("The safety service") struct SafetyServiceTests {
  @Test("latches a stop that only a release with a reason lifts, and says who")
  func stopAndRelease() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let metadata: Metadata = ["atlas-user": "kim"]
      _ = try await daemon.safety.emergencyStop(.init(reason: "smoke"), metadata: metadata)
      let stop = try #require(try await daemon.safety.getStop(.init()).stops.first)
      #expect(stop.reason == "smoke" && stop.principal == "kim")
      let error = await #expect(throws: RPCError.self) {
        try await daemon.safety.releaseStop(.init())
      }
      #expect(error?.message == "reason: say why")
      _ = try await daemon.safety.releaseStop(.init(reason: "only steam"), metadata: metadata)
      #expect(try await daemon.safety.getStop(.init()).stops.isEmpty)
      #expect(
        try await daemon.log().suffix(2) == ["stop.latched by kim", "stop.released by kim"])
    }
  }

  @Test("stops once for a request id that comes twice")
  func repeatedStop() async throws {
    try await TestDaemon.run { daemon in
      let request = AtlasV1.EmergencyStopRequest(requestID: "stop-1", reason: "smoke")
      let first = try await daemon.safety.emergencyStop(request)
      #expect(try await daemon.safety.emergencyStop(request) == first)
      #expect(try await daemon.log() == ["stop.latched by anonymous"])
    }
  }
}

@Suite("The audit service") struct AuditServiceTests {
  @Test("gives pages in both directions, of all or of a client")
  func pages() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let all = try await daemon.audit.listAuditRecords(.init(pageSize: 500)).records
      let first = try await daemon.audit.listAuditRecords(.init(pageSize: 2))
      #expect(first.records == Array(all.prefix(2)))
      let second = try await daemon.audit.listAuditRecords(
        .init(pageSize: 500, pageToken: first.nextPageToken))
      #expect(second.records == Array(all.dropFirst(2)))
      let newest = try await daemon.audit.listAuditRecords(
        .init(pageSize: 500, descending: true))
      #expect(newest.records == all.reversed())
      let ofNorth = try await daemon.audit.listAuditRecords(.init(pageSize: 500, client: "NOR"))
      #expect(ofNorth.records.map(\.client) == ["NOR", "NOR"])
      #expect(try await daemon.audit.verifyAudit(.init()).intact)
    }
  }

  @Test("refuses a page token that no page gave, and a page that is too large")
  func badPages() async throws {
    try await TestDaemon.run { daemon in
      for request in [
        AtlasV1.ListAuditRecordsRequest(pageToken: "next"),
        AtlasV1.ListAuditRecordsRequest(pageSize: 501),
      ] {
        let error = await #expect(throws: RPCError.self) {
          try await daemon.audit.listAuditRecords(request)
        }
        #expect(error?.code == .invalidArgument)
      }
    }
  }
}

@Suite("The hook service") struct HookServiceTests {
  @Test("puts a reload into the log, with who asked for it, once for a request id")
  func reloadIsAudited() async throws {
    try await TestDaemon.run(hooks: FixedHooks()) { daemon in
      let request = AtlasV1.ReloadHooksRequest(requestID: "reload-1")
      let first = try await daemon.hooks.reloadHooks(request, metadata: ["atlas-user": "kim"])
      #expect(first.reloaded && first.revision?.id == "r2")
      let again = try await daemon.hooks.reloadHooks(request, metadata: ["atlas-user": "kim"])
      #expect(again == first)
      #expect(try await daemon.log() == ["hooks.loaded by kim"])
    }
  }

  @Test("says how to get hooks when the daemon has none")
  func noHooks() async throws {
    try await TestDaemon.run { daemon in
      let error = await #expect(throws: RPCError.self) {
        try await daemon.hooks.reloadHooks(.init())
      }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.message.contains("--hooks DIR") == true)
    }
  }
}

@Suite("The agent service") struct AgentServiceTests {
  @Test("welcomes an agent of the fleet, and ends the session of a server it does not know")
  func welcome() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let known = AtlasV1.Hello(
        server: "LAA-PARIS-WEB01", agentVersion: "1", bootID: "b")
      guard case .welcome = try await daemon.firstAnswer(to: known)?.payload else {
        Issue.record("the first answer is no welcome")
        return
      }
      var unknown = known
      unknown.server = "LAA-PARIS-WEB09"
      let error = await #expect(throws: RPCError.self) {
        try await daemon.firstAnswer(to: unknown)
      }
      #expect(error?.code == .unavailable)
    }
  }

  @Test("wants a Hello first")
  func noHello() async throws {
    try await TestDaemon.run { daemon in
      let error = await #expect(throws: RPCError.self) {
        try await daemon.agents.session { requests in
          try await requests.write(.init(payload: .commandAck(.init(fence: 1, verdict: .accepted))))
        } receive: { responses in
          for try await _ in responses {}
        }
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message == "a session begins with Hello")
    }
  }
}

@Suite("The campaign service") struct CampaignServiceTests {
  @Test("plans what could be, and says which settings there are when one is wrong")
  func whatIf() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      _ = try await daemon.campaigns.createCampaign(.init(name: "november"))
      let both = try await daemon.campaigns.planCampaign(
        .init(campaign: "november", whatIf: "estimate=10m,windows=always"))
      let plan = try #require(both.plan)
      let supposed = try #require(both.supposed)
      let (long, short) = try (#require(plan.sequential), #require(supposed.sequential))
      #expect(long.seconds == 3 * 2_700 && short.seconds == 3 * 600)
      let alone = try await daemon.campaigns.planCampaign(.init(campaign: "november"))
      #expect(alone.supposed == nil && alone.plan?.etag == plan.etag)
      let wrong = await #expect(throws: RPCError.self) {
        try await daemon.campaigns.planCampaign(
          .init(campaign: "november", whatIf: "max_paralel_servers=2"))
      }
      #expect(wrong?.code == .invalidArgument)
      #expect(wrong?.message.contains("did you mean max_parallel_servers?") == true)
    }
  }

  @Test("undoes no campaign that is not there, and none that has completed nothing")
  func rollbackOfNothing() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let unknown = await #expect(throws: RPCError.self) {
        try await daemon.campaigns.createCampaign(.init(name: "undo", rollbackOf: "november"))
      }
      #expect(unknown?.code == .notFound)
      _ = try await daemon.campaigns.createCampaign(.init(name: "november"))
      let nothing = await #expect(throws: RPCError.self) {
        try await daemon.campaigns.createCampaign(.init(name: "undo", rollbackOf: "november"))
      }
      #expect(nothing?.code == .failedPrecondition)
    }
  }

  @Test("creates, plans and starts a campaign, and refuses a start over an old plan")
  func planAndStart() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      _ = try await daemon.campaigns.createCampaign(.init(name: "november"))
      let plan = try #require(
        try await daemon.campaigns.planCampaign(.init(campaign: "november")).plan)
      #expect(plan.servers == 3)
      _ = try await daemon.fleet.lockServer(
        .init(server: "NOR-OSLO-SQL01", reason: "disk"))
      try await daemon.importFleet([("servers.csv", TestDaemon.servers + "LAA-PARIS-WEB03\n")])
      let error = await #expect(throws: RPCError.self) {
        try await daemon.campaigns.startCampaign(
          .init(campaign: "november", ifMatch: plan.etag))
      }
      #expect(error?.code == .aborted)
      let started = try await daemon.campaigns.startCampaign(.init(campaign: "november"))
      #expect(started.campaign?.state == .active)
    }
  }

  @Test("edits a policy: what is different, nothing under a dry run, once, and not over others")
  func edit() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      func policy(_ text: String) -> AtlasV1.Document {
        AtlasV1.Document(name: "policy.yaml", content: Array(text.utf8))
      }
      _ = try await daemon.campaigns.createCampaign(
        .init(name: "november", policy: policy("max_retries: 3\nclients: {LAA: {max_retries: 0}}")))
      // What the file leaves out stays as it is, that of single clients included.
      var request = AtlasV1.EditCampaignRequest(
        campaign: "november",
        policy: policy("max_retries: 2\nmax_in_progress: 20\nclients: {LAA: {offline_grace: 1h}}"),
        reason: "slower", dryRun: true)
      let preview = try await daemon.campaigns.editCampaign(request)
      let changes = [
        AtlasV1.SettingChange(key: "max_retries", before: "3", after: "2"),
        AtlasV1.SettingChange(key: "max_in_progress", before: "unlimited", after: "20"),
        AtlasV1.SettingChange(key: "offline_grace", client: "LAA", before: "", after: "1h"),
      ]
      #expect(preview.changes == changes)
      let before = try await daemon.campaigns.getCampaign(.init(campaign: "november")).campaign
      #expect(before?.settings.first { $0.key == "max_retries" }?.value == "3")
      request.dryRun = false
      request.ifMatch = preview.etag
      request.requestID = "edit-1"
      let edited = try await daemon.campaigns.editCampaign(request)
      #expect(edited.changes == changes)
      #expect(edited.campaign?.settings.first { $0.key == "max_in_progress" }?.value == "20")
      // The same again is the same answer, and nothing happens twice.
      #expect(try await daemon.campaigns.editCampaign(request).etag == edited.etag)
      request.requestID = "edit-2"
      let late = await #expect(throws: RPCError.self) {
        try await daemon.campaigns.editCampaign(request)
      }
      #expect(late?.code == .aborted)
      request.ifMatch = "seven"
      let bad = await #expect(throws: RPCError.self) {
        try await daemon.campaigns.editCampaign(request)
      }
      #expect(bad?.code == .invalidArgument)
    }
  }

  @Test("says which line of a policy is wrong")
  func badPolicy() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let policy = AtlasV1.Document(
        name: "policy.yaml", content: Array("max_retries: 2\nmax_retrys: 3\n".utf8))
      let error = await #expect(throws: RPCError.self) {
        try await daemon.campaigns.createCampaign(.init(name: "november", policy: policy))
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.contains("policy.yaml:2") == true, "\(error?.message ?? "")")
    }
  }
}

extension TestDaemon {
  /// What an agent hears first; it stays on the line until then.
  fileprivate func firstAnswer(
    to hello: AtlasV1.Hello
  ) async throws -> AtlasV1.SessionResponse? {
    let (heard, line) = AsyncStream<Void>.makeStream()
    return try await agents.session { requests in
      try await requests.write(.init(payload: .hello(hello)))
      for await _ in heard {}
    } receive: { responses in
      defer { line.finish() }
      return try await responses.first { _ in true }
    }
  }
}

/// Hook files that load as the second revision.
private struct FixedHooks: HookCatalog {
  private let listing = HookListing(
    revision: HookRevisionID("r2"), loadedAt: Instant(milliseconds: 0), files: [])

  func current() async -> HookListing? { listing }
  func check() async throws(HookCatalogError) -> HookCheck { HookCheck(files: 0, findings: []) }
  func reload() async throws(HookCatalogError) -> HookReload {
    HookReload(listing: listing, check: HookCheck(files: 0, findings: []), isReloaded: true)
  }
}

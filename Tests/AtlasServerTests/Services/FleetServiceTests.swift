import AtlasModel
import AtlasWire
import GRPCCore
import Testing

@testable import AtlasServer

@Suite("The fleet service") struct FleetServiceTests {
  @Test("gives a repeated import its first answer, although nothing differs any more")
  func repeatedImport() async throws {
    try await TestDaemon.run { daemon in
      let first = try await daemon.importFleet(requestID: "import-1")
      #expect(first.applied && first.clientsAdded == 2 && first.serversAdded == 3)
      let again = try await daemon.importFleet(requestID: "import-1")
      #expect(again == first)
      let new = try await daemon.importFleet(requestID: "import-2")
      #expect(!new.applied && new.changes.isEmpty)
    }
  }

  @Test(
    "refuses another import under the id of a first: other bytes, other names, another split",
    arguments: [
      [
        ("servers.csv", TestDaemon.servers + "LAA-PARIS-WEB03\n"),
        ("clients.yaml", TestDaemon.clients),
      ],
      [("fleet.csv", TestDaemon.servers), ("clients.yaml", TestDaemon.clients)],
      [("servers.csv", TestDaemon.servers), ("clients.yml", TestDaemon.clients)],
    ])
  func otherImport(documents: [(String, String)]) async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet(requestID: "import-1")
      let error = await #expect(throws: RPCError.self) {
        try await daemon.importFleet(documents, requestID: "import-1")
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message == "request id “import-1” was used for another request")
    }
  }

  @Test("changes nothing in a dry run, and does not remember it")
  func dryRun() async throws {
    try await TestDaemon.run { daemon in
      let dry = try await daemon.importFleet(requestID: "import-1", dryRun: true)
      #expect(!dry.applied && dry.serversAdded == 3)
      #expect(try await daemon.fleet.listServers(.init()).servers.isEmpty)
      #expect(try await daemon.importFleet(requestID: "import-1").applied)
    }
  }

  @Test("postpones a client until a time, shows it, and lets it go on")
  func postponeClient() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let past = await #expect(throws: RPCError.self) {
        try await daemon.fleet.postponeClient(.init(client: "LAA", until: .init(seconds: 1)))
      }
      #expect(
        past?.message.hasPrefix("until: 1970-01-01 00:00 UTC is over; give a time later") ?? false)
      let until = GoogleProtobuf.Timestamp(seconds: 4_000_000_000)
      let answer = try await daemon.fleet.postponeClient(
        .init(requestID: "p-1", client: "LAA", until: until, reason: "a fair"))
      #expect(answer.client?.postponed?.reason == "a fair")
      #expect(answer.client?.postponed?.until == until)
      #expect(answer.inFlight.isEmpty)
      let seen = try await daemon.fleet.getClient(.init(client: "LAA")).client
      #expect(seen?.postponed != nil)
      let resumed = try await daemon.fleet.resumeClient(.init(client: "LAA")).client
      #expect(resumed?.postponed == nil)
    }
  }

  @Test("lists windows as they are written, with what the clocks make of them")
  func windows() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      // The clocks of Paris go forward on the last Sunday of March 2027, at 01:00 UTC.
      let from = GoogleProtobuf.Timestamp(seconds: 1_806_019_200)
      let answer = try await daemon.fleet.listWindows(.init(client: "LAA", count: 2, from: from))
      #expect(answer.zone == "Europe/Paris" && !answer.alwaysOpen)
      let first = try #require(answer.openings.first)
      #expect(first.nominal == .init(seconds: 57 * 3_600))
      #expect(first.opensOffset == 3_600 && first.closesOffset == 7_200)
      let interval = try #require(first.interval)
      #expect((interval.end?.seconds ?? 0) - (interval.start?.seconds ?? 0) == 56 * 3_600)
      #expect(first.opensReading == .once && answer.openings.count == 2)
    }
  }

  @Test("declares an outage of a client, shows it, and ends it")
  func outage() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let endless = await #expect(throws: RPCError.self) {
        try await daemon.fleet.declareOutage(.init(client: "LAA", reason: "agreed"))
      }
      #expect(endless?.message == "until: is missing: when is the client's outage over?")
      let wordless = await #expect(throws: RPCError.self) {
        try await daemon.fleet.declareOutage(.init(client: "LAA", until: .init(seconds: 1)))
      }
      #expect(wordless?.code == .invalidArgument)
      let none = await #expect(throws: RPCError.self) {
        try await daemon.fleet.endOutage(.init(client: "LAA"))
      }
      #expect(none?.code == .failedPrecondition)
      let now = daemon.pump.campaignTime
      let from = GoogleProtobuf.Timestamp(now + .seconds(3_600))
      let until = GoogleProtobuf.Timestamp(now + .seconds(7_200))
      let answer = try await daemon.fleet.declareOutage(
        .init(
          requestID: "o-1", client: "LAA", from: from, until: until, parallel: 3,
          reason: "host replaced"))
      let outage = try #require(answer.client?.outage)
      #expect(outage.from == from && outage.until == until && outage.parallel == 3)
      #expect(outage.reason == "host replaced")
      #expect(try await daemon.fleet.getClient(.init(client: "LAA")).client?.outage == outage)
      #expect(try await daemon.fleet.endOutage(.init(client: "LAA")).client?.outage == nil)
    }
  }

  @Test("refuses to dismiss a server that nobody misses, and one that is not there")
  func dismiss() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let unknown = await #expect(throws: RPCError.self) {
        try await daemon.fleet.dismissServer(.init(server: "LAA-PARIS-NONE01", reason: "gone"))
      }
      #expect(unknown?.code == .notFound)
      let back = await #expect(throws: RPCError.self) {
        try await daemon.fleet.recallServer(.init(server: "LAA-PARIS-WEB01"))
      }
      #expect(back?.code == .failedPrecondition)
    }
  }

  @Test("changes the fields that the mask names, and answers with the client as it is then")
  func updateClient() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let before = try #require(try await daemon.fleet.getClient(.init(client: "LAA")).client)
      var change = AtlasV1.ClientInfo()
      change.name = "LAA"
      change.ring = 3
      change.priority = 7
      let wanted = change
      let request = AtlasV1.UpdateClientRequest(
        requestID: "update-1", client: wanted, updateMask: ["priority"])
      let after = try #require(try await daemon.fleet.updateClient(request).client)
      #expect(after.priority == 7 && after.ring == 0)
      #expect(after.etag != before.etag)
      #expect(try await daemon.fleet.getClient(.init(client: "LAA")).client == after)
      #expect(try await daemon.fleet.updateClient(request).client == after)
    }
  }

  @Test(
    "takes the two fields of which backups count together, in either order",
    arguments: [["max_backup_age", "since_last_job"], ["since_last_job", "max_backup_age"]])
  func backupAge(mask: [String]) async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      var change = AtlasV1.ClientInfo()
      change.name = "LAA"
      change.sinceLastJob = true
      let lastJob = change
      let there = try #require(
        try await daemon.fleet.updateClient(.init(client: lastJob, updateMask: mask)).client)
      #expect(there.sinceLastJob && there.maxBackupAge == nil)
      change.sinceLastJob = false
      change.maxBackupAge = .init(.seconds(7_200))
      let young = change
      let back = try #require(
        try await daemon.fleet.updateClient(.init(client: young, updateMask: mask)).client)
      #expect(!back.sinceLastJob && back.maxBackupAge == .init(.seconds(7_200)))
      change.maxBackupAge = nil
      let neither = change
      let error = await #expect(throws: RPCError.self) {
        try await daemon.fleet.updateClient(.init(client: neither, updateMask: mask))
      }
      #expect(error?.message.hasPrefix("client.max_backup_age: is needed") == true)
    }
  }

  @Test("refuses a change of a client that has changed since its etag")
  func staleEtag() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let seen = try #require(try await daemon.fleet.getClient(.init(client: "LAA")).client)
      var wanted = seen
      wanted.priority = 7
      let first = wanted
      _ = try await daemon.fleet.updateClient(.init(client: first, updateMask: ["priority"]))
      wanted.priority = 8
      let stale = wanted
      let error = await #expect(throws: RPCError.self) {
        try await daemon.fleet.updateClient(.init(client: stale, updateMask: ["priority"]))
      }
      #expect(error?.code == .aborted)
      #expect(error?.message == "client LAA has changed since you saw it")
    }
  }

  @Test(
    "says which field of a client cannot be changed, and which value is wrong",
    arguments: [
      ("slots_in_use", "update_mask"), ("ring", "client.ring"), ("zone", "client.zone"),
      ("windows", "client.windows"),
    ])
  func badUpdate(mask: String, field: String) async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      var change = AtlasV1.ClientInfo()
      change.name = "LAA"
      change.ring = 99
      change.zone = "Mars/Olympus"
      change.windows = ["Fri 25:00-Sat"]
      let wanted = change
      let error = await #expect(throws: RPCError.self) {
        try await daemon.fleet.updateClient(.init(client: wanted, updateMask: [mask]))
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.hasPrefix(field) == true, "\(error?.message ?? "")")
    }
  }

  @Test("pages through servers in order of their names")
  func pages() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      let first = try await daemon.fleet.listServers(.init(pageSize: 2))
      #expect(first.servers.map(\.name) == ["LAA-PARIS-WEB01", "LAA-PARIS-WEB02"])
      let rest = try await daemon.fleet.listServers(
        .init(pageSize: 2, pageToken: first.nextPageToken))
      #expect(rest.servers.map(\.name) == ["NOR-OSLO-SQL01"])
      #expect(rest.nextPageToken.isEmpty)
    }
  }

  @Test("says what was probably meant where a list of the history is about nothing there is")
  func unknownSubject() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      _ = try await daemon.campaigns.createCampaign(.init(name: "november"))
      let wrong: [(campaign: String, client: String, server: String, meant: String)] = [
        ("novembre", "", "", "november"), ("", "LAB", "", "LAA"),
        ("", "", "LAA-PARIS-WEB0", "LAA-PARIS-WEB01"),
        ("november", "LAA", "LAA-PARIS-WEB03", "LAA-PARIS-WEB01"),
      ]
      for (campaign, client, server, meant) in wrong {
        let runs = await #expect(throws: RPCError.self) {
          try await daemon.hooks.listHookRuns(
            .init(campaign: campaign, client: client, server: server))
        }
        let records = await #expect(throws: RPCError.self) {
          try await daemon.audit.listAuditRecords(
            .init(campaign: campaign, client: client, server: server))
        }
        for error in [runs, records] {
          #expect(error?.code == .notFound)
          #expect(error.map { WireStatus($0).metadata["nearest"] } == meant)
        }
      }
      let logs = await #expect(throws: RPCError.self) {
        try await daemon.hooks.watchHookLogs(.init(client: "LAB")) { for try await _ in $0 {} }
      }
      #expect(logs?.code == .notFound)
      let none = try await daemon.hooks.listHookRuns(.init(client: "LAA", descending: true))
      #expect(none.hookRuns.isEmpty)
    }
  }

  @Test("names what is not there", arguments: ["LAA-PARIS-WEB09"])
  func unknownServer(name: String) async throws {
    try await TestDaemon.run { daemon in
      let error = await #expect(throws: RPCError.self) {
        try await daemon.fleet.lockServer(.init(server: name, reason: "disk"))
      }
      #expect(error?.code == .notFound)
      #expect(error?.message == "there is no server “\(name)”")
    }
  }
}

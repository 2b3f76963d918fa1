import Foundation
import Testing

/// The real programs play a small night from beginning to end.
extension Programs {
  @Suite struct Night {
    @Test(.timeLimit(.minutes(10)))
    func `ends as it was planted, in the words of three independent witnesses`() async throws {
      let stage = try Stage(
        StageFleet(
          clientNames: ["ALF", "BET", "GAM", "DEL", "EPS", "ZET"],
          failures: [
            "GAM-PARIS-APP01": "install_fails_permanently",
            "DEL-PARIS-SQL01": "unhealthy_after_update",
            "EPS-PARIS-WEB01": "install_fails_retryable",
            "ZET-PARIS-APP01": "disk_full",
          ],
          backupCases: ["ALF-PARIS-WEB01": #"{"backup_age_hours": 30}"#],
          hooks: [
            "BET": """
            local hooks = {api = 1}
            local backup_api, evidence = require "lib.backup_api", require "lib.evidence"
            function hooks.verify_backup(run)
              if run.server == "BET-PARIS-APP01" then ok("surely") end
              evidence.record(evidence.newest_good(backup_api.jobs(run.server)), "backup-api")
              ok("proven")
            end
            return hooks
            """
          ]))
      try await stage.prepare()

      // Looking at every server beforehand finds what the night will refuse, and nothing else.
      let look = try await stage.ask("campaign", "preflight", "night", "-o", "jsonl")
      #expect(look.status == 1)
      let found = try Self.findings(look.text)
      #expect(
        found == [
          "ALF-PARIS-WEB01": ["REFUSED backup"], "BET-PARIS-APP01": ["REFUSED backup"],
          "ZET-PARIS-APP01": ["REFUSED disk"],
        ])
      let requestsOfPreflight = try await stage.requestsServed()

      try await stage.atlas("campaign", "start", "night", "--yes")
      let end = try await stage.ask("campaign", "wait", "night", "--timeout", "3m")
      #expect(end.status == 2, "servers failed and are held: \(end.errors)")

      var outcomes = try await stage.outcomes()
      let completed = outcomes.removeValue(forKey: "COMPLETED UPDATED") ?? []
      #expect(
        outcomes == [
          "FAILED ROLLED_BACK": ["GAM-PARIS-APP01"],
          "HELD UNHEALTHY": ["DEL-PARIS-SQL01"],
          "NOT_ATTEMPTED backup": ["ALF-PARIS-WEB01", "BET-PARIS-APP01"],
          "NOT_ATTEMPTED disk": ["ZET-PARIS-APP01"],
          "PENDING": ["DEL-PARIS-DC01", "DEL-PARIS-WEB01"],
        ])
      #expect(completed.count == 24 - 7)

      let answer = try await stage.json("campaign", "report", "night")
      let report = try #require(answer["report"] as? [String: Any])

      // The fleet's own ledger.
      let ledger = try await stage.ledger()
      #expect(ledger["verdict"] as? String == "ok")
      #expect(ledger["most_down"] as? Int == 1)
      #expect(ledger["still_down"] as? [String] == ["DEL-PARIS-SQL01"])

      // The daemon says the same of itself.
      let told = try #require(report["largestDownPerClient"] as? Int)
      #expect(told == ledger["most_down"] as? Int)

      // The backup service's own count.
      let calls = try #require(Int("\(report["httpCalls"] ?? "")"))
      #expect(calls == (try await stage.requestsServed()) - requestsOfPreflight)
      #expect(calls > 100)

      // The log.
      #expect(try await stage.atlas("audit", "verify").hasPrefix("intact"))

      try await Self.checkEvidence(stage, ledger)
    }

    /// Evidence of the night agrees with the ledger, and with itself after the daemon is gone; with one
    /// byte changed it is refused.
    private static func checkEvidence(_ stage: Stage, _ ledger: [String: Any]) async throws {
      let file = stage.path("night.evidence")
      let key = try await stage.atlas("audit", "key").trimmingCharacters(
        in: .whitespacesAndNewlines)
      try await stage.atlas("campaign", "report", "night", "--evidence", file)
      await stage.daemon?.kill9()
      let answer = try await stage.ask("audit", "verify", file, "--key", key, "-o", "json")
      #expect(answer.status == 0, "\(answer.errors)")
      let header = try #require(
        try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any])
      #expect(header["mostDown"] as? Int == ledger["most_down"] as? Int)
      #expect(header["servers"] as? Int == stage.fleet.names.count)

      // Every server was at work, by its own ledger, only while the evidence says so.
      let worked = try Self.workedOn(stage.text("night.evidence"))
      var checked = 0
      for line in stage.text("agents/ledger.jsonl").split(separator: "\n") {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let row = try #require(object as? [String: Any])
        guard row["event"] as? String == "began", let at = row["campaign_ms"] as? Int64,
          let server = row["server"] as? String, row["kind"] as? String != "DOWNLOAD"
        else { continue }
        checked += 1
        // The agent's clock goes by the daemon's, and is late by what a message took: tenths of a
        // second here are minutes there.
        #expect(
          worked[server, default: []].contains {
            $0.lowerBound - 300_000 <= at && at <= $0.upperBound
          }, "\(line)")
      }
      #expect(checked > 40)

      var bytes = Array(stage.text("night.evidence").utf8)
      let place = try #require(bytes.lastIndex(of: UInt8(ascii: "S")))
      bytes[place] = UInt8(ascii: "T")
      try Data(bytes).write(to: URL(filePath: file))
      let changed = try await stage.ask("audit", "verify", file, "--key", key)
      #expect(changed.status == 1)
      #expect(changed.errors.contains("proves nothing: line "))
    }

    /// By server: when evidence says that it was worked on, in milliseconds since 1970.
    private static func workedOn(_ file: String) throws -> [String: [ClosedRange<Int64>]] {
      let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
      func milliseconds(_ text: Any?) throws -> Int64 {
        guard let text = text as? String else { return .max }
        let date = try (try? format.parse(text)) ?? Date.ISO8601FormatStyle().parse(text)
        return Int64((date.timeIntervalSince1970 * 1_000).rounded())
      }
      var worked: [String: [ClosedRange<Int64>]] = [:]
      for line in file.split(separator: "\n") {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        guard let server = object?["server"] as? [String: Any],
          let name = server["server"] as? String
        else { continue }
        for interval in server["intervals"] as? [[String: Any]] ?? []
        where interval["kind"] as? String == "EVIDENCE_INTERVAL_KIND_WORKED_ON" {
          worked[name, default: []].append(
            try milliseconds(interval["start"])...milliseconds(interval["end"]))
        }
      }
      return worked
    }

    /// Verdict and check of each finding, by server.
    private static func findings(_ lines: String) throws -> [String: [String]] {
      var found: [String: [String]] = [:]
      for line in lines.split(separator: "\n") {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let server = try #require(object as? [String: Any])
        let findings = try #require(server["findings"] as? [[String: Any]])
        found[try #require(server["server"] as? String)] = findings.map {
          "\($0["verdict"] ?? "") \($0["check"] ?? "")"
            .replacing("PREFLIGHT_VERDICT_", with: "")
        }
      }
      return found
    }

    @Test(.timeLimit(.minutes(10)))
    func `goes on after a stop, its release and a resume`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF", "BET", "GAM", "DEL"]))
      try await stage.begin()
      try await stage.until("servers are being installed") {
        let runs = try await stage.rows("campaign", "runs", "night")
        return runs.contains { $0["phase"] as? String == "PHASE_UPDATE" }
      }
      let answer = try await stage.json("stop", "--reason", "smoke in rack 4")
      let acknowledged = Int(Date().timeIntervalSince1970 * 1_000)
      let stop = try #require(answer["stop"] as? [String: Any])
      let fence = try #require(stop["fence"] as? String)

      // Everything in flight goes to its safe point, and stays there.
      try await stage.until("nothing is in flight") {
        try await stage.json("stop", "status")["inFlight"] as? Int == 0
      }
      let parked = try #require(try await stage.json("stop", "status")["parked"] as? Int)
      #expect(parked > 0)
      try await stage.atlas("stop", "release", "--yes", "--reason", "it was toast")
      let released = Int(Date().timeIntervalSince1970 * 1_000)
      #expect(
        try await stage.outcomes().keys.contains { $0.hasPrefix("IN_PROGRESS") } == false,
        "a release resumes nothing")
      try await stage.atlas("campaign", "resume", "night", "--now")
      let end = try await stage.ask("campaign", "wait", "night", "--timeout", "3m")
      #expect(end.status == 0, "\(end.errors)")

      let ledger = try await stage.ledger(
        "--stop-fence", fence, "--stop-real-ms", "\(acknowledged)",
        "--release-real-ms", "\(released)", "--grace-ms", "1000")
      #expect(ledger["verdict"] as? String == "ok", "\(ledger["violations"] ?? "")")
      #expect(ledger["most_down"] as? Int == 1)
    }
  }
}

/// Tests that start the real programs, one after the other: each wants the machine for itself.
@Suite(.serialized) struct Programs {}

extension Programs {
  @Suite struct `A fleet in files` {
    @Test(.timeLimit(.minutes(10)))
    func `comes out as it went in, and the field's lists with it`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF", "BET"]))
      try await stage.startDaemon()
      try await stage.atlas(
        "fleet", "import", stage.path("servers.csv"), stage.path("clients.yaml"), "--yes")
      for kind in ["servers", "clients"] {
        let text = try await stage.atlas("fleet", "export", "--kind", kind)
        try text.write(toFile: stage.path("again.\(kind)"), atomically: true, encoding: .utf8)
      }
      try FileManager.default.moveItem(
        atPath: stage.path("again.servers"), toPath: stage.path("again.csv"))
      try FileManager.default.moveItem(
        atPath: stage.path("again.clients"), toPath: stage.path("again.yaml"))
      let again = try await stage.ask(
        "fleet", "diff", stage.path("again.csv"), stage.path("again.yaml"))
      #expect(again.status == 0, "\(again.errors)")
      #expect(again.text.contains("added") == false, "\(again.text)")
      #expect(again.text.contains("changed") == false, "\(again.text)")

      try await stage.atlas("campaign", "create", "night")
      let list = try await stage.atlas(
        "fleet", "export", "--kind", "orchestration", "--campaign", "night")
      let lines = list.split(whereSeparator: \.isNewline)
      #expect(
        lines.first
          == "ClientName,SiteName,ServerName,UpdateOrder,UpdateStatus,UpdateStartTime,UpdateEndTime,UpdateLocked,LastError"
      )
      #expect(lines.count == 1 + stage.fleet.names.count)
      #expect(lines.dropFirst().allSatisfy { $0.contains(",Pending,") })
    }

    @Test(.timeLimit(.minutes(10)))
    func `that is wrong is refused with file, line and what would be right, all at once`()
      async throws
    {
      let stage = try Stage(StageFleet(clientNames: ["ALF"]))
      try await stage.startDaemon()
      let servers = """
        server,client,site,roles,number,system
        ALF-PARIS-WEB01,ALF,PARIS,WEB,1,debian-12
        ALF-PARIS-WEB01,ALF,PARIS,WEB,1,debian-12
        NOBODY-PARIS-WEB01,NOBODY,PARIS,WEB,1,debian-12
        """
      let clients = """
        clients:
          - name: ALF
            ring: 9
            zone: Europe/Pariss
            windows: ["Fri 25:00-Mon 05:00"]
        """
      try servers.write(toFile: stage.path("bad.csv"), atomically: true, encoding: .utf8)
      try clients.write(toFile: stage.path("bad.yaml"), atomically: true, encoding: .utf8)
      let answer = try await stage.ask(
        "fleet", "import", stage.path("bad.csv"), stage.path("bad.yaml"), "--yes")
      #expect(answer.status != 0)
      let said = answer.text + answer.errors
      for place in ["bad.csv:3", "bad.csv:4", "bad.yaml:3", "bad.yaml:4", "bad.yaml:5"] {
        #expect(said.contains(place), "\(place) is not in\n\(said)")
      }
      #expect(try await stage.rows("client", "list").isEmpty, "nothing is imported")
    }
  }
}

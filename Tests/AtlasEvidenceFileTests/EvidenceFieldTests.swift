import AtlasEvidence
import AtlasModel
import AtlasWire
import Testing

@testable import AtlasEvidenceFile

private typealias Lines = [AtlasV1.EvidenceLine.Line]

/// Another value in one field of a file, by somebody who signs it again.
private struct Field: Sendable, CustomTestStringConvertible {
  var testDescription: String
  /// Part of a problem that must be named; empty for what no record tells.
  var problem: String
  var change: @Sendable (inout Lines) -> Void

  private init(
    _ name: String, _ problem: String, _ change: @escaping @Sendable (inout Lines) -> Void
  ) {
    testDescription = name
    self.problem = problem
    self.change = change
  }

  static func header(
    _ name: String, _ problem: String? = nil,
    _ change: @escaping @Sendable (inout AtlasV1.EvidenceHeader) -> Void
  ) -> Field {
    Field("header.\(name)", problem ?? "line 1: the header: \(name)") { lines in
      guard case .header(var header) = lines[0] else { return }
      change(&header)
      lines[0] = .header(header)
    }
  }

  static func client(
    _ name: String, _ problem: String? = nil,
    _ change: @escaping @Sendable (inout AtlasV1.EvidenceClient) -> Void
  ) -> Field {
    Field("client.\(name)", problem ?? "line 3: LAA: \(name)") { lines in
      guard case .client(var client) = lines[2] else { return }
      change(&client)
      lines[2] = .client(client)
    }
  }

  /// Of the first server.
  static func server(
    _ name: String, _ problem: String? = nil,
    _ change: @escaping @Sendable (inout AtlasV1.EvidenceServer) -> Void
  ) -> Field {
    Field("server.\(name)", problem ?? "line 4: LAA-1: \(name)") { lines in
      guard case .server(var server) = lines[3] else { return }
      change(&server)
      lines[3] = .server(server)
    }
  }

  static func hookFile(
    _ name: String, _ problem: String,
    _ change: @escaping @Sendable (inout AtlasV1.EvidenceHookFile) -> Void
  ) -> Field {
    Field("hookFile.\(name)", problem) { lines in
      guard case .hookFile(var file) = lines[1] else { return }
      change(&file)
      lines[1] = .hookFile(file)
    }
  }

  static func hookRun(
    _ name: String, _ problem: String,
    _ change: @escaping @Sendable (inout AtlasV1.EvidenceHookRun) -> Void
  ) -> Field {
    Field("hookRun.\(name)", problem) { lines in
      guard case .hookRun(var run) = lines[5] else { return }
      change(&run)
      lines[5] = .hookRun(run)
    }
  }

  /// Of the stop.
  static func decision(
    _ name: String, _ change: @escaping @Sendable (inout AtlasV1.EvidenceDecision) -> Void
  ) -> Field {
    Field("decision.\(name)", "line 9: the decision of record ") { lines in
      guard case .decision(var decision) = lines[8] else { return }
      change(&decision)
      lines[8] = .decision(decision)
    }
  }

  /// Of the begin of UPDATE.
  static func record(
    _ name: String, _ change: @escaping @Sendable (inout AtlasV1.EvidenceRecord) -> Void
  ) -> Field {
    Field("record.\(name)", "was changed: its content does not fit its hash") { lines in
      guard case .record(var record) = lines[12] else { return }
      change(&record)
      lines[12] = .record(record)
    }
  }

  private static func at(_ minutes: Int64) -> GoogleProtobuf.Timestamp { .init(Sample.at(minutes)) }

  private static let ofHeader = [
    header("mostDown") { $0.mostDown = 1 },
    header("mostDownByAtlas") { $0.mostDownByAtlas = 0 },
    header("mostDownClient") { $0.mostDownClient = "NOR" },
    header("mostDownAt") { $0.mostDownAt = at(11) },
    header("campaign", "line 1: the header: author is “anna”, and not in the records") {
      $0.campaign = "dusk"
    },
    header("author") { $0.author = "kim" },
    header("state") { $0.state = .completed },
    header("startedAt") { $0.startedAt = at(2) },
    header("until") { $0.until = at(35) },
    header("endedAt") { $0.endedAt = at(60) },
    header("clients") { $0.clients = 2 },
    header("servers") { $0.servers = 3 },
    header("records") { $0.records = 9 },
    header("lastSeq") { $0.lastSeq = 13 },
    header("lastHash") { $0.lastHash[0] ^= 1 },
    header(
      "hookRevision",
      "the run of verify_backup for LAA-1: it ran with the hooks of revision “r1”, and the campaign "
        + "pinned “r2”"
    ) { $0.hookRevision = "r2" },
  ]

  private static let ofClient = [
    client("client", "line 4: LAA-1 does not follow its client LAA") { $0.client = "NOR" },
    client("all.count") { $0.all?.count = 1 },
    client("all.at") { $0.all?.at = at(11) },
    client("all.servers") { $0.all?.servers = ["LAA-1", "LAA-3"] },
    client("byAtlas.count") { $0.byAtlas?.count = 0 },
    client("slots") { $0.slots = 4 },
    client("outages") { $0.outages = [.init(from: at(0), until: at(60), reason: "closed")] },
    client("servers") { $0.servers = 1 },
  ]

  private static let ofServer = [
    server("server", "LAA-1 is left out, and by the records it was down") { $0.server = "LAA-7" },
    server("client", "line 4: LAA-1 does not follow its client NOR") { $0.client = "NOR" },
    server("state") { $0.state = .failed },
    server("detail") { $0.detail = "NO_UPDATES" },
    server("attempts") { $0.attempts = 2 },
    server("downtime") { $0.downtime = .init(seconds: 1) },
    server("intervals[0].start") { $0.intervals[0].start = at(2) },
    server("intervals[0].end") { $0.intervals[0].end = at(29) },
    server(
      "intervals[0].end, which is open", "its interval of 1970-01-01 00:01 UTC is in no record"
    ) { $0.intervals[0].end = nil },
    server("intervals[0].kind") { $0.intervals[0].kind = .away },
    server("intervals[0].host") { $0.intervals[0].host = "LAA-HV" },
    server("intervals[0].campaign") { $0.intervals[0].campaign = "dusk" },
    server("intervals[0].run") { $0.intervals[0].run = 9 },
    server("intervals[0].phases[1].state") { $0.intervals[0].phases[1].state = .held },
    server("intervals[0].phases[1].phase") { $0.intervals[0].phases[1].phase = .snapshot },
    server("intervals[0].phases[1].attempt") { $0.intervals[0].phases[1].attempt = 3 },
    server("intervals[0].phases[1].pass") { $0.intervals[0].phases[1].pass = 3 },
    server("intervals[0].phases[1].start") { $0.intervals[0].phases[1].start = at(6) },
    server("intervals[0].phases[1].end") { $0.intervals[0].phases[1].end = at(19) },
    server(
      "intervals, one more that is open",
      "line 4: LAA-1: its interval of 1970-01-01 00:00 UTC cannot be: its agent was there"
    ) { $0.intervals.insert(.init(start: at(0), kind: .away), at: 0) },
    server("updates[0].run") { $0.updates[0].run = 2 },
    server("updates[0].phase") { $0.updates[0].phase = .rollback },
    server("updates[0].attempt") { $0.updates[0].attempt = 2 },
    server("updates[0].pass") { $0.updates[0].pass = 2 },
    server("updates[0].beganAt") { $0.updates[0].beganAt = at(6) },
    server("updates[0].basis.backup.age") {
      $0.updates[0].basis?.backup?.age = .init(seconds: 60)
    },
    server("updates[0].basis.backup.takenAt", "updates[0].basis.backup.age") {
      $0.updates[0].basis?.backup?.takenAt = at(0)
    },
    server("updates[0].basis.slots", "line 3: LAA: slots") { $0.updates[0].basis?.slots = 5 },
    server("updates, none", "line 4: LAA-1: updates") { $0.updates = [] },
  ]

  private static let ofHooks = [
    hookFile("path", "default.lua is not among the hook files") { $0.path = "x.lua" },
    hookFile("sha256", "it names the sum ab of default.lua, which has cd") { $0.sha256 = "cd" },
    hookRun("server", "LAA-9 of LAA, which a hook ran for, is not in the file") {
      $0.server = "LAA-9"
    },
    hookRun("client", "LAA-1 of NOR, which a hook ran for, is not in the file") {
      $0.client = "NOR"
    },
    hookRun("file", "x.lua is not among the hook files") { $0.file = "x.lua" },
    hookRun("sha256", "it names the sum cd of default.lua, which has ab") { $0.sha256 = "cd" },
    hookRun("revision", "it ran with the hooks of revision “r2”") { $0.revision = "r2" },
  ]

  private static let ofDecision = [
    decision("seq") { $0.seq = 12 },
    decision("at") { $0.at = at(39) },
    decision("who") { $0.who = "anna" },
    decision("kind") { $0.kind = "stop.released" },
    decision("why") { $0.why = "joke" },
    decision("campaign") { $0.campaign = "night" },
    decision("client") { $0.client = "LAA" },
    decision("server") { $0.server = "LAA-1" },
    decision("detail") { $0.detail = "x" },
  ]

  private static let ofRecord = [
    record("seq") { $0.seq = 7_000 },
    record("campaignTime") { $0.campaignTime = at(6) },
    record("realTime") { $0.realTime = at(6) },
    record("kind") { $0.kind = "run.back" },
    record("campaign") { $0.campaign = "dusk" },
    record("client") { $0.client = "NOR" },
    record("server") { $0.server = "LAA-2" },
    record("ring") { $0.ring = 1 },
    record("run") { $0.run = 2 },
    record("fromState") { $0.fromState = "HELD" },
    record("toState") { $0.toState = "HELD" },
    record("phase") { $0.phase = "REBOOT" },
    record("attempt") { $0.attempt = 2 },
    record("pass") { $0.pass = 2 },
    record("fence") { $0.fence = 1 },
    record("detail") { $0.detail = "x" },
    record("reason") { $0.reason = "x" },
    record("principal") { $0.principal = "kim" },
    record("previousHash") { $0.previousHash[0] ^= 1 },
    record("hash") { $0.hash[0] ^= 1 },
  ]

  static let told = ofHeader + ofClient + ofServer + ofHooks + ofDecision + ofRecord

  /// The daemon's word, signed: `docs/evidence.md` lists it.
  static let untold = [
    header("changeReference", "") { $0.changeReference = "CHG-2" },
    header("writtenAt", "") { $0.writtenAt = at(1) },
    header("daemonVersion", "") { $0.daemonVersion = "9" },
    header("clockFactor", "") { $0.clockFactor = 1_000 },
    server("host", "") { $0.host = "LAA-HV" },
    server("snapshot", "") { $0.snapshot = nil },
    server("updates[0].basis", "") {
      $0.updates[0].basis?.backup?.source = "other"
      $0.updates[0].basis?.backup?.maxAge = "1h"
      $0.updates[0].basis?.snapshot = "s2"
    },
    hookRun("outcome", "") {
      $0.outcome = "fail"
      $0.message = "x"
      $0.point = "snapshot"
    },
  ]
}

@Suite struct `Every field of an evidence file` {
  private func problems(_ field: Field) throws -> [String] {
    var lines = Sample().lines
    let before = lines
    field.change(&lines)
    #expect(lines != before, "the field is not there")
    return Sample.problems(try Sample.file(lines))
  }

  @Test(arguments: Field.told)
  private func `is compared with the records`(field: Field) throws {
    let problems = try problems(field)
    #expect(problems.contains { $0.contains(field.problem) }, "\(problems)")
    #expect(!problems.contains { $0.contains("signature") })
  }

  @Test(arguments: Field.untold)
  private func `is the daemon's word where no record tells of it`(field: Field) throws {
    #expect(try problems(field) == [])
  }
}

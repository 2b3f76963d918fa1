import AtlasEvidence
import AtlasModel
import AtlasStore
import AtlasWire
import Crypto

@testable import AtlasEvidenceFile

/// A night with two servers of one client, one of which was away for a while, and its evidence.
struct Sample {
  static let key = try! EvidenceKey(bytes: [UInt8](repeating: 7, count: 32))

  private(set) var records: [LogRecord] = []

  static func at(_ minutes: Int64) -> Instant { Instant(milliseconds: minutes * 60_000) }

  init() {
    tell(0, "campaign.created", principal: "anna")
    tell(0, "campaign.started", principal: "anna")
    tell(
      1, "run.started", "LAA-1", from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK", attempt: 1,
      run: 1)
    phase(5, "LAA-1", "UPDATE", run: 1)
    phase(20, "LAA-1", "REBOOT", run: 1)
    tell(25, "server.back", "LAA-2", campaign: "", detail: "\(10 * 60_000)")
    tell(
      30, "run.completed", "LAA-1", from: "IN_PROGRESS", to: "COMPLETED", attempt: 1, run: 1,
      detail: "UPDATED")
    tell(
      30, "run.started", "LAA-2", from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK",
      attempt: 1,
      run: 2)
    tell(40, "stop.latched", campaign: "", fence: 9, reason: "smoke", principal: "kim")
    tell(
      41, "run.given_back", "LAA-2", from: "IN_PROGRESS", to: "PENDING", attempt: 0, run: 2)
  }

  private mutating func phase(_ minutes: Int64, _ server: String, _ phase: String, run: Int) {
    tell(
      minutes, "run.phase", server, from: "IN_PROGRESS", to: "IN_PROGRESS", phase: phase,
      attempt: 1,
      run: run, fence: UInt64(minutes))
  }

  private mutating func tell(
    _ minutes: Int64, _ kind: String, _ server: String = "", from: String = "", to: String = "",
    phase: String = "", attempt: Int? = nil, campaign: String = "night", run: Int? = nil,
    fence: UInt64? = nil, detail: String = "", reason: String = "", principal: String = ""
  ) {
    var record = LogRecord(
      seq: UInt64(records.count + 5), campaignTime: Self.at(minutes),
      realTimeMilliseconds: minutes, kind: kind, campaign: campaign,
      client: server.isEmpty ? "" : "LAA", server: server, run: run, fromState: from, toState: to,
      phase: phase, attempt: attempt, fence: fence, detail: detail, reason: reason,
      principal: principal, previousHash: records.last?.hash ?? [UInt8](repeating: 1, count: 32))
    record.hash = [UInt8](SHA256.hash(data: record.canonicalBytes))
    records.append(record)
  }

  var evidence: Evidence {
    var trail = EvidenceTrail(campaign: "night", since: Self.at(0))
    for record in records { _ = trail.take(record) }
    let backup = BackupFact(
      source: "nightly", takenAt: Self.at(-60), verifiedAt: Self.at(-50))
    let basis = UpdateBasis(
      checkedAt: Self.at(5), maxBackupAge: .atMost(.seconds(86_400)), backup: backup,
      snapshotRequired: true, snapshot: SnapshotFact(id: "s1", takenAt: Self.at(3)), slots: 1)
    let servers = ["LAA-1", "LAA-2"].map { name in
      let place = EvidenceTrail.Place(client: "LAA", server: name)
      let outcome = trail.outcome(of: place)
      return ServerEvidence(
        name: name, client: "LAA", host: nil, outcome: outcome,
        intervals: trail.intervals(of: place),
        updates: UpdateEvidence.all(trail.changes(of: place)) { _ in [basis] },
        snapshot: SnapshotEvidence(
          taken: SnapshotFact(id: "s1", takenAt: Self.at(3)), isRemoved: true, keptUntil: nil))
    }
    let client = ClientEvidence(
      name: "LAA", outages: [], servers: servers, until: Self.at(60))
    return Evidence(
      campaign: "night", author: "anna", changeReference: "CHG-1", state: "ACTIVE",
      startedAt: Self.at(0), until: Self.at(60), endedAt: nil, clients: [client],
      decisions: records.filter(\.isDecision), records: UInt64(records.count),
      lastSeq: records.last?.seq ?? 0, lastHash: records.last?.hash ?? [], hookRevision: "r1",
      demoFactor: 1)
  }

  /// Every line but the signature.
  var lines: [AtlasV1.EvidenceLine.Line] {
    let evidence = evidence
    let hookRun = AtlasV1.EvidenceHookRun(
      server: "LAA-1", client: "LAA", point: "verify_backup", attempt: 1, outcome: "ok",
      file: "default.lua", sha256: "ab", revision: "r1")
    return EvidenceWriter.head(
      evidence, hookFiles: [.init(path: "default.lua", sha256: "ab")], daemonVersion: "1",
      writtenAt: 0) + [.hookRun(hookRun)] + evidence.decisions.map { .decision(.init($0)) }
      + records.map { .record(.init($0)) }
  }

  /// The file with these lines, signed.
  static func file(
    _ lines: [AtlasV1.EvidenceLine.Line], key: EvidenceKey = Sample.key
  ) throws -> [UInt8] {
    var writer = EvidenceWriter()
    var bytes: [UInt8] = []
    for line in lines { bytes += try writer.line(line) }
    return try bytes + writer.signature(key)
  }

  /// What is wrong with a file, read in pieces of some length.
  static func problems(
    _ bytes: [UInt8], key: String? = nil, piece: Int = 1_000
  ) -> [String] {
    var verifier = EvidenceVerifier(fingerprint: key)
    for start in stride(from: 0, to: bytes.count, by: piece) {
      verifier.take(Array(bytes[start..<min(start + piece, bytes.count)]))
    }
    let verdict = verifier.finish()
    precondition((verdict == nil) != verifier.problems.isEmpty)
    return verifier.problems.map(\.description)
  }
}

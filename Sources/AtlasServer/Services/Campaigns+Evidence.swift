import AtlasControl
import AtlasEvidence
import AtlasEvidenceFile
import AtlasHooks
import AtlasModel
import AtlasRuntime
import AtlasStore
import AtlasWire
import GRPCCore

/// Evidence: read from the log twice, once to work it out and once to send its records, so that the
/// length of a campaign costs time and not memory.
extension Campaigns {
  package func getEvidence(
    _ request: AtlasV1.GetEvidenceRequest,
    responses: RPCWriter<AtlasV1.GetEvidenceResponse>, context: ServerContext
  ) async throws {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    let key = try core.evidenceKey()
    let snapshot = try await snapshot()
    // What happens while it is written is not in it. The snapshot was let out after its commit, so
    // that the log has all of its records.
    let last = snapshot.lastSeq
    var builder = try await core.bench.work {
      Result { () throws(ControlError) in try EvidenceBuilder(snapshot, name) }
    }.orRefuse()
    let range = try await firstRecord(of: name.text)...last
    try await core.eachRecord(in: range) { builder.take($0) }
    let evidence = try await core.bench.work { [builder] in builder.evidence() }
    let files = core.hookFiles(of: evidence.hookRevision)
    var pieces = EvidencePieces(responses)
    let head = EvidenceWriter.head(
      evidence, hookFiles: files.map { .init(path: $0.path, sha256: $0.sha256) },
      daemonVersion: AtlasVersion.text, writtenAt: CampaignClock.realMilliseconds)
    for line in head { try await pieces.write(line) }
    try await writeHookRuns(of: evidence, files, to: &pieces)
    for decision in evidence.decisions { try await pieces.write(.decision(.init(decision))) }
    try await core.eachRecord(in: range) { record in
      if builder.contains(record) { try await pieces.write(.record(.init(record))) }
    }
    try await pieces.sign(key)
  }

  private func firstRecord(of campaign: String) async throws(WireStatus) -> UInt64 {
    do throws(StoreError) {
      return try await core.store.records(
        after: 0, limit: 1, filter: RecordFilter(campaign: campaign)
      ).first?.seq ?? 1
    } catch {
      throw WireStatus(error)
    }
  }

  private func writeHookRuns(
    of evidence: Evidence, _ files: [HookListing.File], to pieces: inout EvidencePieces
  ) async throws {
    let sums = Dictionary(files.map { ($0.path, $0.sha256) }) { first, _ in first }
    var position: Int64 = 0
    while true {
      let page: [(id: Int64, row: HookRunRow)]
      do throws(StoreError) {
        page = try await core.store.hookRuns(
          after: position, limit: Limits.page, filter: RecordFilter(campaign: evidence.campaign))
      } catch {
        throw WireStatus(error)
      }
      for (id, row) in page {
        position = id
        let sum = row.revision == evidence.hookRevision ? sums[row.file] : nil
        try await pieces.write(.hookRun(.init(row, sha256: sum ?? "")))
      }
      if page.count < Limits.page { return }
    }
  }
}

extension ServiceCore {
  /// Every record at these positions, in order; pages, so that one of them is in memory.
  func eachRecord(
    in range: ClosedRange<UInt64>, _ take: (LogRecord) async throws -> Void
  ) async throws {
    var position = range.lowerBound - 1
    while true {
      let page = try await records(after: position, RecordFilter())
      for record in page {
        if record.seq > range.upperBound { return }
        try await take(record)
        position = record.seq
      }
      if page.count < Limits.page { return }
    }
  }
}

extension AtlasV1.EvidenceHookRun {
  fileprivate init(_ row: HookRunRow, sha256: String) {
    self.init(
      server: row.server, client: row.client, point: row.point, attempt: Int32(row.attempt),
      outcome: row.outcome, message: row.message, startedAt: .init(row.startedAt),
      took: .init(milliseconds: row.tookMilliseconds), file: row.file, sha256: sha256,
      revision: row.revision)
  }
}

extension Result where Failure == ControlError {
  fileprivate func orRefuse() throws(WireStatus) -> Success {
    do { return try get() } catch { throw WireStatus(error) }
  }
}

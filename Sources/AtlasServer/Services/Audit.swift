import AtlasModel
import AtlasStore
import AtlasWire
import GRPCCore

/// `atlas.v1.AuditService`: the log, straight from the store.
package struct Audit: AtlasV1.AuditService.Server {
  private let core: ServiceCore

  package init(_ core: ServiceCore) { self.core = core }

  package func listAuditRecords(
    _ request: AtlasV1.ListAuditRecordsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListAuditRecordsResponse {
    let limit = try Field.pageSize(request.pageSize)
    let token = try Field.numberToken(request.pageToken)
    let filter = RecordFilter(
      campaign: request.campaign.isEmpty ? nil : request.campaign,
      client: request.client.isEmpty ? nil : request.client,
      server: request.server.isEmpty ? nil : request.server)
    let records: [LogRecord]
    do throws(StoreError) {
      records =
        request.descending
        ? try await core.store.records(
          before: token == 0 ? nil : token, limit: limit, filter: filter)
        : try await core.store.records(after: token, limit: limit, filter: filter)
    } catch {
      throw WireStatus(error)
    }
    let hasMore = records.count == limit
    return AtlasV1.ListAuditRecordsResponse(
      records: records.map { .init($0) },
      nextPageToken: hasMore ? records.last.map { String($0.seq) } ?? "" : "")
  }

  package func verifyAudit(
    _ request: AtlasV1.VerifyAuditRequest, context: ServerContext
  ) async throws -> AtlasV1.VerifyAuditResponse {
    var last = LogRecord.genesisHash
    var seq: UInt64 = 0
    while true {
      let page = try await core.records(after: seq, RecordFilter())
      for record in page {
        if let problem = record.problem(after: seq, hash: last) {
          return AtlasV1.VerifyAuditResponse(
            intact: false, records: seq, firstBadSeq: record.seq, problem: problem,
            lastHash: last)
        }
        seq = record.seq
        last = record.hash
      }
      if page.count < Limits.page {
        return AtlasV1.VerifyAuditResponse(intact: true, records: seq, lastHash: last)
      }
    }
  }
}

extension LogRecord {
  /// What does not fit between this record and the one before; nil when all does.
  fileprivate func problem(after seq: UInt64, hash last: [UInt8]) -> String? {
    if self.seq != seq + 1 { return "record \(seq + 1) is missing" }
    if previousHash != last { return "it does not follow the record before" }
    if hash != sha256(canonicalBytes) { return "its content does not fit its hash" }
    return nil
  }
}

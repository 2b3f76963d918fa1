import AtlasEvidenceFile
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
    let subject = Subject(request.campaign, request.client, request.server)
    let records: [LogRecord]
    do throws(StoreError) {
      records =
        request.descending
        ? try await core.store.records(
          before: token == 0 ? nil : token, limit: limit, filter: subject.filter)
        : try await core.store.records(after: token, limit: limit, filter: subject.filter)
    } catch {
      throw WireStatus(error)
    }
    if records.isEmpty, token == 0 { try await core.demandKnown(subject) }
    let hasMore = records.count == limit
    return AtlasV1.ListAuditRecordsResponse(
      records: records.map { .init($0) },
      nextPageToken: hasMore ? records.last.map { String($0.seq) } ?? "" : "")
  }

  package func verifyAudit(
    _ request: AtlasV1.VerifyAuditRequest, context: ServerContext
  ) async throws -> AtlasV1.VerifyAuditResponse {
    let verdict: ChainVerdict
    do throws(StoreError) {
      verdict = try await core.store.verifyChain(sha256: { sha256($0) })
    } catch {
      throw WireStatus(error)
    }
    switch verdict {
    case .intact(let records):
      let newest = try await lastHash()
      return AtlasV1.VerifyAuditResponse(intact: true, records: records, lastHash: newest)
    case .broken(let seq, let fault):
      return AtlasV1.VerifyAuditResponse(
        intact: false, records: seq - 1, firstBadSeq: seq, problem: fault.problem)
    case .unfinished: throw WireStatus(.cancelled, "the caller has gone")
    }
  }

  package func getEvidenceKey(
    _ request: AtlasV1.GetEvidenceKeyRequest, context: ServerContext
  ) async throws -> AtlasV1.GetEvidenceKeyResponse {
    let key = try core.evidenceKey()
    return AtlasV1.GetEvidenceKeyResponse(
      algorithm: EvidenceKey.algorithm, publicKey: key.publicKey, fingerprint: key.fingerprint)
  }

  private func lastHash() async throws(WireStatus) -> [UInt8] {
    do throws(StoreError) {
      let newest = try await core.store.records(before: nil, limit: 1, filter: RecordFilter())
      return newest.first?.hash ?? LogRecord.genesisHash
    } catch {
      throw WireStatus(error)
    }
  }
}

extension ChainFault {
  /// For people.
  fileprivate var problem: String {
    switch self {
    case .missing(let next?): "it is missing; the next one found is \(next)"
    case .missing(nil): "it is missing, and so are all after it"
    case .previousHash: "it does not follow the record before"
    case .hash: "its content does not fit its hash"
    case .last: "the log does not end as the last commit says"
    }
  }
}

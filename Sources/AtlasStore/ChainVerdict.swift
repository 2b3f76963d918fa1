import AtlasModel

/// What a check of the whole log has found.
package enum ChainVerdict: Hashable, Sendable {
  /// Every record is there, unchanged and in order.
  case intact(records: UInt64)
  /// The first position at which the log is not what it was, and in which way.
  case broken(seq: UInt64, fault: ChainFault)
  /// The task was cancelled; so far everything was as it should be.
  case unfinished(records: UInt64)
}

/// What is wrong with a record of the log.
package enum ChainFault: Hashable, Sendable {
  /// The record is missing; the next one found is at this position (nil: there are none).
  case missing(next: UInt64?)
  /// It does not carry the hash of the record before it.
  case previousHash
  /// Its content is not what its hash was taken over.
  case hash
  /// The log's last record is not the one that the counters name.
  case last
}

extension Store {
  /// Reads the whole log and checks that no record is missing, changed or out of order.
  ///
  /// The check proves that the log ends as the counters say; against a writer who can replace
  /// both, compare the last hash with one that was noted elsewhere.
  ///
  /// - Parameters:
  ///   - meta: The counters as of the commit to check up to, which a running daemon has in memory;
  ///     nil takes them from the store, which loads all of its state.
  ///   - sha256: The hash function; 32 bytes.
  package func verifyChain(
    upTo meta: StoreMeta? = nil, sha256: @escaping @Sendable ([UInt8]) -> [UInt8]
  ) async throws(StoreError) -> ChainVerdict {
    var end = meta
    if end == nil { end = try await load().meta }
    var check = ChainCheck(end: end, sha256: sha256)
    while true {
      if Task.isCancelled { return .unfinished(records: check.seq) }
      let page = try await records(after: check.seq, limit: Limits.page, filter: RecordFilter())
      if let verdict = check.take(page) { return verdict }
    }
  }
}

/// The check of a log, page by page.
private struct ChainCheck {
  /// The last record that was found good, and its hash.
  var seq: UInt64 = 0
  private var hash = LogRecord.genesisHash
  private let end: StoreMeta?
  private let sha256: @Sendable ([UInt8]) -> [UInt8]

  init(end: StoreMeta?, sha256: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    self.end = end
    self.sha256 = sha256
  }

  /// Checks the next page; returns a verdict once there is one.
  mutating func take(_ page: [LogRecord]) -> ChainVerdict? {
    for record in page {
      // What was committed after the check began is not part of it.
      if let end, seq == end.lastSeq { break }
      if let fault = fault(of: record) { return .broken(seq: seq + 1, fault: fault) }
      seq = record.seq
      hash = record.hash
    }
    return verdictAtEnd(isLastPage: page.count < Limits.page)
  }

  private func fault(of record: LogRecord) -> ChainFault? {
    if record.seq != seq + 1 { return .missing(next: record.seq) }
    if record.previousHash != hash { return .previousHash }
    if record.hash != sha256(record.canonicalBytes) { return .hash }
    return nil
  }

  private func verdictAtEnd(isLastPage: Bool) -> ChainVerdict? {
    let length = end?.lastSeq ?? 0
    if let end, seq == length {
      return hash == end.lastHash ? .intact(records: seq) : .broken(seq: seq, fault: .last)
    }
    guard isLastPage else { return nil }
    if end == nil, seq == 0 { return .intact(records: 0) }
    if seq > length { return .broken(seq: length + 1, fault: .last) }
    return .broken(seq: seq + 1, fault: .missing(next: nil))
  }
}

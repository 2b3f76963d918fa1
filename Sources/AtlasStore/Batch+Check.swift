extension Batch {
  /// Refuses a batch that does not continue a store whose newest commit left `previous` (nil: a
  /// store that has never been committed to). Every store asks this before it writes anything, so
  /// that all of them refuse the same.
  ///
  /// - Throws: ``StoreError/outOfOrder(expected:got:)`` when the records or the counters do not
  ///   continue the log, ``StoreError/format(_:)`` when a rehearsal would be mixed with the real
  ///   thing, ``StoreError/failed(_:)`` for values no store could keep.
  package func check(after previous: StoreMeta?) throws(StoreError) {
    try checkLog(after: previous)
    try checkCounters(after: previous)
    for row in outboxPuts { try Self.checkFence(row.fence) }
    for row in hookRuns { _ = try row.callCounts() }
  }

  private func checkLog(after previous: StoreMeta?) throws(StoreError) {
    var seq = previous?.lastSeq ?? 0
    var hash = previous?.lastHash ?? LogRecord.genesisHash
    for record in records {
      guard record.seq == seq + 1, record.previousHash == hash else {
        throw .outOfOrder(expected: seq + 1, got: record.seq)
      }
      guard record.hash.count == LogRecord.genesisHash.count else {
        throw .failed("record \(record.seq) has a hash of \(record.hash.count) bytes")
      }
      if let fence = record.fence { try Self.checkFence(fence) }
      seq = record.seq
      hash = record.hash
    }
    guard meta.lastSeq == seq, meta.lastHash == hash else {
      throw .outOfOrder(expected: seq, got: meta.lastSeq)
    }
  }

  private func checkCounters(after previous: StoreMeta?) throws(StoreError) {
    try Self.checkFence(meta.fence)
    guard meta.demoFactor >= 1 else {
      throw .failed("campaign time cannot run \(meta.demoFactor) times as fast as real time")
    }
    guard let previous else { return }
    guard meta.fence >= previous.fence else {
      throw .failed("the fence would fall from \(previous.fence) to \(meta.fence)")
    }
    guard (meta.demoFactor > 1) == (previous.demoFactor > 1) else {
      let made = previous.demoFactor > 1 ? "for a rehearsal" : "for real work"
      throw .format("this store was made \(made) and stays that way")
    }
  }

  /// Databases count in signed 64-bit numbers; a fence beyond them could not be ordered.
  private static func checkFence(_ fence: UInt64) throws(StoreError) {
    guard fence <= UInt64(Int64.max) else {
      throw .failed("fence \(fence) is larger than a store can keep")
    }
  }
}

import AtlasModel
import AtlasStore
import AtlasStoreSQLite
import Crypto
import Foundation

/// Transitions that are on the disk when they count, in groups of 500 as the control machine makes
/// them: a record in the chained log, the run's row, and a command in or out of the outbox.
enum StoreSpeed {
  private static let group = 500
  private static let groups = 200
  private static let runs = 10_000
  /// A run's row is this long in the middle of a night.
  private static let rowBytes = 160

  static func measure() async throws -> Row {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "atlas-bench-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try SQLiteStore(directory: directory.path)
    var meta = StoreMeta(campaignTime: Instant(milliseconds: 0))
    var taken = Duration.zero
    for number in 0..<groups {
      let batch = batch(number, after: &meta)
      let start = ContinuousClock.now
      try await store.commit(batch)
      taken += .now - start
    }
    try await store.close()
    let rate = Double(group * groups) / (taken / .seconds(1))
    return Row(
      name: "durable transitions", budget: "≥ 50,000/s", measured: "\(Int(rate).grouped)/s")
  }

  private static func batch(_ number: Int, after meta: inout StoreMeta) -> Batch {
    var batch = Batch(meta: meta)
    for index in 0..<group {
      let run = (number * group + index) % runs
      let record = record(run, after: meta)
      meta.lastSeq = record.seq
      meta.lastHash = record.hash
      meta.fence += 1
      batch.records.append(record)
      batch.puts.append(
        StateRow(
          key: StateKey(table: .run, owner: 0, number: Int64(run)), name: record.server,
          state: record.toState, body: [UInt8](repeating: UInt8(index & 0xff), count: rowBytes)))
      batch.outboxPuts.append(
        OutboxRow(
          fence: meta.fence, server: Int64(run), body: [UInt8](repeating: 7, count: 96)))
      if meta.fence > UInt64(group) { batch.outboxRemovals.append(meta.fence - UInt64(group)) }
    }
    batch.meta = meta
    return batch
  }

  private static func record(_ run: Int, after meta: StoreMeta) -> LogRecord {
    var record = LogRecord(
      seq: meta.lastSeq + 1, campaignTime: meta.campaignTime,
      realTimeMilliseconds: 1_795_000_000_000, kind: "run.phase", campaign: "november",
      client: "CLIENT\(run / 10)", server: "CLIENT\(run / 10)-PARIS-WEB\(run % 10)", ring: 2,
      run: run, fromState: "IN_PROGRESS", toState: "IN_PROGRESS", phase: "UPDATE", attempt: 1,
      pass: 1, fence: meta.fence + 1, previousHash: meta.lastHash)
    record.hash = Array(SHA256.hash(data: record.canonicalBytes))
    return record
  }
}

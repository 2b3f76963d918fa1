import AtlasModel
import AtlasStore
import AtlasTestKit
import Testing

struct ChainVerdictTests {
  /// Somebody changes the log, or the counters, behind the store's back.
  struct Tampering: Sendable, CustomStringConvertible {
    let description: String
    let verdict: ChainVerdict
    var log: @Sendable (inout [LogRecord]) -> Void = { _ in }
    var meta: @Sendable (inout StoreMeta) -> Void = { _ in }
  }

  static let tamperings = [
    Tampering(description: "nothing", verdict: .intact(records: 1_200)),
    Tampering(
      description: "a changed reason", verdict: .broken(seq: 700, fault: .hash),
      log: { $0[699].reason = "it was fine" }),
    Tampering(
      description: "a changed reason with a fitting hash",
      verdict: .broken(seq: 701, fault: .previousHash),
      log: { log in
        log[699].reason = "it was fine"
        log[699].hash = ToyHash.digest(log[699].canonicalBytes)
      }),
    Tampering(
      description: "a missing record", verdict: .broken(seq: 700, fault: .missing(next: 701)),
      log: { $0.remove(at: 699) }),
    Tampering(
      description: "a missing first page", verdict: .broken(seq: 1, fault: .missing(next: 501)),
      log: { $0.removeFirst(500) }),
    Tampering(
      description: "a missing end", verdict: .broken(seq: 1_150, fault: .missing(next: nil)),
      log: { $0.removeLast(51) }),
    Tampering(
      description: "a log that ends with a page",
      verdict: .broken(seq: 501, fault: .missing(next: nil)), log: { $0.removeLast(700) }),
    Tampering(
      description: "a log that is gone", verdict: .broken(seq: 1, fault: .missing(next: nil)),
      log: { $0 = [] }),
    Tampering(
      description: "records in the wrong order",
      verdict: .broken(seq: 3, fault: .missing(next: 4)), log: { $0.swapAt(2, 3) }),
    Tampering(
      description: "another last record, hashed again", verdict: .broken(seq: 1_200, fault: .last),
      log: { log in
        log[1_199].principal = "nobody"
        log[1_199].hash = ToyHash.digest(log[1_199].canonicalBytes)
      }),
    Tampering(
      description: "counters of an earlier commit", verdict: .broken(seq: 900, fault: .last),
      meta: { $0.lastSeq = 900 }),
  ]

  @Test(arguments: tamperings)
  func `the first bad record is named, and what is wrong`(tampering: Tampering) async throws {
    var store = try TamperedStore()
    var story = StoreStory()
    for _ in 0..<3 { try await store.commit(story.batch(400) { $0.reason = "because" }) }
    store.log = story.records
    tampering.log(&store.log)
    store.meta = story.meta
    tampering.meta(&store.meta)
    #expect(try await store.verifyChain(sha256: ToyHash.digest) == tampering.verdict)
  }

  @Test
  func `a cancelled check says how far it came`() async throws {
    let store = try TamperedStore()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await store.verifyChain(sha256: ToyHash.digest)
    }
    #expect(try await task.value == .unfinished(records: 0))
  }
}

/// A store whose log and counters can be anything.
private struct TamperedStore: Store {
  private let store: MemoryStore
  var log: [LogRecord] = []
  var meta = StoreMeta(campaignTime: Instant(milliseconds: 0))

  init() throws { store = try MemoryStore() }

  func load() async throws(StoreError) -> StoredState { StoredState(meta: meta) }

  func records(
    after seq: UInt64, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [LogRecord] {
    let start = log.firstIndex { $0.seq > seq } ?? log.count
    return Array(log[start...].prefix(limit))
  }

  func records(
    before seq: UInt64?, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [LogRecord] {
    try store.records(before: seq, limit: limit, filter: filter)
  }

  func commit(_ batch: Batch) async throws(StoreError) { try store.commit(batch) }

  func hookRuns(
    after id: Int64, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    try store.hookRuns(after: id, limit: limit, filter: filter)
  }

  func hookRuns(
    before id: Int64?, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    try store.hookRuns(before: id, limit: limit, filter: filter)
  }

  func hookTotals(campaign: String) async throws(StoreError) -> HookTotals {
    try store.hookTotals(campaign: campaign)
  }

  func keyValue(client: String, key: String) async throws(StoreError) -> [UInt8]? {
    try store.keyValue(client: client, key: key)
  }

  func setKeyValue(
    client: String, key: String, to value: [UInt8]?, if condition: KeyValueCondition
  ) async throws(StoreError) -> Bool {
    try store.setKeyValue(client: client, key: key, to: value, if: condition)
  }

  func close() async throws(StoreError) { try store.close() }
}

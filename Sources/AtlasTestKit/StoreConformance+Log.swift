import AtlasModel
import AtlasStore

extension StoreConformance {
  static let logChecks = [
    newStoreIsEmpty, recordsKeepEveryColumn, largeBatchIsOneCommit, stateAloneCanChange,
    discontinuityIsRefused, firstBatchBeginsAtOne, countersKeepTheirWay, refusedBatchLeavesNothing,
    wholeChainVerifies,
  ]

  private static let newStoreIsEmpty = StoreCheck("a new store holds nothing") { place in
    try await place.withStore { store in
      try expect("what is loaded", try await store.load(), StoredState())
      let records = try await store.records(after: 0, limit: 10, filter: RecordFilter())
      try expect("the log", records, [])
      try expect("totals", try await store.hookTotals(campaign: "c"), HookTotals())
      try expect("a value", try await store.keyValue(client: "LAA", key: "k"), nil)
    }
  }

  private static let recordsKeepEveryColumn = StoreCheck(
    "every column of a record comes back as it was"
  ) { place in
    var story = StoreStory()
    let batch = story.batch(3) { record in
      if record.seq == 2 { StoreStory.fill(&record) }
    }
    try await place.withStore { store in
      try await store.commit(batch)
      try expect("the log", try await store.wholeLog(), batch.records)
    }
    try await place.withStore { store in
      try expect("the log after a reopen", try await store.wholeLog(), batch.records)
    }
  }

  private static let largeBatchIsOneCommit = StoreCheck("a batch of 500 events is one commit") {
    place in
    var story = StoreStory()
    var batch = story.batch(Limits.batch) { $0.client = "C\($0.seq % 100)" }
    batch.puts = batch.records.map { record in
      let key = StateKey(table: .run, owner: 1, number: Int64(record.seq))
      return StateRow(key: key, name: "S\(record.seq)", body: record.hash)
    }
    let expected = StoredState(meta: batch.meta, rows: batch.puts)
    try await place.withStore { try await $0.commit(batch) }
    try await place.withStore { store in
      try expect("what is loaded", try await store.load(), expected)
      try expect("the log", try await store.wholeLog(), batch.records)
    }
  }

  private static let stateAloneCanChange = StoreCheck(
    "a batch without records changes state and counters alone"
  ) { place in
    var story = StoreStory()
    try await place.withStore { store in
      try await store.commit(story.batch(2))
      _ = story.drawFence()
      try await store.commit(story.batch(0))
      try expect("counters", try await store.load().meta, story.meta)
      try expect("the log", try await store.wholeLog(), story.records)
    }
  }

  private static let discontinuityIsRefused = StoreCheck(
    "a batch that does not continue the log is refused"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      try await store.commit(story.batch(3))
      for (what, batch, expected) in story.discontinuities() {
        try await expectRefusal(what, as: expected) {
          try await store.commit(batch)
        }
      }
      try expect("the log", try await store.wholeLog(), story.records)
      try await store.commit(story.batch(1))
      try expect("the log after the right batch", try await store.wholeLog(), story.records)
    }
  }

  private static let firstBatchBeginsAtOne = StoreCheck(
    "the first batch begins the log at 1, with the hash before all records"
  ) { place in
    try await place.withStore { store in
      var wrongStart = StoreStory()
      _ = wrongStart.batch(1)
      let batch = wrongStart.batch(1)
      try await expectRefusal("a log that begins with 2", as: .outOfOrder(expected: 1, got: 2)) {
        try await store.commit(batch)
      }
      try expect("what is loaded", try await store.load(), StoredState())
    }
  }

  private static let countersKeepTheirWay = StoreCheck(
    "counters that go backwards or change their kind are refused"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      for _ in 0..<5 { _ = story.drawFence() }
      try await store.commit(story.batch(1))
      var falling = story.batch(0)
      falling.meta.fence = 4
      var rehearsal = story.batch(0)
      rehearsal.meta.demoFactor = 1_000
      var standing = story.batch(0)
      standing.meta.demoFactor = 0
      var huge = story.batch(0)
      huge.meta.fence = UInt64.max
      for (what, batch, kind) in [
        ("a falling fence", falling, "failed"), ("a rehearsal", rehearsal, "format"),
        ("time that stands still", standing, "failed"), ("a huge fence", huge, "failed"),
      ] {
        try await expectRefusal(what, ofKind: kind) {
          try await store.commit(batch)
        }
      }
      try expect("counters", try await store.load().meta, story.meta)
    }
  }

  private static let refusedBatchLeavesNothing = StoreCheck(
    "a refused batch leaves nothing of itself"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      try await store.commit(story.batchWithEverything(1))
      let before = try await Everything(store)
      var refused = story
      var batch = refused.batchWithEverything(2)
      batch.records[batch.records.count - 1].previousHash = LogRecord.genesisHash
      try await expectRefusal("a batch that is wrong at its end", ofKind: "outOfOrder") {
        try await store.commit(batch)
      }
      try expect("everything", try await Everything(store), before)
    }
  }

  private static let wholeChainVerifies = StoreCheck("the chain of a whole log verifies") { place in
    try await place.withStore { store in
      var story = StoreStory()
      try expect(
        "the verdict on nothing", try await store.verifyChain(sha256: ToyHash.digest),
        .intact(records: 0))
      for _ in 0..<3 { try await store.commit(story.batch(Limits.batch)) }
      let end = story.meta
      try await store.commit(story.batch(7))
      try expect(
        "the verdict", try await store.verifyChain(sha256: ToyHash.digest),
        .intact(records: 1_507))
      try expect(
        "the verdict up to an earlier commit",
        try await store.verifyChain(upTo: end, sha256: ToyHash.digest),
        .intact(records: 1_500))
    }
  }
}

extension StoreStory {
  /// Batches that do not continue this story, and how each is refused.
  fileprivate func discontinuities() -> [(String, Batch, StoreError)] {
    var gap = self
    _ = gap.batch(1)
    var repeated = self
    var wrongHash = self
    var wrongInside = self
    var wrongEnd = self
    let next = meta.lastSeq + 1
    var repeatedBatch = repeated.batch(1)
    repeatedBatch.records[0].seq = meta.lastSeq
    var wrongHashBatch = wrongHash.batch(1)
    wrongHashBatch.records[0].previousHash = LogRecord.genesisHash
    var wrongInsideBatch = wrongInside.batch(3)
    wrongInsideBatch.records[1].previousHash = LogRecord.genesisHash
    var wrongEndBatch = wrongEnd.batch(2)
    wrongEndBatch.meta.lastSeq += 1
    var otherHashBatch = wrongEndBatch
    otherHashBatch.meta.lastSeq = next + 1
    otherHashBatch.meta.lastHash = LogRecord.genesisHash
    return [
      ("a gap", gap.batch(1), .outOfOrder(expected: next, got: next + 1)),
      ("a repeat", repeatedBatch, .outOfOrder(expected: next, got: next - 1)),
      ("another hash before", wrongHashBatch, .outOfOrder(expected: next, got: next)),
      ("another hash inside", wrongInsideBatch, .outOfOrder(expected: next + 1, got: next + 1)),
      ("counters beyond", wrongEndBatch, .outOfOrder(expected: next + 1, got: next + 2)),
      (
        "counters with another hash", otherHashBatch,
        .outOfOrder(expected: next + 1, got: next + 1)
      ),
    ]
  }

  /// A batch that writes to every part of a store.
  mutating func batchWithEverything(_ number: Int64) -> Batch {
    let fence = drawFence()
    var batch = batch(2) { record in
      record.campaign = "november"
      record.client = "LAA"
    }
    let key = StateKey(table: .run, owner: 1, number: number)
    batch.puts = [StateRow(key: key, name: "LAA-PARIS-DC01", state: "PENDING", body: [1, 2])]
    batch.outboxPuts = [OutboxRow(fence: fence, server: number, body: [3])]
    batch.answers = [
      AnswerRow(
        principal: "ops", method: "StartCampaign", requestID: "id-\(number)",
        contentHash: [4], answer: [5], realTimeMilliseconds: number)
    ]
    batch.hookRuns = [
      HookRunRow(
        key: "run-\(number)", campaign: "november", client: "LAA", server: "LAA-PARIS-DC01",
        point: "pre_update", attempt: 1, outcome: "ok",
        startedAt: Instant(milliseconds: number), calls: "http.get 2 1")
    ]
    return batch
  }
}

/// All that can be read from a store, to compare before with after.
struct Everything: Equatable {
  let state: StoredState
  let log: [LogRecord]
  let hookRuns: [HookRunRow]
  let hookIDs: [Int64]
  let totals: HookTotals

  init(_ store: any Store) async throws(StoreError) {
    state = try await store.load()
    log = try await store.wholeLog()
    let runs = try await store.hookRuns(after: 0, limit: Limits.page, filter: RecordFilter())
    hookRuns = runs.map(\.row)
    hookIDs = runs.map(\.id)
    totals = try await store.hookTotals(campaign: "november")
  }
}

extension Store {
  /// Every record, read page by page.
  package func wholeLog(
    _ filter: RecordFilter = RecordFilter(), page: Int = Limits.page
  ) async throws(StoreError) -> [LogRecord] {
    var log: [LogRecord] = []
    while true {
      let next = try await records(after: log.last?.seq ?? 0, limit: page, filter: filter)
      log += next
      if next.count < min(page, Limits.page) { return log }
    }
  }
}

import AtlasModel
import AtlasStore

extension StoreConformance {
  /// Does `steps` random things to a store at `place` and to the model of a store, a memory
  /// store, and compares every answer. Wrong batches and reopens are among them.
  package static func compareWithModel(
    in place: some StorePlace, seed: UInt64, steps: Int
  ) async throws {
    var run = RandomRun(random: SeededGenerator(seed: seed))
    var store = try await place.open()
    do {
      for step in 0..<steps {
        if Int.random(in: 0..<40, using: &run.random) == 0 {
          try await store.close()
          store = try await place.open()
        }
        try await run.step(store, "seed \(seed), step \(step)")
      }
      try expect("seed \(seed): the state", try await store.load(), run.model.state)
    } catch {
      // The first failure is the one to report.
      try? await store.close()
      throw error
    }
    try await store.close()
  }
}

/// A random life of a store, with the model it is compared with. Small ranges of names, numbers
/// and times make things meet.
private struct RandomRun {
  var random: SeededGenerator
  var model = MemoryStoreContents()
  private var story = StoreStory()

  init(random: SeededGenerator) { self.random = random }

  mutating func step(_ store: any Store, _ what: String) async throws {
    switch number(below: 10) {
    case 0..<4: try await commit(store, what)
    case 4: try await commitWrong(store, what)
    case 5, 6: try await setKeyValue(store, what)
    case 7: try expect("\(what): the state", try await store.load(), model.state)
    case _: try await readHistory(store, what)
    }
  }

  private mutating func commit(_ store: any Store, _ what: String) async throws {
    let batch = randomBatch()
    try await store.commit(batch)
    try model.commit(batch)
    try expect("\(what): counters", try await store.load().meta, batch.meta)
  }

  /// A batch that is wrong somewhere: both refuse it, with the same error.
  private mutating func commitWrong(_ store: any Store, _ what: String) async throws {
    let before = story
    var batch = randomBatch()
    story = before
    switch number(below: 5) {
    case 0: batch.meta.lastSeq += 1
    case 1: batch.meta.demoFactor = 60
    case 2: batch.meta.lastHash[5] ^= 1
    case 3: batch.outboxPuts.append(OutboxRow(fence: .max, server: 1, body: []))
    case _: batch.hookRuns.append(hookRun(calls: "http.get one two"))
    }
    // The very first batch may choose its kind.
    if model.state.meta == nil, batch.meta.demoFactor > 1 { return }
    let fromStore = try await refusal { try await store.commit(batch) }
    let fromModel = try await refusal { try model.commit(batch) }
    try expect("\(what): the refusal", fromStore, fromModel)
    try expect("\(what): there is a refusal", fromStore != nil, true)
  }

  private mutating func setKeyValue(_ store: any Store, _ what: String) async throws {
    let client = name("C", below: 3)
    let key = name("k", below: 6)
    let value = number(below: 4) == 0 ? nil : bytes(upTo: 70_000)
    let condition: KeyValueCondition =
      switch number(below: 4) {
      case 0: .absent
      case 1: .equals(model.keyValue(client: client, key: key) ?? [1])
      case _: .always
      }
    let fromModel = Result { () throws(StoreError) in
      try model.setKeyValue(client: client, key: key, to: value, if: condition)
    }
    let fromStore: Result<Bool, StoreError>
    do throws(StoreError) {
      fromStore = .success(
        try await store.setKeyValue(client: client, key: key, to: value, if: condition))
    } catch {
      fromStore = .failure(error)
    }
    try expect("\(what): the write", fromStore, fromModel)
    let found = try await store.keyValue(client: client, key: key)
    try expect("\(what): the value", found, model.keyValue(client: client, key: key))
  }

  private mutating func readHistory(_ store: any Store, _ what: String) async throws {
    let filter = RecordFilter(
      campaign: Bool.random(using: &random) ? name("campaign", below: 3) : nil,
      client: Bool.random(using: &random) ? name("C", below: 3) : nil,
      server: number(below: 4) == 0 ? name("S", below: 9) : nil)
    let limit = number(below: 60)
    let position = UInt64(number(below: Int(story.meta.lastSeq) + 10))
    try expect(
      "\(what): records after \(position)",
      try await store.records(after: position, limit: limit, filter: filter),
      model.records(after: position, limit: limit, filter: filter))
    let end = number(below: 3) == 0 ? nil : position
    try expect(
      "\(what): records before \(String(describing: end))",
      try await store.records(before: end, limit: limit, filter: filter),
      model.records(before: end, limit: limit, filter: filter))
    let runs = try await store.hookRuns(after: Int64(position), limit: limit, filter: filter)
    let expected = model.hookRuns(after: Int64(position), limit: limit, filter: filter)
    try expect("\(what): hook runs", runs.map(\.row), expected.map(\.row))
    try expect("\(what): their numbers", runs.map(\.id), expected.map(\.id))
    let campaign = name("campaign", below: 3)
    try expect(
      "\(what): totals", try await store.hookTotals(campaign: campaign),
      model.hookTotals(campaign: campaign))
  }
}

// MARK: - Random values

extension RandomRun {
  private mutating func number(below bound: Int) -> Int {
    Int.random(in: 0..<bound, using: &random)
  }

  private mutating func name(_ prefix: String, below bound: Int) -> String {
    "\(prefix)-\(number(below: bound))"
  }

  private mutating func bytes(upTo bound: Int) -> [UInt8] {
    let byte = UInt8.random(in: 0...255, using: &random)
    return [UInt8](repeating: byte, count: number(below: bound))
  }

  private mutating func hookRun(calls: String) -> HookRunRow {
    HookRunRow(
      key: name("key", below: 9), campaign: name("campaign", below: 3),
      client: name("C", below: 3), server: name("S", below: 9), point: "pre_update", attempt: 1,
      outcome: "ok", startedAt: Instant(milliseconds: 5), calls: calls)
  }

  private mutating func randomBatch() -> Batch {
    for _ in 0..<number(below: 3) { _ = story.drawFence() }
    // Taken out, because the edit below draws from the same generator.
    var story = self.story
    var batch = story.batch(number(below: 4) == 0 ? 500 : number(below: 30)) { record in
      record.campaign = name("campaign", below: 3)
      record.client = name("C", below: 3)
      record.server = name("S", below: 9)
      if number(below: 3) == 0 { record.fence = UInt64(number(below: 100)) }
    }
    self.story = story
    batch.puts = (0..<number(below: 8)).map { _ in
      StateRow(key: key(), name: name("n", below: 5), body: bytes(upTo: 3_000))
    }
    batch.removals = (0..<number(below: 3)).map { _ in key() }
    batch.outboxPuts = (0..<number(below: 4)).map { _ in
      OutboxRow(
        fence: UInt64(number(below: 20)), server: Int64(number(below: 9)), body: bytes(upTo: 90))
    }
    batch.outboxRemovals = (0..<number(below: 4)).map { _ in UInt64(number(below: 20)) }
    batch.answers = (0..<number(below: 4)).map { _ in answer() }
    batch.forgetAnswersBefore = Bool.random(using: &random) ? Int64(number(below: 50)) : nil
    batch.hookRuns = (0..<number(below: 5)).map { _ in
      hookRun(calls: "http.get \(number(below: 5)) 1\n\(name("call", below: 3)) 1 0")
    }
    return batch
  }

  private mutating func key() -> StateKey {
    let table = StateTable.allCases.randomElement(using: &random) ?? .run
    return StateKey(table: table, owner: Int64(number(below: 3)), number: Int64(number(below: 6)))
  }

  private mutating func answer() -> AnswerRow {
    AnswerRow(
      principal: name("p", below: 2), method: name("m", below: 2), requestID: name("r", below: 5),
      contentHash: bytes(upTo: 9), answer: bytes(upTo: 9),
      realTimeMilliseconds: Int64(number(below: 100)))
  }
}

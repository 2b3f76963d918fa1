import AtlasModel
import AtlasStore

extension StoreConformance {
  static let lifeChecks = [
    secondOpenerIsRefused, closedStoreRefuses, reopeningKeepsEverything, cancellationChangesNothing,
    readsSeeWholeBatches,
  ]

  private static let secondOpenerIsRefused = StoreCheck(
    "a store that is open cannot be opened again, until it is closed"
  ) { place in
    let first = try await place.open()
    try await expectRefusal("a second opener", ofKind: "inUse") {
      _ = try await place.open()
    }
    try await first.close()
    try await place.withStore { _ in }
  }

  private static let closedStoreRefuses = StoreCheck("a closed store refuses everything") { place in
    let store = try await place.open()
    var story = StoreStory()
    try await store.commit(story.batch(1))
    let batch = story.batch(1)
    try await store.close()
    let all = RecordFilter()
    let calls: [(String, () async throws -> Void)] = [
      ("load", { _ = try await store.load() }),
      ("commit", { try await store.commit(batch) }),
      (
        "records",
        {
          _ = try await store.records(after: 0, limit: 1, filter: all)
        }
      ),
      (
        "hookRuns",
        {
          _ = try await store.hookRuns(after: 0, limit: 1, filter: all)
        }
      ),
      ("hookTotals", { _ = try await store.hookTotals(campaign: "") }),
      (
        "keyValue",
        {
          _ = try await store.keyValue(client: "", key: "")
        }
      ),
      (
        "setKeyValue",
        {
          _ = try await store.setKeyValue(client: "", key: "", to: nil, if: .always)
        }
      ),
      ("close", { try await store.close() }),
    ]
    for (name, call) in calls {
      try await expectRefusal(name, as: .closed, call)
    }
  }

  private static let reopeningKeepsEverything = StoreCheck("many opens and closes keep everything")
  { place in
    var story = StoreStory()
    for number in 1...Int64(10) {
      let batch = story.batchWithEverything(number)
      try await place.withStore { try await $0.commit(batch) }
    }
    let log = story.records
    try await place.withStore { store in
      let everything = try await Everything(store)
      try expect("the log", everything.log, log)
      try expect("rows", everything.state.rows.map(\.key.number), Array(1...10))
      try expect("commands", everything.state.outbox.map(\.fence), Array(1...10))
      try expect("answers", everything.state.answers.map(\.realTimeMilliseconds), Array(1...10))
      try expect("hook runs", everything.hookIDs, Array(1...10))
      try expect("totals", everything.totals.hookRuns, 10)
    }
  }

  private static let cancellationChangesNothing = StoreCheck(
    "a cancelled task does not take its commit back"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      for _ in 0..<20 {
        let batch = story.batch(50)
        let task = Task { try await store.commit(batch) }
        task.cancel()
        try await task.value
      }
      try expect("the log", try await store.wholeLog(), story.records)
    }
  }

  private static let readsSeeWholeBatches = StoreCheck("reads beside commits see whole batches") {
    place in
    try await place.withStore { store in
      var story = StoreStory()
      let batches = (0..<60).map { _ in story.batch(25) }
      let reader = Task {
        while true {
          let newest = try await store.records(before: nil, limit: 1, filter: RecordFilter())
          let seq = newest.first?.seq ?? 0
          try expect("what is left over of a batch", seq % 25, 0)
          if seq == 1_500 { return }
        }
      }
      for batch in batches { try await store.commit(batch) }
      try await reader.value
    }
  }
}

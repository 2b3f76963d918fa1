import AtlasModel
import AtlasStore

extension StoreConformance {
  static let stateChecks = [
    rowsAreOrdered, rowsAreReplaced, removalsComeLast, largeBodiesAreKept, outboxIsOrdered,
    hugeFenceIsRefused, answersAreOrdered, answersAreReplaced, answersAreForgotten,
  ]

  private static let rowsAreOrdered = StoreCheck(
    "rows of state come back in the order of their keys"
  ) { place in
    var story = StoreStory()
    var batch = story.batch(1)
    let keys = StateTable.allCases.flatMap { table in
      [(0, 1), (0, 300), (0, 2), (7, 1), (2, 9), (-1, -5), (0, .max)].map { owner, number in
        StateKey(table: table, owner: owner, number: number)
      }
    }
    batch.puts = keys.reversed().map { key in
      StateRow(key: key, name: "n\(key.number)", state: "s", body: [UInt8(key.table.rawValue)])
    }
    let expected = batch.puts.sorted { $0.key < $1.key }
    try await place.withStore { try await $0.commit(batch) }
    try await place.withStore { store in
      try expect("rows", try await store.load().rows, expected)
    }
  }

  private static let rowsAreReplaced = StoreCheck(
    "a row is replaced as a whole, and the last of several puts counts"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      let key = StateKey(table: .client, number: 1)
      var batch = story.batch(1)
      batch.puts = [StateRow(key: key, name: "LAA", state: "OPEN", body: [1, 2, 3])]
      try await store.commit(batch)
      batch = story.batch(1)
      batch.puts = [
        StateRow(key: key, name: "LAB", state: "PAUSED", body: [4]),
        StateRow(key: key, name: "LAC", body: []),
      ]
      try await store.commit(batch)
      try expect("rows", try await store.load().rows, [batch.puts[1]])
    }
  }

  private static let removalsComeLast = StoreCheck(
    "removals come after puts, and removing nothing is no error"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      let keys = (1...3).map { StateKey(table: .run, owner: 4, number: $0) }
      var batch = story.batch(1)
      batch.puts = keys.map { StateRow(key: $0, name: "S", body: [0]) }
      batch.removals = [keys[1], StateKey(table: .run, owner: 5, number: 1)]
      try await store.commit(batch)
      try expect("rows", try await store.load().rows.map(\.key), [keys[0], keys[2]])
      batch = story.batch(1)
      batch.removals = keys
      try await store.commit(batch)
      try expect("rows in the end", try await store.load().rows, [])
    }
  }

  private static let largeBodiesAreKept = StoreCheck(
    "large bodies and odd names come back as they were"
  ) { place in
    var story = StoreStory()
    var batch = story.batch(1)
    let sizes = [0, 1, 1_000, 5_000, 300_000]
    batch.puts = sizes.enumerated().map { number, size in
      StateRow(
        key: StateKey(table: .setting, number: Int64(number)), name: "a\u{0}b\u{301}🧭",
        state: "'\";--", body: (0..<size).map { UInt8(truncatingIfNeeded: $0 * 7) })
    }
    try await place.withStore { try await $0.commit(batch) }
    try await place.withStore { store in
      try expect("rows", try await store.load().rows, batch.puts)
    }
  }

  private static let outboxIsOrdered = StoreCheck(
    "the outbox holds what was put and not removed, by fence"
  ) { place in
    var story = StoreStory()
    var batch = story.batch(1)
    let rows = [30, 10, 20, Int64.max].map {
      OutboxRow(fence: UInt64($0), server: $0 / 2, body: [UInt8(truncatingIfNeeded: $0)])
    }
    batch.outboxPuts = rows
    // What is put and removed in one batch never leaves the store.
    batch.outboxRemovals = [20, 99, .max]
    try await place.withStore { store in
      try await store.commit(batch)
      try expect("the outbox", try await store.load().outbox, [rows[1], rows[0], rows[3]])
    }
    batch = story.batch(1)
    batch.outboxPuts = [OutboxRow(fence: 10, server: 8, body: [])]
    batch.outboxRemovals = [30]
    try await place.withStore { try await $0.commit(batch) }
    try await place.withStore { store in
      try expect(
        "the outbox", try await store.load().outbox, [batch.outboxPuts[0], rows[3]])
    }
  }

  private static let hugeFenceIsRefused = StoreCheck("a fence that no store can keep is refused") {
    place in
    try await place.withStore { store in
      var story = StoreStory()
      var batch = story.batch(1)
      batch.outboxPuts = [OutboxRow(fence: 1 << 63, server: 1, body: [])]
      try await expectRefusal("the fence", ofKind: "failed") {
        try await store.commit(batch)
      }
      try expect("what is loaded", try await store.load(), StoredState())
    }
  }

  private static let answersAreOrdered = StoreCheck(
    "answers are kept by who asked what under which id, the oldest first"
  ) { place in
    var story = StoreStory()
    var batch = story.batch(1)
    let answers = [
      answer("ops", "Start", "1", time: 40), answer("ops", "Start", "2", time: 20),
      answer("ops", "Pause", "1", time: 30), answer("eve", "Start", "1", time: 20),
    ]
    batch.answers = answers
    try await place.withStore { try await $0.commit(batch) }
    try await place.withStore { store in
      try expect(
        "answers", try await store.load().answers,
        [answers[1], answers[3], answers[2], answers[0]])
    }
  }

  private static let answersAreReplaced = StoreCheck(
    "an answer under a known id replaces the first"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      var batch = story.batch(1)
      batch.answers = [
        answer("ops", "Start", "1", time: 5), answer("ops", "Stop", "1", time: 5),
      ]
      try await store.commit(batch)
      let expected = [batch.answers[1], answer("ops", "Start", "1", time: 5, [9])]
      batch = story.batch(1)
      batch.answers = [expected[1]]
      try await store.commit(batch)
      try expect("answers", try await store.load().answers, expected)
    }
  }

  private static let answersAreForgotten = StoreCheck(
    "answers from before a time are forgotten, before new ones are kept"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      var batch = story.batch(1)
      batch.answers = (1...5).map { answer("ops", "Start", "\($0)", time: $0) }
      let kept = Array(batch.answers[2...])
      try await store.commit(batch)
      batch = story.batch(1)
      batch.forgetAnswersBefore = 3
      batch.answers = [answer("ops", "Start", "1", time: 1)]
      try await store.commit(batch)
      try expect("answers", try await store.load().answers, batch.answers + kept)
      batch = story.batch(0)
      batch.forgetAnswersBefore = .max
      try await store.commit(batch)
      try expect("answers in the end", try await store.load().answers, [])
    }
  }

  private static func answer(
    _ principal: String, _ method: String, _ id: String, time: Int64, _ content: [UInt8] = [1]
  ) -> AnswerRow {
    AnswerRow(
      principal: principal, method: method, requestID: id, contentHash: [7, 7], answer: content,
      realTimeMilliseconds: time)
  }
}

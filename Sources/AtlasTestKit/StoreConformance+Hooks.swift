import AtlasModel
import AtlasStore

extension StoreConformance {
  static let hookChecks = [
    hookRunsKeepEveryColumn, hookRunsArePaged, hookTotalsAreCounted, uncountableCallsAreRefused,
  ]

  private static let hookRunsKeepEveryColumn = StoreCheck(
    "every column of a hook run comes back as it was"
  ) { place in
    var story = StoreStory()
    var batch = story.batch(1)
    batch.hookRuns = [
      HookRunRow(
        key: "november/LAA-PARIS-DC01/1/pre_update", campaign: "november", client: "LAA",
        server: "LAA-PARIS-DC01", point: "pre_update", attempt: 2, outcome: "error",
        message: "n\u{0}o", errorKind: "limit.cpu", file: "clients/LAA.lua", line: 17,
        traceback: "a\nb", revision: "sha256:ab", startedAt: Instant(milliseconds: -1),
        tookMilliseconds: 2, cpuMicroseconds: 3, peakMemoryBytes: .max,
        calls: "http.get 2 1\nkv.set 1 0")
    ]
    try await place.withStore { try await $0.commit(batch) }
    try await place.withStore { store in
      let runs = try await store.hookRuns(after: 0, limit: 9, filter: RecordFilter())
      try expect("hook runs", runs.map(\.row), batch.hookRuns)
      try expect("their numbers", runs.map(\.id), [1])
    }
  }

  private static let hookRunsArePaged = StoreCheck(
    "hook runs are read page by page, for every filter"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      var rows: [HookRunRow] = []
      for commit in 0..<40 {
        var batch = story.batch(1)
        batch.hookRuns = (0..<250).map { hookRun(commit * 250 + $0) }
        rows += batch.hookRuns
        try await store.commit(batch)
      }
      for filter in [
        RecordFilter(), RecordFilter(campaign: "c1"), RecordFilter(client: "LAA3"),
        RecordFilter(server: "S77"), RecordFilter(campaign: "c0", client: "LAA3"),
        RecordFilter(client: "nobody"),
      ] {
        try await expectHookRuns(store, rows, filter)
      }
    }
  }

  private static let hookTotalsAreCounted = StoreCheck(
    "totals count the hook runs and calls of one campaign"
  ) { place in
    var story = StoreStory()
    try await place.withStore { store in
      for calls in ["http.get 2 1\nkv.set 1 0", "", "kv.set 4 4\nagent.run 1 0"] {
        var batch = story.batch(1)
        batch.hookRuns = [hookRun(0, calls: calls), hookRun(1, calls: "exec 9 9")]
        try await store.commit(batch)
      }
    }
    try await place.withStore { store in
      let expected = HookTotals(
        hookRuns: 3,
        calls: [
          .init(name: "agent.run", count: 1, errors: 0),
          .init(name: "http.get", count: 2, errors: 1),
          .init(name: "kv.set", count: 5, errors: 4),
        ])
      try expect("totals", try await store.hookTotals(campaign: "c0"), expected)
      try expect("of none", try await store.hookTotals(campaign: "c"), HookTotals())
    }
  }

  private static let uncountableCallsAreRefused = StoreCheck(
    "calls that cannot be counted are refused"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      for calls in ["http.get", "http.get 1", "http.get 1 -1", " 1 1", "a b 1 1", "a 9e9 1"] {
        var batch = story.batch(1)
        batch.hookRuns = [hookRun(0, calls: calls)]
        try await expectRefusal("“\(calls)”", ofKind: "failed") {
          try await store.commit(batch)
        }
        story = StoreStory()
      }
      try expect("totals", try await store.hookTotals(campaign: "c0"), HookTotals())
    }
  }

  private static func hookRun(_ number: Int, calls: String = "") -> HookRunRow {
    HookRunRow(
      key: "key-\(number)", campaign: "c\(number % 2)", client: "LAA\(number % 5)",
      server: "S\(number % 101)", point: "pre_update", attempt: 1, outcome: "ok",
      startedAt: Instant(milliseconds: Int64(number)), calls: calls)
  }

  private static func expectHookRuns(
    _ store: any Store, _ rows: [HookRunRow], _ filter: RecordFilter
  ) async throws {
    let expected = zip(Int64(1)..., rows).filter { _, row in
      filter.matches(campaign: row.campaign, client: row.client, server: row.server)
    }
    var found: [(id: Int64, row: HookRunRow)] = []
    while true {
      let page = try await store.hookRuns(after: found.last?.id ?? 0, limit: 130, filter: filter)
      found += page
      if page.count < 130 { break }
    }
    try expect("\(filter)", found.map(\.row), expected.map(\.1))
    try expect("\(filter) numbers", found.map(\.id), expected.map(\.0))

    var newest: [(id: Int64, row: HookRunRow)] = []
    while true {
      let page = try await store.hookRuns(before: newest.last?.id, limit: 130, filter: filter)
      newest += page
      if page.count < 130 { break }
    }
    try expect("\(filter), newest first", newest.map(\.row), expected.reversed().map(\.1))
  }
}

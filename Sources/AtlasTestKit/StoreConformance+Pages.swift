import AtlasModel
import AtlasStore

extension StoreConformance {
  static let pageChecks = [
    pagesFollowEachOther, longLogIsSearched, pagesAreLimited, positionsMayBeOutside,
    filtersCompareBytes,
  ]

  private static let pagesFollowEachOther = StoreCheck(
    "records are read up and down, page by page, for every filter"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      for _ in 0..<4 { try await store.commit(story.batch(300, Subjects.assign)) }
      for filter in Subjects.filters {
        let expected = story.records.filter(filter.matches)
        for page in [7, 100, Limits.page] {
          try expect(
            "\(filter) forwards by \(page)", try await store.wholeLog(filter, page: page),
            expected)
          try expect(
            "\(filter) backwards by \(page)", try await store.backwards(filter, page: page),
            expected.reversed())
        }
      }
    }
  }

  private static let longLogIsSearched = StoreCheck(
    "a long log is searched from any position, in both directions"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      for _ in 0..<35 { try await store.commit(story.batch(500, Subjects.assign)) }
      var random = SeededGenerator(seed: 1)
      for _ in 0..<60 {
        let filter = Subjects.filters.randomElement(using: &random) ?? RecordFilter()
        let position = UInt64.random(in: 0...17_600, using: &random)
        let limit = Int.random(in: 1...40, using: &random)
        try await expectPages(store, story, filter, position, limit)
      }
    }
  }

  private static let pagesAreLimited = StoreCheck(
    "a page has at most \(Limits.page) rows, and none when none are wanted"
  ) { place in
    try await place.withStore { store in
      var story = StoreStory()
      for _ in 0..<2 { try await store.commit(story.batch(400)) }
      let all = RecordFilter()
      for (limit, expected) in [(-1, 0), (0, 0), (3, 3), (Int.max, Limits.page)] {
        let up = try await store.records(after: 0, limit: limit, filter: all)
        try expect("rows up to \(limit)", up.map(\.seq), Array(1...UInt64(800)).first(expected))
        let down = try await store.records(before: nil, limit: limit, filter: all)
        let newest = Array(Array(1...UInt64(800)).reversed())
        try expect("rows down to \(limit)", down.map(\.seq), newest.first(expected))
      }
    }
  }

  private static let positionsMayBeOutside = StoreCheck("positions outside the log are allowed") {
    place in
    try await place.withStore { store in
      var story = StoreStory()
      try await store.commit(story.batch(3))
      let all = RecordFilter()
      for (position, expected) in [
        (UInt64(0), [UInt64]()), (1, []), (2, [1]), (4, [3, 2, 1]), (.max, [3, 2, 1]),
      ] {
        let rows = try await store.records(before: position, limit: 9, filter: all)
        try expect("before \(position)", rows.map(\.seq), expected)
      }
      for (position, expected) in [
        (UInt64(2), [UInt64(3)]), (3, []), (UInt64(Int64.max), []), (.max, []),
      ] {
        let rows = try await store.records(after: position, limit: 9, filter: all)
        try expect("after \(position)", rows.map(\.seq), expected)
      }
    }
  }

  private static let filtersCompareBytes = StoreCheck("filters compare byte for byte") { place in
    try await place.withStore { store in
      var story = StoreStory()
      let names = ["caf\u{e9}", "cafe\u{301}", "CAF\u{e9}", "", "%", "caf_"]
      try await store.commit(
        story.batch(names.count) { $0.client = names[Int($0.seq) - 1] })
      for (index, name) in names.enumerated() {
        let found = try await store.wholeLog(RecordFilter(client: name))
        try expect("the log of “\(name)”", found.map(\.seq), [UInt64(index + 1)])
      }
    }
  }

  private static func expectPages(
    _ store: any Store, _ story: StoreStory, _ filter: RecordFilter, _ position: UInt64,
    _ limit: Int
  ) async throws {
    let up = try await store.records(after: position, limit: limit, filter: filter)
    let start = min(Int(position), story.records.count)
    let later = story.records[start...].lazy.filter(filter.matches)
    try expect("\(filter) after \(position)", up, Array(later.prefix(limit)))
    let down = try await store.records(before: position, limit: limit, filter: filter)
    let end = min(max(Int(position) - 1, 0), story.records.count)
    let earlier = story.records[..<end].reversed().lazy.filter(filter.matches)
    try expect("\(filter) before \(position)", down, Array(earlier.prefix(limit)))
  }
}

/// Names for records: common ones and rare ones, and filters that find some, few or none.
private enum Subjects {
  static func assign(_ record: inout LogRecord) {
    let seq = record.seq
    record.campaign = seq % 1_000 == 0 ? "" : "campaign-\(seq / 9_000)"
    record.client = seq % 4_001 == 0 ? "RARE" : "C\(seq % 7)"
    record.server = "\(record.client)-S\(seq % 13)"
  }

  static let filters = [
    RecordFilter(),
    RecordFilter(campaign: "campaign-0"),
    RecordFilter(campaign: "campaign-1"),
    RecordFilter(campaign: ""),
    RecordFilter(client: "C3"),
    RecordFilter(client: "RARE"),
    RecordFilter(server: "C3-S5"),
    RecordFilter(campaign: "campaign-0", client: "C3"),
    RecordFilter(campaign: "campaign-1", client: "C3", server: "C3-S5"),
    RecordFilter(campaign: "campaign-1", client: "C2", server: "C3-S5"),
    RecordFilter(client: "nobody"),
  ]
}

extension RecordFilter {
  fileprivate func matches(_ record: LogRecord) -> Bool {
    matches(campaign: record.campaign, client: record.client, server: record.server)
  }
}

extension Array {
  fileprivate func first(_ count: Int) -> [Element] { Array(prefix(count)) }
}

extension Store {
  /// Every record from the newest to the first, read page by page.
  fileprivate func backwards(
    _ filter: RecordFilter, page: Int
  ) async throws(StoreError) -> [LogRecord] {
    var log: [LogRecord] = []
    while true {
      let next = try await records(before: log.last?.seq, limit: page, filter: filter)
      log += next
      if next.count < page { return log }
    }
  }
}

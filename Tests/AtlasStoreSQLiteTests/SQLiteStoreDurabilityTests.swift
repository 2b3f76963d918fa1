import AtlasModel
import AtlasStore
import AtlasTestKit
import Foundation
import GRDB
import Testing

@testable import AtlasStoreSQLite

struct SQLiteStoreDurabilityTests {
  private var place: SQLiteStorePlace

  init() throws { place = try SQLiteStorePlace() }

  @Test(arguments: 1...UInt64(6))
  func `kill -9 in the middle of commits loses nothing that was acknowledged`(
    seed: UInt64
  ) async throws {
    let result = try await #require(
      processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
    ) { [path = place.path as String, seed = seed as UInt64] in
      try await DoomedWriter.run(directory: path, seed: seed)
    }
    let acknowledged = DoomedWriter.acknowledged(in: result.standardOutputContent)
    #expect(acknowledged > 0)

    // What is there is what the model has after the last acknowledged commit, or after the next.
    var writer = DoomedWriter(seed: seed)
    var model = MemoryStoreContents()
    for _ in 0..<acknowledged { try model.commit(writer.nextBatch()) }
    var withNext = model
    try withNext.commit(writer.nextBatch())
    try await place.withStore { store in
      let found = try await store.load()
      #expect(found == model.state || found == withNext.state)
      let end = try #require(found.meta)
      #expect(
        try await store.verifyChain(upTo: end, sha256: ToyHash.digest)
          == .intact(records: end.lastSeq))
    }
  }

  @Test
  func `an error of the disk makes the outcome unknown and ends the store`() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(42), observing: [\.standardOutputContent]
    ) { [path = place.path as String] in
      try await DoomedWriter.runIntoFileSizeLimit(directory: path)
    }
    let acknowledged = DoomedWriter.acknowledged(in: result.standardOutputContent)
    #expect(acknowledged > 0)
    var writer = DoomedWriter(seed: 0)
    var model = MemoryStoreContents()
    for _ in 0..<acknowledged { try model.commit(writer.nextBatch()) }
    #expect(try await place.withStore { try await $0.load() } == model.state)
  }

  @Test
  func `a full disk fails the commit, loses nothing, and can be got over`() async throws {
    var small = place
    small.options.maximumPages = 100
    var story = StoreStory()
    var kept = story
    try await small.withStore { store in
      var refused: StoreError?
      while refused == nil {
        kept = story
        let batch = story.batch(100) { $0.reason = String(repeating: "x", count: 200) }
        do throws(StoreError) { try await store.commit(batch) } catch { refused = error }
      }
      #expect(
        refused
          == .failed(
            "cannot write to \(place.file): database or disk is full (SQLite error 13)"))
      #expect(try await store.wholeLog() == kept.records)
      // Something small still fits, and goes on from what is there.
      _ = kept.drawFence()
      try await store.commit(kept.batch(0))
      #expect(try await store.load().meta == kept.meta)
    }
    try await place.withStore { store in
      for _ in 0..<10 { try await store.commit(kept.batch(100)) }
      #expect(try await store.wholeLog() == kept.records)
    }
  }

  @Test
  func `the write-ahead log is copied back between batches and does not grow`() async throws {
    var busy = place
    busy.options.checkpointPages = 40
    var story = StoreStory()
    try await busy.withStore { store in
      for _ in 0..<200 { try await store.commit(story.batch(100)) }
      let size = try fileSize(place.file + "-wal")
      // 40 pages, what one batch and one segment of the index write beyond them, and frames.
      #expect(size < 400 * 4_120, "the write-ahead log has \(size) bytes")
      #expect(try fileSize(place.file) > 1_000_000)
    }
  }

  @Test
  func `history is indexed by the segment as it grows`() async throws {
    let store = try SQLiteStore(directory: place.path)
    var story = StoreStory()
    let size = Int(SubjectIndex.segmentSize)
    for count in [size - 1, 1, size + 5, size] { try await store.commit(story.batch(count)) }
    // The work follows every write on the same queue, a piece at a time: three segments of three.
    for number in 0..<9 {
      _ = try await store.setKeyValue(client: "LAA", key: "\(number)", to: [1], if: .always)
    }
    let segments = try await store.pool.read { database in
      try String.fetchAll(
        database,
        sql: """
          SELECT format('%d: %d to %d, %d', segment, min(number), max(number), count(*))
          FROM log_subjects GROUP BY segment
          """)
    }
    // Every record is there for its campaign, its client and its server.
    #expect(
      segments == ["0: 1 to 8192, 24576", "1: 8193 to 16384, 24576", "2: 16385 to 24576, 24576"])
    try await store.close()
  }

  @Test
  func `a closed store is one file`() async throws {
    var story = StoreStory()
    try await place.withStore { try await $0.commit(story.batch(300)) }
    let copy = try SQLiteStorePlace()
    try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: place.file, toPath: copy.file)
    let log = try await copy.withStore { try await $0.wholeLog() }
    #expect(log == story.records)
  }

  private func fileSize(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.size] as? Int)
  }
}

/// Commits and says so on standard output, until the process is killed.
private struct DoomedWriter {
  private var story = StoreStory()
  private var random: Numbers

  init(seed: UInt64) { random = Numbers(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1) }

  /// The next batch; the same sequence for the same seed.
  mutating func nextBatch() -> Batch {
    let fence = story.drawFence()
    var batch = story.batch(1 + random.next(below: 120)) { $0.client = "C\($0.seq % 10)" }
    batch.puts = batch.records.map { record in
      let key = StateKey(table: .run, owner: 1, number: Int64(record.seq % 97))
      return StateRow(key: key, name: "S\(record.seq)", state: "IN_PROGRESS", body: record.hash)
    }
    batch.outboxPuts = [OutboxRow(fence: fence, server: 1, body: batch.meta.lastHash)]
    if fence > 5 { batch.outboxRemovals = [fence - 5] }
    return batch
  }

  /// Runs in a process of its own, which it kills while a commit is under way.
  static func run(directory: String, seed: UInt64) async throws {
    var options = SQLiteStoreOptions()
    options.checkpointPages = 60
    let store = try SQLiteStore(directory: directory, options: options)
    var writer = Self(seed: seed)
    var moment = Numbers(state: seed | 1)
    let last = 10 + moment.next(below: 60)
    let killer = Killer(delay: moment.next(below: 20_000))
    for number in 1... {
      let batch = writer.nextBatch()
      if number == last { killer.release() }
      try await store.commit(batch)
      acknowledge()
    }
  }

  /// Runs in a process of its own, whose files may not grow beyond a limit: to SQLite that is an
  /// error of the disk. Exits with 42 if the store behaves as it should.
  static func runIntoFileSizeLimit(directory: String) async throws {
    signal(SIGXFSZ, SIG_IGN)
    let store = try SQLiteStore(directory: directory)
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = 2_000_000
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    var writer = Self(seed: 0)
    do throws(StoreError) {
      while true {
        try await store.commit(writer.nextBatch())
        acknowledge()
      }
    } catch {
      let isRefusing = await refusesEverything(store, with: error)
      guard case .outcomeUnknown = error, isRefusing else { exit(1) }
      exit(42)
    }
  }

  /// Whether the store, which ended with `error`, says so to everybody from then on.
  private static func refusesEverything(
    _ store: SQLiteStore, with error: StoreError
  ) async -> Bool {
    do throws(StoreError) {
      _ = try await store.load()
      return false
    } catch let first {
      do throws(StoreError) {
        _ = try await store.setKeyValue(client: "LAA", key: "k", to: [1], if: .always)
        return false
      } catch let second {
        return first == error && second == error
      }
    }
  }

  private static func acknowledge() {
    let mark = Array("acknowledged\n".utf8)
    _ = write(STDOUT_FILENO, mark, mark.count)
  }

  /// How many commits the process had acknowledged.
  static func acknowledged(in output: [UInt8]) -> Int {
    String(decoding: output, as: UTF8.self).split(separator: "\n")
      .count { $0 == "acknowledged" }
  }

  /// A thread that waits to be released, lets others go first for a while, and kills the process.
  private final class Killer: Sendable {
    private let gate = DispatchSemaphore(value: 0)

    init(delay: Int) {
      Thread.detachNewThread { [gate] in
        gate.wait()
        for _ in 0..<delay { sched_yield() }
        kill(getpid(), SIGKILL)
      }
    }

    func release() { gate.signal() }
  }

  private struct Numbers {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
  }
}

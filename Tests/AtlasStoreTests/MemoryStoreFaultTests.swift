import AtlasStore
import AtlasTestKit
import Testing

struct MemoryStoreFaultTests {
  private let disk = MemoryDisk()

  @Test
  func `a commit that fails leaves nothing, and the store goes on`() throws {
    let store = try MemoryStore(disk: disk, faults: MemoryStoreFaults(commits: [2: .failed]))
    var story = StoreStory()
    try store.commit(story.batch(1))
    let second = story.batch(1)
    #expect(throws: StoreError.failed("no space left on device")) { try store.commit(second) }
    #expect(try store.wholeLogNow() == Array(story.records.prefix(1)))
    try store.commit(second)
    #expect(try store.wholeLogNow() == story.records)
  }

  @Test(arguments: [(CommitFault.unknownAndLost, 1), (.unknownAndKept, 2)])
  func `a commit of unknown outcome is found or not after a restart`(
    fault: CommitFault, remaining: Int
  ) throws {
    let store = try MemoryStore(disk: disk)
    var story = StoreStory()
    try store.commit(story.batch(1))
    store.failNextCommit(fault)
    let unknown = StoreError.outcomeUnknown("input/output error")
    #expect(throws: unknown) { try store.commit(story.batch(1)) }

    // Until then nothing may be done, so that nobody sees what may not be there.
    #expect(throws: unknown) { try store.load() }
    #expect(throws: unknown) { try store.commit(story.batch(1)) }
    #expect(throws: unknown) { try store.keyValue(client: "LAA", key: "k") }
    #expect(throws: unknown) {
      try store.setKeyValue(client: "LAA", key: "k", to: [1], if: .always)
    }
    disk.crash()
    let restarted = try MemoryStore(disk: disk)
    #expect(try restarted.wholeLogNow() == Array(story.records.prefix(remaining)))
  }

  @Test
  func `a crash loses nothing that was acknowledged`() throws {
    let store = try MemoryStore(disk: disk)
    var story = StoreStory()
    try store.commit(story.batch(3))
    _ = try store.setKeyValue(client: "LAA", key: "k", to: [1], if: .always)
    disk.crash()
    #expect(throws: StoreError.closed) { try store.commit(story.batch(1)) }
    let restarted = try MemoryStore(disk: disk)
    #expect(try restarted.wholeLogNow() == Array(story.records.prefix(3)))
    #expect(try restarted.keyValue(client: "LAA", key: "k") == [1])
  }

  @Test
  func `a store that acknowledges too early loses what was not synced`() throws {
    let faults = MemoryStoreFaults(acknowledgesBeforeSync: true)
    let store = try MemoryStore(disk: disk, faults: faults)
    var story = StoreStory()
    try store.commit(story.batch(1))
    disk.sync()
    try store.commit(story.batch(2))
    _ = try store.setKeyValue(client: "LAA", key: "k", to: [1], if: .always)
    #expect(try store.wholeLogNow() == story.records)
    disk.crash()
    let restarted = try MemoryStore(disk: disk)
    #expect(try restarted.wholeLogNow() == Array(story.records.prefix(1)))
    #expect(try restarted.keyValue(client: "LAA", key: "k") == nil)
  }

  @Test
  func `closing syncs even then`() throws {
    let faults = MemoryStoreFaults(acknowledgesBeforeSync: true)
    let store = try MemoryStore(disk: disk, faults: faults)
    var story = StoreStory()
    try store.commit(story.batch(2))
    try store.close()
    disk.crash()
    #expect(try MemoryStore(disk: disk).wholeLogNow() == story.records)
  }
}

extension MemoryStore {
  fileprivate func wholeLogNow() throws(StoreError) -> [LogRecord] {
    try records(after: 0, limit: .max, filter: RecordFilter())
  }
}

import AtlasStore
import AtlasTestKit
import Foundation
import GRDB
import Testing

@testable import AtlasStoreSQLite

struct SQLiteStoreOpeningTests {
  private let place: SQLiteStorePlace

  init() throws { place = try SQLiteStorePlace() }

  @Test
  func `a second opener is told who has the directory`() async throws {
    let store = try SQLiteStore(directory: place.path)
    #expect(throws: StoreError.inUse(path: place.path, pid: getpid())) {
      try SQLiteStore(directory: place.path)
    }
    try await store.close()
  }

  @Test
  func `a new data directory belongs to its owner alone`() async throws {
    try await place.withStore { _ in }
    let attributes = try FileManager.default.attributesOfItem(atPath: place.path)
    #expect(attributes[.posixPermissions] as? Int == 0o700)
  }

  @Test
  func `a data directory that cannot be made is named`() {
    #expect(
      throws: StoreError.failed(
        "cannot make the data directory \(place.directory.path)/a/b: No such file or directory")
    ) {
      try SQLiteStore(directory: place.directory.path + "/a/b")
    }
  }

  @Test
  func `every commit waits for the disk, and nobody checkpoints by himself`() async throws {
    let store = try SQLiteStore(directory: place.path)
    let writer = try await store.pool.writeWithoutTransaction { try Pragmas($0) }
    let reader = try await store.pool.read { try Pragmas($0) }
    #expect(writer.synchronous == 2)
    #expect(writer.journalMode == "wal")
    #expect([writer.autocheckpoint, reader.autocheckpoint] == [0, 0])
    #expect(store.pool.configuration.maximumReaderCount == 2)
    await #expect(throws: DatabaseError.self) {
      try await store.pool.read { try $0.execute(sql: "DELETE FROM outbox") }
    }
    try await store.close()
  }

  @Test
  func `commits that do not wait need leave from the environment`() async throws {
    #expect(SynchronousOff(environment: [:]) == nil)
    #expect(SynchronousOff(environment: [SynchronousOff.variable: "1"]) == nil)
    var options = SQLiteStoreOptions()
    options.synchronousOff = SynchronousOff(
      environment: [SynchronousOff.variable: SynchronousOff.value])
    let store = try SQLiteStore(directory: place.path, options: options)
    #expect(try await store.pool.writeWithoutTransaction { try Pragmas($0) }.synchronous == 0)
    try await store.close()
  }

  @Test
  func `a store of a newer version is refused`() async throws {
    try await place.withStore { _ in }
    try change("INSERT INTO grdb_migrations VALUES ('2')")
    #expect(throws: StoreError.format("\(place.file) was written by a newer version of Atlas")) {
      try SQLiteStore(directory: place.path)
    }
  }

  @Test
  func `a database of another program is refused and left alone`() async throws {
    try FileManager.default.createDirectory(
      atPath: place.path, withIntermediateDirectories: true)
    try change("CREATE TABLE songs (title TEXT)")
    #expect(throws: StoreError.format("\(place.file) is not an Atlas store")) {
      try SQLiteStore(directory: place.path)
    }
    let tables = try await DatabaseQueue(path: place.file).read {
      try String.fetchAll($0, sql: "SELECT name FROM sqlite_master")
    }
    #expect(tables == ["songs"])
  }

  @Test
  func `a file that is no database is refused`() async throws {
    try await place.withStore { _ in }
    let text = Data(String(repeating: "not a database\n", count: 1_000).utf8)
    try text.write(to: URL(fileURLWithPath: place.file))
    #expect(throws: StoreError.format("\(place.file) is not an Atlas store")) {
      try SQLiteStore(directory: place.path)
    }
  }

  @Test
  func `a damaged page is an error that names the file`() async throws {
    var story = StoreStory()
    try await place.withStore { try await $0.commit(story.batch(500, StoreStory.named)) }
    #expect(try overwritePages() > 0)
    let error = await #expect(throws: StoreError.self) {
      try await place.withStore { _ = try await $0.wholeLog() }
    }
    let message = try #require(error.map(String.init(describing:)))
    #expect(message.hasPrefix("\(place.file) is damaged: "))
    #expect(message.hasSuffix("; restore it from a backup, and check the disk"))
  }

  @Test
  func `damage that a commit meets ends the store`() async throws {
    var story = StoreStory()
    var batch = story.batch(1)
    batch.puts = (0..<Int64(1_000)).map { number in
      let key = StateKey(table: .run, owner: 1, number: number)
      return StateRow(key: key, name: "S", body: [UInt8](repeating: 1, count: 400))
    }
    try await place.withStore { try await $0.commit(batch) }
    #expect(try overwritePages() > 0)
    batch.records = story.batch(1).records
    batch.meta = story.meta
    let store = try SQLiteStore(directory: place.path)
    let error = try #require(
      await #expect(throws: StoreError.self) { try await store.commit(batch) })
    guard case .outcomeUnknown = error else {
      Issue.record("the commit ended with: \(error)")
      return
    }
    await #expect(throws: error) { try await store.load() }
    try await store.close()
  }

  @Test
  func `a log that does not end where the counters say is refused`() async throws {
    var story = StoreStory()
    try await place.withStore { try await $0.commit(story.batch(5)) }
    try change("UPDATE meta SET last_seq = 9")
    #expect(
      throws: StoreError.format(
        "the store is damaged: its log ends with record 5, but the counters say 9; "
          + "restore it from a backup")
    ) {
      try SQLiteStore(directory: place.path)
    }
  }

  @Test
  func `a changed row is found by the check of the chain`() async throws {
    var story = StoreStory()
    try await place.withStore { try await $0.commit(story.batch(40, StoreStory.named)) }
    #expect(throws: DatabaseError.self) { try change("UPDATE log SET reason = 'x'") }
    #expect(throws: DatabaseError.self) { try change("DELETE FROM log WHERE seq = 40") }
    try change("DROP TRIGGER log_is_never_changed")
    try change("UPDATE log SET principal = 'nobody' WHERE seq = 17")
    let verdict = try await place.withStore { try await $0.verifyChain(sha256: ToyHash.digest) }
    #expect(verdict == .broken(seq: 17, fault: .hash))
  }

  @Test
  func `a person can look into the file`() async throws {
    var story = StoreStory()
    var batch = story.batch(1)
    batch.puts = StateTable.allCases.map { table in
      let key = StateKey(table: table, owner: table == .run ? 3 : 0, number: 7)
      return StateRow(key: key, name: "name-\(table)", state: "HELD", body: [])
    }
    try await place.withStore { [batch] in try await $0.commit(batch) }
    let rows = try await DatabaseQueue(path: place.file).read { database in
      try ["clients", "servers", "campaigns", "runs", "settings"].map {
        try Row.fetchAll(database, sql: "SELECT * FROM \($0)").map(\.description).joined()
      }
    }
    #expect(
      rows == [
        "[number:7 name:\"name-client\"]",
        "[number:7 name:\"name-server\"]",
        "[number:7 name:\"name-campaign\" state:\"HELD\"]",
        "[campaign:3 number:7 server:\"name-run\" state:\"HELD\"]",
        "[number:7 name:\"name-setting\" state:\"HELD\"]",
      ])
  }

  /// Does something to the file behind the store's back.
  private func change(_ sql: String) throws {
    let queue = try DatabaseQueue(path: place.file)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
  }

  /// Fills the second half of the file, where the rows are, with rubbish.
  /// - Returns: How many pages that were.
  private func overwritePages() throws -> Int {
    let handle = try #require(FileHandle(forUpdatingAtPath: place.file))
    let pageSize = UInt64(4_096)
    let pages = try handle.seekToEnd() / pageSize
    for page in pages / 2..<pages {
      try handle.seek(toOffset: page * pageSize)
      try handle.write(contentsOf: Data(repeating: 0xa5, count: Int(pageSize)))
    }
    try handle.close()
    return Int(pages - pages / 2)
  }
}

private struct Pragmas {
  let synchronous: Int?
  let journalMode: String?
  let autocheckpoint: Int?

  init(_ database: Database) throws {
    synchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous")
    journalMode = try String.fetchOne(database, sql: "PRAGMA journal_mode")
    autocheckpoint = try Int.fetchOne(database, sql: "PRAGMA wal_autocheckpoint")
  }
}

extension StoreStory {
  /// A record about something, with a reason.
  static func named(_ record: inout LogRecord) {
    record.campaign = "november"
    record.client = "LAA"
    record.server = "LAA-PARIS-DC01"
    record.reason = String(repeating: "because ", count: 10)
  }
}

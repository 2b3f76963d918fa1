import AtlasStore
import GRDB

extension SQLiteStore {
  /// Opens the file with one writer and two readers, and makes it what this version expects.
  static func open(_ path: String, _ options: SQLiteStoreOptions) throws -> DatabasePool {
    let pool = try DatabasePool(path: path, configuration: configuration)
    try pool.writeWithoutTransaction { database in
      try checkIsStore(database, path: path)
      try setSynchronous(database, options)
      if let pages = options.maximumPages {
        try database.execute(sql: "PRAGMA max_page_count = \(pages)")
      }
    }
    let migrator = Schema.migrator
    if try pool.read({ try migrator.hasBeenSuperseded($0) }) {
      throw StoreError.format("\(path) was written by a newer version of Atlas")
    }
    try migrator.migrate(pool)
    return pool
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "atlas.store"
    configuration.maximumReaderCount = 2
    configuration.persistentReadOnlyConnections = true
    configuration.foreignKeysEnabled = false
    // Nobody else writes; a person with `sqlite3` may be in the way for a moment.
    configuration.busyMode = .timeout(1)
    // On a failing disk even a ROLLBACK may fail. GRDB would stop the program for what it leaves
    // behind; the store sees to it itself, and takes no commit any more.
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { database in
      let cacheKiB = database.configuration.readonly ? 8_192 : 65_536
      try database.execute(sql: "PRAGMA cache_size = -\(cacheKiB)")
      // Checkpoints are the writer's, at a time of its own choosing.
      try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
      try database.execute(sql: "PRAGMA trusted_schema = OFF")
    }
    return configuration
  }

  private static func checkIsStore(_ database: Database, path: String) throws {
    let id = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    if id == Schema.applicationID { return }
    let tables = try Int.fetchOne(
      database, sql: "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'grdb_%'")
    guard id == 0, tables == 0 else { throw StoreError.format("\(path) is not an Atlas store") }
  }

  /// Lets commits wait for the disk. A pool has set `NORMAL` by now, which does not; the pragma is
  /// ignored inside a transaction, so what counts is what it reads back.
  private static func setSynchronous(_ database: Database, _ options: SQLiteStoreOptions) throws {
    let wanted = options.synchronousOff == nil ? 2 : 0
    try database.execute(sql: "PRAGMA synchronous = \(wanted)")
    guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == wanted else {
      throw StoreError.failed("SQLite would not wait for the disk; refusing to serve")
    }
  }

  /// The counters, after a look at whether the log ends as they say: a file that was put together
  /// from two backups must not go on.
  static func checkedMeta(_ database: Database) throws -> StoreMeta? {
    let meta = try StateTables.meta(database)
    let last = try Prepared(LogTable.lastRow, database).rows { ($0.number(), $0.bytes()) }.first
    let (seq, hash) = last ?? (0, LogRecord.genesisHash)
    guard seq == Int64(clamping: meta?.lastSeq ?? 0), hash == meta?.lastHash ?? hash else {
      throw StoreError.format(
        "the store is damaged: its log ends with record \(seq), but the counters say "
          + "\(meta?.lastSeq ?? 0); restore it from a backup")
    }
    return meta
  }
}

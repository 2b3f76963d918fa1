import AtlasStore
import GRDB
import GRDBSQLite

extension SQLiteStore {
  /// What the writer does between batches, at most a piece at a time: copy the write-ahead log
  /// back to the database, which makes room in it, and complete the indexes of history.
  ///
  /// Nothing depends on it, so that a full disk only puts it off until after a later commit. An
  /// error of the disk is another matter: what the file holds is in doubt from then on.
  func maintain(_ database: Database) {
    do {
      try checkOpen()
      try checkpointIfDue(database)
      try extendIndexes(database)
    } catch {
      guard error is DatabaseError, Faults.isOfDisk(error) else { return }
      let fatal = Faults.writing(error, isUndone: true, path: path)
      progress.withLock { $0.condition = .fatal(fatal) }
    }
  }

  private func extendIndexes(_ database: Database) throws {
    let records = Int64(clamping: progress.withLock { $0.meta?.lastSeq ?? 0 })
    let hookRuns = try HookRunTable.last(database)
    for (index, last) in [(LogTable.index, records), (HookRunTable.index, hookRuns)] {
      guard let piece = try index.nextPiece(database, last: last) else { continue }
      try inTransaction(database) { try index.add(piece, database) }
    }
  }

  private func checkpointIfDue(_ database: Database) throws {
    let written = pagesWritten(database)
    let isDue = progress.withLock { progress in
      progress.pagesWritten += written
      guard progress.pagesWritten >= options.checkpointPages else { return false }
      progress.pagesWritten = 0
      return true
    }
    guard isDue else { return }
    let (length, _) = try database.checkpoint(.passive)
    if length >= options.blockingCheckpointPages { try database.checkpoint(.restart) }
  }

  /// Pages that this connection has written to the write-ahead log since the last time.
  private func pagesWritten(_ database: Database) -> Int {
    var count: Int32 = 0
    var highest: Int32 = 0
    sqlite3_db_status(
      database.sqliteConnection, SQLITE_DBSTATUS_CACHE_WRITE, &count, &highest, 1)
    return Int(count)
  }

  /// Copies the whole log back and leaves none, so that the file alone is the store.
  func flush(_ database: Database) -> Result<Void, StoreError> {
    Result { _ = try database.checkpoint(.truncate) }
      .mapError { Faults.flushing($0, path: path) }
  }
}

import AtlasStore
import GRDB

extension SQLiteStore {
  package func commit(_ batch: Batch) async throws(StoreError) {
    let result: Result<Void, StoreError> = await withCheckedContinuation { continuation in
      pool.asyncWriteWithoutTransaction { database in
        // Answered first: upkeep is for the time between batches.
        let result = self.perform(batch, database)
        continuation.resume(returning: result)
        self.maintain(database)
      }
    }
    try result.get()
  }

  private func perform(_ batch: Batch, _ database: Database) -> Result<Void, StoreError> {
    do throws(StoreError) {
      try checkOpen()
      try batch.check(after: progress.withLock { $0.meta })
      try inTransaction(database) {
        let insert = try Prepared(LogTable.insert, database)
        for record in batch.records { try insert.run { LogTable.bind(record, to: &$0) } }
        try HookRunTable.add(batch.hookRuns, database)
        try StateTables.write(batch, database)
      }
      progress.withLock { $0.meta = batch.meta }
      return .success(())
    } catch {
      return .failure(error)
    }
  }

  /// Runs `body` in a transaction and makes it durable. After an error whose outcome is not known
  /// the store accepts nothing any more.
  func inTransaction<Value>(
    _ database: Database, _ body: () throws -> Value
  ) throws(StoreError) -> Value {
    let value: Value
    do {
      try database.beginTransaction(.immediate)
      value = try body()
    } catch {
      throw noted(Faults.writing(error, isUndone: rollBack(database), path: path))
    }
    do {
      try database.commit()
    } catch {
      throw noted(Faults.committing(error, isUndone: rollBack(database), path: path))
    }
    return value
  }

  /// - Returns: Whether there is no transaction any more.
  private func rollBack(_ database: Database) -> Bool {
    // SQLite may have done so by itself; only the result counts.
    try? database.rollback()
    return !database.isInsideTransaction
  }

  private func noted(_ error: StoreError) -> StoreError {
    if case .outcomeUnknown = error { progress.withLock { $0.condition = .fatal(error) } }
    return error
  }
}

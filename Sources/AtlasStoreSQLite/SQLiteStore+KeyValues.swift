import AtlasStore
import GRDB

/// A hook's write on its way to the disk.
struct WaitingWrite: Sendable {
  let write: KeyValueTable.Write
  let continuation: CheckedContinuation<Result<Bool, StoreError>, Never>
}

extension SQLiteStore {
  /// Writes of one transaction: a thousand hooks that store something at once cost a few waits for
  /// the disk, and a commit of the engine waits for one of them.
  private static let writesPerTransaction = 256

  package func setKeyValue(
    client: String, key: String, to value: [UInt8]?, if condition: KeyValueCondition
  ) async throws(StoreError) -> Bool {
    let write = KeyValueTable.Write(client: client, key: key, value: value, condition: condition)
    let result = await withCheckedContinuation { continuation in
      let isFirst = waiting.withLock { waiting in
        waiting.append(WaitingWrite(write: write, continuation: continuation))
        return waiting.count == 1
      }
      if isFirst { scheduleWaiting() }
    }
    return try result.get()
  }

  /// Puts the writes that wait into the writer's queue, behind the commits that are there.
  private func scheduleWaiting() {
    pool.asyncWriteWithoutTransaction { database in
      let (group, isMore) = self.takeWaiting()
      if isMore { self.scheduleWaiting() }
      let results = self.perform(group.map(\.write), database)
      for (waiting, result) in zip(group, results) {
        waiting.continuation.resume(returning: result)
      }
      self.maintain(database)
    }
  }

  private func takeWaiting() -> (group: [WaitingWrite], isMore: Bool) {
    waiting.withLock { waiting in
      let group = Array(waiting.prefix(Self.writesPerTransaction))
      waiting.removeFirst(group.count)
      return (group, !waiting.isEmpty)
    }
  }

  /// Performs writes one after the other in one transaction; what is refused to one of them is
  /// nothing to the others.
  private func perform(
    _ group: [KeyValueTable.Write], _ database: Database
  ) -> [Result<Bool, StoreError>] {
    do throws(StoreError) {
      try checkOpen()
      return try inTransaction(database) {
        try group.map { write in
          do {
            return .success(try KeyValueTable.perform(write, database))
          } catch let refusal as StoreError {
            return .failure(refusal)
          }
        }
      }
    } catch {
      return group.map { _ in .failure(error) }
    }
  }
}

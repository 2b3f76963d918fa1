import AtlasStore
import Dispatch
import GRDB
import Synchronization

/// The store of a daemon: one SQLite file, `atlas.db`, in a data directory of its own.
///
/// One connection writes, and two that cannot write read the history beside it. The file is in WAL
/// mode, commits wait for the disk (`synchronous = FULL`), and only the writer copies the
/// write-ahead log back, between batches: SQLite before 3.51.3 can lose data when two connections
/// do so at once.
///
/// What SQLite does, it does on the queues of GRDB's connections and never on a thread of Swift's
/// pool. A cancelled task does not interrupt anything here, least of all a commit.
package final class SQLiteStore: Store {
  let pool: DatabasePool
  let path: String
  let options: SQLiteStoreOptions
  private let lock: Mutex<DirectoryLock?>
  let progress: Mutex<Progress>
  let waiting = Mutex<[WaitingWrite]>([])

  /// What the writer knows between two commits.
  struct Progress {
    var condition = Condition.open
    /// Counters as of the newest commit.
    var meta: StoreMeta?
    /// Pages written to the write-ahead log since it was last copied back.
    var pagesWritten = 0
    /// Reads under way, and who waits for them to end.
    var reads = 0
    var whenNobodyReads: CheckedContinuation<Void, Never>?

    func checkOpen() throws(StoreError) {
      switch condition {
      case .open: return
      case .fatal(let error): throw error
      case .closed: throw .closed
      }
    }
  }

  enum Condition {
    case open
    /// The outcome of a commit is unknown; only a restart can tell.
    case fatal(StoreError)
    case closed
  }

  /// Opens the store in `directory`, making both if they do not exist. Blocks while it recovers
  /// what a crash has left, or brings an older file up to this version.
  ///
  /// - Throws: ``StoreError/inUse(path:pid:)`` while another daemon has the directory,
  ///   ``StoreError/format(_:)`` for a file that is damaged, newer or no store, and
  ///   ``StoreError/failed(_:)`` when it cannot be opened or would not wait for the disk.
  package init(
    directory: String, options: SQLiteStoreOptions = SQLiteStoreOptions()
  ) throws(StoreError) {
    try DataDirectory.create(directory)
    lock = Mutex(try DirectoryLock(directory: directory))
    path = directory + "/atlas.db"
    self.options = options
    do {
      pool = try Self.open(path, options)
      progress = Mutex(Progress(meta: try pool.read { try Self.checkedMeta($0) }))
    } catch {
      throw Faults.opening(error, path: path)
    }
    try DataDirectory.sync(directory)
  }

  package func load() async throws(StoreError) -> StoredState {
    try await read { try StateTables.load($0) }
  }

  /// Waits for what is under way, copies the write-ahead log back, and gives the directory free.
  package func close() async throws(StoreError) {
    let wasOpen = try stopAccepting()
    let flushed = wasOpen ? await onWriter { self.flush($0) } : .success(())
    // GRDB does not protect the closing of a pool against reads that begin at the same time.
    await waitForReads()
    let pool = self.pool
    let closed: Result<Void, any Error> = await withCheckedContinuation { continuation in
      // Waits for the connections' queues, so not on a thread of Swift's pool.
      DispatchQueue.global().async {
        continuation.resume(returning: Result { try pool.close() })
      }
    }
    lock.withLock { $0 = nil }
    try flushed.get()
    if case .failure(let error) = closed { throw Faults.reading(error, path: path) }
  }
}

// MARK: - Queues

extension SQLiteStore {
  /// Runs `body` on the writer's queue; it gets a result or an error, but no exception.
  func onWriter<Value: Sendable>(
    _ body: @escaping @Sendable (Database) -> Value
  ) async -> Value {
    // Not GRDB's own `async` methods: those stop a transaction when the task is cancelled.
    await withCheckedContinuation { continuation in
      pool.asyncWriteWithoutTransaction { continuation.resume(returning: body($0)) }
    }
  }

  /// Runs `body` on a reader: it sees one state of the store, with all of the commits that had
  /// returned before.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    try beginRead()
    let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
      pool.asyncRead { database in
        continuation.resume(returning: Result { try body(try database.get()) })
      }
    }
    endRead()
    do {
      return try result.get()
    } catch {
      throw Faults.reading(error, path: path)
    }
  }

  private func beginRead() throws(StoreError) {
    try progress.withLock { progress throws(StoreError) in
      try progress.checkOpen()
      progress.reads += 1
    }
  }

  private func endRead() {
    let waiting = progress.withLock { progress in
      progress.reads -= 1
      return progress.reads == 0 ? progress.whenNobodyReads : nil
    }
    waiting?.resume()
  }

  /// Waits for reads under way; no more can begin.
  private func waitForReads() async {
    await withCheckedContinuation { continuation in
      let isIdle = progress.withLock { progress in
        if progress.reads > 0 { progress.whenNobodyReads = continuation }
        return progress.reads == 0
      }
      if isIdle { continuation.resume() }
    }
  }

  /// - Throws: Why nothing can be done with the store any more.
  func checkOpen() throws(StoreError) {
    try progress.withLock { progress throws(StoreError) in try progress.checkOpen() }
  }

  /// - Returns: Whether the store was in order until now.
  private func stopAccepting() throws(StoreError) -> Bool {
    try progress.withLock { progress throws(StoreError) in
      defer { progress.condition = .closed }
      switch progress.condition {
      case .open: return true
      case .fatal: return false
      case .closed: throw .closed
      }
    }
  }
}

import AtlasModel
import Synchronization

/// A store in memory: for the simulator and for tests of what stands above a store.
///
/// It keeps every promise of ``Store`` (the conformance suite says so), and breaks them exactly
/// where ``MemoryStoreFaults`` say. Its methods do not suspend, so that a deterministic program
/// can call them without a task.
package final class MemoryStore: Store {
  private let disk: MemoryDisk
  private let session: Int
  private let progress: Mutex<Progress>

  /// Opens the store that is on `disk`.
  /// - Throws: ``StoreError/inUse(path:pid:)`` while another store has it open.
  package init(
    disk: MemoryDisk = MemoryDisk(), faults: MemoryStoreFaults = MemoryStoreFaults()
  ) throws(StoreError) {
    self.disk = disk
    session = try disk.open()
    progress = Mutex(Progress(faults: faults))
  }

  private struct Progress {
    var faults: MemoryStoreFaults
    var commits = 0
    /// Set once the outcome of a commit is unknown: the process must end.
    var fatal: StoreError?
  }

  /// Lets the next commit fail in this way.
  package func failNextCommit(_ fault: CommitFault) {
    progress.withLock { $0.faults.commits[$0.commits + 1] = fault }
  }

  package func load() throws(StoreError) -> StoredState {
    try read { $0.state }
  }

  package func commit(_ batch: Batch) throws(StoreError) {
    let (fault, syncing) = try beginCommit()
    switch fault {
    case nil:
      try disk.write(session: session, syncing: syncing) { contents throws(StoreError) in
        try contents.commit(batch)
      }
    case .failed:
      throw .failed("no space left on device")
    case .unknownAndLost:
      throw becomeFatal()
    case .unknownAndKept:
      try disk.write(session: session, syncing: true) { contents throws(StoreError) in
        try contents.commit(batch)
      }
      throw becomeFatal()
    }
  }

  private func beginCommit() throws(StoreError) -> (fault: CommitFault?, syncing: Bool) {
    try progress.withLock { progress throws(StoreError) in
      if let fatal = progress.fatal { throw fatal }
      progress.commits += 1
      let fault = progress.faults.commits[progress.commits]
      let syncs = !progress.faults.acknowledgesBeforeSync && !Plant.storeDoesNotSync.isOn
      return (fault, syncs)
    }
  }

  private func becomeFatal() -> StoreError {
    progress.withLock { progress in
      let error = StoreError.outcomeUnknown("input/output error")
      progress.fatal = error
      return error
    }
  }

  private func read<Value: Sendable>(
    _ body: @Sendable (MemoryStoreContents) -> Value
  ) throws(StoreError) -> Value {
    if let fatal = progress.withLock({ $0.fatal }) { throw fatal }
    return try disk.read(session: session, body)
  }

  package func close() throws(StoreError) {
    try disk.close(session: session)
  }
}

// MARK: - History and values of hooks

extension MemoryStore {
  package func records(
    after seq: UInt64, limit: Int, filter: RecordFilter
  ) throws(StoreError) -> [LogRecord] {
    try read { $0.records(after: seq, limit: limit, filter: filter) }
  }

  package func records(
    before seq: UInt64?, limit: Int, filter: RecordFilter
  ) throws(StoreError) -> [LogRecord] {
    try read { $0.records(before: seq, limit: limit, filter: filter) }
  }

  package func hookRuns(
    after id: Int64, limit: Int, filter: RecordFilter
  ) throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    try read { $0.hookRuns(after: id, limit: limit, filter: filter) }
  }

  package func hookRuns(
    before id: Int64?, limit: Int, filter: RecordFilter
  ) throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    try read { $0.hookRuns(before: id, limit: limit, filter: filter) }
  }

  package func hookTotals(campaign: String) throws(StoreError) -> HookTotals {
    try read { $0.hookTotals(campaign: campaign) }
  }

  package func keyValue(client: String, key: String) throws(StoreError) -> [UInt8]? {
    try read { $0.keyValue(client: client, key: key) }
  }

  package func setKeyValue(
    client: String, key: String, to value: [UInt8]?, if condition: KeyValueCondition
  ) throws(StoreError) -> Bool {
    let (fatal, syncing) = progress.withLock {
      ($0.fatal, !$0.faults.acknowledgesBeforeSync)
    }
    if let fatal { throw fatal }
    return try disk.write(session: session, syncing: syncing) { contents throws(StoreError) in
      try contents.setKeyValue(client: client, key: key, to: value, if: condition)
    }
  }
}

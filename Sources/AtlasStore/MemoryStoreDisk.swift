import Synchronization

/// What a memory store leaves behind: the counterpart of a data directory, which outlives the
/// stores that are opened on it, and crashes.
package final class MemoryDisk: Sendable {
  private let state = Mutex(State())

  package init() {}

  /// Makes durable what was acknowledged without being so; see ``MemoryStoreFaults``.
  package func sync() {
    state.withLock { $0.sync() }
  }

  /// Ends the process that has the disk open, as a power cut would: what was not synced is gone,
  /// and the store that was open refuses everything.
  package func crash() {
    state.withLock { state in
      state.unsynced = nil
      state.isOpen = false
    }
  }

  /// Another disk with what would survive a crash of this one now: a backup, or its restoration.
  package func copy() -> MemoryDisk {
    let contents = state.withLock { $0.synced }
    let copy = MemoryDisk()
    copy.state.withLock { $0.synced = contents }
    return copy
  }

  /// Opens the disk for one store; the number tells that store from those before and after it.
  func open() throws(StoreError) -> Int {
    try state.withLock { state throws(StoreError) in
      if state.isOpen { throw .inUse(path: "memory", pid: nil) }
      state.isOpen = true
      state.session += 1
      return state.session
    }
  }

  /// Writes everything out and gives the disk free for the next store.
  func close(session: Int) throws(StoreError) {
    try state.withLock { state throws(StoreError) in
      try state.check(session)
      state.sync()
      state.isOpen = false
    }
  }

  /// Reads what is visible now.
  func read<Value: Sendable>(
    session: Int, _ body: @Sendable (MemoryStoreContents) -> Value
  ) throws(StoreError) -> Value {
    try state.withLock { state throws(StoreError) in
      try state.check(session)
      return body(state.unsynced ?? state.synced)
    }
  }

  /// Applies a change that is visible at once, and durable as well if `syncing`.
  func write<Value: Sendable>(
    session: Int, syncing: Bool,
    _ change: @Sendable (inout MemoryStoreContents) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try state.withLock { state throws(StoreError) in
      try state.check(session)
      return try state.write(syncing: syncing, change)
    }
  }

  private struct State {
    var isOpen = false
    var session = 0
    /// What survives a crash.
    var synced = MemoryStoreContents()
    /// What is visible instead, while there is something that would not survive.
    var unsynced: MemoryStoreContents?

    func check(_ session: Int) throws(StoreError) {
      guard isOpen, self.session == session else { throw .closed }
    }

    mutating func sync() {
      if let unsynced { synced = unsynced }
      unsynced = nil
    }

    mutating func write<Value>(
      syncing: Bool, _ change: (inout MemoryStoreContents) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
      if syncing {
        sync()
        return try change(&synced)
      }
      // Moved out and back, so that only the first change after a sync copies the contents.
      var contents = unsynced ?? synced
      unsynced = nil
      defer { unsynced = contents }
      return try change(&contents)
    }
  }
}

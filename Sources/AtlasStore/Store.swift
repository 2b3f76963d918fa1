import AtlasModel

/// Where the control machine's commits go, and where history is read from.
///
/// One process owns a store, and one caller commits to it, one batch at a time. What ``commit(_:)``
/// has returned for survives `kill -9` and power loss; what it has not returned for is not visible
/// to any read. A commit that throws ``StoreError/outcomeUnknown(_:)`` may or may not be there
/// after a restart: the caller must exit and recover.
package protocol Store: Sendable {
  /// Everything the control machine needs to go on; nil meta for a store that is new.
  func load() async throws(StoreError) -> StoredState

  /// Makes `batch` durable, as one transaction.
  ///
  /// Refuses a batch whose first record does not follow the last one, by position and by hash.
  func commit(_ batch: Batch) async throws(StoreError)

  /// Records of the log after position `seq`, oldest first, at most ``Limits/page``.
  func records(after seq: UInt64, limit: Int, filter: RecordFilter) async throws(StoreError)
    -> [LogRecord]

  /// Records of the log before position `seq` (nil: from the end), newest first.
  func records(before seq: UInt64?, limit: Int, filter: RecordFilter) async throws(StoreError)
    -> [LogRecord]

  /// Hook runs after row `id` (0: from the first), oldest first, at most ``Limits/page``.
  func hookRuns(after id: Int64, limit: Int, filter: RecordFilter) async throws(StoreError)
    -> [(id: Int64, row: HookRunRow)]

  /// Hook runs before row `id` (nil: from the last), newest first, at most ``Limits/page``.
  func hookRuns(before id: Int64?, limit: Int, filter: RecordFilter) async throws(StoreError)
    -> [(id: Int64, row: HookRunRow)]

  /// What hooks did in a campaign: runs, and host calls by name.
  func hookTotals(campaign: String) async throws(StoreError) -> HookTotals

  /// A value that a hook of `client` stored; nil when there is none.
  func keyValue(client: String, key: String) async throws(StoreError) -> [UInt8]?

  /// Stores or (nil) removes a value, durably, if the present one is as `condition` says.
  /// - Returns: whether it was.
  func setKeyValue(
    client: String, key: String, to value: [UInt8]?, if condition: KeyValueCondition
  ) async throws(StoreError) -> Bool

  /// Flushes and closes; nothing may be called afterwards.
  func close() async throws(StoreError)
}

/// What a store holds when the daemon starts.
package struct StoredState: Hashable, Sendable {
  /// Nil for a store that has never been committed to.
  package var meta: StoreMeta?
  /// All rows of current state, in the order of their keys.
  package var rows: [StateRow]
  /// Commands not acknowledged yet, by fence.
  package var outbox: [OutboxRow]
  /// Answers not forgotten yet, oldest first.
  package var answers: [AnswerRow]

  package init(
    meta: StoreMeta? = nil, rows: [StateRow] = [], outbox: [OutboxRow] = [],
    answers: [AnswerRow] = []
  ) {
    self.meta = meta
    self.rows = rows
    self.outbox = outbox
    self.answers = answers
  }
}

/// Which records or hook runs are wanted; nil fields match everything.
package struct RecordFilter: Hashable, Sendable {
  package var campaign: String?
  package var client: String?
  package var server: String?

  package init(campaign: String? = nil, client: String? = nil, server: String? = nil) {
    self.campaign = campaign
    self.client = client
    self.server = server
  }
}

/// What all hooks of a campaign did, added up.
package struct HookTotals: Hashable, Sendable {
  package var hookRuns: Int
  /// By name of the call, such as `http.get`; sorted by name.
  package var calls: [CallCount]

  package init(hookRuns: Int = 0, calls: [CallCount] = []) {
    self.hookRuns = hookRuns
    self.calls = calls
  }

  package struct CallCount: Hashable, Sendable {
    package var name: String
    package var count: Int
    package var errors: Int

    package init(name: String, count: Int, errors: Int) {
      self.name = name
      self.count = count
      self.errors = errors
    }
  }
}

/// What must be true of the present value for a write to happen.
package enum KeyValueCondition: Hashable, Sendable {
  case always
  case absent
  case equals([UInt8])
}

/// Why a store could not do what it was asked.
package enum StoreError: Error, Hashable, Sendable {
  /// Another process has the store open: which one, where the store could tell.
  case inUse(path: String, pid: Int32?)
  /// The store was written by a newer version, or is not a store.
  case format(String)
  /// A batch that does not continue the log; nothing was written. Where the positions agree, it is
  /// the hash that does not follow.
  case outOfOrder(expected: UInt64, got: UInt64)
  /// No space, no permission, an I/O error; nothing was written.
  case failed(String)
  /// The commit failed in a way that leaves its outcome open. Fatal: exit and recover.
  case outcomeUnknown(String)
  /// More than one client may store; see ``KeyValueLimits``.
  case full(String)
  /// The store was closed before.
  case closed
}

import AtlasModel
import AtlasStore
import GRDB

/// Current state: rows, outbox, answers and counters.
enum StateTables {
  /// Writes everything of `batch` but its records and hook runs.
  static func write(_ batch: Batch, _ database: Database) throws {
    try putRows(batch, database)
    try putOutbox(batch, database)
    try putAnswers(batch, database)
    try Prepared(putMeta, database).run { bind(batch.meta, to: &$0) }
  }

  /// Everything that is loaded at a start.
  static func load(_ database: Database) throws -> StoredState {
    StoredState(
      meta: try meta(database),
      rows: try Prepared(allRows, database).rows { try readRow(&$0) },
      outbox: try Prepared(allOutbox, database).rows {
        OutboxRow(
          fence: UInt64(clamping: $0.number()), server: $0.number(), body: $0.bytes())
      },
      answers: try Prepared(allAnswers, database).rows {
        AnswerRow(
          principal: $0.text(), method: $0.text(), requestID: $0.text(),
          contentHash: $0.bytes(), answer: $0.bytes(), realTimeMilliseconds: $0.number())
      })
  }

  /// The counters; nil before the first commit.
  static func meta(_ database: Database) throws -> StoreMeta? {
    try Prepared(onlyMeta, database).rows {
      StoreMeta(
        fence: UInt64(clamping: $0.number()), campaignTime: Instant(milliseconds: $0.number()),
        demoFactor: Int($0.number()), lastSeq: UInt64(clamping: $0.number()),
        lastHash: $0.bytes())
    }.first
  }
}

// MARK: - Rows of state

extension StateTables {
  private static let putRow = """
    INSERT INTO state (kind, owner, number, name, state, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (kind, owner, number) DO UPDATE
      SET name = excluded.name, state = excluded.state, body = excluded.body
    """
  private static let removeRow = "DELETE FROM state WHERE kind = ?1 AND owner = ?2 AND number = ?3"
  private static let allRows = """
    SELECT kind, owner, number, name, state, body FROM state ORDER BY kind, owner, number
    """

  private static func putRows(_ batch: Batch, _ database: Database) throws {
    let put = try Prepared(putRow, database)
    for row in batch.puts {
      try put.run { values in
        bind(row.key, to: &values)
        values.add(row.name)
        values.add(row.state)
        values.add(row.body)
      }
    }
    guard !batch.removals.isEmpty else { return }
    let remove = try Prepared(removeRow, database)
    for key in batch.removals { try remove.run { bind(key, to: &$0) } }
  }

  private static func bind(_ key: StateKey, to values: inout Values) {
    values.add(kind(of: key.table))
    values.add(key.owner)
    values.add(key.number)
  }

  private static func readRow(_ row: inout Columns) throws -> StateRow {
    let kind = row.number()
    guard let table = StateTable.allCases.first(where: { self.kind(of: $0) == kind }) else {
      throw StoreError.format("the store has rows of a kind (\(kind)) that is not known here")
    }
    return StateRow(
      key: StateKey(table: table, owner: row.number(), number: row.number()),
      name: row.text(), state: row.text(), body: row.bytes())
  }

  /// What stands for a table in the file, whatever becomes of the order of the cases. It follows
  /// the order of keys.
  private static func kind(of table: StateTable) -> Int64 {
    switch table {
    case .client: 1
    case .server: 2
    case .campaign: 3
    case .run: 4
    case .setting: 5
    }
  }
}

// MARK: - Outbox, answers, counters

extension StateTables {
  private static let putCommand = """
    INSERT INTO outbox (fence, server, body) VALUES (?1, ?2, ?3)
    ON CONFLICT (fence) DO UPDATE SET server = excluded.server, body = excluded.body
    """
  private static let removeCommand = "DELETE FROM outbox WHERE fence = ?1"
  private static let allOutbox = "SELECT fence, server, body FROM outbox ORDER BY fence"

  private static func putOutbox(_ batch: Batch, _ database: Database) throws {
    let put = try Prepared(putCommand, database)
    for row in batch.outboxPuts {
      try put.run { values in
        values.add(Int64(clamping: row.fence))
        values.add(row.server)
        values.add(row.body)
      }
    }
    let remove = try Prepared(removeCommand, database)
    // A fence that does not fit was never put.
    for fence in batch.outboxRemovals.compactMap(Int64.init(exactly:)) {
      try remove.run { $0.add(fence) }
    }
  }

  private static let forget = "DELETE FROM answers WHERE real_time_ms < ?1"
  /// A kept answer takes a new place in the order, also where it replaces another.
  private static let keep = """
    INSERT OR REPLACE INTO answers
      (principal, method, request_id, content_hash, answer, real_time_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    """
  private static let allAnswers = """
    SELECT principal, method, request_id, content_hash, answer, real_time_ms FROM answers
    ORDER BY real_time_ms, id
    """

  private static func putAnswers(_ batch: Batch, _ database: Database) throws {
    if let limit = batch.forgetAnswersBefore {
      try Prepared(forget, database).run { $0.add(limit) }
    }
    guard !batch.answers.isEmpty else { return }
    let keep = try Prepared(keep, database)
    for row in batch.answers {
      try keep.run { values in
        values.add(row.principal)
        values.add(row.method)
        values.add(row.requestID)
        values.add(row.contentHash)
        values.add(row.answer)
        values.add(row.realTimeMilliseconds)
      }
    }
  }

  private static let putMeta = """
    INSERT INTO meta (id, fence, campaign_time_ms, demo_factor, last_seq, last_hash)
    VALUES (1, ?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id) DO UPDATE
      SET fence = excluded.fence, campaign_time_ms = excluded.campaign_time_ms,
        demo_factor = excluded.demo_factor, last_seq = excluded.last_seq,
        last_hash = excluded.last_hash
    """
  private static let onlyMeta = """
    SELECT fence, campaign_time_ms, demo_factor, last_seq, last_hash FROM meta
    """

  private static func bind(_ meta: StoreMeta, to values: inout Values) {
    values.add(Int64(clamping: meta.fence))
    values.add(meta.campaignTime.milliseconds)
    values.add(Int64(meta.demoFactor))
    values.add(Int64(clamping: meta.lastSeq))
    values.add(meta.lastHash)
  }
}

import AtlasStore
import GRDB

/// What hooks have stored, by client and key, and how much of it each client has.
enum KeyValueTable {
  /// A write that a hook asks for.
  struct Write: Sendable {
    var client: String
    var key: String
    var value: [UInt8]?
    var condition: KeyValueCondition
  }

  static func value(client: String, key: String, _ database: Database) throws -> [UInt8]? {
    let sql = "SELECT value FROM key_values WHERE client = ?1 AND key = ?2"
    return try Prepared(sql, database).rows {
      $0.add(client)
      $0.add(key)
    } read: {
      $0.bytes()
    }.first
  }

  /// Does what `write` asks for if its condition holds, and says whether it did.
  /// - Throws: ``StoreError/full(_:)`` before anything was written.
  static func perform(_ write: Write, _ database: Database) throws -> Bool {
    let present = try value(client: write.client, key: write.key, database)
    guard write.condition.holds(for: present) else { return false }
    let usage = try usage(of: write.client, database)
      .replacing(present?.count, with: write.value?.count, key: write.key)
    if let value = write.value {
      try put(value, client: write.client, key: write.key, database)
    } else {
      try remove(client: write.client, key: write.key, database)
    }
    try put(usage, of: write.client, database)
    return true
  }

  private static func put(
    _ value: [UInt8], client: String, key: String, _ database: Database
  ) throws {
    let sql = """
      INSERT INTO key_values (client, key, value) VALUES (?1, ?2, ?3)
      ON CONFLICT (client, key) DO UPDATE SET value = excluded.value
      """
    try Prepared(sql, database).run { values in
      values.add(client)
      values.add(key)
      values.add(value)
    }
  }

  private static func remove(client: String, key: String, _ database: Database) throws {
    let sql = "DELETE FROM key_values WHERE client = ?1 AND key = ?2"
    try Prepared(sql, database).run { values in
      values.add(client)
      values.add(key)
    }
  }

  private static func usage(of client: String, _ database: Database) throws -> KeyValueUsage {
    let sql = "SELECT keys, bytes FROM key_value_usage WHERE client = ?1"
    return try Prepared(sql, database).rows {
      $0.add(client)
    } read: {
      KeyValueUsage(keys: Int($0.number()), bytes: Int($0.number()))
    }.first ?? KeyValueUsage()
  }

  private static func put(
    _ usage: KeyValueUsage, of client: String, _ database: Database
  ) throws {
    let sql = """
      INSERT INTO key_value_usage (client, keys, bytes) VALUES (?1, ?2, ?3)
      ON CONFLICT (client) DO UPDATE SET keys = excluded.keys, bytes = excluded.bytes
      """
    try Prepared(sql, database).run { values in
      values.add(client)
      values.add(Int64(usage.keys))
      values.add(Int64(usage.bytes))
    }
  }
}

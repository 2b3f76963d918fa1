import AtlasModel
import AtlasStore

/// The log: columns, and how a record is written to them and read from them.
enum LogTable {
  /// In the order of ``bind(_:to:)`` and ``read(_:)``.
  private static let columns = [
    "seq", "campaign_time_ms", "real_time_ms", "kind", "campaign", "client", "server", "ring",
    "run", "from_state", "to_state", "phase", "attempt", "pass", "fence", "detail", "reason",
    "principal", "previous_hash", "hash",
  ]

  static let index = SubjectIndex(
    name: "log_subjects", table: "log", key: "seq", columns: columns)

  static let insert = insertion(into: "log", columns)

  static let lastRow = "SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1"

  static func bind(_ record: LogRecord, to values: inout Values) {
    values.add(Int64(clamping: record.seq))
    values.add(record.campaignTime.milliseconds)
    values.add(record.realTimeMilliseconds)
    values.add(record.kind)
    values.add(record.campaign)
    values.add(record.client)
    values.add(record.server)
    values.add(record.ring.map(Int64.init))
    values.add(record.run.map(Int64.init))
    values.add(record.fromState)
    values.add(record.toState)
    values.add(record.phase)
    values.add(record.attempt.map(Int64.init))
    values.add(record.pass.map(Int64.init))
    values.add(record.fence.map(Int64.init(clamping:)))
    values.add(record.detail)
    values.add(record.reason)
    values.add(record.principal)
    values.add(record.previousHash)
    values.add(record.hash)
  }

  static func read(_ row: inout Columns) -> LogRecord {
    LogRecord(
      seq: UInt64(clamping: row.number()),
      campaignTime: Instant(milliseconds: row.number()),
      realTimeMilliseconds: row.number(),
      kind: row.text(),
      campaign: row.text(),
      client: row.text(),
      server: row.text(),
      ring: row.numberIfPresent().map(Int.init),
      run: row.numberIfPresent().map(Int.init),
      fromState: row.text(),
      toState: row.text(),
      phase: row.text(),
      attempt: row.numberIfPresent().map(Int.init),
      pass: row.numberIfPresent().map(Int.init),
      fence: row.numberIfPresent().map(UInt64.init(clamping:)),
      detail: row.text(),
      reason: row.text(),
      principal: row.text(),
      previousHash: row.bytes(),
      hash: row.bytes())
  }
}

/// An `INSERT` of one row with a placeholder for every column.
func insertion(into table: String, _ columns: [String]) -> String {
  let places = columns.indices.map { "?\($0 + 1)" }
  return "INSERT INTO \(table) (\(columns.joined(separator: ", "))) "
    + "VALUES (\(places.joined(separator: ", ")))"
}

import AtlasModel
import AtlasStore
import GRDB

/// The hook runs that have ended, and their totals by campaign.
enum HookRunTable {
  /// In the order of ``bind(_:id:to:)`` and ``read(_:)``.
  private static let columns = [
    "id", "run_key", "campaign", "client", "server", "point", "attempt", "outcome", "message",
    "error_kind", "file", "line", "traceback", "revision", "started_at_ms", "took_ms", "cpu_us",
    "peak_memory_bytes", "calls",
  ]

  static let index = SubjectIndex(
    name: "hook_run_subjects", table: "hook_runs", key: "id", columns: columns)

  private static let insert = insertion(into: "hook_runs", columns)

  /// Number of the last row; 0 when there is none.
  static func last(_ database: Database) throws -> Int64 {
    try Prepared("SELECT coalesce(max(id), 0) FROM hook_runs", database)
      .rows { $0.number() }.first ?? 0
  }

  /// Adds rows at the end and counts them in the totals.
  static func add(_ rows: [HookRunRow], _ database: Database) throws {
    guard !rows.isEmpty else { return }
    let insert = try Prepared(insert, database)
    let countRun = try Prepared(countRun, database)
    let countCall = try Prepared(countCall, database)
    var id = try last(database)
    for row in rows {
      id += 1
      try insert.run { bind(row, id: id, to: &$0) }
      try countRun.run { $0.add(row.campaign) }
      for call in try row.callCounts() {
        try countCall.run { values in
          values.add(row.campaign)
          values.add(call.name)
          values.add(Int64(call.count))
          values.add(Int64(call.errors))
        }
      }
    }
  }

  static func totals(campaign: String, _ database: Database) throws -> HookTotals {
    let runs = "SELECT runs FROM hook_totals WHERE campaign = ?1"
    let calls = "SELECT name, count, errors FROM hook_call_totals WHERE campaign = ?1 ORDER BY name"
    return HookTotals(
      hookRuns: try Prepared(runs, database)
        .rows {
          $0.add(campaign)
        } read: {
          Int($0.number())
        }.first ?? 0,
      calls: try Prepared(calls, database)
        .rows {
          $0.add(campaign)
        } read: {
          HookTotals.CallCount(name: $0.text(), count: Int($0.number()), errors: Int($0.number()))
        })
  }

  static func read(_ row: inout Columns) -> (id: Int64, row: HookRunRow) {
    let id = row.number()
    let hookRun = HookRunRow(
      key: row.text(),
      campaign: row.text(),
      client: row.text(),
      server: row.text(),
      point: row.text(),
      attempt: Int(row.number()),
      outcome: row.text(),
      message: row.text(),
      errorKind: row.text(),
      file: row.text(),
      line: Int(row.number()),
      traceback: row.text(),
      revision: row.text(),
      startedAt: Instant(milliseconds: row.number()),
      tookMilliseconds: row.number(),
      cpuMicroseconds: row.number(),
      peakMemoryBytes: row.number(),
      calls: row.text())
    return (id, hookRun)
  }

  private static func bind(_ row: HookRunRow, id: Int64, to values: inout Values) {
    values.add(id)
    values.add(row.key)
    values.add(row.campaign)
    values.add(row.client)
    values.add(row.server)
    values.add(row.point)
    values.add(Int64(row.attempt))
    values.add(row.outcome)
    values.add(row.message)
    values.add(row.errorKind)
    values.add(row.file)
    values.add(Int64(row.line))
    values.add(row.traceback)
    values.add(row.revision)
    values.add(row.startedAt.milliseconds)
    values.add(row.tookMilliseconds)
    values.add(row.cpuMicroseconds)
    values.add(row.peakMemoryBytes)
    values.add(row.calls)
  }

  private static let countRun = """
    INSERT INTO hook_totals (campaign, runs) VALUES (?1, 1)
    ON CONFLICT (campaign) DO UPDATE SET runs = runs + 1
    """

  private static let countCall = """
    INSERT INTO hook_call_totals (campaign, name, count, errors) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (campaign, name) DO UPDATE
      SET count = count + excluded.count, errors = errors + excluded.errors
    """
}

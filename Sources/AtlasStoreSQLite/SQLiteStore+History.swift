import AtlasModel
import AtlasStore

extension SQLiteStore {
  package func records(
    after seq: UInt64, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [LogRecord] {
    let page = SubjectIndex.Page(after: Int64(clamping: seq), limit: limit, filter: filter)
    return try await read { try LogTable.index.rows(of: page, $0, read: LogTable.read) }
  }

  package func records(
    before seq: UInt64?, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [LogRecord] {
    let page = SubjectIndex.Page(
      before: Int64(clamping: seq ?? .max), newestFirst: true, limit: limit, filter: filter)
    return try await read { try LogTable.index.rows(of: page, $0, read: LogTable.read) }
  }

  package func hookRuns(
    after id: Int64, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    let page = SubjectIndex.Page(after: id, limit: limit, filter: filter)
    return try await read { try HookRunTable.index.rows(of: page, $0, read: HookRunTable.read) }
  }

  package func hookRuns(
    before id: Int64?, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    let page = SubjectIndex.Page(
      before: id ?? .max, newestFirst: true, limit: limit, filter: filter)
    return try await read { try HookRunTable.index.rows(of: page, $0, read: HookRunTable.read) }
  }

  package func hookTotals(campaign: String) async throws(StoreError) -> HookTotals {
    try await read { try HookRunTable.totals(campaign: campaign, $0) }
  }

  package func keyValue(client: String, key: String) async throws(StoreError) -> [UInt8]? {
    try await read { try KeyValueTable.value(client: client, key: key, $0) }
  }
}

import GRDB
import GRDBSQLite

/// A compiled statement of a connection, with values bound and read by position.
///
/// GRDB's own arguments and rows go through arrays of boxed values, and end a text at a NUL: to
/// insert a row of the log takes 12 µs that way and 4 µs this way. So statements come from GRDB's
/// cache, run on its queue and in its transactions, and talk to SQLite's C interface themselves.
/// Like the connection, they are used on its queue only.
struct Prepared {
  private let statement: Statement
  private let handle: OpaquePointer

  init(_ sql: String, _ database: Database) throws {
    statement = try database.cachedStatement(sql: sql)
    handle = statement.sqliteStatement
  }

  /// Runs a statement that returns no rows.
  func run(_ bind: (inout Values) -> Void = { _ in }) throws {
    defer { sqlite3_reset(handle) }
    try begin(bind)
    let code = sqlite3_step(handle)
    guard code == SQLITE_DONE else { throw failure() }
  }

  /// Runs a query and reads every row of its answer.
  func rows<Row>(
    _ bind: (inout Values) -> Void = { _ in }, read: (inout Columns) throws -> Row
  ) throws -> [Row] {
    defer { sqlite3_reset(handle) }
    try begin(bind)
    var rows: [Row] = []
    while true {
      switch sqlite3_step(handle) {
      case SQLITE_ROW:
        var columns = Columns(handle)
        rows.append(try read(&columns))
      case SQLITE_DONE:
        return rows
      case _:
        throw failure()
      }
    }
  }

  private func begin(_ bind: (inout Values) -> Void) throws {
    var values = Values(handle)
    bind(&values)
    if values.code != SQLITE_OK {
      throw DatabaseError(resultCode: ResultCode(rawValue: values.code))
    }
  }

  private func failure() -> DatabaseError {
    let connection = sqlite3_db_handle(handle)
    return DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: String(cString: sqlite3_errmsg(connection)))
  }
}

/// The values of a statement, bound one after the other.
struct Values {
  private let handle: OpaquePointer
  private var position: Int32 = 0
  /// The last error of a binding; SQLite knows only "no memory" and "too big".
  private(set) var code = SQLITE_OK

  fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

  mutating func add(_ number: Int64) {
    position += 1
    note(sqlite3_bind_int64(handle, position, number))
  }

  mutating func add(_ number: Int64?) {
    if let number { return add(number) }
    addNull()
  }

  mutating func add(_ text: String) {
    position += 1
    var text = text
    let code = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        guard let start = characters.baseAddress else { return bindEmptyText() }
        return sqlite3_bind_text(handle, position, start, Int32(clamping: bytes.count), copied)
      }
    }
    note(code)
  }

  mutating func add(_ text: String?) {
    if let text { return add(text) }
    addNull()
  }

  mutating func add(_ bytes: [UInt8]) {
    position += 1
    // A null pointer would bind NULL.
    let code =
      bytes.isEmpty
      ? sqlite3_bind_zeroblob(handle, position, 0)
      : sqlite3_bind_blob(handle, position, bytes, Int32(clamping: bytes.count), copied)
    note(code)
  }

  private mutating func addNull() {
    position += 1
    note(sqlite3_bind_null(handle, position))
  }

  private func bindEmptyText() -> Int32 { sqlite3_bind_text(handle, position, "", 0, copied) }

  private mutating func note(_ code: Int32) {
    if code != SQLITE_OK { self.code = code }
  }
}

/// SQLite's mark for "make your own copy", a macro that Swift does not see.
private var copied: sqlite3_destructor_type {
  unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}

/// The columns of a row, read one after the other.
struct Columns {
  private let handle: OpaquePointer
  private var position: Int32 = -1

  fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

  mutating func number() -> Int64 {
    position += 1
    return sqlite3_column_int64(handle, position)
  }

  mutating func numberIfPresent() -> Int64? {
    let isNull = sqlite3_column_type(handle, position + 1) == SQLITE_NULL
    let value = number()
    return isNull ? nil : value
  }

  mutating func text() -> String {
    position += 1
    guard let start = sqlite3_column_text(handle, position) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, position))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  mutating func bytes() -> [UInt8] {
    position += 1
    guard let start = sqlite3_column_blob(handle, position) else { return [] }
    let count = Int(sqlite3_column_bytes(handle, position))
    return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }
}

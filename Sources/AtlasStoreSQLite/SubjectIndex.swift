import AtlasModel
import AtlasStore
import GRDB

/// Finds the rows of an append-only table that are about one campaign, client or server.
///
/// An ordinary index per subject touches a page of its own for nearly every row, and those pages
/// are written to disk with every commit: with three of them SQLite takes a third of the rows a
/// second, and more and more must be read back as the history grows. So this index is append-only
/// as well: once ``segmentSize`` rows have been written, they are added at its end, for one subject
/// after the other, ordered by (segment, subject, name, number). A search looks into each segment in turn, a few
/// microseconds for one with nothing in it, and at the rows that are not indexed yet one by one.
struct SubjectIndex: Sendable {
  /// Rows in a segment. Larger ones make fewer to look into, but a longer pause when a piece of
  /// one is written (some 10 ms), and more rows to look at one by one.
  static let segmentSize: Int64 = 8_192

  private let name: String
  private let key: String
  private let table: String
  private let scanUp: String
  private let scanDown: String
  private let searchUp: String
  private let searchDown: String

  /// - Parameters:
  ///   - name: The index, a table (segment, subject, name, number).
  ///   - table: The table it is over, with the columns `campaign`, `client` and `server`.
  ///   - key: The table's key, which counts from 1 without gaps.
  ///   - columns: The columns to read, the same for every query.
  init(name: String, table: String, key: String, columns: [String]) {
    self.name = name
    self.table = table
    self.key = key
    let columns = columns.map { "t.\($0)" }.joined(separator: ", ")
    let wanted = """
      (?4 IS NULL OR t.campaign = ?4) AND (?5 IS NULL OR t.client = ?5)
        AND (?6 IS NULL OR t.server = ?6)
      """
    let scan = """
      SELECT \(columns) FROM \(table) AS t
      WHERE t.\(key) > ?1 AND t.\(key) < ?2 AND \(wanted) ORDER BY t.\(key)
      """
    let search = """
      SELECT \(columns) FROM \(name) AS i CROSS JOIN \(table) AS t ON t.\(key) = i.number
      WHERE i.segment = ?7 AND i.subject = ?8 AND i.name = ?9
        AND i.number > ?1 AND i.number < ?2 AND \(wanted) ORDER BY i.number
      """
    scanUp = scan + " ASC LIMIT ?3"
    scanDown = scan + " DESC LIMIT ?3"
    searchUp = search + " ASC LIMIT ?3"
    searchDown = search + " DESC LIMIT ?3"
  }

  fileprivate enum Subject: Int64, CaseIterable {
    case campaign = 1
    case client = 2
    case server = 3

    var column: String {
      switch self {
      case .campaign: "campaign"
      case .client: "client"
      case .server: "server"
      }
    }
  }
}

// MARK: - Writing

extension SubjectIndex {
  /// A piece of the index that can be written: one segment for one subject.
  struct Piece {
    fileprivate let subject: Subject
    fileprivate let segment: Int64
  }

  /// The next piece to write for a table whose last row is `last`; nil when nothing is missing.
  func nextPiece(_ database: Database, last: Int64) throws -> Piece? {
    for subject in Subject.allCases {
      let segment = try segments(of: subject, database)
      if last >= (segment + 1) * Self.segmentSize {
        return Piece(subject: subject, segment: segment)
      }
    }
    return nil
  }

  /// Writes a piece, inside a transaction of the caller.
  func add(_ piece: Piece, _ database: Database) throws {
    let column = piece.subject.column
    let insert = """
      INSERT INTO \(name) (segment, subject, name, number)
      SELECT ?1, ?2, \(column), \(key) FROM \(table) WHERE \(key) > ?3 AND \(key) <= ?4
      ORDER BY \(column), \(key)
      """
    let start = piece.segment * Self.segmentSize
    try Prepared(insert, database).run { values in
      values.add(piece.segment)
      values.add(piece.subject.rawValue)
      values.add(start)
      values.add(start + Self.segmentSize)
    }
    let count = """
      INSERT INTO indexed_segments (index_name, subject, segments) VALUES (?1, ?2, ?3)
      ON CONFLICT (index_name, subject) DO UPDATE SET segments = excluded.segments
      """
    try Prepared(count, database).run { values in
      values.add(name)
      values.add(piece.subject.rawValue)
      values.add(piece.segment + 1)
    }
  }

  /// How many segments are in the index for a subject.
  private func segments(of subject: Subject, _ database: Database) throws -> Int64 {
    let sql = "SELECT segments FROM indexed_segments WHERE index_name = ?1 AND subject = ?2"
    return try Prepared(sql, database).rows {
      $0.add(name)
      $0.add(subject.rawValue)
    } read: {
      $0.number()
    }.first ?? 0
  }
}

// MARK: - Reading

extension SubjectIndex {
  /// A page of rows between two keys, both outside.
  struct Page {
    var after: Int64 = 0
    var before: Int64 = .max
    var newestFirst = false
    /// Rows wanted; at most ``Limits/page`` are read.
    var limit: Int
    var filter: RecordFilter
  }

  /// Reads the rows of a page, in the order of their keys, or the newest first.
  func rows<Row>(
    of page: Page, _ database: Database, read: (inout Columns) throws -> Row
  ) throws -> [Row] {
    let limit = Limits.pageSize(page.limit)
    let after = max(page.after, 0)
    guard limit > 0, page.before > 1, after < page.before - 1 else { return [] }
    let scan = try Prepared(page.newestFirst ? scanDown : scanUp, database)
    guard let (subject, name) = narrowest(page.filter) else {
      return try scan.rows({ $0.add(page, after: after, limit: limit) }, read: read)
    }
    let search = try Prepared(page.newestFirst ? searchDown : searchUp, database)

    // The segments from that of the first key to that of the last; what is not indexed yet
    // counts as one more.
    let end = try segments(of: subject, database)
    let first = min(after / Self.segmentSize, end)
    let last = min((page.before - 2) / Self.segmentSize, end)
    var rows: [Row] = []
    let order =
      page.newestFirst
      ? stride(from: last, through: first, by: -1) : stride(from: first, through: last, by: 1)
    for segment in order where rows.count < limit {
      let missing = limit - rows.count
      if segment == end {
        let start = max(after, end * Self.segmentSize)
        rows += try scan.rows({ $0.add(page, after: start, limit: missing) }, read: read)
      } else {
        rows += try search.rows(
          { values in
            values.add(page, after: after, limit: missing)
            values.add(segment)
            values.add(subject.rawValue)
            values.add(name)
          }, read: read)
      }
    }
    return rows
  }

  /// The one subject of the filter that is expected to have the fewest rows.
  private func narrowest(_ filter: RecordFilter) -> (Subject, name: String)? {
    if let server = filter.server { return (.server, server) }
    if let client = filter.client { return (.client, client) }
    if let campaign = filter.campaign { return (.campaign, campaign) }
    return nil
  }
}

extension Values {
  fileprivate mutating func add(_ page: SubjectIndex.Page, after: Int64, limit: Int) {
    add(after)
    add(page.before)
    add(Int64(limit))
    add(page.filter.campaign)
    add(page.filter.client)
    add(page.filter.server)
  }
}

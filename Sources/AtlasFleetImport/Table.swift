import AtlasModel

/// Rows of a CSV file or of a JSON list, with their header.
struct Table {
  /// A cell that is missing says nothing; an empty one says “none”.
  struct Row {
    var line: Int
    var cells: [CSVReader.Cell?]
    /// Differs from the number of columns when cells are missing or too many.
    var width: Int
  }

  private enum Source {
    case csv(CSVReader)
    case json(ArraySlice<SourceNode>)
  }

  /// Index of the document.
  let file: Int
  let header: [CSVReader.Cell]
  private var source: Source

  /// Reads the header of a CSV file; nil when the file is empty.
  init?(csv reader: CSVReader, file: Int) throws(SourceError) {
    var reader = reader
    guard let header = try reader.next() else { return nil }
    self.file = file
    self.header = header
    source = .csv(reader)
  }

  /// Takes a list of objects; its columns are all their keys.
  /// - Throws: ``SourceError`` when the list holds something else.
  init(json items: [SourceNode], file: Int) throws(SourceError) {
    var header: [CSVReader.Cell] = []
    var known: Set<String> = []
    for item in items {
      guard let entries = item.entries else {
        throw SourceError(
          line: item.line, message: "a row is \(item.description)",
          hint: "write an object such as {\"ServerName\": \"LAA-PARIS-DC01\"}")
      }
      for entry in entries where known.insert(entry.key).inserted {
        header.append(CSVReader.Cell(text: entry.key, line: entry.line))
      }
    }
    self.file = file
    self.header = header
    source = .json(items[...])
  }

  /// - Throws: ``SourceError`` when the file cannot be read on.
  mutating func next() throws(SourceError) -> Row? {
    switch source {
    case .csv(var reader):
      let cells = try reader.next()
      source = .csv(reader)
      guard let cells else { return nil }
      let padding = [CSVReader.Cell?](repeating: nil, count: max(0, header.count - cells.count))
      return Row(line: cells[0].line, cells: cells + padding, width: cells.count)
    case .json(var items):
      let item = items.popFirst()
      source = .json(items)
      return try item.map(row)
    }
  }

  private func row(_ item: SourceNode) throws(SourceError) -> Row {
    var cells = [CSVReader.Cell?](repeating: nil, count: header.count)
    for entry in item.entries ?? [] {
      guard let column = header.firstIndex(where: { $0.text == entry.key }) else { continue }
      switch entry.value.kind {
      case .null: cells[column] = CSVReader.Cell(text: "", line: entry.value.line)
      case .scalar(let text): cells[column] = CSVReader.Cell(text: text, line: entry.value.line)
      case .list, .map:
        throw SourceError(
          line: entry.value.line, message: "\(entry.key) is \(entry.value.description)",
          hint: "write a text or a number")
      }
    }
    return Row(line: item.line, cells: cells, width: header.count)
  }
}

/// A column of one of the tables, with the names it goes by.
protocol TableColumn: CaseIterable, Hashable {
  /// The names in our own and in the field's lists.
  var names: [String] { get }
  /// What a table without it would be.
  var isRequired: Bool { get }
}

/// Which column stands where.
struct ColumnMap<Column: TableColumn> {
  private var indexes: [Column: Int] = [:]
  private let header: [CSVReader.Cell]

  /// Names are compared without case, spaces, dashes and underscores: `UpdateOrder` is
  /// `update_order`.
  init(_ table: Table, _ diagnostics: inout DiagnosticList) {
    header = table.header
    for (index, cell) in header.enumerated() {
      let place = Place(file: table.file, line: cell.line)
      guard let column = Column.allCases.first(where: { $0.isNamed(cell.text) }) else {
        diagnostics.error(
          at: place, field: cell.text, "the column “\(cell.text)” is not known",
          hint: Self.hint(for: cell.text), client: nil)
        continue
      }
      guard indexes.updateValue(index, forKey: column) == nil else {
        diagnostics.error(
          at: place, field: cell.text, "the column “\(cell.text)” is there twice",
          hint: "keep one of them", client: nil)
        continue
      }
    }
    for column in Column.allCases where column.isRequired && indexes[column] == nil {
      diagnostics.error(
        at: Place(file: table.file, line: header.first?.line ?? 1), field: column.names[0],
        "the column \(column.names[0]) is missing", client: nil)
    }
  }

  /// The name of the column as the file writes it, for messages.
  func title(_ column: Column) -> String {
    indexes[column].map { header[$0].text } ?? column.names[0]
  }

  /// Nil when the table has no such column, or the row no such cell; white space around it is cut.
  func cell(_ column: Column, of row: Table.Row) -> CSVReader.Cell? {
    guard let index = indexes[column], var cell = row.cells[index] else { return nil }
    let isPadded = cell.text.first?.isWhitespace ?? false || cell.text.last?.isWhitespace ?? false
    if isPadded { cell.text = String(cell.text.trimmed) }
    return cell
  }

  private static func hint(for name: String) -> String {
    let all = Column.allCases.flatMap(\.names)
    return Spelling.nearest(to: name, among: all).map { "did you mean \($0)?" }
      ?? "known columns: " + Column.allCases.map { $0.names[0] }.joined(separator: ", ")
  }
}

extension TableColumn {
  func isNamed(_ title: String) -> Bool {
    let title = title.normalizedHeader
    return names.contains { $0.normalizedHeader == title }
  }
}

extension StringProtocol {
  /// Small letters and digits only.
  var normalizedHeader: String {
    String(lowercased().filter { !" _-".contains($0) })
  }

  /// Without white space at its ends.
  var trimmed: SubSequence {
    let rest = drop(while: \.isWhitespace)
    guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return rest }
    return rest[...last]
  }
}

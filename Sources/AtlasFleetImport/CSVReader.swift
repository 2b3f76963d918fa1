/// Reads a table of comma-separated values (RFC 4180), row by row.
///
/// Lines may end in any way, the separator may be a comma, a semicolon or a tab, and quoted cells
/// may hold line breaks; every cell knows the line it begins on.
struct CSVReader {
  struct Cell: Hashable, Sendable {
    var text: String
    var line: Int
  }

  /// What stands between cells.
  let separator: UInt8
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var line = 1

  /// - Parameter bytes: Checked to be UTF-8, without a byte order mark.
  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
    separator = Self.separator(inFirstLineOf: bytes)
  }

  /// The next row that is not empty; nil at the end.
  /// - Throws: ``SourceError`` when it cannot be known where the row ends.
  mutating func next() throws(SourceError) -> [Cell]? {
    while position < bytes.endIndex {
      let row = try row()
      if row.count > 1 || !row[0].text.isEmpty { return row }
    }
    return nil
  }

  private mutating func row() throws(SourceError) -> [Cell] {
    var cells = [try cell()]
    while position < bytes.endIndex {
      let byte = bytes[position]
      position += 1
      guard byte == separator else {
        endLine(byte)
        return cells
      }
      guard cells.count < ImportLimits.columns else {
        throw error("a row has more than \(ImportLimits.columns) cells")
      }
      cells.append(try cell())
    }
    return cells
  }

  /// Reads up to the separator or line end behind the cell.
  private mutating func cell() throws(SourceError) -> Cell {
    guard position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") else {
      let text = bytes[position...].prefix { $0 != separator && !Self.endsLine($0) }
      guard !text.contains(UInt8(ascii: "\"")) else {
        throw error("a quote stands inside a cell", hint: "quote the whole cell and double it")
      }
      position += text.count
      return try Cell(text: checked(text), line: line)
    }
    return try quotedCell()
  }

  private mutating func quotedCell() throws(SourceError) -> Cell {
    let begin = line
    var text: [UInt8] = []
    position += 1
    while position < bytes.endIndex {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        guard position < bytes.endIndex, bytes[position] == byte else {
          return try closed(text[...], begin: begin)
        }
        position += 1
      } else if byte == UInt8(ascii: "\n") {
        line += 1
      }
      text.append(byte)
    }
    line = begin
    throw error("a quoted cell does not end", hint: "close it with a quote")
  }

  private func closed(_ text: ArraySlice<UInt8>, begin: Int) throws(SourceError) -> Cell {
    let next = position < bytes.endIndex ? bytes[position] : separator
    guard next == separator || Self.endsLine(next) else {
      throw error("something follows a quoted cell", hint: "double the quotes inside it")
    }
    return Cell(text: try checked(text), line: begin)
  }

  private func checked(_ text: ArraySlice<UInt8>) throws(SourceError) -> String {
    guard text.count <= ImportLimits.fieldBytes else {
      throw error("a cell has \(text.count) bytes", hint: "at most \(ImportLimits.fieldBytes)")
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func endLine(_ byte: UInt8) {
    line += 1
    let isPair = byte == UInt8(ascii: "\r") && position < bytes.endIndex
    if isPair, bytes[position] == UInt8(ascii: "\n") { position += 1 }
  }

  private func error(_ message: String, hint: String = "") -> SourceError {
    SourceError(line: line, message: message, hint: hint)
  }

  private static func endsLine(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  /// Spreadsheets of many countries write semicolons: the one most used outside quotes wins.
  private static func separator(inFirstLineOf bytes: ArraySlice<UInt8>) -> UInt8 {
    var counts: [UInt8: Int] = [:]
    var isQuoted = false
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if endsLine(byte), !isQuoted { break }
      if !isQuoted { counts[byte, default: 0] += 1 }
    }
    let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
    // max(by:) takes the last of equals; a comma should win them.
    return candidates.reversed().max { counts[$0, default: 0] < counts[$1, default: 0] }
      ?? UInt8(ascii: ",")
  }
}

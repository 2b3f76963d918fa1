import Testing

@testable import AtlasFleetImport

@Suite("Tables of comma-separated values")
struct CSVReaderTests {
  @Test(
    "rows are what people see",
    arguments: [
      ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
      ("a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
      ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
      ("a,b\n\n1,2\n\n\n", [["a", "b"], ["1", "2"]]),
      ("a;b\n1,5;2\n", [["a", "b"], ["1,5", "2"]]),
      ("a\tb\n1\t2\n", [["a", "b"], ["1", "2"]]),
      ("\"a;x\",b\n1,2\n", [["a;x", "b"], ["1", "2"]]),
      ("a,b\n\"1\"\"x\",\"2,\n3\"\n", [["a", "b"], ["1\"x", "2,\n3"]]),
      ("a,b\n,\n\"\",\n", [["a", "b"], ["", ""], ["", ""]]),
      ("a,b,", [["a", "b", ""]]),
      ("server\nLAA\n", [["server"], ["LAA"]]),
      ("", []),
    ])
  func rows(text: String, expected: [[String]]) throws {
    #expect(try rows(of: text).map { $0.map(\.text) } == expected)
  }

  @Test("every cell knows its line, also behind cells with line breaks")
  func lines() throws {
    let found = try rows(of: "a,b\n\"1\n2\r\n3\",4\n\n5,6\n").map { $0.map(\.line) }
    #expect(found == [[1, 1], [2, 4], [6, 6]])
  }

  @Test(
    "a row whose end cannot be known is refused with its line",
    arguments: [
      ("a,b\n1,\"2\n3,4\n", 2, "a quoted cell does not end"),
      ("a,b\n1,2\"3\n", 2, "a quote stands inside a cell"),
      ("a,b\n1,\"2\"3\n", 2, "something follows a quoted cell"),
    ])
  func refuses(text: String, line: Int, message: String) {
    let error = #expect(throws: SourceError.self) { try rows(of: text) }
    #expect(error?.line == line)
    #expect(error?.message == message)
  }

  @Test("cells and rows beyond the limits are refused")
  func limits() {
    let long = String(repeating: "x", count: ImportLimits.fieldBytes + 1)
    let wide = String(repeating: "x,", count: ImportLimits.columns)
    #expect(throws: SourceError.self) { try rows(of: "a\n\(long)\n") }
    #expect(throws: SourceError.self) { try rows(of: "a\n\"\(long)\"\n") }
    #expect(throws: SourceError.self) { try rows(of: wide) }
  }

  private func rows(of text: String) throws -> [[CSVReader.Cell]] {
    var reader = CSVReader(Array(text.utf8)[...])
    var rows: [[CSVReader.Cell]] = []
    while let row = try reader.next() { rows.append(row) }
    return rows
  }
}

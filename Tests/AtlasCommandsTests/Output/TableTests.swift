import Testing

@testable import AtlasCommands

private struct Fruit: Sendable {
  var name: String
  var count: Int32
  var note: String
}

@Suite("A table")
struct TableTests {
  private let columns: [Column<Fruit>] = [
    Column("NAME") { $0.name }, Column("COUNT", style: .bad) { $0.count },
    Column("NOTE", gives: true) { $0.note }, Column("SECRET", wide: true) { _ in "yes" },
  ]
  private let fruits = [
    Fruit(name: "apple", count: 12, note: "the quick brown fox jumps over the dog"),
    Fruit(name: "梨", count: 0, note: ""),
  ]

  private func text(width: Int?, wide: Bool = false) -> [String] {
    Table(fruits, columns, wide: wide).lines(columns: width, glyphs: .unicode).map(\.plainText)
  }

  @Test("aligns words left and numbers right, and marks what is empty")
  func alignment() {
    #expect(
      text(width: nil) == [
        "NAME   COUNT  NOTE",
        "apple     12  the quick brown fox jumps over the dog",
        "梨         0  -",
      ])
  }

  @Test("cuts the column that gives until it fits")
  func giving() {
    #expect(
      text(width: 30) == [
        "NAME   COUNT  NOTE",
        "apple     12  the quick brown…",
        "梨         0  -",
      ])
  }

  @Test("never gets wider than the terminal", arguments: 0...40)
  func width(columns: Int) {
    for line in text(width: columns) { #expect(line.columns <= columns) }
  }

  @Test("shows more with -o wide")
  func wide() {
    #expect(
      text(width: nil, wide: true).first
        == "NAME   COUNT  NOTE                                    SECRET")
  }

  @Test("prints escape sequences only where colours are wanted")
  func colours() {
    let lines = Table(fruits, columns, wide: false).lines(columns: nil, glyphs: .unicode)
    #expect(lines[0].text(in: .none) == "NAME   COUNT  NOTE")
    #expect(lines[1].text(in: .ansi).contains("\u{1B}[1;31m12\u{1B}[0m"))
  }
}

@Suite("Text for a terminal")
struct PrintableTextTests {
  @Test(
    "cannot move the cursor",
    arguments: [
      ("plain", "plain"), ("two\nlines", "two lines"), ("\u{1B}[2J", "�[2J"), ("a\u{7}b", "a�b"),
      ("\u{9B}31m", "�31m"), ("\u{202E}cba", "�cba"), ("Zürich → München", "Zürich → München"),
    ])
  func printable(text: String, expected: String) {
    #expect(Span(text).text == expected)
  }

  @Test(
    "is measured in columns",
    arguments: [("", 0), ("abc", 3), ("Zürich", 6), ("東京", 4), ("e\u{301}", 1)])
  func columns(text: String, expected: Int) {
    #expect(text.columns == expected)
  }

  @Test("is cut with a mark", arguments: [(3, "ab…"), (4, "abcd"), (1, "…"), (0, "")])
  func cut(columns: Int, expected: String) {
    #expect("abcd".cut(columns: columns, with: .unicode) == expected)
  }
}

import Testing

@testable import AtlasFleetImport

@Suite("Trees of YAML and JSON")
struct TreeReaderTests {
  @Test("YAML becomes texts with lines, and nothing becomes nothing")
  func yaml() throws {
    let root = try YAMLReader.read(
      Array("# comment\na: 1\nb:\n  - true\n  - ~\n  - 'null'\nc: {d: 22:00}\ne:\n".utf8))
    #expect(
      outline(root) == "{a@2=1@2, b@3=[true@4, ~@5, null@6]@4, c@7={d@7=22:00@7}@7, e@8=~@8}@2")
  }

  @Test("JSON becomes the same tree")
  func json() throws {
    let root = try JSONReader.read(
      Array(
        "{\n\"a\": 1.5e3,\n\"b\": [true, null, \"\\u20ac\\ud83d\\ude00\\n\\/\"],\n\"c\": {}}".utf8))
    #expect(outline(root) == "{a@2=1.5e3@2, b@3=[true@3, ~@3, €😀\n/@3]@3, c@4={}@4}@1")
  }

  @Test(
    "what is not YAML is refused with the parser's line",
    arguments: [
      ("a: 1\nb:\n\t- x\n", 3, "cannot start any token"),
      ("a: 1\n  b: 2\n", 2, "mapping values are not allowed"),
      ("a: [1, 2\n", 2, "did not find expected"),
      ("b: 2\na: 1\na: 3\n", 2, "a is written twice"),
      ("a: 1\n---\nb: 2\n", 2, "another document"),
      ("a: &x [1]\nb: [*x, *x]\n", 2, "aliases (*name) are not read"),
      ("[a, b]: 1\n", 1, "a key must be a word"),
    ])
  func refusesYAML(text: String, line: Int, message: String) {
    let error = #expect(throws: SourceError.self) { try YAMLReader.read(Array(text.utf8)) }
    let said = error?.message ?? ""
    #expect(error?.line == line, "\(said)")
    #expect(said.contains(message), "\(said)")
  }

  @Test("an alias bomb, also as a key, and endless nesting are refused at once")
  func bombs() {
    var bomb = "a0: &a0 [x, x]\n"
    for level in 1...60 {
      bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
    }
    bomb += "? *a60\n: 1\n"
    for text in [
      bomb, String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000) + "x",
      String(repeating: "{a: ", count: 900) + "x" + String(repeating: "}", count: 900),
    ] {
      #expect(throws: SourceError.self) { try YAMLReader.read(Array(text.utf8)) }
    }
    #expect(throws: SourceError.self) {
      try JSONReader.read(Array(String(repeating: "[", count: 100_000).utf8))
    }
  }

  @Test("marks that look like aliases in ordinary words are words")
  func ordinaryMarks() throws {
    let root = try YAMLReader.read(Array("a: R&D, all * of it\nb: 'x & *y'\n".utf8))
    #expect(outline(root) == "{a@1=R&D, all * of it@1, b@2=x & *y@2}@1")
  }

  @Test(
    "what is not JSON is refused with its line",
    arguments: [
      ("{\"a\": 1,\n}", 2, "a key in quotes is missing"),
      ("{\"a\" 1}", 1, "a “:” is missing after “a”"),
      ("{\"a\": 1 \"b\"}", 1, "a “,” or “}” is missing"),
      ("[1 2]", 1, "a “,” or “]” is missing"),
      ("[1] x", 1, "something follows the end of the document"),
      ("[01]", 1, "“01” is not a value"),
      ("[nul]", 1, "“nul” is not a value"),
      ("[", 1, "a value is missing"),
      ("[\"\\ud83d\"]", 1, "half a character is in a string"),
      ("[\"\\u12g4\"]", 1, "an unknown escape is in a string"),
      ("[\"\\x\"]", 1, "an unknown escape is in a string"),
      ("[\n\"a\nb\"]", 2, "a line break or control character is in a string"),
      ("[\"abc", 1, "a string does not end"),
      ("{\"a\": 1, \"a\": 2}", 1, "the key “a” is written twice"),
    ])
  func refusesJSON(text: String, line: Int, message: String) {
    let error = #expect(throws: SourceError.self) { try JSONReader.read(Array(text.utf8)) }
    #expect(error == SourceError(line: line, message: "this is not JSON: \(message)"))
  }

  @Test("bytes that are not UTF-8 are refused with their line")
  func encodings() {
    let latin = Array("a: 1\nb: caf".utf8) + [0xe9, 0x0a]
    #expect(
      throws: SourceError(line: 2, message: "the file is not UTF-8", hint: "save it as UTF-8")
    ) {
      try YAMLReader.read(latin)
    }
    #expect(throws: SourceError(line: 1, message: "the file is UTF-16", hint: "save it as UTF-8")) {
      try YAMLReader.read([0xff, 0xfe, 0x61, 0x00])
    }
  }

  /// The tree as one line: `{key@line=value@line}`.
  private func outline(_ node: SourceNode) -> String {
    let text =
      switch node.kind {
      case .null: "~"
      case .scalar(let text): text
      case .list(let items): "[" + items.map(outline).joined(separator: ", ") + "]"
      case .map(let entries):
        "{" + entries.map { "\($0.key)@\($0.line)=\(outline($0.value))" }.joined(separator: ", ")
          + "}"
      }
    return "\(text)@\(node.line)"
  }
}

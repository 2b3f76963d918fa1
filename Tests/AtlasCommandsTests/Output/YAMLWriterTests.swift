import AtlasWire
import Testing
import Yams

@testable import AtlasCommands

@Suite("YAML")
struct YAMLWriterTests {
  @Test("is block style, with quotes where a reader could take a text for something else")
  func golden() throws {
    let value = JSONValue.members([
      "name": .string("november"), "factor": .number("1000"), "on": .bool(true),
      "texts": .array([
        .string("yes"), .string("12"), .string("a: b"), .string("two\nlines"), .string(""),
        .string("Zürich"), .string("plain words (1)"),
      ]),
      "rings": .array([.members(["ring": .number("0"), "inner": .members(["a": .null])])]),
      "empty": .array([]), "nothing": .object([]),
    ])
    #expect(
      try YAMLWriter.text(of: value) == """
        name: november
        factor: 1000
        "on": true
        texts:
          - "yes"
          - "12"
          - "a: b"
          - "two\\nlines"
          - ""
          - "Zürich"
          - plain words (1)
        rings:
          - ring: 0
            inner:
              a: null
        empty: []
        nothing: {}

        """)
  }

  @Test(
    "reads back as the same text",
    arguments: [
      "", " ", "null", "~", "Yes", "off", "0x10", "1e3", ".inf", "2026-11-22", "12:30:00", "- a",
      "a #b", "a:", "\"", "'", "\\", "{a}", "[a]", "&a", "*a", "!a", "%a", "@a", "`a", "a\tb",
      "a\u{1}b", "ends with space ", "KB5031234", "C:\\Windows", "é", "=", "<<",
    ])
  func roundTrip(text: String) throws {
    let yaml = try YAMLWriter.text(
      of: .members(["key": .string(text), "list": .array([.string(text)])]))
    let read = try #require(try Yams.load(yaml: yaml) as? [String: Any])
    #expect(read["key"] as? String == text)
    #expect(read["list"] as? [String] == [text])
  }
}

import Testing

@testable import AtlasWire

/// A message and its JSON.
struct JSONCase<Message: WireMessage>: CustomTestStringConvertible, Sendable {
  let json: String
  let message: Message
  var testDescription: String { json }

  init(_ json: String, _ message: Message) {
    self.json = json
    self.message = message
  }
}

/// JSON that is refused, and what is said about it.
struct JSONRefusal: CustomTestStringConvertible, Sendable {
  let json: String
  let description: String
  var testDescription: String { json }

  init(_ json: String, _ description: String) {
    self.json = json
    self.description = description
  }
}

@Suite("The JSON of a message")
struct JSONMessageTests {
  typealias Scalars = WireFixturesV1.Scalars
  typealias Everything = WireFixturesV1.Everything

  // MARK: Scalars

  static let written: [JSONCase<Scalars>] = [
    JSONCase("{}", Scalars()),
    JSONCase(#"{"int32Value":-2147483648}"#, Scalars(int32Value: .min)),
    JSONCase(#"{"int64Value":"-9223372036854775808"}"#, Scalars(int64Value: .min)),
    JSONCase(#"{"uint32Value":4294967295}"#, Scalars(uint32Value: .max)),
    JSONCase(#"{"uint64Value":"18446744073709551615"}"#, Scalars(uint64Value: .max)),
    JSONCase(#"{"fixed64Value":"1"}"#, Scalars(fixed64Value: 1)),
    JSONCase(#"{"doubleValue":0.1}"#, Scalars(doubleValue: 0.1)),
    JSONCase(#"{"doubleValue":3}"#, Scalars(doubleValue: 3)),
    JSONCase(#"{"doubleValue":1e+300}"#, Scalars(doubleValue: 1e300)),
    JSONCase(#"{"doubleValue":5e-324}"#, Scalars(doubleValue: .leastNonzeroMagnitude)),
    JSONCase(#"{"doubleValue":"Infinity"}"#, Scalars(doubleValue: .infinity)),
    JSONCase(#"{"floatValue":0.1}"#, Scalars(floatValue: 0.1)),
    JSONCase(#"{"floatValue":"-Infinity"}"#, Scalars(floatValue: -.infinity)),
    JSONCase(#"{"boolValue":true}"#, Scalars(boolValue: true)),
    JSONCase(
      #"{"stringValue":"a\"\\\n\t\u0001\u007fé🚀/"}"#,
      Scalars(stringValue: "a\"\\\n\t\u{1}\u{7F}é🚀/")),
    JSONCase(#"{"bytesValue":"AQ=="}"#, Scalars(bytesValue: [1])),
    JSONCase(#"{"bytesValue":"+/8="}"#, Scalars(bytesValue: [0xFB, 0xFF])),
    JSONCase(#"{"bytesValue":"AQID"}"#, Scalars(bytesValue: [1, 2, 3])),
    JSONCase(#"{"colour":"COLOUR_DEEP_BLUE"}"#, Scalars(colour: .deepBlue)),
    JSONCase(#"{"colour":"COLOUR_RED"}"#, Scalars(colour: .crimson)),
    JSONCase(#"{"colour":99}"#, Scalars(colour: .unrecognized(99))),
  ]

  @Test("is written so and read back", arguments: written)
  func write(_ expected: JSONCase<Scalars>) throws {
    #expect(try expected.message.jsonString() == expected.json)
    #expect(try Scalars(jsonString: expected.json) == expected.message)
  }

  static let accepted: [JSONCase<Scalars>] = [
    JSONCase(#" { "int32_value" : 5 } "#, Scalars(int32Value: 5)),
    JSONCase(#"{"int32Value":"5"}"#, Scalars(int32Value: 5)),
    JSONCase(#"{"int32Value":5.0}"#, Scalars(int32Value: 5)),
    JSONCase(#"{"int32Value":1e3}"#, Scalars(int32Value: 1000)),
    JSONCase(#"{"int32Value":null}"#, Scalars()),
    JSONCase(#"{"int64Value":9223372036854775807}"#, Scalars(int64Value: .max)),
    JSONCase(#"{"uint64Value":18446744073709551615}"#, Scalars(uint64Value: .max)),
    JSONCase(#"{"doubleValue":"0.5"}"#, Scalars(doubleValue: 0.5)),
    JSONCase(#"{"doubleValue":-0}"#, Scalars(doubleValue: 0)),
    JSONCase(
      #"{"stringValue":"\u0041\ud83d\ude80\/\b\f"}"#,
      Scalars(stringValue: "A🚀/\u{8}\u{C}")),
    JSONCase(#"{"bytesValue":"-_8"}"#, Scalars(bytesValue: [0xFB, 0xFF])),
    JSONCase(#"{"bytesValue":""}"#, Scalars()),
    JSONCase(#"{"colour":7}"#, Scalars(colour: .deepBlue)),
    JSONCase(#"{"colour":"COLOUR_CRIMSON"}"#, Scalars(colour: .red)),
  ]

  @Test("is also read when written so", arguments: accepted)
  func read(_ expected: JSONCase<Scalars>) throws {
    #expect(try Scalars(jsonString: expected.json) == expected.message)
  }

  @Test("of NaN is a string")
  func nan() throws {
    #expect(try Scalars(doubleValue: .nan).jsonString() == #"{"doubleValue":"NaN"}"#)
    #expect(try Scalars(jsonString: #"{"floatValue":"NaN"}"#).floatValue.isNaN)
  }

  private static let scalars = "wire_fixtures.v1.Scalars"
  static let refused: [JSONRefusal] =
    [
      JSONRefusal(
        #"{"int32Value":2147483648}"#,
        "int32_value: '2147483648' is not an integer from -2147483648 to 2147483647"),
      JSONRefusal(
        #"{"int32Value":1.5}"#,
        "int32_value: '1.5' is not an integer from -2147483648 to 2147483647"),
      JSONRefusal(
        #"{"int32Value":""}"#, "int32_value: '' is not an integer from -2147483648 to 2147483647"),
      JSONRefusal(
        #"{"int32Value":"+5"}"#,
        "int32_value: '+5' is not an integer from -2147483648 to 2147483647"),
      JSONRefusal(#"{"int32Value":true}"#, "int32_value: expected an integer, found a boolean"),
      JSONRefusal(
        #"{"uint32Value":-1}"#, "uint32_value: '-1' is not an integer from 0 to 4294967295"),
      JSONRefusal(
        #"{"uint64Value":18446744073709551616}"#,
        "uint64_value: '18446744073709551616' is not an integer from 0 to 18446744073709551615"),
      JSONRefusal(#"{"doubleValue":1e400}"#, "double_value: too big for a double"),
      JSONRefusal(#"{"doubleValue":"0x10"}"#, "double_value: expected a number, found a string"),
      JSONRefusal(#"{"doubleValue":"inf"}"#, "double_value: expected a number, found a string"),
      JSONRefusal(#"{"floatValue":1e39}"#, "float_value: too big for a float"),
      JSONRefusal(#"{"boolValue":"true"}"#, "bool_value: expected true or false, found a string"),
      JSONRefusal(#"{"boolValue":1}"#, "bool_value: expected true or false, found a number"),
      JSONRefusal(#"{"stringValue":5}"#, "string_value: expected a string, found a number"),
      JSONRefusal(#"{"bytesValue":"A"}"#, "bytes_value: not base64"),
      JSONRefusal(#"{"bytesValue":"A=B="}"#, "bytes_value: not base64"),
      JSONRefusal(#"{"bytesValue":"é"}"#, "bytes_value: not base64"),
      JSONRefusal(
        #"{"colour":"MAUVE"}"#, "colour: 'MAUVE' is not a value of wire_fixtures.v1.Colour"),
      JSONRefusal(
        #"{"colour":2.5}"#, "colour: '2.5' is not an integer from -2147483648 to 2147483647"),
      JSONRefusal(
        #"{"colour":[]}"#,
        "colour: expected a name or number of wire_fixtures.v1.Colour, found an array"),
      JSONRefusal(#"{"nonsense":1}"#, "nonsense: unknown field"),
      JSONRefusal(
        #"{"int32Value":1,"int32_value":2}"#, "int32_value: comes under both of its names"),
    ].map { JSONRefusal($0.json, "\(scalars).\($0.description)") } + [
      JSONRefusal("[]", "\(scalars): expected an object, found an array"),
      JSONRefusal("null", "\(scalars): expected an object, found null"),
    ]

  @Test("is refused with the field's name when it is wrong", arguments: refused)
  func refuse(_ refusal: JSONRefusal) {
    let error = #expect(throws: WireError.self) { try Scalars(jsonString: refusal.json) }
    #expect(error?.description == refusal.description)
    #expect(error?.kind == .invalid)
  }

  // MARK: Structure

  @Test(
    "names the path of what is wrong deep inside",
    arguments: [
      (
        #"{"repeats":{"strings":["a",5]}}"#, "repeats.strings[1]: expected a string, found a number"
      ),
      (
        #"{"maps":{"messages":{"k":{"number":"x"}}}}"#,
        "maps.messages[\"k\"].number: 'x' is not an integer from -2147483648 to 2147483647"
      ),
      (#"{"maps":{"int32s":{"one":true}}}"#, "maps.int32s[\"one\"]: not a key of this map"),
      (#"{"many":[{},{"inner":{"core":{"oops":1}}}]}"#, "many[1].inner.core.oops: unknown field"),
      (
        #"{"choices":{"text":"a","number":"1"}}"#,
        "choices.payload: only one may be set, found text and number"
      ),
      (#"{"repeats":{"strings":{}}}"#, "repeats.strings: expected an array, found an object"),
      (#"{"maps":{"strings":[]}}"#, "maps.strings: expected an object, found an array"),
      (
        #"{"wellKnown":{"at":"yesterday"}}"#,
        "well_known.at: 'yesterday' is not a time such as 2026-11-22T17:09:00Z"
      ),
    ])
  func paths(_ json: String, _ reason: String) {
    let error = #expect(throws: WireError.self) { try Everything(jsonString: json) }
    #expect(error?.description == "wire_fixtures.v1.Everything.\(reason)")
  }

  @Test("writes maps in the order of their keys and oneofs by their member")
  func maps() throws {
    let message = Everything(
      maps: .init(strings: ["b": "2", "a": "1"], int32S: [2: true, -1: false], bools: [true: 1]),
      choices: .init(payload: .inner(.init(core: .init(mode: .mode2Phase))), oddName: "x"))
    #expect(
      try message.jsonString() == """
        {"maps":{"strings":{"a":"1","b":"2"},"int32s":{"-1":false,"2":true},"bools":{"true":1}},\
        "choices":{"inner":{"core":{"mode":"MODE_2_PHASE"}},"@odd":"x"}}
        """)
    #expect(try Everything(jsonString: message.jsonString()) == message)
  }

  @Test("writes a member of a oneof even at its default")
  func oneofAtDefault() throws {
    let message = WireFixturesV1.Choices(payload: .number(0), target: .server(""))
    #expect(try message.jsonString() == #"{"number":"0","server":""}"#)
    #expect(try WireFixturesV1.Choices(jsonString: #"{"number":"0","server":""}"#) == message)
    #expect(try WireFixturesV1.Choices(jsonString: #"{"number":null}"#).payload == nil)
  }

  @Test("can be pretty, with defaults, under the names of the proto file")
  func options() throws {
    let message = WireFixturesV1.Leaf(name: "x")
    let options = WireJSON.EncodingOptions(includesDefaults: true, isPretty: true)
    #expect(
      try message.jsonString(options) == """
        {
          "name": "x",
          "number": 0
        }
        """)
    #expect(try WireFixturesV1.Nothing().jsonString(options) == "{}")
    #expect(
      try WireFixturesV1.Repeats().jsonString(.init(includesDefaults: true, usesProtoNames: true))
        .hasSuffix(#""colours":[],"messages":[],"unpacked":[]}"#))
    #expect(
      try WireFixturesV1.Choices(serverID: "s").jsonString(.init(usesProtoNames: true))
        == #"{"server_id":"s"}"#)
  }

  @Test("may skip fields nobody knows when asked to")
  func ignoreUnknown() throws {
    let message = try Everything(
      jsonString: #"{"new":1,"choices":{"newer":[{}],"server":"a"}}"#,
      options: .init(ignoresUnknownFields: true))
    #expect(message == Everything(choices: .init(target: .server("a"))))
  }

  // MARK: Well-known types

  static let times: [(String, Int64, Int32)] = [
    ("1970-01-01T00:00:00Z", 0, 0),
    ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
    ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
    ("2024-02-29T12:30:45.250Z", 1_709_209_845, 250_000_000),
    ("2000-03-01T00:00:00.000001Z", 951_868_800, 1000),
    ("1900-02-28T23:59:59Z", -2_203_891_201, 0),
    ("1969-12-31T23:59:59.500Z", -1, 500_000_000),
  ]

  @Test("of a timestamp is RFC 3339", arguments: times)
  func timestamps(_ text: String, _ seconds: Int64, _ nanos: Int32) throws {
    let message = WireFixturesV1.WellKnown(at: .init(seconds: seconds, nanos: nanos))
    #expect(try message.jsonString() == "{\"at\":\"\(text)\"}")
    #expect(try WireFixturesV1.WellKnown(jsonString: "{\"at\":\"\(text)\"}") == message)
  }

  @Test(
    "of a timestamp may have an offset and any fraction",
    arguments: [
      ("2026-11-22T19:09:00.1+02:00", "2026-11-22T17:09:00.100Z"),
      ("2026-11-22t11:39:00-05:30", "2026-11-22T17:09:00Z"),
    ])
  func offsets(_ text: String, _ expected: String) throws {
    let message = try WireFixturesV1.WellKnown(jsonString: "{\"at\":\"\(text)\"}")
    #expect(try message.jsonString() == "{\"at\":\"\(expected)\"}")
  }

  @Test(
    "is no timestamp",
    arguments: [
      "", "2026-11-22", "2026-11-22T17:09Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
      "2026-11-22T24:00:00Z", "2026-11-22T17:60:00Z", "2026-11-22T17:09:60Z", "2026-11-22T17:09:00",
      "2026-11-22T17:09:00.Z", "2026-11-22T17:09:00.1234567890Z", "2026-11-22T17:09:00Zx",
      "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
      "10000-01-01T00:00:00Z", "2026-11-22 17:09:00Z", "２026-11-22T17:09:00Z",
    ])
  func notTimestamps(_ text: String) {
    #expect(throws: WireError.self) {
      try WireFixturesV1.WellKnown(jsonString: "{\"at\":\"\(text)\"}")
    }
  }

  @Test(
    "of a duration is seconds",
    arguments: [
      ("0s", 0, 0), ("1.500s", 1, 500_000_000), ("-1.500s", -1, -500_000_000),
      ("-0.000000001s", 0, -1), ("315576000000s", 315_576_000_000, 0),
    ] as [(String, Int64, Int32)])
  func durations(_ text: String, _ seconds: Int64, _ nanos: Int32) throws {
    let message = WireFixturesV1.WellKnown(took: .init(seconds: seconds, nanos: nanos))
    #expect(try message.jsonString() == "{\"took\":\"\(text)\"}")
    #expect(try WireFixturesV1.WellKnown(jsonString: "{\"took\":\"\(text)\"}") == message)
  }

  @Test(
    "is no duration",
    arguments: [
      "", "s", "1", "1.s", ".5s", "1.0000000001s", "1 s", "+1s",
      "315576000001s", "1m", "--1s",
    ])
  func notDurations(_ text: String) {
    #expect(throws: WireError.self) {
      try WireFixturesV1.WellKnown(jsonString: "{\"took\":\"\(text)\"}")
    }
  }

  @Test(
    "does not exist for values outside the well-known types' ranges",
    arguments: [
      WireFixturesV1.WellKnown(at: .init(seconds: 253_402_300_800)),
      WireFixturesV1.WellKnown(at: .init(nanos: -1)),
      WireFixturesV1.WellKnown(at: .init(nanos: 1_000_000_000)),
      WireFixturesV1.WellKnown(took: .init(seconds: 315_576_000_001)),
      WireFixturesV1.WellKnown(took: .init(seconds: 1, nanos: -1)),
      WireFixturesV1.WellKnown(took: .init(seconds: .min)),
      WireFixturesV1.WellKnown(took: .init(nanos: .min)),
      WireFixturesV1.WellKnown(mask: .init(paths: ["camelCase"])),
      WireFixturesV1.WellKnown(mask: .init(paths: ["double__underscore"])),
    ])
  func unrepresentable(_ message: WireFixturesV1.WellKnown) {
    #expect(throws: WireError.self) { try message.jsonBytes() }
  }

  @Test("of a field mask is camelCase paths")
  func fieldMask() throws {
    let message = WireFixturesV1.WellKnown(mask: .init(paths: ["name", "update_set.cut_off"]))
    #expect(try message.jsonString() == #"{"mask":"name,updateSet.cutOff"}"#)
    #expect(try WireFixturesV1.WellKnown(jsonString: message.jsonString()) == message)
  }

  @Test(
    "of an Any shows what is inside",
    arguments: [
      JSONCase(
        #"{"any":{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"}}"#,
        WireFixturesV1.WellKnown(any: .init(packing: GoogleRPC.ErrorInfo(reason: "R")))),
      JSONCase(
        #"{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.500s"}}"#,
        WireFixturesV1.WellKnown(
          any: .init(packing: GoogleProtobuf.Duration(.milliseconds(1500))))),
      JSONCase(
        #"{"any":{"@type":"example.com/unknown.Type","value":"AQ=="}}"#,
        WireFixturesV1.WellKnown(any: .init(typeURL: "example.com/unknown.Type", value: [1]))),
      JSONCase(#"{"any":{}}"#, WireFixturesV1.WellKnown(any: .init())),
    ])
  func any(_ expected: JSONCase<WireFixturesV1.WellKnown>) throws {
    #expect(try expected.message.jsonString() == expected.json)
    #expect(try WireFixturesV1.WellKnown(jsonString: expected.json) == expected.message)
  }
}

@Suite("The JSON parser")
struct JSONParserTests {
  @Test(
    "refuses what is not JSON",
    arguments: [
      "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{\"a\":}", "[1 2]", "01", "-",
      "1.", ".5", "1e", "+1", "0x1", "NaN", "nul", "truefalse", "\"", "\"\\x\"", "\"\\u12\"",
      "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\u0000\"", "\"\n\"", "1 1", "[1]]",
      "{\"a\":1,\"a\":2}", "'a'", "// c\n1", "\u{FEFF}1",
    ])
  func refuse(_ text: String) {
    let error = #expect(throws: WireError.self) { try JSONValue(parsing: Array(text.utf8)) }
    #expect(error?.kind == .invalid)
  }

  @Test("refuses strings that are not UTF-8")
  func utf8() {
    #expect(throws: WireError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
  }

  @Test("keeps numbers as they are and members in order")
  func values() throws {
    let text = #"{"b":[1,-0.50,1E+2,12345678901234567890],"a":{"x":null,"y":true,"z":false}}"#
    let value = try JSONValue(parsing: Array(text.utf8))
    #expect(
      value
        == .object([
          .init(
            "b",
            .array([
              .number("1"), .number("-0.50"), .number("1E+2"), .number("12345678901234567890"),
            ])),
          .init(
            "a",
            .object([
              .init("x", .null), .init("y", .bool(true)), .init("z", .bool(false)),
            ])),
        ]))
    let writer = JSONWriter()
    try writer.value(value)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    #expect(value["a"]?["y"] == .bool(true))
    #expect(value["c"] == nil)
  }

  @Test("goes as deep as the limit and no deeper")
  func depth() throws {
    let nested = { (depth: Int) in
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    let limit = WireLimits.standard.jsonDepth
    _ = try JSONValue(parsing: nested(limit))
    let error = #expect(throws: WireError.self) { try JSONValue(parsing: nested(limit + 1)) }
    #expect(error?.kind == .tooLarge)
    let bomb = #expect(throws: WireError.self) { try JSONValue(parsing: nested(200_000)) }
    #expect(bomb?.kind == .tooLarge)
  }

  @Test("takes documents up to the limit and no more")
  func size() throws {
    var limits = WireLimits.standard
    limits.jsonBytes = 10
    _ = try JSONValue(parsing: Array("[1,2,3,44]".utf8), limits: limits)
    let error = #expect(throws: WireError.self) {
      try JSONValue(parsing: Array("[1,2,3,444]".utf8), limits: limits)
    }
    #expect(error?.description == "11 bytes of JSON are more than the 10 allowed")
  }

  @Test("survives seeded damage")
  func damage() throws {
    var dice = SeededGenerator(seed: 5)
    for round in 0..<1500 {
      var text = try WireFixturesV1.Everything.random(seed: UInt64(round % 30)).jsonBytes()
      for _ in 0..<3 {
        text[Int.random(in: text.indices, using: &dice)] = .random(in: 0...255, using: &dice)
      }
      _ = try? WireFixturesV1.Everything(jsonBytes: text)
    }
  }
}

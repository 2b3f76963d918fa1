import Testing

@testable import AtlasWire

/// Bytes that should not be accepted, and what is said about them.
struct Refusal: CustomTestStringConvertible, Sendable {
  let title: String
  let bytes: [UInt8]
  let kind: WireError.Kind
  let description: String

  var testDescription: String { title }

  init(
    _ title: String, _ bytes: [UInt8], _ description: String, kind: WireError.Kind = .invalid
  ) {
    self.title = title
    self.bytes = bytes
    self.kind = kind
    self.description = description
  }
}

@Suite("Hostile bytes")
struct HostileBytesTests {
  private typealias Everything = WireFixturesV1.Everything

  // MARK: Values

  private static let name = "wire_fixtures.v1.Everything"
  private static func scalars(_ bytes: [UInt8]) -> [UInt8] { WireBytes.chunk(1, bytes) }
  private static func maps(_ bytes: [UInt8]) -> [UInt8] { WireBytes.chunk(4, bytes) }
  private static func choices(_ bytes: [UInt8]) -> [UInt8] { WireBytes.chunk(5, bytes) }
  private static let badText: [UInt8] = [0x61, 0xC3, 0xA9, 0xFF, 0x62]

  static let badValues: [Refusal] = [
    Refusal(
      "invalid UTF-8 in a string", scalars(WireBytes.chunk(14, badText)),
      "\(name).scalars.string_value: not UTF-8 at byte 3"),
    Refusal(
      "half a character at the end", scalars(WireBytes.chunk(14, [0x61, 0xE2, 0x82])),
      "\(name).scalars.string_value: not UTF-8 at byte 1"),
    Refusal(
      "an overlong form", scalars(WireBytes.chunk(14, [0xC0, 0x80])),
      "\(name).scalars.string_value: not UTF-8 at byte 0"),
    Refusal(
      "a surrogate", scalars(WireBytes.chunk(14, [0xED, 0xA0, 0x80])),
      "\(name).scalars.string_value: not UTF-8 at byte 0"),
    Refusal(
      "NUL in a string", scalars(WireBytes.chunk(14, [0x61, 0, 0x62])),
      "\(name).scalars.string_value: NUL at byte 1"),
    Refusal(
      "NUL before invalid UTF-8", scalars(WireBytes.chunk(14, [0x61, 0, 0xFF])),
      "\(name).scalars.string_value: NUL at byte 1"),
    Refusal(
      "invalid UTF-8 before NUL", scalars(WireBytes.chunk(14, [0xFF, 0])),
      "\(name).scalars.string_value: not UTF-8 at byte 0"),
    Refusal(
      "an optional string", WireBytes.chunk(2, WireBytes.chunk(14, badText)),
      "\(name).optionals.string_value: not UTF-8 at byte 3"),
    Refusal(
      "an element of a list",
      WireBytes.chunk(3, WireBytes.text(14, "good") + WireBytes.chunk(14, badText)),
      "\(name).repeats.strings[1]: not UTF-8 at byte 3"),
    Refusal(
      "a message in a list",
      WireBytes.chunk(8, []) + WireBytes.chunk(8, WireBytes.chunk(17, badText)),
      "\(name).many[1].server_id: not UTF-8 at byte 3"),
    Refusal(
      "a member of a oneof", choices(WireBytes.chunk(9, badText)),
      "\(name).choices.server: not UTF-8 at byte 3"),
    Refusal(
      "the key of a map", maps(WireBytes.chunk(1, WireBytes.chunk(1, badText))),
      "\(name).maps.strings.key: not UTF-8 at byte 3"),
    Refusal(
      "the value of a map",
      maps(WireBytes.chunk(1, WireBytes.text(1, "k") + WireBytes.chunk(2, badText))),
      "\(name).maps.strings[\"k\"]: not UTF-8 at byte 3"),
    Refusal(
      "a message in a map",
      maps(
        WireBytes.chunk(
          4, WireBytes.text(1, "k") + WireBytes.chunk(2, WireBytes.chunk(1, badText)))),
      "\(name).maps.messages[\"k\"].name: not UTF-8 at byte 3"),
  ]

  @Test("that hide bad text are refused with the field's name", arguments: badValues)
  func values(_ refusal: Refusal) {
    expect(refusal)
  }

  // MARK: Structure

  static let malformed: [Refusal] = [
    ("a tag without value", [0x08]),
    ("a varint of eleven bytes", [0x08] + [UInt8](repeating: 0xFF, count: 11)),
    ("a varint that never ends", [0x08, 0xFF]),
    ("the field number zero", [0x02, 0x00]),
    ("a length beyond the end", [0x0A, 0x05, 0x01]),
    ("the largest length", [0x0A] + WireBytes.varint(.max)),
    ("a length of 2 GiB", [0x0A] + WireBytes.varint(1 << 31)),
    ("a length of 4 GiB", [0x0A] + WireBytes.varint(1 << 32)),
    ("a length one too long inside a message", WireBytes.chunk(1, [0x72, 0x02, 0x61])),
    ("a number where a message belongs", WireBytes.number(1, 5)),
    ("fixed bits where a message belongs", WireBytes.tag(1, 5) + [1, 2, 3, 4]),
    ("a message where a number belongs", WireBytes.chunk(1, WireBytes.chunk(3, [1, 2]))),
    ("a number where a string belongs", WireBytes.chunk(1, WireBytes.number(14, 7))),
    (
      "eight bytes where four belong",
      WireBytes.chunk(1, WireBytes.tag(2, 1) + .init(repeating: 0, count: 8))
    ),
    ("a group", [0x0B, 0x0C]),
    ("the wire type 6", [0x0E]),
    (
      "packed doubles of seven bytes",
      WireBytes.chunk(3, WireBytes.chunk(1, .init(repeating: 0, count: 7)))
    ),
    ("packed numbers that end early", WireBytes.chunk(3, WireBytes.chunk(3, [0x01, 0x80]))),
    ("an unfinished unknown field", WireBytes.tag(999, 2) + [0x7F]),
  ].map { Refusal($0.0, $0.1, "\(name): malformed protobuf bytes") }

  @Test("that are not protobuf are refused", arguments: malformed)
  func structure(_ refusal: Refusal) {
    expect(refusal)
  }

  private func expect(_ refusal: Refusal) {
    let error = #expect(throws: WireError.self) { try Everything(decoding: refusal.bytes) }
    #expect(error?.description == refusal.description)
    #expect(error?.kind == refusal.kind)
  }

  @Test("that end early anywhere are refused or read as the fields that are whole")
  func truncation() throws {
    let bytes = Everything.random(seed: 3).encode()
    try #require(bytes.count > 500)
    for count in 0..<bytes.count {
      let result = Result { try Everything(decoding: Array(bytes[..<count])) }
      if case .failure(let error) = result { #expect((error as? WireError)?.kind == .invalid) }
    }
  }

  // MARK: Size

  @Test("at the limit are read, one more is refused")
  func messageSize() throws {
    let limit = WireLimits.standard.messageBytes
    let overhead = WireBytes.tag(15, 2).count + WireBytes.varint(UInt64(limit)).count
    let content = [UInt8](repeating: 7, count: limit - overhead)
    let largest = WireBytes.chunk(15, content)
    try #require(largest.count == limit)
    #expect(try WireFixturesV1.Scalars(decoding: largest).bytesValue == content)

    let error = #expect(throws: WireError.self) {
      try WireFixturesV1.Scalars(decoding: WireBytes.chunk(15, content + [7]))
    }
    #expect(error?.kind == .tooLarge)
    #expect(
      error?.description
        == "wire_fixtures.v1.Scalars: \(limit + 1) bytes are more than the \(limit) allowed")
  }

  static let expensive: [Refusal] = [
    Refusal(
      "a list of empty messages",
      WireBytes.chunk(
        3, Array(repeating: WireBytes.chunk(17, []), count: 60_000).flatMap(\.self)),
      "\(name): would take too much memory for its size", kind: .tooLarge),
    Refusal(
      "a map of empty entries",
      WireBytes.chunk(
        4, Array(repeating: WireBytes.chunk(4, []), count: 60_000).flatMap(\.self)),
      "\(name): would take too much memory for its size", kind: .tooLarge),
    Refusal(
      "unknown fields",
      Array(repeating: WireBytes.number(15, 1), count: 100_000).flatMap(\.self),
      "\(name): would take too much memory for its size", kind: .tooLarge),
  ]

  @Test("that cost far more memory than they are long are refused", arguments: expensive)
  func memory(_ refusal: Refusal) {
    expect(refusal)
  }

  @Test("whose Swift values would be the expensive part are refused too")
  func swiftMemory() throws {
    let bytes = Array(repeating: WireBytes.chunk(8, []), count: 10_000).flatMap(\.self)
    var outcomes: [String] = []
    for factor in stride(from: 0, to: 600, by: 5) {
      var limits = WireLimits.standard
      limits.memoryPerByte = factor
      let outcome =
        switch Result(catching: { try Everything(decoding: bytes, limits: limits) }) {
        case .success(let message): "\(message.many.count)"
        case .failure(let error): "\(error)"
        }
      if outcomes.last != outcome { outcomes.append(outcome) }
    }
    #expect(
      outcomes == [
        "\(Self.name): would take too much memory for its size",
        "\(Self.name).many: would take too much memory for its size",
        "10000",
      ])
  }

  @Test("are never refused for memory when they are honest lists of short strings")
  func honestLists() throws {
    let strings = (0..<80_000).map { String(UnicodeScalar(UInt8(97 + $0 % 26))) }
    let bytes = WireFixturesV1.Repeats(strings: strings).encode()
    try #require(bytes.count > 230_000)
    #expect(try WireFixturesV1.Repeats(decoding: bytes).strings == strings)
  }

  @Test("end with an error, whatever allocation is the one that fails")
  func everyAllocationFails() throws {
    for seed in 0..<6 {
      let message = Everything.random(seed: UInt64(seed))
      let bytes = message.encode()
      var limits = WireLimits(
        messageBytes: .max, memoryPerByte: 0, memoryBase: 0, jsonBytes: 0, jsonDepth: 0)
      while true {
        do {
          let read = try Everything(decoding: bytes, limits: limits)
          #expect(read == message)
          break
        } catch {
          #expect(error.kind == .tooLarge)
          limits.memoryBase += 24
        }
      }
    }
  }

  // MARK: Mutation

  @Test("made from good ones by seeded damage never crash, and what is read can be written again")
  func mutation() throws {
    var dice = SeededGenerator(seed: 20_261_122)
    for round in 0..<3000 {
      var bytes = Everything.random(seed: UInt64(round % 40)).encode()
      damage(&bytes, &dice)
      guard let message = try? Everything(decoding: bytes) else { continue }
      // Bytes, not values: damage makes NaN, which is not equal to itself.
      #expect(try Everything(decoding: message.encode()).encode() == message.encode())
    }
  }

  private func damage(_ bytes: inout [UInt8], _ dice: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
      let place = Int.random(in: bytes.indices, using: &dice)
      switch Int.random(in: 0...4, using: &dice) {
      case 0: bytes[place] = .random(in: 0...255, using: &dice)
      case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &dice)
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(.random(in: 0...255, using: &dice), at: place)
      default:
        let end = Swift.min(bytes.count, place + Int.random(in: 1...64, using: &dice))
        bytes.insert(contentsOf: bytes[place..<end], at: place)
      }
    }
  }

  @Test("of every type, at random, give an answer", arguments: MessageType.all)
  func noise(_ message: MessageType) {
    var dice = SeededGenerator(seed: 7)
    for _ in 0..<300 {
      let bytes = (0..<Int.random(in: 0...80, using: &dice)).map { _ in
        UInt8.random(in: 0...255, using: &dice)
      }
      _ = try? message.type.init(decoding: bytes)
    }
  }
}

@Suite("Unusual bytes")
struct UnusualBytesTests {
  private typealias Scalars = WireFixturesV1.Scalars

  @Test("with fields nobody knows lose only those")
  func unknownFields() throws {
    let known = WireBytes.number(3, 5)
    let unknown = WireBytes.text(900, "new") + WireBytes.number(901, 1)
    #expect(try Scalars(decoding: unknown + known + unknown) == Scalars(int32Value: 5))
  }

  @Test("with a field twice keep the last")
  func lastWins() throws {
    let bytes = WireBytes.number(3, 5) + WireBytes.text(14, "a") + WireBytes.number(3, 6)
    #expect(try Scalars(decoding: bytes) == Scalars(int32Value: 6, stringValue: "a"))
  }

  @Test("with two members of a oneof keep the last")
  func lastMemberWins() throws {
    let bytes = WireBytes.text(1, "text") + WireBytes.number(3, 7)
    #expect(
      try WireFixturesV1.Choices(decoding: bytes) == WireFixturesV1.Choices(payload: .number(7)))
  }

  @Test("with a key twice keep its last value")
  func lastEntryWins() throws {
    let entry = { (value: String) in
      WireBytes.chunk(1, WireBytes.text(1, "key") + WireBytes.text(2, value))
    }
    #expect(
      try WireFixturesV1.Maps(decoding: entry("old") + entry("new"))
        == WireFixturesV1.Maps(strings: ["key": "new"]))
  }

  @Test("with an entry without key and value mean the defaults of both")
  func emptyEntry() throws {
    #expect(
      try WireFixturesV1.Maps(decoding: WireBytes.chunk(4, []))
        == WireFixturesV1.Maps(messages: ["": WireFixturesV1.Leaf()]))
  }

  @Test("may pack a list or not, whatever its declaration says")
  func packing() throws {
    let numbers: [Int32] = [1, 2, 300]
    let packed = numbers.flatMap { WireBytes.varint(UInt64($0)) }
    let single = { (field: UInt64) in numbers.flatMap { WireBytes.number(field, UInt64($0)) } }
    #expect(try WireFixturesV1.Repeats(decoding: WireBytes.chunk(18, packed)).unpacked == numbers)
    #expect(try WireFixturesV1.Repeats(decoding: single(3)).int32S == numbers)
    #expect(
      try WireFixturesV1.Repeats(decoding: single(3) + WireBytes.chunk(3, packed)).int32S
        == numbers + numbers)
  }

  @Test("with numbers of enums that nobody knows keep them")
  func unknownEnumValue() throws {
    let message = try Scalars(decoding: WireBytes.number(2000, 99))
    #expect(message.colour == .unrecognized(99))
    #expect(message.encode() == WireBytes.number(2000, 99))
  }

  @Test("with a negative enum number are read")
  func negativeEnumValue() throws {
    let message = Scalars(colour: .infraRed)
    #expect(message.encode() == WireBytes.number(2000, UInt64(bitPattern: -3)))
    #expect(try Scalars(decoding: message.encode()) == message)
  }

  @Test("tell an optional that is zero from one that is not there")
  func presence() throws {
    let zero = WireFixturesV1.Optionals(int32Value: 0, stringValue: "", explicitMessage: .init())
    #expect(
      zero.encode() == WireBytes.number(3, 0) + WireBytes.text(14, "") + WireBytes.chunk(18, []))
    #expect(try WireFixturesV1.Optionals(decoding: zero.encode()) == zero)
  }

  @Test("never carry NUL in a string: it is written as U+FFFD")
  func nul() throws {
    let message = Scalars(stringValue: "a\0b")
    #expect(try Scalars(decoding: message.encode()) == Scalars(stringValue: "a\u{FFFD}b"))
  }

  @Test("of a message in a field that is not repeated must come once: twice is not merged")
  func repeatedSingularMessage() {
    // The format asks for a merge. libprotobuf-c refuses two when the first has an unset oneof and
    // otherwise merges scalars wrongly; no encoder writes this, and the documentation says so.
    let inner = WireBytes.chunk(5, WireBytes.text(9, "a"))
    #expect(throws: WireError.self) {
      try WireFixturesV1.Everything(decoding: inner + inner)
    }
  }
}

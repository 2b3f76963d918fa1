/// The binary form in which values cross to the C library; `codec.c` describes it.
enum LuaTag {
  static let none: UInt8 = 0x00
  static let no: UInt8 = 0x01
  static let yes: UInt8 = 0x02
  static let integer: UInt8 = 0x03
  static let number: UInt8 = 0x04
  static let text: UInt8 = 0x05
  static let list: UInt8 = 0x06
  static let map: UInt8 = 0x07
  static let json: UInt8 = 0x08
  static let response: UInt8 = 0x09
  static let readOnly: UInt8 = 0x0a
}

/// Writes values.
struct LuaEncoder {
  private(set) var bytes: [UInt8] = []

  mutating func append(byte: UInt8) { bytes.append(byte) }

  mutating func append(count: Int) { append(group: UInt64(count)) }

  mutating func append(raw: some Collection<UInt8>) { bytes.append(contentsOf: raw) }

  mutating func append(_ value: LuaValue) {
    switch value {
    case .none: append(byte: LuaTag.none)
    case .boolean(let value): append(byte: value ? LuaTag.yes : LuaTag.no)
    case .integer(let value):
      append(byte: LuaTag.integer)
      append(group: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    case .number(let value):
      append(byte: LuaTag.number)
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    case .text(let text): append(LuaTag.text, text)
    case .json(let text): append(LuaTag.json, text)
    case .list(let values):
      append(byte: LuaTag.list)
      append(count: values.count)
      for value in values { append(value) }
    case .map(let members): append(members)
    case .response(let members):
      append(byte: LuaTag.response)
      append(members)
    case .readOnly(let value):
      append(byte: LuaTag.readOnly)
      append(value)
    }
  }

  private mutating func append(_ members: [LuaValue.Member]) {
    append(byte: LuaTag.map)
    append(count: members.count)
    for member in members {
      append(count: member.key.utf8.count)
      bytes.append(contentsOf: member.key.utf8)
      append(member.value)
    }
  }

  private mutating func append(_ tag: UInt8, _ text: [UInt8]) {
    append(byte: tag)
    append(count: text.count)
    bytes.append(contentsOf: text)
  }

  private mutating func append(group value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// Bytes that are not in the form of `codec.c`: a defect of ours, never a script's doing.
struct LuaCodecError: Error, Equatable {}

/// Reads values. Trusts neither counts nor nesting.
struct LuaDecoder {
  private static let deepest = 32
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func byte() throws(LuaCodecError) -> UInt8 {
    guard position < bytes.count else { throw LuaCodecError() }
    defer { position += 1 }
    return bytes[position]
  }

  /// A count of things that take at least a byte each.
  mutating func count() throws(LuaCodecError) -> Int {
    let value = try group()
    guard value <= UInt64(bytes.count - position) else { throw LuaCodecError() }
    return Int(value)
  }

  /// A number that counts nothing that follows.
  mutating func group() throws(LuaCodecError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let next = try byte()
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
    }
    throw LuaCodecError()
  }

  mutating func value(depth: Int = 0) throws(LuaCodecError) -> LuaValue {
    guard depth <= Self.deepest else { throw LuaCodecError() }
    switch try byte() {
    case LuaTag.none: return .none
    case LuaTag.no: return .boolean(false)
    case LuaTag.yes: return .boolean(true)
    case LuaTag.integer:
      let zigzag = try group()
      return .integer(Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1))
    case LuaTag.number: return .number(try number())
    case LuaTag.text: return .text(try text())
    case LuaTag.list:
      var values: [LuaValue] = []
      for _ in 0..<(try count()) { values.append(try value(depth: depth + 1)) }
      return .list(values)
    case LuaTag.map:
      var members: [LuaValue.Member] = []
      for _ in 0..<(try count()) {
        let key = String(decoding: try text(), as: UTF8.self)
        members.append(LuaValue.Member(key, try value(depth: depth + 1)))
      }
      return .map(members)
    case _:
      throw LuaCodecError()
    }
  }

  private mutating func number() throws(LuaCodecError) -> Double {
    var bits: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bits |= UInt64(try byte()) << shift }
    return Double(bitPattern: bits)
  }

  private mutating func text() throws(LuaCodecError) -> [UInt8] {
    let length = try count()
    defer { position += length }
    return Array(bytes[position..<position + length])
  }
}

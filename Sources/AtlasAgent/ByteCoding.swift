/// Writes values into bytes: numbers as LEB128, texts and lists with their length first.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func write(_ number: Int) { write(signed: Int64(number)) }

  /// Zigzag: small numbers of either sign stay short.
  mutating func write(signed number: Int64) {
    write(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
  }

  mutating func write(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

  mutating func write(_ text: String) {
    write(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func write<Element>(
    _ list: [Element], _ writeOne: (inout ByteWriter, Element) -> Void
  ) {
    write(UInt64(list.count))
    for element in list { writeOne(&self, element) }
  }

  mutating func write<Value>(_ value: Value?, _ writeOne: (inout ByteWriter, Value) -> Void) {
    write(value != nil)
    if let value { writeOne(&self, value) }
  }
}

/// Reads what ``ByteWriter`` wrote. Bytes that it cannot have written throw.
struct ByteReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    self.position = bytes.startIndex
  }

  var isAtEnd: Bool { position == bytes.endIndex }

  mutating func byte() throws(ByteError) -> UInt8 {
    guard position < bytes.endIndex else { throw ByteError() }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func number() throws(ByteError) -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: 0, through: 63, by: 7) {
      let byte = try byte()
      let part = UInt64(byte & 0x7f)
      guard (part << shift) >> shift == part else { throw ByteError() }
      number |= part << shift
      if byte < 0x80 { return number }
    }
    throw ByteError()
  }

  mutating func signed() throws(ByteError) -> Int64 {
    let number = try number()
    return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
  }

  mutating func int() throws(ByteError) -> Int { Int(try signed()) }

  mutating func flag() throws(ByteError) -> Bool {
    switch try byte() {
    case 0: false
    case 1: true
    case _: throw ByteError()
    }
  }

  mutating func text() throws(ByteError) -> String {
    let size = try number()
    guard size <= AgentLimits.text, let end = end(after: Int(size)),
      let text = String(validating: bytes[position..<end], as: UTF8.self)
    else { throw ByteError() }
    position = end
    return text
  }

  mutating func list<Element>(
    _ readOne: (inout ByteReader) throws(ByteError) -> Element
  ) throws(ByteError) -> [Element] {
    let count = try number()
    guard count <= AgentLimits.list else { throw ByteError() }
    var list: [Element] = []
    for _ in 0..<count { list.append(try readOne(&self)) }
    return list
  }

  mutating func optional<Value>(
    _ readOne: (inout ByteReader) throws(ByteError) -> Value
  ) throws(ByteError) -> Value? {
    try flag() ? try readOne(&self) : nil
  }

  private func end(after count: Int) -> Int? {
    count <= bytes.endIndex - position ? position + count : nil
  }
}

/// Bytes that are not what they should be.
struct ByteError: Error, Equatable {}

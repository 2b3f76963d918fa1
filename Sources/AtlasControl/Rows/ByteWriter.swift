import AtlasModel

/// Writes values in the compact form in which rows of current state are stored.
///
/// Whole numbers are variable-length: seven bits a byte, lowest first, the sign folded into the
/// lowest bit. A text is its length and its UTF-8. An optional is a byte 0 or 1 and the value.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  init(version: UInt8, reserve: Int = 96) {
    bytes.reserveCapacity(reserve)
    bytes.append(version)
  }

  mutating func put(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func put(_ value: Int64) {
    put(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  mutating func put(_ value: Int) { put(Int64(value)) }
  mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }
  mutating func put(_ value: Instant) { put(value.milliseconds) }
  mutating func put(_ value: Duration) { put(value.milliseconds) }
  mutating func put(_ value: Fence) { put(value.number) }

  mutating func put(_ value: String) {
    put(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func put(_ name: some CheckedName) { put(name.text) }

  mutating func put<Value>(_ value: Value?, _ write: (inout ByteWriter, Value) -> Void) {
    put(value != nil)
    if let value { write(&self, value) }
  }

  mutating func put<Value>(_ values: [Value], _ write: (inout ByteWriter, Value) -> Void) {
    put(UInt64(values.count))
    for value in values { write(&self, value) }
  }
}

/// A row that is not what this version writes: the file was changed by something else.
package struct RowError: Error, Hashable, Sendable, CustomStringConvertible {
  package let row: String
  package let problem: String

  package init(row: String, problem: String) {
    self.row = row
    self.problem = problem
  }

  package var description: String { "the stored \(row) cannot be read: \(problem)" }
}

extension RowError {
  /// Runs `body`, which reads a row and throws nothing else. (Closures lose the type of what they
  /// throw, so that the readers themselves cannot declare it.)
  static func catching<Value>(_ body: () throws -> Value) throws(RowError) -> Value {
    do {
      return try body()
    } catch let error as RowError {
      throw error
    } catch {
      throw RowError(row: "row", problem: "\(error)")
    }
  }
}

/// Reads what ``ByteWriter`` wrote. Everything that fails is a ``RowError``.
struct ByteReader {
  private let bytes: [UInt8]
  private var position = 0
  private let row: String
  /// The version of the form that the row is written in.
  private(set) var version: UInt8 = 0

  /// - Throws: ``RowError`` when the row is of a version that is not among `versions`.
  init(_ bytes: [UInt8], versions: ClosedRange<UInt8>, row: String) throws {
    self.bytes = bytes
    self.row = row
    version = try byte()
    guard versions.contains(version) else { throw bad("written by another version of Atlas") }
  }

  func bad(_ problem: String) -> RowError { RowError(row: row, problem: problem) }

  mutating func byte() throws -> UInt8 {
    guard position < bytes.count else { throw bad("it is too short") }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func unsigned() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let next = try byte()
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
    }
    throw bad("a number is too long")
  }

  mutating func signed() throws -> Int64 {
    let folded = try unsigned()
    return Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
  }

  mutating func int() throws -> Int { Int(try signed()) }
  mutating func bool() throws -> Bool { try byte() != 0 }
  mutating func instant() throws -> Instant { Instant(milliseconds: try signed()) }
  mutating func duration() throws -> Duration { .milliseconds(try signed()) }
  mutating func fence() throws -> Fence { Fence(try unsigned()) }

  mutating func string() throws -> String {
    let count = try unsigned()
    guard count <= UInt64(bytes.count - position) else { throw bad("a text is cut off") }
    defer { position += Int(count) }
    return String(decoding: bytes[position..<position + Int(count)], as: UTF8.self)
  }

  mutating func name<Name: CheckedName>() throws -> Name {
    Name(trusted: try string())
  }

  mutating func optional<Value>(
    _ read: (inout ByteReader) throws -> Value
  ) throws -> Value? {
    try bool() ? try read(&self) : nil
  }

  mutating func array<Value>(
    _ read: (inout ByteReader) throws -> Value
  ) throws -> [Value] {
    let count = try unsigned()
    // Every value takes at least a byte: a count beyond that is not a count.
    guard count <= UInt64(bytes.count - position) else { throw bad("a list is cut off") }
    var values: [Value] = []
    values.reserveCapacity(Int(count))
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }

  /// A case of an enumeration, by its raw value.
  mutating func value<Value: RawRepresentable>(
    _ type: Value.Type = Value.self
  ) throws -> Value where Value.RawValue == UInt8 {
    let raw = try byte()
    guard let value = Value(rawValue: raw) else { throw bad("\(raw) is not a \(type)") }
    return value
  }

  mutating func value<Value: RawRepresentable>(
    _ type: Value.Type = Value.self
  ) throws -> Value where Value.RawValue == String {
    let raw = try string()
    guard let value = Value(rawValue: raw) else { throw bad("“\(raw)” is not a \(type)") }
    return value
  }
}

extension ByteWriter {
  mutating func put<Value: RawRepresentable>(_ value: Value) where Value.RawValue == UInt8 {
    bytes.append(value.rawValue)
  }

  mutating func put<Value: RawRepresentable>(_ value: Value) where Value.RawValue == String {
    put(value.rawValue)
  }
}

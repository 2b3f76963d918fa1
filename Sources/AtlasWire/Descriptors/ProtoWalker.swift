/// Steps over the fields of an encoded message whose type this program has no struct for.
///
/// Only for descriptors: they are recursive, so libprotobuf-c must not unpack them, and for the
/// wire everything else goes through libprotobuf-c.
struct ProtoWalker {
  /// One field as it stands in the bytes.
  struct Field {
    let number: UInt64
    let value: Value

    /// A varint or fixed-width value as a number, or the range of a length-prefixed one.
    enum Value {
      case number(UInt64)
      case bytes(Range<Int>)
    }
  }

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  /// - Parameter range: the message inside `bytes`.
  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// All fields of the message.
  ///
  /// - Throws: ``WireError`` if the bytes are no message.
  static func fields(of bytes: [UInt8], in range: Range<Int>) throws(WireError) -> [Field] {
    var walker = ProtoWalker(bytes, in: range)
    var fields: [Field] = []
    while let field = try walker.next() { fields.append(field) }
    return fields
  }

  private mutating func next() throws(WireError) -> Field? {
    if position == end { return nil }
    let tag = try varint()
    return switch tag & 7 {
    case 0: Field(number: tag >> 3, value: .number(try varint()))
    case 1: Field(number: tag >> 3, value: .number(try fixed(8)))
    case 2: Field(number: tag >> 3, value: .bytes(try take(try varint())))
    case 5: Field(number: tag >> 3, value: .number(try fixed(4)))
    default: throw Self.malformed
    }
  }

  private mutating func varint() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < end else { throw Self.malformed }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Self.malformed
  }

  private mutating func fixed(_ count: UInt64) throws(WireError) -> UInt64 {
    bytes[try take(count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func take(_ count: UInt64) throws(WireError) -> Range<Int> {
    guard count <= UInt64(end - position) else { throw Self.malformed }
    defer { position += Int(count) }
    return position..<position + Int(count)
  }

  private static let malformed = WireError(
    .invalid, "malformed descriptor", message: "google.protobuf.FileDescriptorSet")
}

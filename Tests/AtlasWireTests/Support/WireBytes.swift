/// Writes protobuf by hand, right and wrong, for tests of what must be refused.
enum WireBytes {
  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func tag(_ field: UInt64, _ wireType: UInt64) -> [UInt8] {
    varint(field << 3 | wireType)
  }

  static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
    tag(field, 0) + varint(value)
  }

  static func chunk(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
    tag(field, 2) + varint(UInt64(content.count)) + content
  }

  static func text(_ field: UInt64, _ content: String) -> [UInt8] {
    chunk(field, Array(content.utf8))
  }
}

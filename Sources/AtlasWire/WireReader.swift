internal import CProtobufC

/// What generated code calls to copy values out of C structs: the checks that libprotobuf-c does
/// not make, and the names for errors.
package struct WireReader {
  /// The arena that holds the structs; copies count against its budget too.
  let arena: WireArena

  /// The bytes as they are.
  func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    Array(UnsafeBufferPointer(start: data.data, count: data.len))
  }

  /// A string: UTF-8 without NUL.
  func string(_ data: ProtobufCBinaryData, _ field: StaticString) throws(WireError) -> String {
    if data.len == 0 { return "" }
    let utf8 = UnsafeBufferPointer(start: UnsafePointer(data.data), count: data.len)
    do throws(UTF8.ValidationError) {
      let text = try UTF8Span(validating: utf8.span)
      if !utf8.contains(0) { return String(copying: text) }
    } catch {
      throw Self.complaint(about: utf8, firstInvalid: error.byteOffsets.lowerBound)
        .inside("\(field)")
    }
    throw Self.complaint(about: utf8, firstInvalid: nil).inside("\(field)")
  }

  /// What is wrong with bytes that are not a string: what comes first.
  private static func complaint(
    about bytes: UnsafeBufferPointer<UInt8>, firstInvalid: Int?
  ) -> WireError {
    let firstNUL = bytes.firstIndex(of: 0) ?? .max
    let firstInvalid = firstInvalid ?? .max
    return firstInvalid < firstNUL
      ? WireError(.invalid, "not UTF-8 at byte \(firstInvalid)")
      : WireError(.invalid, "NUL at byte \(firstNUL)")
  }

  /// A message.
  func message<M: WireMessage, CStruct>(
    _ pointer: UnsafeMutablePointer<CStruct>?, _ field: StaticString
  ) throws(WireError) -> M {
    guard let pointer else { return M() }
    do {
      return try M(unpacking: WireCell(pointer), with: self)
    } catch {
      throw error.inside("\(field)")
    }
  }

  /// An array of numbers.
  func numbers<Number>(
    _ count: Int, _ base: UnsafeMutablePointer<Number>?, _ field: StaticString
  ) throws(WireError) -> [Number] {
    if count == 0 { return [] }
    try charge(count, of: Number.self, field)
    return Array(UnsafeBufferPointer(start: base, count: count))
  }

  /// An array of booleans.
  func bools(
    _ count: Int, _ base: UnsafeMutablePointer<protobuf_c_boolean>?, _ field: StaticString
  ) throws(WireError) -> [Bool] {
    try array(count, base, field) { value throws(WireError) in value != 0 }
  }

  /// An array of enum values.
  func enums<Value: WireEnum, CEnum>(
    _ count: Int, _ base: UnsafeMutablePointer<CEnum>?, _ field: StaticString
  ) throws(WireError) -> [Value] {
    let numbers = base.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Int32.self) }
    return try array(count, numbers, field) { number throws(WireError) in Value(rawValue: number) }
  }

  /// An array of byte strings.
  func blobs(
    _ count: Int, _ base: UnsafeMutablePointer<ProtobufCBinaryData>?, _ field: StaticString
  ) throws(WireError) -> [[UInt8]] {
    try array(count, base, field) { data throws(WireError) in bytes(data) }
  }

  /// An array of strings.
  func strings(
    _ count: Int, _ base: UnsafeMutablePointer<ProtobufCBinaryData>?, _ field: StaticString
  ) throws(WireError) -> [String] {
    try array(count, base, field) { data throws(WireError) in try string(data, "") }
  }

  /// An array of messages.
  func messages<M: WireMessage, CStruct>(
    _ count: Int, _ base: UnsafeMutablePointer<UnsafeMutablePointer<CStruct>?>?,
    _ field: StaticString
  ) throws(WireError) -> [M] {
    try array(count, base, field) { pointer throws(WireError) in try message(pointer, "") }
  }

  /// A map; of entries with the same key the last wins. Strings that Swift takes for equal, such as
  /// two spellings of one accented letter, are the same key.
  func map<Key: WireMapKey, Value: WireValue, CStruct>(
    _ count: Int, _ base: UnsafeMutablePointer<UnsafeMutablePointer<CStruct>?>?,
    _ field: StaticString,
    key: (UnsafeMutablePointer<CStruct>) throws(WireError) -> Key,
    value: (UnsafeMutablePointer<CStruct>) throws(WireError) -> Value
  ) throws(WireError) -> [Key: Value] {
    guard count > 0, let base else { return [:] }
    try charge(2 * count, of: (Key, Value).self, field)
    var map = [Key: Value](minimumCapacity: count)
    for index in 0..<count {
      guard let entry = base[index] else { continue }
      do throws(WireError) {
        let key = try key(entry)
        map[key] = try valueOfEntry(entry, under: key, value)
      } catch {
        throw error.inside("\(field)")
      }
    }
    return map
  }

  private func valueOfEntry<Value, CStruct>(
    _ entry: UnsafeMutablePointer<CStruct>, under key: some WireMapKey,
    _ value: (UnsafeMutablePointer<CStruct>) throws(WireError) -> Value
  ) throws(WireError) -> Value {
    do {
      return try value(entry)
    } catch {
      throw error.under(key)
    }
  }

  private func array<CElement, Element>(
    _ count: Int, _ base: UnsafeMutablePointer<CElement>?, _ field: StaticString,
    _ transform: (CElement) throws(WireError) -> Element
  ) throws(WireError) -> [Element] {
    guard count > 0, let base else { return [] }
    try charge(count, of: Element.self, field)
    var result: [Element] = []
    result.reserveCapacity(count)
    for index in 0..<count {
      do {
        result.append(try transform(base[index]))
      } catch {
        throw error.inside("[\(index)]").inside("\(field)")
      }
    }
    return result
  }

  /// The Swift value of an element can be many times its C struct; it counts as well.
  private func charge<Element>(
    _ count: Int, of _: Element.Type, _ field: StaticString
  ) throws(WireError) {
    guard arena.charge(count * MemoryLayout<Element>.stride) else {
      throw WireError.tooMuchMemory.inside("\(field)")
    }
  }
}

extension WireError {
  static let tooMuchMemory = WireError(
    .tooLarge, "would take too much memory for its size")

  /// The same error in a map's entry: `value` becomes `["key"]`.
  fileprivate func under(_ key: some WireMapKey) -> WireError {
    let rest = field.hasPrefix("value") ? String(field.dropFirst("value".count)) : "." + field
    return WireError(kind, reason, field: "[\"\(key.mapKeyText)\"]" + rest, message: message)
  }
}

internal import CProtobufC

/// What generated code calls to build C structs. Memory for encoding has no budget, so every
/// allocation here succeeds.
extension WireArena {
  /// Uninitialized room for one `CStruct`.
  func new<CStruct>(_ type: CStruct.Type) -> UnsafeMutablePointer<CStruct> {
    array(of: type, count: 1)
  }

  /// A copy of `bytes`.
  func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    bytes.withUnsafeBufferPointer { copy($0) }
  }

  /// The UTF-8 of `string`. NUL becomes U+FFFD: no reader of these strings takes a NUL, and one in
  /// a log line must not cost the whole message.
  func bytes(_ string: String) -> ProtobufCBinaryData {
    var string = string
    return string.withUTF8 { utf8 in
      utf8.contains(0) ? bytes(Array(NULFree(utf8))) : copy(utf8)
    }
  }

  private func copy(_ source: UnsafeBufferPointer<UInt8>) -> ProtobufCBinaryData {
    guard let base = source.baseAddress, !source.isEmpty else { return ProtobufCBinaryData() }
    let memory = array(of: UInt8.self, count: source.count)
    memory.initialize(from: base, count: source.count)
    return ProtobufCBinaryData(len: source.count, data: memory)
  }

  /// The C struct of `message`.
  func message<M: WireMessage, CStruct>(_ message: M) -> UnsafeMutablePointer<CStruct> {
    message.pack(into: self).pointer(to: CStruct.self)
  }

  /// A copy of `values`; nil if there are none.
  func numbers<Number: BitwiseCopyable>(_ values: [Number]) -> UnsafeMutablePointer<Number>? {
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress, !values.isEmpty else { return nil }
      let memory = array(of: Number.self, count: values.count)
      memory.initialize(from: base, count: values.count)
      return memory
    }
  }

  /// `values` as C's booleans.
  func bools(_ values: [Bool]) -> UnsafeMutablePointer<protobuf_c_boolean>? {
    filled(values) { $0 ? 1 : 0 }
  }

  /// The numbers of `values`; a C enum has the size and the bits of an `Int32`.
  func enums<Value: WireEnum, CEnum>(_ values: [Value]) -> UnsafeMutablePointer<CEnum>? {
    filled(values, \.rawValue).map {
      UnsafeMutableRawPointer($0).assumingMemoryBound(to: CEnum.self)
    }
  }

  /// Copies of byte strings.
  func chunks(_ values: [[UInt8]]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    filled(values) { bytes($0) }
  }

  /// Copies of strings.
  func chunks(_ values: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    filled(values) { bytes($0) }
  }

  /// The C structs of `values`.
  func messages<M: WireMessage, CStruct>(
    _ values: [M]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CStruct>?>? {
    filled(values) { message($0) }
  }

  /// One entry struct for each pair of `map`, in the order of the keys: the same value always gives
  /// the same bytes.
  func entries<Key: WireMapKey, Value, CStruct>(
    _ map: [Key: Value], _ fill: (UnsafeMutablePointer<CStruct>, Key, Value) -> Void
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CStruct>?>? {
    filled(map.sorted { Key.areInWireOrder($0.key, $1.key) }) { key, value in
      let entry = new(CStruct.self)
      fill(entry, key, value)
      return entry
    }
  }

  private func filled<Value, Element>(
    _ values: [Value], _ transform: (Value) -> Element
  ) -> UnsafeMutablePointer<Element>? {
    if values.isEmpty { return nil }
    let memory = array(of: Element.self, count: values.count)
    for index in values.indices { (memory + index).initialize(to: transform(values[index])) }
    return memory
  }

  private func array<Element>(
    of _: Element.Type, count: Int
  ) -> UnsafeMutablePointer<Element> {
    guard let memory = allocate(count * MemoryLayout<Element>.stride) else {
      preconditionFailure("memory for encoding has no budget")
    }
    return memory.bindMemory(to: Element.self, capacity: count)
  }
}

/// UTF-8 with U+FFFD in place of every NUL.
private struct NULFree: Sequence, IteratorProtocol {
  private static let replacement: [UInt8] = Array("\u{FFFD}".utf8)
  private var source: UnsafeBufferPointer<UInt8>.Iterator
  private var pending: ArraySlice<UInt8> = []

  init(_ source: UnsafeBufferPointer<UInt8>) { self.source = source.makeIterator() }

  mutating func next() -> UInt8? {
    if let byte = pending.popFirst() { return byte }
    guard let byte = source.next() else { return nil }
    if byte != 0 { return byte }
    pending = Self.replacement[...]
    return pending.popFirst()
  }
}

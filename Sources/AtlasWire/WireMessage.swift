internal import CProtobufC
package import GRPCCore

/// A message of the API as a plain Swift value. Generated types conform; nothing else does.
///
/// Every byte on the wire is written and read by libprotobuf-c: ``encode()`` fills its structs and
/// packs them, ``init(decoding:limits:)`` unpacks into an arena and copies out. Fields that this
/// version does not know are dropped.
package protocol WireMessage: WireValue {
  /// libprotobuf-c's description of the type.
  static var wireType: WireType { get }

  /// Every field at its default.
  init()

  /// The C struct of this value, in `arena`.
  func pack(into arena: WireArena) -> WireCell

  /// A copy of the C struct in `cell`.
  ///
  /// - Throws: ``WireError`` if a value is not allowed, naming the field.
  init(unpacking cell: WireCell, with reader: WireReader) throws(WireError)

  /// Shows every field to `visitor`, in the order of the `.proto` file.
  mutating func visitFields(_ visitor: any WireFieldVisitor) throws(WireError)
}

extension WireMessage {
  /// The full name in the `.proto` file, such as `atlas.v1.Command`.
  package static var wireName: String { wireType.name }

  // MARK: Encoding

  /// The message in the binary format of proto3.
  ///
  /// The same value always gives the same bytes: maps are written in the order of their keys. A
  /// negative zero in a field without presence is left out, as the zero it equals.
  package func encode() -> [UInt8] {
    withPacked { base, count in
      [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        initialized = protobuf_c_message_pack(base, buffer.baseAddress)
      }
    }
  }

  /// The same bytes as ``encode()``, in the type a transport wants.
  package func encode<Bytes: GRPCContiguousBytes>(as _: Bytes.Type) -> Bytes {
    withPacked { base, count in
      var bytes = Bytes(repeating: 0, count: count)
      bytes.withUnsafeMutableBytes { buffer in
        _ = protobuf_c_message_pack(base, buffer.assumingMemoryBound(to: UInt8.self).baseAddress)
      }
      return bytes
    }
  }

  /// How many bytes ``encode()`` gives.
  package var encodedCount: Int { withPacked { _, count in count } }

  private func withPacked<R>(_ body: (UnsafePointer<ProtobufCMessage>, Int) -> R) -> R {
    let memory = WireMemory()
    let base = UnsafePointer(pack(into: memory.arena).base)
    return body(base, protobuf_c_message_get_packed_size(base))
  }

  // MARK: Decoding

  /// Reads a message in the binary format of proto3.
  ///
  /// Strings must be UTF-8 without NUL. Of a field that is not repeated the last value counts; a
  /// *message* in such a field must come only once, as every encoder writes it: libprotobuf-c does
  /// not merge two of them as the format asks.
  ///
  /// - Throws: ``WireError``: `invalid` for bytes that are not this message, `tooLarge` for more
  ///   than the limits allow.
  package init(
    decoding bytes: some GRPCContiguousBytes, limits: WireLimits = .standard
  ) throws(WireError) {
    let result = bytes.withUnsafeBytes { Self.decode($0, limits: limits) }
    self = try result.get()
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: WireLimits
  ) -> Result<Self, WireError> {
    do {
      return .success(try unpack(bytes, limits: limits))
    } catch {
      return .failure(error.of(wireName))
    }
  }

  private static func unpack(
    _ bytes: UnsafeRawBufferPointer, limits: WireLimits
  ) throws(WireError) -> Self {
    guard bytes.count <= limits.messageBytes else {
      throw WireError(
        .tooLarge, "\(bytes.count) bytes are more than the \(limits.messageBytes) allowed")
    }
    let memory = WireMemory(budget: limits.memoryBudget(for: bytes.count))
    let base = protobuf_c_message_unpack(
      wireType.descriptor, memory.arena.allocator, bytes.count,
      bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
    guard let base else {
      throw memory.arena.isExhausted
        ? .tooMuchMemory : WireError(.invalid, "malformed protobuf bytes")
    }
    return try Self(unpacking: WireCell(base), with: WireReader(arena: memory.arena))
  }
}

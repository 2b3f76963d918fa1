internal import CAtlasProto
internal import CProtobufC

/// A protoc-c struct in an arena, without its type. Opaque outside this module.
package struct WireCell {
  let raw: UnsafeMutableRawPointer

  /// - Parameter pointer: the struct.
  init<CStruct>(_ pointer: UnsafeMutablePointer<CStruct>) { raw = UnsafeMutableRawPointer(pointer) }

  /// The struct, which the caller knows to be a `CStruct`.
  func pointer<CStruct>(to _: CStruct.Type) -> UnsafeMutablePointer<CStruct> {
    raw.assumingMemoryBound(to: CStruct.self)
  }

  /// Its front, which every protoc-c struct has in common.
  var base: UnsafeMutablePointer<ProtobufCMessage> { pointer(to: ProtobufCMessage.self) }
}

/// libprotobuf-c's description of a message type.
///
/// `@unchecked Sendable`: it points to a constant that protoc-c generated and nobody writes to.
package struct WireType: @unchecked Sendable {
  let descriptor: UnsafePointer<ProtobufCMessageDescriptor>

  /// The full name, such as `atlas.v1.Command`.
  package let name: String

  /// Reads the description off an initialized struct: Swift cannot take the address of the C
  /// constant itself.
  init<CStruct>(_ initialize: (UnsafeMutablePointer<CStruct>?) -> Void) {
    descriptor = withUnsafeTemporaryAllocation(of: CStruct.self, capacity: 1) { memory in
      initialize(memory.baseAddress)
      return UnsafeRawPointer(memory.baseAddress!)
        .assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor
    }
    name = String(cString: descriptor.pointee.name)
  }
}

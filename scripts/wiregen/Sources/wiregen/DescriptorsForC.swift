import SwiftProtobuf

/// The pass over a descriptor set that makes protoc-c 1.4 take proto3 as it is written today.
///
/// Nothing here changes a byte on the wire:
/// - `string` becomes `bytes`: protobuf-c's strings are NUL-terminated and unchecked, its bytes are
///   counted. Swift validates UTF-8 and NUL itself.
/// - `map_entry` is cleared: protoc-c refuses string maps; a repeated entry message is the same
///   wire format. Key and value get presence, so that an entry always carries both, as the other
///   implementations write it.
/// - `deprecated` is cleared: the C attribute would make the generated Swift itself warn.
/// - `proto3_optional` is cleared: protoc-c refuses it. The synthetic oneof stays and gives
///   presence.
enum DescriptorsForC {
  static func rewrite(_ set: inout Google_Protobuf_FileDescriptorSet) {
    for file in set.file.indices {
      set.file[file].clearSourceCodeInfo()
      for message in set.file[file].messageType.indices {
        rewrite(&set.file[file].messageType[message])
      }
    }
  }

  private static func rewrite(_ message: inout Google_Protobuf_DescriptorProto) {
    for field in message.field.indices { rewrite(&message.field[field]) }
    if message.options.mapEntry { flatten(mapEntry: &message) }
    for nested in message.nestedType.indices { rewrite(&message.nestedType[nested]) }
  }

  private static func rewrite(_ field: inout Google_Protobuf_FieldDescriptorProto) {
    if field.type == .string { field.type = .bytes }
    if field.proto3Optional { field.clearProto3Optional() }
    if field.options.deprecated { field.options.clearDeprecated() }
  }

  private static func flatten(mapEntry: inout Google_Protobuf_DescriptorProto) {
    mapEntry.options.clearMapEntry()
    for field in mapEntry.field.indices where mapEntry.field[field].type != .message {
      var presence = Google_Protobuf_OneofDescriptorProto()
      presence.name = "_" + mapEntry.field[field].name
      mapEntry.field[field].oneofIndex = Int32(mapEntry.oneofDecl.count)
      mapEntry.oneofDecl.append(presence)
    }
  }
}

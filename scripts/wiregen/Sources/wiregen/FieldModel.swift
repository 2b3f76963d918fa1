import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What one value of a field is, on both sides.
enum ValueKind {
  /// A number whose C and Swift types are the same, by its Swift name.
  case number(String)
  case bool
  case string
  case bytes
  case enumeration(swift: String)
  case message(swift: String, c: String)

  init(_ field: FieldDescriptor) {
    switch field.type {
    case .double: self = .number("Double")
    case .float: self = .number("Float")
    case .int32, .sint32, .sfixed32: self = .number("Int32")
    case .int64, .sint64, .sfixed64: self = .number("Int64")
    case .uint32, .fixed32: self = .number("UInt32")
    case .uint64, .fixed64: self = .number("UInt64")
    case .bool: self = .bool
    case .string: self = .string
    case .bytes: self = .bytes
    case .enum: self = .enumeration(swift: SwiftNames.type(field.enumType))
    case .message, .group:
      self = .message(
        swift: SwiftNames.type(field.messageType), c: CNames.type(field.messageType.fullName))
    }
  }

  var swift: String {
    switch self {
    case .number(let name): name
    case .bool: "Bool"
    case .string: "String"
    case .bytes: "[UInt8]"
    case .enumeration(let name): name
    case .message(let name, _): name
    }
  }

  /// The proto3 default, as a Swift expression that needs its type from the context.
  var zero: String {
    switch self {
    case .number: "0"
    case .bool: "false"
    case .string: "\"\""
    case .bytes: "[]"
    case .enumeration: ".init(rawValue: 0)"
    case .message: ".init()"
    }
  }

  /// The expression that turns Swift `value` into the C member's value.
  func packed(_ value: String) -> String {
    switch self {
    case .number: value
    case .bool: "\(value) ? 1 : 0"
    case .string, .bytes: "arena.bytes(\(value))"
    case .enumeration: ".init(rawValue: .init(truncatingIfNeeded: \(value).rawValue))"
    case .message: "arena.message(\(value))"
    }
  }

  /// The expression that turns the C member `value` of the field `name` into Swift.
  func unpacked(_ value: String, name: String) -> String {
    switch self {
    case .number: value
    case .bool: "\(value) != 0"
    case .string: "try reader.string(\(value), \"\(name)\")"
    case .bytes: "reader.bytes(\(value))"
    case .enumeration: ".init(rawValue: .init(truncatingIfNeeded: \(value).rawValue))"
    case .message: "try reader.message(\(value), \"\(name)\")"
    }
  }

  /// The arena function that copies an array of these.
  var arrayPacker: String {
    switch self {
    case .number: "numbers"
    case .bool: "bools"
    case .string, .bytes: "chunks"
    case .enumeration: "enums"
    case .message: "messages"
    }
  }

  /// The expression that reads an array of these.
  func unpackedArray(count: String, base: String, name: String) -> String {
    switch self {
    case .number: "try reader.numbers(\(count), \(base), \"\(name)\")"
    case .bool: "try reader.bools(\(count), \(base), \"\(name)\")"
    case .string: "try reader.strings(\(count), \(base), \"\(name)\")"
    case .bytes: "try reader.blobs(\(count), \(base), \"\(name)\")"
    case .enumeration: "try reader.enums(\(count), \(base), \"\(name)\")"
    case .message: "try reader.messages(\(count), \(base), \"\(name)\")"
    }
  }
}

/// How a field is stored.
enum FieldShape {
  /// A plain value; its default is not written.
  case singular
  /// With presence: a proto3 `optional` by its synthetic oneof, a message by its pointer.
  case optional(presence: OneofDescriptor?)
  case repeated
  case map(key: FieldDescriptor, value: FieldDescriptor)
  case oneofMember(OneofDescriptor)
}

/// One field, with everything the emitters ask about it.
struct FieldModel {
  let descriptor: FieldDescriptor
  let shape: FieldShape
  let value: ValueKind

  init(_ field: FieldDescriptor) {
    descriptor = field
    value = ValueKind(field)
    if field.isMap, let entry = field.messageType.mapKeyAndValue {
      shape = .map(key: entry.key, value: entry.value)
    } else if field.isRepeated {
      shape = .repeated
    } else if let oneof = field.realContainingOneof {
      shape = .oneofMember(oneof)
    } else if let synthetic = field.containingOneof {
      shape = .optional(presence: synthetic)
    } else if case .message = value {
      shape = .optional(presence: nil)
    } else {
      shape = .singular
    }
  }

  var name: String { descriptor.name }
  var number: Int32 { descriptor.number }
  var property: String { SwiftNames.property(descriptor) }
  var member: String { "c.pointee." + CNames.member(descriptor) }
  var count: String { "c.pointee." + CNames.count(descriptor) }

  /// The Swift type of the stored property.
  var storage: String {
    switch shape {
    case .singular: value.swift
    case .optional, .oneofMember: value.swift + "?"
    case .repeated: "[\(value.swift)]"
    case .map(let key, let value): "[\(ValueKind(key).swift): \(ValueKind(value).swift)]"
    }
  }

  /// The stored property's default.
  var initial: String {
    switch shape {
    case .singular: value.zero
    case .optional, .oneofMember: "nil"
    case .repeated: "[]"
    case .map: "[:]"
    }
  }

  /// The field's identity as generated code writes it.
  var identity: String {
    let json = descriptor.jsonName ?? NamingUtils.toJsonFieldName(name)
    return "WireField(\(number), \"\(name)\", json: \"\(json)\")"
  }
}

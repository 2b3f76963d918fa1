import SwiftProtobufPluginLibrary

/// The names generated Swift gives to things.
enum SwiftNames {
  /// The namespace of a proto package: `atlas.v1` → `AtlasV1`, `grpc.reflection.v1alpha` →
  /// `GRPCReflectionV1Alpha`.
  static func namespace(_ package: String) -> String {
    package.split(separator: ".").map { namespacePart(String($0)) }.joined()
  }

  private static func namespacePart(_ part: String) -> String {
    if ["grpc", "rpc"].contains(part) { return part.uppercased() }
    for stage in ["alpha", "beta"] where part.hasPrefix("v") && part.hasSuffix(stage) {
      return "V" + part.dropFirst().dropLast(stage.count) + NamingUtils.toUpperCamelCase(stage)
    }
    return NamingUtils.toUpperCamelCase(part)
  }

  /// The full Swift name of a message: `AtlasV1.Campaign.Ring`.
  static func type(_ message: Descriptor) -> String {
    if let parent = message.containingType { return type(parent) + "." + local(message.name) }
    return namespace(message.file.package) + "." + local(message.name)
  }

  /// The full Swift name of an enum.
  static func type(_ enumeration: EnumDescriptor) -> String {
    if let parent = enumeration.containingType {
      return type(parent) + "." + local(enumeration.name)
    }
    return namespace(enumeration.file.package) + "." + local(enumeration.name)
  }

  /// A type's own name, as it stands after `struct` or `enum`.
  static func local(_ name: String) -> String {
    ["Type", "Protocol", "Self", "Any"].contains(name) ? "`\(name)`" : name
  }

  /// The enum of a oneof, nested in its message. A nested message of that name wins.
  static func type(_ oneof: OneofDescriptor) -> String {
    let message: Descriptor = oneof.containingType
    let name = NamingUtils.toUpperCamelCase(oneof.name)
    let taken = message.messages.map(\.name) + message.enums.map(\.name)
    return taken.contains(name) ? name + "Choice" : local(name)
  }

  /// The property of a field, without backticks.
  static func property(_ field: FieldDescriptor) -> String { property(field.name) }

  /// The property of a oneof, without backticks.
  static func property(_ oneof: OneofDescriptor) -> String { property(oneof.name) }

  /// Backticks do not help `self` and `init`, nor what `Hashable` takes.
  private static func property(_ name: String) -> String {
    let name = NamingUtils.toLowerCamelCase(name)
    return ["self", "init", "hashValue"].contains(name) ? name + "Value" : name
  }

  /// The case of an enum value, without its enum's prefix: `RUN_STATE_PENDING` → `pending`.
  static func enumCase(_ value: EnumValueDescriptor) -> String {
    let prefix = upperSnake(value.enumType.name) + "_"
    var name = value.name
    if name.hasPrefix(prefix), let first = name.dropFirst(prefix.count).first, first.isLetter {
      name = String(name.dropFirst(prefix.count))
    }
    return NamingUtils.toLowerCamelCase(name.lowercased())
  }

  /// The function of an RPC: `GetCampaign` → `getCampaign`.
  static func function(_ method: MethodDescriptor) -> String {
    method.name.prefix(1).lowercased() + method.name.dropFirst()
  }

  /// `name` where a declaration or a bare use needs it, in backticks if Swift reserves it.
  static func quoted(_ name: String) -> String {
    reserved.contains(name) ? "`\(name)`" : name
  }

  private static func upperSnake(_ name: String) -> String {
    var result = ""
    var previousWasLower = false
    for character in name {
      if character.isUppercase, previousWasLower { result.append("_") }
      result += character.uppercased()
      previousWasLower = character.isLowercase || character.isNumber
    }
    return result
  }

  private static let reserved: Set<String> = [
    "Any", "Protocol", "Self", "Type", "as", "associatedtype", "await", "break", "case", "catch",
    "class", "continue", "default", "defer", "deinit", "do", "else", "enum", "extension", "false",
    "fallthrough", "fileprivate", "for", "func", "guard", "if", "import", "in", "init", "inout",
    "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public",
    "repeat", "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch",
    "throw", "throws", "true", "try", "typealias", "var", "where", "while",
  ]
}

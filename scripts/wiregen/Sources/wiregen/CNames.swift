import SwiftProtobufPluginLibrary

/// The names protoc-c gives to things, derived the way it derives them
/// (`protoc-c/c_helpers.cc` of protobuf-c 1.4).
enum CNames {
  /// `atlas.v1.ServerRun` → `Atlas__V1__ServerRun`.
  static func type(_ fullName: String) -> String {
    pieces(fullName).map(camel).joined(separator: "__")
  }

  /// `atlas.v1.ServerRun` → `atlas__v1__server_run__init`.
  static func initializer(_ fullName: String) -> String {
    pieces(fullName).map(lower).joined(separator: "__") + "__init"
  }

  /// The struct member of a field, ready to stand after a dot in Swift.
  static func member(_ field: FieldDescriptor) -> String {
    let name = rawMember(field)
    return ["init", "self", "Type"].contains(name) ? "`\(name)`" : name
  }

  /// The member that counts a repeated field.
  static func count(_ field: FieldDescriptor) -> String { "n_" + rawMember(field) }

  /// The member that says which field of a oneof is set; it holds the field's number.
  static func which(_ oneof: OneofDescriptor) -> String { lower(oneof.name) + "_case" }

  private static func rawMember(_ field: FieldDescriptor) -> String {
    let name = field.name.lowercased()
    return keywords.contains(name) ? name + "_" : name
  }

  private static func pieces(_ fullName: String) -> [String] {
    fullName.split(separator: ".").map(String.init)
  }

  private static func camel(_ name: String) -> String {
    name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  private static func lower(_ name: String) -> String {
    var result = ""
    var previousWasUpper = true
    for character in name {
      if character.isUppercase, !previousWasUpper { result.append("_") }
      result += character.lowercased()
      previousWasUpper = character.isUppercase
    }
    return result
  }

  private static let keywords: Set<String> = [
    "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "class", "compl", "const", "const_cast", "continue", "default", "delete", "do", "double",
    "dynamic_cast", "else", "enum", "explicit", "extern", "false", "float", "for", "friend", "goto",
    "if", "inline", "int", "long", "mutable", "namespace", "new", "not", "not_eq", "operator", "or",
    "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "return", "short",
    "signed", "sizeof", "static", "static_cast", "struct", "switch", "template", "this", "throw",
    "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void",
    "volatile", "wchar_t", "while", "xor", "xor_eq",
  ]
}

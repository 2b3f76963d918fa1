import AtlasHooks

/// A value on its way between a script and the host. Texts are bytes: Lua promises no encoding.
enum LuaValue: Hashable, Sendable {
  case none
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case text([UInt8])
  case list([LuaValue])
  case map([Member])
  /// JSON text that the script receives as the value it stands for. To scripts only.
  case json([UInt8])
  /// A map with a text `body`, to which the script's side adds the function `json`. To scripts
  /// only.
  case response([Member])
  /// A list or map that the script cannot change. To scripts only.
  indirect case readOnly(LuaValue)

  /// A member of a map. Order means nothing; keys are unique.
  struct Member: Hashable, Sendable {
    var key: String
    var value: LuaValue

    init(_ key: String, _ value: LuaValue) {
      self.key = key
      self.value = value
    }
  }
}

extension LuaValue {
  init(_ text: String) { self = .text(Array(text.utf8)) }

  /// The error table that follows nil.
  init(_ fault: HookFault) {
    self = .map([
      Member("code", LuaValue(fault.code)), Member("message", LuaValue(fault.message)),
      Member("retryable", .boolean(fault.retryable)),
    ])
  }

  /// The text, with bytes that are not UTF-8 replaced; nil for any other value.
  var string: String? {
    guard case .text(let bytes) = self else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The word Lua has for its kind.
  var kind: String {
    switch self {
    case .none: "nil"
    case .boolean: "boolean"
    case .integer, .number: "number"
    case .text: "string"
    case .list, .map, .json, .response, .readOnly: "table"
    }
  }

  /// The value for people: as in a log line. Cut where it nests deep.
  func described(depth: Int = 0) -> String {
    switch self {
    case .none: "nil"
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .text(let bytes), .json(let bytes): String(decoding: bytes, as: UTF8.self)
    case .readOnly(let value): value.described(depth: depth)
    case .list, .map, .response: depth > 2 ? "…" : describedMembers(depth: depth + 1)
    }
  }
  private func describedMembers(depth: Int) -> String {
    switch self {
    case .list(let values):
      return "[\(values.map { $0.described(depth: depth) }.joined(separator: ", "))]"
    case .map(let members), .response(let members):
      let sorted = members.sorted { $0.key < $1.key }
        .map { "\($0.key)=\($0.value.described(depth: depth))" }
      return "{\(sorted.joined(separator: ", "))}"
    case .none, .boolean, .integer, .number, .text, .json, .readOnly:
      return described(depth: depth)
    }
  }
}

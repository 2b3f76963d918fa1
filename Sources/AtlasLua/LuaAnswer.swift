import AtlasHooks

/// What the host says to a call.
enum LuaAnswer: Hashable, Sendable {
  case values([LuaValue])
  /// Something in the world failed: the script gets nil and the error.
  case fault(HookFault)
  /// The script did something wrong: raised at its line.
  case misuse(String)
  /// The hook ends here.
  case end

  static let done = LuaAnswer.values([.boolean(true)])
  static let nothing = LuaAnswer.values([])

  var isError: Bool {
    switch self {
    case .values, .end: false
    case .fault, .misuse: true
    }
  }

  /// In the form of `codec.c`.
  var bytes: [UInt8] {
    var encoder = LuaEncoder()
    switch self {
    case .values(let values):
      encoder.append(byte: 0)
      encoder.append(count: values.count)
      for value in values { encoder.append(value) }
    case .fault(let fault):
      return LuaAnswer.values([.none, LuaValue(fault)]).bytes
    case .misuse(let message):
      encoder.append(byte: 1)
      encoder.append(raw: message.utf8)
    case .end:
      encoder.append(byte: 2)
    }
    return encoder.bytes
  }
}

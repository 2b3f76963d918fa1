/// What the Lua compiler made of a file, read for static checks: which globals it uses, and where.
///
/// The form is that of Lua 5.4's `ldump.c`. Asking the compiler beats guessing scopes from the
/// text: a name is a global here exactly when the script would look it up in its environment.
struct CompiledChunk {
  /// A use of a global name.
  struct Use: Hashable, Sendable {
    var name: String
    var line: Int
    var isWrite: Bool
  }

  private(set) var uses: [Use] = []

  /// - Returns: nil when the bytes are in no form that is known here; there is nothing to check
  ///   then.
  init?(_ bytes: [UInt8]) {
    var reader = Reader(bytes: bytes)
    do {
      try reader.header()
      try read(&reader, depth: 0)
    } catch { return nil }
  }

  private enum Opcode {
    static let getUpvalueField: UInt32 = 11
    static let setUpvalueField: UInt32 = 15
  }

  private mutating func read(_ reader: inout Reader, depth: Int) throws(LuaCodecError) {
    guard depth < 200 else { throw LuaCodecError() }
    _ = try reader.string()  // source
    let firstLine = try reader.number()
    _ = try reader.number()
    try reader.skip(3)  // parameters, variable arguments, stack size
    let code = try reader.instructions()
    let constants = try reader.constants()
    try reader.skip(try reader.number() * 3)  // upvalues
    for _ in 0..<(try reader.number()) { try read(&reader, depth: depth + 1) }
    let lines = try reader.lines(first: firstLine)
    let upvalues = try reader.names()
    collect(code: code, constants: constants, upvalues: upvalues, lines: lines)
  }

  private mutating func collect(
    code: [UInt32], constants: [String?], upvalues: [String], lines: [Int]
  ) {
    for (index, instruction) in code.enumerated() {
      let a = Int(instruction >> 7 & 0xff)
      let b = Int(instruction >> 16 & 0xff)
      let c = Int(instruction >> 24 & 0xff)
      let (upvalue, constant, isWrite): (Int, Int, Bool)
      switch instruction & 0x7f {
      case Opcode.getUpvalueField: (upvalue, constant, isWrite) = (b, c, false)
      case Opcode.setUpvalueField: (upvalue, constant, isWrite) = (a, b, true)
      case _: continue
      }
      guard upvalue < upvalues.count, upvalues[upvalue] == "_ENV", constant < constants.count,
        let name = constants[constant]
      else { continue }
      uses.append(Use(name: name, line: index < lines.count ? lines[index] : 0, isWrite: isWrite))
    }
  }
}

extension CompiledChunk {
  fileprivate struct Reader {
    let bytes: [UInt8]
    var position = 0

    mutating func byte() throws(LuaCodecError) -> UInt8 {
      guard position < bytes.count else { throw LuaCodecError() }
      defer { position += 1 }
      return bytes[position]
    }

    mutating func skip(_ count: Int) throws(LuaCodecError) {
      guard count >= 0, count <= bytes.count - position else { throw LuaCodecError() }
      position += count
    }

    /// The first groups of seven bits come first; the last one has its high bit set.
    mutating func number() throws(LuaCodecError) -> Int {
      var value = 0
      for _ in 0..<5 {
        let group = try byte()
        value = value << 7 | Int(group & 0x7f)
        if group & 0x80 != 0 { return value }
      }
      throw LuaCodecError()
    }

    mutating func string() throws(LuaCodecError) -> String? {
      let size = try number()
      guard size > 0 else { return nil }
      let start = position
      try skip(size - 1)
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Signature, version 5.4, format 0, the check bytes, the sizes and two sample numbers.
    mutating func header() throws(LuaCodecError) {
      let expected: [UInt8] =
        [0x1b, 0x4c, 0x75, 0x61, 0x54, 0x00, 0x19, 0x93, 0x0d, 0x0a, 0x1a, 0x0a, 4, 8, 8]
      guard bytes.starts(with: expected) else { throw LuaCodecError() }
      position = expected.count
      try skip(16 + 1)  // the samples, the count of upvalues
    }

    mutating func instructions() throws(LuaCodecError) -> [UInt32] {
      let count = try number()
      let start = position
      try skip(count * 4)
      return (0..<count).map { index in
        bytes[(start + index * 4)..<(start + index * 4 + 4)].reversed()
          .reduce(0) { $0 << 8 | UInt32($1) }
      }
    }

    /// The texts among the constants; nil for the others.
    mutating func constants() throws(LuaCodecError) -> [String?] {
      var constants: [String?] = []
      for _ in 0..<(try number()) {
        switch try byte() {
        case 0x00, 0x01, 0x11: constants.append(nil)
        case 0x03, 0x13:
          try skip(8)
          constants.append(nil)
        case 0x04, 0x14: constants.append(try string())
        case _: throw LuaCodecError()
        }
      }
      return constants
    }

    /// The line of every instruction: differences, but where an absolute line is given.
    mutating func lines(first: Int) throws(LuaCodecError) -> [Int] {
      let count = try number()
      let start = position
      try skip(count)
      var absolute: [Int: Int] = [:]
      for _ in 0..<(try number()) {
        let index = try number()
        absolute[index] = try number()
      }
      var line = first
      return (0..<count).map { index in
        let difference = Int8(bitPattern: bytes[start + index])
        line = difference == .min ? absolute[index] ?? line : line + Int(difference)
        return line
      }
    }

    /// Names of locals, which are skipped, and of upvalues.
    mutating func names() throws(LuaCodecError) -> [String] {
      for _ in 0..<(try number()) {
        _ = try string()
        _ = try number()
        _ = try number()
      }
      var names: [String] = []
      for _ in 0..<(try number()) { names.append(try string() ?? "") }
      return names
    }
  }
}

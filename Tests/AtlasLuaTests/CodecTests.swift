import AtlasHooks
import Testing

@testable import AtlasLua

@Suite("Values as bytes")
struct CodecTests {
  @Test(
    "What is written is read back",
    arguments: [
      .none, .boolean(true), .boolean(false), .integer(0), .integer(-1), .integer(.max),
      .integer(.min), .number(0.1), .number(-.infinity), .text([]), .text(Array(0...255)),
      .list([.none, .list([]), .map([])]),
      .map([.init("a", .integer(1)), .init("", .text([0xff]))]),
    ] as [LuaValue])
  func roundTrip(value: LuaValue) throws {
    var encoder = LuaEncoder()
    encoder.append(value)
    var decoder = LuaDecoder(encoder.bytes)
    #expect(try decoder.value() == value)
    #expect(decoder.isAtEnd)
  }

  @Test(
    "Bytes that are not in the form are refused",
    arguments: [
      [], [0x0b], [0x03], [0x03, 0x80], [0x04, 1, 2, 3], [0x05, 5, 1], [0x06, 2, 0],
      [0x07, 1, 1, 0x61], [0x03] + Array(repeating: 0xff, count: 11),
      [0x05, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      Array(repeating: 0x06, count: 1) + Array(repeating: [1, 0x06], count: 60).flatMap { $0 },
    ] as [[UInt8]])
  func malformed(bytes: [UInt8]) {
    var decoder = LuaDecoder(bytes)
    #expect(throws: LuaCodecError.self) { try decoder.value() }
  }

  @Test("No bytes make the decoder fail in another way")
  func random() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<24, using: &generator)
      let bytes = (0..<count).map { _ in
        Bool.random(using: &generator) ? UInt8.random(in: 0...10) : UInt8.random(in: 0...255)
      }
      var decoder = LuaDecoder(bytes)
      _ = try? decoder.value()
      _ = LuaRequest(bytes)
      _ = LuaFault(bytes)
    }
  }

  @Test("A request names its call and arguments")
  func request() {
    let index = UInt8(HookCall.allCases.firstIndex(of: .keyValueGet)!)
    let request = LuaRequest([index, 1, 0x05, 1, 0x6b])
    #expect(request?.call == .keyValueGet)
    #expect(request?[0] == LuaValue("k"))
    #expect(request?[1] == LuaValue.none)
    #expect(LuaRequest([99, 0]) == nil)
    #expect(LuaRequest([index, 1, 0x05, 1, 0x6b, 0]) == nil)
  }
}

import AtlasModel
import Testing

@testable import AtlasLua

@Suite("Which hosts hooks may reach")
struct HostRulesTests {
  private static let client = ClientName(trusted: "LAA")

  @Test(
    "A rule allows its host and port, and nothing else",
    arguments: [
      ("backup.example.net", "backup.example.net", 443, true),
      ("backup.example.net", "BACKUP.example.net", 80, true),
      ("backup.example.net", "evil.backup.example.net", 443, false),
      ("backup.example.net", "backup.example.net.evil", 443, false),
      ("*.example.net", "a.example.net", 443, true),
      ("*.example.net", "a.b.example.net", 443, true),
      ("*.example.net", "example.net", 443, false),
      ("*.example.net", "evilexample.net", 443, false),
      ("backup:9443", "backup", 9_443, true),
      ("backup:9443", "backup", 443, false),
      ("127.0.0.1:8080", "127.0.0.1", 8_080, true),
      ("[::1]:8080", "::1", 8_080, true),
      ("::1", "::1", 8_080, true),
      ("veeam.{client}.example.net", "veeam.laa.example.net", 443, true),
      ("veeam.{client}.example.net", "veeam.bee.example.net", 443, false),
      ("*", "anything", 1, true),
    ])
  func allows(rule: String, host: String, port: Int, expected: Bool) throws {
    let rules = try HookHostRules(everyClient: [rule])
    #expect(rules.allows(host: host, port: port, client: Self.client) == expected)
  }

  @Test("A client's rules are its own")
  func byClient() throws {
    let rules = try HookHostRules(everyClient: [], byClient: [Self.client: ["x"]])
    #expect(rules.allows(host: "x", port: 80, client: Self.client))
    #expect(!rules.allows(host: "x", port: 80, client: ClientName(trusted: "BEE")))
  }

  @Test(
    "A text that is no rule is refused",
    arguments: ["", ":80", "a b", "http://x", "x:0", "x:99999", "a.*.b", "**", "x/y", "*x"])
  func wrong(text: String) {
    #expect(throws: HookHostRuleError(text: text)) { try HookHostRules(everyClient: [text]) }
  }

  @Test(
    "Addresses of metadata services and of no single host are forbidden",
    arguments: [
      ([169, 254, 169, 254], true), ([169, 254, 0, 1], true), ([100, 100, 100, 200], true),
      ([168, 63, 129, 16], true), ([0, 0, 0, 0], true), ([224, 0, 0, 1], true),
      ([255, 255, 255, 255], true), ([127, 0, 0, 1], false), ([10, 0, 0, 1], false),
      ([169, 253, 0, 1], false), ([], true),
      (Array(repeating: 0, count: 16), true),
      (Array(repeating: 0, count: 15) + [1], false),
      ([0xfe, 0x80] + Array(repeating: 0, count: 14), true),
      ([0xfe, 0xbf] + Array(repeating: 0, count: 14), true),
      ([0xfd, 0x00, 0x0e, 0xc2] + Array(repeating: 0, count: 10) + [2, 54], true),
      ([0x20, 0x01, 0x0d, 0xb8] + Array(repeating: 0, count: 12), false),
      (Array(repeating: 0, count: 10) + [0xff, 0xff, 169, 254, 169, 254], true),
      (Array(repeating: 0, count: 10) + [0xff, 0xff, 10, 0, 0, 1], false),
      ([0, 0x64, 0xff, 0x9b] + Array(repeating: 0, count: 8) + [169, 254, 169, 254], true),
      ([0x20, 0x02, 169, 254, 169, 254] + Array(repeating: 0, count: 10), true),
    ] as [([UInt8], Bool)])
  func forbidden(bytes: [UInt8], expected: Bool) {
    #expect(ForbiddenAddress.contains(bytes) == expected)
  }
}

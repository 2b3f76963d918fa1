import FoundationEssentials
import Testing

@testable import AtlasCommands

@Suite("An address")
struct AddressTests {
  @Test(
    "is HOST:PORT, or a host alone for the usual port",
    arguments: [
      ("127.0.0.1:7500", "127.0.0.1:7500"), ("atlas.example.net", "atlas.example.net:7443"),
      ("[::1]:80", "[::1]:80"), ("[::1]", "[::1]:7443"), ("localhost:1", "localhost:1"),
    ])
  func reads(text: String, expected: String) throws {
    #expect(try Address(text).description == expected)
  }

  @Test(
    "that is wrong is refused with what would be right",
    arguments: [
      "", ":7443", "host:", "host:0", "host:70000", "host:x", "::1:80", "[::1", "a b:1", "[::1]80",
    ])
  func refuses(text: String) {
    let failure = #expect(throws: Failure.self) { try Address(text) }
    #expect(failure?.status == .usage)
    #expect(failure?.hint == "write HOST:PORT, such as 127.0.0.1:7443")
  }
}

@Suite("The configuration")
struct ConfigurationTests {
  /// A directory of its own that is gone afterwards.
  private func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory.path())
  }

  private func configuration(_ text: String) throws -> Configuration {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
    defer { try? FileManager.default.removeItem(atPath: file) }
    try Data(text.utf8).write(to: URL(filePath: file))
    return try Configuration(path: file)
  }

  @Test("reads what a person wrote")
  func reads() throws {
    let read = try configuration(
      """
      # two daemons
      current: night   # the real one
      contexts:
        local:
          address: "127.0.0.1:7443"
        night:
          address: atlas.example.net
          ca: '/etc/it''s/ca.pem'
          tls: true
      """)
    var expected = Configuration()
    expected.current = "night"
    expected.set(.init(name: "local", address: .usual))
    expected.set(
      .init(
        name: "night", address: Address(host: "atlas.example.net", port: 7443),
        security: .init(ca: "/etc/it's/ca.pem")))
    #expect(read == expected)
  }

  @Test(
    "says in which line something is wrong",
    arguments: [
      ("curent: x", ":1: “curent” is not known; use current or contexts"),
      (
        "contexts:\n  a:\n    port: 1",
        ":3: “port” is not known; use address, ca, certificate, key, server_name, tls or "
          + "evidence_key"
      ),
      (
        "contexts:\n  a:\n    evidence_key: 5F2C",
        ":3: evidence_key is 64 digits and letters a to f, not “5F2C”"
      ),
      ("contexts:\n  a:\n    ca: x", ":2: the context “a” has no address"),
      ("contexts:\n  a:\n    address: :1", ":3: the address “:1” has no host that could be one"),
      ("contexts:\n\tb: 1", ":2: use spaces, not tabs, to indent"),
      ("current: [a]", ":1: this value is more than this program reads; use one word or quotes"),
      ("current: a\ncurrent: b", ":2: “current” comes twice"),
      ("just a text", ":1: expected “name: value”"),
      ("current: \"a", ":1: this value is more than this program reads; use one word or quotes"),
      ("contexts:\n    a:\n  b:", ":3: the indentation is wrong"),
    ])
  func refuses(text: String, expected: String) {
    let failure = #expect(throws: Failure.self) { try configuration(text) }
    #expect(failure?.message.hasSuffix(expected) == true, "\(failure?.message ?? "")")
  }

  @Test("is written as it is read")
  func roundTrip() async throws {
    try await withDirectory { directory in
      var written = Configuration()
      written.current = "night"
      written.set(
        .init(
          name: "night", address: Address(host: "::1", port: 1),
          security: .init(ca: "/a b", certificate: "c: d", key: "#e", serverName: "yes")))
      written.set(.init(name: "plain", address: .usual))
      written.set(
        .init(
          name: "signed", address: .usual, evidenceKey: String(repeating: "a5", count: 32)))
      written.set(.init(name: "system", address: .usual, security: .init()))
      let path = directory + "/deep/config.yaml"
      try written.write(to: path)
      #expect(try Configuration(path: path) == written)
    }
  }

  @Test("is kept by the verbs of atlas context")
  func verbs() async throws {
    try await withDirectory { directory in
      let terminal = Terminal(environment: ["ATLAS_CONFIG": directory + "/config.yaml"])
      expect(
        await terminal.run("context", "set", "local", "--address", "127.0.0.1:1"),
        is: Outcome(status: .ok, output: "local is 127.0.0.1:1\n", errors: ""))
      _ = await terminal.run("context", "set", "night", "--address", "h:2", "--ca", "/ca.pem")
      expect(await terminal.run("context", "use", "night"), ends: .ok)
      expect(
        await terminal.run("context", "list"),
        prints: """
          IN USE  NAME   ADDRESS      TLS
          -       local  127.0.0.1:1  no
          *       night  h:2          yes

          """)
      expect(
        await terminal.run("context", "show", "-o", "json"),
        prints: """
          {
            "address": "h:2",
            "source": "context night",
            "tls": true
          }

          """)
      expect(await terminal.run("context", "delete", "night"), ends: .ok)
      expect(await terminal.run("context", "show", "-o", "name"), prints: "127.0.0.1:7443\n")
      expect(
        await terminal.run("context", "use", "day"),
        is: Outcome(
          status: .usage, output: "",
          errors: """
            error: there is no context “day”; there are local
            hint: atlas context set day --address HOST:PORT

            """))
    }
  }

  @Test(
    "gives way to the flag and the environment",
    arguments: [
      (["--address", "a:1"], "a:1 --address"), (["--context", "night"], "n:3 context night"),
      ([], "e:2 ATLAS_ADDRESS"),
    ])
  func precedence(words: [String], expected: String) async throws {
    try await withDirectory { directory in
      let path = directory + "/config.yaml"
      var configuration = Configuration()
      configuration.current = "night"
      configuration.set(.init(name: "night", address: Address(host: "n", port: 3)))
      try configuration.write(to: path)
      let terminal = Terminal(environment: ["ATLAS_CONFIG": path, "ATLAS_ADDRESS": "e:2"])
      let outcome = await terminal.run(words + ["context", "show", "-o", "jsonl"])
      let parts = expected.split(separator: " ", maxSplits: 1)
      #expect(
        outcome.output == "{\"address\":\"\(parts[0])\",\"source\":\"\(parts[1])\",\"tls\":false}\n"
      )
    }
  }
}

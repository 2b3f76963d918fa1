import NIOCore
import Testing

@testable import AtlasServer

@Suite struct TransportListenTests {
  @Test(arguments: [
    ("127.0.0.1:7443", "127.0.0.1", 7_443), ("localhost:0", "localhost", 0),
    ("[::1]:7443", "::1", 7_443), ("atlas.example:65535", "atlas.example", 65_535),
  ])
  func `an address is read and written as people type it`(
    text: String, host: String, port: Int
  ) throws {
    let listen = try ListenConfiguration(parsing: text)
    #expect(listen == ListenConfiguration(host: host, port: port))
    #expect(listen.text == text)
  }

  @Test(arguments: [
    "", "7443", ":7443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
    "127.0.0.1:-1", "::1:7443", "[]:7443",
  ])
  func `what is no address is refused`(text: String) {
    #expect(throws: ListenError.malformed(text)) { try ListenConfiguration(parsing: text) }
  }

  @Test(arguments: ["127.0.0.1:7443", "127.8.8.8:7443", "localhost:7443", "[::1]:7443"])
  func `plaintext is served to this host`(text: String) throws {
    _ = try ListenConfiguration(parsing: text).resolved()
  }

  @Test(arguments: [
    "0.0.0.0:7443", "192.0.2.1:7443", "[::]:7443", "[2001:db8::1]:7443", "[::ffff:192.0.2.1]:7443",
  ])
  func `plaintext is refused to other hosts, with a hint`(text: String) throws {
    let listen = try ListenConfiguration(parsing: text)
    #expect(throws: ListenError.plaintextBeyondLoopback(text)) { try listen.resolved() }
    #expect(
      ListenError.plaintextBeyondLoopback(text).description == """
        refusing to listen on \(text) without TLS: it can be reached from other hosts. Give a \
        certificate and a key, or listen on 127.0.0.1
        """)
  }

  @Test func `beyond loopback nobody gets in without a certificate`() {
    let anybody = TLSFiles(certificateChain: "/dev/null", privateKey: "/dev/null")
    var listen = ListenConfiguration(host: "0.0.0.0", port: 7443, tls: anybody)
    #expect(throws: ListenError.anybodyBeyondLoopback("0.0.0.0:7443")) { try listen.resolved() }
    listen.tls?.clientAuthority = "/dev/null"
    #expect(throws: Never.self) { try listen.resolved() }
  }

  @Test func `a TLS file that cannot be read is named`() throws {
    let files = TLSFiles(certificateChain: "/dev/null", privateKey: "/nowhere/atlas.key")
    let listen = ListenConfiguration(host: "127.0.0.1", port: 0, tls: files)
    let error = ListenError.unreadable(
      file: "/nowhere/atlas.key", reason: "No such file or directory")
    #expect(throws: error) { try listen.resolved() }
  }

  @Test func `a port that no host has is refused`() {
    #expect(throws: ListenError.malformed("127.0.0.1:70000")) {
      try ListenConfiguration(host: "127.0.0.1", port: 70_000).resolved()
    }
  }
}

@Suite struct TransportPeerAddressTests {
  @Test(arguments: [
    ("127.0.0.1", PeerAddress.loopback), ("127.255.0.9", .loopback), ("::1", .loopback),
    ("::ffff:127.0.0.1", .loopback), ("192.0.2.1", .v4(0xC000_0201)),
    ("::ffff:192.0.2.1", .v4(0xC000_0201)), ("128.0.0.1", .v4(0x8000_0001)),
    ("2001:db8:1:2:3:4:5:6", .v6(0x2001_0DB8_0001_0002)),
    ("2001:db8:1:2::1", .v6(0x2001_0DB8_0001_0002)), ("::2", .v6(0)),
  ])
  func `peers are told apart by what one of them can own`(
    text: String, expected: PeerAddress
  ) throws {
    #expect(PeerAddress(try SocketAddress(ipAddress: text, port: 1)) == expected)
  }

  @Test func `a socket on disk is on this host`() throws {
    #expect(PeerAddress(try SocketAddress(unixDomainSocketPath: "/tmp/a")) == .loopback)
    #expect(PeerAddress(nil) == .unknown)
  }
}

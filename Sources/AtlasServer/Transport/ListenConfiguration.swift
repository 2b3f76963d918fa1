import Glibc
import NIOCore

/// Where the API listens, and with what proof of its identity.
package struct ListenConfiguration: Sendable, Hashable {
  /// An IP address, or a name that is resolved once.
  package var host: String

  /// 1 to 65535, or 0 for one that the kernel picks.
  package var port: Int

  /// Nil for plaintext, which only peers on this host may use.
  package var tls: TLSFiles?

  package init(host: String, port: Int, tls: TLSFiles? = nil) {
    self.host = host
    self.port = port
    self.tls = tls
  }

  /// - Parameter text: `HOST:PORT`; an IPv6 address stands in brackets, `[::1]:7443`.
  /// - Throws: ``ListenError/malformed(_:)``.
  package init(parsing text: String, tls: TLSFiles? = nil) throws(ListenError) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { throw .malformed(text) }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw .malformed(text)
    }
    guard !host.isEmpty else { throw .malformed(text) }
    self.init(host: String(host), port: Int(port), tls: tls)
  }

  /// `HOST:PORT`, as it is typed.
  package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The address to bind to, once everything that can be known before is known to be right.
  ///
  /// - Throws: ``ListenError``.
  func resolved() throws(ListenError) -> SocketAddress {
    let address = try address()
    if PeerAddress(address) != .loopback {
      guard let tls else { throw .plaintextBeyondLoopback(text) }
      // There are no passwords: a certificate is all by which a caller can be known.
      guard tls.clientAuthority != nil else { throw .anybodyBeyondLoopback(text) }
    }
    try tls?.check()
    return address
  }

  private func address() throws(ListenError) -> SocketAddress {
    guard (0...65_535).contains(port) else { throw .malformed(text) }
    let name = host == "localhost" ? "127.0.0.1" : host
    if let literal = try? SocketAddress(ipAddress: name, port: port) { return literal }
    do {
      return try SocketAddress.makeAddressResolvingHost(name, port: port)
    } catch {
      throw .unknownHost(host)
    }
  }
}

/// The PEM files of a server.
package struct TLSFiles: Sendable, Hashable {
  /// The server's certificate, then those between it and the root.
  package var certificateChain: String

  /// The key of the server's certificate.
  package var privateKey: String

  /// The authority that signed the clients' certificates. Nil asks clients for none; with it who
  /// has none does not get in. The system's own authorities are never trusted for this.
  package var clientAuthority: String?

  package init(certificateChain: String, privateKey: String, clientAuthority: String? = nil) {
    self.certificateChain = certificateChain
    self.privateKey = privateKey
    self.clientAuthority = clientAuthority
  }

  /// Finds what would otherwise only be found while the first connection waits.
  fileprivate func check() throws(ListenError) {
    for file in [certificateChain, privateKey] + (clientAuthority.map { [$0] } ?? []) {
      guard access(file, R_OK) == 0 else {
        throw .unreadable(file: file, reason: String(cString: strerror(errno)))
      }
    }
  }
}

/// Why the API cannot listen. The description says what to do.
package enum ListenError: Error, Sendable, Hashable, CustomStringConvertible {
  case malformed(String)
  case unknownHost(String)
  case plaintextBeyondLoopback(String)
  case anybodyBeyondLoopback(String)
  case unreadable(file: String, reason: String)
  case failed(String, reason: String)

  package var description: String {
    switch self {
    case .malformed(let text):
      "cannot listen on “\(text)”: it is not HOST:PORT, such as 127.0.0.1:7443 or [::1]:7443"
    case .unknownHost(let host): "cannot listen on “\(host)”: no such host"
    case .plaintextBeyondLoopback(let text):
      """
      refusing to listen on \(text) without TLS: it can be reached from other hosts. Give a \
      certificate and a key, or listen on 127.0.0.1
      """
    case .anybodyBeyondLoopback(let text):
      """
      refusing to listen on \(text) for everybody: it can be reached from other hosts, and whoever \
      reaches it may stop or start anything. Name the authority of the clients' certificates, or \
      listen on 127.0.0.1
      """
    case .unreadable(let file, let reason): "cannot read the TLS file \(file): \(reason)"
    case .failed(let text, let reason): "cannot listen on \(text): \(reason)"
    }
  }
}

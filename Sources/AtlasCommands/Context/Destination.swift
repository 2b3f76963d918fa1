import GRPCNIOTransportHTTP2

/// The daemon that this run of the program talks to, and why that one.
struct Destination: Sendable, Hashable {
  var address: Address
  var security: Configuration.Security?
  /// Fingerprint of the key that the daemon signs evidence with, where a context knows it.
  var evidenceKey: String?
  /// Where the address comes from, for people: `--address`, `ATLAS_ADDRESS`, `context night`.
  var source: String

  /// Decides: the flag, the context that a flag names, the environment, the context in use, the
  /// usual address.
  ///
  /// - Throws: ``Failure`` for an address or a file that is wrong.
  init(options: GlobalOptions, environment: [String: String]) throws(Failure) {
    if let text = options.address {
      self.init(address: try Address(text), security: nil, source: "--address")
    } else if let name = options.context {
      let configuration = try Configuration(path: Configuration.path(in: environment))
      self.init(try configuration.context(name))
    } else if let text = environment["ATLAS_ADDRESS"], !text.isEmpty {
      self.init(address: try Address(text), security: nil, source: "ATLAS_ADDRESS")
    } else {
      let configuration = try Configuration(path: Configuration.path(in: environment))
      guard let name = configuration.current else {
        self.init(address: .usual, security: nil, source: "the usual address")
        return
      }
      self.init(try configuration.context(name))
    }
  }

  private init(
    address: Address, security: Configuration.Security?, evidenceKey: String? = nil, source: String
  ) {
    self.address = address
    self.security = security
    self.evidenceKey = evidenceKey
    self.source = source
  }

  private init(_ context: Configuration.Context) {
    self.init(
      address: context.address, security: context.security, evidenceKey: context.evidenceKey,
      source: "context \(context.name)")
  }
}

extension Destination {
  /// What the transport dials.
  var target: any ResolvableTarget {
    if address.isIPv4 { return .ipv4(address: address.host, port: address.port) }
    if address.isIPv6 { return .ipv6(address: address.host, port: address.port) }
    return .dns(host: address.host, port: address.port)
  }

  /// How the transport secures the connection.
  var transportSecurity: HTTP2ClientTransport.Posix.TransportSecurity {
    guard let security else { return .plaintext }
    return .tls { tls in
      if let ca = security.ca {
        tls.trustRoots = .certificates([.file(path: ca, format: .pem)])
      }
      if let certificate = security.certificate, let key = security.key {
        tls.certificateChain = [.file(path: certificate, format: .pem)]
        tls.privateKey = .file(path: key, format: .pem)
      }
    }
  }
}

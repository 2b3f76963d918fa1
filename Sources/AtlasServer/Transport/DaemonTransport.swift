import GRPCNIOTransportHTTP2
import Logging
import NIOCore

/// Builds the HTTP/2 transport of the API, with every limit set and its connections guarded.
enum DaemonTransport {
  /// A transport that listens on nothing yet.
  ///
  /// - Throws: ``ListenError`` for what is known to fail: plaintext beyond this host above all.
  static func make(
    _ listen: ListenConfiguration, timing: TransportTiming, place: ConnectionPlace
  ) throws(ListenError) -> HTTP2ServerTransport.Posix {
    let address = try listen.resolved()
    return HTTP2ServerTransport.Posix(
      address: GRPCNIOTransportHTTP2.SocketAddress(address, text: listen.text),
      transportSecurity: listen.tls.map(security) ?? .plaintext,
      config: config(timing: timing, place: place))
  }

  private static func security(
    _ files: TLSFiles
  ) -> HTTP2ServerTransport.Posix.TransportSecurity {
    .tls(
      certificateChain: [.file(path: files.certificateChain, format: .pem)],
      privateKey: .file(path: files.privateKey, format: .pem)
    ) { tls in
      // Otherwise a client that speaks HTTP/1 is only found out by its broken frames.
      tls.requireALPN = true
      guard let authority = files.clientAuthority else { return }
      tls.trustRoots = .certificates([.file(path: authority, format: .pem)])
      // Agents have certificates for their names, not for the address they call from.
      tls.clientCertificateVerification = .noHostnameVerification
    }
  }

  private static func config(
    timing: TransportTiming, place: ConnectionPlace
  ) -> HTTP2ServerTransport.Posix.Config {
    .defaults { config in
      config.http2.maxConcurrentStreams = TransportLimits.streamsPerConnection
      config.rpc.maxRequestPayloadSize = TransportLimits.messageBytes
      config.connection.keepalive = keepalive(timing)
      config.connection.maxGraceTime = timing.goAway
      // An idle connection is not closed: an agent that polls keeps its own from poll to poll, the
      // pings find those that are dead, and the caps bound the rest.
      config.connection.maxIdleTime = nil
      config.connection.maxAge = nil
      config.channelDebuggingCallbacks.onBindTCPListener = { prepare($0, place: place) }
      config.channelDebuggingCallbacks.onAcceptTCPConnection = {
        ConnectionGuard.install(on: $0, timing: timing, place: place)
      }
    }
  }

  private static func keepalive(
    _ timing: TransportTiming
  ) -> HTTP2ServerTransport.Config.Keepalive {
    .init(
      time: timing.pingAfter, timeout: timing.pingAnswer,
      clientBehavior: .init(
        minPingIntervalWithoutCalls: timing.clientPing, allowWithoutCalls: true))
  }

  /// Runs before the socket is bound.
  private static func prepare(
    _ listener: any Channel, place: ConnectionPlace
  ) -> EventLoopFuture<Void> {
    listener.setOption(.backlog, value: Int32(TransportLimits.backlog)).flatMapThrowing {
      try listener.pipeline.syncOperations.addHandler(ConnectionGate(place))
    }
  }
}

extension GRPCNIOTransportHTTP2.SocketAddress {
  /// The transport's own way to write an IP address.
  fileprivate init(_ address: NIOCore.SocketAddress, text: String) {
    let host = address.ipAddress ?? text
    let port = address.port ?? 0
    switch address {
    case .v6: self = .ipv6(host: host, port: port)
    case .v4, .unixDomainSocket: self = .ipv4(host: host, port: port)
    }
  }
}

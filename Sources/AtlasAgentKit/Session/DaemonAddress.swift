import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import NIOCore

/// Where the daemon listens.
package struct DaemonAddress: Hashable, Sendable, CustomStringConvertible {
  package var host: String
  package var port: Int

  /// Reads `HOST:PORT` or `[IPV6]:PORT`; nil when it is neither.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty else { return nil }
    self.host = String(host)
    self.port = Int(port)
  }

  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// Whether it is this machine, as far as the text says.
  package var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }

  /// A client with a connection of its own; the caller runs it.
  package func makeClient(
    _ security: SessionSecurity = .plaintext
  ) throws -> GRPCClient<HTTP2ClientTransport.Posix> {
    let target: any ResolvableTarget =
      host.contains(":") ? .ipv6(address: host, port: port) : .dns(host: host, port: port)
    let transport = try HTTP2ClientTransport.Posix(
      target: target, transportSecurity: security.transport,
      config: .defaults { config in
        // The agents have their own back-off; the connection's only has to keep up with it.
        config.backoff.initial = .milliseconds(100)
        config.backoff.max = .seconds(2)
        config.backoff.jitter = 0.5
        config.channelDebuggingCallbacks.onCreateTCPConnection = { Self.keepAlive($0) }
      })
    return GRPCClient(transport: transport)
  }

  /// Lets the kernel find out that a daemon is gone without a word. Agents send no pings, which a
  /// server would have to answer ten thousand times a minute.
  private static func keepAlive(_ channel: any Channel) -> EventLoopFuture<Void> {
    let options: [(ChannelOptions.Types.SocketOption, Int64)] = [
      (.init(level: .socket, name: .so_keepalive), 1),
      (.init(level: .tcp, name: .init(rawValue: TCP_KEEPIDLE)), KitLimits.keepAliveIdle.seconds),
      (
        .init(level: .tcp, name: .init(rawValue: TCP_KEEPINTVL)),
        KitLimits.keepAliveInterval.seconds
      ),
      (.init(level: .tcp, name: .init(rawValue: TCP_KEEPCNT)), Int64(KitLimits.keepAliveProbes)),
    ]
    let set = options.map {
      channel.setOption($0, value: ChannelOptions.Types.SocketOption.Value($1))
    }
    return EventLoopFuture.andAllSucceed(set, on: channel.eventLoop)
  }
}

extension Duration {
  fileprivate var seconds: Int64 { components.seconds }
}

/// How a session is protected.
package enum SessionSecurity: Hashable, Sendable {
  /// Only for daemons on the same machine.
  case plaintext
  /// Mutual TLS with the files of the agent; the system's own authorities are not trusted.
  case mutualTLS(TLSFiles)

  /// PEM files of an agent.
  package struct TLSFiles: Codable, Hashable, Sendable {
    /// The authority that signed the daemon's certificate.
    package var authority: String
    /// The agent's certificate, then those between it and the root.
    package var certificate: String
    /// The key of the agent's certificate.
    package var key: String
  }

  fileprivate var transport: HTTP2ClientTransport.Posix.TransportSecurity {
    switch self {
    case .plaintext:
      .plaintext
    case .mutualTLS(let files):
      .mTLS(
        certificateChain: [.file(path: files.certificate, format: .pem)],
        privateKey: .file(path: files.key, format: .pem)
      ) { $0.trustRoots = .certificates([.file(path: files.authority, format: .pem)]) }
    }
  }
}

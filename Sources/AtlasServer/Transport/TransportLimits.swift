/// The bounds of the API's transport, each with its reason.
package enum TransportLimits {
  /// Calls at once on one connection. An agent needs one and a command line a few; a simulated
  /// fleet shares connections, a thousand sessions on each, and may start another thousand before
  /// the first have ended. Without a number peers are told of no limit, and cut off at 100.
  package static let streamsPerConnection = 2_048

  /// The largest message in bytes that is read at all. Only a backstop: the decoder refuses much
  /// smaller ones with words (`WireLimits`), while this one can only reset the stream.
  package static let messageBytes = 1 << 20

  /// Connections from other hosts: two for each of 10,000 agents, because after a network fault
  /// they come back before the daemon has noticed that the old ones are dead.
  package static let connections = 20_000

  /// Connections from this host, counted apart: simulated fleets live here, and the person at the
  /// daemon's own keyboard gets in however many agents there are.
  package static let loopbackConnections = 20_000

  /// Connections of one address. All servers of a client (at most 5,000) may stand behind one.
  package static let connectionsPerAddress = 6_000

  /// Connections the kernel keeps for us until they are accepted: agents come back together. The
  /// kernel takes the smaller of this and `net.core.somaxconn`, 4,096 on current Linux.
  package static let backlog = 4_096

  /// Calls that run at once: a session for every connection there may be, and the callers that the
  /// control machine lets wait. The emergency stop and health checks are let in beyond it.
  package static let calls = 50_000

  /// Between two warnings about refused connections, each with their number: whoever floods the
  /// daemon does not also flood its log.
  package static let warningInterval = Duration.seconds(10)
}

/// How long the transport waits for what. Real time, never scaled.
///
/// A value, so that tests can pass seconds in milliseconds.
package struct TransportTiming: Sendable, Hashable {
  /// From the accepted connection to the client's first HTTP/2 frame: TLS and preface.
  package var handshake: Duration

  /// Without a byte from the peer. Longer than ``pingAfter`` and ``pingAnswer`` together, so that
  /// a silent peer that is alive has answered a ping before.
  package var silence: Duration

  /// Without a byte from the peer until the server sends a ping.
  package var pingAfter: Duration

  /// For the answer to a ping, until the connection is told to go away.
  package var pingAnswer: Duration

  /// Between the pings of a client; who pings faster is cut off at the third. gRPC lets clients
  /// ping every 10 s (gRFC A8); half of it leaves room for jitter.
  package var clientPing: Duration

  /// For the calls of a connection that was told to go away.
  package var goAway: Duration

  /// For a unary call whose client gives no deadline.
  package var unaryDeadline: Duration

  /// The longest deadline that a client of a unary call can ask for.
  package var longestDeadline: Duration

  /// For calls to end when the daemon goes down; then they are cut off, and whoever ignores even
  /// that is left behind after the same time again.
  package var shutdown: Duration

  /// What the daemon uses.
  package static let standard = TransportTiming(
    handshake: .seconds(5), silence: .seconds(60), pingAfter: .seconds(20),
    pingAnswer: .seconds(10), clientPing: .seconds(5), goAway: .seconds(30),
    unaryDeadline: .seconds(30), longestDeadline: .seconds(3_600), shutdown: .seconds(10))
}

import Synchronization

/// How many connections there may be.
struct ConnectionCaps: Sendable, Hashable {
  /// From other hosts, together.
  var remote = TransportLimits.connections
  /// From this host.
  var loopback = TransportLimits.loopbackConnections
  /// From one other address.
  var perAddress = TransportLimits.connectionsPerAddress
}

/// What became of the connections since the daemon started.
package struct ConnectionFigures: Sendable, Hashable {
  /// Open now, from other hosts.
  package var openRemote = 0
  /// Open now, from this host.
  package var openLoopback = 0
  /// All that were let in.
  package var accepted: UInt64 = 0
  /// Refused because there were as many as there may be.
  package var refusedFull: UInt64 = 0
  /// Refused because their address had as many as one may have.
  package var refusedForAddress: UInt64 = 0
  /// Closed because they did not get to their first frame in time.
  package var closedInHandshake: UInt64 = 0
  /// Closed because nothing came from the peer any more.
  package var closedSilent: UInt64 = 0

  package init() {}
}

/// The connections of all listeners of the API, counted.
package final class ConnectionLedger: Sendable {
  private let count: Mutex<ConnectionCount>

  package convenience init() { self.init(caps: ConnectionCaps()) }

  init(caps: ConnectionCaps) {
    count = Mutex(ConnectionCount(caps: caps))
  }

  /// For metrics.
  package var figures: ConnectionFigures { count.withLock { $0.figures } }

  /// Counts a new connection, unless there are too many. Whoever is let in is released later.
  func admit(_ peer: PeerAddress) -> ConnectionCount.Admission {
    count.withLock { $0.admit(peer) }
  }

  func release(_ peer: PeerAddress) { count.withLock { $0.release(peer) } }

  func closed(_ reason: ConnectionWatch.Reason) { count.withLock { $0.closed(reason) } }
}

/// The counting itself.
struct ConnectionCount: Sendable {
  enum Admission: Sendable, Hashable {
    case admitted
    /// There are as many connections as there may be.
    case full
    /// This address has as many as one may have.
    case addressFull
  }

  private let caps: ConnectionCaps
  private var ofAddress: [PeerAddress: Int] = [:]
  private(set) var figures = ConnectionFigures()

  init(caps: ConnectionCaps) { self.caps = caps }

  mutating func admit(_ peer: PeerAddress) -> Admission {
    let admission = peer == .loopback ? admitLoopback() : admitRemote(peer)
    switch admission {
    case .admitted: figures.accepted += 1
    case .full: figures.refusedFull += 1
    case .addressFull: figures.refusedForAddress += 1
    }
    return admission
  }

  private mutating func admitLoopback() -> Admission {
    guard figures.openLoopback < caps.loopback else { return .full }
    figures.openLoopback += 1
    return .admitted
  }

  private mutating func admitRemote(_ peer: PeerAddress) -> Admission {
    let open = ofAddress[peer] ?? 0
    guard open < caps.perAddress else { return .addressFull }
    guard figures.openRemote < caps.remote else { return .full }
    ofAddress[peer] = open + 1
    figures.openRemote += 1
    return .admitted
  }

  /// A connection that was admitted has ended.
  mutating func release(_ peer: PeerAddress) {
    if peer == .loopback {
      figures.openLoopback -= 1
      return
    }
    figures.openRemote -= 1
    let open = (ofAddress[peer] ?? 1) - 1
    ofAddress[peer] = open == 0 ? nil : open
  }

  mutating func closed(_ reason: ConnectionWatch.Reason) {
    switch reason {
    case .handshake: figures.closedInHandshake += 1
    case .silence: figures.closedSilent += 1
    }
  }
}

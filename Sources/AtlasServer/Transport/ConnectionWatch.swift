import NIOCore

/// Decides when a connection is dead. No clock: every instant is an argument.
///
/// waiting for the first frame → open → closed; or waiting → closed.
struct ConnectionWatch: Sendable {
  /// Why a connection is closed.
  enum Reason: Sendable, Hashable {
    /// Its first HTTP/2 frame did not come in time.
    case handshake
    /// Nothing came for too long.
    case silence
  }

  enum Verdict: Sendable, Hashable {
    /// Look again then.
    case wait(until: NIODeadline)
    case close(Reason)
    /// It is closed already.
    case nothing
  }

  private enum State {
    /// TLS and HTTP/2 have until `deadline` to greet each other.
    case greeting(deadline: NIODeadline)
    /// The peer speaks HTTP/2.
    case open(lastRead: NIODeadline)
    case closed
  }

  private var state: State
  private let silence: TimeAmount

  /// - Parameter now: when the connection was made.
  init(handshake: TimeAmount, silence: TimeAmount, now: NIODeadline) {
    self.silence = silence
    state = .greeting(deadline: now + handshake)
  }

  /// Bytes came from the peer. While it greets they buy no time: a peer that sends one byte a
  /// second is as slow as one that sends none.
  mutating func read(at now: NIODeadline) {
    switch state {
    case .open: state = .open(lastRead: now)
    case .greeting, .closed: break
    }
  }

  /// The peer's first frame has come.
  mutating func greeted(at now: NIODeadline) {
    switch state {
    case .greeting: state = .open(lastRead: now)
    case .open, .closed: break
    }
  }

  /// What to do at the time asked for last, or at first.
  mutating func look(at now: NIODeadline) -> Verdict {
    switch state {
    case .greeting(let deadline): verdict(at: now, deadline: deadline, .handshake)
    case .open(let lastRead): verdict(at: now, deadline: lastRead + silence, .silence)
    case .closed: .nothing
    }
  }

  private mutating func verdict(
    at now: NIODeadline, deadline: NIODeadline, _ reason: Reason
  ) -> Verdict {
    // Not beyond `silence`: the peer may greet meanwhile, which sets another deadline.
    if now < deadline { return .wait(until: min(deadline, now + silence)) }
    state = .closed
    return .close(reason)
  }

  /// The connection was closed by somebody else.
  mutating func closed() { state = .closed }
}

import Logging
import NIOCore

/// Closes connections whose peer says nothing. It sits between the socket and TLS, and so sees
/// every byte.
///
/// gRPC's own timers do not do this: its server asks a mute peer to go away and waits for the
/// answer, for ever.
final class ConnectionGuard: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let timing: TransportTiming
  private let place: ConnectionPlace
  private var watch: ConnectionWatch?
  private var timer: NIOScheduledCallback?

  private init(timing: TransportTiming, place: ConnectionPlace) {
    self.timing = timing
    self.place = place
  }

  /// Puts the guard and its companion around what is in the pipeline of `channel`.
  static func install(
    on channel: any Channel, timing: TransportTiming, place: ConnectionPlace
  ) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      let guardian = ConnectionGuard(timing: timing, place: place)
      try channel.pipeline.syncOperations.addHandler(guardian, position: .first)
      try channel.pipeline.syncOperations.addHandler(GreetingHandler(guardian), position: .last)
    }.flatMapErrorThrowing { error in
      // Nobody else closes what could not be set up.
      channel.close(promise: nil)
      throw error
    }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { start(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    start(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { stop() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    watch?.read(at: context.eventLoop.now)
    context.fireChannelRead(data)
  }

  /// The peer's first HTTP/2 frame has come.
  fileprivate func greeted(at now: NIODeadline) { watch?.greeted(at: now) }

  private func start(_ context: ChannelHandlerContext) {
    guard watch == nil else { return }
    place.open.arrived(context.channel)
    watch = ConnectionWatch(
      handshake: TimeAmount(timing.handshake), silence: TimeAmount(timing.silence),
      now: context.eventLoop.now)
    look(context)
  }

  private func stop() {
    watch?.closed()
    timer?.cancel()
    timer = nil
  }

  /// One timer a connection, set anew only when it has fired: reading must stay cheap.
  private func look(_ context: ChannelHandlerContext) {
    switch watch?.look(at: context.eventLoop.now) {
    case .wait(let until):
      let alarm = GuardAlarm(target: NIOLoopBound((self, context), eventLoop: context.eventLoop))
      // Fails only while the event loop shuts down, and every connection with it.
      timer = try? context.eventLoop.scheduleCallback(at: until, handler: alarm)
    case .close(let reason):
      place.ledger.closed(reason)
      place.logger.debug(
        "closed a connection",
        metadata: [
          "reason": "\(reason)",
          "peer": "\(context.channel.remoteAddress.map(String.init(describing:)) ?? "unknown")",
        ])
      // From here it does not pass TLS, which would wait for the mute peer to say goodbye.
      context.close(promise: nil)
    case .nothing, nil: break
    }
  }

  /// What the event loop calls when time is up.
  private struct GuardAlarm: NIOScheduledCallbackHandler, Sendable {
    let target: NIOLoopBound<(ConnectionGuard, ChannelHandlerContext)>

    func handleScheduledCallback(eventLoop: some EventLoop) {
      let (guardian, context) = target.value
      guardian.look(context)
    }
  }
}

/// Tells the guard when the peer has greeted: at the end of the pipeline frames arrive, and the
/// first, which is its SETTINGS, has passed TLS and the HTTP/2 preface.
private final class GreetingHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = Any

  private let guardian: ConnectionGuard

  init(_ guardian: ConnectionGuard) { self.guardian = guardian }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guardian.greeted(at: context.eventLoop.now)
    context.fireChannelRead(data)
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}

/// What the handlers of one listener and its connections share.
struct ConnectionPlace: Sendable {
  let ledger: ConnectionLedger
  let open = OpenConnections()
  let logger: Logger
}

/// Lets connections in, or not. It sits on the listening socket, so that a refused connection
/// costs no more than being closed.
final class ConnectionGate: ChannelInboundHandler {
  typealias InboundIn = Channel
  typealias InboundOut = Channel

  private let place: ConnectionPlace
  private var refusals = RefusalTally()
  private var failures = RefusalTally()

  init(_ place: ConnectionPlace) { self.place = place }

  /// The kernel could not hand over a connection, mostly because no file can be opened any more.
  /// NIO waits a little and tries again; without a line nobody would know why nobody gets in.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let number = failures.add(at: context.eventLoop.now) {
      place.logger.error(
        "cannot accept connections",
        metadata: ["failures": "\(number)", "error": "\(error.rootCause)"])
    }
    context.fireErrorCaught(error)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let connection = unwrapInboundIn(data)
    let peer = PeerAddress(connection.remoteAddress)
    let admission = place.ledger.admit(peer)
    guard admission == .admitted else {
      // The log knows why before the peer notices.
      warn(admission, connection.remoteAddress, at: context.eventLoop.now)
      return connection.close(promise: nil)
    }
    connection.closeFuture.whenComplete { [place] _ in place.ledger.release(peer) }
    guard place.open.accept(connection) else { return connection.close(promise: nil) }
    context.fireChannelRead(data)
  }

  private func warn(
    _ admission: ConnectionCount.Admission, _ address: SocketAddress?, at now: NIODeadline
  ) {
    guard let number = refusals.add(at: now) else { return }
    place.logger.warning(
      "refused connections",
      metadata: [
        "reason": "\(admission)", "refused": "\(number)",
        "peer": "\(address.map(String.init(describing:)) ?? "unknown")",
      ])
  }
}

/// Counts refusals between two warnings about them.
struct RefusalTally: Sendable {
  private var number = 0
  private var quietUntil: NIODeadline?

  /// - Returns: how many there are to tell about; nil while it is too early for another warning.
  mutating func add(at now: NIODeadline) -> Int? {
    number += 1
    if let quietUntil, now < quietUntil { return nil }
    defer { number = 0 }
    quietUntil = now + TimeAmount(TransportLimits.warningInterval)
    return number
  }
}

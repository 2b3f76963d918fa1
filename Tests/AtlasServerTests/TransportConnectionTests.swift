import Foundation
import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import AtlasServer

@Suite struct TransportConnectionCountTests {
  private let paris = PeerAddress.v4(1)
  private let lyon = PeerAddress.v4(2)

  @Test func `an address gets no more than its share, and all no more than there are`() {
    var count = ConnectionCount(caps: ConnectionCaps(remote: 3, loopback: 1, perAddress: 2))
    #expect([paris, paris, paris].map { count.admit($0) } == [.admitted, .admitted, .addressFull])
    #expect([lyon, lyon].map { count.admit($0) } == [.admitted, .full])
    // Whoever sits at the daemon's own host still gets in.
    #expect([.loopback, .loopback].map { count.admit($0) } == [.admitted, .full])

    var figures = ConnectionFigures()
    figures.openRemote = 3
    figures.openLoopback = 1
    figures.accepted = 4
    figures.refusedFull = 2
    figures.refusedForAddress = 1
    #expect(count.figures == figures)
  }

  @Test func `a connection that ends makes room`() {
    var count = ConnectionCount(caps: ConnectionCaps(remote: 2, loopback: 1, perAddress: 1))
    for peer in [paris, lyon, .loopback] { #expect(count.admit(peer) == .admitted) }
    for peer in [paris, lyon, .loopback] { count.release(peer) }
    for peer in [lyon, paris, .loopback] { #expect(count.admit(peer) == .admitted) }
    #expect(count.figures.openRemote == 2)
    #expect(count.figures.openLoopback == 1)
  }

  @Test func `refusals are told with their number, but not one by one`() {
    var tally = RefusalTally()
    let start = NIODeadline.uptimeNanoseconds(0)
    let told = [0, 1, 9, 10, 11, 20, 30].map { tally.add(at: start + .seconds($0)) }
    #expect(told == [1, nil, nil, 3, nil, 2, 1])
  }
}

@Suite struct TransportConnectionWatchTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000)
  private func at(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }
  private var watch: ConnectionWatch {
    ConnectionWatch(handshake: .seconds(5), silence: .seconds(60), now: start)
  }

  @Test func `who does not greet in time is closed, once`() {
    var watch = watch
    #expect(watch.look(at: start) == .wait(until: at(5)))
    #expect(watch.look(at: at(4)) == .wait(until: at(5)))
    #expect(watch.look(at: at(5)) == .close(.handshake))
    #expect(watch.look(at: at(6)) == .nothing)
  }

  @Test func `bytes that are no greeting buy no time`() {
    var watch = watch
    for second in 1..<5 { watch.read(at: at(Int64(second))) }
    #expect(watch.look(at: at(5)) == .close(.handshake))
  }

  @Test func `who greeted lives as long as bytes come`() {
    var watch = watch
    watch.greeted(at: at(3))
    #expect(watch.look(at: at(5)) == .wait(until: at(63)))
    watch.read(at: at(62))
    #expect(watch.look(at: at(63)) == .wait(until: at(122)))
    #expect(watch.look(at: at(122)) == .close(.silence))
  }

  @Test func `a handshake may be allowed longer than silence`() {
    var watch = ConnectionWatch(handshake: .seconds(60), silence: .seconds(5), now: start)
    #expect(watch.look(at: start) == .wait(until: at(5)))
    watch.greeted(at: at(1))
    #expect(watch.look(at: at(5)) == .wait(until: at(6)))
    #expect(watch.look(at: at(6)) == .close(.silence))
  }

  @Test func `a second greeting is nothing new`() {
    var watch = watch
    watch.greeted(at: at(1))
    watch.greeted(at: at(50))
    #expect(watch.look(at: at(61)) == .close(.silence))
  }

  @Test func `a closed connection is left alone`() {
    var watch = watch
    watch.closed()
    watch.greeted(at: at(1))
    watch.read(at: at(2))
    #expect(watch.look(at: at(100)) == .nothing)
  }
}

@Suite struct TransportConnectionGuardTests {
  private let timing = TransportTiming.patient.with {
    $0.handshake = .seconds(5)
    $0.silence = .seconds(60)
  }

  /// A connection behind a guard. In the middle of its pipeline stands what takes bytes from one
  /// side and lets frames out at the other only when a test wants it.
  private struct Connection {
    let channel = EmbeddedChannel()
    let place: ConnectionPlace
    let log = InMemoryLogHandler()

    init(_ timing: TransportTiming) throws {
      var log = log
      log.logLevel = .debug
      place = ConnectionPlace(
        ledger: ConnectionLedger(), logger: Logger(label: "test") { [log] _ in log })
      try channel.pipeline.syncOperations.addHandler(FrameReader())
      try ConnectionGuard.install(on: channel, timing: timing, place: place).wait()
      try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
    }

    func say(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }
    func wait(seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    var figures: ConnectionFigures { place.ledger.figures }
  }

  /// Takes bytes; each newline ends a frame.
  private final class FrameReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = String

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let text = String(buffer: unwrapInboundIn(data))
      if text.hasSuffix("\n") { context.fireChannelRead(wrapInboundOut(text)) }
    }
  }

  private func figures(_ change: (inout ConnectionFigures) -> Void) -> ConnectionFigures {
    var figures = ConnectionFigures()
    change(&figures)
    return figures
  }

  @Test func `a peer that never says anything is closed`() throws {
    let connection = try Connection(timing)
    connection.wait(seconds: 4)
    #expect(connection.channel.isActive)
    connection.wait(seconds: 1)
    #expect(!connection.channel.isActive)
    #expect(connection.figures == figures { $0.closedInHandshake = 1 })
    #expect(connection.log.entries.map(\.metadata["reason"]) == ["handshake"])
  }

  @Test func `a peer that says it byte by byte is closed all the same`() throws {
    let connection = try Connection(timing)
    for _ in 0..<4 {
      connection.wait(seconds: 1)
      try connection.say("P")
    }
    connection.wait(seconds: 1)
    #expect(connection.figures == figures { $0.closedInHandshake = 1 })
  }

  @Test func `a peer that answers pings lives on, and dies a minute after its last byte`() throws {
    let connection = try Connection(timing)
    try connection.say("SETTINGS\n")
    for _ in 0..<10 {
      connection.wait(seconds: 55)
      // What it says need not be a whole frame.
      try connection.say("PI")
    }
    connection.wait(seconds: 59)
    #expect(connection.channel.isActive)
    connection.wait(seconds: 1)
    #expect(!connection.channel.isActive)
    #expect(connection.figures == figures { $0.closedSilent = 1 })
  }

  @Test func `a connection that ends by itself leaves no timer behind`() throws {
    let connection = try Connection(timing)
    try connection.say("SETTINGS\n")
    try connection.channel.close().wait()
    connection.wait(seconds: 1_000)
    #expect(connection.figures == ConnectionFigures())
    #expect(connection.log.entries.isEmpty)
  }

  @Test func `what is said passes the guard unchanged`() throws {
    let connection = try Connection(timing)
    for text in ["first\n", "second\n"] { try connection.say(text) }
    #expect(try connection.channel.readInbound(as: String.self) == "first\n")
    #expect(try connection.channel.readInbound(as: String.self) == "second\n")
  }
}

@Suite struct TransportConnectionGateTests {
  @Test func `when no connection can be accepted the log says so, once in a while`() throws {
    var log = InMemoryLogHandler()
    log.logLevel = .debug
    let place = ConnectionPlace(
      ledger: ConnectionLedger(), logger: Logger(label: "test") { [log] _ in log })
    let listener = EmbeddedChannel(handler: ConnectionGate(place))
    let error = IOError(errnoCode: EMFILE, reason: "accept")
    for _ in 0..<3 {
      listener.pipeline.fireErrorCaught(error)
      // Whoever comes next decides what to do about it.
      #expect(throws: IOError.self) { try listener.throwIfErrorCaught() }
    }
    #expect(log.entries.map(\.message) == ["cannot accept connections"])
    #expect(log.entries.map(\.metadata) == [["failures": "1", "error": "Too many open files"]])
  }
}

@Suite(.timeLimit(.minutes(10))) struct TransportOpenConnectionsTests {
  private func connection() async throws -> NIOAsyncTestingChannel {
    let channel = NIOAsyncTestingChannel()
    try await channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1))
    return channel
  }

  @Test func `stopping lets nobody else in, and waits for who is on the way`() async throws {
    let open = OpenConnections()
    let arriving = try await connection()
    #expect(open.accept(arriving))
    open.stop()
    let late = try await connection()
    #expect(!open.accept(late))
    async let settled: Void = open.settle()
    open.arrived(arriving)
    await settled
    #expect(arriving.isActive)
  }

  @Test func `stopping does not wait for one that broke on its way`() async throws {
    let open = OpenConnections()
    let broken = try await connection()
    #expect(open.accept(broken))
    open.stop()
    try await broken.close()
    await open.settle()
  }

  @Test func `all that are open are closed, and then nothing is left`() async throws {
    let open = OpenConnections()
    let connections = [try await connection(), try await connection(), try await connection()]
    for connection in connections {
      #expect(open.accept(connection))
      open.arrived(connection)
    }
    try await connections[0].close()
    open.stop()
    await open.settle()
    await open.closeAll()
    #expect(connections.map(\.isActive) == [false, false, false])
  }

  @Test func `an end without connections is quick`() async {
    let open = OpenConnections()
    open.stop()
    await open.settle()
    await open.closeAll()
  }
}

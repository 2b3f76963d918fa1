import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP server on the loopback, for tests of the client.
final class LoopbackServer: Sendable {
  private let channel: any Channel
  private let counts: Counts

  /// What the server has seen.
  final class Counts: Sendable {
    let connections = Mutex(0)
    let requests = Mutex(0)
  }

  private init(channel: any Channel, counts: Counts) {
    self.channel = channel
    self.counts = counts
  }

  var port: Int { channel.localAddress?.port ?? 0 }
  var connections: Int { counts.connections.withLock { $0 } }
  var requests: Int { counts.requests.withLock { $0 } }

  static func start() async throws -> LoopbackServer {
    let counts = Counts()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        counts.connections.withLock { $0 += 1 }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Routes(counts))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return LoopbackServer(channel: channel, counts: counts)
  }

  /// Nobody is listening any more when this returns; the second time it does nothing.
  func stop() async throws {
    guard channel.isActive else { return }
    try await channel.close()
  }
}

private final class Routes: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let counts: LoopbackServer.Counts
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []

  init(_ counts: LoopbackServer.Counts) { self.counts = counts }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = []
    case .body(let part):
      body += part.readableBytesView
    case .end:
      let number = counts.requests.withLock { count in
        count += 1
        return count
      }
      if let head { answer(head, number, context) }
    }
  }

  private func answer(_ head: HTTPRequestHead, _ number: Int, _ context: ChannelHandlerContext) {
    switch head.uri {
    case "/slow": break
    case "/slow-body": send(.ok, length: 100, "only a part", end: false, context)
    case "/large": send(.ok, String(repeating: "x", count: 2 << 20), context)
    case "/unavailable": send(.serviceUnavailable, "later", context)
    case "/redirect": send(.found, "", location: "/hello", context)
    case "/close": context.close(promise: nil)
    case "/close-twice":
      if number <= 2 { context.close(promise: nil) } else { send(.ok, "third", context) }
    case _:
      let text = String(decoding: body, as: UTF8.self)
      let header = head.headers["x-test"].first ?? "-"
      send(.ok, "\(head.method.rawValue) \(head.uri) \(header) \(text)", context)
    }
  }

  private func send(
    _ status: HTTPResponseStatus, length: Int? = nil, _ text: String, location: String? = nil,
    end: Bool = true, _ context: ChannelHandlerContext
  ) {
    var headers = HTTPHeaders([("content-length", String(length ?? text.utf8.count))])
    if let location { headers.add(name: "location", value: location) }
    let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    let body = ByteBuffer(string: text)
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    if end { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
  }
}

import AsyncHTTPClient
import AtlasHooks
import AtlasModel
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix

/// HTTP for hooks: allowed hosts only, no redirects, limited bodies, connections used again.
///
/// A name may resolve to an address that nobody may reach, and to another one each time. So the
/// address is looked at on the open connection, before a byte of the request goes out.
package final class AsyncHTTPHookClient: HookHTTP {
  private static let connectTimeout = TimeAmount.seconds(10)
  /// Per host and event loop: a backup server that all clients share is asked by many at once.
  private static let connectionsPerHost = 64
  private static let firstPause = Duration.milliseconds(100)

  private let client: HTTPClient
  private let rules: HookHostRules
  private let isForbidden: AddressCheck

  /// Whether no hook may reach an address, given as four or sixteen bytes.
  typealias AddressCheck = @Sendable ([UInt8]) -> Bool

  /// - Parameter group: Where connections live. ``shutdown()`` leaves it alone.
  package convenience init(rules: HookHostRules, group: any EventLoopGroup) {
    self.init(rules: rules, group: group) { ForbiddenAddress.contains($0) }
  }

  init(rules: HookHostRules, group: any EventLoopGroup, isForbidden: @escaping AddressCheck) {
    self.rules = rules
    self.isForbidden = isForbidden
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: Self.connectTimeout)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
      Self.connectionsPerHost
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = { Self.refuse($0, where: isForbidden) }
    configuration.http2ConnectionDebugInitializer = { Self.refuse($0, where: isForbidden) }
    client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
  }

  /// Closes all connections. Must be called once, when no run needs it any more.
  package func shutdown() async throws { try await client.shutdown() }

  package func send(_ request: HookHTTPRequest) async throws(HookFault) -> HookHTTPResponse {
    try checkHost(request)
    let deadline = ContinuousClock.now + request.timeout
    var pause = Self.firstPause
    var retriesLeft = request.retries
    while true {
      let failure: HookFault
      do {
        return try await attempt(request, until: deadline)
      } catch { failure = error }
      guard failure.retryable, retriesLeft > 0, ContinuousClock.now + pause < deadline,
        (try? await Task.sleep(for: pause)) != nil
      else { throw failure }
      retriesLeft -= 1
      pause *= 2
    }
  }

  // MARK: What may be reached

  /// Reads the URL with the parser that the HTTP client uses: two parsers could disagree about
  /// which host is meant.
  private func checkHost(_ request: HookHTTPRequest) throws(HookFault) {
    guard let url = URL(string: request.url), let scheme = url.scheme?.lowercased(),
      scheme == "http" || scheme == "https", let name = url.host, !name.isEmpty, url.user == nil
    else {
      throw HookFault(code: "url", message: "\(request.url) is no URL of a host", retryable: false)
    }
    let host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
    let port = url.port ?? (scheme == "https" ? 443 : 80)
    guard rules.allows(host: host, port: port, client: request.client) else {
      throw HookFault(
        code: "denied", message: "hooks of \(request.client) may not reach \(host):\(port)",
        retryable: false)
    }
    // The system connects 0.0.0.0 to the loopback, and then says 127.0.0.1.
    if let literal = try? SocketAddress(ipAddress: host, port: port), isForbidden(literal.bytes) {
      throw Self.fault(RefusedAddress(address: host))
    }
  }

  private struct RefusedAddress: Error {
    var address: String
  }

  private static func refuse(
    _ channel: any Channel, where isForbidden: AddressCheck
  ) -> EventLoopFuture<Void> {
    guard isForbidden(channel.remoteAddress?.bytes ?? []) else {
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    let refused = RefusedAddress(address: channel.remoteAddress?.ipAddress ?? "unknown")
    channel.close(promise: nil)
    return channel.eventLoop.makeFailedFuture(refused)
  }

  // MARK: One exchange

  /// The client's own timeout ends with the head of the response; this one covers the body.
  private func attempt(
    _ request: HookHTTPRequest, until deadline: ContinuousClock.Instant
  ) async throws(HookFault) -> HookHTTPResponse {
    let result = await withTaskGroup(of: Result<HookHTTPResponse, HookFault>?.self) { group in
      group.addTask { await self.exchange(request) }
      group.addTask {
        try? await Task.sleep(until: deadline)
        return nil
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? nil
    }
    switch result {
    case .success(let response)?: return response
    case .failure(let fault)?: throw fault
    case nil where Task.isCancelled:
      throw HookFault(code: "cancelled", message: "the hook was stopped", retryable: false)
    case nil:
      throw HookFault(
        code: "timeout", message: "no answer within \(request.timeout.text)", retryable: true)
    }
  }

  private func exchange(
    _ request: HookHTTPRequest
  ) async -> Result<HookHTTPResponse, HookFault> {
    var outgoing = HTTPClientRequest(url: request.url)
    outgoing.method = HTTPMethod(rawValue: request.method)
    for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
    if !request.body.isEmpty { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
    do {
      let response = try await client.execute(outgoing, deadline: .distantFuture)
      let body = try await response.body.collect(upTo: HookLimits.httpBody)
      return .success(
        HookHTTPResponse(
          status: Int(response.status.code),
          headers: response.headers.map { .init(name: $0.name, value: $0.value) },
          body: Array(body.readableBytesView)))
    } catch { return .failure(Self.fault(error)) }
  }

  private static func fault(_ error: any Error) -> HookFault {
    switch error {
    case let refused as RefusedAddress:
      HookFault(
        code: "denied", message: "the host is at \(refused.address), which no hook may reach",
        retryable: false)
    case is NIOTooManyBytesError:
      HookFault(
        code: "too_large", message: "the body has more than \(HookLimits.httpBody / 1_024) KiB",
        retryable: false)
    case is CancellationError:
      HookFault(code: "cancelled", message: "the hook was stopped", retryable: false)
    case let error as HTTPClientError: fault(error)
    case is NIOConnectionError, is IOError:
      HookFault(
        code: "connect", message: "no connection: \(error)".bounded(to: 256), retryable: true)
    case _:
      HookFault(code: "http", message: "\(error)".bounded(to: 256), retryable: true)
    }
  }

  private static func fault(_ error: HTTPClientError) -> HookFault {
    switch error {
    case .connectTimeout, .deadlineExceeded, .readTimeout, .writeTimeout, .tlsHandshakeTimeout,
      .getConnectionFromPoolTimeout:
      HookFault(code: "timeout", message: error.shortDescription, retryable: true)
    case .remoteConnectionClosed, .uncleanShutdown:
      HookFault(code: "closed", message: "the host closed the connection", retryable: true)
    case .cancelled:
      HookFault(code: "cancelled", message: "the hook was stopped", retryable: false)
    case .invalidURL, .emptyHost, .emptyScheme:
      HookFault(code: "url", message: error.shortDescription, retryable: false)
    case _:
      HookFault(code: "http", message: error.shortDescription, retryable: true)
    }
  }
}

extension SocketAddress {
  /// Four bytes of IPv4, or sixteen of IPv6; none of anything else.
  fileprivate var bytes: [UInt8] {
    switch self {
    case .v4(let address): withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
    case .v6(let address): withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
    case .unixDomainSocket: []
    }
  }
}

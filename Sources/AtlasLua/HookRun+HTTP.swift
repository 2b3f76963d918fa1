import AtlasHooks
import AtlasModel

/// `http`: requests to the outside, through the port that knows which hosts are allowed.
extension HookRun {
  func http(_ request: LuaRequest) async throws(CallProblem) -> LuaAnswer {
    let outgoing = try outgoing(request)
    let reads = outgoing.method == "GET" || outgoing.method == "HEAD"
    if invocation.dryRun, !reads {
      withhold(request.call, "\(outgoing.method) \(outgoing.url) was not sent")
      throw .fault(
        HookFault(
          code: "dry_run", message: "a dry run sends no \(outgoing.method) requests",
          retryable: false))
    }
    let response: HookHTTPResponse
    do {
      response = try await ports.http.send(outgoing)
    } catch { throw .fault(error) }
    return .values([response.luaValue])
  }

  private func outgoing(_ request: LuaRequest) throws(CallProblem) -> HookHTTPRequest {
    var options: Options
    if case .text(let url) = request[0] {
      options = try Options(.map([.init("url", .text(url))]))
    } else {
      options = try Options(request[0])
    }
    let method = try method(request.call, &options)
    let url = try Self.checkedURL(try options.text("url"))
    var headers = try Self.headers(options.take("headers"))
    let body = try Self.body(&options, &headers)
    if !body.isEmpty, method == "GET" || method == "HEAD" {
      throw .misuse("a \(method) request has no body")
    }
    let timeout = try options.duration("timeout") ?? setup.limits.httpTimeout
    guard timeout > .zero, timeout <= HookLimits.longestHTTPTimeout else {
      throw .misuse("timeout must be above 0, at most \(HookLimits.longestHTTPTimeout.text)")
    }
    let retries = options.take("retries")
    let count =
      retries == .none ? 0 : try retries.count("retries", limit: HookLimits.httpRetries)
    try options.finish()
    return HookHTTPRequest(
      client: invocation.client, method: method, url: url, headers: headers, body: body,
      timeout: timeout, retries: count)
  }

  private func method(
    _ call: HookCall, _ options: inout Options
  ) throws(CallProblem) -> String {
    switch call {
    case .httpGet: return "GET"
    case .httpPost: return "POST"
    case _:
      guard let method = try options.text("method") else { throw .misuse("method is missing") }
      let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
      guard known.contains(method.uppercased()) else {
        throw .misuse("method must be one of \(known.joined(separator: ", "))")
      }
      return method.uppercased()
    }
  }

  private static func checkedURL(_ text: String?) throws(CallProblem) -> String {
    guard let text else { throw .misuse("url is missing") }
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard text.hasPrefix("http://") || text.hasPrefix("https://"), isPlain, text.utf8.count <= 4_096
    else { throw .misuse("url must begin with http:// or https:// and have no blanks") }
    return text
  }

  private static func headers(
    _ value: LuaValue
  ) throws(CallProblem) -> [HookHTTPRequest.Header] {
    switch value {
    case .none: return []
    case .list(let values) where values.isEmpty: return []
    case .map(let members):
      guard members.count <= HookLimits.httpHeaders else {
        throw .misuse("more than \(HookLimits.httpHeaders) headers")
      }
      var headers: [HookHTTPRequest.Header] = []
      for member in members.sorted(by: { $0.key < $1.key }) { headers.append(try header(member)) }
      return headers
    case _: throw .misuse("headers must be a table with names")
    }
  }

  /// What frames the request belongs to the client; `host` would reach past the host rules.
  private static var reservedHeaders: Set<String> {
    [
      "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
      "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]
  }

  /// A value with a line break would let a script write a second request.
  private static func header(
    _ member: LuaValue.Member
  ) throws(CallProblem) -> HookHTTPRequest.Header {
    let token = Set("!#$%&'*+-.^_`|~".utf8)
    let isName =
      !member.key.isEmpty
      && member.key.utf8.allSatisfy { byte in
        token.contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      }
    guard isName else { throw .misuse("'\(member.key.bounded(to: 64))' is no name of a header") }
    guard !reservedHeaders.contains(member.key.lowercased()) else {
      throw .misuse("the header \(member.key) cannot be set")
    }
    let value = member.value.described()
    switch member.value {
    case .text, .integer, .number: break
    case _: throw .misuse("the header \(member.key) must be text, it is \(member.value.kind)")
    }
    guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else {
      throw .misuse("the header \(member.key) has a line break or a control character")
    }
    return HookHTTPRequest.Header(name: member.key, value: value)
  }

  private static func body(
    _ options: inout Options, _ headers: inout [HookHTTPRequest.Header]
  ) throws(CallProblem) -> [UInt8] {
    let json = options.take("json")
    let body = options.take("body")
    if json != .none, body != .none { throw .misuse("give json or body, not both") }
    let chosen = json == .none ? body : json
    guard chosen != .none else { return [] }
    guard case .text(let bytes) = chosen else {
      throw .misuse("body must be text, it is \(chosen.kind)")
    }
    guard bytes.count <= HookLimits.httpBody else {
      throw .misuse("the body has more than \(HookLimits.httpBody / 1_024) KiB")
    }
    if json != .none, !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
      headers.append(HookHTTPRequest.Header(name: "content-type", value: "application/json"))
    }
    return bytes
  }
}

extension HookHTTPResponse {
  /// {status, headers by lower-case name, body}, and a `json` function added on the way.
  fileprivate var luaValue: LuaValue {
    var byName: [String: String] = [:]
    for header in headers {
      let name = header.name.lowercased()
      byName[name] = byName[name].map { "\($0), \(header.value)" } ?? header.value
    }
    return .response([
      .init("status", .integer(Int64(status))),
      .init(
        "headers",
        .map(byName.sorted { $0.key < $1.key }.map { .init($0.key, LuaValue($0.value)) })),
      .init("body", .text(body)),
    ])
  }
}

import AtlasHooks
import AtlasModel
import NIOPosix
import Testing

@testable import AtlasLua

@Suite("HTTP for hooks, against a server")
struct AsyncHTTPHookClientTests {
  private static let laa = ClientName(trusted: "LAA")

  /// Runs `body` with a server and a client that may reach it.
  private func withServer(
    rules: [String] = ["127.0.0.1", "localhost"],
    isForbidden: @escaping AsyncHTTPHookClient.AddressCheck = { ForbiddenAddress.contains($0) },
    _ body: (LoopbackServer, AsyncHTTPHookClient) async throws -> Void
  ) async throws {
    let server = try await LoopbackServer.start()
    let client = AsyncHTTPHookClient(
      rules: try HookHostRules(everyClient: rules), group: MultiThreadedEventLoopGroup.singleton,
      isForbidden: isForbidden)
    let result: Result<Void, any Error>
    do { result = .success(try await body(server, client)) } catch { result = .failure(error) }
    try await client.shutdown()
    try await server.stop()
    try result.get()
  }

  private func request(
    _ url: String, method: String = "GET", body: String = "", timeout: Duration = .seconds(300),
    retries: Int = 0
  ) -> HookHTTPRequest {
    HookHTTPRequest(
      client: Self.laa, method: method, url: url, headers: [.init(name: "X-Test", value: "yes")],
      body: Array(body.utf8), timeout: timeout, retries: retries)
  }

  private func code(_ client: AsyncHTTPHookClient, _ request: HookHTTPRequest) async -> String {
    do {
      return "status \(try await client.send(request).status)"
    } catch { return "\(error.code) \(error.retryable)" }
  }

  @Test("Method, headers and body arrive, and the answer comes back")
  func exchange() async throws {
    try await withServer { server, client in
      let url = "http://127.0.0.1:\(server.port)/a?b=c"
      let answer = try await client.send(request(url, method: "POST", body: "text"))
      #expect(String(decoding: answer.body, as: UTF8.self) == "POST /a?b=c yes text")
      #expect(answer.headers.map(\.name).contains("content-length"))
    }
  }

  @Test("A connection is used again")
  func reuse() async throws {
    try await withServer { server, client in
      for _ in 0..<20 {
        _ = try await client.send(request("http://127.0.0.1:\(server.port)/x"))
      }
      #expect(server.requests == 20)
      #expect(server.connections == 1)
    }
  }

  @Test(
    "What goes wrong has a code, and says whether to try again",
    arguments: [
      ("/unavailable", "status 503"),
      ("/redirect", "status 302"),
      ("/large", "too_large false"),
      ("/close", "closed true"),
      ("/slow", "timeout true"),
      ("/slow-body", "timeout true"),
    ])
  func failures(path: String, expected: String) async throws {
    try await withServer { server, client in
      let url = "http://127.0.0.1:\(server.port)\(path)"
      let isSlow = path.hasPrefix("/slow")
      let timeout = isSlow ? Duration.milliseconds(100) : HookLimits.longestHTTPTimeout
      #expect(await code(client, request(url, timeout: timeout)) == expected)
    }
  }

  @Test("A host that listens to nobody is a retryable failure to connect")
  func refused() async throws {
    try await withServer { server, client in
      let port = server.port
      try await server.stop()
      #expect(await code(client, request("http://127.0.0.1:\(port)/")) == "connect true")
    }
  }

  @Test("Retryable failures are tried again, as often as asked")
  func retries() async throws {
    try await withServer { server, client in
      let url = "http://127.0.0.1:\(server.port)/close-twice"
      #expect(await code(client, request(url, retries: 1)) == "closed true")
      #expect(server.requests == 2)
      #expect(await code(client, request(url, retries: 1)) == "status 200")
    }
  }

  @Test(
    "Hosts that no rule allows are never asked",
    arguments: [
      "http://example.net/", "http://127.0.0.2/", "http://localhost.evil/",
      "http://user@127.0.0.1/", "http://user:pass@127.0.0.1/", "http:///x",
      "http+unix://127.0.0.1/",
    ])
  func denied(url: String) async throws {
    try await withServer { _, client in
      let code = await code(client, request(url))
      #expect(code == "denied false" || code == "url false")
    }
  }

  @Test(
    "Metadata addresses are refused even where every host is allowed",
    arguments: [
      "http://169.254.169.254/latest/meta-data/", "http://0.0.0.0:PORT/", "http://[::]:PORT/",
      "http://[fe80::1]:PORT/", "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/",
    ])
  func forbidden(url: String) async throws {
    try await withServer(rules: ["*"]) { server, client in
      let target = url.replacing("PORT", with: String(server.port))
      #expect(await code(client, request(target, timeout: .seconds(5))) == "denied false")
      #expect(server.requests == 0)
    }
  }

  @Test("A name that resolves to a refused address is found out before a byte is sent")
  func resolved() async throws {
    try await withServer(isForbidden: { $0 == [127, 0, 0, 1] }) { server, client in
      let url = "http://localhost:\(server.port)/"
      do throws(HookFault) {
        _ = try await client.send(request(url, retries: 3))
        Issue.record("the request was sent")
      } catch {
        #expect(
          error
            == HookFault(
              code: "denied", message: "the host is at 127.0.0.1, which no hook may reach",
              retryable: false))
      }
      #expect(server.requests == 0)
    }
  }

  @Test("Cancelling gives a request up")
  func cancel() async throws {
    try await withServer { server, client in
      let task = Task { await code(client, request("http://127.0.0.1:\(server.port)/slow")) }
      while server.requests == 0 { await Task.yield() }
      task.cancel()
      #expect(await task.value == "cancelled false")
    }
  }

  @Test("A hook talks to a real server")
  func hook() async throws {
    try await withServer { server, client in
      let world = World.Parts(http: client)
      let body =
        "local res = assert(http.request{method = 'GET', timeout = 300, "
        + "url = 'http://127.0.0.1:\(server.port)/jobs'}) "
        + "ok(res.status .. ' ' .. res.body)"
      let outcome = try await world.outcome(of: body)
      #expect(outcome == ok("200 GET /jobs - "))
    }
  }
}

extension World {
  /// A runner with another HTTP client than a scripted one.
  struct Parts {
    let http: any HookHTTP

    func outcome(of body: String) async throws -> HookOutcome {
      let clock = ManualClock()
      let runner = LuaHookRunner(
        ports: HookPorts(
          clock: clock, keyValue: MemoryKeyValue(), http: http, log: CollectedLog()),
        sha256: fakeHash)
      let revision = await runner.check(
        HookSources(["default.lua": "return {api = 1, pre_update = function(run) \(body)\nend}"]))
      runner.install(revision)
      let report = await runner.run(
        HookInvocation(
          point: .preUpdate, key: "k", client: ClientName(trusted: "LAA"),
          site: SiteName(trusted: "PARIS"), server: ServerName(trusted: "LAA-PARIS-DC01"),
          campaign: CampaignName(trusted: "april"), phase: .preCheck,
          deadline: clock.now() + .seconds(900), revision: revision.id))
      return report.outcome
    }
  }
}

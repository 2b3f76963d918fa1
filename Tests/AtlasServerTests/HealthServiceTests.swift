import AtlasWire
import GRPCCore
import Testing

@testable import AtlasServer

@Suite(.timeLimit(.minutes(10))) struct HealthServiceTests {
  private typealias Client = GRPCHealthV1.Health.Client<HTTP2Client>
  private typealias Status = HealthService.Status

  private func withClient(
    _ health: HealthService, _ body: @Sendable (Client) async throws -> Void
  ) async throws {
    try await TestServer(health: health).run { server in
      try await server.withClient { try await body(Client(wrapping: $0)) }
    }
  }

  private func covering(_ services: String...) -> HealthService {
    let health = HealthService()
    health.cover(services)
    return health
  }

  @Test func `nothing serves until the daemon says so`() async throws {
    let health = covering("atlas.v1.AuditService")
    try await withClient(health) { client in
      for service in ["", "atlas.v1.AuditService"] {
        let status = try await client.check(.init(service: service)).status
        #expect(status == .notServing)
      }
      health.set(.serving)
      for service in ["", "atlas.v1.AuditService"] {
        let status = try await client.check(.init(service: service)).status
        #expect(status == .serving)
      }
    }
  }

  @Test func `services have their own status`() async throws {
    let health = covering("a.A", "a.B")
    health.set(.serving)
    health.set(.notServing, for: "a.B")
    try await withClient(health) { client in
      var statuses = [Status]()
      for service in ["", "a.A", "a.B"] {
        statuses.append(try await client.check(.init(service: service)).status)
      }
      #expect(statuses == [.serving, .serving, .notServing])
    }
  }

  @Test func `a service that is not there is NOT_FOUND`() async throws {
    try await withClient(HealthService()) { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.check(.init(service: "a.A"))
      }
      #expect(error?.code == .notFound)
      #expect(error?.message == "there is no service “a.A”")
    }
  }

  @Test func `a watcher sees the status and its changes, and only changes`() async throws {
    let health = covering("a.A")
    try await withClient(health) { client in
      let seen = try await client.watch(.init(service: "a.A")) { responses in
        var seen = [Status]()
        for try await response in responses {
          seen.append(response.status)
          switch seen.count {
          case 1:
            health.set(.notServing)
            health.set(.serving, for: "b.B")
            health.set(.serving)
          case 2: health.set(.notServing, for: "a.A")
          default: return seen
          }
        }
        return seen
      }
      #expect(seen == [.notServing, .serving, .notServing])
    }
  }

  @Test func `a watcher of a service that is not there yet waits for it`() async throws {
    let health = HealthService()
    try await withClient(health) { client in
      let seen = try await client.watch(.init(service: "a.A")) { responses in
        var seen = [Status]()
        for try await response in responses {
          seen.append(response.status)
          if seen.count == 2 { break }
          health.set(.serving)
          health.cover(["a.A"])
        }
        return seen
      }
      #expect(seen == [.serviceUnknown, .serving])
    }
  }

  @Test func `going down is final`() async throws {
    let health = covering("a.A")
    health.set(.serving)
    health.goDown()
    health.set(.serving)
    health.set(.serving, for: "a.A")
    try await withClient(health) { client in
      for service in ["", "a.A"] {
        let status = try await client.check(.init(service: service)).status
        #expect(status == .notServing)
      }
    }
  }
}

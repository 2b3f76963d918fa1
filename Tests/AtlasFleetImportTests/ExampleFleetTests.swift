import AtlasCalendar
import AtlasModel
import Foundation
import Testing

@testable import AtlasFleetImport

@Suite("The example of 100 clients with 10 servers")
struct ExampleFleetTests {
  @Test("it imports without a word, and is what it says it is")
  func imports() throws {
    let result = try readExample("servers.csv", "clients.yaml")
    #expect(result.diagnostics.map(\.description) == [])
    let fleet = result.fleet
    #expect(fleet.clients.count == 100)
    #expect(fleet.servers.count == 1_000)
    #expect(fleet.clients.first?.name == "LAA")
    #expect(fleet.servers.contains { $0.name == "LAA-PARIS-DC01" && $0.roles == ["DC"] })
    let sizes = Ring.all.prefix(4).map { ring in fleet.clients.count { $0.ring == ring } }
    #expect(sizes == [2, 8, 70, 20])
    for client in fleet.clients {
      let servers = fleet.servers.filter { $0.client == client.name }
      #expect(servers.count == 10)
      #expect(servers.count { $0.roles == ["DC"] } == 2)
      #expect(client.maxParallelServers == 1)
    }
  }

  @Test("in any week of the year all windows are open together for the length of ten servers")
  func windowsOverlap() throws {
    let clients = try readExample("servers.csv", "clients.yaml").fleet.clients
    // A Tuesday at noon, and others in two years: each month, and where clocks change.
    for week in Array(stride(from: 0, to: 104, by: 4)) + [18, 48, 70, 101] {
      let from = Instant(milliseconds: 1_763_467_200_000) + .seconds(week * 7 * 86_400)
      let opening = try #require(try WindowCalendar.firstOpening(of: clients, from: from))
      for client in clients {
        let intervals = try WindowCalendar.intervals(
          client: client, from: from, until: opening + .seconds(16 * 3_600))
        // Rings open 47 minutes apart; a lane of ten servers takes 7.5 h, a bad one 12 h.
        let ready = opening + .seconds(Int(client.ring.number) * 47 * 60)
        let fits = intervals.contains {
          $0.start <= ready && ready + .seconds(12 * 3_600) <= $0.end
        }
        #expect(fits, "\(client.name) in week \(week)")
      }
    }
  }

  @Test("the field's lists are those of the same fleet")
  func fieldLists() throws {
    let fleet = try readExample("servers.csv", "clients.yaml").fleet
    #expect(
      FleetExport.csv(fleet.clients.map(ClientConfigRow.init))
        == String(decoding: try bytes("field/client_config.csv"), as: UTF8.self))
    let result = try readExample(
      "field/orchestration.csv", "field/client_config.csv", "field/global_status.csv")
    #expect(result.diagnostics.map(\.description) == [])
    #expect(result.fleet.ringNames == fleet.ringNames)
    #expect(result.fleet.clients.map(\.zone) == fleet.clients.map(\.zone))
    let withoutSettings = { (servers: [ServerConfig]) in
      servers.map { server in
        ServerConfig(
          name: server.name, client: server.client, site: server.site, roles: server.roles,
          number: server.number)
      }
    }
    #expect(withoutSettings(result.fleet.servers) == withoutSettings(fleet.servers))
  }

  @Test("its policy is read, and its gates need no person and let planted failures pass")
  func policy() throws {
    let fleet = try readExample("servers.csv", "clients.yaml").fleet
    let reading = PolicyDocument.read(
      SourceDocument(name: "policy.yaml", bytes: try bytes("policy.yaml")),
      names: FleetNames(
        clients: Set(fleet.clients.map(\.name)), roles: Set(fleet.servers.flatMap(\.roles)),
        resources: Set(fleet.servers.flatMap(\.resources))))
    #expect(reading.diagnostics.map(\.description) == [])
    for ring in [Ring.canary, .pilot, .standard] {
      let gate = reading.policy.gate(after: ring)
      #expect(gate.approval == .auto)
      #expect(gate.openAfter == .sample)
      #expect(gate.successRate == 90)
      #expect(gate.maxFailed == 3)
    }
    #expect(reading.clientOverrides.keys.sorted() == ["QUA"])
  }

  private func readExample(_ names: String...) throws -> FleetImportResult {
    FleetImport.read(
      documents: try names.map { SourceDocument(name: $0, bytes: try bytes($0)) })
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let example = tests.deletingLastPathComponent().appending(path: "examples/msp-100x10")
    return Array(try Data(contentsOf: example.appending(path: name)))
  }
}

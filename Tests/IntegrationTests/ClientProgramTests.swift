import Foundation
import Testing

extension Programs {
  /// The programs under `examples/clients`, which know Atlas only by what it says of itself.
  @Suite(.enabled(if: Python.isThere, "needs grpcio; scripts/test installs it"))
  struct `A client in another language` {
    @Test(.timeLimit(.minutes(10)))
    func `lists the services, watches a campaign and stops everything`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF", "BET"]))
      try await stage.begin()
      let monitor = "\(Stage.root)/examples/clients/monitor.py"

      let services = try await stage.run(Python.path, [monitor, stage.address, "services"])
      #expect(services.status == 0, "\(services.errors)")
      for name in ["CampaignService", "FleetService", "MetricsService", "SafetyService"] {
        #expect(services.text.contains("atlas.v1.\(name)"))
      }
      #expect(services.text.contains("grpc.health.v1.Health: SERVING"))

      let figures = try await stage.run(
        Python.path, [monitor, stage.address, "watch", "night", "--messages", "3"])
      #expect(figures.status == 0, "\(figures.errors)")
      #expect(figures.text.split(separator: "\n").count == 3)
      #expect(figures.text.contains("of 8"))

      let stop = try await stage.run(
        Python.path, [monitor, stage.address, "stop", "--reason", "seen by the monitor"])
      #expect(stop.status == 0, "\(stop.errors)")
      let stops = try await stage.json("stop", "status")["stops"] as? [[String: Any]]
      #expect(stops?.first?["reason"] as? String == "seen by the monitor")
    }
  }
}

/// The project's Python environment.
enum Python {
  static let path: String = {
    let venv = ProcessInfo.processInfo.environment["ATLAS_VENV"] ?? "\(Stage.root)/.venv"
    return "\(venv)/bin/python"
  }()

  static let isThere = FileManager.default.isExecutableFile(atPath: path)
}

extension Programs {
  @Suite(.enabled(if: Python.isThere, "needs grpcio; scripts/test installs it"))
  struct `Values that are absurd` {
    @Test(.timeLimit(.minutes(10)))
    func `are refused or bounded, and the daemon lives on`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF"]))
      try await stage.startDaemon()
      try await stage.atlas(
        "fleet", "import", stage.path("servers.csv"), stage.path("clients.yaml"), "--yes")
      try await stage.atlas("campaign", "create", "night")
      let output = try await stage.run(
        Python.path, ["\(Stage.root)/Tests/IntegrationTests/hostile.py", stage.address])
      #expect(output.status == 0, "\(output.errors)")
      let lines = output.text.split(separator: "\n").map(String.init)
      #expect(
        lines == [
          "ListServerRuns OK", "ListServerRuns INVALID_ARGUMENT",
          "ListServerRuns INVALID_ARGUMENT", "ListServerRuns INVALID_ARGUMENT",
          "ListAuditRecords OK", "ListHookRuns OK", "StreamMetrics INVALID_ARGUMENT",
          "StreamMetrics INVALID_ARGUMENT", "ListWindows INVALID_ARGUMENT", "LockServer OK",
          "UpdateClient INVALID_ARGUMENT", "UpdateClient INVALID_ARGUMENT", "ListClients OK",
        ])
      #expect(stage.daemon?.isRunning == true)
      // What was locked until the year 9999 is loaded again.
      await stage.daemon?.kill9()
      try await stage.startDaemon()
      #expect(try await stage.rows("server", "list").count == 4)
    }
  }
}

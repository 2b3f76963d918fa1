import Foundation
import Testing

extension Programs {
  /// The programs under `examples/clients`, which know Atlas only by what it says of itself.
  @Suite(.enabled(if: Python.isThere, "needs grpcio; scripts/test installs it"))
  struct `A client in another language` {
    @Test(.timeLimit(.minutes(3)))
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

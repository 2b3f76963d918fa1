import Foundation
import Testing

extension Programs {
  @Suite struct `A daemon that is asked to stop` {
    @Test(.timeLimit(.minutes(10)))
    func `ends its streams with a status, keeps everything, and goes on later`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF", "BET"]))
      try await stage.begin()
      let watching = try Program(
        "\(Stage.programs)/atlas", ["metrics", "stream", "night", "-o", "jsonl"],
        output: stage.path("watched"), errors: stage.path("watched.errors"),
        environment: ["ATLAS_ADDRESS": stage.address])
      try await stage.until("a server is completed") {
        try await stage.outcomes()["COMPLETED UPDATED"] != nil
      }
      let completed = try #require(try await stage.outcomes()["COMPLETED UPDATED"])
      stage.daemon?.signal(SIGTERM)
      #expect(await stage.daemon?.wait() == 0)

      let last = stage.text("daemon.log").split(separator: "\n")
        .last { $0.contains("MetricsService/StreamMetrics") }
      #expect(last?.contains("code=UNAVAILABLE") == true, "the watcher was told")
      let log = try? FileManager.default.attributesOfItem(atPath: stage.path("data/atlas.db-wal"))
      #expect((log?[.size] as? Int ?? 0) == 0, "the write-ahead log was copied back")

      try await stage.startDaemon()
      let later = try await stage.outcomes()["COMPLETED UPDATED"] ?? []
      #expect(Set(completed).isSubset(of: later))
      let seen = stage.text("watched").count
      try await stage.until("the watcher is back by itself") { stage.text("watched").count > seen }
      watching.signal(SIGTERM)
      await watching.wait()
      let end = try await stage.ask("campaign", "wait", "night", "--timeout", "2m")
      #expect(end.status == 0, "\(end.errors)")
    }

    @Test(.timeLimit(.minutes(10)))
    func `refuses to work for real on the data of a rehearsal`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF"]))
      try await stage.startDaemon()
      try await stage.atlas(
        "fleet", "import", stage.path("servers.csv"), stage.path("clients.yaml"), "--yes")
      stage.daemon?.signal(SIGTERM)
      await stage.daemon?.wait()
      let real = try await stage.run(
        "\(Stage.programs)/atlasd",
        ["--data-dir", stage.path("data"), "--listen", "127.0.0.1:0"])
      #expect(real.status == 1)
      #expect(real.errors.contains("was made by a rehearsal"), "\(real.errors)")
    }
  }
}

import AtlasModel
import AtlasTestKit
import Testing

@testable import AtlasEngine

/// For evidence: what a run relied on when it changed its server, and the rules of then.
@Suite struct `What an update relies on` {
  private static let server = "LAA-PARIS-WEB01"
  private static let week = BackupAge.atMost(.seconds(7 * 86_400))
  private static let fails = CommandAnswer.failsToInstall(
    "0x80070005", "access is denied", retryable: true)

  private func world() -> EngineWorld {
    var fleet = EngineFleet()
    fleet.add("LAA", servers: [Self.server]) { $0.maxBackupAge = Self.week }
    return EngineWorld(fleet)
  }

  private func bases(_ world: EngineWorld, in campaign: Int = 0) -> [UpdateBasis] {
    world.state[world.run(Self.server, in: CampaignID(campaign))].details.content.bases
  }

  /// The client asks for less, and may have more servers down at once.
  private func loosen(_ world: inout EngineWorld) {
    var config = world.state[client: ClientID(0)].config
    config.requireBackup = false
    config.createSnapshots = false
    config.maxParallelServers = 4
    world.step(.fleetImported(clients: [config], servers: [], by: "anna"))
  }

  @Test func `is kept as it was, whatever the client asks for later`() {
    var world = world()
    world.campaign("patch-11")
    world.run(until: Self.server, .update)
    let content = world.state[world.run(Self.server)].details.content
    let expected = UpdateBasis(
      checkedAt: world.now, maxBackupAge: Self.week, backup: content.backup,
      snapshotRequired: true, snapshot: content.snapshot, slots: 1)
    #expect(bases(world) == [expected])
    #expect(expected.backup != nil && expected.snapshot != nil)
    loosen(&world)
    world.settle()
    #expect(bases(world) == [expected])
    #expect(world.violations == [])
  }

  @Test func `is what the first attempt relied on when it is tried again with the same snapshot`() {
    var world = world()
    world.script.answer(.update, of: Self.server, with: Self.fails)
    world.campaign("patch-11", policy: .with { $0.maxRetries = 2 })
    world.settle()
    #expect(world.state[world.run(Self.server)].attempt == 3)
    #expect(bases(world).count == 1)
  }

  @Test func `is looked at anew when it was given back, by the rules of now`() {
    var world = world()
    world.script.answer(.snapshot, with: .snapshot)
    world.script.answer(.finalize, with: .ok)
    world.campaign("patch-11")
    world.run(until: Self.server, .snapshot, .hook(.snapshot))
    world.disconnect(Self.server)
    world.run(until: Self.server, .update)
    world.stop()
    world.run(for: .seconds(60))
    world.connect(Self.server)
    world.run(for: .seconds(3_600))
    loosen(&world)
    world.release()
    world.resume()
    world.settle()
    #expect(bases(world).map(\.maxBackupAge) == [Self.week, nil])
    #expect(bases(world).map(\.snapshotRequired) == [true, false])
    #expect(bases(world).map(\.slots) == [1, 4])
    #expect(world.violations == [])
  }

  @Test func `is known again after a death of the daemon`() {
    var world = world()
    world.campaign("patch-11")
    world.run(until: Self.server, .update)
    let before = bases(world)
    world.crash()
    #expect(before.count == 1)
    #expect(bases(world) == before)
  }

  @Test func `is kept for what undoes another campaign, with the snapshot that it goes back to`() {
    var world = world()
    world.campaign("patch-11", policy: .with { $0.snapshotRetention = .seconds(6 * 3_600) })
    world.settle()
    let taken = bases(world).map(\.snapshot)
    world.campaign("undo-11", rollbackOf: CampaignID(0))
    world.settle()
    #expect(bases(world, in: 1).map(\.snapshot) == taken)
    #expect(bases(world, in: 1).map(\.maxBackupAge) == [Self.week])
    #expect(world.violations == [])
  }

  @Test func `is kept for no more than a few times that it was given back`() {
    var content = RunDetails.Content()
    for second in 0..<20 {
      content.rely(
        on: UpdateBasis(
          checkedAt: Instant(milliseconds: Int64(second)), maxBackupAge: nil, backup: nil,
          snapshotRequired: false, snapshot: nil, slots: 1))
    }
    #expect(content.bases.count == Limits.updateBases)
    #expect(content.bases.last?.checkedAt == Instant(milliseconds: 19))
  }
}

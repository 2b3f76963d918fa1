import AtlasModel

/// What a simulated server is: everything about it that survives a crash of the simulator.
package struct SimulatedDisk: Codable, Hashable, Sendable {
  package struct Snapshot: Codable, Hashable, Sendable {
    var id: String
    var takenAtMilliseconds: Int64
    var installed: [String]
  }

  /// 1 for the first.
  package var boots = 1
  /// Updates that are there, sorted.
  package var installed: [String] = []
  /// Code of the installer, by update.
  package var failed: [String: String] = [:]
  /// Updates that a boot has undone, sorted.
  package var reverted: [String] = []
  package var snapshot: Snapshot?
  package var healthy = true
  /// Boots since the attempt began that servicing had asked for; a later pass needs them.
  package var round = 0
  package var rebootPending = false
  /// What was there before the attempt, for snapshots that somebody else took.
  package var installedBefore: [String] = []
  /// Updates of the set are left for another pass.
  package var moreToCome = false
  /// How often the failure of this server has shown itself.
  package var failures = 0
  /// It left for good.
  package var gone = false
  /// Fence of the newest command that was begun, and of the newest that has ended.
  package var begunFence: UInt64 = 0
  package var endedFence: UInt64 = 0
  /// Result of the newest that has ended, encoded for the wire.
  package var result: [UInt8] = []

  package init() {}
}

import AtlasModel

/// A command in the outbox: what is sent again after a restart is what was decided.
extension Command {
  /// 2: with the time of the backup.
  private static let version: UInt8 = 2

  var storedBytes: [UInt8] {
    var writer = ByteWriter(version: Self.version)
    writer.put(fence)
    writer.put(kind)
    writer.put(server)
    writer.put(campaign)
    writer.put(runKey)
    writer.put(attempt)
    writer.put(pass)
    writer.put(notAfter) { $0.put($1) }
    writer.put(updateSet)
    writer.put(rollbackMeans)
    writer.put(snapshotID)
    writer.put(afterRollback)
    writer.put(backupTakenAt) { $0.put($1) }
    return writer.bytes
  }

  init(stored bytes: [UInt8]) throws(RowError) {
    self = try RowError.catching { try Self.read(bytes) }
  }

  private static func read(_ bytes: [UInt8]) throws -> Command {
    var reader = try ByteReader(bytes, versions: 1...version, row: "command")
    var command = Command(
      fence: try reader.fence(), kind: try reader.value(), server: try reader.name(),
      campaign: try reader.name(), runKey: try reader.string(), attempt: try reader.int(),
      pass: try reader.int(), notAfter: try reader.optional { try $0.instant() },
      updateSet: try reader.updateSet(), rollbackMeans: try reader.value(),
      snapshotID: try reader.string(), afterRollback: try reader.bool())
    if reader.version >= 2 { command.backupTakenAt = try reader.optional { try $0.instant() } }
    return command
  }
}

import AtlasEngine
import AtlasModel
import AtlasStore

/// Commands on their way: each is kept until its agent has acknowledged it or nobody wants it any
/// more, and handed over again to every new session of the agent.
struct Outbox: Sendable {
  struct Entry: Sendable {
    let server: ServerID
    let command: Command
    /// The session that it was handed to last; nil when to none.
    var sentTo: SessionID?
  }

  /// Only looked up, never iterated.
  private var entries: [Fence: Entry] = [:]
  /// Fences of a server's commands, lowest first.
  private var byServer: [ServerID: [Fence]] = [:]

  init(_ rows: [OutboxRow]) throws(RowError) {
    for row in rows {
      put(try Command(stored: row.body), for: ServerID(Int(row.server)))
    }
  }

  subscript(fence: Fence) -> Entry? { entries[fence] }

  func fences(for server: ServerID) -> [Fence] { byServer[server] ?? [] }

  mutating func put(_ command: Command, for server: ServerID) {
    entries[command.fence] = Entry(server: server, command: command)
    byServer[server, default: []].append(command.fence)
  }

  /// - Returns: whether it was there.
  mutating func remove(_ fence: Fence) -> Bool {
    guard let entry = entries.removeValue(forKey: fence) else { return false }
    byServer[entry.server]?.removeAll { $0 == fence }
    if byServer[entry.server]?.isEmpty == true { byServer[entry.server] = nil }
    return true
  }

  mutating func markSent(_ fence: Fence, to session: SessionID) {
    entries[fence]?.sentTo = session
  }

  /// Its row; nil when it was taken out again before it was ever stored.
  func row(_ fence: Fence) -> OutboxRow? {
    entries[fence].map {
      OutboxRow(
        fence: fence.number, server: Int64($0.server.index), body: $0.command.storedBytes)
    }
  }
}

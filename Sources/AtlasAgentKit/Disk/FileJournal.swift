import AtlasAgent
import AtlasModel

/// The journals of many agents in one file, one fsync for all that waits.
///
/// ``append(_:of:)`` collects, ``commit()`` writes one frame and waits for the disk. The file is
/// replaced by a short one that says the same when it is opened, and when it has grown beyond
/// ``KitLimits/journal``. Not thread-safe.
package final class FileJournal {
  private let path: String
  private var file: AppendFile
  private var waiting: [JournalRecord] = []
  private var states: [ServerName: JournalState] = [:]
  private var compactedSize = 0

  /// An entry waits that must be on disk before something else may happen.
  package private(set) var needsCommit = false
  /// Commits and entries so far.
  package private(set) var commits = 0
  package private(set) var entries = 0

  /// Reads what is there. A last write that was cut short is dropped.
  /// - Throws: `JournalError` for damage, ``FileError`` for everything else.
  package init(path: String) throws {
    self.path = path
    let bytes = try WholeFile.read(path) ?? []
    for record in try JournalFrame.decode(bytes).records {
      states[record.agent, default: JournalState()].apply(record.entry)
    }
    file = try AppendFile(path: path)
    if !bytes.isEmpty { try compact() }
  }

  /// What the journal says about an agent, what waits for the disk included.
  package func state(of agent: ServerName) -> JournalState { states[agent] ?? JournalState() }

  package func append(_ entry: JournalEntry, of agent: ServerName) {
    states[agent, default: JournalState()].apply(entry)
    waiting.append(JournalRecord(agent: agent, entry: entry))
    needsCommit = needsCommit || !entry.mayWait
  }

  /// Returns once everything appended survives a power cut.
  /// - Throws: ``FileError``; what is on disk is not known then, and the process must end.
  package func commit() throws(FileError) {
    guard !waiting.isEmpty else { return }
    try file.append(JournalFrame.encode(waiting))
    try file.sync()
    commits += 1
    entries += waiting.count
    waiting.removeAll(keepingCapacity: true)
    needsCommit = false
    if file.size > max(KitLimits.journal, 4 * compactedSize) { try compact() }
  }

  /// Writes the sum of all entries over the file.
  private func compact() throws(FileError) {
    let records = states.keys.sorted().compactMap { agent in
      states[agent].map { JournalRecord(agent: agent, entry: .state($0)) }
    }
    let frames = stride(from: 0, to: records.count, by: KitLimits.recordsPerFrame).map { start in
      JournalFrame.encode(Array(records[start...].prefix(KitLimits.recordsPerFrame)))
    }
    try WholeFile.replace(path, with: frames)
    file = try AppendFile(path: path)
    compactedSize = file.size
  }
}

import AtlasHooks
import FoundationEssentials
import Glibc

/// Hook revisions on disk, each in a directory named by its id.
///
/// A revision is written beside its place, made durable and moved there in one step: what bears the
/// name of a revision is whole. A file `current` names the one that was current last.
struct HookArchive: Sendable {
  /// Such as `DATA_DIR/hooks`.
  let directory: String

  private var currentPath: String { "\(directory)/current" }

  func path(of id: HookRevisionID) -> String { "\(directory)/\(id)" }

  /// Keeps a revision. One that is there already stays, unless its files were changed.
  func store(_ revision: HookRevision) throws(HookSourcesError) {
    let sources = HookSources(
      bytes: Dictionary(uniqueKeysWithValues: revision.files.map { ($0.path, $0.source) }))
    if let stored = try? self.sources(of: revision.id), stored == sources { return }
    try prepare()
    guard try stored().count < HookLimits.revisions else {
      throw HookSourcesError(
        path: directory,
        reason: "more than \(HookLimits.revisions) revisions are kept; a restart of the daemon "
          + "removes those that no campaign pinned")
    }
    let draft = "\(directory)/.new-\(revision.id)"
    try remove(draft)
    try write(sources, to: draft)
    try remove(path(of: revision.id))
    guard rename(draft, path(of: revision.id)) == 0 else {
      throw HookSourcesError(path: path(of: revision.id), doing: "put in place")
    }
    try HookSourceFile.sync(directory: directory)
  }

  /// The files of a revision as they are on disk; nil when it is not kept.
  func sources(of id: HookRevisionID) throws(HookSourcesError) -> HookSources? {
    guard id.isWellFormed, FileManager.default.fileExists(atPath: path(of: id)) else { return nil }
    return try HookSources(directory: path(of: id))
  }

  /// The revision that was current last, when one was.
  func current() throws(HookSourcesError) -> HookRevisionID? {
    guard FileManager.default.fileExists(atPath: currentPath) else { return nil }
    let bytes = try HookSourceFile.read(currentPath, limit: 256)
    let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? ""
    let id = HookRevisionID(String(text))
    return id.isWellFormed ? id : nil
  }

  func setCurrent(_ id: HookRevisionID) throws(HookSourcesError) {
    let draft = "\(directory)/.current"
    try HookSourceFile.write(Array("\(id)\n".utf8), to: draft)
    guard rename(draft, currentPath) == 0 else {
      throw HookSourcesError(path: currentPath, doing: "put in place")
    }
    try HookSourceFile.sync(directory: directory)
  }

  /// Removes all other revisions, and drafts that a crash left behind.
  func removeAll(except kept: Set<HookRevisionID>) throws(HookSourcesError) {
    guard FileManager.default.fileExists(atPath: directory) else { return }
    for name in try names() {
      let isDraft = name.hasPrefix(".new-") || name == ".current"
      let id = HookRevisionID(name)
      if isDraft || (id.isWellFormed && !kept.contains(id)) { try remove("\(directory)/\(name)") }
    }
  }

  // MARK: On disk

  private func stored() throws(HookSourcesError) -> [HookRevisionID] {
    try names().map { HookRevisionID($0) }.filter(\.isWellFormed)
  }

  private func names() throws(HookSourcesError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch { throw HookSourcesError(path: directory, reason: "it cannot be listed: \(error)") }
  }

  /// Makes the directory itself, and its name durable.
  private func prepare() throws(HookSourcesError) {
    guard !FileManager.default.fileExists(atPath: directory) else { return }
    try make(directory)
    let parent = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
    try HookSourceFile.sync(directory: parent.isEmpty ? "/" : parent)
  }

  private func make(_ path: String) throws(HookSourcesError) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw HookSourcesError(path: path, doing: "made")
    }
  }

  /// Deepest directories last, so that each is there before its files are.
  private func write(_ sources: HookSources, to root: String) throws(HookSourcesError) {
    var directories: Set = [""]
    for path in sources.files.keys {
      let parts = path.split(separator: "/").dropLast()
      for count in 1..<(parts.count + 1) {
        directories.insert(parts.prefix(count).map { "/\($0)" }.joined())
      }
    }
    let sorted = directories.sorted()
    for directory in sorted { try make(root + directory) }
    for (path, source) in sources.files { try HookSourceFile.write(source, to: "\(root)/\(path)") }
    for directory in sorted { try HookSourceFile.sync(directory: root + directory) }
  }

  private func remove(_ path: String) throws(HookSourcesError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch { throw HookSourcesError(path: path, reason: "it cannot be removed: \(error)") }
  }
}

extension HookRevisionID {
  /// 64 digits of hexadecimal: nothing that could lead to another directory.
  var isWellFormed: Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}

import AtlasHooks
import AtlasModel
import FoundationEssentials
import Glibc

/// The files of a hook directory, by path relative to it.
package struct HookSources: Hashable, Sendable {
  /// Source text by path, such as `clients/LAA.lua`.
  package var files: [String: [UInt8]]

  package init(_ files: [String: String]) {
    self.files = files.mapValues { Array($0.utf8) }
  }

  package init(bytes files: [String: [UInt8]]) {
    self.files = files
  }

  /// Reads `*.lua`, `clients/*.lua` and `lib/**/*.lua`; names that begin with a dot, and files
  /// that are no Lua, are left alone. A directory without hooks is not an error here.
  /// - Throws: ``HookSourcesError`` when something there cannot be read, or is too much.
  package init(directory: String) throws(HookSourcesError) {
    var reader = DirectoryReader(root: directory)
    try reader.readRoot()
    try reader.read("clients", depth: 0)
    try reader.read("lib", depth: 3)
    files = reader.files
  }
}

/// Why a file or directory of hooks cannot be read or written.
package struct HookSourcesError: Error, Hashable, CustomStringConvertible {
  /// The file or directory, as far as it is known.
  package var path: String
  /// What is wrong, and what would be right where that is not plain.
  package var reason: String

  package var description: String { "\(path): \(reason)" }

  init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// What the system said to the last call.
  init(path: String, doing what: String) {
    self.init(path: path, reason: "it cannot be \(what): \(String(cString: strerror(errno)))")
  }
}

private struct DirectoryReader {
  let root: String
  var files: [String: [UInt8]] = [:]
  var bytes = 0

  /// Reads the Lua files that lie directly in the directory. Only `default.lua` belongs there; the
  /// others are read so that the check can say where they belong.
  mutating func readRoot() throws(HookSourcesError) {
    guard let names = try Self.names(in: root) else {
      throw HookSourcesError(
        path: root, reason: "there is no such directory; it should hold default.lua and clients/")
    }
    for name in names where name.hasSuffix(".lua") { try read(file: name) }
  }

  /// Reads the Lua files of a directory, and of those in it down to `depth`.
  mutating func read(_ directory: String, depth: Int) throws(HookSourcesError) {
    for name in try Self.names(in: "\(root)/\(directory)") ?? [] {
      let item = "\(directory)/\(name)"
      if name.hasSuffix(".lua") {
        try read(file: item)
      } else if depth > 0, Self.isDirectory("\(root)/\(item)") {
        try read(item, depth: depth - 1)
      }
    }
  }

  /// Sorted, without hidden ones; nil when nothing has this name.
  private static func names(in path: String) throws(HookSourcesError) -> [String]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard isDirectory(path) else {
      throw HookSourcesError(path: path, reason: "it is not a directory")
    }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { !$0.hasPrefix(".") }.sorted()
    } catch { throw HookSourcesError(path: path, reason: "it cannot be listed: \(error)") }
  }

  private static func isDirectory(_ path: String) -> Bool {
    var isDirectory = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
  }

  private mutating func read(file: String) throws(HookSourcesError) {
    guard files.count < HookLimits.files else {
      throw HookSourcesError(
        path: root, reason: "it has more than \(HookLimits.files) hook files; share more in lib/")
    }
    let source = try HookSourceFile.read("\(root)/\(file)", limit: HookLimits.source)
    bytes += source.count
    guard bytes <= HookLimits.revisionBytes else {
      let limit = HookLimits.revisionBytes / 1_048_576
      throw HookSourcesError(
        path: root, reason: "its hook files have more than \(limit) MiB; share more in lib/")
    }
    files[file] = source
  }
}

/// Reading and writing single files.
enum HookSourceFile {
  /// Reads a regular file of at most `limit` bytes; what a link leads to is as good.
  static func read(_ path: String, limit: Int) throws(HookSourcesError) -> [UInt8] {
    // Not blocking, so that a pipe with this name does not hold the daemon.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw HookSourcesError(path: path, doing: "opened") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HookSourcesError(path: path, reason: "it is not a regular file")
    }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
      }
      if got == 0 { break }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw HookSourcesError(path: path, doing: "read") }
      count += got
    }
    guard count <= limit else {
      throw HookSourcesError(
        path: path, reason: "it is larger than \(limit / 1_024) KiB; move parts into lib/")
    }
    return Array(bytes[..<count])
  }

  /// Writes a new file and makes its contents durable; its name is once the directory is synced.
  static func write(_ bytes: [UInt8], to path: String) throws(HookSourcesError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw HookSourcesError(path: path, doing: "created") }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw HookSourcesError(path: path, doing: "written") }
      written += count
    }
    guard fsync(descriptor) == 0 else { throw HookSourcesError(path: path, doing: "synced") }
  }

  /// Makes the names in a directory durable.
  static func sync(directory path: String) throws(HookSourcesError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw HookSourcesError(path: path, doing: "opened") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw HookSourcesError(path: path, doing: "synced") }
  }
}

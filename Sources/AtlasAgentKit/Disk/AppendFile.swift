import Glibc

/// A file that is only added to. Not thread-safe.
final class AppendFile {
  let path: String
  private let descriptor: Int32
  /// Bytes in the file.
  private(set) var size: Int

  /// Opens the file, or makes it.
  init(path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw FileError("open", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError("stat", path) }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Hands `bytes` to the kernel: they survive the process, not yet a power cut.
  func append(_ bytes: [UInt8]) throws(FileError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(descriptor, $0.baseAddress! + written, $0.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw FileError("write", path) }
      written += count
    }
    size += bytes.count
  }

  /// Returns once everything appended survives a power cut.
  func sync() throws(FileError) {
    guard fdatasync(descriptor) == 0 else { throw FileError("fdatasync", path) }
  }

  /// Cuts the file to `size` bytes, durably.
  func truncate(to size: Int) throws(FileError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileError("ftruncate", path) }
    self.size = size
    try sync()
  }
}

/// Whole files.
enum WholeFile {
  /// The content of a file; nil when there is none.
  static func read(_ path: String, limit: Int = .max) throws(FileError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 && errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError("stat", path) }
    guard Int(status.st_size) <= limit else { throw FileError("read", path, code: EFBIG) }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress! + filled, $0.count - filled)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError("read", path) }
      if count == 0 { break }
      filled += count
    }
    return Array(bytes.prefix(filled))
  }

  /// Replaces `path` by `bytes`, so that after a power cut it is the old file or the new one.
  static func replace(_ path: String, with chunks: some Sequence<[UInt8]>) throws(FileError) {
    let fresh = path + ".new"
    guard unlink(fresh) == 0 || errno == ENOENT else { throw FileError("unlink", fresh) }
    do {
      let file = try AppendFile(path: fresh)
      for chunk in chunks { try file.append(chunk) }
      try file.sync()
    }
    guard rename(fresh, path) == 0 else { throw FileError("rename", path) }
    try syncDirectory(of: path)
  }

  private static func syncDirectory(of path: String) throws(FileError) {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError("fsync", directory) }
  }
}

/// A file or directory that could not be used.
package struct FileError: Error, Equatable, CustomStringConvertible {
  package let operation: String
  package let path: String
  /// `errno`.
  package let code: Int32

  init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  package var description: String { "\(path): \(operation): \(String(cString: strerror(code)))" }
}

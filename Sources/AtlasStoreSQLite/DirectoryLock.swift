import AtlasStore
import Glibc

/// The right to use a data directory: an exclusive `flock` on the file `lock` in it, which ends
/// with the process however that ends. The file also tells whom to look for, and is never removed,
/// because a second process could lock a file that has no name any more.
struct DirectoryLock: ~Copyable, Sendable {
  private let descriptor: Int32

  /// - Throws: ``StoreError/inUse(path:pid:)`` while another process, or another store of this
  ///   one, has the directory; ``StoreError/failed(_:)`` when the file cannot be used.
  init(directory: String) throws(StoreError) {
    let path = directory + "/lock"
    // O_CLOEXEC: a program started by the daemon must not keep the lock when the daemon dies.
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .failed("cannot open \(path): \(systemError())") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      let owner = Self.readOwner(descriptor)
      close(descriptor)
      if reason == EWOULDBLOCK { throw .inUse(path: directory, pid: owner) }
      throw .failed("cannot lock \(path): \(systemError(reason))")
    }
    self.descriptor = descriptor
    writeOwner()
  }

  deinit {
    // Not by closing alone: a child between its fork and its exec has the descriptor, too.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Only for messages, so that a failure here is no failure.
  private func writeOwner() {
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0 else { return }
    _ = pwrite(descriptor, text, text.count, 0)
  }

  private static func readOwner(_ descriptor: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: buffer[..<count].prefix { $0 != 10 }, as: UTF8.self))
  }
}

/// The data directory itself.
enum DataDirectory {
  /// Makes the directory, readable by its owner only, unless there is one.
  static func create(_ path: String) throws(StoreError) {
    if mkdir(path, 0o700) == 0 { return try sync(path + "/..") }
    guard errno == EEXIST else {
      throw .failed("cannot make the data directory \(path): \(systemError())")
    }
  }

  /// Makes new names in a directory durable. SQLite does so for its log, but not for the database
  /// file, which a power cut right after the first commit would otherwise take away.
  static func sync(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .failed("cannot open \(path): \(systemError())") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .failed("cannot sync \(path): \(systemError())") }
  }
}

/// The operating system's words for an error.
func systemError(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

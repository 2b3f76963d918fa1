import Glibc
import Synchronization

/// Why a daemon has no key to sign with.
package struct EvidenceKeyError: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

/// The key of a daemon in its data directory: 32 bytes, which only its owner can read. Made when it is
/// first asked for, and never replaced: what it has signed must stay what it was.
package final class EvidenceKeyFile: Sendable {
  private let path: String
  private let known = Mutex<EvidenceKey?>(nil)

  package init(directory: String) { path = "\(directory)/evidence.key" }

  /// - Throws: ``EvidenceKeyError`` when the file cannot be read or made, holds no key, or can be read
  ///   by others.
  package func key() throws(EvidenceKeyError) -> EvidenceKey {
    try known.withLock { known throws(EvidenceKeyError) in
      if let known { return known }
      let kept = try read()
      let key = if let kept { kept } else { try make() }
      known = key
      return key
    }
  }

  /// Nil when there is no file.
  private func read() throws(EvidenceKeyError) -> EvidenceKey? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw failed("opened") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw EvidenceKeyError("\(path) is not a regular file")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw EvidenceKeyError("\(path) can be read by others; chmod 600 it, if nobody has")
    }
    var bytes = [UInt8](repeating: 0, count: 33)
    let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    guard count >= 0 else { throw failed("read") }
    guard count == 32, let key = try? EvidenceKey(bytes: Array(bytes[..<32])) else {
      throw EvidenceKeyError(
        "\(path) holds no key; bring it back from a backup of the data directory, or remove it for "
          + "a new one")
    }
    return key
  }

  /// Whole and durable before anything is signed with it.
  private func make() throws(EvidenceKeyError) -> EvidenceKey {
    let key = EvidenceKey()
    let draft = "\(path).new"
    unlink(draft)
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failed("created") }
    let isWritten =
      key.bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == 32
      && fsync(descriptor) == 0
    close(descriptor)
    guard isWritten, rename(draft, path) == 0, syncDirectory() else { throw failed("written") }
    return key
  }

  private func syncDirectory() -> Bool {
    let end = path.lastIndex(of: "/") ?? path.startIndex
    let descriptor = open(String(path[..<end]), O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  private func failed(_ doing: String) -> EvidenceKeyError {
    EvidenceKeyError("\(path) cannot be \(doing): \(String(cString: strerror(errno)))")
  }
}

import Glibc

/// A file that is written piece by piece under another name, and put in its place when it is whole:
/// nobody ever finds half of it there.
struct FileWriter: ~Copyable {
  private let path: String
  private let draft: String
  private let descriptor: Int32

  /// - Throws: ``Failure`` naming the file.
  init(_ path: String) throws(Failure) {
    self.path = path
    draft = "\(path).part"
    descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(draft) }
  }

  deinit { close(descriptor) }

  /// - Throws: ``Failure`` naming the file.
  func write(_ bytes: [UInt8]) throws(Failure) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(draft) }
      written += count
    }
  }

  /// Puts it in place, over what was there.
  ///
  /// - Throws: ``Failure`` naming the file.
  consuming func finish() throws(Failure) {
    guard fsync(descriptor) == 0, rename(draft, path) == 0 else { throw Self.failure(path) }
  }

  /// Nothing of it stays.
  consuming func abandon() { unlink(draft) }

  private static func failure(_ path: String) -> Failure {
    Failure(.error, "cannot write \(path): \(String(cString: strerror(errno)))")
  }
}

extension FileReading {
  /// Reads a file piece by piece, so that its size costs no memory.
  ///
  /// - Throws: ``Failure`` naming the file.
  static func pieces(of path: String, _ take: ([UInt8]) -> Void) throws(Failure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path) }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256 * 1024)
    while true {
      let count = buffer.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(path) }
      if count == 0 { return }
      take(Array(buffer[..<count]))
    }
  }

  private static func unreadable(_ path: String) -> Failure {
    let reason = errno == ENOENT ? "there is no such file" : String(cString: strerror(errno))
    return .usage("cannot read \(path): \(reason)")
  }
}

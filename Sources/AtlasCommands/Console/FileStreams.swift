import Glibc

/// A file that is written piece by piece without its name, and put in its place when it is whole:
/// nobody ever finds half of it there.
struct FileWriter: ~Copyable {
  private let path: String
  /// What it is called until it is in its place.
  private let draft: String
  private let descriptor: Int32
  /// Whether it has no name at all until it is whole, so that nothing stays even when the program
  /// is killed. Not every file system can do that.
  private let isNameless: Bool

  /// - Throws: ``Failure`` naming the file.
  init(_ path: String) throws(Failure) {
    self.path = path
    draft = "\(path).part"
    let nameless = open(Self.directory(of: path), Self.nameless | O_WRONLY | O_CLOEXEC, 0o644)
    isNameless = nameless >= 0
    descriptor =
      isNameless ? nameless : open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  /// Of a file that was not finished nothing stays.
  deinit {
    close(descriptor)
    if !isNameless { unlink(draft) }
  }

  /// `O_TMPFILE`, which is a macro that Swift does not see.
  private static let nameless = 0o20_000_000 | O_DIRECTORY

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// - Throws: ``Failure`` naming the file.
  func write(_ bytes: [UInt8]) throws(Failure) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path) }
      written += count
    }
  }

  /// Puts it in place, over what was there.
  ///
  /// - Throws: ``Failure`` naming the file.
  consuming func finish() throws(Failure) {
    guard fsync(descriptor) == 0, !isNameless || name(), rename(draft, path) == 0 else {
      let failure = Self.failure(path)
      unlink(draft)
      throw failure
    }
  }

  private func name() -> Bool {
    // Left by a program that was killed, where files without a name are not known.
    unlink(draft)
    return linkat(
      AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, draft, AT_SYMLINK_FOLLOW) == 0
  }

  /// Nothing of it stays.
  consuming func abandon() {}

  private static func failure(_ path: String) -> Failure {
    let reason =
      errno == ENOENT
      ? "there is no directory \(directory(of: path))" : String(cString: strerror(errno))
    return Failure(.error, "cannot write \(path): \(reason)")
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

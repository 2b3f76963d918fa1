import Glibc

/// Where agents keep their journal. One process at a time.
package final class StateDirectory: Sendable {
  package let path: String
  private let lock: Int32

  /// Makes the directory if need be, and locks it until this value goes.
  /// - Throws: ``StateDirectoryError``: another process has it, or it cannot be one.
  package init(path: String) throws {
    var part = ""
    for component in path.split(separator: "/", omittingEmptySubsequences: false) {
      part += component + "/"
      guard mkdir(part, 0o750) == 0 || errno == EEXIST else {
        throw StateDirectoryError.unusable(path: path)
      }
    }
    self.path = path
    let lockPath = path + "/lock"
    lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard lock >= 0 else { throw StateDirectoryError.unusable(path: path) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw StateDirectoryError.inUse(path: path)
    }
  }

  deinit {
    // Not by closing alone: a child between its fork and its exec has the descriptor, too.
    flock(lock, LOCK_UN)
    close(lock)
  }

  /// The path of a file in the directory.
  package func file(_ name: String) -> String { path + "/" + name }
}

/// Why a state directory cannot be used.
package enum StateDirectoryError: Error, Equatable, CustomStringConvertible {
  case inUse(path: String)
  case unusable(path: String, reason: String)

  /// For the reason in `errno`.
  static func unusable(path: String) -> Self {
    .unusable(path: path, reason: String(cString: strerror(errno)))
  }

  package var description: String {
    switch self {
    case .inUse(let path): "\(path) is in use by another process"
    case .unusable(let path, let reason): "\(path) cannot be the state directory: \(reason)"
    }
  }
}

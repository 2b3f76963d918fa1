import Dispatch
import Foundation
import Synchronization

/// A real process. Its output goes to a file, so that no pipe can fill up and stop it.
final class Program: Sendable {
  let pid: pid_t
  private let ended = Mutex<Ended>(Ended())

  private struct Ended {
    var status: Int32?
    var waiting: [CheckedContinuation<Int32, Never>] = []
  }

  /// - Parameter output: Where standard output and error are appended.
  init(
    _ executable: String, _ arguments: [String], output: String, errors: String? = nil,
    environment: [String: String] = [:]
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors ?? output, flags, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own: a signal to the tests is not one to the programs they watch.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let argv = ([executable] + arguments).map { strdup($0) } + [nil]
    let envp = all.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, executable, &actions, &attributes, argv, envp)
    guard failure == 0 else {
      throw ProgramError(description: "\(executable): \(String(cString: strerror(failure)))")
    }
    self.pid = pid
    Thread.detachNewThread { [self] in reap() }
  }

  private func reap() {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7f
    let code = signal == 0 ? (status >> 8) & 0xff : 128 + signal
    let waiting = ended.withLock { ended in
      ended.status = code
      defer { ended.waiting = [] }
      return ended.waiting
    }
    for continuation in waiting { continuation.resume(returning: code) }
  }

  var isRunning: Bool { ended.withLock { $0.status == nil } }

  func signal(_ number: Int32) {
    ended.withLock { if $0.status == nil { _ = kill(pid, number) } }
  }

  /// Sends a signal to the programs that it has started.
  func signalChildren(_ number: Int32) {
    let file = "/proc/\(pid)/task/\(pid)/children"
    let children = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    for child in children.split(separator: " ").compactMap({ pid_t($0) }) {
      _ = kill(child, number)
    }
  }

  /// Waits for its end. A test whose time is up kills it.
  /// - Returns: its exit status, or 128 and the signal that ended it.
  @discardableResult
  func wait() async -> Int32 {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let status: Int32? = ended.withLock { ended in
          if ended.status == nil { ended.waiting.append(continuation) }
          return ended.status
        }
        if let status { continuation.resume(returning: status) }
      }
    } onCancel: {
      signalChildren(SIGKILL)
      signal(SIGKILL)
    }
  }

  /// SIGKILL, and the wait for it.
  func kill9() async {
    signal(SIGKILL)
    await wait()
  }
}

struct ProgramError: Error, CustomStringConvertible {
  var description: String
}

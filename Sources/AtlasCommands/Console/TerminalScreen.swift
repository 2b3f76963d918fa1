import Glibc
import Synchronization

/// The terminal of the process, driven with the escape sequences that all of today's understand
/// (ECMA-48 and xterm's private modes).
final class TerminalScreen: Screen {
  private struct State {
    /// How the terminal was; nil while it is not taken over.
    var saved: termios?
    /// What is on it now.
    var shown: [String] = []
    var size: TerminalSize?
  }

  private let state = Mutex(State())
  private let output = FileDescriptorSink(STDOUT_FILENO)

  var size: TerminalSize { TerminalSize.of(STDOUT_FILENO) ?? TerminalSize(columns: 80, rows: 24) }

  func enter() {
    ScreenSignals.catchAll()
    state.withLock { state in
      var modes = termios()
      tcgetattr(STDIN_FILENO, &modes)
      if state.saved == nil { state.saved = modes }
      // Keys come at once and unseen; reading never waits. Ctrl-C and Ctrl-Z stay signals.
      modes.c_lflag &= ~tcflag_t(ICANON | ECHO)
      withUnsafeMutableBytes(of: &modes.c_cc) { characters in
        characters[Int(VMIN)] = 0
        characters[Int(VTIME)] = 0
      }
      tcsetattr(STDIN_FILENO, TCSANOW, &modes)
      state.shown = []
      // Alternate screen, no cursor, no wrapping at the right edge.
      try? output.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J")
    }
  }

  func leave() {
    state.withLock { state in
      guard var saved = state.saved else { return }
      state.saved = nil
      try? output.write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
      // What was typed and not read is not for the shell.
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
    }
    ScreenSignals.release()
  }

  func draw(_ lines: [String]) {
    let size = size
    state.withLock { state in
      if state.saved == nil { return }
      // Terminals that know it show a frame as a whole; the others ignore the request.
      var text = "\u{1B}[?2026h"
      if state.size != size {
        text += "\u{1B}[2J"
        state.shown = []
        state.size = size
      }
      for row in 0..<max(lines.count, state.shown.count) {
        let line = row < lines.count ? lines[row] : ""
        if row < state.shown.count, state.shown[row] == line { continue }
        text += "\u{1B}[\(row + 1);1H\u{1B}[2K\(line)"
      }
      state.shown = lines
      try? output.write(text + "\u{1B}[?2026l")
    }
  }

  func takeEvents() -> [ScreenEvent] {
    var events: [ScreenEvent] = []
    if ScreenSignals.takeSuspension() { suspend() }
    if ScreenSignals.takeQuit() { events.append(.quit) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(STDIN_FILENO, &bytes, bytes.count)
    if count > 0 { events += keys(bytes.prefix(count)) }
    return events
  }

  /// Keys that are one character; the sequences of arrow and function keys are skipped.
  private func keys(_ bytes: ArraySlice<UInt8>) -> [ScreenEvent] {
    if bytes.first == 0x1B { return [] }
    return bytes.filter { (0x20..<0x7F).contains($0) }.map { .key(Character(Unicode.Scalar($0))) }
  }

  /// Ctrl-Z: the shell gets its terminal, and the view comes back with `fg`.
  private func suspend() {
    leave()
    kill(getpid(), SIGSTOP)
    enter()
  }
}

/// The signals that concern a full-screen view. A handler only notes them: the view looks ten times a
/// second.
private enum ScreenSignals {
  private static let quit = Atomic<Bool>(false)
  private static let suspension = Atomic<Bool>(false)
  private static let quitting = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  static func catchAll() {
    // The first use of a static makes it, which a handler must not do.
    quit.store(false, ordering: .relaxed)
    suspension.store(false, ordering: .relaxed)
    for number in quitting {
      signal(number) { _ in ScreenSignals.quit.store(true, ordering: .relaxed) }
    }
    signal(SIGTSTP) { _ in ScreenSignals.suspension.store(true, ordering: .relaxed) }
  }

  static func release() {
    for number in quitting + [SIGTSTP] { signal(number, SIG_DFL) }
  }

  static func takeQuit() -> Bool { quit.exchange(false, ordering: .relaxed) }
  static func takeSuspension() -> Bool { suspension.exchange(false, ordering: .relaxed) }
}

import AtlasWire
import Synchronization
import Testing

@testable import AtlasCommands

/// What a run of the program left behind.
struct Outcome: Sendable, Hashable {
  var status: ProgramStatus
  /// Standard output.
  var output: String
  /// Standard error.
  var errors: String
}

/// Expects all of an outcome.
func expect(
  _ outcome: Outcome, is expected: Outcome, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome == expected, sourceLocation: sourceLocation)
}

/// Expects this on standard output.
func expect(
  _ outcome: Outcome, prints output: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.output == output, "\(outcome.errors)", sourceLocation: sourceLocation)
}

/// Expects this on standard error.
func expect(
  _ outcome: Outcome, says errors: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.errors == errors, sourceLocation: sourceLocation)
}

/// Expects that it ended like this.
func expect(
  _ outcome: Outcome, ends status: ProgramStatus,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
}

/// Collects text.
final class Transcript: TextSink {
  private let collected = Mutex("")
  /// Whether the reader has gone.
  private let isClosed: Bool

  init(isClosed: Bool = false) { self.isClosed = isClosed }

  var text: String { collected.withLock { $0 } }

  func write(_ text: String) throws(OutputClosed) {
    if isClosed { throw OutputClosed() }
    collected.withLock { $0 += text }
  }

  func write(bytes: [UInt8]) throws(OutputClosed) {
    try write(String(decoding: bytes, as: UTF8.self))
  }
}

/// Time that passes only when everybody waits: who waits for the earliest instant gets it next.
final class VirtualTime: Sendable {
  private struct State {
    var now = ContinuousClock.now
    var sleepers: [Int: ContinuousClock.Instant] = [:]
    var pauses: [Duration] = []
  }

  private let state = Mutex(State())
  /// Runs during every pause, with the number of pauses so far.
  private let whilePaused: @Sendable (Int) async -> Void

  init(whilePaused: @escaping @Sendable (Int) async -> Void = { _ in }) {
    self.whilePaused = whilePaused
  }

  /// How long the program has waited, each time.
  var pauses: [Duration] { state.withLock { $0.pauses } }

  var pacer: Pacer {
    Pacer(
      now: { self.state.withLock { $0.now } }, wallClock: { World.begin },
      pause: { try await self.pause($0) })
  }

  private func pause(_ duration: Duration) async throws {
    let id = state.withLock { state in
      state.pauses.append(duration)
      state.sleepers[state.pauses.count] = state.now + duration
      return state.pauses.count
    }
    defer { state.withLock { $0.sleepers[id] = nil } }
    await whilePaused(id)
    repeat {
      // Only so that a loop of a program under test leaves the processor to the others.
      try await Task.sleep(for: .milliseconds(1))
    } while !wakes(id)
  }

  /// Moves the clock on to the sleeper, if it is the first to wake.
  private func wakes(_ id: Int) -> Bool {
    state.withLock { state in
      guard let mine = state.sleepers[id] else { return true }
      if state.sleepers.values.contains(where: { $0 < mine }) { return false }
      state.now = max(state.now, mine)
      return true
    }
  }
}

/// One person at one terminal: runs the program and sees what it says.
struct Terminal: Sendable {
  /// The daemon's address; nil leaves it to the environment.
  var address: String?
  var environment: [String: String] = ["USER": "anna", "HOME": "/nonexistent"]
  /// The size of the terminal; nil for a pipe.
  var size: TerminalSize?
  /// What the person answers to questions; nil when nobody can be asked.
  var answers: [String]?
  var time = VirtualTime()
  var screen: (any Screen)?
  var outputIsClosed = false

  /// Runs `atlas` with these words.
  func run(_ words: String...) async -> Outcome { await run(words) }

  func run(_ words: [String]) async -> Outcome {
    let output = Transcript(isClosed: outputIsClosed)
    let errors = Transcript()
    var environment = environment
    if let address { environment["ATLAS_ADDRESS"] = address }
    // A machine that is busy with other tests answers late, and no test is about that.
    environment["ATLAS_TIMEOUT"] = environment["ATLAS_TIMEOUT"] ?? "10m"
    let console = Console(
      environment: environment, output: output, errors: errors, outputSize: size,
      errorsAreShown: false, readAnswer: answers.map(Self.reader), pacer: time.pacer,
      newID: Self.counter(), localTime: { "local \($0)" }, openScreen: opener)
    let status = await Program.run(words, with: console)
    return Outcome(status: status, output: output.text, errors: errors.text)
  }

  private var opener: (@Sendable () -> any Screen)? {
    guard let screen else { return nil }
    return { screen }
  }

  /// Gives the answers one after the other.
  private static func reader(of answers: [String]) -> @Sendable () -> String? {
    let left = Box(answers[...])
    return { left.value.withLock { $0.popFirst() } }
  }

  /// Gives `id-1`, `id-2` and so on.
  private static func counter() -> @Sendable () -> String {
    let count = Box(0)
    return {
      count.value.withLock {
        $0 += 1
        return "id-\($0)"
      }
    }
  }
}

/// A value that several closures change.
private final class Box<Value: Sendable>: Sendable {
  let value: Mutex<Value>

  init(_ value: Value) { self.value = Mutex(value) }
}

extension FakeAtlas {
  /// Serves the world while a person at a terminal talks to it.
  static func serving<Result: Sendable>(
    _ world: World = .november(clients: 3, servers: 4),
    _ body: @Sendable (FakeAtlas, Terminal) async throws -> Result
  ) async throws -> Result {
    let atlas = FakeAtlas(world)
    return try await atlas.serve { address in try await body(atlas, Terminal(address: address)) }
  }
}

/// A screen in memory.
final class FakeScreen: Screen {
  private struct State {
    var size: TerminalSize
    var isEntered = false
    var entries = 0
    var frames: [[String]] = []
    var events: [ScreenEvent] = []
  }

  private let state: Mutex<State>

  init(_ size: TerminalSize = TerminalSize(columns: 80, rows: 24)) {
    state = Mutex(State(size: size))
  }

  var size: TerminalSize { state.withLock { $0.size } }
  var frames: [[String]] { state.withLock { $0.frames } }
  var isEntered: Bool { state.withLock { $0.isEntered } }
  var entries: Int { state.withLock { $0.entries } }

  func press(_ event: ScreenEvent) { state.withLock { $0.events.append(event) } }
  func resize(_ size: TerminalSize) { state.withLock { $0.size = size } }

  func enter() {
    state.withLock {
      $0.isEntered = true
      $0.entries += 1
    }
  }

  func leave() { state.withLock { $0.isEntered = false } }
  func draw(_ lines: [String]) { state.withLock { $0.frames.append(lines) } }

  func takeEvents() -> [ScreenEvent] {
    state.withLock { state in
      defer { state.events = [] }
      return state.events
    }
  }
}

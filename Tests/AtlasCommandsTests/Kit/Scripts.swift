import Synchronization

@testable import AtlasCommands

/// Lets a world pass with numbers that go on from call to call.
final class NumberBox: Sendable {
  private let numbers = Mutex(SeededNumbers(seed: 3))

  func pass(_ world: inout World) {
    var copy = numbers.withLock { $0 }
    world.pass(minutes: 8, with: &copy)
    numbers.withLock { [copy] in $0 = copy }
  }
}

/// A person at a view who looks at each frame before doing the next thing.
final class KeyScript: Sendable {
  private enum Step: CaseIterable {
    case waitForServers, sort, pause, change, goOn, resize
  }

  private let place = Mutex(0)
  private let screen: FakeScreen
  private let atlas: FakeAtlas

  init(screen: FakeScreen, atlas: FakeAtlas) {
    self.screen = screen
    self.atlas = atlas
  }

  /// Whether everything has been seen that should be.
  var isDone: Bool { place.withLock { $0 } == Step.allCases.count }

  /// Looks at the last frame, and acts if it shows what it should.
  func step() {
    // Several tasks of the program pause; each step is one person's and happens once.
    place.withLock { index in
      if index < Step.allCases.count, act(Step.allCases[index]) { index += 1 }
    }
  }

  private func act(_ step: Step) -> Bool {
    switch step {
    case .waitForServers:
      guard shows("LAA") else { return false }
      screen.press(.key("s"))
    case .sort:
      guard shows("clients by name") else { return false }
      screen.press(.key("p"))
    case .pause:
      guard shows("VIEW PAUSED") else { return false }
      _ = try? atlas.change { world in
        try world.change(run: "LAA-PARIS-WEB01", of: "november") { $0.state = .held }
      }
    case .change:
      guard shows("0/4"), !shows("held") else { return false }
      screen.press(.key("p"))
    case .goOn:
      guard shows("PARIS-WEB01 held"), !shows("VIEW PAUSED") else { return false }
      screen.resize(TerminalSize(columns: 120, rows: 40))
    case .resize:
      guard screen.frames.last?.count == 40 else { return false }
      screen.press(.quit)
    }
    return true
  }

  private func shows(_ text: String) -> Bool {
    screen.frames.last?.contains { $0.contains(text) } == true
  }
}

import AtlasWire

/// What a person has set about a full-screen view.
struct ViewSettings: Sendable, Hashable {
  var order = WatchOrder.attention
  var isPaused = false
  var isOver = false

  /// - Returns: whether something changed.
  mutating func apply(_ event: ScreenEvent) -> Bool {
    switch event {
    case .key("s"): order = order.next
    case .key("p"), .key(" "): isPaused.toggle()
    case .key("q"), .quit: isOver = true
    case .key: return false
    }
    return true
  }
}

/// Draws a view again and again, at most ten times a second and only when something is new.
struct ScreenLoop: Sendable {
  let console: Console
  let screen: any Screen

  /// Frames between two drawings without news: relative times move.
  private static let idleFrames = 10

  /// Runs until the person ends it, or until `isOver` says so.
  ///
  /// - Parameters:
  ///   - version: changes when there is something new to draw.
  ///   - isOver: looked at once a frame.
  ///   - draw: the view as lines.
  func run(
    version: () -> Int, isOver: () async throws -> Bool,
    draw: (ViewSettings, TerminalSize) -> [Line]
  ) async throws {
    screen.enter()
    defer { screen.leave() }
    var settings = ViewSettings()
    var drawn: (version: Int, size: TerminalSize)?
    var idle = 0
    while true {
      var isNew = false
      for event in screen.takeEvents() where settings.apply(event) { isNew = true }
      if settings.isOver { return }
      if try await isOver() { return }
      let now = (version: version(), size: screen.size)
      idle += 1
      if isNew || drawn == nil || drawn?.size != now.size || drawn?.version != now.version
        || idle >= Self.idleFrames
      {
        screen.draw(draw(settings, now.size).map { $0.text(in: console.outputColours) })
        drawn = now
        idle = 0
      }
      try await console.pacer.pause(CommandLimits.frame)
    }
  }
}

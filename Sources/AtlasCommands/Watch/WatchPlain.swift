import AtlasModel
import AtlasWire

/// A view for logs and pipes: a line for what people should know, and a line of figures every few
/// seconds while they change.
struct WatchPlain: Sendable {
  let session: Session

  /// Real time between two lines of figures.
  private static let figuresInterval = Duration.seconds(5)

  /// Runs until `isOver` says so.
  ///
  /// - Parameters:
  ///   - state: the state as it is now.
  ///   - isOver: looked at once a frame.
  func run(state: () -> WatchState, isOver: () async throws -> Bool) async throws {
    let console = session.console
    let space = TextSpace(isWide: false, columns: nil, glyphs: console.glyphs)
    var seen: UInt64?
    var figures: (text: String, at: ContinuousClock.Instant)?
    while true {
      let over = try await isOver()
      let state = state()
      let news = newsLines(state, after: &seen, space)
      try console.print(news)
      if let metrics = state.metrics {
        let line = metrics.line(session.times(metrics.clock), space)
        let now = console.pacer.now()
        let isDue = figures.map { now - $0.at >= Self.figuresInterval } ?? true
        let text = String(line.plainText.drop { $0 != " " })
        if isDue, text != figures?.text {
          try console.print([line])
          figures = (text, now)
        }
      }
      if over { return }
      try await console.pacer.pause(CommandLimits.frame)
    }
  }

  /// What is new for people; nothing of what happened before the view began.
  private func newsLines(
    _ state: WatchState, after seen: inout UInt64?, _ space: TextSpace
  ) -> [Line] {
    let newest = state.events.last?.seq
    guard let last = seen else {
      if state.knowsPast { seen = newest ?? 0 }
      return []
    }
    let new = state.events.filter { $0.seq > last }
    if let newest { seen = max(newest, last) }
    return new.filter { $0.interest == .news }.map { $0.line(session.times(nil), space) }
  }
}

import ArgumentParser
import AtlasWire

/// When a view ends by itself.
enum WatchEnd: String, CaseIterable, ExpressibleByArgument, Sendable {
  case settled
}

/// `atlas watch`
struct WatchVerb: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Follow a campaign on the whole screen.",
    discussion: """
      Without a name it takes the campaign that runs. Keys: q quits, s sorts, p holds the view \
      still. Where the output is no terminal it prints lines, ends when the campaign has settled, \
      and exits with 2 if servers failed or are held.

        atlas watch
        atlas watch november --until settled > november.log
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String?
  @Option(help: ArgumentHelp("End when it has settled; else when you do.", valueName: "settled"))
  var until: WatchEnd?

  /// Real time between two messages with figures: on a screen, and in lines.
  private static let intervals = (screen: Duration.milliseconds(200), plain: Duration.seconds(1))

  func run(in session: Session) async throws {
    guard session.options.output.isText else {
      throw Failure.usage(
        "watch is for people",
        hint: "atlas campaign events NAME --until-settled -o jsonl, or atlas metrics stream")
    }
    let name = try await session.runningCampaign(name)
    let screen = session.console.outputSize == nil ? nil : session.console.openScreen?()
    let shared = SharedWatch(name: name)
    let feed = WatchFeed(
      session: session, shared: shared, name: name,
      interval: screen == nil ? Self.intervals.plain : Self.intervals.screen)
    try await feed.look()
    let ends = screen == nil || until == .settled
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await feed.run() }
      group.addTask { try await show(session, shared, feed, on: screen, ends: ends) }
      // The feed goes on for ever: what ends first is the view, or a failure.
      try await group.next()
      group.cancelAll()
    }
    try finish(session, shared.now, ends: ends)
  }

  private func show(
    _ session: Session, _ shared: SharedWatch, _ feed: WatchFeed, on screen: (any Screen)?,
    ends: Bool
  ) async throws {
    let isOver = { () async throws -> Bool in
      guard ends, shared.now.seemsSettled else { return false }
      // The figures may be ahead of the campaign.
      if shared.now.campaign?.hasSettled != true { try await feed.look() }
      return shared.now.campaign?.hasSettled == true
    }
    guard let screen else {
      return try await WatchPlain(session: session).run(state: { shared.now }, isOver: isOver)
    }
    let console = session.console
    let pausedAt = PausedState()
    try await ScreenLoop(console: console, screen: screen).run(
      version: { shared.now.version }, isOver: isOver
    ) { settings, size in
      let state = pausedAt.state(shared.now, isPaused: settings.isPaused)
      return WatchView(
        state: state, order: settings.order, isPaused: settings.isPaused, size: size,
        glyphs: console.glyphs, times: session.times(state.clock)
      ).lines
    }
  }

  /// The last word, which stays on the terminal.
  private func finish(_ session: Session, _ state: WatchState, ends: Bool) throws {
    guard let campaign = state.campaign else { return }
    try session.console.print(campaign.summary(state.metrics))
    if ends, case .failed(let how) = WaitVerdict(of: campaign, for: .settled) {
      throw Failure(.campaignFailed, "\(campaign.name) \(how)", hint: campaign.nextCommand)
    }
  }
}

/// The state that a view which stands still goes on showing.
private final class PausedState {
  private var kept: WatchState?

  func state(_ now: WatchState, isPaused: Bool) -> WatchState {
    if !isPaused { kept = nil } else if kept == nil { kept = now }
    return kept ?? now
  }
}

extension Session {
  /// The campaign with this name, or without a name the only one that runs.
  ///
  /// - Throws: ``Failure`` if there are none or several.
  func runningCampaign(_ name: String?) async throws -> String {
    if let name { return name }
    let response = try await readPages(
      daemon.campaigns.listCampaigns, AtlasV1.ListCampaignsRequest())
    let running = response.campaigns.filter(\.state.isRunning).map(\.name)
    if running.count == 1 { return running[0] }
    if running.isEmpty {
      throw Failure(.error, "no campaign is running", hint: "atlas campaign list")
    }
    throw Failure(
      .usage, "\(running.count) campaigns are running: \(running.joined(separator: ", "))",
      hint: "atlas watch \(running[0])")
  }
}

extension AtlasV1.Campaign {
  /// Settled, and not because it has not begun.
  var hasSettled: Bool { settled && state != .draft }

  /// How it stands, in a few lines.
  func summary(_ metrics: AtlasV1.Metrics?) -> [Line] {
    let elapsed = metrics?.elapsed.map { " after \($0.shortText)" } ?? ""
    let lines = [
      Line(Span(name, .bold), Span(" "), Span(stateText, stateStyle), Span(elapsed)),
      servers?.line ?? .empty,
    ]
    return lines + decisionList(atMost: 20).map { Line("  \($0)") }
  }
}

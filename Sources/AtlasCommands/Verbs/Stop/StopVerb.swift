import ArgumentParser
import AtlasWire

/// `atlas stop …`; alone it stops.
///
/// The options are those of ``StopNow``: a parent takes its own options out of the command line before
/// its verbs see them, and `release` has some of the same names.
struct StopNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Emergency stop: of everything, or of one client. Never asks.",
    discussion: StopNow.explanation,
    subcommands: [StopNow.self, StopStatus.self, StopRelease.self],
    defaultSubcommand: StopNow.self)
}

/// `atlas stop`, or `atlas stop now`
struct StopNow: DaemonVerb {
  static let listVerb = "atlas client list"
  static let explanation = """
    When it returns, the stop is on the daemon's disk: nothing starts any more, and work in flight \
    goes to its next safe point and parks. It survives restarts and ends only with a release.

      atlas stop
      atlas stop --client LAA --reason "mail is down"
      atlas stop release --reason "it was the firewall"
    """
  static let configuration = CommandConfiguration(
    commandName: "now", abstract: "Stop everything, or one client.", discussion: explanation)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Option(help: ArgumentHelp("Only this client.", valueName: "name")) var client: String?
  @Option(help: ArgumentHelp("Why; may come later.", valueName: "text")) var reason: String?

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.safety.emergencyStop,
      AtlasV1.EmergencyStopRequest(client: client ?? "", reason: reason ?? ""))
    let what = client.map { "client \($0)" } ?? "everything"
    let busy = response.inFlight
    try session.show(
      Presentation(.message(response), names: [client ?? "fleet"]) { _ in
        let rest =
          busy == 0
          ? "nothing was in flight" : "\(counted(busy, "server")) in flight park at a safe point"
        return [Line(Span("STOPPED", .bad), Span(" \(what); \(rest)"))]
      })
    if session.options.output.isText {
      let scope = client.map { " --client \($0)" } ?? ""
      session.console.hint("atlas stop status; later atlas stop release\(scope) --reason TEXT")
    }
  }
}

/// `atlas stop status`
struct StopStatus: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "What is stopped, and whether everything has come to rest.",
    discussion: """
        atlas stop status
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(in session: Session) async throws {
    let response = try await session.read(session.daemon.safety.getStop, AtlasV1.GetStopRequest())
    let times = try await session.times()
    try session.show(
      Presentation(
        .message(response), rows: response.stops.map { .message($0) },
        names: response.stops.map { $0.client.isEmpty ? "fleet" : $0.client }
      ) { _ in response.lines(times) })
  }
}

/// `atlas stop release`
struct StopRelease: DaemonVerb {
  static let listVerb = "atlas stop status"
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Lift a stop; what it stopped stays paused until somebody resumes it.",
    discussion: """
      Asks first.

        atlas stop release --reason "it was the firewall"
        atlas stop release --client LAA --reason "mail is back"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Option(help: ArgumentHelp("The stop of this client.", valueName: "name")) var client: String?
  @Option(help: ArgumentHelp("Why it is safe again.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    if !confirmation.yes { try await agree(session) }
    let response = try await session.change(
      session.daemon.safety.releaseStop,
      AtlasV1.ReleaseStopRequest(client: client ?? "", reason: reason))
    let what = client.map { "client \($0)" } ?? "the fleet"
    try session.show(
      Presentation(.message(response), names: response.pausedCampaigns) { _ in
        let paused = response.pausedCampaigns.joined(separator: ", ")
        return [
          Line("the stop of \(what) is released" + (paused.isEmpty ? "" : "; paused: \(paused)"))
        ]
      })
    if session.options.output.isText {
      for campaign in response.pausedCampaigns {
        session.console.hint("atlas campaign resume \(campaign)")
      }
      if let client {
        session.console.hint("\(client) stays paused: atlas client resume \(client)")
      }
    }
  }

  private func agree(_ session: Session) async throws {
    let state = try await session.read(session.daemon.safety.getStop, AtlasV1.GetStopRequest())
    for line in state.lines(try await session.times()) { session.console.tell(line) }
    let what = client.map { "client \($0)" } ?? "the whole fleet"
    try session.console.confirm(
      "Release the stop of \(what)? Campaigns stay paused until resumed.", confirmation)
  }
}

extension AtlasV1.GetStopResponse {
  func lines(_ times: TimeText) -> [Line] {
    if stops.isEmpty { return [Line(Span("nothing is stopped", .good))] }
    let counts = [
      (inFlight, "on the way to a safe point"), (parked, "parked"),
      (installedNotRebooted, "installed, not rebooted"),
    ]
    let rest = counts.map { "\(grouped($0.0)) \($0.1)" }.joined(separator: ", ")
    return stops.map { $0.line(times) } + [Line("servers: \(rest)")]
  }
}

extension AtlasV1.Stop {
  /// `STOPPED everything, 3m ago by anna: mail is down`.
  func line(_ times: TimeText) -> Line {
    let what = client.isEmpty ? "everything" : "client \(client)"
    let who = principal.isEmpty ? "" : " by \(principal)"
    let why = reason.isEmpty ? "" : ": \(reason)"
    return Line(Span("STOPPED", .bad), Span(" \(what), \(times.text(since))\(who)\(why)"))
  }
}

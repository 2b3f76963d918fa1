import ArgumentParser
import AtlasWire

/// The part of a campaign that a verb is about.
struct ScopeOptions: ParsableArguments, Sendable {
  @Option(help: ArgumentHelp("Only this ring.", valueName: "number"))
  var ring: Int32?

  @Option(help: ArgumentHelp("Only this client.", valueName: "name"))
  var client: String?

  mutating func validate() throws {
    if ring != nil, client != nil {
      throw ValidationError("--ring and --client exclude each other")
    }
  }

  var message: AtlasV1.Scope {
    if let ring { return AtlasV1.Scope(part: .ring(ring)) }
    if let client { return AtlasV1.Scope(part: .client(client)) }
    return AtlasV1.Scope(part: .all(true))
  }

  /// ` ring 2`, ` client LAA`, or nothing for the whole campaign.
  var text: String {
    if let ring { return " ring \(ring)" }
    if let client { return " client \(client)" }
    return ""
  }
}

/// `atlas campaign pause`
struct CampaignPause: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Start nothing new; work in flight goes on to the end of its attempt.",
    discussion: """
      To stop work in flight at its next safe point as well, use atlas stop.

        atlas campaign pause november --reason "mail is slow at two clients"
        atlas campaign pause november --client LAA
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @OptionGroup var scope: ScopeOptions
  @Option(help: ArgumentHelp("Why.", valueName: "text")) var reason: String?

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.campaigns.pauseCampaign,
      AtlasV1.PauseCampaignRequest(
        campaign: name, scope: scope.message, reason: reason ?? ""))
    guard let campaign = response.campaign else { throw Failure.empty("PauseCampaign") }
    let rest = response.inFlight == 0 ? "" : "; \(counted(response.inFlight, "server")) in flight"
    try session.show(
      campaign.presentation(of: response, "\(campaign.name)\(scope.text) is paused\(rest)"))
    if session.options.output.isText {
      session.console.hint("atlas campaign resume \(name)\(scope.flags)")
    }
  }
}

/// `atlas campaign resume`
struct CampaignResume: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Go on after a pause, or after a released stop.",
    discussion: """
      Each scope is paused and resumed by itself. Servers whose reboot a stop parked wait for \
      their window, unless --now.

        atlas campaign resume november
        atlas campaign resume november --client LAA --now
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @OptionGroup var scope: ScopeOptions
  @Flag(help: "Parked reboots do not wait for their window.") var now = false

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.campaigns.resumeCampaign,
      AtlasV1.ResumeCampaignRequest(campaign: name, scope: scope.message, now: now))
    guard let campaign = response.campaign else { throw Failure.empty("ResumeCampaign") }
    try session.show(
      campaign.presentation(
        of: response, "\(campaign.name)\(scope.text) goes on: \(campaign.stateText)"))
  }
}

extension ScopeOptions {
  /// The scope as flags of another verb.
  var flags: String {
    if let ring { return " --ring \(ring)" }
    if let client { return " --client \(client)" }
    return ""
  }
}

/// `atlas campaign cancel`
struct CampaignCancel: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "End a campaign: skip what has not started, finish what has.",
    discussion: """
      Asks first. What is held must still be resolved before the campaign is over.

        atlas campaign cancel november --reason "bad update, new campaign next week"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The campaign.") var name: String
  @Option(help: ArgumentHelp("Why.", valueName: "text")) var reason: String?

  func run(in session: Session) async throws {
    if !confirmation.yes {
      let campaign = try await session.campaign(name)
      let counts = campaign.servers ?? AtlasV1.RunCounts()
      session.console.tell(Line(Span("\(name): ")) + counts.line)
      try session.console.confirm(
        "Cancel \(name)? \(counted(counts.pending, "server")) will be skipped, "
          + "\(grouped(counts.inProgress)) in flight go on to their end.", confirmation)
    }
    let response = try await session.change(
      session.daemon.campaigns.cancelCampaign,
      AtlasV1.CancelCampaignRequest(campaign: name, reason: reason ?? ""))
    guard let campaign = response.campaign else { throw Failure.empty("CancelCampaign") }
    let rest = response.inFlight == 0 ? "" : "; \(counted(response.inFlight, "server")) in flight"
    try session.show(
      campaign.presentation(of: response, "\(campaign.name) is \(campaign.state.word)\(rest)"))
  }
}

import ArgumentParser
import AtlasWire

/// `atlas campaign retry`
struct CampaignRetry: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Run a server again whose run has ended, in the same campaign.",
    discussion: """
      For a server that is held, use atlas campaign resolve.

        atlas campaign retry november LAA-PARIS-DC01 --reason "disk cleaned up"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @Argument(help: "The server.") var server: String
  @Option(help: ArgumentHelp("Why.", valueName: "text")) var reason: String?

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.campaigns.retryServerRun,
      AtlasV1.RetryServerRunRequest(campaign: name, server: server, reason: reason ?? ""))
    guard let run = response.run else { throw Failure.empty("RetryServerRun") }
    try session.show(
      run.presentation(of: response, "\(run.server) runs again: \(run.stateText)"))
  }
}

/// `atlas campaign skip`
struct CampaignSkip: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "skip",
    abstract: "Leave out a server that has not started.",
    discussion: """
        atlas campaign skip november LAA-PARIS-WEB02 --reason "replaced on Monday"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @Argument(help: "The server.") var server: String
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.campaigns.skipServerRun,
      AtlasV1.SkipServerRunRequest(campaign: name, server: server, reason: reason))
    guard let run = response.run else { throw Failure.empty("SkipServerRun") }
    try session.show(run.presentation(of: response, "\(run.server) is left out of \(name)"))
  }
}

/// `atlas campaign approve`
struct CampaignApprove: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "approve",
    abstract: "Let a server start that carries Atlas, once.",
    discussion: """
      Such a server goes last and alone. While it is down nobody can stop anything, so a person \
      must be there.

        atlas campaign approve november MSP-BERLIN-ATLAS01 --reason "console is open"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @Argument(help: "The server.") var server: String
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.campaigns.approveServerRun,
      AtlasV1.ApproveServerRunRequest(campaign: name, server: server, reason: reason))
    guard let run = response.run else { throw Failure.empty("ApproveServerRun") }
    try session.show(run.presentation(of: response, "\(run.server) may start"))
  }
}

/// `atlas campaign claim`
struct CampaignClaim: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "claim",
    abstract: "Say that you look after a server that is held.",
    discussion: """
      Decides nothing; others see who is at it. Taking over from somebody goes into the log.

        atlas campaign claim november LAA-PARIS-DC01
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @Argument(help: "The server.") var server: String

  func run(in session: Session) async throws {
    let seen = try await session.read(
      session.daemon.campaigns.getServerRun,
      AtlasV1.GetServerRunRequest(campaign: name, server: server))
    guard let run = seen.run else { throw Failure.empty("GetServerRun") }
    let before = run.holdOwner
    let response = try await session.change(
      session.daemon.campaigns.resolveServerRun,
      AtlasV1.ResolveServerRunRequest(
        campaign: name, server: server, decision: .claim, etag: run.etag))
    guard let claimed = response.run else { throw Failure.empty("ResolveServerRun") }
    let takenOver = before.isEmpty || before == claimed.holdOwner ? "" : ", after \(before)"
    try session.show(
      claimed.presentation(
        of: response, "\(claimed.server) is looked after by \(claimed.holdOwner)\(takenOver)"))
  }
}

/// What may be decided about a held server.
enum DecisionArgument: String, CaseIterable, ExpressibleByArgument, Sendable {
  case retry, rollback, accept

  var message: AtlasV1.Decision {
    switch self {
    case .retry: .retry
    case .rollback: .rollBack
    case .accept: .accept
    }
  }

  /// What it means, as a question.
  func question(_ server: String) -> String {
    switch self {
    case .retry: "Try \(server) once more (it is rolled back first if it was changed)?"
    case .rollback: "Roll \(server) back?"
    case .accept: "Accept \(server) as it is, give its slot back, and go on with its client?"
    }
  }
}

/// `atlas campaign resolve`
struct CampaignResolve: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Decide about a server that is held: retry, rollback or accept.",
    discussion: """
      Shows the server as it is now, and asks. If it changes before the answer, nothing is done.

        atlas campaign resolve november LAA-PARIS-DC01 rollback --reason "no mail"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The campaign.") var name: String
  @Argument(help: "The server.") var server: String
  @Argument(help: "retry, rollback or accept.") var decision: DecisionArgument
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text"))
  var reason: String

  func run(in session: Session) async throws {
    let seen = try await session.read(
      session.daemon.campaigns.getServerRun,
      AtlasV1.GetServerRunRequest(campaign: name, server: server))
    guard let run = seen.run else { throw Failure.empty("GetServerRun") }
    let times = try await session.times()
    for line in run.lines(times) { session.console.tell(line) }
    try session.console.confirm(decision.question(server), confirmation)
    let response = try await session.change(
      session.daemon.campaigns.resolveServerRun,
      AtlasV1.ResolveServerRunRequest(
        campaign: name, server: server, decision: decision.message, etag: run.etag,
        reason: reason))
    guard let resolved = response.run else { throw Failure.empty("ResolveServerRun") }
    try session.show(
      resolved.presentation(of: response, "\(resolved.server): \(resolved.stateText)"))
  }
}

/// `atlas campaign exclude-update`
struct CampaignExcludeUpdate: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "exclude-update",
    abstract: "Take an update out of a campaign that runs.",
    discussion: """
      Acts at once on servers that have not begun to install, and asks first.

        atlas campaign exclude-update november KB5031234 --reason "breaks printing"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The campaign.") var name: String
  @Argument(help: "The update, as the update source names it.") var update: String
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text"))
  var reason: String

  func run(in session: Session) async throws {
    if !confirmation.yes {
      let campaign = try await session.campaign(name)
      let open = campaign.servers?.pending ?? 0
      try session.console.confirm(
        "Exclude \(update) from \(name), where \(counted(open, "server")) "
          + "\(open == 1 ? "has" : "have") not started?", confirmation)
    }
    let response = try await session.change(
      session.daemon.campaigns.excludeUpdate,
      AtlasV1.ExcludeUpdateRequest(campaign: name, update: update, reason: reason))
    guard let campaign = response.campaign else { throw Failure.empty("ExcludeUpdate") }
    let started = response.alreadyStarted
    let rest = started == 0 ? "" : "; \(counted(started, "server")) had begun before"
    try session.show(
      campaign.presentation(of: response, "\(update) is excluded from \(campaign.name)\(rest)"))
  }
}

import ArgumentParser
import AtlasModel
import AtlasWire

/// What a wait ends with.
enum WaitGoal: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// Nothing will happen without a person.
  case settled
  /// Over, however it went.
  case terminal
  /// Over and well.
  case completed
}

/// What one look at a campaign says to somebody who waits for it.
enum WaitVerdict: Sendable, Hashable {
  case goOn
  case reached
  /// It went otherwise; in words.
  case failed(String)

  /// - Parameter goal: what is waited for.
  init(of campaign: AtlasV1.Campaign, for goal: WaitGoal) {
    switch campaign.state {
    case .completed: self = .reached
    case .completedWithFailures:
      self = .failed("completed with failures: \(campaign.trouble)")
    case .cancelled: self = .failed("was cancelled")
    case .draft, .unspecified, .unrecognized: self = .goOn
    case .active, .cancelling: self = .init(running: campaign, for: goal)
    }
  }

  private init(running campaign: AtlasV1.Campaign, for goal: WaitGoal) {
    if let stop = campaign.flags.first(where: \.stopsEverything) {
      let why = stop.reason.isEmpty ? "" : ": \(stop.reason)"
      self = .failed("is stopped\(why)")
      return
    }
    guard campaign.settled else {
      self = .goOn
      return
    }
    let paused = campaign.flags.first(where: \.pausesEverything)
    let isWell = (campaign.servers?.held ?? 0) + (campaign.servers?.failed ?? 0) == 0
    switch goal {
    case .settled where paused != nil, .completed where paused != nil:
      let why = paused.map { $0.reason.isEmpty ? "" : ": \($0.reason)" } ?? ""
      self = .failed("is paused\(why)")
    case .settled: self = isWell ? .reached : .failed("has settled with \(campaign.trouble)")
    case .completed: self = .failed("waits for people: \(campaign.trouble)")
    // People may still decide, and then it ends.
    case .terminal: self = .goOn
    }
  }
}

/// `atlas campaign wait`
struct CampaignWait: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "wait",
    abstract: "For scripts: wait until a campaign is done.",
    discussion: """
      settled: over, or every open server waits for a person. terminal: over. completed: over and \
      well, or certain not to become so without a person. Exits with 0 when it went well; 2 when \
      servers failed or are held, or the campaign is stopped or paused; 6 when --timeout is up. A \
      draft is waited for too. While the daemon is away it goes on waiting.

        atlas campaign wait november --for completed --timeout 10h && echo done
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String

  @Option(name: .customLong("for"), help: "settled, terminal or completed.")
  var goal: WaitGoal = .settled

  func run(in session: Session) async throws {
    let pacer = session.console.pacer
    let deadline = global.timeout.map { pacer.now() + $0.duration }
    var note = ""
    while true {
      let look = try await look(session, deadline: deadline, hasSeen: !note.isEmpty)
      if let campaign = look {
        if try finish(campaign, session) { return }
        tell(campaign, session, after: &note)
      }
      if let deadline, pacer.now() + CommandLimits.waitInterval >= deadline {
        throw Failure(
          .timeout, "\(name) is not \(goal.rawValue) after \(global.timeout?.duration.text ?? "")",
          hint: "atlas watch \(name)")
      }
      try await pacer.pause(CommandLimits.waitInterval)
    }
  }

  /// The campaign as it is; nil while a daemon that has answered before is away.
  private func look(
    _ session: Session, deadline: ContinuousClock.Instant?, hasSeen: Bool
  ) async throws -> AtlasV1.Campaign? {
    let left = deadline.map { $0 - session.console.pacer.now() }
    let timeout = min(CommandLimits.callTimeout, left ?? CommandLimits.callTimeout)
    do {
      let response = try await session.read(
        session.daemon.campaigns.getCampaign, AtlasV1.GetCampaignRequest(campaign: name),
        timeout: max(timeout, .milliseconds(1)))
      return response.campaign
    } catch let failure as Failure
      where hasSeen && [.unreachable, .timeout].contains(failure.status)
    {
      return nil
    }
  }

  /// Shows the campaign if the wait is over.
  private func finish(_ campaign: AtlasV1.Campaign, _ session: Session) throws -> Bool {
    let verdict = WaitVerdict(of: campaign, for: goal)
    if verdict == .goOn { return false }
    try session.show(
      campaign.presentation(
        of: AtlasV1.GetCampaignResponse(campaign: campaign),
        "\(campaign.name): \(campaign.stateText)"))
    if case .failed(let how) = verdict {
      throw Failure(
        .campaignFailed, "\(name) \(how)", details: campaign.decisionList(atMost: 20),
        hint: campaign.nextCommand)
    }
    return true
  }

  /// Says what is going on when it is something else than before.
  private func tell(_ campaign: AtlasV1.Campaign, _ session: Session, after note: inout String) {
    let now = "\(campaign.name): \(campaign.stateText)"
    if now != note { session.console.tell(now) }
    note = now
  }
}

extension AtlasV1.CampaignFlag {
  /// An emergency stop of the whole fleet or of the whole campaign.
  var stopsEverything: Bool { kind == "stopped" && !scope.hasPrefix("client") }

  /// A pause of the whole campaign.
  var pausesEverything: Bool { kind == "paused" && scope == "campaign" }
}

extension AtlasV1.Campaign {
  /// Where to look when it did not go well.
  var nextCommand: String {
    if flags.contains(where: \.stopsEverything) { return "atlas stop status" }
    if state.isTerminal { return "atlas campaign report \(name)" }
    if flags.contains(where: \.pausesEverything) { return "atlas campaign resume \(name)" }
    return "atlas campaign runs \(name) --state held,parked,failed -o wide"
  }

  /// `3 failed, 2 held`.
  var trouble: String {
    let counts = servers ?? AtlasV1.RunCounts()
    let parts = [
      (counts.held, "held"), (counts.failed, "failed"), (counts.parked, "parked"),
      (counts.notAttempted, "not attempted"),
    ]
    let text = parts.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }.joined(separator: ", ")
    return text.isEmpty ? "\(grouped(counts.pending)) pending" : text
  }
}

import ArgumentParser
import AtlasWire

/// `atlas campaign start`
struct CampaignStart: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Start a draft.",
    discussion: """
      Shows what would happen and asks; what is started is what was shown, or nothing: if the \
      fleet changes in between, the start is refused. With --yes and without --if-match there is \
      no such guard.

        atlas campaign start november
        atlas campaign start november --if-match 7 --yes
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The campaign.") var name: String

  @Option(help: ArgumentHelp("Etag of the plan that was agreed on.", valueName: "etag"))
  var ifMatch: String?

  func run(in session: Session) async throws {
    let etag = confirmation.yes ? ifMatch ?? "" : try await agree(session)
    let response = try await session.change(
      session.daemon.campaigns.startCampaign,
      AtlasV1.StartCampaignRequest(campaign: name, ifMatch: etag))
    guard let campaign = response.campaign else { throw Failure.empty("StartCampaign") }
    try session.show(
      campaign.presentation(of: response, "\(campaign.name) is started: \(campaign.sizeText)"))
    if session.options.output.isText { session.console.hint("atlas watch \(campaign.name)") }
  }

  /// Shows a plan and asks.
  ///
  /// - Returns: the etag to start with.
  private func agree(_ session: Session) async throws -> String {
    let response = try await session.plan(name, details: false)
    guard let plan = response.plan else { throw Failure.empty("PlanCampaign") }
    let times = session.times(AtlasV1.Clock(campaignTime: plan.start))
    let space = TextSpace(
      isWide: false, columns: session.console.outputSize?.columns, glyphs: session.console.glyphs)
    for line in plan.lines(times, space) { session.console.tell(line) }
    try session.console.confirm("Start \(name): \(plan.summary)?", confirmation)
    return ifMatch ?? plan.etag
  }
}

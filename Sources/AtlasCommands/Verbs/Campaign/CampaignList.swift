import ArgumentParser
import AtlasWire

/// `atlas campaign list`
struct CampaignList: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "All campaigns.",
    discussion: """
        atlas campaign list
        atlas campaign list --active -o name
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  @Flag(help: "Only those that run.")
  var active = false

  func run(in session: Session) async throws {
    var response = try await session.readPages(
      session.daemon.campaigns.listCampaigns, AtlasV1.ListCampaignsRequest())
    let undoings = Undoings(response.campaigns)
    if active { response.campaigns.removeAll { !$0.state.isRunning } }
    session.tellRehearsal(response.campaigns.first?.clock)
    try session.show(
      Presentation(
        response, items: response.campaigns, name: \.name,
        columns: AtlasV1.Campaign.columns(undoings) { session.times($0.clock) },
        empty: active ? "no campaign is running" : "there are no campaigns"))
  }
}

/// `atlas campaign get`
struct CampaignGet: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "One campaign in full; -o wide also shows settings at their defaults.",
    discussion: """
        atlas campaign get november
        atlas campaign get november -o json | jq .campaign.servers
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.campaigns.getCampaign, AtlasV1.GetCampaignRequest(campaign: name))
    guard let campaign = response.campaign else { throw Failure.empty("GetCampaign") }
    let times = session.times(campaign.clock)
    let undoings = try await session.undoings()
    try session.show(
      Presentation(.message(response), names: [campaign.name]) {
        campaign.lines(times, undoings, $0)
      })
  }
}

extension Session {
  /// The campaign `name`.
  ///
  /// - Throws: ``Failure``.
  func campaign(_ name: String) async throws -> AtlasV1.Campaign {
    let response = try await read(
      daemon.campaigns.getCampaign, AtlasV1.GetCampaignRequest(campaign: name))
    guard let campaign = response.campaign else { throw Failure.empty("GetCampaign") }
    return campaign
  }
}

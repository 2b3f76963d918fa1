import ArgumentParser
import AtlasWire

/// `atlas campaign events`
struct CampaignEvents: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "What happened in a campaign, in order.",
    discussion: """
      --follow goes on until you end it, through restarts of the daemon. -o jsonl prints a token \
      with every event; --from goes on after it, so that a program loses none.

        atlas campaign events november --follow
        atlas campaign events november --from "$TOKEN" --until-settled -o jsonl
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String

  @Flag(name: .shortAndLong, help: "Go on as things happen.")
  var follow = false

  @Flag(help: "Follow, and end when the campaign has settled.")
  var untilSettled = false

  @Option(
    name: .customLong("from"), help: ArgumentHelp("Follow, from here on.", valueName: "token"))
  var token: String?

  func run(in session: Session) async throws {
    if follow || untilSettled || token != nil {
      try await follow(session)
    } else {
      try await list(session)
    }
  }

  private func list(_ session: Session) async throws {
    // The name is checked first: a log has no records of a campaign that does not exist.
    session.tellRehearsal(try await session.campaign(name).clock)
    let response = try await session.readPages(
      session.daemon.audit.listAuditRecords, AtlasV1.ListAuditRecordsRequest(campaign: name))
    let times = session.times(nil)
    try session.show(
      Presentation(
        .message(response), rows: response.records.map { .message($0) },
        names: response.records.map { "\($0.seq)" }
      ) { space in response.records.map { $0.line(times, space) } })
  }

  private func follow(_ session: Session) async throws {
    let printer = StreamPrinter(session)
    let times = session.times(nil)
    try await session.follow(StreamProgress(token: token ?? "")) { metadata, progress in
      let request = AtlasV1.WatchCampaignRequest(
        campaign: name, resumeToken: progress.token, untilSettled: untilSettled)
      try await session.daemon.campaigns.watchCampaign(request, metadata: metadata) { responses in
        for try await response in responses {
          guard let record = response.record else { continue }
          try printer.print(response, names: ["\(record.seq)"]) { [record.line(times, $0)] }
          progress.delivered(token: response.resumeToken)
        }
      }
    }
  }
}

import ArgumentParser
import AtlasWire

/// `atlas campaign edit`
struct CampaignEdit: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Give a campaign other settings, or another end.",
    discussion: """
      Shows what is different and asks. What has not started goes by the new settings at once; \
      servers in progress finish by the old ones. What the file leaves out stays as it is. \
      atlas campaign get -o wide shows the settings of now.

        atlas campaign edit november -f policy.yaml --reason "slower: the SAN is full"
        atlas campaign edit november -f policy.yaml --dry-run
        atlas campaign edit november --ends-at 2026-11-30 --reason "one more weekend"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The campaign.") var name: String

  @Option(
    name: [.customShort("f"), .customLong("policy")],
    help: ArgumentHelp("What is to be different, as YAML.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var policy: String?

  @Option(
    help: ArgumentHelp("When open servers are given up.", valueName: "time"),
    transform: InstantArgument.parsed)
  var endsAt: InstantArgument?

  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text"))
  var reason: String?

  @Flag(help: "Only show what would be different.")
  var dryRun = false

  func validate() throws {
    if policy == nil, endsAt == nil {
      throw ValidationError("say what is to be different: -f FILE, --ends-at TIME, or both")
    }
  }

  func run(in session: Session) async throws {
    var request = AtlasV1.EditCampaignRequest(
      campaign: name, policy: try policy.map(AtlasV1.Document.policy(at:)),
      endsAt: endsAt?.timestamp, reason: reason ?? "", dryRun: true)
    let preview = try await session.read(session.daemon.campaigns.editCampaign, request)
    for diagnostic in preview.diagnostics {
      for line in diagnostic.lines { session.console.tell(line) }
    }
    guard !dryRun, !preview.changes.isEmpty else { return try show(preview, session) }
    for line in preview.changeLines { session.console.tell(line) }
    try session.console.confirm(preview.question(name), confirmation)
    request.dryRun = false
    request.ifMatch = preview.etag
    try show(try await session.change(session.daemon.campaigns.editCampaign, request), session)
  }

  private func show(
    _ response: AtlasV1.EditCampaignResponse, _ session: Session
  ) throws {
    let text =
      response.changes.isEmpty
      ? "\(name) has these settings already"
      : dryRun ? "\(name) would be edited" : "\(name) is edited"
    try session.show(
      Presentation(.message(response), names: [name]) { _ in
        [Line(text)] + (dryRun ? response.changeLines : [])
      })
  }
}

extension AtlasV1.EditCampaignResponse {
  /// One setting a line.
  fileprivate var changeLines: [Line] {
    changes.map { change in
      let owner = change.client.isEmpty ? "" : "\(change.client): "
      let before = change.before.isEmpty ? "(not set)" : change.before
      let after = change.after.isEmpty ? "(not set)" : change.after
      return Line("  \(owner)\(change.key): \(before) → \(after)")
    }
  }

  fileprivate func question(_ name: String) -> String {
    let settings = changes.count == 1 ? "this setting" : "these \(changes.count) settings"
    guard inFlight > 0 else { return "Change \(settings) of \(name)?" }
    let servers =
      inFlight == 1 ? "1 server in progress finishes" : "\(inFlight) servers in progress finish"
    return "Change \(settings) of \(name)? \(servers) by the old ones."
  }
}

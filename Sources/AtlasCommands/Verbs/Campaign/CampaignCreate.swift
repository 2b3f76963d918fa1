import ArgumentParser
import AtlasWire

/// `atlas campaign create`
struct CampaignCreate: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make a draft; nothing runs until it is started.",
    discussion: """
      Without a selection it covers the whole fleet; what is named in several ways must fit all of \
      them. An option may come several times, or name several things with commas.

        atlas campaign create november -f policy.yaml --cut-off 2026-11-14
        atlas campaign create dc-only --role DC --ring 0,1 --include KB5031234
        atlas campaign create again --failed-in november --name-pattern '*-SQL*'
        atlas campaign create undo --rollback-of november --client LAA
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  @Argument(help: "Its name; never used twice.")
  var name: String

  @Option(
    name: [.customShort("f"), .customLong("policy")],
    help: ArgumentHelp("The settings, as YAML; without it the defaults.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var policy: String?

  @OptionGroup(title: "Selection") var selection: SelectionOptions
  @OptionGroup(title: "Updates") var updates: UpdateOptions

  @Option(
    help: ArgumentHelp(
      "When open servers are given up; without it at the end of the last window of its clients "
        + "that opens within 14 days of the start.", valueName: "time"),
    transform: InstantArgument.parsed)
  var endsAt: InstantArgument?

  @Option(help: ArgumentHelp("The change it belongs to.", valueName: "text"))
  var changeReference: String?

  @Option(
    help: ArgumentHelp(
      "Undo what this campaign has completed, where snapshots are kept.", valueName: "campaign"))
  var rollbackOf: String?

  func run(in session: Session) async throws {
    let request = AtlasV1.CreateCampaignRequest(
      name: name, selection: try selection.message, updateSet: updates.message,
      policy: try policy.map(AtlasV1.Document.policy(at:)), endsAt: endsAt?.timestamp,
      changeReference: changeReference ?? "", rollbackOf: rollbackOf ?? "")
    let response = try await session.change(session.daemon.campaigns.createCampaign, request)
    for diagnostic in response.diagnostics {
      for line in diagnostic.lines { session.console.tell(line) }
    }
    guard let campaign = response.campaign else { throw Failure.empty("CreateCampaign") }
    let text = "\(campaign.name) is a draft: \(campaign.sizeText)"
    let left = campaign.notUndoable.map { Line("  \($0.server) \($0.reason)") }
    try session.show(
      Presentation(.message(response), names: [campaign.name]) { _ in
        [Line(text)] + (left.isEmpty ? [] : [Line(Span("Left as they are:", .warn))] + left)
      })
    if session.options.output.isText {
      session.console.hint("atlas campaign plan \(campaign.name)")
    }
  }
}

extension AtlasV1.Document {
  /// The settings of a campaign, from a file.
  static func policy(at path: String) throws(Failure) -> AtlasV1.Document {
    let content = try FileReading.bytes(of: path, limit: CommandLimits.policy)
    return AtlasV1.Document(name: path, content: content)
  }
}

/// Which part of the fleet.
struct SelectionOptions: ParsableArguments, Sendable {
  @Option(name: .customLong("client"), help: ArgumentHelp("Only these clients.", valueName: "name"))
  var clients: [String] = []

  @Option(name: .customLong("ring"), help: ArgumentHelp("Only these rings.", valueName: "number"))
  var rings: [String] = []

  @Option(name: .customLong("site"), help: ArgumentHelp("Only these sites.", valueName: "name"))
  var sites: [String] = []

  @Option(name: .customLong("role"), help: ArgumentHelp("Only these roles.", valueName: "name"))
  var roles: [String] = []

  @Option(name: .customLong("server"), help: ArgumentHelp("Only these servers.", valueName: "name"))
  var servers: [String] = []

  @Option(
    name: .customLong("tag"),
    help: ArgumentHelp("Only servers with one of these tags.", valueName: "tag"))
  var tags: [String] = []

  @Option(
    name: .customLong("name-pattern"),
    help: ArgumentHelp("Only names like this; * and ? stand for others.", valueName: "pattern"))
  var namePatterns: [String] = []

  @Option(
    help: ArgumentHelp("Only what was not updated in this campaign.", valueName: "campaign"))
  var failedIn: String?

  /// - Throws: ``Failure`` for a ring that is no number, and for an option that names nothing, which
  ///   must not come to mean everything.
  var message: AtlasV1.Selection {
    get throws(Failure) {
      let named = [
        ("--client", clients), ("--ring", rings), ("--site", sites), ("--role", roles),
        ("--server", servers), ("--tag", tags), ("--name-pattern", namePatterns),
      ]
      for (option, words) in named where !words.isEmpty && words.separated.isEmpty {
        throw .usage("\(option) names nothing", hint: "leave it out for all")
      }
      var numbers: [Int32] = []
      for ring in rings.separated {
        guard let number = Int32(ring) else {
          throw .usage(
            "--ring takes numbers, not “\(ring)”", hint: "atlas campaign rings shows them")
        }
        numbers.append(number)
      }
      return AtlasV1.Selection(
        clients: clients.separated, rings: numbers, sites: sites.separated,
        roles: roles.separated, servers: servers.separated, tags: tags.separated,
        namePatterns: namePatterns.separated, failedIn: failedIn ?? "")
    }
  }
}

/// What is installed.
struct UpdateOptions: ParsableArguments, Sendable {
  @Option(help: ArgumentHelp("Updates or classes; without it every class.", valueName: "update"))
  var include: [String] = []

  @Option(help: ArgumentHelp("Updates that are never installed.", valueName: "update"))
  var exclude: [String] = []

  @Option(
    name: .customLong("require"),
    help: ArgumentHelp("Updates whose failure fails a server.", valueName: "update"))
  var required: [String] = []

  @Option(
    help: ArgumentHelp(
      "Nothing published later is installed; without it, after the start.", valueName: "time"),
    transform: InstantArgument.parsed)
  var cutOff: InstantArgument?

  var message: AtlasV1.UpdateSet {
    AtlasV1.UpdateSet(
      include: include.separated, exclude: exclude.separated, required: required.separated,
      cutOff: cutOff?.timestamp)
  }
}

extension [String] {
  /// Every part between commas.
  var separated: [String] {
    flatMap { $0.split(separator: ",").map(String.init) }.filter { !$0.isEmpty }
  }
}

/// An instant of the command line: RFC 3339, or a day, which begins at midnight UTC.
struct InstantArgument: Sendable, Hashable {
  var timestamp: GoogleProtobuf.Timestamp

  /// - Throws: what to write instead.
  @Sendable static func parsed(_ argument: String) throws -> InstantArgument {
    let isDay = argument.utf8.count == 10
    let text = isDay ? argument + "T00:00:00Z" : argument
    guard !text.contains("\""), !text.contains("\\"),
      let timestamp = try? GoogleProtobuf.Timestamp(jsonString: "\"\(text)\"")
    else { throw ValidationError("write 2026-12-01 (UTC) or 2026-12-01T04:00:00+01:00") }
    return InstantArgument(timestamp: timestamp)
  }
}

extension Failure {
  /// The daemon answered without saying anything.
  static func empty(_ method: String) -> Failure {
    Failure(
      .error, "the daemon's answer to \(method) is empty",
      hint: "atlas doctor compares the daemon with this program")
  }
}

import ArgumentParser
import AtlasWire

/// `atlas campaign runs`
struct CampaignRuns: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "The servers of a campaign, and where each of them is.",
    discussion: """
        atlas campaign runs november --state held,failed
        atlas campaign runs november --client LAA -o wide
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String

  @Option(
    name: .customLong("state"),
    help: ArgumentHelp(
      "Only in these states: pending, in-progress, parked, held, completed, failed, not-attempted, "
        + "skipped, postponed.", valueName: "state"))
  var states: [String] = []

  @Option(help: ArgumentHelp("Only of this client.", valueName: "name")) var client: String?
  @Option(help: ArgumentHelp("Only of this ring.", valueName: "number")) var ring: Int32?

  func run(in session: Session) async throws {
    let response = try await session.readPages(
      session.daemon.campaigns.listServerRuns,
      AtlasV1.ListServerRunsRequest(
        campaign: name, states: try wantedStates, client: client ?? "", ring: ring))
    let times = try await session.times()
    try session.show(
      Presentation(
        response, items: response.runs, name: \.server,
        columns: AtlasV1.ServerRun.columns(times), empty: "no server fits"))
  }

  private var wantedStates: [AtlasV1.RunState] {
    get throws(Failure) {
      var wanted: [AtlasV1.RunState] = []
      for word in states.separated {
        guard let state = AtlasV1.RunState(word: word) else {
          throw .usage(
            "“\(word)” is no state of a server", hint: "atlas campaign runs --help lists them")
        }
        wanted.append(state)
      }
      return wanted
    }
  }
}

extension AtlasV1.ServerRun {
  /// `HELD (UNHEALTHY)`.
  var stateText: String { detail.isEmpty ? state.word : "\(state.word) (\(detail))" }

  /// `UPDATE`, with the attempt and the pass when they are not the first: `UPDATE 2.3`.
  var phaseText: String {
    if phase == .unspecified { return "" }
    let isFirst = attempt <= 1 && pass <= 1
    return isFirst ? phase.word : "\(phase.word) \(max(1, attempt)).\(max(1, pass))"
  }

  /// What undid it, or what went wrong; before it has begun, why it does not.
  var note: String {
    if !undoneBy.isEmpty { return "undone by \(undoneBy)" }
    if state == .pending, !waitsFor.isEmpty { return waitsFor }
    return lastError.isEmpty && !state.isEnded ? waitsFor : lastError
  }

  static func columns(_ times: TimeText) -> [Column<Self>] {
    [
      Column("SERVER") { $0.server },
      Column("STATE", span: { Span($0.stateText, $0.state.style) }),
      Column("PHASE") { $0.phaseText + ($0.overdue ? " overdue" : "") },
      Column("RING", align: .right) { "\($0.ring)" },
      Column("ORDER", wide: true) { $0.order },
      Column("STARTED") { times.text($0.startedAt) },
      Column("ENDED") { times.text($0.endedAt) },
      Column("NOTE", gives: true) { $0.note },
      Column("OWNER", wide: true) { $0.holdOwner },
      Column("DUE", wide: true) { times.text($0.holdDeadline) },
      Column("CHOICES", wide: true) { $0.choices.joined(separator: ", ") },
      Column("CLIENT", wide: true) { $0.client },
      Column("SITE", wide: true) { $0.site },
      Column("NOT BEFORE", wide: true) { times.text($0.notBefore) },
      Column("LOCKED", wide: true) { $0.locked ? "yes" : "no" },
      Column("REBOOT", wide: true) { $0.rebootPending ? "pending" : "" },
      Column("BACKUP", wide: true) { $0.backupTakenAt == nil ? "" : times.text($0.backupTakenAt) },
      Column("SNAPSHOT", wide: true) { $0.snapshotID },
      Column("FENCE", wide: true) { $0.fence == 0 ? "" : "\($0.fence)" },
      Column("ETAG", wide: true) { $0.etag },
    ]
  }

  /// What a person must know to decide about it.
  func lines(_ times: TimeText) -> [Line] {
    var facts = Description()
    facts.add("Server", server, .bold)
    facts.add("Client", client)
    facts.add("State", stateText, state.style)
    facts.add("Phase", phaseText)
    facts.add("Attempt", attempt > 0 ? "\(attempt)" : "")
    if startedAt != nil { facts.add("Started", times.text(startedAt)) }
    if endedAt != nil { facts.add("Ended", times.text(endedAt)) }
    facts.add("Waits for", waitsFor)
    facts.add("Last error", lastError, .bad)
    let wrong = updates.filter { $0.outcome == .failed || $0.outcome == .reverted }
    facts.add(
      "Updates", wrong.map { "\($0.update) \($0.outcome.word) \($0.code)" }.joined(separator: ", "))
    facts.add("Reboot", rebootPending ? "pending" : "")
    facts.add("Snapshot", snapshotID)
    if let kept = snapshot?.keptUntil { facts.add("Kept until", times.absolute(kept)) }
    facts.add("Undone by", undoneBy, .warn)
    facts.add("Expected", expected?.shortText ?? "", late ? .warn : .plain)
    if backupTakenAt != nil {
      let source = backupSource.isEmpty ? "" : " (\(backupSource))"
      facts.add("Backup", times.text(backupTakenAt) + source)
    }
    if state == .held {
      facts.add("Class", holdClass.text, holdClass == .down ? .bad : .warn)
      facts.add("Owner", holdOwner.isEmpty ? "nobody: atlas campaign claim" : holdOwner)
      if holdDeadline != nil { facts.add("Decide by", times.text(holdDeadline)) }
    }
    if let maintenance {
      let end = "until \(times.absolute(maintenance.expiresAt)) at the latest"
      facts.add(
        "Maintenance",
        maintenance.remains ? "was not left; \(end)" : "since \(times.text(maintenance.since))",
        maintenance.remains ? .bad : .plain)
    }
    facts.add("Choices", choices.joined(separator: ", "))
    return facts.lines
  }

  /// The answer of a verb that acted on it.
  func presentation(of response: some WireMessage, _ text: String) -> Presentation {
    Presentation(.message(response), names: [server]) { _ in [Line(text)] }
  }
}

extension AtlasV1.HoldClass {
  fileprivate var text: String {
    switch self {
    case .down: "down: page somebody"
    case .upUnverified: "up, not verified"
    case .unspecified, .unrecognized: ""
    }
  }
}

extension Column {
  /// A column of numbers that are no counts.
  init(_ title: String, wide: Bool, _ number: @escaping @Sendable (Row) -> Int32) {
    self.init(title, wide: wide, align: .right, span: { Span("\(number($0))") })
  }
}

import ArgumentParser
import AtlasWire

/// `atlas campaign rings`
struct CampaignRings: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "rings",
    abstract: "The rings, and what the gates between them wait for.",
    discussion: """
        atlas campaign rings november
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.campaigns.listRings, AtlasV1.ListRingsRequest(campaign: name))
    let times = try await session.times()
    try session.show(
      Presentation(
        response, items: response.rings, name: { "\($0.ring)" },
        columns: AtlasV1.RingInfo.columns(times), empty: "\(name) has no rings"))
  }
}

/// `atlas campaign promote`
struct CampaignPromote: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "promote",
    abstract: "Open a ring: approve of it, or override the gates before it.",
    discussion: """
      Shows what the gates wait for, and asks. If it is only an approval, that is given, and the \
      gates still close when servers before them fail. If it is more, they are overridden, and \
      stay open for the rest of the campaign.

        atlas campaign promote november 3 --reason "standard ring looked at, all well"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @Argument(help: "The campaign.") var name: String
  @Argument(help: "The number of the ring to open.") var ring: Int32
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    if !confirmation.yes { try await agree(session) }
    let response = try await session.change(
      session.daemon.campaigns.promoteRing,
      AtlasV1.PromoteRingRequest(campaign: name, ring: ring, reason: reason))
    let opened = "\(name): ring \(ring) is open"
    try session.show(
      Presentation(
        .message(response), rows: response.rings.map { .message($0) },
        names: response.rings.map { "\($0.ring)" }
      ) { _ in [Line(opened)] })
  }

  private func agree(_ session: Session) async throws {
    let response = try await session.read(
      session.daemon.campaigns.listRings, AtlasV1.ListRingsRequest(campaign: name))
    var opened: Int32 = 0
    for before in response.rings where before.ring < ring && before.gate != .open {
      let waits = before.gateWaitsFor.isEmpty ? "" : ": \(before.gateWaitsFor)"
      session.console.tell("the gate after ring \(before.ring) is \(before.gate.word)\(waits)")
    }
    for after in response.rings where after.ring == ring { opened = after.servers?.total ?? 0 }
    try session.console.confirm(
      "Open ring \(ring) of \(name), with \(counted(opened, "server"))?", confirmation)
  }
}

extension AtlasV1.RingInfo {
  /// `OPEN`, `OPEN, promoted`, `CLOSED`.
  var gateText: String {
    gate.word + (promoted ? ", promoted" : "") + (paused ? ", paused" : "")
  }

  static func columns(_ times: TimeText) -> [Column<Self>] {
    [
      Column("RING", align: .right) { "\($0.ring)" },
      Column("NAME") { $0.name },
      Column("STATUS") { $0.status.word },
      Column("DONE", align: .right) { ($0.servers ?? .init()).progressText },
      Column("IN PROGRESS", style: .active) { $0.servers?.inProgress ?? 0 },
      Column("HELD", style: .bad) { $0.servers?.held ?? 0 },
      Column("FAILED", style: .bad) { $0.servers?.failed ?? 0 },
      Column("LEFT OUT", style: .warn) { $0.servers?.leftOut ?? 0 },
      Column("SUCCESS", align: .right) { percent($0.successRate) },
      Column("GATE", span: { Span($0.gateText, $0.gate.style) }),
      Column("GATE WAITS FOR", gives: true) { $0.gateWaitsFor },
      Column("STARTED", wide: true) { times.text($0.startedAt) },
      Column("COMPLETED", wide: true) { times.text($0.completedAt) },
    ]
  }
}

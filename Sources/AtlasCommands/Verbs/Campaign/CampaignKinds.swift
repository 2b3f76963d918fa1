import ArgumentParser
import AtlasWire

/// `atlas campaign kinds`
struct CampaignKinds: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "kinds",
    abstract: "Roles and systems that are held, or wait for one that has completed.",
    discussion: """
      Servers of a role and system are held when they fail in the same way at several clients.

        atlas campaign kinds november
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.campaigns.listServerKinds, AtlasV1.ListServerKindsRequest(campaign: name))
    let held = response.held.map { kind in
      KindRow(
        role: kind.role, system: kind.system, why: "fails in \(kind.phase.word): \(kind.cause)",
        waiting: kind.waiting,
        next: kind.update.isEmpty
          ? "atlas campaign release \(name) --role \(kind.role) --system \(kind.system)"
          : "atlas campaign exclude-update \(name) \(kind.update)")
    }
    let missing = response.missing.map { kind in
      KindRow(
        role: kind.role, system: kind.system,
        why: kind.mayCome ? "none has completed yet" : "none can complete in an earlier ring",
        waiting: kind.waiting,
        next: kind.mayCome
          ? "" : "atlas campaign waive \(name) --role \(kind.role) --system \(kind.system)")
    }
    let columns: [Column<KindRow>] = [
      Column("ROLE") { $0.role.isEmpty ? "-" : $0.role },
      Column("SYSTEM") { $0.system.isEmpty ? "-" : $0.system },
      Column("WAITING", align: .right) { "\($0.waiting)" },
      Column("WHY", gives: true) { $0.why },
      Column("NEXT") { $0.next },
    ]
    try session.show(
      Presentation(
        .message(response), rows: response.held.map { .message($0) },
        names: (held + missing).map { "\($0.role) \($0.system)" }
      ) { space in
        let rows = held + missing
        return rows.isEmpty
          ? [Line(Span("no role and system is held or waits for another", .dim))]
          : space.lines(of: Table(rows, columns, wide: space.isWide))
      })
  }
}

private struct KindRow: Sendable {
  var role: String
  var system: String
  var why: String
  var waiting: Int32
  var next: String
}

/// Which role and system is meant.
struct KindOptions: ParsableArguments, Sendable {
  @Option(help: ArgumentHelp("The role.", valueName: "name")) var role: String?
  @Option(help: ArgumentHelp("The operating system.", valueName: "name")) var system: String?

  var text: String {
    let role = role ?? "every role"
    return system.map { "\(role) on \($0)" } ?? role
  }
}

/// `atlas campaign release`
struct CampaignRelease: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Let servers of a role and system go on that were held because they fail.",
    discussion: """
      Excluding the update that is to blame lets them go on as well; see atlas campaign kinds.

        atlas campaign release november --role SQL --system windows-2022 --reason "fixed upstream"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @OptionGroup var kind: KindOptions
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.campaigns.releaseSignature,
      AtlasV1.ReleaseSignatureRequest(
        campaign: name, role: kind.role ?? "", system: kind.system ?? "", reason: reason))
    guard let campaign = response.campaign else { throw Failure.empty("ReleaseSignature") }
    try session.show(campaign.presentation(of: response, "\(kind.text) goes on in \(name)"))
  }
}

/// `atlas campaign waive`
struct CampaignWaive: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "waive",
    abstract: "Let servers start that no completed one of their role and system stands for.",
    discussion: """
      Without a role or a system it means every one of them.

        atlas campaign waive november --role HV --reason "there is no host in ring 0"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @OptionGroup var kind: KindOptions
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.campaigns.waiveRepresentative,
      AtlasV1.WaiveRepresentativeRequest(
        campaign: name, role: kind.role ?? "", system: kind.system ?? "", reason: reason))
    guard let campaign = response.campaign else { throw Failure.empty("WaiveRepresentative") }
    try session.show(
      campaign.presentation(of: response, "\(kind.text) needs no representative in \(name)"))
  }
}

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
          ? CampaignRelease.words(name, kind.role, kind.system)
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

        atlas campaign release november --role MX --system debian-12 --reason "fixed"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @OptionGroup var kind: KindOptions
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    try await demandKind(in: session)
    let response = try await session.change(
      session.daemon.campaigns.releaseSignature,
      AtlasV1.ReleaseSignatureRequest(
        campaign: name, role: kind.role ?? "", system: kind.system ?? "", reason: reason))
    guard let campaign = response.campaign else { throw Failure.empty("ReleaseSignature") }
    let role = kind.role ?? "what has no role"
    let text = kind.system.map { "\(role) on \($0)" } ?? role
    try session.show(campaign.presentation(of: response, "\(text) goes on in \(name)"))
  }

  /// Without an option it means servers that have neither role nor system, which hardly anybody who
  /// leaves them out has in mind.
  private func demandKind(in session: Session) async throws {
    guard kind.role == nil, kind.system == nil else { return }
    let held = try await session.read(
      session.daemon.campaigns.listServerKinds, AtlasV1.ListServerKindsRequest(campaign: name)
    ).held
    guard let first = held.first else {
      throw Failure(
        .notAllowed, "no role and system is held in \(name): there is nothing to release",
        hint: "atlas campaign kinds \(name)")
    }
    if held.contains(where: { $0.role.isEmpty && $0.system.isEmpty }) { return }
    let words = Self.words(name, first.role, first.system)
    throw Failure.usage(
      "say what is released, with --role, --system, or both", hint: "\(words) --reason TEXT")
  }

  /// The command that lets a role and system go on.
  static func words(_ campaign: String, _ role: String, _ system: String) -> String {
    "atlas campaign release \(campaign)" + (role.isEmpty ? "" : " --role \(role)")
      + (system.isEmpty ? "" : " --system \(system)")
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

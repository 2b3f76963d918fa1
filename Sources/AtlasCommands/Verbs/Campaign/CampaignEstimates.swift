import ArgumentParser
import AtlasWire

/// `atlas campaign estimates`
struct CampaignEstimates: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "estimates",
    abstract: "How long servers took so far, by role and system, and what is expected of them.",
    discussion: """
      Nineteen of twenty took at most what is expected. Until there are enough of a kind, the \
      policy says what is expected: that of the campaign, or the defaults.

        atlas campaign estimates
        atlas campaign estimates november -o wide
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "Whose policy holds without history.") var name: String?

  func run(in session: Session) async throws {
    let response = try await session.read(
      session.daemon.campaigns.listEstimates, AtlasV1.ListEstimatesRequest(campaign: name ?? ""))
    try session.show(
      Presentation(
        response, items: response.estimates, name: \.kind,
        columns: AtlasV1.KindEstimate.columns, empty: "no server has been worked on yet"))
  }
}

extension AtlasV1.KindEstimate {
  /// `SQL on windows-2022`.
  fileprivate var kind: String {
    let who = role.isEmpty ? "servers without a role" : role
    return system.isEmpty ? who : "\(who) on \(system)"
  }

  fileprivate static var columns: [Column<Self>] {
    let phases: [AtlasV1.Phase] = [.preCheck, .snapshot, .update, .reboot, .postCheck, .finalize]
    let measured: [Column<Self>] = phases.map { phase in
      Column(phase.word, wide: phase != .update && phase != .reboot, align: .right) {
        $0.phases.first { $0.phase == phase }?.p95?.shortText ?? ""
      }
    }
    return [
      Column("KIND") { $0.kind },
      Column("EXPECTED", align: .right) { ($0.estimate ?? $0.policyEstimate)?.shortText ?? "" },
      Column("BY") { $0.estimate == nil ? "policy" : "history" },
      Column("SERVERS", align: .right) { "\($0.phases.map(\.samples).max() ?? 0)" },
    ] + measured
  }
}

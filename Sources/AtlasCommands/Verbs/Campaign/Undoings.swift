import AtlasWire

/// What rollback campaigns made of the campaigns that they roll back.
struct Undoings: Sendable {
  private let byOriginal: [String: [AtlasV1.Campaign]]

  /// - Parameter campaigns: All that there are.
  init(_ campaigns: [AtlasV1.Campaign] = []) {
    let begun = campaigns.filter { !$0.rollbackOf.isEmpty && $0.state != .draft }
    byOriginal = Dictionary(grouping: begun, by: \.rollbackOf)
  }

  /// `6 undone by undo`, or that it is being done; nothing where no rollback did anything.
  func text(_ campaign: String) -> String {
    (byOriginal[campaign] ?? []).compactMap { rollback in
      let count = rollback.servers?.completed ?? 0
      if count > 0 { return "\(grouped(count)) undone by \(rollback.name)" }
      return rollback.state.isRunning ? "being undone by \(rollback.name)" : nil
    }.joined(separator: ", ")
  }
}

extension Session {
  /// What was undone, for text; programs get what they asked for, and ask for the rest themselves.
  ///
  /// - Throws: ``Failure``.
  func undoings() async throws -> Undoings {
    guard options.output.isText else { return Undoings() }
    let response = try await readPages(
      daemon.campaigns.listCampaigns, AtlasV1.ListCampaignsRequest())
    return Undoings(response.campaigns)
  }
}

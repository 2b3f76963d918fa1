/// What clients and campaigns ask for beside windows and evidence: updates that are left out, a change
/// reference, and agents that are new enough (engine.md §2, §5).
extension Checker {
  /// An order to update goes out: whatever was excluded before its run came to UPDATE is named in it.
  mutating func judgeExclusions(sent command: CommandFact) {
    guard command.kind == "UPDATE", let campaign = log.campaigns[command.campaign] else { return }
    let run = log.runs.first {
      $0.key.campaign == command.campaign && $0.value.server == command.server
        && $0.value.holdsSlot
    }
    guard let since = run?.value.updatesSince else { return }
    for (update, seq) in campaign.excluded.sorted(by: { $0.value < $1.value })
    where seq < since && !command.excluded.contains(update) {
      fail("order", "\(command.server) is told to install \(update), which is excluded")
    }
  }

  /// The agent of a server has said which version it is.
  package mutating func saidVersion(_ version: String, of server: String) {
    servers[server]?.agentVersion = version
  }

  mutating func judgeAsked(_ record: RecordFact) {
    guard let whole = campaign(record.campaign),
      let own = campaign(record.campaign, for: record.client)
    else { return }
    if clients[record.client]?.current.requiresChangeReference ?? false, !whole.hasChangeReference {
      fail("order", "\(record.server) is started without a change reference")
    }
    guard let version = servers[record.server]?.agentVersion else { return }
    for least in [whole.leastAgent, own.leastAgent] where Self.isOlder(version, than: least) {
      return fail("order", "\(record.server) is started, and its agent is \(version), not \(least)")
    }
  }

  /// Numbers and dots; a version that nobody can read is older than any.
  private static func isOlder(_ version: String, than least: String) -> Bool {
    guard !least.isEmpty else { return false }
    func numbers(_ text: String) -> [Int]? {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
      return parts.contains(nil) ? nil : parts.compactMap { $0 }
    }
    guard let version = numbers(version), let least = numbers(least) else { return true }
    for place in 0..<max(version.count, least.count) {
      let left = place < version.count ? version[place] : 0
      let right = place < least.count ? least[place] : 0
      if left != right { return left < right }
    }
    return false
  }
}

import AtlasModel

/// DOWNLOAD: updates are fetched before a server's turn, so that its window is spent on installing.
/// A download holds no slot, changes nothing, and is never waited for: a run whose turn comes takes
/// its order back and goes on. One server of a lane at a time, so that a site's line stays free.
extension ControlState {
  /// Orders the next download of a lane, if the policy wants any and nothing forbids it.
  mutating func considerDownload(_ lane: LaneRef, now: Instant) {
    guard mayDownload(lane), let next = nextDownload(lane) else { return }
    campaigns[lane.campaign].lanes[Int(lane.lane)].downloading = next.index
    orderDownload(next, now: now)
    armDownload(next, now: now)
  }

  /// A download has the time that the policy gives it, however quiet it is.
  mutating func armDownload(_ ref: RunRef, now: Instant) {
    let deadline = now + max(limit(of: .download, ref) ?? .zero, floors.deadline)
    armQuiet(ref, at: deadline)
  }

  private func mayDownload(_ lane: LaneRef) -> Bool {
    let campaign = Int(lane.campaign.index)
    let index = Int(lane.lane)
    let client = campaigns[campaign].lanes[index].client
    return rules(for: client, in: lane.campaign).download == .beforeWindow
      && campaigns[campaign].rollbackOf == nil
      && campaigns[campaign].lanes[index].downloading == nil && forbidden(lane) == nil
      && !isFrozen(client)
      && isOpenOrNext(campaign, campaigns[campaign].lanes[index].ring)
  }

  /// Whether at most the last gate before the ring is still closed.
  private func isOpenOrNext(_ campaign: Int, _ ring: Ring) -> Bool {
    (0..<max(0, Int(ring.number) - 1)).allSatisfy { campaigns[campaign].rings[$0].gate == .open }
  }

  private func nextDownload(_ lane: LaneRef) -> RunRef? {
    for index in campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].queue {
      let ref = RunRef(campaign: lane.campaign, index: Int(index))
      let server = Int(self[ref].server.index)
      if !self[ref].marks.contains(.downloaded), servers[server].connected,
        servers[server].locked == nil, !isAgentTooOld(ref)
      {
        return ref
      }
    }
    return nil
  }

  /// A download that failed is not tried again: UPDATE fetches what is missing.
  mutating func downloadEnded(_ ref: RunRef, _ result: CommandResult) {
    if result.status != .succeeded { warn(ref, "the updates were not fetched: \(result.text)") }
    clearDownload(ref, isDone: true)
  }

  /// It has taken longer than it may.
  mutating func downloadOverdue(_ ref: RunRef) {
    guard let command = self[ref].command else { return }
    emit(.cancelCommand(self[ref].server, fence: drawFence(), command: command.fence))
    warn(ref, "the updates were not fetched in time")
    clearDownload(ref, isDone: true)
  }

  /// The run's turn has come, or it is left out: the order is taken back.
  mutating func endDownload(_ ref: RunRef) {
    guard let command = self[ref].command else { return }
    emit(.cancelCommand(self[ref].server, fence: drawFence(), command: command.fence))
    clearDownload(ref, isDone: false)
  }

  /// The stop itself tells the agents to stop their downloads.
  mutating func stopDownload(_ lane: LaneRef) {
    guard let index = campaigns[lane.campaign].lanes[Int(lane.lane)].downloading else { return }
    clearDownload(RunRef(campaign: lane.campaign, index: Int(index)), isDone: false)
  }

  /// - Parameter isDone: Whether there is nothing left to fetch, or no sense in trying.
  mutating func clearDownload(_ ref: RunRef, isDone: Bool) {
    guard let command = self[ref].command else { return }
    emit(.withdraw(command.fence))
    self[ref].command = nil
    self[ref].quietDeadline = nil
    if isDone { self[ref].marks.insert(.downloaded) }
    let lane = Int(self[ref].lane)
    campaigns[ref.campaign].lanes[lane].downloading = nil
    emit(.save(.run(ref)))
    markDirty(campaigns[ref.campaign].lanes[lane].client)
  }
}

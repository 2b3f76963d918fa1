import AtlasModel

/// Servers that fit into no window before their campaign's end.
extension ControlState {
  /// Why a campaign cannot work, when none of its pending servers fits into any window before `end`:
  /// its estimates, its reserve, its end or the windows are wrong. Nil when one does, when nothing is
  /// pending, and while windows are not known that far.
  func misfit(of id: CampaignID, end: Instant, now: Instant) -> Refusal? {
    let campaign = Int(id.index)
    var closest: (run: RunRef, lacks: Duration, longest: Duration)?
    for lane in campaigns[campaign].lanes {
      let client = Int(lane.client.index)
      guard clients[client].windowsUntil >= end,
        !campaigns[campaign].hasOwnWindows || lane.narrowed != nil
      else { return nil }
      let longest = (lane.narrowed ?? clients[client].windows).longest(between: now, and: end)
      for index in lane.queue {
        let ref = RunRef(campaign: id, index: Int(index))
        let lacks = timeNeeded(by: ref) - longest
        if lacks <= .zero { return nil }
        if closest.map({ lacks < $0.lacks }) ?? true { closest = (ref, lacks, longest) }
      }
    }
    return closest.map { refusal(of: $0.run, longest: $0.longest, end: end) }
  }

  private func refusal(of ref: RunRef, longest: Duration, end: Instant) -> Refusal {
    let name = servers[Int(self[ref].server.index)].config.name
    let learned = learnedEstimate(of: ref) != nil
    let source = learned ? "what such servers took so far" : "estimates of the policy"
    let room =
      longest == .zero ? "no window opens" : "the longest window leaves \(longest.text)"
    let reserve = rules(of: ref).rollbackReserve
    return .notAllowed(
      code: .noWindow,
      message: "no server fits into a window before \(end.words): \(name) needs "
        + "\(timeNeeded(by: ref).text) (\(estimate(of: ref).text) by \(source), rollback_reserve "
        + "\(reserve.text)), and \(room)",
      hint: "widen the windows, end the campaign later, or lower "
        + (learned ? "rollback_reserve" : "estimates and rollback_reserve"))
  }

  /// Says which servers need more time than any window before the campaign's end has, as far as
  /// the windows are known.
  mutating func warnOfMisfits(_ id: CampaignID, end: Instant, now: Instant) {
    for lane in campaigns[id].lanes where clients[lane.client].windowsUntil >= end {
      let windows = lane.narrowed ?? clients[lane.client].windows
      let longest = windows.longest(between: now, and: end)
      for index in lane.queue {
        let ref = RunRef(campaign: id, index: Int(index))
        if timeNeeded(by: ref) > longest {
          warn(ref, "it fits into no window before the campaign ends")
        }
      }
    }
  }
}

import AtlasModel

/// Servers that fit into no window before their campaign's end.
extension ControlState {
  /// Why a campaign cannot work, when none of its pending servers fits into any window before `end`:
  /// its estimates, its reserve, its end or the windows are wrong. Nil when one does, when nothing is
  /// pending, and while windows are not known that far.
  /// - Parameter own: The campaign's own windows, where they are not worked out for its lanes yet.
  func misfit(
    of id: CampaignID, end: Instant, now: Instant, own: [ZoneWindows] = []
  ) -> Refusal? {
    let campaign = Int(id.index)
    var closest: (run: RunRef, lacks: Duration, longest: Duration)?
    for lane in campaigns[campaign].lanes {
      guard let windows = windows(of: lane, in: id, own, until: end) else { return nil }
      let longest = windows.longest(between: now, and: end)
      for index in lane.queue {
        let ref = RunRef(campaign: id, index: Int(index))
        let lacks = timeNeeded(by: ref) - longest
        if lacks <= .zero { return nil }
        if closest.map({ lacks < $0.lacks }) ?? true { closest = (ref, lacks, longest) }
      }
    }
    return closest.map { refusal(of: $0.run, longest: $0.longest, end: end) }
  }

  /// When a lane may be worked on in its campaign; nil when that is not known until `end`.
  func windows(
    of lane: Lane, in id: CampaignID, _ own: [ZoneWindows], until end: Instant
  ) -> [Interval]? {
    let client = Int(lane.client.index)
    guard clients[client].windowsUntil >= end else { return nil }
    guard campaigns[Int(id.index)].hasOwnWindows else { return clients[client].windows }
    guard let inItsZone = own.first(where: { $0.zone == clients[client].config.zone }) else {
      return lane.narrowed
    }
    return clients[client].windows.intersection(inItsZone.windows)
  }

  /// Why a campaign's own windows cannot be meant: no client that is open before `end` is so while
  /// they are. Nil when one is, and while that is not known.
  func neverMeets(
    _ id: CampaignID, _ own: [ZoneWindows], end: Instant, now: Instant
  ) -> Refusal? {
    let campaign = Int(id.index)
    guard !own.isEmpty, let rule = campaigns[campaign].policy.windows?.rule else { return nil }
    var missed: [String] = []
    for lane in campaigns[campaign].lanes where !lane.queue.isEmpty {
      guard let common = windows(of: lane, in: id, own, until: end) else { return nil }
      guard common.longest(between: now, and: end) == .zero else { return nil }
      let client = clients[Int(lane.client.index)]
      if client.windows.longest(between: now, and: end) > .zero {
        missed.append(client.config.name.text)
      }
    }
    guard let first = missed.first else { return nil }
    return .invalid(
      field: "windows",
      message: "“\(rule)” is never open together with a window of \(Self.list(missed)) before "
        + "\(end.words), so nothing would start; write times of theirs, which `atlas client windows "
        + "\(first)` shows")
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

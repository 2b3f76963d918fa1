/// When faults have ended, things go on and come to an end (L1).
extension Checker {
  /// A run that is not over.
  struct OpenRun {
    var campaign: String
    var number: Int?
    var run: LogModel.RunModel

    var name: String {
      number.map { "\(run.server) (run \($0) of \(campaign))" } ?? "\(run.server) of \(campaign)"
    }
  }

  /// All of them, of campaigns that are ACTIVE or CANCELLING; one that never moved has no record.
  var openRuns: [OpenRun] {
    var open = log.runs.filter { !$0.value.isTerminal }.sorted { $0.key < $1.key }.map {
      OpenRun(campaign: $0.key.campaign, number: $0.key.number, run: $0.value)
    }
    for (name, campaign) in log.campaigns.sorted(by: { $0.key < $1.key })
    where ["ACTIVE", "CANCELLING"].contains(campaign.state) {
      for server in campaigns[name]?.servers.sorted() ?? [] where campaign.newest[server] == nil {
        let client = servers[server]?.client ?? ""
        let ring = rings[name]?.firstIndex { $0.clients[client] != nil } ?? 0
        open.append(
          OpenRun(
            campaign: name, number: nil,
            run: LogModel.RunModel(server: server, client: client, ring: ring)))
      }
    }
    return open
  }

  /// One of many moments after faults have ended: each open run waits for something that anybody can
  /// see, or has done so not long ago.
  ///
  /// - Parameters:
  ///   - patience: How long a run may wait for nothing, in milliseconds, and not start.
  ///   - deferral: The longest that a hook puts a run off.
  package mutating func judgeProgress(patience: Int64, deferral: Int64) {
    var idle: [String: Int64] = [:]
    for open in openRuns where waitsFor(open, deferral: deferral) == nil {
      let before = idleSince[open.name].flatMap { $0 >= open.run.movedAt ? $0 : nil }
      let since = before ?? now
      idle[open.name] = since
      guard now - since >= patience else { continue }
      let minutes = (now - since) / 60_000
      fail(
        "L1", "\(open.name) has been \(open.run.state) for \(minutes) min, and waits for nothing")
    }
    idleSince = idle
  }

  /// Long after the campaigns' end: whatever is open waits for a person, or for a window in which it
  /// is finished.
  package mutating func judgeSettled() {
    for open in openRuns {
      let reason = waitsFor(open, deferral: 0)
      if ["HELD", "PARKED"].contains(open.run.state), reason != nil { continue }
      fail("L1", "\(open.name) is \(open.run.state) long after the end of its campaign")
    }
  }

  /// What each open run waits for, in words.
  package func openDecisions(deferral: Int64) -> [String] {
    openRuns.map { "\($0.name): \(waitsFor($0, deferral: deferral) ?? "nothing")" }
  }

  /// People have decided everything: nothing is open any more.
  package mutating func judgeEnded() {
    for (name, campaign) in log.campaigns.sorted(by: { $0.key < $1.key })
    where ["ACTIVE", "CANCELLING"].contains(campaign.state) {
      let open = openRuns.filter { $0.campaign == name }
        .map { "\($0.run.server) \($0.run.state) \($0.run.phase)" }.sorted()
      fail(
        "L1",
        "\(name) is \(campaign.state) after people decided everything: "
          + open.prefix(5).joined(separator: ", "))
    }
  }
}

extension LogModel.RunKey: Comparable {
  static func < (left: Self, right: Self) -> Bool {
    (left.campaign, left.number) < (right.campaign, right.number)
  }
}

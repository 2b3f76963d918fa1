/// What stops by itself (states.md): lanes, campaigns and kinds of which too many have failed, update
/// sources that are silent, and people who have as much to do as they can.
extension Checker {
  struct BreakerModel {
    /// Servers that the breaker of the campaign must be looking at, oldest first. A start of the daemon
    /// may let it look at more of them.
    var sample: [LogModel.RunKey] = []
    /// Too many of them were bad when one of them failed, and nobody has resumed the campaign since.
    var isBroken = false
    /// By client, an empty name for the whole campaign: update sources that are silent.
    var sources: [String: SourceModel] = [:]
  }

  struct SourceModel {
    /// No server tries it before.
    var nextTry: Int64
    /// Tries in vain.
    var tries = 0
    /// The run that tries it.
    var probe: LogModel.RunKey?
  }

  // MARK: - Following the log

  mutating func breakersFollow(_ record: RecordFact) {
    guard !record.campaign.isEmpty else { return }
    var model = breakers[record.campaign] ?? BreakerModel()
    let key = record.run.map { LogModel.RunKey(campaign: record.campaign, number: $0) }
    switch record.kind {
    case "run.started":
      model.sample.removeAll { $0 == key }
      for scope in ["", record.client] { model.sources[scope]?.probe = key }
    case "run.phase", "run.retried":
      guard record.phase == "UPDATE", record.from == "PARKED" || record.kind == "run.retried" else {
        break
      }
      for scope in ["", record.client] { model.sources[scope]?.probe = key }
    case "campaign.resumed" where record.client.isEmpty && record.ring == nil:
      model.sample = []
      model.isBroken = false
    case "environment.held":
      if record.client.isEmpty { model.sources = [:] }
      model.sources[record.client] = SourceModel(nextTry: record.at + Self.firstTry)
    case "environment.resumed": model.sources[record.client] = nil
    case _: break
    }
    if let key, let run = log.runs[key] { model.followProbe(key, run, record) }
    breakers[record.campaign] = model
    followSample(record)
  }

  /// A source is tried for the first time after five minutes, then after ten, twenty, and every thirty.
  fileprivate static var firstTry: Int64 { 300_000 }
  fileprivate static var longestTry: Int64 { 1_800_000 }

  private mutating func followSample(_ record: RecordFact) {
    guard let rule = campaign(record.campaign)?.breakers,
      var sample = breakers[record.campaign]?.sample
    else { return }
    if let key = log.newOutcome { add(key, to: &sample) }
    sample.removeFirst(max(0, sample.count - rule.sample))
    breakers[record.campaign]?.sample = sample
    guard record.turnsBad || record.kind == "campaign.edited", let least = rule.successRate,
      log.campaigns[record.campaign]?.state == "ACTIVE"
    else { return }
    let bad = sample.count { log.runs[$0]?.isBad ?? false }
    if bad * 100 > rule.sample * (100 - least) { breakers[record.campaign]?.isBroken = true }
  }

  /// What was before a person resumed the campaign, or at that moment, does not count.
  private func add(_ key: LogModel.RunKey, to sample: inout [LogModel.RunKey]) {
    guard let at = log.runs[key]?.outcomeAt,
      at > log.campaigns[key.campaign]?.resumedAt ?? .min
    else { return }
    let place = sample.firstIndex {
      (log.runs[$0]?.outcomeAt ?? 0, $0.number) > (at, key.number)
    }
    sample.insert(key, at: place ?? sample.endIndex)
  }

  // MARK: - Judging

  mutating func judgeBreakers(
    _ record: RecordFact, _ campaign: CampaignFact, _ model: LogModel.CampaignModel
  ) {
    judgeHeldKinds(record)
    if breakers[record.campaign]?.isBroken ?? false {
      fail(
        "breaker",
        "\(record.server) is started, and too many of the last servers of its campaign have failed")
    }
    judgePeople(record, campaign)
    judgeSources(record)
    judgeLane(record, campaign, model)
  }

  private mutating func judgeHeldKinds(_ record: RecordFact) {
    let held = log.campaigns[record.campaign]?.heldKinds ?? []
    for kind in log.kinds[record.server] ?? [] where held.contains(kind) {
      fail("breaker", "\(record.server) is started while \(kind) is held")
    }
  }

  /// What is parked goes on to UPDATE or REBOOT, or a failed attempt is repeated: that takes no new
  /// place, but counts among the starts of a minute, asks the source, and waits for people and for
  /// kinds that are held.
  mutating func judgeFurtherStart(_ record: RecordFact) {
    guard log.campaigns[record.campaign]?.state == "ACTIVE",
      let campaign = campaign(record.campaign)
    else { return }
    judgeRate(record, campaign)
    judgePeople(record, campaign)
    judgeHeldKinds(record)
    if record.phase == "UPDATE" { judgeSources(record) }
  }

  /// As many servers as may be down wait for people.
  private mutating func judgePeople(_ record: RecordFact, _ campaign: CampaignFact) {
    guard let most = campaign.maxWaitingForPeople else { return }
    let down = log.down(in: record.campaign)
    if down >= max(1, most) {
      fail("cap", "\(record.server) is started, and \(down) that are down wait for people")
    }
  }

  /// Of those that wait for a source that is silent one tries it, now and then.
  private mutating func judgeSources(_ record: RecordFact) {
    for scope in ["", record.client] {
      guard let source = breakers[record.campaign]?.sources[scope] else { continue }
      let name = "\(record.server) is started while its update source is silent"
      if let probe = source.probe {
        // A failed attempt of the one that tries is repeated by it.
        if probe == record.run.map({ LogModel.RunKey(campaign: record.campaign, number: $0) }) {
          continue
        }
        fail("breaker", "\(name), and \(log.runs[probe]?.server ?? "another") tries it")
      } else if record.at < source.nextTry {
        fail("breaker", "\(name), \((source.nextTry - record.at) / 1_000) s before the next try")
      }
    }
  }

  private mutating func judgeLane(
    _ record: RecordFact, _ campaign: CampaignFact, _ model: LogModel.CampaignModel
  ) {
    guard let most = campaign.breakers.maxFailedPerClient else { return }
    let since = model.lanesResumedAt[record.client] ?? .min
    let bad = log.runs.filter {
      $0.key.campaign == record.campaign && $0.value.client == record.client
        && $0.value.isBad && $0.value.outcomeAt ?? .min > since
    }
    let newest = bad.values.max { $0.outcomeAt ?? 0 < $1.outcomeAt ?? 0 }
    if bad.count >= most, newest?.hadFollowers ?? false {
      fail(
        "breaker",
        "\(record.server) is started, and \(bad.count) of at most \(most) of its lane have failed "
          + "or are held")
    }
  }

  /// Notes whether a server that has failed, or is held, leaves anything to be held back in its lane.
  mutating func noteFollowers(_ record: RecordFact) {
    guard ["HELD", "FAILED"].contains(record.to), record.from != record.to,
      let number = record.run, let ring = record.ring
    else { return }
    let all = rings[record.campaign]?[ring].clients[record.client] ?? 0
    let moved = log.campaigns[record.campaign]?.tallies[record.client]?.pending ?? 0
    let key = LogModel.RunKey(campaign: record.campaign, number: number)
    guard log.runs[key]?.outcomeAt == record.at else { return }
    log.runs[key]?.hadFollowers = all + moved > 0
  }
}

extension Checker.BreakerModel {
  /// A run that tries a source is over, or is told that it has tried in vain.
  fileprivate mutating func followProbe(
    _ key: LogModel.RunKey, _ run: LogModel.RunModel, _ record: RecordFact
  ) {
    for scope in sources.keys where sources[scope]?.probe == key {
      let isInVain = record.reason.hasSuffix("it waits until its update source answers")
      guard isInVain || run.state != "IN_PROGRESS" else { continue }
      sources[scope]?.probe = nil
      guard isInVain, let tries = sources[scope]?.tries else { continue }
      sources[scope]?.tries += 1
      let wait = Checker.firstTry << min(tries + 1, 8)
      sources[scope]?.nextTry = record.at + min(wait, Checker.longestTry)
    }
  }
}

extension RecordFact {
  /// A server fails, or is held, that was neither.
  fileprivate var turnsBad: Bool {
    let bad: Set<String> = ["HELD", "FAILED"]
    return run != nil && bad.contains(to) && !bad.contains(from)
  }
}

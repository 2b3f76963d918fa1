import AtlasModel
import AtlasStore

/// What records of the log say about when servers were down, worked out record by record: for whoever
/// writes evidence, and for whoever checks it.
package struct EvidenceTrail: Sendable {
  /// Something that cannot be if no record is missing or changed.
  package struct Fault: Hashable, Sendable {
    package var seq: UInt64
    package var problem: String
  }

  /// What was before this is left out.
  package let since: Instant
  /// The end of what is told of: a record after it may prove what was before, and says nothing
  /// more.
  package let until: Instant
  /// The campaign whose runs are followed from their beginning.
  package let campaign: String

  /// A server while it was a client's: one that changes hands is two.
  package struct Place: Hashable, Comparable, Sendable {
    package var client: String
    package var server: String

    package init(client: String, server: String) {
      self.client = client
      self.server = server
    }

    package static func < (left: Self, right: Self) -> Bool {
      (left.client, left.server) < (right.client, right.server)
    }
  }

  private struct Holder {
    var run: RunName
    var client: String
    var interval: DownInterval
  }

  /// Where each run is, in the log's word.
  private var states: [RunName: String] = [:]
  /// By server, of which one run at most has a slot.
  private var holders: [String: Holder] = [:]
  private var closed: [Place: [DownInterval]] = [:]
  private var newest: [Place: Outcome] = [:]
  /// By server: the clients that it belonged to by the records.
  private var owners: [String: [String]] = [:]

  /// How a server's newest run of the campaign stands.
  package struct Outcome: Hashable, Sendable {
    package var state: String
    package var detail: String
    package var attempt: Int
    fileprivate var run: Int
  }

  /// Where a run of the campaign began to change its server: every UPDATE, and the ROLLBACK of a
  /// campaign that undoes another.
  package struct Change: Hashable, Sendable {
    package var run: Int
    /// `UPDATE` or `ROLLBACK`.
    package var phase: String
    package var attempt: Int
    package var pass: Int
    package var beganAt: Instant

    package init(run: Int, phase: String, attempt: Int, pass: Int, beganAt: Instant) {
      self.run = run
      self.phase = phase
      self.attempt = attempt
      self.pass = pass
      self.beganAt = beganAt
    }
  }

  /// What is known of the campaign itself.
  package private(set) var course = CampaignCourse()
  /// When a record last showed that the agent of a server was there.
  private(set) var lastSeen: [Place: Instant] = [:]
  private var made: [Place: [Change]] = [:]
  /// The phase that each run of the campaign is in.
  private var phases: [Int: String] = [:]

  package init(campaign: String, since: Instant, until: Instant = .distantFuture) {
    self.campaign = campaign
    self.since = since
    self.until = until
  }

  /// Takes the next record; those of one run in their order.
  /// - Returns: What is wrong with it; nil when nothing is.
  package mutating func take(_ record: LogRecord) -> Fault? {
    noteOwner(record.place)
    if record.campaign == campaign { course.take(record) }
    if isSeen(by: record) { lastSeen[record.place] = record.campaignTime }
    if Self.endsAbsence(record.kind) { return noteAbsence(record) }
    guard let number = record.run else { return nil }
    let run = RunName(campaign: record.campaign, number: number)
    // Runs of other campaigns may have begun long before.
    let expected = states[run] ?? (record.campaign == campaign ? "PENDING" : record.fromState)
    let isKnown = states.updateValue(record.toState, forKey: run) != nil
    if record.campaignTime > until, record.campaign != campaign {
      if !isKnown { noteHolder(record, run) }
    } else {
      follow(record, run, isKnown: isKnown)
    }
    if record.campaign == campaign {
      noteOutcome(record, number)
      noteChange(record, number)
    }
    guard record.fromState == expected else {
      return Fault(
        seq: record.seq,
        problem:
          "\(run) was \(expected), and goes on from \(record.fromState): a record in between "
          + "is missing")
    }
    return nil
  }

  /// Its detail says since when the server was away.
  private mutating func noteAbsence(_ record: LogRecord) -> Fault? {
    guard let milliseconds = Int64(record.detail) else {
      return Fault(seq: record.seq, problem: "“\(record.detail)” is no time in milliseconds")
    }
    let start = Instant(milliseconds: milliseconds)
    close(DownInterval(start: start, end: record.campaignTime, cause: .away), of: record.place)
    return nil
  }

  /// The first record of a run is of when it had its slot already: it took it before there were
  /// records of it here.
  private mutating func noteHolder(_ record: LogRecord, _ run: RunName) {
    guard Self.holdsSlot(record.fromState) else { return }
    holders[record.server] = Holder(
      run: run, client: record.client,
      interval: DownInterval(start: since, end: nil, cause: .workedOn(run: run)))
  }

  private mutating func follow(_ record: LogRecord, _ run: RunName, isKnown: Bool) {
    let (now, server) = (record.campaignTime, record.server)
    if !isKnown { noteHolder(record, run) }
    let known = holders[server].flatMap { $0.run == run ? $0 : nil }
    guard Self.holdsSlot(record.toState) else {
      guard var interval = known?.interval else { return }
      holders[server] = nil
      interval.endStep(now)
      interval.end = now
      return close(interval, of: record.place)
    }
    let fresh = DownInterval(start: now, end: nil, cause: .workedOn(run: run))
    var interval = known?.interval ?? fresh
    interval.begin(
      DownInterval.Step(
        state: record.toState, phase: record.phase, attempt: record.attempt ?? 0,
        pass: record.pass ?? 0, start: now))
    holders[server] = Holder(run: run, client: record.client, interval: interval)
  }

  private mutating func noteOwner(_ place: Place) {
    guard !place.server.isEmpty, !(owners[place.server]?.contains(place.client) ?? false) else {
      return
    }
    owners[place.server, default: []].append(place.client)
  }

  private mutating func close(_ interval: DownInterval, of place: Place) {
    guard let interval = interval.clipped(to: since) else { return }
    closed[place, default: []].append(interval)
  }

  private mutating func noteOutcome(_ record: LogRecord, _ number: Int) {
    let known = newest[record.place]
    if let known, known.run > number { return }
    newest[record.place] = Outcome(
      state: record.toState, detail: record.detail, attempt: record.attempt ?? 0, run: number)
  }

  private mutating func noteChange(_ record: LogRecord, _ number: Int) {
    let before = phases.updateValue(record.phase, forKey: number)
    guard record.toState == "IN_PROGRESS", record.beginsUpdate || record.beginsUndo(after: before)
    else { return }
    made[record.place, default: []].append(
      Change(
        run: number, phase: record.phase, attempt: record.attempt ?? 0, pass: record.pass ?? 0,
        beganAt: record.campaignTime))
  }

  /// Records of these kinds say since when a server was away until then.
  package static func endsAbsence(_ kind: String) -> Bool {
    kind == "server.back" || kind == "server.away"
  }

  /// The slot is taken in these states.
  package static func holdsSlot(_ state: String) -> Bool {
    state == "IN_PROGRESS" || state == "PARKED" || state == "HELD"
  }
}

extension EvidenceTrail {
  /// Servers that were down at some time, or had a run in the campaign that moved; by client and
  /// name.
  package var places: [Place] {
    var found = Set(closed.keys).union(newest.keys)
    for (server, holder) in holders { found.insert(Place(client: holder.client, server: server)) }
    return found.sorted()
  }

  /// Whether a record of the run was taken.
  package func knows(_ run: RunName) -> Bool { states[run] != nil }

  /// Adds what no record tells: an absence that is not over, or a slot of another campaign that was
  /// taken before, and is kept still.
  package mutating func add(_ interval: DownInterval, of place: Place) {
    noteOwner(place)
    close(interval, of: place)
  }

  /// When a server was down by the records, in the order of ``inOrder``.
  /// - Parameters:
  ///   - host: The host that it goes down with; nil when it does not.
  package func intervals(of place: Place, host: String? = nil) -> [DownInterval] {
    var found = own(place)
    if let host {
      for interval in own(host) {
        guard case .workedOn(let run) = interval.cause else { continue }
        found.append(
          DownInterval(
            start: interval.start, end: interval.end, cause: .guest(of: host, run: run)))
      }
    }
    return found.inOrder
  }

  private func own(_ place: Place) -> [DownInterval] {
    let holder = holders[place.server].flatMap { $0.client == place.client ? $0 : nil }
    let open = holder.flatMap { $0.interval.clipped(to: since) }
    return closed[place, default: []] + (open.map { [$0] } ?? [])
  }

  /// The same of a host, whoever it belonged to.
  private func own(_ host: String) -> [DownInterval] {
    owners[host, default: []].flatMap { own(Place(client: $0, server: host)) }
  }

  /// Where its runs in the campaign began to change it, in their order.
  package func changes(of place: Place) -> [Change] { made[place] ?? [] }

  /// How its newest run in the campaign stands; nil before one has moved.
  package func outcome(of place: Place) -> Outcome? { newest[place] }
}

extension LogRecord {
  /// An order to install begins: not its wait, nor what is said of it meanwhile.
  fileprivate var beginsUpdate: Bool {
    phase == "UPDATE" && (kind == "run.phase" || kind == "run.retried")
  }

  /// Only what undoes another campaign goes back without having gone forward.
  fileprivate func beginsUndo(after before: String?) -> Bool {
    phase == "ROLLBACK" && kind == "run.phase" && before == "PRE_CHECK"
  }

  /// The server that it is about.
  package var place: EvidenceTrail.Place {
    EvidenceTrail.Place(client: client, server: server)
  }
}

extension [DownInterval] {
  /// By beginning; of those that begin at once Atlas's own first.
  package var inOrder: [DownInterval] {
    sorted { left, right in
      (left.start, left.cause.rank, left.end ?? .distantFuture, "\(left.cause)")
        < (right.start, right.cause.rank, right.end ?? .distantFuture, "\(right.cause)")
    }
  }
}

extension DownInterval.Cause {
  fileprivate var rank: Int {
    switch self {
    case .workedOn: 0
    case .guest: 1
    case .away: 2
    }
  }
}

extension DownInterval {
  /// Begins another step, unless it is what is done already.
  fileprivate mutating func begin(_ step: Step) {
    if let last = steps.last, last.end == nil, last.state == step.state, last.phase == step.phase,
      last.attempt == step.attempt, last.pass == step.pass
    {
      return
    }
    endStep(step.start)
    steps.append(step)
  }

  fileprivate mutating func endStep(_ now: Instant) {
    if !steps.isEmpty { steps[steps.count - 1].end = now }
  }

  /// Without what was before; nil when nothing is left.
  fileprivate func clipped(to since: Instant) -> DownInterval? {
    if let end, end <= since { return nil }
    guard start < since else { return self }
    var clipped = self
    clipped.start = since
    clipped.steps = steps.compactMap { step in
      if let end = step.end, end <= since { return nil }
      var step = step
      step.start = max(step.start, since)
      return step
    }
    return clipped
  }
}

import AtlasModel
import AtlasStore
import Testing

@testable import AtlasEvidence

/// A log in short: what a test says happened, with positions and times.
struct Story {
  private(set) var records: [LogRecord] = []

  /// - Parameter seconds: Since 1970, campaign time.
  mutating func tell(
    _ seconds: Int64, _ kind: String, _ server: String = "", client: String? = nil,
    from: String = "", to: String = "", phase: String = "", attempt: Int? = nil,
    campaign: String = "night", run: Int? = nil, detail: String = "", principal: String = ""
  ) {
    records.append(
      LogRecord(
        seq: UInt64(records.count + 1), campaignTime: Self.at(seconds),
        realTimeMilliseconds: 0, kind: kind, campaign: campaign,
        client: client ?? String(server.prefix(3)), server: server, run: run,
        fromState: from, toState: to, phase: phase, attempt: attempt, detail: detail,
        principal: principal))
  }

  /// A run from its start to its end.
  mutating func work(
    _ server: String, run: Int, _ start: Int64, _ end: Int64, campaign: String = "night"
  ) {
    tell(
      start, "run.started", server, from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK",
      attempt: 1, campaign: campaign, run: run)
    tell(
      end, "run.completed", server, from: "IN_PROGRESS", to: "COMPLETED", attempt: 1,
      campaign: campaign, run: run, detail: "UPDATED")
  }

  static func at(_ seconds: Int64) -> Instant { Instant(milliseconds: seconds * 1_000) }

  func trail(
    since: Int64 = 0, until: Int64 = 1_000_000
  ) -> (trail: EvidenceTrail, faults: [EvidenceTrail.Fault]) {
    var trail = EvidenceTrail(campaign: "night", since: Self.at(since), until: Self.at(until))
    let faults = records.compactMap { trail.take($0) }
    return (trail, faults)
  }
}

private func place(_ server: String) -> EvidenceTrail.Place {
  EvidenceTrail.Place(client: "LAA", server: server)
}

@Suite struct `The times in which a server was down` {
  private static let run = RunName(campaign: "night", number: 1)

  @Test func `are those in which its run held a slot, with what was done and each boot`() {
    var story = Story()
    let server = "LAA-1"
    story.tell(
      10, "run.started", server, from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK",
      attempt: 1, run: 1)
    for (at, phase) in [(20, "UPDATE"), (20, "UPDATE"), (50, "REBOOT"), (60, "POST_CHECK")] {
      story.tell(
        Int64(at), "run.phase", server, from: "IN_PROGRESS", to: "IN_PROGRESS", phase: phase,
        attempt: 1, run: 1)
    }
    story.tell(
      70, "run.held", server, from: "IN_PROGRESS", to: "HELD", attempt: 1, run: 1,
      detail: "UNHEALTHY")
    story.tell(
      90, "run.failed", server, from: "HELD", to: "FAILED", attempt: 1, run: 1, detail: "ACCEPTED")
    let (trail, faults) = story.trail()
    func step(_ state: String, _ phase: String, _ start: Int64, _ end: Int64) -> DownInterval.Step {
      DownInterval.Step(
        state: state, phase: phase, attempt: 1, pass: 0, start: Story.at(start),
        end: Story.at(end))
    }
    #expect(faults == [])
    #expect(
      trail.intervals(of: place(server)) == [
        DownInterval(
          start: Story.at(10), end: Story.at(90), cause: .workedOn(run: Self.run),
          steps: [
            step("IN_PROGRESS", "PRE_CHECK", 10, 20), step("IN_PROGRESS", "UPDATE", 20, 50),
            step("IN_PROGRESS", "REBOOT", 50, 60), step("IN_PROGRESS", "POST_CHECK", 60, 70),
            step("HELD", "", 70, 90),
          ])
      ])
    let outcome = trail.outcome(of: place(server))
    #expect(outcome?.state == "FAILED")
    #expect(outcome?.detail == "ACCEPTED")
    #expect(
      trail.changes(of: place(server)).map(\.beganAt) == [Story.at(20), Story.at(20)])
  }

  @Test func `are not over while it holds its slot, and begin anew when it takes it again`() {
    var story = Story()
    story.tell(
      10, "run.started", "LAA-1", from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK", run: 1)
    story.tell(20, "run.deferred", "LAA-1", from: "IN_PROGRESS", to: "PENDING", run: 1)
    story.tell(
      30, "run.started", "LAA-1", from: "PENDING", to: "IN_PROGRESS", phase: "PRE_CHECK", run: 1)
    let intervals = story.trail().trail.intervals(of: place("LAA-1"))
    #expect(intervals.map(\.start) == [Story.at(10), Story.at(30)])
    #expect(intervals.map(\.end) == [Story.at(20), nil])
    #expect(intervals.downtime(until: Story.at(45)) == .seconds(25))
  }

  @Test func `are those of its host, and those in which its agent was away`() {
    var story = Story()
    story.work("LAA-HV", run: 1, 10, 30)
    story.tell(40, "server.back", "LAA-1", campaign: "", detail: "20000")
    let trail = story.trail().trail
    #expect(
      trail.intervals(of: place("LAA-1"), host: "LAA-HV") == [
        DownInterval(
          start: Story.at(10), end: Story.at(30), cause: .guest(of: "LAA-HV", run: Self.run)),
        DownInterval(start: Story.at(20), end: Story.at(40), cause: .away),
      ])
    #expect(trail.places == ["LAA-1", "LAA-HV"].map(place))
    #expect(
      trail.intervals(of: place("LAA-1"), host: "LAA-HV").downtime(until: Story.at(99))
        == .seconds(30))
  }

  @Test func `begin with the campaign, also of what another one had begun before`() {
    var story = Story()
    story.tell(
      20, "run.phase", "LAA-1", from: "HELD", to: "IN_PROGRESS", phase: "ROLLBACK",
      campaign: "other", run: 7)
    story.tell(
      30, "run.failed", "LAA-1", from: "IN_PROGRESS", to: "FAILED", campaign: "other", run: 7)
    story.work("LAA-2", run: 8, 2, 4, campaign: "other")
    story.tell(30, "server.back", "LAA-2", campaign: "", detail: "1000")
    let (trail, faults) = story.trail(since: 5)
    #expect(faults == [])
    let intervals = trail.intervals(of: place("LAA-1")) + trail.intervals(of: place("LAA-2"))
    #expect(intervals.map(\.start) == [Story.at(5), Story.at(5)])
    #expect(intervals.map(\.end) == [Story.at(30), Story.at(30)])
  }

  @Test func `are all of the time for a slot of another campaign that a later record shows`() {
    var story = Story()
    story.work("LAA-1", run: 1, 10, 30)
    // Held before this campaign began, and resolved after its end.
    story.tell(
      500, "run.resolved", "LAA-2", from: "HELD", to: "HELD", campaign: "other", run: 7)
    story.tell(
      510, "run.failed", "LAA-2", from: "HELD", to: "FAILED", campaign: "other", run: 7)
    // Began after the end, and is none of its business.
    story.work("LAA-3", run: 8, 600, 700, campaign: "other")
    let (trail, faults) = story.trail(since: 5, until: 400)
    let held = DownInterval(
      start: Story.at(5), end: nil, cause: .workedOn(run: RunName(campaign: "other", number: 7)))
    #expect(faults == [])
    #expect(trail.intervals(of: place("LAA-2")) == [held])
    #expect(trail.intervals(of: place("LAA-3")) == [])
    #expect(trail.places == ["LAA-1", "LAA-2"].map(place))
    #expect(trail.knows(RunName(campaign: "other", number: 7)))
    #expect(!trail.knows(RunName(campaign: "other", number: 9)))
  }

  @Test func `are the times of the client that it belonged to then`() {
    var story = Story()
    story.work("LAA-1", run: 1, 10, 30)
    story.tell(80, "server.back", "LAA-1", client: "NOR", campaign: "", detail: "60000")
    let trail = story.trail().trail
    let moved = EvidenceTrail.Place(client: "NOR", server: "LAA-1")
    #expect(trail.intervals(of: place("LAA-1")).map(\.start) == [Story.at(10)])
    #expect(trail.intervals(of: moved).map(\.start) == [Story.at(60)])
    #expect(trail.outcome(of: place("LAA-1"))?.state == "COMPLETED")
    #expect(trail.outcome(of: moved) == nil)
    #expect(trail.places == [place("LAA-1"), moved])
  }

  @Test func `have a begin of every update of every run, and of what undoes another campaign`() {
    var story = Story()
    func tell(
      _ at: Int64, _ kind: String, _ phase: String, from: String = "IN_PROGRESS",
      to: String = "IN_PROGRESS", attempt: Int = 1, run: Int = 1
    ) {
      story.tell(at, kind, "LAA-1", from: from, to: to, phase: phase, attempt: attempt, run: run)
    }
    tell(10, "run.started", "PRE_CHECK", from: "PENDING")
    tell(20, "run.phase", "UPDATE")
    tell(25, "run.warning", "UPDATE")
    tell(30, "run.backoff", "UPDATE")
    tell(40, "run.retried", "UPDATE", attempt: 2)
    tell(50, "run.parked", "UPDATE", to: "PARKED", attempt: 2)
    tell(55, "run.back", "UPDATE", from: "PARKED", attempt: 2)
    tell(60, "run.phase", "ROLLBACK", attempt: 2)
    tell(70, "run.failed", "", to: "FAILED", attempt: 2)
    tell(80, "run.started", "PRE_CHECK", from: "PENDING", run: 3)
    tell(90, "run.phase", "ROLLBACK", run: 3)
    let changes = story.trail().trail.changes(of: place("LAA-1"))
    func change(_ run: Int, _ phase: String, _ attempt: Int, _ at: Int64) -> EvidenceTrail.Change {
      EvidenceTrail.Change(
        run: run, phase: phase, attempt: attempt, pass: 0, beganAt: Story.at(at))
    }
    #expect(
      changes == [
        change(1, "UPDATE", 1, 20), change(1, "UPDATE", 2, 40), change(3, "ROLLBACK", 1, 90),
      ])
    func basis(_ at: Int64) -> UpdateBasis {
      UpdateBasis(
        checkedAt: Story.at(at), maxBackupAge: nil,
        backup: BackupFact(source: "b", takenAt: Story.at(at - 5)), snapshotRequired: false,
        snapshot: nil, slots: 1)
    }
    // The first is looked at once more; of the third nothing is known.
    let told = UpdateEvidence.all(changes) { $0 == 1 ? [basis(20), basis(22)] : [] }
    #expect(told.map(\.change) == changes)
    #expect(told.map(\.basis) == [basis(22), basis(22), nil])
    #expect(told.map(\.backupAge) == [.seconds(3), .seconds(23), nil])
    let anew = UpdateEvidence.all(changes) { $0 == 1 ? [basis(20), basis(40)] : [basis(95)] }
    #expect(anew.map(\.basis) == [basis(20), basis(40), basis(95)])
  }

  @Test func `cannot be worked out when a record is missing, or says no time`() {
    var story = Story()
    story.tell(
      10, "run.phase", "LAA-1", from: "IN_PROGRESS", to: "IN_PROGRESS", phase: "UPDATE", run: 1)
    story.tell(20, "server.back", "LAA-2", campaign: "", detail: "yesterday")
    #expect(
      story.trail().faults == [
        EvidenceTrail.Fault(
          seq: 1,
          problem: "run 1 of night was PENDING, and goes on from IN_PROGRESS: a record in between "
            + "is missing"),
        EvidenceTrail.Fault(seq: 2, problem: "“yesterday” is no time in milliseconds"),
      ])
  }
}

@Suite struct `The most servers down at once` {
  private func overlap(_ times: [(String, Int64, Int64?)]) -> Overlap {
    Overlap(
      of: times.map { name, start, end in
        let interval = DownInterval(start: Story.at(start), end: end.map(Story.at), cause: .away)
        return (name, [interval])
      }, until: Story.at(100))
  }

  @Test func `are none where nothing was down, or for no time`() {
    #expect(overlap([]) == Overlap())
    #expect(overlap([("A", 5, 5), ("B", 100, nil)]) == Overlap())
  }

  @Test func `are one where the next begins when the last ends`() {
    #expect(
      overlap([("B", 10, 20), ("A", 5, 10)])
        == Overlap(count: 1, at: Story.at(5), servers: ["A"]))
  }

  @Test func `are told with when they were so many first, and which`() {
    #expect(
      overlap([("C", 1, 50), ("A", 10, nil), ("B", 20, 30), ("D", 40, 41)])
        == Overlap(count: 3, at: Story.at(20), servers: ["A", "B", "C"]))
  }

  @Test func `count a server once, whatever keeps it down`() {
    let twice = [
      DownInterval(start: Story.at(1), end: Story.at(9), cause: .away),
      DownInterval(start: Story.at(5), end: Story.at(20), cause: .away),
      DownInterval(start: Story.at(20), end: Story.at(30), cause: .away),
    ]
    #expect(Overlap(of: [("A", twice)], until: Story.at(50)).count == 1)
    #expect(twice.downtime(until: Story.at(25)) == .seconds(24))
  }
}

@Suite struct `A decision` {
  @Test(
    arguments: [
      ("run.approved", "kim", "", "", true), ("stop.latched", "kim", "", "", true),
      ("run.skipped", "kim", "by a person", "", true),
      ("run.skipped", "kim", "cancelled", "", false),
      ("campaign.paused", "kim", "", "stop released: toast", false),
      ("campaign.paused", "engine", "breaker", "", false), ("gate.opened", "", "", "", false),
      ("server.imported", "kim", "added", "", false),
    ])
  func `is what a person decided`(
    kind: String, principal: String, detail: String, reason: String, isDecision: Bool
  ) {
    let record = LogRecord(
      seq: 1, campaignTime: Story.at(0), realTimeMilliseconds: 0, kind: kind, detail: detail,
      reason: reason, principal: principal)
    #expect(record.isDecision == isDecision)
  }
}

import AtlasModel
import Testing

@testable import AtlasEvidence

/// Minutes since 1970: sentences tell of no seconds.
private func at(_ minutes: Int64) -> Instant { Story.at(minutes * 60) }

private func place(_ server: String) -> EvidenceTrail.Place {
  EvidenceTrail.Place(client: "LAA", server: server)
}

@Suite struct `The course of a campaign` {
  private func course(_ tell: (inout Story) -> Void) -> CampaignCourse {
    var story = Story()
    tell(&story)
    return story.trail().trail.course
  }

  @Test func `is what its records say, and nothing before they do`() {
    #expect(course { _ in } == CampaignCourse())
    let begun = course {
      $0.tell(1 * 60, "campaign.created", principal: "anna")
      $0.tell(2 * 60, "campaign.started", principal: "kim")
      $0.tell(3 * 60, "campaign.cancelling", campaign: "other", principal: "kim")
      $0.tell(9 * 60, "run.started", "LAA-1", from: "PENDING", to: "IN_PROGRESS", run: 1)
    }
    var expected = CampaignCourse()
    expected.author = "anna"
    expected.startedAt = at(2)
    expected.state = "ACTIVE"
    expected.lastAt = at(9)
    #expect(begun == expected)
    let ended = course {
      $0.tell(1 * 60, "campaign.created", principal: "anna")
      $0.tell(2 * 60, "campaign.started", principal: "kim")
      $0.tell(4 * 60, "campaign.cancelling", principal: "kim")
      $0.tell(5 * 60, "campaign.ended", detail: "CANCELLED")
      $0.tell(
        90 * 60, "run.snapshot_removed", "LAA-1", from: "COMPLETED", to: "COMPLETED", run: 1)
    }
    expected.state = "CANCELLED"
    expected.endedAt = at(5)
    expected.lastAt = at(5)
    #expect(ended == expected)
  }

  @Test(
    arguments: [
      (nil, 9, nil), (nil, 30, nil),
      (nil, 8, "is 1970-01-01 00:08 UTC, and there is a record of 1970-01-01 00:09 UTC"),
      (20, 20, nil),
      (20, 21, "is 1970-01-01 00:21 UTC, and the campaign ended at 1970-01-01 00:20 UTC"),
      (20, 9, "is 1970-01-01 00:09 UTC, and the campaign ended at 1970-01-01 00:20 UTC"),
    ] as [(Int64?, Int64, String?)])
  func `bounds what evidence may tell of`(ended: Int64?, until: Int64, objection: String?) {
    var course = CampaignCourse()
    course.lastAt = at(9)
    course.endedAt = ended.map(at)
    #expect(course.objection(toUntil: at(until)) == objection)
  }
}

/// What no record tells must at least not be what records speak against.
@Suite struct `An interval that no record tells of` {
  private static let other = RunName(campaign: "other", number: 7)

  struct Case: Sendable {
    var interval: DownInterval
    var server = "LAA-9"
    var objection: String?

    init(
      _ start: Int64, _ cause: DownInterval.Cause, _ objection: String? = nil,
      of server: String = "LAA-9", until end: Int64? = nil, steps: [DownInterval.Step] = []
    ) {
      interval = DownInterval(start: at(start), end: end.map(at), cause: cause, steps: steps)
      self.server = server
      self.objection = objection
    }
  }

  private static let step = DownInterval.Step(
    state: "HELD", phase: "", attempt: 1, pass: 1, start: at(10))

  private static let cases = [
    Case(10, .away), Case(500, .away),
    Case(500, .away, "is in no record", until: 600),
    Case(500, .away, "is in no record", steps: [step]),
    Case(9, .away, "begins at 1970-01-01 00:09 UTC, outside of the campaign's time"),
    Case(900, .away, "begins at 1970-01-01 15:00 UTC, outside of the campaign's time"),
    // It was back at 70, and its run began at 20.
    Case(69, .away, "cannot be: its agent was there at 1970-01-01 01:10 UTC", of: "LAA-2"),
    Case(70, .away, of: "LAA-2"),
    Case(19, .away, "cannot be: its agent was there at 1970-01-01 00:20 UTC", of: "LAA-1"),
    Case(10, .workedOn(run: other)),
    Case(
      11, .workedOn(run: other),
      "begins at 1970-01-01 00:11 UTC, and would have a record of its begin"),
    Case(
      10, .workedOn(run: RunName(campaign: "night", number: 7)),
      "is in no record of run 7 of night"),
    Case(10, .workedOn(run: RunName(campaign: "", number: 7)), "is in no record of run 7 of "),
    Case(
      10, .workedOn(run: RunName(campaign: "other", number: 0)),
      "is in no record of run 0 of other"),
    Case(
      10, .workedOn(run: RunName(campaign: "other", number: 3)),
      "is in no record of run 3 of other"),
    Case(
      10, .workedOn(run: other), "cannot be: run 1 of night had the slot meanwhile", of: "LAA-1"),
    Case(10, .guest(of: "LAA-HV", run: other)),
    Case(
      10, .guest(of: "LAA-1", run: other), "cannot be: run 1 of night had the slot meanwhile"),
  ]

  @Test(arguments: cases)
  func `may be when nothing speaks against it`(row: Case) {
    var story = Story()
    story.work("LAA-1", run: 1, 20 * 60, 30 * 60)
    story.work("LAA-3", run: 3, 20 * 60, 30 * 60, campaign: "other")
    story.tell(70 * 60, "server.back", "LAA-2", campaign: "", detail: "2400000")
    let trail = story.trail(since: 600, until: 54_000).trail
    #expect(trail.objection(to: row.interval, of: place(row.server)) == row.objection)
  }
}

@Suite struct `What updates are said to rely on` {
  @Test func `was looked at before the next one, and in their order`() {
    func objections(_ updates: [(run: Int, beganAt: Int64, checkedAt: Int64)]) -> [String] {
      UpdateEvidence.objections(to: updates.map { ($0.run, at($0.beganAt), at($0.checkedAt)) })
    }
    #expect(objections([]) == [])
    #expect(objections([(1, 10, 10), (1, 20, 10), (1, 30, 33), (2, 40, 40)]) == [])
    // Of two runs each has its own.
    #expect(objections([(1, 10, 10), (2, 20, 5)]) == [])
    #expect(
      objections([(1, 10, 20), (1, 20, 20)]) == [
        "the update of 1970-01-01 00:10 UTC was followed by another at 1970-01-01 00:20 UTC, before "
          + "what it relied on was looked at"
      ])
    #expect(
      objections([(1, 10, 10), (1, 20, 9)]) == [
        "the update of 1970-01-01 00:20 UTC relies on what was looked at before the one that "
          + "precedes it was"
      ])
  }
}

@Suite struct `Hooks that a campaign pinned` {
  @Test func `are listed once, and ran as they are listed`() {
    var hooks = PinnedHooks(revision: "r1")
    #expect(hooks.add("default.lua", sha256: "ab") == nil)
    #expect(hooks.add("default.lua", sha256: "ab") == "default.lua comes twice")
    func objection(_ file: String, _ sum: String, _ revision: String = "r1") -> String? {
      hooks.objection(toRunOf: file, sha256: sum, revision: revision)
    }
    #expect(objection("default.lua", "ab") == nil)
    #expect(
      objection("default.lua", "cd") == "it names the sum cd of default.lua, which has ab")
    #expect(objection("other.lua", "ab") == "other.lua is not among the hook files")
    #expect(
      objection("default.lua", "ab", "r2")
        == "it ran with the hooks of revision “r2”, and the campaign pinned “r1”")
  }

  @Test func `have no sums when their files are not kept any more, or there are none`() {
    let gone = PinnedHooks(revision: "r1")
    #expect(gone.objection(toRunOf: "default.lua", sha256: "", revision: "r1") == nil)
    #expect(
      gone.objection(toRunOf: "default.lua", sha256: "ab", revision: "r1")
        == "it names the sum of default.lua, and no hook file is listed")
    var none = PinnedHooks(revision: "")
    #expect(
      none.add("default.lua", sha256: "ab")
        == "default.lua is a hook file, and the campaign pinned no hooks")
  }
}

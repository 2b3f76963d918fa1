import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("What a campaign leaves open")
struct OpenEndsTests {
  private let times = TimeText(style: .iso, now: 0, local: { "\($0)" })

  private func text(_ report: AtlasV1.Report, wide: Bool = false) -> String {
    let space = TextSpace(isWide: wide, columns: nil, glyphs: .unicode)
    return ReportText(report: report, times: times, space: space).lines.map(\.plainText)
      .joined(separator: "\n")
  }

  private func run(_ number: Int, _ state: AtlasV1.RunState, _ error: String) -> AtlasV1.ServerRun {
    AtlasV1.ServerRun(
      server: "LAA-\(number)", client: "LAA", state: state, detail: "backup", waitsFor: "slot",
      lastError: error)
  }

  @Test("is listed by reason where there is much, the most frequent first")
  func byReason() {
    let stale = (100..<190).map { run($0, .notAttempted, "the last backup is 31 hours old") }
    let report = AtlasV1.Report(
      campaign: .init(name: "november", servers: .init(total: 400, notAttempted: 395)),
      notDone: [run(1, .notAttempted, "no backup")] + stale, truncated: true)
    #expect(
      text(report).hasSuffix(
        """
        Not done: 395; of the first 91:
        SERVERS  STATE                   NOTE                             SUCH AS
             90  NOT_ATTEMPTED (backup)  the last backup is 31 hours old  LAA-100
              1  NOT_ATTEMPTED (backup)  no backup                        LAA-1
        -o wide lists the servers; so does atlas campaign runs november
        """))
    #expect(text(report, wide: true).contains("\nLAA-137 "))
  }

  @Test("is shown once: what is affected now is not listed again as open")
  func onlyOnce() {
    let (held, accepted) = (run(1, .held, "no heartbeat"), run(2, .failed, "accepted"))
    let report = AtlasV1.Report(affectedNow: [held], stillOpen: [held, accepted])
    #expect(
      text(report).hasSuffix(
        """
        Affected now: 1
        SERVER  STATE          PHASE  NOTE
        LAA-1   HELD (backup)  -      no heartbeat

        Still open: 1
        SERVER  STATE            PHASE  NOTE
        LAA-2   FAILED (backup)  -      accepted
        """))
  }

  @Test("begins with what needs a decision of its own, and says where the rest is")
  func decisions() {
    let parked = (1...30).map { "LAA-\($0) is PARKED: resume, or cancel the campaign" }
    let held = "ZED-1 is HELD (UNHEALTHY): retry, roll back, accept"
    let campaign = AtlasV1.Campaign(name: "november", decisions: parked + [held])
    #expect(
      campaign.decisionList(atMost: 2) == [
        held, parked[0], "and 29 more: atlas campaign runs november --state held,parked",
      ])
    #expect(campaign.decisionList(atMost: 31) == [held] + parked)
  }

  @Test(
    "has a note that fits its state",
    arguments: [
      (AtlasV1.RunState.pending, "slot", "", "slot"), (.pending, "slot", "0x80070643", "slot"),
      (.held, "slot", "0x80070643", "0x80070643"), (.held, "a person", "", "a person"),
      (.completed, "slot", "", ""), (.failed, "slot", "0x80070643", "0x80070643"),
    ])
  func note(state: AtlasV1.RunState, waitsFor: String, error: String, note: String) {
    #expect(AtlasV1.ServerRun(state: state, waitsFor: waitsFor, lastError: error).note == note)
  }

  @Test(
    "says of its state what part of it is kept from going on",
    arguments: [
      ([("postponed", "client LAA")], "ACTIVE, 1 client postponed"),
      (
        [("postponed", "client LAA"), ("stopped", "client KBB"), ("postponed", "client NOR")],
        "ACTIVE, 1 client stopped, 2 clients postponed"
      ),
      ([("paused", "campaign"), ("paused", "ring 2")], "ACTIVE, paused, 1 ring paused"),
      ([("lane_held", "client LAA")], "ACTIVE, 1 client held"),
      ([("environment", "client LAA")], "ACTIVE, 1 client held by its environment"),
      ([("environment", "fleet")], "ACTIVE, environment"),
      ([("stopped", "fleet"), ("paused", "campaign")], "ACTIVE, stopped, paused"),
    ])
  func parts(flags: [(String, String)], text: String) {
    let flags = flags.map { AtlasV1.CampaignFlag(kind: $0.0, scope: $0.1) }
    #expect(AtlasV1.Campaign(state: .active, flags: flags).stateText == text)
  }

  @Test("compares itself with other ways only where it was faster than one after the other")
  func gains() {
    func report(_ factor: Double, _ campaign: AtlasV1.Campaign? = nil) -> AtlasV1.Report {
      .init(
        campaign: campaign, makespan: .init(seconds: 60),
        gains: [
          .init(way: "one after the other", time: .init(seconds: 60), factor: 1),
          .init(way: "this campaign", time: .init(seconds: 60), factor: factor),
        ], saved: .init(seconds: -3))
    }
    #expect(text(report(9)).contains("Gains"))
    #expect(text(report(9, .init(state: .active, settled: true))).contains("Gains"))
    #expect(!text(report(9, .init(state: .active))).contains("Gains"))
    for factor in [0, 0.1, 1, 1.05] { #expect(!text(report(factor)).contains("Gains")) }
  }

  @Test("counts as done only what was brought up to date")
  func counts() {
    let counts = AtlasV1.RunCounts(
      total: 1_000, pending: 3, completed: 900, failed: 7, notAttempted: 50, skipped: 30,
      postponed: 10)
    #expect(counts.progressText == "900/1,000")
    #expect(counts.leftOut == 90)
    #expect(counts.ended == 997)
  }
}

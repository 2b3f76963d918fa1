import Testing

@testable import AtlasChecker

@Suite("The checker sees, about the log and the states in it,")
struct LogCheckerTests {
  private func fact(_ night: Night, seq: UInt64, at: Int64) -> RecordFact {
    RecordFact(
      seq: seq, at: at, kind: "hooks.loaded", campaign: "", client: "", server: "", ring: nil,
      run: nil, from: "", to: "", phase: "", attempt: nil, pass: nil, fence: nil, detail: "",
      reason: "é", principal: "ada", previousHash: night.lastHash, hash: [1])
  }

  @Test(
    "a record that is left out, or is older than the one before (S9)",
    arguments: [(3, 0, false), (4, 0, true), (3, -1, true)] as [(UInt64, Int64, Bool)])
  func order(seq: UInt64, later: Int64, isWrong: Bool) {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.committed([fact(night, seq: seq + 1, at: night.at + later)], rows: [], orders: [])
    #expect(night.violations == (isWrong ? ["S9"] : []))
  }

  @Test("a record whose hash is not that of what it says (S9)")
  func hashes() throws {
    let night = Night()
    var record = fact(night, seq: 3, at: night.at)
    record.realTime = 7
    record.hash = try #require(record.hashOfContent)
    var good = night
    good.checker.committed([record], rows: [], orders: [])
    #expect(good.violations == [])
    let changes: [(inout RecordFact) -> Void] = [
      { $0.kind = "hooks.loade" }, { $0.client = "C01" }, { $0.reason = "e" }, { $0.ring = 0 },
      { $0.attempt = 0 }, { $0.fence = 0 }, { $0.realTime = 8 }, { $0.principal = "" },
      { $0.hash[31] ^= 1 },
    ]
    for change in changes {
      var other = record
      change(&other)
      var night = night
      night.checker.committed([other], rows: [], orders: [])
      #expect(night.violations == ["S9"])
    }
  }

  @Test(
    "a campaign that goes from one state to another that does not follow (S8)",
    arguments: [
      (["campaign.cancelling", "CANCELLED"], []), (["COMPLETED"], []),
      (["campaign.started"], ["S8"]), (["CANCELLED"], ["S8"]),
      (["campaign.cancelling", "COMPLETED"], ["S8"]),
      (["campaign.cancelling", "campaign.started"], ["S8"]),
      (["COMPLETED", "campaign.cancelling"], ["S8"]), (["COMPLETED", "COMPLETED"], ["S8"]),
    ])
  func campaigns(steps: [String], wrong: [String]) {
    var night = Night()
    for step in steps {
      let isEnd = !step.hasPrefix("campaign.")
      night.record(
        isEnd ? "campaign.ended" : step, campaign: "night", detail: isEnd ? step : "")
    }
    #expect(night.violations == wrong)
  }

  @Test(
    "a campaign that ends as if all servers had their updates, or as if some had not (S8)",
    arguments: ["COMPLETED", "NOT_ATTEMPTED", "SKIPPED"], ["COMPLETED", "COMPLETED_WITH_FAILURES"])
  func ends(outcome: String, word: String) {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.reportCommitted(9, of: "C01-WEB01", provesHealthy: true)
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: outcome, kind: "run.ended")
    night.record("campaign.ended", campaign: "night", detail: word)
    let isTrue = (outcome == "NOT_ATTEMPTED") == (word != "COMPLETED")
    #expect(night.violations == (isTrue ? [] : ["S8"]))
  }

  @Test(
    "a campaign that ends before all of its servers, or by a run that another has replaced (S8)")
  func endsEarly() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.record("campaign.ended", campaign: "night", detail: "COMPLETED")
    #expect(night.violations == ["S8"])
    var repeated = Night()
    repeated.start("WEB01", run: 1)
    repeated.move("WEB01", run: 1, from: "IN_PROGRESS", to: "NOT_ATTEMPTED", kind: "run.ended")
    repeated.move("WEB01", run: 2, from: "PENDING", to: "PENDING", kind: "run.created")
    repeated.start("WEB01", run: 2)
    repeated.checker.reportCommitted(9, of: "C01-WEB01", provesHealthy: true)
    repeated.move("WEB01", run: 2, from: "IN_PROGRESS", to: "COMPLETED", kind: "run.completed")
    repeated.record("campaign.ended", campaign: "night", detail: "COMPLETED")
    #expect(repeated.violations == [])
  }

  // MARK: - Runs

  @Test(
    "phases that do not follow one another (S8)",
    arguments: [("SNAPSHOT", []), ("FINALIZE", []), ("UPDATE", ["S8"]), ("VERIFY", ["S8"])])
  func phases(phase: String, wrong: [String]) {
    var night = Night()
    night.start("WEB01", run: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase", phase: phase,
      attempt: 1)
    #expect(night.violations == wrong)
  }

  @Test("a start of what was not pending (S8)")
  func startsTwice() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.started",
      phase: "PRE_CHECK", attempt: 1)
    #expect(night.violations.contains("S8"))
  }

  @Test(
    "a pending or parked run that has failed although nothing of it was rolled back (S8)",
    arguments: [false, true])
  func failsUnstarted(wasRolledBack: Bool) {
    var night = Night()
    night.start("WEB01", run: 1)
    if wasRolledBack {
      for phase in ["SNAPSHOT", "UPDATE", "ROLLBACK"] {
        night.move(
          "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase", phase: phase,
          attempt: 1)
      }
    }
    night.checker.reportCommitted(9, of: "C01-WEB01", provesHealthy: true)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "PARKED", kind: "run.parked", phase: "REBOOT")
    night.move("WEB01", run: 1, from: "PARKED", to: "FAILED", kind: "run.failed")
    #expect(night.violations == (wasRolledBack ? [] : ["S8"]))
  }

  @Test(
    "a run that ends as if nothing had been, after a rollback (S8)",
    arguments: [
      ("SKIPPED", ["S8"]), ("NOT_ATTEMPTED", ["S8"]), ("POSTPONED", ["S8"]), ("FAILED", []),
    ])
  func endsUnchanged(state: String, wrong: [String]) {
    var night = Night()
    night.start("WEB01", run: 1)
    for phase in ["SNAPSHOT", "UPDATE", "ROLLBACK"] {
      night.move(
        "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.phase", phase: phase,
        attempt: 1)
    }
    night.record(
      "run.resolved", campaign: "night", client: "C01", server: "C01-WEB01", run: 1,
      from: "IN_PROGRESS", to: "IN_PROGRESS", phase: "ROLLBACK", reason: "retry: once more")
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "PENDING", kind: "run.given_back")
    night.move("WEB01", run: 1, from: "PENDING", to: state, kind: "run.ended")
    #expect(night.violations == wrong)
  }

  @Test("a run that is undone and was not completed (S8)")
  func undone() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "SKIPPED", kind: "run.skipped")
    night.move("WEB01", run: 1, from: "SKIPPED", to: "SKIPPED", kind: "run.undone")
    #expect(night.violations == ["S8"])
  }

  // MARK: - Slots that are given back

  @Test("a server that is accepted by nobody (S1)", arguments: ["", "ada"])
  func accepted(principal: String) {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.began(night.order(5, "UPDATE", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.record(
      "run.failed", campaign: "night", client: "C01", server: "C01-WEB01", run: 1,
      from: "IN_PROGRESS", to: "FAILED", detail: "ACCEPTED", principal: principal)
    #expect(night.violations == (principal.isEmpty ? ["S1"] : []))
  }

  @Test("a server that is completed while it is held (S1)")
  func completedWhileHeld() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.reportCommitted(9, of: "C01-WEB01", provesHealthy: true)
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "HELD", kind: "run.held")
    night.move("WEB01", run: 1, from: "HELD", to: "COMPLETED", kind: "run.completed")
    #expect(Set(night.violations) == ["S1", "S8"])
  }

  @Test("a campaign that is still running after people decided everything (L1)")
  func ended() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.judgeEnded()
    #expect(night.violations == ["L1"])
    var over = Night()
    over.record("campaign.ended", campaign: "night", detail: "COMPLETED")
    over.checker.judgeEnded()
    #expect(over.violations == [])
  }
}

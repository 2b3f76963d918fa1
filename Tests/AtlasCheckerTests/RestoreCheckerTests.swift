import Testing

@testable import AtlasChecker

/// What the checker excuses, and for how long.
@Suite("After a database of before, or beside a clone, the checker")
struct RestoreCheckerTests {
  private static let server = "C01-WEB01"

  private func update(_ night: inout Night, fence: UInt64) {
    night.checker.began(night.order(fence, "UPDATE", Self.server), on: 1, of: Self.server)
    night.checker.ended(fence, on: 1)
  }

  private func complete(_ night: inout Night, from state: String = "IN_PROGRESS") {
    night.move("WEB01", run: 1, from: state, to: "COMPLETED", kind: "run.completed")
  }

  @Test("excuses a run that was open then, and none that is started afterwards")
  func openRuns() {
    var night = Night()
    night.start("WEB01", run: 1)
    update(&night, fence: 5)
    night.restore(to: 3)
    var later = night
    complete(&night)
    #expect(night.violations == [])
    later.move("WEB01", run: 1, from: "IN_PROGRESS", to: "PENDING", kind: "run.given_back")
    later.start("WEB01", run: 1)
    update(&later, fence: 6)
    complete(&later)
    #expect(later.violations == ["S1"])
  }

  @Test("judges a run that the database does not know, once it is started")
  func forgottenRuns() {
    var night = Night()
    night.start("WEB01", run: 1)
    update(&night, fence: 5)
    night.restore(to: 2)
    night.start("WEB01", run: 1)
    update(&night, fence: 6)
    complete(&night)
    #expect(night.violations == ["S1"])
  }

  @Test("does not hold what was done before against a run that changes nothing")
  func forgottenChanges() {
    var night = Night()
    night.checker.snapshotTaken(of: Self.server, for: "night/C01-WEB01")
    night.start("WEB01", run: 1)
    update(&night, fence: 5)
    night.checker.changes(night.order(5, "UPDATE", Self.server), on: 1, of: Self.server)
    let known = night.violations
    night.restore(to: 2)
    night.start("WEB01", run: 1)
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "NOT_ATTEMPTED", kind: "run.ended")
    #expect(night.violations == known)
  }

  @Test(
    "judges a server again that is started long after its clone is gone",
    arguments: [(false, 400, []), (true, 200, []), (true, 400, ["S1"])])
  func clones(isGone: Bool, seconds: Int64, wrong: [String]) {
    var night = Night()
    night.checker.cloned(1, as: 2, of: Self.server)
    if isGone { night.checker.removed(machine: 2) }
    night.at += seconds * 1_000
    night.start("WEB01", run: 1)
    update(&night, fence: 5)
    complete(&night)
    #expect(night.violations == wrong)
  }
}

extension Night {
  /// The database is the one of a record.
  fileprivate mutating func restore(to seq: Int) {
    checker.restored(to: UInt64(seq), copiedAt: at)
    hashes = Array(hashes.prefix(seq))
    lastHash = hashes.last ?? [UInt8](repeating: 0, count: 32)
  }
}

import Testing

@testable import AtlasChecker

/// The checker is what everything rests on: each rule is shown one world in which it holds, and one
/// in which it does not.
@Suite("The checker sees")
struct CheckerTests {
  @Test("a second server that starts while the only slot is taken (S1)")
  func slots() {
    var night = Night()
    night.start("WEB01", run: 1)
    #expect(night.violations == [])
    night.start("WEB02", run: 2)
    #expect(night.violations == ["S1"])
  }

  @Test("a slot that is given back by a server that nobody has proven healthy (S1)")
  func unproven() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.began(night.order(5, "UPDATE", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "COMPLETED", kind: "run.completed")
    #expect(night.violations == ["S1"])
  }

  @Test("nothing wrong with such a server when a copy of it may have answered")
  func cloned() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.began(night.order(5, "UPDATE", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.cloned(1, as: 2, of: "C01-WEB01")
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "COMPLETED", kind: "run.completed")
    #expect(night.violations == [])
  }

  @Test("nothing wrong with a server that is proven healthy and then gives its slot back")
  func proven() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.began(night.order(5, "UPDATE", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.ended(5, on: 1)
    night.checker.reportCommitted(6, of: "C01-WEB01", provesHealthy: true)
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "COMPLETED", kind: "run.completed")
    night.start("WEB02", run: 2)
    #expect(night.violations == [])
  }

  @Test(
    "a server that was rolled back, and changed again by another attempt, but not one that refused it",
    arguments: [false, true])
  func anotherAttempt(isChanged: Bool) {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.began(night.order(5, "ROLLBACK", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.ended(5, on: 1)
    night.checker.reportCommitted(6, of: "C01-WEB01", provesHealthy: true)
    let update = night.order(7, "UPDATE", "C01-WEB01")
    night.checker.began(update, on: 1, of: "C01-WEB01")
    if isChanged { night.checker.changes(update, on: 1, of: "C01-WEB01") }
    night.checker.ended(7, on: 1)
    night.move(
      "WEB01", run: 1, from: "IN_PROGRESS", to: "FAILED", kind: "run.failed", detail: "ROLLED_BACK")
    #expect(night.violations.contains("S1") == isChanged)
  }

  @Test("two servers of a client that are worked on at once (S1)")
  func busy() {
    var night = Night()
    night.checker.began(night.order(5, "UPDATE", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.began(night.order(6, "UPDATE", "C01-WEB02"), on: 2, of: "C01-WEB02")
    #expect(night.violations == ["S1"])
  }

  @Test(
    "a second server that took its slot in an outage keeps it, and one that did not has none (S1)",
    arguments: [false, true])
  func busyAfterOutage(isStartedInOutage: Bool) {
    var night = Night()
    if isStartedInOutage {
      let (from, until) = (night.at, night.at + 7_200_000)
      night.record("client.outage_declared", client: "C01", detail: "\(from)/\(until)/2")
    }
    night.start("WEB01", run: 1)
    night.start("WEB02", run: 2)
    let admitted = night.violations
    #expect(admitted == (isStartedInOutage ? [] : ["S1"]))
    night.at += 86_400_000
    night.checker.now = night.at
    night.checker.began(night.order(5, "ROLLBACK", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.began(night.order(6, "ROLLBACK", "C01-WEB02"), on: 2, of: "C01-WEB02")
    let later = night.violations.dropFirst(admitted.count).filter { $0 == "S1" }
    #expect(later == (isStartedInOutage ? [] : ["S1"]))
  }

  @Test(
    "a start outside the window, and one with too little of it left (S2)",
    arguments: [(-1, true), (0, false), (359, false), (421, true), (480, true)])
  func windows(minutesIn: Int, isWrong: Bool) {
    // Sat 22:00-06:00, and a run needs an hour.
    var night = Night(at: Night.saturday22 + Int64(minutesIn) * 60_000)
    night.start("WEB01", run: 1)
    #expect(night.violations == (isWrong ? ["S2"] : []))
  }

  @Test("an order that begins after its latest time (S2)")
  func tooLate() {
    var night = Night()
    var order = night.order(5, "UPDATE", "C01-WEB01")
    order.notAfter = night.at
    night.checker.decidedToBegin(5, on: 1, believed: night.at + 1)
    night.checker.began(order, on: 1, of: "C01-WEB01")
    #expect(night.violations == ["S2"])
  }

  @Test(
    "a change without a snapshot, or with a backup that is too old, of the future or unverified (S3)",
    arguments: [
      (age: 60, isVerified: true, hasSnapshot: true, wrong: [String]()),
      (age: 60, isVerified: true, hasSnapshot: false, wrong: ["S3"]),
      (age: 25 * 3_600, isVerified: true, hasSnapshot: true, wrong: ["S3"]),
      (age: -60, isVerified: true, hasSnapshot: true, wrong: ["S3"]),
      (age: 60, isVerified: false, hasSnapshot: true, wrong: ["S3"]),
    ])
  func evidence(age: Int, isVerified: Bool, hasSnapshot: Bool, wrong: [String]) {
    var night = Night()
    night.start("WEB01", run: 1)
    let taken = night.at - Int64(age) * 1_000
    night.checker.showed(
      BackupEvidence(takenAt: taken, verifiedAt: isVerified ? taken : nil, lastJobAt: nil),
      for: "night/C01-WEB01")
    if hasSnapshot { night.checker.snapshotTaken(of: "C01-WEB01", for: "night/C01-WEB01") }
    let order = night.order(5, "UPDATE", "C01-WEB01")
    night.checker.decidedToBegin(5, on: 1, believed: night.at)
    night.checker.began(order, on: 1, of: "C01-WEB01")
    night.checker.changes(order, on: 1, of: "C01-WEB01")
    #expect(night.violations == wrong)
  }

  @Test("a change for which no backup was shown at all (S3)")
  func noEvidence() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.snapshotTaken(of: "C01-WEB01", for: "night/C01-WEB01")
    night.checker.changes(night.order(5, "UPDATE", "C01-WEB01"), on: 1, of: "C01-WEB01")
    #expect(night.violations == ["S3"])
  }

  @Test("a start under a stop, of everything and of the client (S4)", arguments: ["", "C01"])
  func stop(client: String) {
    var night = Night()
    night.record("stop.latched", client: client, fence: 9)
    night.start("WEB01", run: 1)
    #expect(night.violations == ["S4"])
  }

  @Test("nothing wrong with a start after the release of another client's stop")
  func otherStop() {
    var night = Night()
    night.record("stop.latched", client: "C02", fence: 9)
    night.start("WEB01", run: 1)
    #expect(night.violations == [])
  }

  @Test("an agent that begins below a stop that it was told of (S4)")
  func belowStop() {
    var night = Night()
    night.checker.sawStop(9, on: 1, of: "C01-WEB01")
    night.checker.began(night.order(5, "REBOOT", "C01-WEB01"), on: 1, of: "C01-WEB01")
    #expect(night.violations == ["S4"])
  }

  @Test("a fence that is carried out twice, or after a higher one (S5)", arguments: [7, 6])
  func fences(second: UInt64) {
    var night = Night()
    night.checker.began(night.order(7, "HEALTH", "C01-WEB01"), on: 1, of: "C01-WEB01")
    night.checker.ended(7, on: 1)
    night.checker.began(night.order(second, "HEALTH", "C01-WEB01"), on: 1, of: "C01-WEB01")
    #expect(Set(night.violations) == ["S5"])
  }

  @Test("a record that was durable and is gone, or is another (S6)")
  func durability() {
    var night = Night()
    night.start("WEB01", run: 1)
    let hashes = night.hashes
    night.checker.found(log: hashes, orders: [])
    #expect(night.violations == [])
    night.checker.found(log: Array(hashes.dropLast()), orders: [])
    #expect(night.violations == ["S6"])
    night.checker.found(log: hashes.dropLast() + [[1]], orders: [])
    #expect(night.violations == ["S6", "S6"])
  }

  @Test("a read that shows what is not durable, and an order that is not (S6)")
  func reads() {
    var night = Night()
    night.checker.shown("night", runs: [(number: 1, state: "PENDING")])
    #expect(night.violations == [])
    night.checker.shown("night", runs: [(number: 1, state: "IN_PROGRESS")])
    night.checker.sent(night.order(5, "HEALTH", "C01-WEB01"), to: "C01-WEB01")
    #expect(night.violations == ["S6", "S6"])
  }

  @Test("nothing wrong with a read that was asked before something changed, and answered after it")
  func slowReads() {
    var night = Night()
    let asked = night.hashes.count
    night.start("WEB01", run: 1)
    night.checker.shown("night", runs: [(number: 1, state: "PENDING")], asked: asked)
    #expect(night.violations == [])
    night.checker.shown("night", runs: [(number: 1, state: "PENDING")], asked: asked + 1)
    #expect(night.violations == ["S6"])
  }

  @Test("a repeat of a request that gets another answer, or none (S6)")
  func answers() {
    var night = Night()
    night.checker.answered("r1", [1])
    night.checker.answered("r1", [1])
    #expect(night.violations == [])
    night.checker.answered("r1", [2])
    night.checker.carriedOut("r2")
    night.checker.refused("r2", "not now")
    #expect(night.violations == ["S6", "S6"])
  }

  @Test("more attempts than the policy and people allow (S7)")
  func attempts() {
    var night = Night()
    night.start("WEB01", run: 1)
    for attempt in 2...4 {
      night.move(
        "WEB01", run: 1, from: "IN_PROGRESS", to: "IN_PROGRESS", kind: "run.retried",
        phase: "UPDATE", attempt: attempt)
    }
    #expect(night.violations.last == "S7")
    #expect(night.violations.count { $0 == "S7" } == 1)
  }

  @Test("a transition that is not in the list, and one out of a terminal state (S8)")
  func transitions() {
    var night = Night()
    night.move("WEB01", run: 1, from: "PENDING", to: "COMPLETED", kind: "run.completed")
    night.move("WEB01", run: 1, from: "COMPLETED", to: "PENDING", kind: "run.given_back")
    #expect(night.violations.contains("S8"))
    #expect(night.violations.count { $0 == "S8" } == 2)
  }

  @Test("a transition without a record: the next one, and the stored row, give it away (S9)")
  func records() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.move("WEB01", run: 1, from: "PARKED", to: "HELD", kind: "run.held")
    #expect(night.violations == ["S9"])
    night.checker.committed(
      [], rows: [RunRowFact(campaign: 0, run: 1, state: "PARKED")], orders: [])
    #expect(night.violations == ["S9", "S9"])
  }

  @Test("a record that does not carry the hash of the one before it (S9)")
  func chain() {
    var night = Night()
    night.lastHash = [9]
    night.start("WEB01", run: 1)
    #expect(night.violations == ["S9"])
  }

  @Test("a name of one client in what reaches another (S10)")
  func isolation() {
    var night = Night()
    night.checker.hookStarted(
      client: "C01", server: "C01-WEB01", texts: ["night/C01-WEB01", "KB5001"])
    #expect(night.violations == [])
    night.checker.hookStarted(client: "C01", server: "C01-WEB01", texts: ["night/C02-WEB01"])
    night.checker.hookStarted(client: "C01", server: "C02-WEB01", texts: [])
    #expect(night.violations == ["S10", "S10"])
  }

  @Test("a repeated report that does something (S11)")
  func repeats() {
    var night = Night()
    night.checker.repeated(5, of: "C01-WEB01", effects: [])
    #expect(night.violations == [])
    night.checker.repeated(5, of: "C01-WEB01", effects: ["run.completed"])
    #expect(night.violations == ["S11"])
  }

  @Test("a start beside a server of its client that is down (S12)", arguments: [false, true])
  func down(isDismissed: Bool) {
    var night = Night()
    night.checker.daemonStarted()
    night.checker.session(of: "C01-WEB02", isOpen: true)
    night.at += 3_600_000
    night.checker.now = night.at
    night.checker.session(of: "C01-WEB02", isOpen: false)
    night.at += 600_000
    if isDismissed { night.record("server.dismissed", client: "C01", server: "C01-WEB02") }
    night.start("WEB01", run: 1)
    #expect(night.violations == (isDismissed ? [] : ["S12"]))
  }

  @Test("a start before, beside or without what the order of the fleet asks for")
  func order() {
    var night = Night()
    night.checker.added(
      ServerFact(name: "C01-WEB01", client: "C01", after: ["C01-WEB02"], group: "nodes"),
      isAnew: true)
    night.checker.answeredAboutPeers(of: "C01-WEB01", isWell: true)
    night.move("WEB02", run: 2, from: "PENDING", to: "PENDING", kind: "run.created")
    night.start("WEB01", run: 1)
    #expect(night.violations == ["order"])
  }

  @Test("a host that takes guests down without an outage")
  func host() {
    var night = Night()
    night.checker.added(
      ServerFact(name: "C01-WEB02", client: "C01", host: "C01-WEB01"), isAnew: true)
    night.start("WEB01", run: 1)
    #expect(night.violations == ["order"])
  }

  @Test("maintenance that is not left, and that is left twice")
  func maintenance() {
    var night = Night()
    night.start("WEB01", run: 1)
    night.checker.entersMaintenance("night/C01-WEB01")
    night.checker.enteredMaintenance("night/C01-WEB01")
    night.move("WEB01", run: 1, from: "IN_PROGRESS", to: "NOT_ATTEMPTED", kind: "run.not_attempted")
    #expect(night.violations == ["maintenance"])
    var twice = Night()
    twice.checker.entersMaintenance("night/C01-WEB01")
    twice.checker.leftMaintenance("night/C01-WEB01", isRepeat: false)
    twice.checker.leftMaintenance("night/C01-WEB01", isRepeat: true)
    #expect(twice.violations == [])
    twice.checker.leftMaintenance("night/C01-WEB01", isRepeat: false)
    #expect(twice.violations == ["maintenance"])
    var putOff = Night()
    putOff.checker.entersMaintenance("night/C01-WEB01")
    putOff.checker.leftMaintenance("night/C01-WEB01", isRepeat: false)
    putOff.checker.repeatedLeave("night/C01-WEB01")
    putOff.checker.leftMaintenance("night/C01-WEB01", isRepeat: false)
    #expect(putOff.violations == [])
  }
}

@Suite("Wall clocks")
struct WallClockTests {
  @Test(
    "follow the rules of their zones",
    arguments: [
      (ZoneFact.european(60), "2026-03-29T00:59Z", 1_774_745_940, 60),
      (.european(60), "2026-03-29T01:00Z", 1_774_746_000, 120),
      (.european(60), "2026-10-25T00:59Z", 1_792_889_940, 120),
      (.european(60), "2026-10-25T01:00Z", 1_792_890_000, 60),
      (.american(-300), "2026-03-08T06:59Z", 1_772_953_140, -300),
      (.american(-300), "2026-03-08T07:00Z", 1_772_953_200, -240),
      (.american(-300), "2026-11-01T05:59Z", 1_793_512_740, -240),
      (.american(-300), "2026-11-01T06:00Z", 1_793_512_800, -300),
      (.fixed(330), "any", 1_793_512_800, 330),
    ])
  func offsets(zone: ZoneFact, name: String, seconds: Int64, minutes: Int) {
    #expect(zone.offset(at: seconds * 1_000) == minutes)
  }

  @Test("a window lasts an hour longer in the night in which clocks are turned back")
  func longNight() {
    let window = WeeklyWindow(weekday: 5, startMinute: 1_320, endMinute: 1_800)
    var client = Night.client
    client.zone = .european(60)
    client.windows = [window]
    let opens = Int64(1_792_872_000_000)
    #expect(client.openUntil(opens - 60_000) == nil)
    #expect(client.openUntil(opens) == opens + 9 * 3_600_000)
  }
}

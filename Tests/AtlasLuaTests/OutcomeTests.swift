import AtlasHooks
import AtlasModel
import Testing

@testable import AtlasLua

@Suite("How a hook ends")
struct OutcomeTests {
  @Test(
    "An outcome function ends the hook with its values",
    arguments: [
      ("ok()", ok("")),
      ("ok('fine')", ok("fine")),
      ("ok('fine', {b = 1, a = {true}})", ok("fine", data: #"{"a":[true],"b":1}"#)),
      ("ok('fine', 'text')", ok("fine", data: #""text""#)),
      ("return ok('returned')", ok("returned")),
      ("skip('decommissioned')", .skip(message: "decommissioned")),
      ("defer{reason = 'backup runs'}", .deferred(after: nil, reason: "backup runs")),
      (
        "defer{after = 90, reason = 'busy'}", .deferred(after: .seconds(90), reason: "busy")
      ),
      ("fail('no')", .fail(message: "no", retryable: false)),
      ("fail('no', {retryable = true})", .fail(message: "no", retryable: true)),
      ("check(false, 'not so')", .fail(message: "not so", retryable: false)),
      ("check(nil)", .fail(message: "check failed", retryable: false)),
      ("check(1 == 1, 'never') ok('after')", ok("after")),
      ("pcall(ok, 'in pcall') fail('no')", ok("in pcall")),
      ("pcall(function() pcall(fail, 'deep') end) ok()", .fail(message: "deep", retryable: false)),
      ("xpcall(ok, error, 'in xpcall') fail('no')", ok("in xpcall")),
      ("ok('control\\1character')", ok("control\u{FFFD}character")),
      ("ok('not UTF-8 \\xff')", ok("not UTF-8 \u{FFFD}")),
    ] as [(String, HookOutcome)])
  func endsWith(body: String, expected: HookOutcome) async {
    #expect(await outcome(.preUpdate, body) == expected)
  }

  @Test("Values that are to be closed are closed after an outcome, and may call the host")
  func closes() async {
    let world = await World(
      "local lock <close> = setmetatable({}, {__close = function() kv.set('closed', true) end}) "
        + "ok('done')")
    #expect(await world.run().outcome == ok("done"))
    #expect(world.keyValue.contents == ["LAA closed = true"])
  }

  @Test("An error while closing replaces an outcome: it is never a success")
  func failingClose() async {
    let body =
      "local lock <close> = setmetatable({}, {__close = function() error('still locked') end}) ok()"
    guard case .error(let error) = await outcome(.preUpdate, body) else {
      Issue.record("it must not succeed")
      return
    }
    #expect(error.kind == .script)
    #expect(error.message == "still locked")
  }

  @Test("Only the first outcome counts")
  func secondOutcome() async {
    let body =
      "local x <close> = setmetatable({}, {__close = function() pcall(fail, 'late') end}) ok('first')"
    #expect(await outcome(.preUpdate, body) == ok("first"))
  }

  @Test("A function that ends without an outcome is an error, not a success")
  func noOutcome() async {
    let error = HookError(
      kind: .script,
      message:
        "pre_update returned without an outcome; end it with ok(), skip(), defer() or fail()",
      file: "default.lua", line: 2)
    guard case .error(let found) = await outcome(.preUpdate, "return true") else {
      Issue.record("it must not succeed")
      return
    }
    #expect(found == error)
  }

  @Test(
    "skip and defer are refused where they mean nothing",
    arguments: HookPoint.allCases)
  func whereOutcomesAreAllowed(point: HookPoint) async {
    let skipped = await outcome(point, "skip('x')")
    let deferred = await outcome(point, "defer{reason = 'x'}")
    #expect((skipped == .skip(message: "x")) == (point == .preUpdate))
    let mayDefer = [.preUpdate, .verifyBackup, .peerCheck].contains(point)
    #expect((deferred == .deferred(after: nil, reason: "x")) == mayDefer)
  }

  @Test("Evidence is recorded in order and typed")
  func evidence() async {
    let world = await World(
      .verifyBackup,
      """
      backup{source = 'veeam', taken_at = 1.8e9 - 60, verified_at = 1.8e9, restore_tested_at = 1,
        last_job_at = 1.8e9 - 90}
      snapshot{id = 's-1', taken_at = 1.8e9}
      snapshot{id = 's-2'}
      ok()
      """)
    let report = await world.run(.verifyBackup)
    #expect(
      report.evidence == [
        .backup(
          source: "veeam", takenAt: Instant(milliseconds: 1_799_999_940_000),
          verifiedAt: Instant(milliseconds: 1_800_000_000_000),
          restoreTestedAt: Instant(milliseconds: 1_000),
          lastJobAt: Instant(milliseconds: 1_799_999_910_000)),
        .snapshot(id: "s-1", takenAt: Instant(milliseconds: 1_800_000_000_000)),
        .snapshot(id: "s-2", takenAt: world.clock.now()),
      ])
  }

  @Test("What was recorded before a failure is reported with it")
  func evidenceOfAFailure() async {
    let world = await World(.snapshot, "snapshot{id = 's'} error('later')")
    let report = await world.run(.snapshot)
    #expect(report.evidence == [.snapshot(id: "s", takenAt: world.clock.now())])
    #expect(report.outcome.word == "error")
  }

  @Test("A function that neither file has is its own outcome")
  func notDefined() async {
    let world = await World(.preUpdate, "ok()")
    let report = await world.run(.rollback)
    #expect(report.outcome == .notDefined)
    #expect(report.file == nil)
    #expect(!world.runner.defines(.rollback, client: ClientName(trusted: "LAA")))
    #expect(world.runner.defines(.preUpdate, client: ClientName(trusted: "LAA")))
  }

  @Test("The client's file goes before the default, function by function")
  func lookup() async {
    let world = await World([
      "default.lua": """
      return {api = 1, pre_update = function() ok('default pre') end,
        finalize = function() ok('default fin') end}
      """,
      "clients/LAA.lua": "return {api = 1, finalize = function() ok('own fin') end}",
    ])
    #expect(await world.run(.preUpdate).outcome == ok("default pre"))
    #expect(await world.run(.finalize).outcome == ok("own fin"))
    #expect(await world.run(.finalize, client: "BEE").outcome == ok("default fin"))
    #expect(await world.run(.finalize).file == "clients/LAA.lua")
    #expect(await world.run(.finalize, client: "BEE").file == "default.lua")
  }

  @Test("The report carries key, revision, times and what it cost")
  func report() async {
    let world = await World("log.info('x') kv.set('a', 1) kv.get('a') kv.get('a') ok()")
    let report = await world.run(key: "k-7")
    #expect(report.key == "k-7")
    #expect(report.revision == world.revision.id)
    #expect(report.startedAt == world.clock.now())
    #expect(report.endedAt == world.clock.now())
    #expect(report.usage.peakMemoryBytes > 10_000)
    #expect(report.usage.cpu > .zero)
    let counts = report.usage.calls.map { "\($0.call.rawValue) \($0.count) \($0.errors)" }
    #expect(counts == ["kv.get 2 0", "kv.set 1 0", "log.info 1 0", "ok 1 0"])
  }
}

import AtlasHooks
import AtlasModel
import Testing

@testable import AtlasLua

@Suite("Hooks and campaign time")
struct TimeTests {
  @Test("sleep takes campaign time")
  func sleep() async {
    let world = await World("local t = time.now() sleep(90.5) ok(tostring(time.now() - t))")
    async let report = world.run()
    await world.clock.sleepers(1)
    world.clock.advance(by: .seconds(90))
    await world.clock.sleepers(1)
    world.clock.advance(by: .milliseconds(500))
    #expect(await report.outcome == ok("90.5"))
  }

  @Test("wait_until asks again until the answer is true, and returns it")
  func waitUntil() async {
    let world = await World(
      """
      local n = 0
      local value, err = wait_until{every = 10, timeout = 60, what = 'the service', fn = function()
        n = n + 1
        return n == 3 and 'up'
      end}
      ok(value .. n)
      """)
    async let report = world.run()
    for _ in 0..<2 {
      await world.clock.sleepers(1)
      world.clock.advance(by: .seconds(10))
    }
    #expect(await report.outcome == ok("up3"))
  }

  @Test("wait_until gives up after its timeout, with a last look at the end")
  func waitUntilTimeout() async {
    let world = await World(
      """
      local times = {}
      local start = time.now()
      local value, err = wait_until{every = 40, timeout = 60, what = 'the service', fn = function()
        times[#times + 1] = math.tointeger(time.now() - start)
      end}
      fail(table.concat(times, ' ') .. ' ' .. err.code .. ': ' .. err.message,
        {retryable = err.retryable})
      """)
    async let report = world.run()
    await world.clock.sleepers(1)
    world.clock.advance(by: .seconds(40))
    await world.clock.sleepers(1)
    world.clock.advance(by: .seconds(20))
    #expect(
      await report.outcome
        == .fail(message: "0 40 60 timeout: the service: not so after 1m", retryable: true))
  }

  @Test("An error inside wait_until's function keeps its place")
  func waitUntilError() async {
    let outcome = await outcome(
      .preUpdate,
      "wait_until{every = 1, timeout = 1, what = 'x', fn = function()\n error('inside') end}")
    guard case .error(let error) = outcome else {
      Issue.record("it must fail")
      return
    }
    #expect(error.message == "inside")
    #expect(error.line == 2)
  }

  @Test("The deadline ends a run that waits, and says where it waited")
  func deadline() async {
    let world = await World("\nsleep(3600)\nok()")
    async let report = world.run()
    await world.clock.sleepers(2, within: .seconds(4_000))
    world.clock.advance(by: .seconds(900))
    #expect(
      await report.outcome
        == .error(
          HookError(
            kind: .deadline, message: "its deadline passed", file: "default.lua", line: 2,
            traceback: "default.lua:2: in the function at line 1")))
  }

  @Test("The deadline ends a run that computes")
  func deadlineOfALoop() async {
    var limits = HookLimits()
    limits.cpu = .seconds(600)
    limits.instructions = .max / 2
    let world = await World(.preUpdate, "log.info('begun') while true do end", limits: limits)
    async let report = world.run()
    await world.clock.sleepers(1, within: .seconds(1_000))
    world.clock.advance(by: .seconds(900))
    guard case .error(let error) = await report.outcome else {
      Issue.record("it must end")
      return
    }
    #expect(error.kind == .deadline)
  }
}

@Suite("Ending hooks from outside")
struct CancelTests {
  @Test("cancel(key:) ends a run that waits for a host call")
  func parked() async {
    let world = await World("sleep(3600) ok()")
    async let report = world.run(key: "k")
    await world.clock.sleepers(2, within: .seconds(4_000))
    world.runner.cancel(key: "other")
    world.runner.cancel(key: "k")
    #expect(await report.outcome.word == "cancelled")
    #expect(world.runner.runningCount == 0)
  }

  @Test(
    "cancel(key:) ends a run that computes, wherever it computes",
    arguments: [
      "while true do end",
      "while true do pcall(function() while true do end end) end",
      "local x <close> = setmetatable({}, {__close = function() while true do end end}) error('x')",
      "xpcall(error, function() while true do end end)",
      "table.sort({2, 1}, function() while true do end end)",
    ])
  func computing(loop: String) async {
    var limits = HookLimits()
    limits.cpu = .seconds(600)
    limits.slice = .seconds(600)
    limits.instructions = .max / 2
    let started = ScriptedHTTP()
    let world = await World(
      .preUpdate, "sleep(1) \(loop)", http: started, limits: limits)
    async let report = world.run(key: "k")
    await world.clock.sleepers(1)
    world.clock.advance(by: .seconds(1))
    world.runner.cancel(key: "k")
    #expect(await report.outcome.word == "cancelled")
  }

  @Test("Cancelling the task ends the run")
  func task() async {
    let world = await World("sleep(3600) ok()")
    let task = Task { await world.run() }
    await world.clock.sleepers(2, within: .seconds(4_000))
    task.cancel()
    #expect(await task.value.outcome.word == "cancelled")
  }

  @Test("A task that is cancelled before it runs never starts its script")
  func beforeStart() async {
    let world = await World("kv.set('ran', true) ok()")
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return await world.run()
    }
    task.cancel()
    #expect(await task.value.outcome.word == "cancelled")
    #expect(world.keyValue.contents == [])
  }

  @Test("A request in flight is given up")
  func request() async {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let http = ScriptedHTTP { _ throws(HookFault) in
      begin.yield()
      while !Task.isCancelled { await Task.yield() }
      throw HookFault(code: "cancelled", message: "stopped", retryable: false)
    }
    let world = await World(.preUpdate, "http.get('http://x') ok()", http: http)
    async let report = world.run(key: "k")
    for await _ in begun { break }
    world.runner.cancel(key: "k")
    #expect(await report.outcome.word == "cancelled")
  }
}

@Suite("Many hooks at once")
struct ConcurrencyTests {
  @Test("A thousand runs wait at the same time, and all end")
  func thousand() async {
    let world = await World("sleep(60) ok(run.key)")
    await withTaskGroup(of: HookReport.self) { group in
      for index in 0..<1_000 { group.addTask { await world.run(key: "k\(index)") } }
      await world.clock.sleepers(1_000)
      #expect(world.runner.runningCount == 1_000)
      world.clock.advance(by: .seconds(60))
      var keys: Set<String> = []
      for await report in group {
        #expect(report.outcome == ok(report.key))
        keys.insert(report.key)
      }
      #expect(keys.count == 1_000)
    }
    #expect(world.runner.runningCount == 0)
  }

  @Test("Runs beyond the limit wait for their turn")
  func limited() async {
    var limits = HookLimits()
    limits.concurrentRuns = 2
    let world = await World(.preUpdate, "log.info(run.key) sleep(60) ok()", limits: limits)
    await withTaskGroup(of: HookReport.self) { group in
      for index in 0..<5 { group.addTask { await world.run(key: "k\(index)") } }
      for (expected, sleepers) in [(2, 2), (4, 2), (5, 1)] {
        await world.clock.sleepers(sleepers)
        #expect(world.log.lines.count == expected)
        world.clock.advance(by: .seconds(60))
      }
      for await report in group { #expect(report.outcome == ok("")) }
    }
  }

  @Test("A run that waits for its turn can be cancelled, and leaves nothing behind")
  func cancelledWhileWaiting() async {
    var limits = HookLimits()
    limits.concurrentRuns = 1
    let world = await World(.preUpdate, "log.info(run.key) sleep(60) ok()", limits: limits)
    async let first = world.run(key: "first")
    await world.clock.sleepers(1)
    async let second = world.run(key: "second")
    while world.runner.runningCount < 2 { await Task.yield() }
    world.runner.cancel(key: "second")
    #expect(await second.outcome.word == "cancelled")
    world.clock.advance(by: .seconds(60))
    #expect(await first.outcome == ok(""))
    async let third = world.run(key: "third")
    await world.clock.sleepers(1)
    world.clock.advance(by: .seconds(60))
    #expect(await third.outcome == ok(""))
    #expect(world.log.lines == ["info first", "info third"])
  }

  @Test("Runs that compute give way to one another")
  func fairness() async {
    let world = await World([
      "default.lua": """
      return {api = 1,
        pre_update = function() local n = 0 while n < 3e6 do n = n + 1 end ok('computed') end,
        finalize = function() ok('quick') end}
      """
    ])
    await withTaskGroup(of: HookReport.self) { group in
      for _ in 0..<8 { group.addTask { await world.run(.preUpdate) } }
      for _ in 0..<8 { group.addTask { await world.run(.finalize) } }
      for await report in group {
        #expect(report.usage.longestSlice < .milliseconds(40))
        #expect(["computed", "quick"].contains { report.outcome == ok($0) })
      }
    }
  }
}

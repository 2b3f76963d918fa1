import AtlasHooks
import AtlasModel
import Testing

@testable import AtlasLua

@Suite("What hooks can ask of the daemon")
struct HostCallTests {
  @Test("run says everything about the run")
  func run() async {
    let world = await World(
      """
      local lines = {}
      for key, value in pairs(run) do
        if type(value) ~= 'table' then lines[#lines + 1] = key .. '=' .. tostring(value) end
      end
      for _, role in ipairs(run.roles) do lines[#lines + 1] = 'role=' .. role end
      for _, u in ipairs(run.updates) do lines[#lines + 1] = u.id .. ':' .. u.outcome .. ':' .. u.code end
      table.sort(lines)
      ok(table.concat(lines, ' '))
      """)
    let report = await world.run {
      $0.snapshotID = "s-1"
      $0.roles = [Role(trusted: "DC"), Role(trusted: "FSMO")]
      $0.restarted = true
      $0.updates = [
        UpdateResult(update: UpdateID(trusted: "KB1"), outcome: .failed, code: "0x80070643")
      ]
    }
    #expect(
      report.outcome
        == ok(
          "KB1:failed:0x80070643 attempt=1 campaign=april client=LAA deadline=1800000900.0 "
            + "dry_run=false key=c1/LAA-PARIS-DC01/1 pass=1 phase=PRE_CHECK point=pre_update "
            + "restarted=true ring=2 role=DC role=FSMO rollback=false server=LAA-PARIS-DC01 "
            + "site=PARIS snapshot_id=s-1"))
  }

  // MARK: kv

  @Test(
    "Values come back as they were stored",
    arguments: [
      "true", "false", "5", "0.5", "'text'", "''", "{}", "{1, 2, 3}", "{a = {b = 'c'}}",
      "math.maxinteger", "'é\\n\"'",
    ])
  func keyValueRoundTrip(value: String) async {
    let body =
      "local v = \(value) kv.set('k', v) local back = kv.get('k') "
      + "ok(tostring(json.encode(back) == json.encode(v)) .. ' ' .. type(back))"
    let expected = "true "
    guard case .ok(let message, _) = await outcome(.preUpdate, body) else {
      Issue.record("it must succeed")
      return
    }
    #expect(message.hasPrefix(expected))
  }

  @Test("Keys can be compared and set, and deleted")
  func keyValueCompareAndSet() async {
    let world = await World(
      """
      local seen = {}
      local function note(v) seen[#seen + 1] = tostring(v) end
      note(kv.get('k'))
      note(kv.cas('k', nil, {n = 1}))
      note(kv.cas('k', nil, {n = 2}))
      note(kv.cas('k', {n = 1}, {n = 2}))
      note(kv.get('k').n)
      note(kv.delete('k'))
      note(kv.get('k'))
      ok(table.concat(seen, ' '))
      """)
    #expect(await world.run().outcome == ok("nil true false true 2 true nil"))
  }

  @Test("What one client stores, another does not see")
  func keyValueIsolation() async {
    let world = await World("local v = kv.get('k') kv.set('k', run.client) ok(tostring(v))")
    #expect(await world.run(client: "LAA").outcome == ok("nil"))
    #expect(await world.run(client: "BEE").outcome == ok("nil"))
    #expect(await world.run(client: "LAA").outcome == ok("LAA"))
    #expect(world.keyValue.contents == ["BEE k = \"BEE\"", "LAA k = \"LAA\""])
  }

  @Test("A store that fails is an error the script can see")
  func keyValueFails() async {
    let world = await World(
      "local v, err = kv.set('k', 1) ok(err.code .. ' ' .. err.message .. ' ' .. tostring(err.retryable))"
    )
    world.keyValue.failure.withLock {
      $0 = HookFault(code: "store", message: "the disk is full", retryable: true)
    }
    #expect(await world.run().outcome == ok("store the disk is full true"))
  }

  // MARK: http

  @Test("A request carries what the script asked for")
  func request() async {
    let world = await World(
      """
      local res = http.request{url = 'http://x/y?z=1', method = 'put', headers = {['X-A'] = 'b', n = 5},
        json = {b = {1, 2}, a = 'é'}, timeout = 7.5, retries = 2}
      ok(res.status .. res.body)
      """)
    #expect(await world.run().outcome == ok(#"200{"good":true}"#))
    #expect(
      world.http.requests == [
        HookHTTPRequest(
          client: ClientName(trusted: "LAA"), method: "PUT", url: "http://x/y?z=1",
          headers: [
            .init(name: "X-A", value: "b"), .init(name: "n", value: "5"),
            .init(name: "content-type", value: "application/json"),
          ],
          body: Array(#"{"a":"é","b":[1,2]}"#.utf8), timeout: .milliseconds(7_500), retries: 2)
      ])
  }

  @Test("A response has status, headers by lower-case name, body and json()")
  func response() async {
    let http = ScriptedHTTP { _ in
      HookHTTPResponse(
        status: 404,
        headers: [
          .init(name: "X-Thing", value: "a"), .init(name: "x-thing", value: "b"),
          .init(name: "Age", value: "7"),
        ],
        body: Array(#"{"jobs":[{"id":"j1","age":1.5}]}"#.utf8))
    }
    let body =
      "local res = http.get('http://x') local jobs = res.json().jobs "
      + "ok(res.status .. ' ' .. res.headers['x-thing'] .. ' ' .. res.headers.age .. ' ' "
      + ".. jobs[1].id .. ' ' .. jobs[1].age .. ' ' .. #res.body)"
    #expect(await outcome(.preUpdate, body, http: http) == ok("404 a, b 7 j1 1.5 32"))
  }

  @Test("A body that is no JSON is an error, not a crash")
  func notJSON() async {
    let http = ScriptedHTTP { _ in HookHTTPResponse(status: 200, body: Array("<html>".utf8)) }
    let body =
      "local v, err = http.get('http://x').json() ok(tostring(v) .. ' ' .. err.code .. ' ' .. err.message)"
    #expect(
      await outcome(.preUpdate, body, http: http)
        == ok("nil json not JSON: a value was expected at byte 1"))
  }

  @Test("A request that fails is nil and an error")
  func failing() async {
    let http = ScriptedHTTP { _ throws(HookFault) in
      throw HookFault(code: "timeout", message: "no answer within 30s", retryable: true)
    }
    let body =
      "local res, err = http.get('http://x') fail(err.message, {retryable = err.retryable})"
    #expect(
      await outcome(.preUpdate, body, http: http)
        == .fail(message: "no answer within 30s", retryable: true))
  }

  @Test("A body of a mebibyte passes both ways")
  func largeBodies() async {
    let http = ScriptedHTTP { request in
      HookHTTPResponse(status: 200, body: request.body)
    }
    let body =
      "local s = ('x'):rep(1024 * 1024) local res = http.post{url = 'http://x', body = s} "
      + "ok(tostring(res.body == s))"
    #expect(await outcome(.preUpdate, body, http: http) == ok("true"))
  }

  // MARK: log

  @Test("Lines have a level, fields in order, and no control characters")
  func log() async {
    let world = await World(
      """
      log.debug('d') log.info('i', {b = 2, a = {x = 1, y = {true}}}) log.warn('w\\27[31m') log.error('e')
      ok()
      """)
    _ = await world.run()
    #expect(
      world.log.lines == [
        "debug d", "info i a={x=1, y=[true]} b=2", "warn w\u{FFFD}[31m", "error e",
      ])
    #expect(world.log.all.first?.server.text == "LAA-PARIS-DC01")
    #expect(world.log.all.first?.key == "c1/LAA-PARIS-DC01/1")
  }

  @Test("A script that logs without end is cut off, once and visibly")
  func logCap() async {
    let world = await World("for i = 1, 2000 do log.info('line ' .. i) end ok()")
    #expect(await world.run().outcome == ok(""))
    #expect(world.log.lines.count == HookLimits.logRecords)
    #expect(world.log.lines.last == "warn more than 1000 lines: the rest is dropped")
    let long = await World("log.info(('x'):rep(100000)) ok()")
    _ = await long.run()
    #expect(long.log.all.first?.message.utf8.count == HookLimits.logMessage)
  }

  // MARK: Dry runs

  @Test("A dry run reads for real, only logs writes, and sees its own")
  func dryRun() async {
    let world = await World(
      """
      kv.set('k', 'new')
      local seen = kv.get('k') .. tostring(kv.cas('k', 'new', 'newer')) .. kv.get('k')
      kv.delete('k')
      seen = seen .. tostring(kv.get('k'))
      local res, err = http.post{url = 'http://x/snapshots', json = {}}
      ok(seen .. ' ' .. err.code .. ' ' .. http.get('http://x').status)
      """)
    let report = await world.run { $0.dryRun = true }
    #expect(report.outcome == ok("newtruenewernil dry_run 200"))
    #expect(world.keyValue.contents == [])
    #expect(world.http.requests.map(\.method) == ["GET"])
    #expect(
      world.log.lines == [
        "info dry run: kv.set k was not stored", "info dry run: kv.cas k was not stored",
        "info dry run: kv.delete k was not deleted",
        "info dry run: POST http://x/snapshots was not sent",
      ])
    let withheld = report.usage.calls.filter { $0.withheld > 0 }.map(\.call.rawValue)
    #expect(withheld == ["http.post", "kv.cas", "kv.delete", "kv.set"])
  }

  // MARK: Modules

  @Test("Hooks and modules share modules of lib")
  func modules() async {
    let world = await World([
      "default.lua": """
      local a = require 'lib.a'
      return {api = 1, pre_update = function() ok(a.name .. require('lib.deep.b').name) end}
      """,
      "lib/a.lua": "return {name = 'a' .. require('lib.deep.b').name}",
      "lib/deep/b.lua": "return {name = 'b'}",
    ])
    #expect(world.revision.findings == [])
    #expect(await world.run().outcome == ok("abb"))
  }

  @Test("The same key draws the same random numbers, in every run")
  func random() async {
    let world = await World("ok(tostring(math.random(1000000)))")
    let first = await world.run(key: "a").outcome
    #expect(await world.run(key: "a").outcome == first)
    #expect(await world.run(key: "b").outcome != first)
  }

  @Test("A run sees nothing that another one left behind")
  func isolation() async {
    let world = await World([
      "default.lua": """
      counter = (counter or 0) + 1
      return {api = 1, pre_update = function(run)
        string.leak = (string.leak or '') .. run.client
        leaked = (leaked or '') .. run.client
        ok(counter .. string.leak .. leaked .. ('x'):upper())
      end}
      """
    ])
    for client in ["LAA", "BEE", "LAA"] {
      #expect(await world.run(client: client).outcome == ok("1\(client)\(client)X"))
    }
  }
}

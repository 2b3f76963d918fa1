import AtlasHooks
import AtlasModel
import Testing

@testable import AtlasLua

@Suite("How a hook fails")
struct FailureTests {
  private func failure(
    _ body: String, limits: HookLimits = HookLimits(), http: ScriptedHTTP = ScriptedHTTP()
  ) async -> HookError? {
    let outcome = await World(.preUpdate, body, http: http, limits: limits).run().outcome
    guard case .error(let error) = outcome else { return nil }
    return error
  }

  @Test("An uncaught error has message, file, line and traceback")
  func script() async {
    let error = await failure("\nlocal function helper() error('boom') end\nhelper()")
    #expect(
      error
        == HookError(
          kind: .script, message: "boom", file: "default.lua", line: 2,
          traceback: "default.lua:2: in 'helper'\ndefault.lua:3: in the function at line 1"))
  }

  @Test("A failure of the host that the script only asserts is of kind host")
  func host() async {
    let http = ScriptedHTTP { _ throws(HookFault) in
      throw HookFault(code: "connect", message: "no connection", retryable: true)
    }
    let error = await failure("\nlocal res = assert(http.get('http://backup/x'))", http: http)
    #expect(
      error
        == HookError(
          kind: .host, message: "no connection (connect)", file: "default.lua", line: 2,
          traceback: "default.lua:2: in the function at line 1"))
  }

  @Test(
    "Every limit has its kind, and says where it struck",
    arguments: [
      ("while true do end", HookError.Kind.limitCPU),
      ("while true do pcall(function() while true do end end) end", .limitCPU),
      ("table.sort({2, 1}, function() while true do end end)", .limitCPU),
      ("local t = {} while true do t = {t} end", .limitMemory),
      ("local function f() return 1 + f() end f()", .limitMemory),
      ("local s = 'x' while true do s = s .. s end", .limitMemory),
    ] as [(String, HookError.Kind)])
  func limits(body: String, kind: HookError.Kind) async {
    var limits = HookLimits()
    limits.cpu = .milliseconds(200)
    let error = await failure(body, limits: limits)
    #expect(error?.kind == kind)
    #expect(error?.file == "default.lua")
    #expect(error?.line == 1)
    #expect(error?.traceback.hasPrefix("default.lua:1: in ") == true)
  }

  @Test("The instruction limit has its own kind")
  func instructions() async {
    var limits = HookLimits()
    limits.instructions = 100_000
    let error = await failure("while true do end", limits: limits)
    #expect(error?.kind == .limitInstructions)
    #expect(error?.message == "it ran more than 100000 instructions")
  }

  @Test("Calling the host again and again does not escape the CPU limit")
  func hostCalls() async {
    var limits = HookLimits()
    limits.cpu = .milliseconds(50)
    let error = await failure("while true do time.now() end", limits: limits)
    #expect(error?.kind == .limitCPU)
    #expect(error?.message == "it used more than 50ms of CPU time")
  }

  @Test("A module that fails is named with its line")
  func module() async {
    let world = await World([
      "default.lua": """
      return {api = 1, pre_update = function() require('lib.broken').f() end}
      """,
      "lib/broken.lua": "return {f = function()\n local x = nil\n return x.y\nend}",
    ])
    guard case .error(let error) = await world.run().outcome else {
      Issue.record("it must fail")
      return
    }
    #expect(error.file == "lib/broken.lua")
    #expect(error.line == 3)
    #expect(error.message == "attempt to index a nil value (local 'x')")
  }

  @Test("A revision that is not loaded is a fault of the engine")
  func unknownRevision() async {
    let world = await World(.preUpdate, "ok()")
    let report = await world.run { $0.revision = HookRevisionID("gone") }
    let message = "the hook revision gone is not loaded"
    #expect(report.outcome == .error(HookError(kind: .engine, message: message)))
  }
}

@Suite("What a script does wrong is raised at its own line")
struct MisuseTests {
  @Test(
    "Misuse names the call, what is wrong, and the line",
    arguments: [
      ("http.get{}", "http.get: url is missing"),
      ("http.get{url = 5}", "http.get: url must be text, it is number"),
      (
        "http.get('ftp://x')",
        "http.get: url must begin with http:// or https:// and have no blanks"
      ),
      (
        "http.get('http://a b')",
        "http.get: url must begin with http:// or https:// and have no blanks"
      ),
      ("http.get{url = 'http://x', retry = 1}", "http.get: it has no option 'retry'"),
      ("http.get{url = 'http://x', body = 'x'}", "http.get: a GET request has no body"),
      (
        "http.get{url = 'http://x', timeout = 1000}",
        "http.get: timeout must be above 0, at most 5m"
      ),
      (
        "http.get{url = 'http://x', timeout = 'x'}",
        "http.get: timeout must be a number of seconds, it is string"
      ),
      (
        "http.get{url = 'http://x', retries = 9}",
        "http.get: retries must be a whole number from 0 to 5"
      ),
      (
        "http.get{url = 'http://x', headers = {['a b'] = 'x'}}",
        "http.get: 'a b' is no name of a header"
      ),
      (
        "http.get{url = 'http://x', headers = {a = 'x\\r\\nb: y'}}",
        "http.get: the header a has a line break or a control character"
      ),
      (
        "http.get{url = 'http://x', headers = {Host = 'other'}}",
        "http.get: the header Host cannot be set"
      ),
      (
        "http.get{url = 'http://x', headers = {a = {}}}",
        "http.get: the header a must be text, it is table"
      ),
      ("http.post{url = 'http://x', body = 1, json = 1}", "http.post: give json or body, not both"),
      ("http.post{url = 'http://x', body = {}}", "http.post: body must be text, it is table"),
      ("http.request{url = 'http://x'}", "http.request: method is missing"),
      (
        "http.request{url = 'http://x', method = 'BREW'}",
        "http.request: method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
      ),
      ("kv.set('', 1)", "kv.set: key must be a text of 1 to 512 bytes of UTF-8"),
      ("kv.set(('k'):rep(513), 1)", "kv.set: key must be a text of 1 to 512 bytes of UTF-8"),
      ("kv.set('\\xff', 1)", "kv.set: key must be a text of 1 to 512 bytes of UTF-8"),
      ("kv.set('k', ('x'):rep(70000))", "kv.set: value takes more than 64 KiB as JSON"),
      ("kv.set('k')", "kv.set: argument 2 must be a value, it is missing"),
      ("backup{taken_at = 1}", "backup: source is missing: what took the backup"),
      ("backup{source = 'x'}", "backup: taken_at is missing"),
      (
        "backup{source = 'x', taken_at = 'now'}",
        "backup: taken_at must be a time in seconds, it is string"
      ),
      (
        "backup{source = 'x', taken_at = 1.8e12}",
        "backup: taken_at must be a time in seconds since 1970"
      ),
      ("backup{source = 'x', taken = 1}", "backup: taken_at is missing"),
      (
        "backup{source = 'x', taken_at = 1, verified = 1}", "backup: it has no option 'verified'"
      ),
      ("backup('x')", "backup: argument 1 must be a table, it is string"),
      ("snapshot{}", "snapshot: id must be a text of 1 to 256 bytes"),
      ("sleep(-1)", "sleep: seconds must be from 0 to 604800 seconds"),
      ("sleep(0/0)", "sleep: seconds must be from 0 to 604800 seconds"),
      ("sleep()", "sleep: argument 1 must be a number, it is missing"),
      (
        "wait_until{every = -1, timeout = 1, what = 'x', fn = error}",
        "wait_until: every must be from 0 to 604800 seconds"
      ),
      ("log.info()", "log.info: argument 1 must be text, it is missing"),
      ("log.info('x', {1, 2})", "log.info: fields must have names: {server = run.server}"),
      ("defer{after = 1}", "defer: reason is missing"),
      ("defer{after = 1, reason = 'x', why = 1}", "defer: it has no option 'why'"),
      ("fail()", "fail: argument 1 must be text, it is missing"),
      (
        "fail('x', {retryable = 1})",
        "fail: retryable must be true or false, it is number"
      ),
      ("ok('x', ('x'):rep(70000))", "ok: data takes more than 64 KiB as JSON"),
      ("ok('x', {f = error})", "json: a function has no JSON form"),
      ("require('lib.none')", "require: there is no module 'lib.none'"),
      ("require('lib/../secret')", "require: there is no module 'lib/../secret'"),
      ("require('lib..x')", "require: there is no module 'lib..x'"),
      ("require('default')", "require: there is no module 'default'"),
      (
        "('x'):gsub('x', function() ok() end)",
        "ok cannot be called from a metamethod, or from a function given to table.sort, "
          + "string.gsub or xpcall"
      ),
      ("run.key = 'x'", "this table is read-only"),
      ("table.insert(run.roles, 'x')", "this table is read-only"),
    ])
  func raises(body: String, message: String) async {
    let outcome = await outcome(.preUpdate, "\n\n\(body)")
    guard case .error(let error) = outcome else {
      Issue.record("\(body) must be refused, not end with \(outcome)")
      return
    }
    #expect(error.kind == .script)
    #expect(error.message == message)
    #expect(error.file == "default.lua")
    #expect(error.line == 3)
  }

  @Test("Misuse can be caught, and counts as an error of its call")
  func caught() async {
    let world = await World("local good, why = pcall(sleep, -1) ok(why)")
    let report = await world.run()
    #expect(
      report.outcome == ok("default.lua:1: sleep: seconds must be from 0 to 604800 seconds"))
    #expect(report.usage.calls.first { $0.call == .sleep }?.errors == 1)
  }
}

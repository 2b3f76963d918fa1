import AtlasHooks
import AtlasModel
import Testing

@testable import AtlasLua

@Suite("Revisions of hook files")
struct RevisionTests {
  private func findings(_ sources: [String: String]) async -> [String] {
    await World(sources).revision.findings.map(\.description)
  }

  @Test(
    "A check names file and line of what is wrong",
    arguments: [
      ("return {api = 1}", []),
      ("return {api = 1, pre_update = function() ok() end}", []),
      ("return {", ["default.lua:1: error: unexpected symbol near <eof>"]),
      ("\n\nx = = 1", ["default.lua:3: error: unexpected symbol near '='"]),
      ("return {}", ["default.lua:1: error: `api` is missing; write api = 1"]),
      (
        "return {api = 2}",
        ["default.lua:1: error: api = 2 is not known here; this daemon knows api = 1"]
      ),
      (
        "return {api = '1'}", ["default.lua:1: error: `api` is missing; write api = 1"]
      ),
      (
        "return 5",
        ["default.lua:1: error: a hook file returns a table of functions, this one a number"]
      ),
      (
        "return {api = 1, post_updat = function() end}",
        [
          "default.lua:1: error: 'post_updat' is no hook function; those are order_group, "
            + "peer_check, pre_update, verify_backup, enter_maintenance, leave_maintenance, "
            + "snapshot, post_update, finalize, rollback"
        ]
      ),
      (
        "return {api = 1, on_failure = function() end}",
        ["default.lua:1: warning: 'on_failure' is not called by this version"]
      ),
      (
        "return {api = 1, rollback = 'x'}",
        ["default.lua:1: error: 'rollback' must be a function, it is a string"]
      ),
      (
        "return {api = 1, pre_update = function()\n print('x') os.exit() end}",
        [
          "default.lua:2: error: 'os' is not defined",
          "default.lua:2: error: 'print' is not defined",
        ]
      ),
      (
        "local t = {}\nfunction t.f() return undefined_one end\nreturn {api = 1, rollback = function()\n"
          + "local function inner() return undefined_two end inner() end}",
        [
          "default.lua:2: error: 'undefined_one' is not defined",
          "default.lua:4: error: 'undefined_two' is not defined",
        ]
      ),
      (
        "function helper() end\nreturn {api = 1, rollback = function() helper() end}",
        ["default.lua:1: warning: 'helper' is a global; write `local`"]
      ),
      (
        "local print = error\nreturn {api = 1, rollback = function() print() end}", []
      ),
      (
        "http.get('http://x')\nreturn {api = 1}",
        [
          "default.lua:1: error: http.get cannot be called while the file loads; "
            + "call it inside a function"
        ]
      ),
      ("error('early')\nreturn {api = 1}", ["default.lua:1: error: early"]),
    ] as [(String, [String])])
  func findings(source: String, expected: [String]) async {
    #expect(await findings(["default.lua": source]) == expected)
  }

  @Test("Modules are checked too, and named in what they break")
  func modules() async {
    let broken = await findings([
      "default.lua": "local m = require 'lib.m'\nreturn {api = 1}", "lib/m.lua": "return\n\n+",
    ])
    #expect(
      broken == [
        "lib/m.lua:3: error: unexpected symbol near '+'",
        "lib/m.lua:3: error: unexpected symbol near '+'",
      ])
    let missing = await findings(["default.lua": "require 'lib.none'\nreturn {api = 1}"])
    #expect(missing == ["default.lua:1: error: require: there is no module 'lib.none'"])
  }

  @Test("Files in the wrong place are errors")
  func wrongPlace() async {
    let found = await findings(["hooks.lua": "return {api = 1}"])
    #expect(
      found == [
        "hooks.lua:1: error: it is neither default.lua nor clients/NAME.lua nor a module under lib/"
          + "; move it there"
      ])
  }

  @Test(
    "One half of maintenance alone is an error, in the file that has it",
    arguments: [
      ([("default.lua", "enter_maintenance leave_maintenance")], []),
      (
        [("default.lua", "enter_maintenance")],
        [
          "default.lua:1: error: enter_maintenance is here and leave_maintenance is not, so servers "
            + "would stay in maintenance; write both, or neither"
        ]
      ),
      (
        [("default.lua", "leave_maintenance")],
        [
          "default.lua:1: error: leave_maintenance is here and enter_maintenance is not, so it would "
            + "never be called; write both, or neither"
        ]
      ),
      (
        [("default.lua", "pre_update"), ("clients/LAA.lua", "enter_maintenance")],
        [
          "clients/LAA.lua:1: error: enter_maintenance is here and leave_maintenance is neither here "
            + "nor in default.lua, so servers would stay in maintenance; write both, or neither"
        ]
      ),
      ([("default.lua", "leave_maintenance"), ("clients/LAA.lua", "enter_maintenance")], []),
      (
        [("default.lua", "enter_maintenance"), ("clients/LAA.lua", "leave_maintenance")],
        [
          "default.lua:1: error: enter_maintenance is here and leave_maintenance is not, so servers "
            + "would stay in maintenance; write both, or neither"
        ]
      ),
      (
        [("clients/LAA.lua", "leave_maintenance"), ("clients/NOR.lua", "enter_maintenance")],
        [
          "clients/LAA.lua:1: error: leave_maintenance is here and enter_maintenance is neither here "
            + "nor in default.lua, so it would never be called; write both, or neither",
          "clients/NOR.lua:1: error: enter_maintenance is here and leave_maintenance is neither here "
            + "nor in default.lua, so servers would stay in maintenance; write both, or neither",
        ]
      ),
    ] as [([(String, String)], [String])])
  func halfMaintenance(files: [(String, String)], expected: [String]) async {
    var sources: [String: String] = [:]
    for (path, functions) in files {
      let members = functions.split(separator: " ").map { "\($0) = function() ok() end" }
      sources[path] = "return {api = 1, \(members.joined(separator: ", "))}"
    }
    let revision = await World(sources).revision
    #expect(revision.findings.map(\.description) == expected)
    #expect(revision.isUsable == expected.isEmpty)
    // A campaign that pinned it once goes on with it.
    #expect(revision.isRunnable)
  }

  @Test("A file that loops while it loads is found out")
  func looping() async {
    var limits = HookLimits()
    limits.cpu = .milliseconds(50)
    let world = await World(["default.lua": "\nwhile true do end"], limits: limits)
    #expect(
      world.revision.findings.map(\.description) == [
        "default.lua:2: error: it used more than 50ms of CPU time"
      ])
    #expect(!world.revision.isUsable)
  }

  @Test("The id depends on every path and every byte")
  func identity() async {
    let base = ["default.lua": "return {api = 1}", "lib/a.lua": "return 1"]
    let id = await World(base).revision.id
    #expect(await World(base).revision.id == id)
    #expect(id.text.count == 64)
    for other in [
      ["default.lua": "return {api = 1} ", "lib/a.lua": "return 1"],
      ["default.lua": "return {api = 1}", "lib/b.lua": "return 1"],
      ["default.lua": "return {api = 1}"],
    ] {
      #expect(await World(other).revision.id != id)
    }
  }

  @Test("A run uses the revision it names, whatever is current")
  func pinned() async {
    let world = await World("ok('old')")
    let newer = await world.runner.check(
      HookSources(["default.lua": "return {api = 1, pre_update = function() ok('new') end}"]))
    world.runner.install(newer)
    #expect(await world.run().outcome == ok("old"))
    #expect(await world.run { $0.revision = newer.id }.outcome == ok("new"))
    #expect(world.runner.currentRevision == newer.id)
    world.runner.forgetAll(except: [world.revision.id])
    #expect(await world.run().outcome == ok("old"))
    world.runner.forgetAll(except: [])
    #expect(await world.run().outcome.word == "error")
    world.runner.keep(world.revision)
    #expect(await world.run().outcome == ok("old"))
    #expect(world.runner.currentRevision == newer.id)
  }

  @Test("The names the check knows are those that scripts find")
  func names() async {
    let world = await World(
      """
      local env = _ENV
      local names = {}
      for name in pairs(env) do names[#names + 1] = name end
      table.sort(names)
      ok(table.concat(names, ' '))
      """)
    #expect(await world.run().outcome == ok(LuaNames.globals.sorted().joined(separator: " ")))
  }

  @Test("The table of host calls has a summary, and letters the C library knows, for each")
  func calls() {
    for call in HookCall.allCases {
      #expect(!call.summary.isEmpty)
      #expect(call.argumentLetters.lowercased().allSatisfy { "snbtvju".contains($0) })
    }
    #expect(Set(HookCall.allCases.map(\.rawValue)).count == HookCall.allCases.count)
  }
}

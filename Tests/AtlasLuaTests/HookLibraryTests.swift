import AtlasHooks
import AtlasModel
import Foundation
import Testing

@testable import AtlasLua

@Suite("The hook revisions of a daemon, on disk")
struct HookLibraryTests {
  private static let old = "return {api = 1, pre_update = function() ok('old') end}"
  private static let new = "return {api = 1, pre_update = function() ok('new') end}"
  private static let broken = "\nreturn {api = 1, pre_update = function() print('x') end}"

  @Test("A campaign goes on with the revision it pinned, later ones get the next")
  func reload() async throws {
    try await Directories.with { directories in
      try directories.write("default.lua", Self.old)
      let daemon = directories.daemon()
      let first = try await directories.open(daemon)
      try directories.write("default.lua", Self.new)
      let second = try await daemon.library.reload()
      #expect(first.id != second.id)
      #expect(daemon.runner.currentRevision == second.id)
      #expect(await daemon.outcome(first.id) == ok("old"))
      #expect(await daemon.outcome(second.id) == ok("new"))
    }
  }

  @Test(
    "After a restart a campaign still runs what it pinned",
    arguments: ["changed", "vanished", "broken"])
  func restart(fate: String) async throws {
    try await Directories.with { directories in
      try directories.write("default.lua", Self.old)
      try directories.write("lib/deep/er/m.lua", "return 1")
      let pinned = try await directories.open().id
      switch fate {
      case "changed": try directories.write("default.lua", Self.new)
      case "vanished": try directories.removeHooks()
      case _: try directories.write("default.lua", Self.broken)
      }
      let daemon = directories.daemon()
      let opening = try await daemon.library.open(pinned: [pinned])
      #expect(await daemon.outcome(pinned) == ok("old"))
      #expect((opening.current?.id == pinned) == (fate != "changed"))
      let root = directories.hooks
      let expected: [String] =
        switch fate {
        case "changed": []
        case "vanished":
          ["\(root): there is no such directory; it should hold default.lua and clients/"]
        case _: ["\(root)/default.lua:2: error: 'print' is not defined"]
        }
      #expect(opening.problems.map(\.description) == expected)
    }
  }

  @Test("A daemon that is started without its directory still runs what campaigns pinned")
  func withoutDirectory() async throws {
    try await Directories.with { directories in
      try directories.write("default.lua", Self.old)
      let pinned = try await directories.open().id
      let daemon = directories.daemon(hooks: nil)
      let opening = try await daemon.library.open(pinned: [pinned])
      #expect(opening.current == nil)
      #expect(opening.problems == [])
      #expect(daemon.runner.currentRevision == nil)
      #expect(await daemon.outcome(pinned) == ok("old"))
      await #expect(throws: HookLibraryError.noDirectory) { try await daemon.library.reload() }
    }
  }

  @Test("The first start needs hooks that can be used, and says what is wrong")
  func firstStart() async throws {
    try await Directories.with { directories in
      let library = directories.daemon().library
      let root = directories.hooks
      func problem() async -> String {
        do throws(HookLibraryError) {
          _ = try await library.open(pinned: [])
          return "none"
        } catch { return error.description }
      }
      #expect(
        await problem()
          == "\(root): there is no such directory; it should hold default.lua and clients/")
      try directories.write("README.md", "no hooks here")
      #expect(
        await problem()
          == "\(root): there is no hook file; it should hold default.lua, or clients/NAME.lua")
      try directories.write("LAA.lua", Self.old)
      #expect(
        await problem()
          == "\(root)/LAA.lua:1: error: it is neither default.lua nor clients/NAME.lua nor a "
          + "module under lib/; move it there")
      try directories.remove("LAA.lua")
      try directories.write("default.lua", String(repeating: " ", count: 65_537))
      #expect(
        await problem() == "\(root)/default.lua: it is larger than 64 KiB; move parts into lib/")
      try directories.write("default.lua", Self.old)
      #expect(await problem() == "none")
    }
  }

  @Test("A reload that fails leaves everything as it was")
  func failedReload() async throws {
    try await Directories.with { directories in
      try directories.write("default.lua", Self.old)
      let daemon = directories.daemon()
      let current = try await directories.open(daemon)
      try directories.write("clients/LAA.lua", Self.broken)
      await #expect(
        throws: HookLibraryError.findings(
          directory: directories.hooks,
          [
            HookFinding(
              severity: .error, file: "clients/LAA.lua", line: 2,
              message: "'print' is not defined")
          ])
      ) { _ = try await daemon.library.reload() }
      #expect(daemon.runner.currentRevision == current.id)
      #expect(await daemon.outcome(current.id) == ok("old"))
      #expect(try directories.kept() == [current.id.text, "current"])
    }
  }

  @Test("Revisions that nobody pinned are removed at the next start, and drafts with them")
  func pruned() async throws {
    try await Directories.with { directories in
      var ids: [String] = []
      let library = directories.daemon().library
      for text in ["one", "two", "three"] {
        let hook = "return {api = 1, pre_update = function() ok('\(text)') end}"
        try directories.write("default.lua", hook)
        ids.append(try await library.reload().id.text)
      }
      try directories.writeData(".new-\(ids[0])/default.lua", "half a ")
      let opening = try await directories.daemon().library.open(pinned: [HookRevisionID(ids[1])])
      #expect(opening.problems == [])
      #expect(try directories.kept() == (ids[1...] + ["current"]).sorted())
    }
  }

  @Test("A kept revision that is lost or was changed is not run, and is named")
  func damaged() async throws {
    try await Directories.with { directories in
      try directories.write("default.lua", Self.old)
      let pinned = try await directories.open().id
      try directories.write("default.lua", Self.new)
      let lost = HookRevisionID(String(repeating: "0", count: 64))
      let path = "\(directories.data)/hooks/\(pinned)"
      try directories.writeData("\(pinned)/default.lua", Self.old + " ")
      let daemon = directories.daemon()
      let opening = try await daemon.library.open(pinned: [pinned, lost, HookRevisionID("")])
      #expect(
        Set(opening.problems) == [
          .damaged(pinned, path: path),
          .missing(lost, path: "\(directories.data)/hooks/\(lost)"),
        ])
      #expect(await daemon.outcome(pinned).word == "error")
    }
  }

  @Test("Loading what was changed on disk puts it right")
  func repaired() async throws {
    try await Directories.with { directories in
      try directories.write("default.lua", Self.old)
      let library = directories.daemon().library
      let id = try await library.reload().id
      try directories.writeData("\(id)/default.lua", "half a ")
      _ = try await library.reload()
      #expect(try await directories.daemon().library.open(pinned: [id]).problems == [])
    }
  }

  @Test("A name that leads elsewhere is no revision")
  func traversal() async throws {
    try await Directories.with { directories in
      try directories.write("default.lua", Self.old)
      let sneaky = HookRevisionID("../../hooks")
      let opening = try await directories.daemon().library.open(pinned: [sneaky])
      #expect(
        opening.problems == [
          .missing(sneaky, path: "\(directories.data)/hooks/../../hooks")
        ])
    }
  }

  @Test("Too many files, and too many bytes, are refused")
  func limits() async throws {
    try await Directories.with { directories in
      let line = "-- " + String(repeating: "x", count: 60_000) + "\nreturn {api = 1}"
      for number in 0..<300 { try directories.write("clients/C\(number).lua", line) }
      #expect(throws: HookSourcesError.self) { try HookSources(directory: directories.hooks) }
      for number in 0..<2_001 { try directories.write("clients/C\(number).lua", "") }
      let error = #expect(throws: HookSourcesError.self) {
        try HookSources(directory: directories.hooks)
      }
      #expect(error?.reason == "it has more than 2000 hook files; share more in lib/")
    }
  }

  @Test("What is no regular file is refused, and does not hold the daemon")
  func pipe() async throws {
    try await Directories.with { directories in
      try directories.write("lib/m.lua", "return 1")
      let path = "\(directories.hooks)/default.lua"
      #expect(mkfifo(path, 0o600) == 0)
      #expect(throws: HookSourcesError(path: path, reason: "it is not a regular file")) {
        try HookSources(directory: directories.hooks)
      }
    }
  }
}

/// A hook directory and a data directory that last as long as a test.
private struct Directories {
  let root: URL
  var hooks: String { root.appending(path: "hooks").path }
  var data: String { root.appending(path: "data").path }

  static func with(_ body: (Directories) async throws -> Void) async throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "hooks-\(UUID().uuidString)")
    let directories = Directories(root: root)
    try FileManager.default.createDirectory(
      atPath: directories.data, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    try await body(directories)
  }

  func write(_ path: String, _ text: String) throws { try write(hooks, path, text) }

  /// Writes below the kept revisions.
  func writeData(_ path: String, _ text: String) throws { try write("\(data)/hooks", path, text) }

  private func write(_ base: String, _ path: String, _ text: String) throws {
    let url = URL(filePath: base).appending(path: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(atPath: "\(hooks)/\(path)")
  }

  func removeHooks() throws { try FileManager.default.removeItem(atPath: hooks) }

  /// What lies among the kept revisions, sorted.
  func kept() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(data)/hooks").sorted()
  }

  /// A daemon that has just started: it knows nothing but what is on disk.
  func daemon() -> Daemon { daemon(hooks: hooks) }

  func daemon(hooks: String?) -> Daemon {
    let runner = LuaHookRunner(
      ports: HookPorts(
        clock: ManualClock(), keyValue: MemoryKeyValue(), http: ScriptedHTTP(),
        log: CollectedLog()), sha256: fakeHash)
    return Daemon(
      runner: runner,
      library: HookLibrary(directory: hooks, dataDirectory: data, runner: runner))
  }

  /// Starts a daemon for the first time.
  func open(_ daemon: Daemon? = nil) async throws -> HookRevision {
    let opening = try await (daemon ?? self.daemon()).library.open(pinned: [])
    return try #require(opening.current)
  }

  struct Daemon {
    let runner: LuaHookRunner
    let library: HookLibrary

    /// What `pre_update` of a revision says.
    func outcome(_ revision: HookRevisionID) async -> HookOutcome {
      await runner.run(
        HookInvocation(
          point: .preUpdate, key: "april/LAA-PARIS-DC01", client: ClientName(trusted: "LAA"),
          site: SiteName(trusted: "PARIS"), server: ServerName(trusted: "LAA-PARIS-DC01"),
          campaign: CampaignName(trusted: "april"), phase: .preCheck,
          deadline: Instant(milliseconds: 1_900_000_000_000), revision: revision)
      ).outcome
    }
  }
}

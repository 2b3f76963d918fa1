import Foundation

/// Directories that go when a test ends, and the checker of ledgers.
enum Scratch {
  static func with(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(
      path: "atlas-agent-\(UUID().uuidString)"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  /// How many lines of a ledger are about `event`.
  static func events(_ state: String, _ event: String) throws -> Int {
    let ledger = try String(contentsOfFile: state + "/ledger.jsonl", encoding: .utf8)
    return ledger.split(separator: "\n").count { $0.contains("{\"event\":\"\(event)\",") }
  }

  /// Runs `scripts/check-ledger`; gives its exit status.
  static func check(_ state: String, arguments: [String]) throws -> Int32 {
    let root = URL(filePath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let process = Process()
    process.executableURL = root.appending(path: "scripts/check-ledger")
    process.arguments = arguments + [state + "/ledger.jsonl"]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}

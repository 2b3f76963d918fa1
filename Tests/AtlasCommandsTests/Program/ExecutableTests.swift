import AtlasWire
import Foundation
import Testing

@testable import AtlasCommands

@Suite("The executable", .timeLimit(.minutes(10)))
struct ExecutableTests {
  /// The program lies beside the bundle of the tests.
  private static var program: URL {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appending(path: "atlas")
  }

  private func run(
    _ words: [String], address: String, input: String = ""
  ) async throws -> Outcome {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = words
    process.environment = ["ATLAS_ADDRESS": address, "USER": "anna", "HOME": "/nonexistent"]
    let (output, errors, stdin) = (Pipe(), Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = stdin
    return try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { process in
        let outcome = Outcome(
          status: ProgramStatus(rawValue: process.terminationStatus) ?? .error,
          output: String(decoding: output.fileHandleForReading.availableData, as: UTF8.self),
          errors: String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self))
        continuation.resume(returning: outcome)
      }
      do {
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  @Test(
    "ends with the status that scripts rely on",
    arguments: [
      (["version"], ProgramStatus.ok), (["campaign", "list"], .ok),
      (["campaign", "get", "nothing"], .error), (["campaign", "lst"], .usage),
      (["campaign", "start", "november", "--if-match", "no", "--yes"], .guarded),
      (["campaign", "skip", "november", "LAA-PARIS-WEB01", "--reason", "x"], .notAllowed),
      (["campaign", "wait", "november", "--timeout", "10ms"], .timeout),
      (["watch", "november"], .campaignFailed),
      (["--address", "127.0.0.1:1", "stop", "status"], .unreachable),
    ])
  func status(words: [String], expected: ProgramStatus) async throws {
    var world = World.november(clients: 1, servers: 2)
    _ = try world.change(run: "LAA-PARIS-WEB01", of: "november") { $0.state = .held }
    world.campaigns[0].settled = expected == .campaignFailed
    try await FakeAtlas(world).serve { address in
      let outcome = try await run(words, address: address)
      #expect(outcome.status == expected, "\(outcome.output)\(outcome.errors)")
    }
  }

  @Test("keeps data and messages apart, and has no colours in a pipe")
  func streams() async throws {
    try await FakeAtlas(.november(clients: 1, servers: 1)).serve { address in
      let outcome = try await run(["stop"], address: address)
      #expect(
        outcome
          == Outcome(
            status: .ok, output: "STOPPED everything; nothing was in flight\n",
            errors: "hint: atlas stop status; later atlas stop release --reason TEXT\n"))
    }
  }

  @Test("does not take an answer from a pipe for a person's")
  func pipedAnswer() async throws {
    try await FakeAtlas(.november(clients: 1, servers: 1)).serve { address in
      let outcome = try await run(
        ["campaign", "cancel", "november"], address: address, input: "yes\n")
      #expect(outcome.status == .usage)
    }
  }
}

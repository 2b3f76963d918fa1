import Foundation
import Testing

/// `scripts/check-ledger` finds what is wrong, and nothing else.
@Suite struct LedgerCheckTests {
  /// A line of a ledger, as `event server fence kind` and, for `ended`, `changed` and `healthy`;
  /// the time is the line's number in seconds.
  private static func ledger(_ lines: [String]) -> String {
    lines.enumerated().map { index, line in
      let words = line.split(separator: " ").map(String.init)
      var members = [
        #""event":"\#(words[0])""#, #""server":"\#(words[1])""#,
        #""client":"\#(words[1].prefix(1))""#, #""real_ns":\#((index + 1) * 1_000_000_000)"#,
        #""campaign_ms":null"#,
      ]
      if words.count > 2 { members.append(#""fence":\#(words[2])"#) }
      if words.count > 3 { members.append(#""kind":"\#(words[3])""#) }
      if words[0] == "ended" {
        let outcome = words.contains("failed") ? "failed" : "succeeded"
        members.append(#""outcome":"\#(outcome)","changed":\#(words.contains("changed"))"#)
        members.append(#""healthy":\#(!words.contains("sick"))"#)
        if words[3] == "HEALTH" {
          members.append(#""claims_healthy":\#(!words.contains("sick"))"#)
        }
      }
      return "{" + members.joined(separator: ",") + "}\n"
    }.joined()
  }

  private static func check(_ lines: [String], _ arguments: [String] = []) async throws -> Int32 {
    var status: Int32 = -1
    try await Scratch.with { state in
      try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
      try ledger(lines).write(toFile: state + "/ledger.jsonl", atomically: true, encoding: .utf8)
      status = try Scratch.check(state, arguments: arguments)
    }
    return status
  }

  private static let one = [
    "began A1 1 UPDATE", "ended A1 1 UPDATE changed", "began A1 2 HEALTH", "ended A1 2 HEALTH",
  ]

  @Test(arguments: [
    one,
    one + ["began A2 3 UPDATE", "ended A2 3 UPDATE failed", "began A3 4 UPDATE"],
    ["began A1 1 UPDATE", "began B1 2 UPDATE"],
    ["began A1 1 DOWNLOAD", "began A2 2 DOWNLOAD", "began A3 3 UPDATE"],
    ["began A1 1 UPDATE", "ended A1 1 UPDATE changed", "began A1 2 REMOVE_SNAPSHOT"],
  ])
  func `a night as it should be passes`(lines: [String]) async throws {
    #expect(try await Self.check(lines) == 0)
  }

  @Test(arguments: [
    // Two servers of a client at once.
    ["began A1 1 UPDATE", "began A2 2 UPDATE"],
    ["began A1 1 SNAPSHOT", "began A2 2 SNAPSHOT"],
    // The first was changed and never proven healthy.
    ["began A1 1 UPDATE", "ended A1 1 UPDATE failed changed", "began A2 2 UPDATE"],
    [
      "began A1 1 UPDATE", "ended A1 1 UPDATE changed", "began A1 2 HEALTH",
      "ended A1 2 HEALTH sick", "began A2 3 REBOOT",
    ],
    // Fences.
    ["began A1 5 HEALTH", "ended A1 5 HEALTH", "began A1 5 HEALTH"],
    ["began A1 5 HEALTH", "ended A1 5 HEALTH", "began A1 4 HEALTH"],
  ])
  func `a night with a mistake does not`(lines: [String]) async throws {
    #expect(try await Self.check(lines) == 1)
  }

  @Test func `a person's acceptance and a second slot are taken into account`() async throws {
    let lines = ["began A1 1 UPDATE", "ended A1 1 UPDATE failed changed", "began A2 2 UPDATE"]
    #expect(try await Self.check(lines, ["--accepted", "A1@2500"]) == 0)
    #expect(try await Self.check(lines, ["--slots", "A=2"]) == 0)
    #expect(try await Self.check(lines, ["--slots", "B=2"]) == 1)
  }

  @Test(
    arguments: [
      // The stop has fence 10 and was acknowledged after 2 s.
      (["began A1 1 UPDATE", "stop A1 10", "ended A1 1 UPDATE", "began A1 11 HEALTH"], 0),
      (["stop A1 10", "began A1 11 UPDATE"], 1),
      (["stop A1 10", "began A1 9 HEALTH"], 1),
      (["stop B1 10", "stop B2 10", "stop B3 10", "stop B4 10", "began A1 9 UPDATE"], 1),
      (["stop B1 10", "stop B2 10", "began A1 9 UPDATE", "stop A1 10"], 0),
    ] as [([String], Int32)])
  func `after a stop only what is safe begins`(lines: [String], status: Int32) async throws {
    let stop = ["--stop-fence", "10", "--stop-real-ms", "2000"]
    #expect(try await Self.check(lines, stop) == status)
  }

  @Test func `a file that is no ledger is neither`() async throws {
    try await Scratch.with { (state: String) async throws in
      let status = try Scratch.check(state, arguments: [])
      #expect(status == 2)
    }
  }
}

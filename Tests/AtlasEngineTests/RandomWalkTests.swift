import AtlasEngine
import AtlasModel
import AtlasTestKit
import Foundation
import Testing

/// Thousands of nights in which anything may happen, and what they do compared with the drawing.
///
/// `ATLAS_WALK_SEEDS=20000` walks longer than a test run has time for, `ATLAS_WALK_FIRST=4711`
/// begins at another seed, `ATLAS_WALK_SELDOM=1` tells what few nights do. A failure names its
/// seed; the same seed gives the same night.
@Suite struct `Random nights` {
  @Test func `break no rule, and settle when the trouble ends`() {
    for night in Survey.all.failed {
      Issue.record("seed \(night.seed): \(night.violation)\n\(night.story)")
    }
  }

  @Test func `know every kind of record but those of hooks and of the fleet`() {
    let others: Set<RecordKind> = [.hooksLoaded, .agentRefused]
    let missing = Set(RecordKind.allCases).subtracting(Survey.all.kinds).subtracting(others)
    #expect(missing.map(\.rawValue).sorted() == [] || Survey.isPartial, "never happens")
  }

  @Test func `make exactly the transitions that docs/states.md draws`() throws {
    let drawn = try Drawing.transitions()
    let missing = Survey.all.transitions.subtracting(drawn).sorted()
    let extra = drawn.subtracting(Survey.all.transitions).sorted()
    #expect(missing == [], "happens, and is not drawn")
    #expect(extra == [] || Survey.isPartial, "is drawn, and never happens")
  }

  @Test func `take exactly the steps between phases that docs/states.md draws`() throws {
    let drawn = try Drawing.phaseSteps()
    let missing = Survey.all.phaseSteps.subtracting(drawn).sorted()
    let extra = drawn.subtracting(Survey.all.phaseSteps).sorted()
    #expect(missing == [], "happens, and is not drawn")
    #expect(extra == [] || Survey.isPartial, "is drawn, and never happens")
  }
}

/// What many nights did.
private struct Survey: Sendable {
  struct Night: Sendable {
    let seed: UInt64
    let violation: String
    /// Its end.
    let story: String
  }

  private(set) var failed: [Night] = []
  private(set) var kinds: Set<RecordKind> = []
  /// By transition and by step: in how many nights it happened.
  private var transitionCounts: [EngineTransition: Int] = [:]
  private var phaseStepCounts: [EnginePhaseStep: Int] = [:]

  static let all = Survey(seeds: first..<first + count)

  /// With the nights in ``RareNight`` enough for every row of the drawing, with room to spare.
  private static let count = number("ATLAS_WALK_SEEDS") ?? usual
  private static let first = number("ATLAS_WALK_FIRST") ?? 1
  private static let usual: UInt64 = 400

  /// Whether it walks less or elsewhere than the drawing is made for.
  static var isPartial: Bool { count < usual || first != 1 }

  var transitions: Set<EngineTransition> { Set(transitionCounts.keys) }
  var phaseSteps: Set<EnginePhaseStep> { Set(phaseStepCounts.keys) }

  /// What happened in few nights only, for whoever looks for a row that needs a story of its own.
  var seldom: [String] {
    let rows =
      transitionCounts.map { ($0.value, $0.key.description) }
      + phaseStepCounts.map { ($0.value, $0.key.description) }
    return rows.filter { $0.0 < 10 }.sorted { $0 < $1 }.map { "\($0.0): \($0.1)" }
  }

  private static func number(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
  }

  private init(seeds: Range<UInt64>) {
    for night in RareNight.allCases { count(night.world.checker) }
    for seed in seeds where failed.count < 3 {
      var walk = RandomWalk(seed: seed)
      let violations = walk.walk(steps: 300)
      count(walk.world.checker)
      guard let first = violations.first else { continue }
      let story = String(walk.world.story.suffix(8_000))
      failed.append(Night(seed: seed, violation: first, story: story))
    }
    if ProcessInfo.processInfo.environment["ATLAS_WALK_SELDOM"] != nil {
      print(seldom.joined(separator: "\n"))
    }
  }

  private mutating func count(_ checker: EngineChecker) {
    kinds.formUnion(checker.safety.seen)
    for transition in checker.seen { transitionCounts[transition, default: 0] += 1 }
    for step in checker.phaseSteps { phaseStepCounts[step, default: 0] += 1 }
  }
}

/// The tables of `docs/states.md`.
private enum Drawing {
  private static let file = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/states.md")

  static func transitions() throws -> Set<EngineTransition> {
    Set(
      try rows(of: "transitions").map { row in
        EngineTransition(
          from: try #require(kind(row[0])), to: try #require(kind(row[1])),
          kind: try #require(RecordKind(rawValue: row[2])))
      })
  }

  static func phaseSteps() throws -> Set<EnginePhaseStep> {
    Set(
      try rows(of: "phases").map { row in
        EnginePhaseStep(from: try #require(phase(row[0])), to: try #require(phase(row[1])))
      })
  }

  private static func kind(_ word: String) -> RunState.Kind? {
    RunState.Kind.allCases.first { $0.word == word }
  }

  private static func phase(_ word: String) -> Phase? {
    Phase.allCases.first { $0.word == word }
  }

  /// The cells of a marked table, without its head.
  private static func rows(of table: String) throws -> [[String]] {
    let lines = try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let marker = try #require(lines.firstIndex(of: "<!-- table: \(table) -->"))
    return lines[(marker + 3)...].prefix { $0.hasPrefix("|") }.map { line in
      line.dropFirst().split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }
}
